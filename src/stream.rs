//! ActiveStream: one vb's changes on their way to one client.
//!
//! A plain value, guarded by the lock of the connection that owns it
//! (`Rank::Connection`). It cannot end twice: [`ActiveStream::end`] consumes
//! it, and leaves the [`StreamEnd`] for the owner and the unsent messages, which
//! are dropped after the lock (rule 3).
//!
//! The states of a stream (a test compares these lines with [`transition`]):
//!
//! ```text
//! Pending -> Backfilling: ScanOpened
//! Pending -> Dead: End
//! Backfilling -> Backfilling: ScanOpened
//! Backfilling -> InMemory: ScanFinished
//! Backfilling -> Dead: End
//! InMemory -> Backfilling: GoneFromMemory
//! InMemory -> Dead: End
//! ```

use crate::index::Ticket;
use crate::live::Token;
use crate::{
    EndStatus, Item, Message, Seqno, SeqnoRange, SnapshotSource, StreamEnd, StreamRequest,
    StreamState, VbId,
};
use std::collections::VecDeque;

/// The id of a stream, unique among all that its connection ever had: a copy that is
/// stale (rule 7) names no later stream on the same vb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamId {
    /// The stream's place in its connection, which is reused when the stream has ended.
    pub(crate) place: u32,
    pub(crate) serial: u64,
}

#[derive(Debug)]
pub(crate) struct ActiveStream {
    pub(crate) id: StreamId,
    request: StreamRequest,
    state: StreamState,
    /// Every item up to this seqno was read, and is queued or sent.
    read: Seqno,
    /// The end of the snapshot that is being scanned, as its marker told the
    /// client.
    snapshot_end: Seqno,
    /// The highest seqno that the host notified.
    high: Seqno,
    queue: VecDeque<Queued>,
    /// The stream's entry in the index.
    ticket: Ticket,
    _live: Token,
}

#[derive(Debug)]
enum Queued {
    Marker(SeqnoRange, SnapshotSource),
    /// An item, and whether the read-ahead buffer was charged for it.
    Item(Item, SnapshotSource),
}

/// The events that change a stream's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    ScanOpened,
    ScanFinished,
    GoneFromMemory,
    End,
}

/// What a stream has for the next step.
#[derive(Debug)]
pub(crate) enum Next {
    /// This message, and the bytes to refund to the read-ahead buffer.
    Message(Message, u64),
    /// Read these items from memory, without a lock, and
    /// [`ActiveStream::push_memory`] them.
    ReadMemory(SeqnoRange),
    /// The requested end was sent: end the stream with `Ok`.
    Finished,
    Nothing,
}

/// What an ended stream leaves.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) end: StreamEnd,
    /// Bytes to refund to the read-ahead buffer.
    pub(crate) refund: u64,
    /// To be dropped after the lock (rule 3): it may be 20 MiB.
    pub(crate) unsent: Unsent,
}

/// The messages of a stream that ended before they were sent.
#[derive(Debug)]
pub(crate) struct Unsent(VecDeque<Queued>);

impl Unsent {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The source broke its contract: an item out of order, out of range or
/// outside its snapshot.
#[derive(Debug)]
pub(crate) struct OutOfOrder;

/// Whether these items are in `range`, and in order.
fn in_order(items: &[Item], range: SeqnoRange) -> Result<(), OutOfOrder> {
    let mut rest = range;
    for item in items {
        if !rest.contains(item.seqno) {
            return Err(OutOfOrder);
        }
        rest.after = item.seqno;
    }
    Ok(())
}

/// The transition table. `None`: not allowed.
pub(crate) fn transition(state: StreamState, event: Event) -> Option<StreamState> {
    use StreamState::*;
    Some(match (state, event) {
        // From Backfilling by the next backfill of a stream whose items left the memory.
        (Pending | Backfilling, Event::ScanOpened) => Backfilling,
        (Backfilling, Event::ScanFinished) => InMemory,
        (InMemory, Event::GoneFromMemory) => Backfilling,
        (Pending | Backfilling | InMemory, Event::End) => Dead,
        _ => return None,
    })
}

impl ActiveStream {
    pub(crate) fn new(id: StreamId, request: StreamRequest, ticket: Ticket, live: Token) -> Self {
        ActiveStream {
            id,
            request,
            state: StreamState::Pending,
            read: request.start,
            snapshot_end: request.start,
            high: 0,
            queue: VecDeque::new(),
            ticket,
            _live: live,
        }
    }

    pub(crate) fn state(&self) -> StreamState {
        self.state
    }

    /// The seqnos that are still to be read.
    pub(crate) fn unread(&self) -> SeqnoRange {
        SeqnoRange { after: self.read, upto: self.request.end }
    }

    fn apply(&mut self, event: Event) {
        let next = transition(self.state, event);
        debug_assert!(next.is_some(), "{event:?} is not allowed in {:?}", self.state);
        self.state = next.unwrap_or(self.state);
    }

    /// The backfill opened its scan over everything up to `snapshot_end`.
    pub(crate) fn scan_opened(&mut self, snapshot_end: Seqno) {
        self.apply(Event::ScanOpened);
        self.snapshot_end = snapshot_end.min(self.request.end);
        let range = self.snapshot();
        if range.after < range.upto {
            self.queue.push_back(Queued::Marker(range, SnapshotSource::Disk));
        }
    }

    /// The seqnos that the open scan has still to read.
    fn snapshot(&self) -> SeqnoRange {
        SeqnoRange { after: self.read, upto: self.snapshot_end }
    }

    /// Whether these are the next items of the open scan.
    pub(crate) fn accepts(&self, items: &[Item]) -> Result<(), OutOfOrder> {
        debug_assert_eq!(self.state, StreamState::Backfilling);
        in_order(items, self.snapshot())
    }

    /// Queues items of a backfill, which the stream [accepts](Self::accepts).
    pub(crate) fn push_backfilled(&mut self, items: impl Iterator<Item = Item>) {
        self.push(items, SnapshotSource::Disk);
    }

    /// The scan has read everything up to its snapshot's end.
    pub(crate) fn scan_finished(&mut self) {
        self.apply(Event::ScanFinished);
        self.read = self.read.max(self.snapshot_end);
    }

    /// Queues the items of one read of `range` from memory. If the stream has read on
    /// meanwhile (rule 7) the items stay where they are.
    pub(crate) fn push_memory(
        &mut self,
        range: SeqnoRange,
        items: &mut Vec<Item>,
    ) -> Result<(), OutOfOrder> {
        // Two steps at the same time may read the same range: either this one returns
        // first, and queues its items; or the other does, and this finds that `read`
        // has moved.
        if self.state != StreamState::InMemory || self.read != range.after {
            return Ok(());
        }
        in_order(items, range)?;
        let Some(last) = items.last().map(|item| item.seqno) else {
            // Memory had no item: the stream waits for a higher notification, which
            // may have come meanwhile.
            if self.high.min(self.request.end) == range.upto {
                self.high = self.read;
            }
            return Ok(());
        };
        let marker = SeqnoRange { after: self.read, upto: last };
        self.queue.push_back(Queued::Marker(marker, SnapshotSource::Memory));
        self.push(items.drain(..), SnapshotSource::Memory);
        Ok(())
    }

    fn push(&mut self, items: impl Iterator<Item = Item>, source: SnapshotSource) {
        for item in items {
            self.read = item.seqno;
            self.queue.push_back(Queued::Item(item, source));
        }
    }

    /// The items of `range` are no longer in memory. False: this answer is stale
    /// (rule 7), for the stream has read on since it asked.
    pub(crate) fn gone_from_memory(&mut self, range: SeqnoRange) -> bool {
        let current = self.state == StreamState::InMemory && self.read == range.after;
        if current {
            self.apply(Event::GoneFromMemory);
        }
        current
    }

    /// The vb has a new seqno.
    pub(crate) fn notify(&mut self, seqno: Seqno) {
        self.high = self.high.max(seqno);
    }

    fn memory_range(&self) -> Option<SeqnoRange> {
        let range = SeqnoRange { after: self.read, upto: self.high.min(self.request.end) };
        (self.state == StreamState::InMemory && range.after < range.upto).then_some(range)
    }

    fn finished(&self) -> bool {
        self.queue.is_empty() && self.read >= self.request.end
    }

    /// Whether [`Self::next`] has anything.
    pub(crate) fn ready(&self) -> bool {
        !self.queue.is_empty() || self.finished() || self.memory_range().is_some()
    }

    /// What comes next. A message is taken out of the queue; anything else changes
    /// nothing.
    pub(crate) fn next(&mut self) -> Next {
        let StreamRequest { vb, opaque, .. } = self.request;
        match self.queue.pop_front() {
            Some(Queued::Marker(range, source)) => {
                Next::Message(Message::SnapshotMarker { vb, opaque, range, source }, 0)
            }
            Some(queued @ Queued::Item(..)) => {
                let refund = queued.charged();
                let Queued::Item(item, _) = queued else { unreachable!("matched above") };
                Next::Message(Message::Item { vb, opaque, item }, refund)
            }
            None if self.finished() => Next::Finished,
            None => self.memory_range().map_or(Next::Nothing, Next::ReadMemory),
        }
    }

    /// Bytes that the read-ahead buffer is charged for the queue.
    pub(crate) fn charged(&self) -> u64 {
        self.queue.iter().map(Queued::charged).sum()
    }

    /// Ends the stream. A connection ends each stream that it takes out, and this
    /// takes the stream by value: so it is `ended-once`.
    pub(crate) fn end(mut self, status: EndStatus) -> Ended {
        self.apply(Event::End);
        let StreamRequest { vb, opaque, .. } = self.request;
        Ended {
            end: StreamEnd { vb, opaque, status },
            refund: self.charged(),
            unsent: Unsent(self.queue),
        }
    }

    pub(crate) fn ticket(&self) -> Ticket {
        self.ticket
    }

    pub(crate) fn vb(&self) -> VbId {
        self.request.vb
    }
}

impl Queued {
    fn charged(&self) -> u64 {
        match self {
            Queued::Item(item, SnapshotSource::Disk) => item.charge(),
            _ => 0,
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;
