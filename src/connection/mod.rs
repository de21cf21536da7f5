//! One connection: the state that its front end, its workers and the host's
//! threads share, under one lock (`Rank::Connection`).
//!
//! - `mod.rs`: the critical sections of that lock, all of them
//! - [`open`]: the state of an open connection
//! - [`streams`]: its streams, by vb and in turn
//!
//! **The closed state is the absence of the rest** (rule 1). A connection is
//! either [`Phase::Open`], which *has* the streams, the manager and the front
//! end, or [`Phase::Closed`], which has nothing. To use a manager one matches
//! on the phase, under the lock; there is no flag to test first, and nothing
//! to use after a teardown. Every race of a call with `close` is therefore one
//! of two cases: either the call has the lock first, and the close ends what the
//! call has made; or the close does, and the call finds nothing to act on and
//! says so.
//!
//! Under this lock the bucket's or one of the index's is taken, never both.
//! Objects that a call removes (the host's scans and front end, unsent payloads)
//! are moved out and dropped after the lock, by rule 3; see [`After`].

mod open;
mod streams;

use crate::after::After;
use crate::backfill::bucket::{Bucket, Seat, Turn};
use crate::backfill::manager::{BackfillManager, ReadAhead};
use crate::backfill::run::Ran;
use crate::backfill::Backfill;
use crate::host::{attempt, contain, FrontEnd, Hosted, ItemSource, Memory};
use crate::index::{Index, Ticket};
use crate::live::{Kind, LiveCounts, Token};
use crate::stream::{ActiveStream, StreamId};
use crate::sync::{Mutex, Rank, Strong, Weak};
use crate::{
    Batch, CloseError, CloseReason, Config, EndStatus, Pause, ProducerStats, RequestError, Seqno,
    SeqnoRange, Step, StreamEnd, StreamRequest, VbId,
};
use open::{Found, Open};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// What the connections of a map share.
pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    pub(crate) source: Hosted<Arc<dyn ItemSource>>,
    pub(crate) bucket: Bucket<Connection>,
    pub(crate) index: Index<Connection>,
    pub(crate) live: LiveCounts,
}

#[derive(Debug)]
pub(crate) struct Connection {
    shared: Arc<Shared>,
    /// A handle to itself, for the bucket and the index.
    me: Weak<Connection>,
    phase: Mutex<Phase>,
    _live: Token,
}

/// The state of a connection: open, with all that it has; or closed, with nothing.
#[derive(Debug)]
enum Phase {
    Open(Box<Open>),
    Closed(CloseReason),
}

/// The state of a connection that was closed, to be ended outside of every lock.
#[must_use = "its streams are to be ended"]
pub(crate) struct Remains {
    open: Box<Open>,
}

impl Remains {
    /// Ends the streams, and removes their entries from the index one by one: a walk
    /// that finds an entry meanwhile finds the connection closed (rule 7).
    pub(crate) fn end(self, shared: &Shared, after: &mut After) -> Vec<StreamEnd> {
        let leave = |stream: &ActiveStream| shared.index.remove(stream.vb(), stream.ticket());
        open::end_all(*self.open, after, leave)
    }
}

impl Connection {
    pub(crate) fn new(shared: &Arc<Shared>, front_end: Hosted<Arc<dyn FrontEnd>>) -> Strong<Self> {
        let live = &shared.live;
        let manager = BackfillManager::new(Arc::clone(&shared.config), live.count(Kind::Manager));
        let open = Open::new(front_end, manager);
        let token = live.count(Kind::Producer);
        Strong::new_cyclic(|me| Connection {
            shared: Arc::clone(shared),
            me: Weak::clone(me),
            phase: Mutex::new(Rank::Connection, Phase::Open(Box::new(open))),
            _live: token,
        })
    }

    pub(crate) fn config(&self) -> &Config {
        &self.shared.config
    }

    pub(crate) fn source(&self) -> &dyn ItemSource {
        &**self.shared.source
    }

    /// Asks the host whether its memory is above the threshold. No lock is held
    /// (rule 3).
    fn memory_high(&self) -> bool {
        let used = contain(|| self.source().memory_used_percent()).unwrap_or(0);
        used > self.config().memory_threshold_percent
    }

    /// Closes the connection: all that it has is moved out, in this one critical
    /// section, in O(1). The first call that closes it reports the ends of its
    /// streams, with those that `step` did not hand out; a later call finds none. The
    /// later reason is kept: a connection that was shut down and then disconnected is
    /// a disconnected one.
    pub(crate) fn close(&self, reason: CloseReason) -> Option<Remains> {
        let mut phase = self.phase.lock();
        let Phase::Open(open) = std::mem::replace(&mut *phase, Phase::Closed(reason)) else {
            return None;
        };
        if let Some(seat) = open.seat {
            self.shared.bucket.lock().leave(seat, open.backfills.slots_queued());
        }
        Some(Remains { open })
    }

    /// A producer of the same name is being opened: from now on this connection
    /// refuses requests, and its front end is told to disconnect. To end its streams
    /// here, on another's thread, was tried in kv_engine and undone twice (MB-36451).
    pub(crate) fn displace(&self, after: &mut After) {
        if let Phase::Open(open) = &mut *self.phase.lock() {
            open.displaced = true;
            open.wake(after);
        }
    }

    /// Accepts or refuses a stream.
    pub(crate) fn request(&self, request: StreamRequest) -> Result<After, RequestError> {
        let memory_high = self.memory_high();
        let mut phase = self.phase.lock();
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
        if open.streams.on(vb).is_some() {
            return Err(RequestError::StreamExists(vb));
        }
        if memory_high {
            return Err(RequestError::NoMemory);
        }
        // From here on nothing refuses. (Rule 2.) The stream enters the index first,
        // and leaves it last: a walk that finds no entry does not wait for this
        // lock, and must not find in the bucket what the stream has left there.
        let ticket = self.shared.index.insert(vb, &self.me);
        let live = &self.shared.live;
        let stream = open.streams.insert(request, ticket, live.count(Kind::Stream(vb)));
        let id = stream.id;
        let mut after = After::default();
        if start < end {
            open.streams.want_backfill(id);
            open.settle(&self.shared.bucket, &self.me);
        } else {
            // There is its end to send.
            open.stream_changed(id, &mut after);
        }
        Ok(after)
    }

    /// Ends one stream. Its backfill leaves the queues, its bytes are refunded
    /// and its entry leaves the index in the same critical section.
    fn end_stream(&self, open: &mut Open, id: StreamId, status: EndStatus, after: &mut After) {
        if let Some((vb, ticket)) = self.end_but_for_the_index(open, id, status, after) {
            self.shared.index.remove(vb, ticket);
        }
    }

    /// Ends one stream, but leaves its entry in the index, which the caller removes
    /// last: a walk that does not find the entry does not wait for this lock, and
    /// must find in the bucket what the end has returned there.
    fn end_but_for_the_index(
        &self,
        open: &mut Open,
        id: StreamId,
        status: EndStatus,
        after: &mut After,
    ) -> Option<(VbId, Ticket)> {
        let stream = open.streams.remove(id)?;
        let entry = (stream.vb(), stream.ticket());
        let ended = stream.end(status);
        open.ends.push_back(ended.end);
        after.unsent(ended.unsent);
        let cancelled = open.backfills.cancel(id);
        let resumes = open.backfills.refund(ended.refund);
        // One critical section of the bucket's, too: between the return of the slot
        // and the turn for the drained buffer a worker would find the one and not
        // the other.
        if cancelled.is_some() || resumes || open.waiting {
            open.settle(&self.shared.bucket, &self.me);
        }
        cancelled.into_iter().for_each(|backfill| after.backfill(*backfill));
        open.wake(after);
        Some(entry)
    }

    /// Ends the stream of `vb`, for its client has closed it.
    pub(crate) fn close_stream(&self, vb: VbId) -> Result<After, CloseError> {
        let mut phase = self.phase.lock();
        let open = match &mut *phase {
            Phase::Closed(CloseReason::ShutDown) => return Err(CloseError::MapShutDown),
            Phase::Closed(_) => return Err(CloseError::ConnectionClosed),
            Phase::Open(open) => open,
        };
        let id = open.streams.on(vb).ok_or(CloseError::NoSuchStream(vb))?;
        let mut after = After::default();
        self.end_stream(open, id, EndStatus::Closed, &mut after);
        Ok(after)
    }

    /// Ends the stream of `vb`, if there is one, for the vb has changed its state.
    pub(crate) fn end_stream_of(&self, vb: VbId, status: EndStatus, after: &mut After) -> bool {
        let mut phase = self.phase.lock();
        let Phase::Open(open) = &mut *phase else { return false };
        let Some(id) = open.streams.on(vb) else { return false };
        self.end_stream(open, id, status, after);
        true
    }

    /// The vb has a new seqno. Either the stream comes later than this, and its scan,
    /// which is opened later still, finds the item; or the stream is there, and
    /// remembers the seqno.
    pub(crate) fn notify(&self, vb: VbId, seqno: Seqno, after: &mut After) {
        let mut phase = self.phase.lock();
        let Phase::Open(open) = &mut *phase else { return };
        let Some(id) = open.streams.on(vb) else { return };
        let Some(stream) = open.streams.get(id) else { return };
        stream.notify(seqno);
        open.stream_changed(id, after);
    }

    /// The next message for the client.
    pub(crate) fn step(&self) -> Step {
        let mut after = After::default();
        loop {
            let (stream, vb, range) = {
                let mut phase = self.phase.lock();
                let open = match &mut *phase {
                    Phase::Closed(reason) => return Step::Disconnect(*reason),
                    Phase::Open(open) if open.displaced => {
                        return Step::Disconnect(CloseReason::Displaced);
                    }
                    Phase::Open(open) => open,
                };
                loop {
                    match open.next() {
                        Found::Message(message, resumes) => {
                            if resumes {
                                open.settle(&self.shared.bucket, &self.me);
                            }
                            return Step::Message(message);
                        }
                        Found::Nothing => return Step::Idle,
                        // Then there is its end to send, in this same look.
                        Found::Finished(id) => {
                            self.end_stream(open, id, EndStatus::Ok, &mut after);
                        }
                        Found::Read(stream, vb, range) => break (stream, vb, range),
                    }
                }
            };
            self.read_memory(stream, vb, range);
        }
    }

    /// Reads on from the host's memory, for a stream that has caught up.
    ///
    /// The lock is not held meanwhile, so the answer may be stale (rule 7): then the
    /// stream is gone, or has read on, and the answer is dropped.
    fn read_memory(&self, id: StreamId, vb: VbId, range: SeqnoRange) {
        let mut answer = attempt(|| self.source().read_memory(vb, range));
        // The front end is awake, for it called this step, and steps again: no wake-up.
        let mut after = After::default();
        let mut phase = self.phase.lock();
        let Phase::Open(open) = &mut *phase else { return };
        open.paused = false;
        let Some(stream) = open.streams.get(id) else { return };
        let read = match &mut answer {
            Some(Memory::Items(items)) => stream.push_memory(range, items).is_ok(),
            Some(Memory::Gone) => {
                if stream.gone_from_memory(range) {
                    open.streams.want_backfill(id);
                    open.settle(&self.shared.bucket, &self.me);
                }
                true
            }
            None => false,
        };
        if read {
            open.stream_changed(id, &mut after);
        } else {
            self.end_stream(open, id, EndStatus::BackfillFail, &mut after);
        }
        drop(phase);
    }

    pub(crate) fn pause(&self) -> Pause {
        match &mut *self.phase.lock() {
            Phase::Open(open) if !open.ready() => {
                open.paused = true;
                Pause::Paused
            }
            _ => Pause::Ready,
        }
    }

    pub(crate) fn wake(&self, after: &mut After) {
        if let Phase::Open(open) = &mut *self.phase.lock() {
            open.wake(after);
        }
    }

    pub(crate) fn has_stream(&self, vb: VbId) -> bool {
        match &*self.phase.lock() {
            Phase::Open(open) => open.streams.on(vb).is_some(),
            Phase::Closed(_) => false,
        }
    }

    pub(crate) fn stats(&self) -> ProducerStats {
        let phase = self.phase.lock();
        let Phase::Open(open) = &*phase else { return ProducerStats::default() };
        let streams = || open.streams.iter();
        ProducerStats {
            streams: streams().map(|stream| (stream.vb(), stream.state())).collect(),
            ends: open.ends.len(),
            paused: open.paused,
            ready: open.ready(),
            buffered_bytes: open.backfills.buffered_bytes(),
            queued_bytes: streams().map(ActiveStream::charged).sum(),
            backfills_pending: open.streams.pending(),
            backfills_in_progress: open.backfills.in_progress(),
        }
    }

    /// Begins a turn that the bucket gave: the backfill to run. None: no backfill can
    /// run now, and the turn is over.
    pub(crate) fn begin_run(&self, seat: Seat, now: Instant) -> Option<(Box<Backfill>, ReadAhead)> {
        let memory_high = self.memory_high();
        let Shared { bucket, live, .. } = &*self.shared;
        match &mut *self.phase.lock() {
            Phase::Open(open) if memory_high => {
                open.end_turn(&mut bucket.lock(), seat, open.backfills.rest(now));
                None
            }
            Phase::Open(open) => {
                let backfill = open.begin_run(bucket, seat, now, live)?;
                Some((backfill, open.backfills.buffer()))
            }
            Phase::Closed(_) => {
                bucket.lock().end_turn(seat, Turn::Never);
                None
            }
        }
    }

    /// The running backfill has opened its scan, whose snapshot ends at `end`.
    pub(crate) fn scan_opened(&self, id: StreamId, end: Seqno) -> Result<(), Ran> {
        let mut after = After::default();
        let mut phase = self.phase.lock();
        let Phase::Open(open) = &mut *phase else { return Err(Ran::Orphaned) };
        open.streams.get(id).ok_or(Ran::Orphaned)?.scan_opened(end);
        open.stream_changed(id, &mut after);
        drop(phase);
        after.into_wakeups().deliver();
        Ok(())
    }

    /// The running backfill has read these items: the stream takes all of them, or
    /// none. Afterwards the batch is empty, with the buffer as it is now.
    pub(crate) fn items_scanned(&self, id: StreamId, batch: &mut Batch) -> Result<(), Ran> {
        let mut after = After::default();
        let mut phase = self.phase.lock();
        let Phase::Open(open) = &mut *phase else { return Err(Ran::Orphaned) };
        let stream = open.streams.get(id).ok_or(Ran::Orphaned)?;
        stream.accepts(batch.items()).map_err(|_| Ran::Failed)?;
        open.backfills.charge(batch.items());
        stream.push_backfilled(batch.drain());
        batch.refreshed(open.backfills.buffer());
        open.stream_changed(id, &mut after);
        drop(phase);
        after.into_wakeups().deliver();
        Ok(())
    }

    /// Ends a turn that ran `backfill`: puts the backfill back, or ends it.
    pub(crate) fn end_run(&self, seat: Seat, backfill: Box<Backfill>, ran: Ran, now: Instant) {
        let mut after = After::default();
        let mut phase = self.phase.lock();
        match &mut *phase {
            Phase::Open(open) => {
                let gone = self.put_back(open, backfill, ran, now, &mut after);
                open.end_run(&mut self.shared.bucket.lock(), seat);
                if let Some((vb, ticket)) = gone {
                    self.shared.index.remove(vb, ticket);
                }
            }
            // The close has returned the slots of queued backfills, but not this one's.
            Phase::Closed(_) => {
                after.backfill(*backfill);
                let mut bucket = self.shared.bucket.lock();
                bucket.return_slots(1);
                bucket.end_turn(seat, Turn::Never);
            }
        }
        drop(phase);
        // Its destructors run on this worker's thread, which holds no lock of the host's.
        after.into_wakeups().deliver();
    }

    /// Puts a backfill into the queue that its run asks for, or ends it. If its stream
    /// has failed, returns the entry that the caller is to remove from the index after
    /// it has settled with the bucket.
    fn put_back(
        &self,
        open: &mut Open,
        backfill: Box<Backfill>,
        ran: Ran,
        now: Instant,
        after: &mut After,
    ) -> Option<(VbId, Ticket)> {
        let id = backfill.stream;
        let mut gone = None;
        match (open.streams.get(id), ran) {
            (Some(_), Ran::More) => {
                open.backfills.run_on(backfill);
                return None;
            }
            (Some(_), Ran::Later) => {
                open.backfills.snooze(backfill, now);
                return None;
            }
            (Some(stream), Ran::Finished) => {
                stream.scan_finished();
                open.stream_changed(id, after);
            }
            (Some(_), Ran::Failed) => {
                gone = self.end_but_for_the_index(open, id, EndStatus::BackfillFail, after);
            }
            (Some(_), Ran::Orphaned) | (None, _) => {}
        }
        open.backfills.run_over();
        after.backfill(*backfill);
        gone
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("config", &self.config).finish_non_exhaustive()
    }
}
