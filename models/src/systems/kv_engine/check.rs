//! The invariants that the final state shows. Violations of `no-dangling` and
//! `no-data-race` are recorded where they happen; the engine reports deadlocks.
//!
//! After a crash there is no final state, and nothing more is checked.

use super::manager::{Held, Turn};
use super::map::Engine;
use super::producer::Producer;
use super::steps::{guard, lock};
use super::stream::Stream;
use super::world::Crash;
use crate::log::Performed;
use crate::scenario::{CallId, Conn};
use crate::systems::vocabulary;
use crate::{answers, Invariant};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::Arc;

/// The most runs of a manager's task after the race.
const REST: usize = 100;

impl Engine {
    pub(super) fn check(self) {
        if self.world.anyone_crashed() {
            return;
        }
        let calls = self.world.log.calls();
        self.check_late(&calls);
        self.check_streams();
        self.check_sleepers();
        if self.rest().is_ok() {
            self.check_managers();
        }
        let world = Arc::clone(&self.world);
        // The map is dropped, and does not close its connections.
        drop(self);
        let live = |count: &std::sync::atomic::AtomicUsize| count.load(Ordering::Relaxed);
        let left = (live(&world.live.producers), live(&world.live.streams));
        let managers = live(&world.live.managers);
        if left != (0, 0) || managers != 0 {
            let (producers, streams) = left;
            let detail = format!(
                "the map is gone; alive: producers: {producers}, streams: {streams}, managers: {managers}"
            );
            world.log.violated(Invariant::NoLeak, detail);
        }
    }

    fn violated(&self, invariant: Invariant, detail: String) {
        self.world.log.violated(invariant, detail);
    }

    /// The producers, also those of disconnected connections.
    fn producers(&self) -> Vec<Arc<Producer>> {
        self.front_ends.iter().filter_map(|front_end| lock(front_end).clone()).collect()
    }

    fn for_streams(&self, mut look: impl FnMut(&Producer, &Stream)) {
        for producer in self.producers() {
            for container in &producer.containers {
                for stream in guard!(container.read()).iter() {
                    look(&producer, stream);
                }
            }
        }
    }

    /// For each connection that was closed: when the first call that closed it
    /// returned.
    fn closed(&self, calls: &BTreeMap<CallId, Performed>) -> BTreeMap<Conn, u64> {
        vocabulary::closed(&self.scenario, calls, |call, answer| {
            match (call.operation, call.receiver, answer) {
                ("shutdown", _, answers::DONE) => {
                    (0..self.scenario.receivers.len()).map(Conn).collect()
                }
                ("disconnect", Some(conn), answers::DONE)
                | ("step", Some(conn), answers::DISCONNECT) => {
                    vec![conn]
                }
                _ => Vec::new(),
            }
        })
    }

    fn check_late(&self, calls: &BTreeMap<CallId, Performed>) {
        let closed = self.closed(calls);
        let name = |conn: Conn| self.scenario.receivers[conn.0].as_str();
        self.for_streams(|producer, stream| {
            if closed.contains_key(&producer.conn) && !stream.is_dead() {
                let detail = format!("{} is closed, and a stream is open", name(producer.conn));
                self.violated(Invariant::NoLateStream, detail);
            }
        });
        for (id, performed) in calls {
            let (Some(call), Some((_, answer))) = (self.scenario.call(*id), &performed.end) else {
                continue;
            };
            let Some(conn) = call.receiver else { continue };
            let late = closed.get(&conn).is_some_and(|end| performed.begin > *end);
            if late && call.operation == "stream_request" && answer == answers::ACCEPTED {
                let detail = format!("{} accepted a request after its close", name(conn));
                self.violated(Invariant::NoLateStream, detail);
            }
        }
    }

    /// A vb's state change must have ended each stream that was accepted before it.
    fn check_streams(&self) {
        self.for_streams(|_, stream| {
            let vbucket = &self.world.vbuckets[stream.vb];
            if stream.is_dead() {
                return;
            }
            if vbucket.is_dead() {
                let detail = "the vb is dead, and nobody will end its stream".to_owned();
                self.violated(Invariant::EndedOnce, detail);
            } else if stream.failover
                < vbucket.failover.load(crate::sync::atomic::Ordering::Acquire)
            {
                let detail = "accepted against the failover table from before the state change, \
                     and not ended by that change";
                self.violated(Invariant::Linearizable, detail.to_owned());
            }
        });
        for id in self.world.log.calls().keys() {
            let ends = vocabulary::ends_of(&self.world.log, *id);
            if ends.len() > 1 {
                let detail = format!("one stream ended {} times: {}", ends.len(), ends.join(", "));
                self.violated(Invariant::EndedOnce, detail);
            }
        }
    }

    fn check_sleepers(&self) {
        self.for_streams(|producer, stream| {
            if self.world.asleep(producer.conn) && !producer.flagged() && stream.is_ready() {
                let name = &self.scenario.receivers[producer.conn.0];
                let detail = format!("{name} sleeps, and a stream of it has something to send");
                self.violated(Invariant::NoLostWakeup, detail);
            }
        });
    }

    /// Runs each manager's task until the task has nothing to do.
    fn rest(&self) -> Result<(), Crash> {
        for producer in self.producers() {
            let Ok(Some(manager)) = producer.manager() else { continue };
            for _ in 0..REST {
                let turn = manager.with(&self.world, |manager| manager.run())??;
                if turn != Turn::Ran {
                    break;
                }
            }
        }
        Ok(())
    }

    fn check_managers(&self) {
        let mut slots = 0;
        for producer in self.producers() {
            let Ok(Some(manager)) = producer.manager() else { continue };
            let Ok(held) = manager.with(&self.world, |manager| manager.held()) else { continue };
            slots += held.slots;
            self.check_manager(&producer, &held);
        }
        let free = *lock(&self.world.slots);
        if free + slots != self.world.settings.slots {
            let all = self.world.settings.slots;
            let detail = format!("slots in all: {all}, free: {free}, in use: {slots}");
            self.violated(Invariant::NoOrphanBackfill, detail);
        }
    }

    fn check_manager(&self, producer: &Producer, held: &Held) {
        let name = &self.scenario.receivers[producer.conn.0];
        let mut charged = 0;
        for container in &producer.containers {
            charged += guard!(container.read()).iter().map(|s| s.buffered()).sum::<u64>();
        }
        if held.buffered != charged {
            let detail = format!("{name}: bytes charged: {}, queued: {charged}", held.buffered);
            self.violated(Invariant::BytesBalance, detail);
        }
        if held.dead > 0 {
            let (dead, queued) = (held.dead, held.queued);
            let detail = format!("{name}: backfills queued: {queued}, of dead streams: {dead}");
            self.violated(Invariant::NoOrphanBackfill, detail);
        }
    }
}
