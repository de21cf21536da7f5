//! The calls of a front end on its connection, serialised by its thread lock:
//! streamRequest, step, closeStream, seqnoAck. And two calls of other threads:
//! the statistics, and the notification of a write.

use super::counted::Strong;
use super::era::{Era, Variant};
use super::map::{Engine, FrontEnd};
use super::producer::Producer;
use super::steps::guard;
use super::stream::{Message, Stream};
use super::world::Crash;
use crate::answers;
use crate::scenario::{CallId, Conn};
use crate::sync::atomic::Ordering;
use crate::sync::note;
use std::sync::Arc;

/// The arguments of a streamRequest that the model needs.
pub(super) struct Request {
    pub(super) id: CallId,
    pub(super) vb: usize,
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Engine {
    /// streamRequest. The checks come in the original's order, and read without a
    /// lock where the original does.
    pub(super) fn stream_request(
        &self,
        producer: &Arc<Producer>,
        request: &Request,
    ) -> Result<&'static str, Crash> {
        let protocol = self.world.protocol;
        if producer.flagged() {
            return Ok(answers::CONNECTION_CLOSED);
        }
        let vb = request.vb;
        let vbucket = &self.world.vbuckets[vb];
        if !vbucket.exists.load(Ordering::Acquire) {
            return Ok(answers::NOT_MY_VBUCKET);
        }
        // Since MB-67263, from the look-up until after the insertion.
        let state_lock = protocol.since(Era::Mb67263).then(|| vbucket.state_lock.read());
        if protocol.revives(Variant::Mb25803) && !vbucket.exists.load(Ordering::Acquire) {
            return Err(self.world.crash("the second look-up of the vb gives null"));
        }
        if vbucket.is_dead() {
            return Ok(answers::NOT_MY_VBUCKET);
        }
        if request.start > request.end {
            return Ok(answers::OUT_OF_RANGE);
        }
        if !self.make_room(producer, vb) {
            return Ok(answers::STREAM_EXISTS);
        }
        let failover = vbucket.failover.load(Ordering::Acquire);
        if failover > 0 {
            return Ok(answers::ROLLBACK);
        }
        let stream = Stream::new(&self.world, producer, request.id, vb, request.end, failover);
        if protocol.revives(Variant::Mb19428) {
            self.activate(&stream)?;
        }
        // MB-19428's repair of MB-17230: checks the state again, under its lock,
        // which is held from before the side effects until after the insertion.
        let again = state_lock.is_none() && !protocol.revives(Variant::Mb17230);
        let _state_lock = again.then(|| vbucket.state_lock.read());
        if again && vbucket.is_dead() {
            return Ok(answers::NOT_MY_VBUCKET);
        }
        if !protocol.revives(Variant::Mb19428) {
            self.activate(&stream)?;
        }
        self.insert(producer, stream);
        self.listen(producer, vb);
        Ok(answers::ACCEPTED)
    }

    fn activate(&self, stream: &Strong<Stream>) -> Result<(), Crash> {
        stream.set_active(stream.downgrade())?;
        if self.world.settings.order == 2 {
            self.world.scheduled.open();
        }
        Ok(())
    }

    /// Whether a vb has no live stream. Since MB-38356, a week before MB-38521,
    /// a dead stream is taken out and dropped here, under the container's write
    /// lock; before, the insertion replaced it.
    fn make_room(&self, producer: &Producer, vb: usize) -> bool {
        if self.world.protocol.since(Era::Mb38521) {
            let mut streams = guard!(producer.containers[vb].write());
            if streams.first().is_some_and(|stream| !stream.is_dead()) {
                return false;
            }
            streams.clear();
            return true;
        }
        guard!(producer.containers[vb].read()).first().is_none_or(|stream| stream.is_dead())
    }

    fn insert(&self, producer: &Producer, stream: Strong<Stream>) {
        let mut streams = guard!(producer.containers[stream.vb].write());
        streams.clear();
        note(|| "inserts the stream".to_owned());
        streams.push(stream);
    }

    /// step: disconnects a flagged connection, or sends the next message.
    pub(super) fn step(&self, front_end: &FrontEnd, conn: Conn) -> Result<String, Crash> {
        let Some(producer) = front_end else { return Ok(answers::NOT_FOUND.into()) };
        // A front end that steps is awake.
        self.world.wake(conn);
        let since = self.world.log.now();
        if producer.flagged() {
            self.disconnect(front_end)?;
            return Ok(answers::DISCONNECT.into());
        }
        for vb in 0..producer.containers.len() {
            let Some(stream) = producer.find(vb) else { continue };
            match stream.next()? {
                Some(Message::Item(seqno)) => return Ok(format!("item {seqno}")),
                Some(Message::End) => return Ok("stream end ok".into()),
                None => {}
            }
        }
        self.world.sleeps(conn, since);
        Ok(answers::IDLE.into())
    }

    /// closeStream: takes the stream out of its container, ends it, and drops it.
    pub(super) fn close_stream(
        &self,
        producer: &Producer,
        vb: usize,
    ) -> Result<&'static str, Crash> {
        if producer.flagged() {
            return Ok(answers::CONNECTION_CLOSED);
        }
        let taken = guard!(producer.containers[vb].write()).pop();
        let Some(stream) = taken else { return Ok(answers::NO_SUCH_STREAM) };
        stream.set_dead(answers::CLOSED, false)?;
        Ok(answers::CLOSED)
    }

    /// seqnoAck.
    pub(super) fn seqno_ack(&self, producer: &Producer, vb: usize) -> Result<&'static str, Crash> {
        if producer.flagged() {
            return Ok(answers::CONNECTION_CLOSED);
        }
        if self.world.protocol.revives(Variant::Mb37827) {
            let Some(stream) = producer.find_raw(vb) else { return Ok(answers::NO_SUCH_STREAM) };
            match stream.get() {
                Some(stream) => stream.ack(),
                None => return Err(self.world.crash("seqnoAck uses a stream that was freed")),
            }
            return Ok(answers::DONE);
        }
        let Some(stream) = producer.find(vb) else { return Ok(answers::NO_SUCH_STREAM) };
        stream.ack();
        Ok(answers::DONE)
    }

    /// The statistics of a connection, by any thread, through the map. It stands
    /// also for the wake-up of backfills when memory is free again.
    pub(super) fn statistics(&self, conn: Conn) -> Result<&'static str, Crash> {
        let find = |map: &[Arc<Producer>]| map.iter().find(|p| p.conn == conn).cloned();
        let Some(producer) = self.with_map(find) else { return Ok(answers::NOT_FOUND) };
        match producer.manager()? {
            Some(manager) => {
                manager.with(&self.world, |manager| manager.look())?;
                Ok(answers::FOUND)
            }
            None if self.world.protocol.revives(Variant::Mb20645) => {
                Err(self.world.crash("the statistics use the null manager pointer"))
            }
            None => Ok(answers::FOUND),
        }
    }

    /// A write, by any thread: the vb state lock is held for reading while the
    /// connections of the vb are notified.
    pub(super) fn write(&self, vb: usize) -> &'static str {
        let vbucket = &self.world.vbuckets[vb];
        let _state = vbucket.state_lock.read();
        vbucket.high.fetch_add(1, Ordering::AcqRel);
        self.for_listeners(vb, |producer| {
            if let Some(stream) = producer.find(vb) {
                stream.notify();
            }
        });
        answers::DONE
    }
}
