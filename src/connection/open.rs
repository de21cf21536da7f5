//! What an open connection has. A plain value, guarded by the connection's
//! lock (`Rank::Connection`), and gone with the critical section that closes
//! the connection.

use super::streams::Streams;
use super::Connection;
use crate::after::After;
use crate::backfill::bucket::{Locked, Seat};
use crate::backfill::manager::BackfillManager;
use crate::backfill::Backfill;
use crate::host::{FrontEnd, Hosted};
use crate::live::{Kind, LiveCounts};
use crate::stream::{ActiveStream, Next, StreamId};
use crate::sync::Weak;
use crate::{EndStatus, Message, SeqnoRange, StreamEnd, VbId};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

pub(super) struct Open {
    /// A producer of the same name was opened. The streams are left to the
    /// owner of this connection, who is told to disconnect.
    pub(super) displaced: bool,
    pub(super) front_end: Hosted<Arc<dyn FrontEnd>>,
    /// Whether the front end waits for a wake.
    pub(super) paused: bool,
    pub(super) streams: Streams,
    /// Streams that ended and were not reported yet.
    pub(super) ends: VecDeque<StreamEnd>,
    pub(super) backfills: BackfillManager,
    /// Its place in the bucket, from its first backfill on.
    pub(super) seat: Option<Seat>,
}

/// What step found.
pub(super) enum Found {
    /// Send this. Whether the bytes that it gives back let backfills go on.
    Message(Message, bool),
    /// Nothing to send; the connection is paused.
    Nothing,
    /// This stream is to be read from memory, without a lock.
    Read(StreamId, VbId, SeqnoRange),
    /// This stream was sent to its end: it is to be ended.
    Finished(StreamId),
}

impl Open {
    pub(super) fn new(front_end: Hosted<Arc<dyn FrontEnd>>, backfills: BackfillManager) -> Self {
        Open {
            displaced: false,
            front_end,
            paused: false,
            streams: Streams::default(),
            ends: VecDeque::new(),
            backfills,
            seat: None,
        }
    }

    /// Whether step has something to hand out.
    pub(super) fn ready(&self) -> bool {
        self.displaced || !self.ends.is_empty() || self.streams.any_ready()
    }

    /// What to hand out next; pauses when there is nothing.
    pub(super) fn next(&mut self) -> Found {
        if let Some(end) = self.ends.pop_front() {
            return Found::Message(Message::StreamEnd(end), false);
        }
        while let Some(stream) = self.streams.next_ready() {
            let (id, vb) = (stream.id, stream.vb());
            match stream.next() {
                Next::Message(message, refund) => {
                    self.streams.changed(id);
                    return Found::Message(message, self.backfills.refund(refund));
                }
                // Not in turn for the time of the read: what it brings puts it back.
                Next::ReadMemory(range) => return Found::Read(id, vb, range),
                Next::Finished => return Found::Finished(id),
                Next::Nothing => {}
            }
        }
        self.paused = true;
        Found::Nothing
    }

    /// A stream may have something to send now: it gets a turn, and a front
    /// end that is paused a wake.
    pub(super) fn stream_changed(&mut self, stream: StreamId, after: &mut After) {
        self.streams.changed(stream);
        if self.streams.any_ready() {
            self.wake(after);
        }
    }

    /// Something can be sent. Paused is set and cleared under the lock under
    /// which step finds nothing to send: either step looked first, and this
    /// finds it paused; or it looks later, and finds what there is.
    pub(super) fn wake(&mut self, after: &mut After) {
        if std::mem::take(&mut self.paused) {
            after.wake(self.front_end.clone());
        }
    }

    /// Takes to the bucket what the manager wants after a change: its slots
    /// that are over, slots for what is pending, and its next turn.
    pub(super) fn settle(&mut self, bucket: &mut Locked<'_, Connection>, me: &Weak<Connection>) {
        let seat = *self.seat.get_or_insert_with(|| bucket.sit(me));
        self.settle_slots(bucket, seat);
        bucket.ask(seat, self.backfills.next_turn());
    }

    /// The part of [`Self::settle`] that is about slots.
    pub(super) fn settle_slots(&mut self, bucket: &mut Locked<'_, Connection>, seat: Seat) {
        bucket.return_slots(self.backfills.take_slots_over());
        while self.backfills.wants_slot() && bucket.take_slot(seat) {
            self.backfills.promote();
        }
        if self.backfills.pending() == 0 {
            bucket.leave_line(seat);
        }
    }

    /// The part of [`Self::settle`] that is about turns. A connection without
    /// a seat has no backfill.
    pub(super) fn ask(&self, bucket: &mut Locked<'_, Connection>) {
        if let Some(seat) = self.seat {
            bucket.ask(seat, self.backfills.next_turn());
        }
    }
}

/// A backfill of everything that a stream has not read.
pub(super) fn backfill_of(stream: &ActiveStream, live: &LiveCounts) -> Backfill {
    Backfill {
        stream: stream.id,
        vb: stream.vb(),
        range: stream.unread(),
        scan: None,
        has_run: false,
        _live: live.count(Kind::Backfill),
    }
}

/// The streams and backfills of a connection that was closed, ended outside of
/// its lock: nobody else can reach them. The ends that step did not hand out
/// come first.
pub(super) fn end_all(
    open: Open,
    after: &mut After,
    mut ended: impl FnMut(&ActiveStream),
) -> Vec<StreamEnd> {
    let Open { front_end, paused, streams, ends, backfills, .. } = open;
    let mut report = Vec::from(ends);
    let streams = streams.into_streams();
    report.reserve_exact(streams.len());
    report.extend(streams.map(|stream| {
        ended(&stream);
        // What was not sent is dropped here: no lock is held.
        stream.end(EndStatus::Disconnected).end
    }));
    backfills.into_backfills().for_each(|backfill| after.backfill(backfill));
    // Paused, it would never step and see that the connection is over.
    if paused {
        after.wake(front_end.clone());
    }
    after.front_end(front_end);
    report
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
