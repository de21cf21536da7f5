//! What an open connection has. A plain value, guarded by the connection's
//! lock (`Rank::Connection`), and gone with the critical section that closes
//! the connection.

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
    /// In the bucket's line for slots: it has looked for one and found none,
    /// and still wants it.
    pub(super) waiting: bool,
    /// It has asked for a turn, or has one: nobody needs to ask again, for a
    /// turn looks at everything when it begins and when it ends. (It may have
    /// one to come also when this is false: the bucket gives some unasked.)
    pub(super) turn_to_come: bool,
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

    /// Whether a slot would let a pending backfill run.
    fn wants_slot(&self) -> bool {
        self.streams.any_pending() && self.backfills.has_room()
    }

    /// In the line for slots, and wants none any more: it is to leave.
    fn leaves_line(&mut self) -> bool {
        let leaves = self.waiting && !self.wants_slot();
        self.waiting &= !leaves;
        leaves
    }

    /// When there is something to run, or a slot to look for. Who waits in line
    /// for one is called.
    fn next_turn(&self) -> Turn {
        if self.wants_slot() && !self.waiting {
            Turn::Now
        } else {
            self.backfills.next_turn()
        }
    }

    /// Takes to the bucket what the connection wants after a change: its slots
    /// that are over, its place in the line for slots that it does not want,
    /// and its next turn. Of what the bucket knows it is not told again: two
    /// connections meet there once in a turn, and not in each request.
    ///
    /// That a turn is to come is set here and cleared when a turn ends, both
    /// under this connection's lock. A change and the turn have two orders:
    /// either the change comes first, and the turn finds it when it begins or,
    /// if it runs already, when it ends; or the turn has ended, and the change
    /// finds that none is to come.
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

    /// Begins a turn: the backfill to run, with a slot of its own if this is
    /// its first run. None: there is none to run now, and the turn is over.
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

    /// Ends a turn that ran.
    pub(super) fn end_run(&mut self, bucket: &mut Locked<'_, Connection>, seat: Seat) {
        bucket.return_slots(self.backfills.take_slots_over());
        if self.leaves_line() {
            bucket.leave_line(seat);
        }
        self.end_turn(bucket, seat, self.next_turn());
        // Either a slot became free before this, and found it passed over; or
        // it does later, and finds it in line.
        bucket.call_first_waiter();
    }

    /// Its turn is over, and that is when it wants the next.
    pub(super) fn end_turn(&mut self, bucket: &mut Locked<'_, Connection>, seat: Seat, next: Turn) {
        self.turn_to_come = next == Turn::Now;
        bucket.end_turn(seat, next);
    }
}

/// A backfill of everything that a stream has not read.
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
