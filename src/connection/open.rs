//! The state of an open connection. A plain value, guarded by the connection's
//! lock (`Rank::Connection`); the critical section that closes the connection
//! moves it out.

use super::streams::Streams;
use super::Connection;
use crate::after::After;
use crate::backfill::bucket::{Bucket, Locked, Seat, Turn};
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
use std::time::Instant;

pub(super) struct Open {
    /// Whether a producer of the same name was opened. The streams stay until the
    /// owner of this connection, who is told to disconnect, does so.
    pub(super) displaced: bool,
    pub(super) front_end: Hosted<Arc<dyn FrontEnd>>,
    /// Whether the front end waits for a wake.
    pub(super) paused: bool,
    pub(super) streams: Streams,
    /// The ends of streams that `step` has not handed out yet.
    pub(super) ends: VecDeque<StreamEnd>,
    pub(super) backfills: BackfillManager,
    /// The connection's place in the bucket, from its first backfill on.
    pub(super) seat: Option<Seat>,
    /// Whether the connection is in the bucket's line for slots: it has looked for a
    /// slot and found none, and still wants one.
    pub(super) waiting: bool,
    /// Whether the connection has asked for a turn, or has one: no call needs to ask
    /// again, for a turn looks at all its state when it begins and when it ends. (A
    /// turn may be to come also when this is false: the bucket gives some unasked.)
    pub(super) turn_to_come: bool,
}

/// What `step` has found.
pub(super) enum Found {
    /// A message to send, and whether the bytes that it refunds let backfills go on.
    Message(Message, bool),
    /// Nothing to send; the connection is paused.
    Nothing,
    /// This stream is to be read from memory, without a lock.
    Read(StreamId, VbId, SeqnoRange),
    /// This stream was sent to its requested end: it is to be ended.
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
            waiting: false,
            turn_to_come: false,
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
                // The stream is in no line during the read, whose result puts it back.
                Next::ReadMemory(range) => return Found::Read(id, vb, range),
                Next::Finished => return Found::Finished(id),
                Next::Nothing => {}
            }
        }
        self.paused = true;
        Found::Nothing
    }

    /// A stream may have something to send now: puts it in line, and wakes the front
    /// end if that is paused.
    pub(super) fn stream_changed(&mut self, stream: StreamId, after: &mut After) {
        self.streams.changed(stream);
        if self.streams.any_ready() {
            self.wake(after);
        }
    }

    /// Wakes the front end if it is paused. `paused` is set and cleared under the lock
    /// under which `step` looks for something to send (rule 1): either `step` looks
    /// first, and this finds the connection paused; or it looks later, and finds the
    /// message.
    pub(super) fn wake(&mut self, after: &mut After) {
        if std::mem::take(&mut self.paused) {
            after.wake(self.front_end.clone());
        }
    }

    /// Whether a slot would let a pending backfill run.
    fn wants_slot(&self) -> bool {
        self.streams.any_pending() && self.backfills.has_room()
    }

    /// Whether the connection is to leave the line for slots: it is in line and wants
    /// no slot any more.
    fn leaves_line(&mut self) -> bool {
        let leaves = self.waiting && !self.wants_slot();
        self.waiting &= !leaves;
        leaves
    }

    /// When there is a backfill to run, or a slot to look for. A connection in line for
    /// a slot does not look for one: the bucket gives it a turn.
    fn next_turn(&self) -> Turn {
        if self.wants_slot() && !self.waiting {
            Turn::Now
        } else {
            self.backfills.next_turn()
        }
    }

    /// Settles with the bucket after a change: returns slots, leaves the line for
    /// slots, and asks for the next turn. What the bucket knows already is not told
    /// again, and its lock not taken: two connections meet there once a turn, and not
    /// in each request.
    ///
    /// `turn_to_come` is set here and cleared when a turn ends, both under this
    /// connection's lock. Either a change comes before the end of a turn, and the
    /// turn finds it when it begins or ends; or it comes after, and finds that no turn
    /// is to come.
    pub(super) fn settle(&mut self, bucket: &Bucket<Connection>, me: &Weak<Connection>) {
        let over = self.backfills.take_slots_over();
        let leaves = self.leaves_line();
        let next = if self.turn_to_come { Turn::Never } else { self.next_turn() };
        if over == 0 && !leaves && next == Turn::Never {
            return;
        }
        let mut bucket = bucket.lock();
        let seat = *self.seat.get_or_insert_with(|| bucket.sit(me));
        bucket.return_slots(over);
        if leaves {
            bucket.leave_line(seat);
        }
        bucket.ask(seat, next);
        self.turn_to_come |= next == Turn::Now;
    }

    /// Begins a turn: the backfill to run, with a new slot if this is its first run.
    /// None: no backfill can run now, and the turn is over.
    pub(super) fn begin_run(
        &mut self,
        bucket: &Bucket<Connection>,
        seat: Seat,
        now: Instant,
        live: &LiveCounts,
    ) -> Option<Box<Backfill>> {
        self.backfills.end_snoozes(now);
        let mut bucket = bucket.lock();
        if self.wants_slot() {
            self.waiting = !bucket.take_slot(seat);
            if !self.waiting {
                drop(bucket);
                self.backfills.begin();
                return self.streams.next_pending().map(|stream| backfill_of(stream, live));
            }
        }
        let backfill = self.backfills.go_on();
        if backfill.is_none() {
            self.end_turn(&mut bucket, seat, self.next_turn());
        }
        backfill
    }

    /// Ends a turn in which a backfill ran.
    pub(super) fn end_run(&mut self, bucket: &mut Locked<'_, Connection>, seat: Seat) {
        bucket.return_slots(self.backfills.take_slots_over());
        if self.leaves_line() {
            bucket.leave_line(seat);
        }
        self.end_turn(bucket, seat, self.next_turn());
        // Either a slot became free before this, and the connection was passed over
        // then; or it becomes free later, and finds the connection in line.
        bucket.call_first_waiter();
    }

    /// Ends a turn, and asks for the next.
    pub(super) fn end_turn(&mut self, bucket: &mut Locked<'_, Connection>, seat: Seat, next: Turn) {
        self.turn_to_come = next == Turn::Now;
        bucket.end_turn(seat, next);
    }
}

/// A backfill of all seqnos that a stream has not read.
fn backfill_of(stream: &ActiveStream, live: &LiveCounts) -> Box<Backfill> {
    Box::new(Backfill {
        stream: stream.id,
        vb: stream.vb(),
        range: stream.unread(),
        scan: None,
        has_run: false,
        _live: live.count(Kind::Backfill),
    })
}

/// Ends the streams and backfills of a connection that was closed. No lock is held,
/// for no other thread can reach them. The ends that `step` did not hand out come
/// first.
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
        // Unsent messages are dropped here, under no lock (rule 3).
        stream.end(EndStatus::Disconnected).end
    }));
    backfills.into_backfills().for_each(|backfill| after.backfill(backfill));
    // A paused front end would never step and learn that the connection is closed.
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

#[cfg(all(test, target_pointer_width = "64", not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use crate::connection::streams::PLACE;

    /// What there is for each connection, and for each of its streams, besides
    /// what is queued: in bytes.
    #[test]
    fn sizes() {
        assert_eq!((size_of::<Open>(), PLACE), (336, 136));
    }
}
