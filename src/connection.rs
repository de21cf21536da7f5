//! One connection: everything that its front end, its workers and the host's
//! threads share, under one lock (`Rank::Connection`).
//!
//! **The closed state is the absence of the rest.** A connection is either
//! [`Phase::Open`], which *has* the streams, the manager and the front end, or
//! [`Phase::Closed`], which has nothing. To use a manager one matches on the
//! phase, under the lock; there is no flag to test first, and nothing to use
//! after a teardown. Every race of a call with `close` is therefore one of two
//! cases: either the call has the lock first, and what it made is ended by the
//! close that follows; or the close does, and the call finds nothing to act on
//! and says so.
//!
//! Under this lock only the bucket's is taken. What a call displaces (the
//! host's scans and front end, unsent payloads) is moved out and dropped by
//! the caller; see [`Debris`].

use crate::backfill::bucket::Bucket;
use crate::backfill::manager::BackfillManager;
use crate::backfill::Backfill;
use crate::host::{FrontEnd, Hosted, ItemSource, Scan};
use crate::live::{Kind, LiveCounts, Token};
use crate::stream::{ActiveStream, Ended, StreamId, Unsent};
use crate::sync::{Mutex, MutexGuard, Rank, Strong, Weak};
use crate::wakeups::Wakeups;
use crate::{CloseReason, Config, EndStatus, ProducerStats, RequestError, Seqno, StreamEnd};
use crate::{StreamRequest, VbId};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

/// What every connection of a map needs; never changes.
pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    pub(crate) source: Hosted<Arc<dyn ItemSource>>,
    pub(crate) bucket: Bucket,
    pub(crate) live: LiveCounts,
}

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) shared: Arc<Shared>,
    /// A handle to itself, for the bucket's queues.
    pub(crate) me: Weak<Connection>,
    phase: Mutex<Phase>,
    _live: Token,
}

/// Open, with everything; or closed, with nothing.
#[derive(Debug)]
pub(crate) enum Phase {
    Open(Box<Open>),
    Closed(CloseReason),
}

pub(crate) struct Open {
    /// A producer of the same name was opened. The streams are left to the
    /// owner of this connection, who is told to disconnect.
    pub(crate) displaced: bool,
    front_end: Hosted<Arc<dyn FrontEnd>>,
    /// Whether the front end waits for a wake.
    pub(crate) paused: bool,
    streams: BTreeMap<VbId, ActiveStream>,
    next_stream: u64,
    /// Streams with something to send, each once, in turn.
    pub(crate) ring: VecDeque<VbId>,
    /// Streams that ended and were not reported yet.
    pub(crate) ends: VecDeque<StreamEnd>,
    pub(crate) backfills: BackfillManager,
}

/// What a critical section left to be dropped after it. Its fields are the
/// host's objects, or large.
#[must_use = "to be dropped when the lock is released"]
#[derive(Default)]
pub(crate) struct Debris {
    scans: Vec<Hosted<Box<dyn Scan>>>,
    unsent: Vec<Unsent>,
    front_ends: Vec<Hosted<Arc<dyn FrontEnd>>>,
}

impl Debris {
    /// A backfill is over; its scan is left.
    pub(crate) fn backfill(&mut self, backfill: Backfill) {
        self.scans.extend(backfill.scan);
    }

    /// Drops it all, on a thread that holds no lock of the host's that its
    /// destructors take: a worker, or a front end in step. Never under a lock.
    pub(crate) fn clear(self) {
        drop(self);
    }

    /// Leaves the host's objects to be dropped with the wake-ups: the caller
    /// may hold a lock of its own now. Never under a lock of ours.
    pub(crate) fn defer(self, wakeups: &mut Wakeups) {
        wakeups.keep(self.scans, self.front_ends);
    }
}

impl Connection {
    pub(crate) fn new(shared: &Arc<Shared>, front_end: Hosted<Arc<dyn FrontEnd>>) -> Strong<Self> {
        let live = &shared.live;
        let manager = BackfillManager::new(Arc::clone(&shared.config), live.count(Kind::Manager));
        let open = Open {
            displaced: false,
            front_end,
            paused: false,
            streams: BTreeMap::new(),
            next_stream: 0,
            ring: VecDeque::new(),
            ends: VecDeque::new(),
            backfills: manager,
        };
        let token = live.count(Kind::Producer);
        Strong::new_cyclic(|me| Connection {
            shared: Arc::clone(shared),
            me: Weak::clone(me),
            phase: Mutex::new(Rank::Connection, Phase::Open(Box::new(open))),
            _live: token,
        })
    }

    #[track_caller]
    pub(crate) fn lock(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock()
    }

    /// Closes the connection: everything that it had is ended or moved out, in
    /// this one critical section. Whoever closes it first reports the ends of
    /// its streams, those included that step did not hand out; who comes later
    /// finds none. The later reason is kept: a connection that was shut down
    /// and then disconnected is a disconnected one.
    pub(crate) fn close(
        &self,
        reason: CloseReason,
        wakeups: &mut Wakeups,
        debris: &mut Debris,
    ) -> Vec<StreamEnd> {
        let mut phase = self.lock();
        let Phase::Open(open) = std::mem::replace(&mut *phase, Phase::Closed(reason)) else {
            return Vec::new();
        };
        self.shared.bucket.lock().forget(&self.me, open.backfills.slots_queued());
        drop(phase);
        let Open { front_end, paused, streams, ends, backfills, .. } = *open;
        let mut report = Vec::from(ends);
        for stream in streams.into_values() {
            let Ended { end, unsent, .. } = stream.end(EndStatus::Disconnected);
            report.push(end);
            debris.unsent.push(unsent);
        }
        backfills.into_backfills().for_each(|backfill| debris.backfill(backfill));
        // Paused, it would never step and see that the connection is over.
        if paused {
            wakeups.push(front_end.clone());
        }
        debris.front_ends.push(front_end);
        report
    }

    /// A producer of the same name is being opened: refuse from now on, and
    /// have the owner disconnect. To end the streams here, on a foreign
    /// thread, was tried in kv_engine and undone twice (MB-36451).
    pub(crate) fn displace(&self, wakeups: &mut Wakeups) {
        if let Phase::Open(open) = &mut *self.lock() {
            open.displaced = true;
            open.wake(wakeups);
        }
    }

    /// Accepts or refuses a stream. `memory_high` is the host's answer, asked
    /// for before the lock.
    pub(crate) fn request(
        &self,
        request: StreamRequest,
        memory_high: bool,
        wakeups: &mut Wakeups,
    ) -> Result<(), RequestError> {
        let mut phase = self.lock();
        let open = match &mut *phase {
            Phase::Closed(CloseReason::ShutDown) => return Err(RequestError::MapShutDown),
            Phase::Closed(_) => return Err(RequestError::ConnectionClosed),
            Phase::Open(open) if open.displaced => return Err(RequestError::ConnectionClosed),
            Phase::Open(open) => open,
        };
        let StreamRequest { vb, start, end, .. } = request;
        if start > end {
            return Err(RequestError::OutOfRange { start, end });
        }
        if open.streams.contains_key(&vb) {
            return Err(RequestError::StreamExists(vb));
        }
        if memory_high {
            return Err(RequestError::NoMemory);
        }
        // From here on nothing refuses.
        let id = StreamId(open.next_stream);
        open.next_stream += 1;
        let stream = ActiveStream::new(id, request, self.shared.live.count(Kind::Stream));
        if start < end {
            let backfill = self.backfill_for(&stream);
            open.backfills.schedule(backfill, &self.me, &mut self.shared.bucket.lock());
        }
        open.streams.insert(vb, stream);
        open.stream_changed(vb, wakeups);
        Ok(())
    }

    pub(crate) fn backfill_for(&self, stream: &ActiveStream) -> Backfill {
        Backfill {
            stream: stream.id,
            vb: stream.vb(),
            range: stream.unread(),
            scan: None,
            _live: self.shared.live.count(Kind::Backfill),
        }
    }

    /// Ends the stream of `vb`, if there is one. Its backfill leaves the
    /// queues and its bytes are refunded in the same critical section.
    pub(crate) fn end_stream(
        &self,
        open: &mut Open,
        vb: VbId,
        status: EndStatus,
        wakeups: &mut Wakeups,
        debris: &mut Debris,
    ) -> bool {
        let Some(stream) = open.streams.remove(&vb) else { return false };
        let Ended { id, end, refund, unsent } = stream.end(status);
        open.ring.retain(|other| *other != vb);
        open.ends.push_back(end);
        debris.unsent.push(unsent);
        // In one critical section of the bucket's too: between the slot that is
        // free and the turn that the buffer gives, a worker would find the one
        // and not the other.
        let mut bucket = self.shared.bucket.lock();
        let cancelled = open.backfills.cancel(id, &self.me, &mut bucket);
        if open.backfills.refund(refund) {
            open.backfills.resume(&self.me, &mut bucket);
        }
        drop(bucket);
        cancelled.into_iter().for_each(|backfill| debris.backfill(backfill));
        open.wake(wakeups);
        true
    }

    /// Gives bytes back to the read-ahead buffer. When that lets the backfills
    /// go on, the manager asks for a turn.
    pub(crate) fn refund(&self, open: &mut Open, bytes: u64) {
        if open.backfills.refund(bytes) {
            open.backfills.resume(&self.me, &mut self.shared.bucket.lock());
        }
    }

    pub(crate) fn end_streams_of(
        &self,
        vb: VbId,
        status: EndStatus,
        wakeups: &mut Wakeups,
    ) -> bool {
        let mut debris = Debris::default();
        let ended = match &mut *self.lock() {
            Phase::Open(open) => self.end_stream(open, vb, status, wakeups, &mut debris),
            Phase::Closed(_) => false,
        };
        debris.defer(wakeups);
        ended
    }

    /// The vb has a new seqno. Either the stream is not there yet, and its
    /// scan, which opens later, finds the item; or it is, and remembers.
    pub(crate) fn notify(&self, vb: VbId, seqno: Seqno, wakeups: &mut Wakeups) {
        if let Phase::Open(open) = &mut *self.lock() {
            if let Some(stream) = open.streams.get_mut(&vb) {
                stream.notify(seqno);
                open.stream_changed(vb, wakeups);
            }
        }
    }

    pub(crate) fn stats(&self) -> ProducerStats {
        let phase = self.lock();
        let Phase::Open(open) = &*phase else { return ProducerStats::default() };
        ProducerStats {
            streams: open.streams.iter().map(|(vb, stream)| (*vb, stream.state())).collect(),
            ends: open.ends.len(),
            paused: open.paused,
            ready: open.ready(),
            buffered_bytes: open.backfills.buffered_bytes(),
            queued_bytes: open.streams.values().map(ActiveStream::charged).sum(),
            backfills_pending: open.backfills.pending(),
            backfills_in_progress: open.backfills.in_progress(),
        }
    }
}

impl Open {
    /// The stream with this id, if it has not ended.
    pub(crate) fn stream(&mut self, vb: VbId, id: StreamId) -> Option<&mut ActiveStream> {
        self.streams.get_mut(&vb).filter(|stream| stream.id == id)
    }

    pub(crate) fn stream_on(&mut self, vb: VbId) -> Option<&mut ActiveStream> {
        self.streams.get_mut(&vb)
    }

    /// Whether step has something to hand out.
    pub(crate) fn ready(&self) -> bool {
        self.displaced || !self.ends.is_empty() || !self.ring.is_empty()
    }

    /// A stream may have something to send now: into the ring with it, and a
    /// wake if the front end is paused.
    pub(crate) fn stream_changed(&mut self, vb: VbId, wakeups: &mut Wakeups) {
        let Some(stream) = self.streams.get_mut(&vb) else { return };
        if stream.ready() && !stream.in_ring {
            stream.in_ring = true;
            self.ring.push_back(vb);
        }
        if !self.ring.is_empty() {
            self.wake(wakeups);
        }
    }

    /// Something can be sent. Paused is set and cleared under the lock under
    /// which step finds nothing to send: either step looked first, and this
    /// finds it paused; or it looks later, and finds what there is.
    pub(crate) fn wake(&mut self, wakeups: &mut Wakeups) {
        if std::mem::take(&mut self.paused) {
            wakeups.push(self.front_end.clone());
        }
    }
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open")
            .field("displaced", &self.displaced)
            .field("paused", &self.paused)
            .field("streams", &self.streams)
            .field("ends", &self.ends)
            .field("backfills", &self.backfills)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("config", &self.config).finish_non_exhaustive()
    }
}
