//! The ends of streams: closeAllStreams and its two callers, shutdown (BD) and
//! disconnect (FE); a second producer of a name; and a vb's state change (SV).
//!
//! The order of locks as the original takes them: FE's thread lock, then
//! - map lock, then (before MB-36557 for disconnect, before MB-20751 for
//!   shutdown) all locks of closeAllStreams;
//! - closeAllStreamsLock (since MB-38521), then container, stream, manager and,
//!   after the stream's, the vb state lock for reading;
//! - SV: state lock for writing, map lock, container, stream, manager.

use super::era::{Era, Variant};
use super::map::{Engine, FrontEnd};
use super::producer::Producer;
use super::steps::{guard, lock};
use super::world::Crash;
use crate::sync::atomic::Ordering;
use crate::sync::note;
use crate::{answers, scenario::Conn};
use std::sync::Arc;

impl Engine {
    /// closeAllStreams, by BD or by FE.
    fn close_all_streams(&self, producer: &Producer) -> Result<(), Crash> {
        let protocol = self.world.protocol;
        // Since MB-38521, for the whole function.
        let _serial = protocol.since(Era::Mb38521).then(|| lock(&producer.close_all));
        note(|| "closeAllStreams".to_owned());
        // Since MB-69075, one copy for the whole function.
        let at_first = match protocol.since(Era::Mb69075) {
            true => producer.manager()?,
            false => None,
        };
        for container in &producer.containers {
            let collected = {
                let mut streams = guard!(container.write());
                if protocol.revives(Variant::Mb35073) {
                    for stream in streams.iter() {
                        stream.set_dead(answers::DISCONNECTED, false)?;
                    }
                }
                std::mem::take(&mut *streams)
            };
            for stream in collected {
                if protocol.since(Era::Mb57772) {
                    // Only if the pointer is not null.
                    let now = match protocol.since(Era::Mb69075) {
                        true => None,
                        false => producer.manager()?,
                    };
                    if let Some(manager) = at_first.as_ref().or(now.as_ref()) {
                        if let Some(id) = stream.take_backfill_id() {
                            manager.with(&self.world, |manager| manager.erase(id))?;
                        }
                    }
                }
                stream.set_dead(answers::DISCONNECTED, false)?;
                // The stream's reference is dropped here, under closeAllStreamsLock.
            }
        }
        self.forget_listeners(producer);
        if self.world.settings.order == 3 {
            self.world.flagging.open();
            self.world.scheduled.pass();
        }
        producer.reset_manager();
        Ok(())
    }

    /// shutdownAllConnections, on BD.
    pub(super) fn shutdown(&self) -> Result<&'static str, Crash> {
        if self.world.settings.order == 2 {
            self.world.scheduled.pass();
        }
        let protocol = self.world.protocol;
        if !protocol.since(Era::Mb20751) {
            return self.with_map_changed(|map| {
                for producer in map.iter() {
                    self.begin_to_close();
                    self.close_all_streams(producer)?;
                    self.notify_front_end(producer.conn);
                }
                Ok(answers::DONE)
            });
        }
        let copy: Vec<Arc<Producer>> = self.with_map(|map| map.to_vec());
        for producer in copy {
            if protocol.since(Era::Mb37702) {
                producer.flag();
            }
            self.begin_to_close();
            self.close_all_streams(&producer)?;
            self.notify_front_end(producer.conn);
        }
        Ok(answers::DONE)
    }

    /// Marks the place where MB-37702 flags the connection.
    fn begin_to_close(&self) {
        if self.world.settings.order == 1 {
            self.world.flagging.open();
        }
    }

    /// Wakes a front end under its thread lock, as the notification did.
    fn notify_front_end(&self, conn: Conn) {
        let _thread = lock(&self.front_ends[conn.0]);
        self.world.wake(conn);
    }

    /// disconnect, on FE, whose thread lock is held.
    pub(super) fn disconnect(&self, front_end: &FrontEnd) -> Result<&'static str, Crash> {
        let Some(producer) = front_end else { return Ok(answers::NO_SUCH_CONNECTION) };
        let found = self.with_map_changed(|map| {
            let at = map.iter().position(|known| Arc::ptr_eq(known, producer));
            let Some(at) = at else { return Ok(None) };
            map[at].flag();
            if !self.world.protocol.since(Era::Mb36557) {
                self.close_all_streams(&map[at])?;
            }
            Ok(Some(map.remove(at)))
        })?;
        let Some(found) = found else { return Ok(answers::NO_SUCH_CONNECTION) };
        if self.world.protocol.since(Era::Mb36557) {
            self.close_all_streams(&found)?;
        }
        self.put_on_dead_list(found);
        Ok(answers::DONE)
    }

    /// Opens a producer. Others of its name are flagged, and left to their owners.
    pub(super) fn open(
        &self,
        conn: Conn,
        name: Conn,
        front_end: &mut FrontEnd,
    ) -> Result<&'static str, Crash> {
        if front_end.is_some() {
            return Ok(answers::ID_IN_USE);
        }
        let producer = self.new_producer(conn, name);
        let displaced = self.with_map_changed(|map| {
            let mut displaced = Vec::new();
            for old in map.iter().filter(|old| old.name == producer.name) {
                old.flag();
                displaced.push(Arc::clone(old));
            }
            map.push(Arc::clone(&producer));
            displaced
        });
        if self.world.protocol.revives(Variant::Mb36451) {
            for old in displaced {
                self.close_all_streams(&old)?;
            }
        }
        *front_end = Some(producer);
        Ok(answers::OPENED)
    }

    /// A vb changes its state, on SV: to dead (0), replica (1) or active (2),
    /// which adds an entry to its failover table.
    pub(super) fn change_state(&self, vb: usize, to: u8) -> Result<&'static str, Crash> {
        let vbucket = &self.world.vbuckets[vb];
        let _state = vbucket.state_lock.write();
        vbucket.state.swap(to, Ordering::AcqRel);
        note(|| format!("vb {vb} changes its state"));
        self.with_map(|map| {
            for producer in map {
                if let Some(stream) = producer.find(vb) {
                    let told = !self.world.protocol.revives(Variant::Mb36637);
                    stream.set_dead(answers::STATE_CHANGED, told)?;
                }
            }
            Ok(())
        })?;
        if to == super::world::ACTIVE {
            vbucket.failover.fetch_add(1, Ordering::AcqRel);
            note(|| format!("vb {vb} has a new failover entry"));
        }
        Ok(answers::DONE)
    }

    /// Makes a vb dead, and takes it out of the map of vbs.
    pub(super) fn delete_vb(&self, vb: usize) -> Result<&'static str, Crash> {
        self.change_state(vb, super::world::DEAD)?;
        self.world.vbuckets[vb].exists.swap(false, Ordering::AcqRel);
        Ok(answers::DONE)
    }
}
