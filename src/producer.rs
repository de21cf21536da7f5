//! Producer: the front end's handle to its connection.
//!
//! Owns nothing and guards nothing: a weak handle, promoted for the length of
//! one call. A handle that is kept for ever keeps nothing alive (kv_engine's
//! MB-26470 was a cycle through such a handle).

use crate::connection::{Connection, Debris, Open, Phase};
use crate::host::{attempt, contain, Memory};
use crate::stream::{Next, StreamId};
use crate::sync::{Strong, Weak};
use crate::wakeups::{Deferred, Wakeups};
use crate::{
    CloseError, CloseReason, ConnId, EndStatus, Message, Pause, ProducerStats, RequestError,
    SeqnoRange, Step, StreamRequest, VbId,
};

/// A connection that sends: what its front end calls.
///
/// Any thread may call any method, also at the same time; kv_engine's front
/// ends call them one after another. No method blocks but on short critical
/// sections. Methods may be called from the host's callbacks.
#[derive(Clone, Debug)]
pub struct Producer {
    id: ConnId,
    connection: Weak<Connection>,
}

/// What step found under the lock.
enum Found {
    Step(Step),
    Read(VbId, StreamId, SeqnoRange),
}

impl Producer {
    pub(crate) fn new(id: ConnId, connection: &Strong<Connection>) -> Self {
        Producer { id, connection: Strong::downgrade(connection) }
    }

    /// The id that it was opened under.
    pub fn id(&self) -> ConnId {
        self.id
    }

    /// Opens a stream. When the answer is `Ok`, the stream exists, its
    /// backfill is scheduled, and its end will be reported exactly once.
    ///
    /// Asks [`ItemSource::memory_used_percent`](crate::ItemSource) before it
    /// takes any lock. The host looks the vb up, tests its state and whether a
    /// rollback is needed, and holds its own vb state lock from then until
    /// this returns (kv_engine's MB-67263); it calls
    /// [`ConnMap::end_streams`](crate::ConnMap::end_streams) under the same
    /// lock.
    ///
    /// # Errors
    /// See [`RequestError`]; a refused request has done nothing.
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// # let map = ConnMap::new(source(), Config::default());
    /// let producer = map.open(ConnId(1), "replica", front_end()).unwrap().deliver();
    /// let request = StreamRequest { vb: VbId(0), start: 0, end: 9, opaque: 7 };
    /// producer.stream_request(request).unwrap().deliver();
    /// let again = producer.stream_request(request).unwrap_err();
    /// assert_eq!(again, RequestError::StreamExists(VbId(0)));
    /// ```
    pub fn stream_request(&self, request: StreamRequest) -> Result<Deferred<()>, RequestError> {
        let connection = self.connection.upgrade().ok_or(RequestError::ConnectionClosed)?;
        let memory_high = connection.memory_high();
        let mut wakeups = Wakeups::default();
        connection.request(request, memory_high, &mut wakeups)?;
        Ok(Deferred::new((), wakeups))
    }

    /// Ends the stream of `vb` with [`EndStatus::Closed`]; step reports it.
    ///
    /// # Errors
    /// See [`CloseError`]; nothing was changed.
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// # let map = ConnMap::new(source(), Config::default());
    /// # let producer = map.open(ConnId(1), "replica", front_end()).unwrap().deliver();
    /// # let request = StreamRequest { vb: VbId(0), start: 0, end: 9, opaque: 7 };
    /// producer.stream_request(request).unwrap().deliver();
    /// producer.close_stream(VbId(0)).unwrap().deliver();
    /// let end = StreamEnd { vb: VbId(0), opaque: 7, status: EndStatus::Closed };
    /// assert_eq!(producer.step(), Step::Message(Message::StreamEnd(end)));
    /// ```
    pub fn close_stream(&self, vb: VbId) -> Result<Deferred<()>, CloseError> {
        let connection = self.connection.upgrade().ok_or(CloseError::ConnectionClosed)?;
        let mut wakeups = Wakeups::default();
        let mut debris = Debris::default();
        let closed = match &mut *connection.lock() {
            Phase::Closed(CloseReason::ShutDown) => Err(CloseError::MapShutDown),
            Phase::Closed(_) => Err(CloseError::ConnectionClosed),
            Phase::Open(open) => {
                let status = EndStatus::Closed;
                if connection.end_stream(open, vb, status, &mut wakeups, &mut debris) {
                    Ok(())
                } else {
                    Err(CloseError::NoSuchStream(vb))
                }
            }
        };
        debris.defer(&mut wakeups);
        closed.map(|()| Deferred::new((), wakeups))
    }

    /// The next message, in turn from each stream that has one.
    ///
    /// When it answers [`Step::Idle`] the connection is paused: the front end
    /// is woken when there is something again. May call
    /// [`ItemSource::read_memory`](crate::ItemSource::read_memory), with no
    /// lock held.
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// # let map = ConnMap::new(source(), Config::default());
    /// # let producer = map.open(ConnId(1), "replica", front_end()).unwrap().deliver();
    /// assert_eq!(producer.step(), Step::Idle);
    /// map.shutdown().deliver();
    /// assert_eq!(producer.step(), Step::Disconnect(CloseReason::ShutDown));
    /// ```
    pub fn step(&self) -> Step {
        let Some(connection) = self.connection.upgrade() else {
            return Step::Disconnect(CloseReason::Disconnected);
        };
        loop {
            let mut debris = Debris::default();
            let found = match &mut *connection.lock() {
                Phase::Closed(reason) => Found::Step(Step::Disconnect(*reason)),
                Phase::Open(open) if open.displaced => {
                    Found::Step(Step::Disconnect(CloseReason::Displaced))
                }
                Phase::Open(open) => connection.next(open, &mut debris),
            };
            debris.clear();
            match found {
                Found::Step(step) => return step,
                Found::Read(vb, stream, range) => connection.read_memory(vb, stream, range),
            }
        }
    }

    /// For a front end that stops stepping before [`Step::Idle`]: pauses the
    /// connection, unless there is something to send.
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// # let map = ConnMap::new(source(), Config::default());
    /// # let producer = map.open(ConnId(1), "replica", front_end()).unwrap().deliver();
    /// assert_eq!(producer.pause(), Pause::Paused);
    /// map.disconnect(ConnId(1)).unwrap().deliver();
    /// assert_eq!(producer.pause(), Pause::Ready, "there is a disconnect to see");
    /// ```
    pub fn pause(&self) -> Pause {
        let Some(connection) = self.connection.upgrade() else { return Pause::Ready };
        let mut phase = connection.lock();
        match &mut *phase {
            Phase::Open(open) if !open.ready() => {
                open.paused = true;
                Pause::Paused
            }
            _ => Pause::Ready,
        }
    }

    /// Wakes the front end if it is paused, for a reason of the host's own.
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// # let map = ConnMap::new(source(), Config::default());
    /// # let producer = map.open(ConnId(1), "replica", front_end()).unwrap().deliver();
    /// assert_eq!(producer.step(), Step::Idle);
    /// producer.wake().deliver();
    /// assert!(!producer.stats().paused);
    /// ```
    pub fn wake(&self) -> Deferred<()> {
        let mut wakeups = Wakeups::default();
        if let Some(connection) = self.connection.upgrade() {
            if let Phase::Open(open) = &mut *connection.lock() {
                open.wake(&mut wakeups);
            }
        }
        Deferred::new((), wakeups)
    }

    /// What the connection holds; nothing when it is closed.
    pub fn stats(&self) -> ProducerStats {
        self.connection.upgrade().map(|connection| connection.stats()).unwrap_or_default()
    }
}

impl Connection {
    pub(crate) fn memory_high(&self) -> bool {
        let used = contain(|| self.shared.source.memory_used_percent()).unwrap_or(0);
        used > self.shared.config.memory_threshold_percent
    }

    /// What to hand out next; pauses when there is nothing.
    fn next(&self, open: &mut Open, debris: &mut Debris) -> Found {
        loop {
            if let Some(end) = open.ends.pop_front() {
                return Found::Step(Step::Message(Message::StreamEnd(end)));
            }
            let Some(vb) = open.ring.pop_front() else {
                open.paused = true;
                return Found::Step(Step::Idle);
            };
            let Some(stream) = open.stream_on(vb) else { continue };
            stream.in_ring = false;
            match stream.next() {
                Next::Message(message, refund) => {
                    open.stream_changed(vb, &mut Wakeups::default());
                    self.refund(open, refund);
                    return Found::Step(Step::Message(message));
                }
                // Out of the ring for the time of the read: `push_memory` puts it back.
                Next::ReadMemory(range) => return Found::Read(vb, stream.id, range),
                Next::Finished => {
                    let wakeups = &mut Wakeups::default();
                    self.end_stream(open, vb, EndStatus::Ok, wakeups, debris);
                }
                Next::Nothing => {}
            }
        }
    }

    /// Reads on from the host's memory, for a stream that has caught up.
    ///
    /// The lock is not held meanwhile, so the answer may be stale: then the
    /// stream is gone, or has read on, and the answer is dropped.
    fn read_memory(&self, vb: VbId, id: StreamId, range: SeqnoRange) {
        let mut answer = attempt(|| self.shared.source.read_memory(vb, range));
        let mut debris = Debris::default();
        if let Phase::Open(open) = &mut *self.lock() {
            // Whoever called this step is awake and will step again: nobody is to be woken.
            open.paused = false;
            let wakeups = &mut Wakeups::default();
            if let Some(stream) = open.stream(vb, id) {
                let read = match &mut answer {
                    Some(Memory::Items(items)) => stream.push_memory(range, items).is_ok(),
                    Some(Memory::Gone) => {
                        if stream.gone_from_memory(range) {
                            let backfill = self.backfill_for(stream);
                            let mut bucket = self.shared.bucket.lock();
                            open.backfills.schedule(backfill, &self.me, &mut bucket);
                        }
                        true
                    }
                    None => false,
                };
                if read {
                    open.stream_changed(vb, wakeups);
                } else {
                    self.end_stream(open, vb, EndStatus::BackfillFail, wakeups, &mut debris);
                }
            }
        }
        debris.clear();
    }
}
