//! Slots and turns of backfills, and what one turn of a worker does.
//!
//! A backfill needs a slot to run; the bucket has so many, and each connection
//! may have so many of them. A backfill gets its slot in the turn in which it
//! first runs. A connection that finds no free slot waits in line; a free slot is
//! for the first connection in line that has no running turn. A connection asks
//! for a turn when it has a backfill to go on with or wants a slot that it does
//! not wait for, and its buffer is not full; when all its backfills with a slot
//! are snoozing, for a turn at the earliest of their times. It has at most one
//! turn.

use super::state::{Backfill, Message, Place, Reads, Scan, Source, World};
use super::Limits;
use crate::answers;

/// A worker's turn, after it has chosen a backfill.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    pub(super) at: Place,
    /// The time at which the turn began.
    now: u64,
    backfill: Backfill,
    /// Items that were read in this turn.
    read: u64,
    /// Bytes in the buffer when the worker last looked: the front end may have
    /// sent some of them since.
    held: u64,
    /// Why the turn reads no further, if so.
    stop: Option<Stop>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stop {
    /// The rest is for another turn.
    More,
    /// The scan said "later".
    Later,
    /// The scan has no more items.
    Finished,
    Failed,
    /// The stream has ended.
    Orphaned,
}

/// When a connection gets its next turn.
enum Next {
    Now,
    At(u64),
    Never,
}

impl World {
    // Slots.

    /// The first connection in line that may take a slot: `asking`, or one that
    /// has no running turn.
    fn first_waiting(&self, asking: Option<Place>) -> Option<Place> {
        let may = |at: &&Place| asking == Some(**at) || !self.bucket.running.contains(at);
        self.bucket.waiting.iter().find(may).copied()
    }

    /// A turn for the first connection in line, if a slot is free.
    fn offer_slots(&mut self) {
        if self.bucket.slots > 0 {
            if let Some(first) = self.first_waiting(None) {
                self.make_ready(first);
            }
        }
    }

    fn take_slot(&mut self, at: Place) -> bool {
        let first = self.first_waiting(Some(at)).is_none_or(|first| first == at);
        if self.bucket.slots == 0 || !first {
            if !self.bucket.waiting.contains(&at) {
                self.bucket.waiting.push_back(at);
            }
            return false;
        }
        self.bucket.slots -= 1;
        self.bucket.waiting.retain(|other| *other != at);
        self.offer_slots();
        true
    }

    fn return_slots(&mut self, slots: u64) {
        self.bucket.slots += slots;
        if slots > 0 {
            self.offer_slots();
        }
    }

    /// Whether another backfill could run, if it had a slot of the bucket's.
    fn wants_slot(&self, at: Place, limits: &Limits) -> bool {
        let backfills = &self.connections[at].backfills;
        let may = (backfills.in_progress() as u64) < limits.cap;
        !backfills.pending.is_empty() && may && !backfills.full
    }

    /// A connection that wants no slot does not wait for one.
    fn leave_line(&mut self, at: Place, limits: &Limits) {
        if self.bucket.waiting.contains(&at) && !self.wants_slot(at, limits) {
            self.bucket.waiting.retain(|other| *other != at);
            self.offer_slots();
        }
    }

    // Turns.

    fn has_turn(&self, at: Place) -> bool {
        self.bucket.ready.contains(&at) || self.bucket.running.contains(&at)
    }

    fn make_ready(&mut self, at: Place) {
        if !self.has_turn(at) {
            self.bucket.resting.retain(|(_, other)| *other != at);
            self.bucket.ready.push_back(at);
        }
    }

    fn next_turn(&self, at: Place, limits: &Limits) -> Next {
        let backfills = &self.connections[at].backfills;
        let looks = self.wants_slot(at, limits) && !self.bucket.waiting.contains(&at);
        if backfills.full {
            Next::Never
        } else if looks || !backfills.begun.is_empty() {
            Next::Now
        } else {
            let first = backfills.snoozing.iter().map(|(until, _)| *until).min();
            first.map_or(Next::Never, Next::At)
        }
    }

    fn give_turn(&mut self, at: Place, next: Next) {
        match next {
            Next::Never => {}
            Next::Now => self.make_ready(at),
            Next::At(_) if self.has_turn(at) => {}
            Next::At(time) => {
                self.bucket.resting.retain(|(_, other)| *other != at);
                self.bucket.resting.push((time, at));
            }
        }
    }

    /// After a change: the connection's next turn is due when the connection now
    /// needs it.
    fn ask_for_turn(&mut self, at: Place, limits: &Limits) {
        self.leave_line(at, limits);
        let next = self.next_turn(at, limits);
        self.give_turn(at, next);
    }

    /// Adds a backfill.
    pub(super) fn schedule(&mut self, at: Place, limits: &Limits, backfill: Backfill) {
        self.connections[at].backfills.pending.push_back(backfill);
        self.ask_for_turn(at, limits);
    }

    /// The stream of this request has ended: its backfill leaves the queues. A
    /// running backfill learns of that when it next hands items over.
    pub(super) fn cancel(&mut self, at: Place, limits: &Limits, request: crate::CallId) {
        let backfills = &mut self.connections[at].backfills;
        let others = |backfill: &Backfill| backfill.request != request;
        let waits = self.bucket.waiting.contains(&at);
        backfills.pending.retain(others);
        let had = backfills.in_queues();
        backfills.begun.retain(others);
        backfills.snoozing.retain(|(_, backfill)| others(backfill));
        let cancelled = backfills.in_queues() < had;
        if cancelled {
            self.return_slots(1);
        }
        if cancelled || waits {
            self.ask_for_turn(at, limits);
        }
    }

    /// The connection is closed: it leaves the bucket's queues and gives back its
    /// slots, but for that of a running backfill.
    pub(super) fn forget(&mut self, at: Place, slots: u64) {
        self.bucket.ready.retain(|other| *other != at);
        self.bucket.resting.retain(|(_, other)| *other != at);
        self.bucket.waiting.retain(|other| *other != at);
        self.bucket.slots += slots;
        self.offer_slots();
    }

    /// Bytes were sent or dropped. Behind a full buffer backfills go on when
    /// enough of the buffer is free, or all of it.
    pub(super) fn refund(&mut self, at: Place, limits: &Limits, bytes: u64) {
        let backfills = &mut self.connections[at].backfills;
        backfills.bytes -= bytes;
        let drained = backfills.bytes == 0 || backfills.bytes <= limits.resume_bytes();
        if backfills.full && drained {
            backfills.full = false;
            self.ask_for_turn(at, limits);
        }
    }

    // One turn of a worker, step by step.

    /// Takes the next turn, if there is one at this time.
    pub(super) fn take_turn(&mut self, now: u64) -> Option<Place> {
        let (due, resting) = self.bucket.resting.iter().partition(|(time, _)| *time <= now);
        self.bucket.resting = resting;
        let mut due: Vec<(u64, Place)> = due;
        due.sort_by_key(|(time, _)| *time);
        self.bucket.ready.extend(due.into_iter().map(|(_, at)| at));
        let at = self.bucket.ready.pop_front()?;
        self.bucket.running.push(at);
        Some(at)
    }

    fn end_turn(&mut self, at: Place, next: Next) {
        self.bucket.running.retain(|other| *other != at);
        self.give_turn(at, next);
    }

    /// Chooses the backfill to run: one that never ran comes first, if there is
    /// a slot for it. None: no backfill can run, and the turn is over.
    pub(super) fn begin_turn(
        &mut self,
        at: Place,
        limits: &Limits,
        now: u64,
        memory_high: bool,
    ) -> Option<Turn> {
        if self.connections[at].closed() {
            self.end_turn(at, Next::Never);
            return None;
        }
        if memory_high {
            self.end_turn(at, Next::At(now + 1));
            return None;
        }
        let fresh = self.wants_slot(at, limits) && self.take_slot(at);
        let backfills = &mut self.connections[at].backfills;
        let (due, snoozing): (Vec<_>, Vec<_>) =
            backfills.snoozing.drain(..).partition(|(time, _)| *time <= now);
        backfills.snoozing = snoozing;
        backfills.begun.extend(due.into_iter().map(|(_, backfill)| backfill));
        let chosen = match (fresh, backfills.full) {
            (true, _) => backfills.pending.pop_front(),
            (false, true) => None,
            (false, false) => backfills.begun.pop_front(),
        };
        let Some(backfill) = chosen else {
            let next = self.next_turn(at, limits);
            self.end_turn(at, next);
            return None;
        };
        backfills.running = Some(fresh);
        let held = backfills.bytes;
        Some(Turn { at, now, backfill, read: 0, held, stop: None })
    }

    /// Opens the scan, or reads items, or ends the turn. None: the turn is over.
    pub(super) fn run_on(&mut self, limits: &Limits, turn: Turn) -> Option<Turn> {
        let stop = match (turn.stop, turn.backfill.scan) {
            (Some(stop), _) => stop,
            (None, None) => return Some(self.open_scan(limits, turn)),
            (None, Some(_)) if enough(limits, turn.read) => Stop::More,
            (None, Some(mut scan)) => {
                let (seqnos, found) = self.read(limits, &turn, &mut scan);
                match found {
                    // The items of a batch that fails are not handed over.
                    Some(Stop::Failed) => Stop::Failed,
                    Some(stop) if seqnos.is_empty() && stop != Stop::Later => stop,
                    _ => {
                        let read = turn.read + seqnos.len() as u64;
                        let taken = self.take_items(limits, turn.at, &turn.backfill, seqnos);
                        let stop = match (taken, found) {
                            (Some(Stop::Orphaned), _) => taken,
                            _ => found.or(taken),
                        };
                        let held = self.connections[turn.at].backfills.bytes;
                        let backfill = Backfill { scan: Some(scan), ..turn.backfill };
                        return Some(Turn { backfill, read, held, stop, ..turn });
                    }
                }
            }
        };
        self.put_back(limits, turn, stop);
        None
    }

    fn open_scan(&mut self, limits: &Limits, mut turn: Turn) -> Turn {
        let Backfill { request, vb, range: (after, upto), scan } = &mut turn.backfill;
        self.asked.scans.push((*vb, *after, *upto));
        self.asked.scans.sort();
        if limits.open_fails {
            return Turn { stop: Some(Stop::Failed), ..turn };
        }
        let (last, end) = limits.snapshot(*after);
        let last = last.min(*upto);
        let connection = &mut self.connections[turn.at];
        let Some(stream) = connection.stream(*vb, *request) else {
            return Turn { stop: Some(Stop::Orphaned), ..turn };
        };
        *scan = Some(Scan { at: *after, last, given: 0, put_off: false });
        stream.state = Reads::Disk;
        stream.snapshot = end.min(stream.end);
        let (from, upto) = (stream.read + 1, stream.snapshot);
        if from <= upto {
            stream.queue.push_back(Message::Marker { from, upto, source: Source::Disk });
        }
        connection.changed(*vb);
        turn
    }

    /// What one read of a scan finds: the items of a batch, which ends where the
    /// turn has read enough or the buffer would be full, and why the turn reads no
    /// further.
    fn read(&mut self, limits: &Limits, turn: &Turn, scan: &mut Scan) -> (Vec<u64>, Option<Stop>) {
        let mut seqnos = Vec::new();
        let (mut held, mut full) = (turn.held, false);
        for _ in 0..limits.batch {
            if full || enough(limits, turn.read + seqnos.len() as u64) {
                break;
            }
            self.asked.items += 1;
            let nth = scan.given + 1;
            let next = scan.at - scan.at % limits.gap + limits.gap;
            if nth == limits.later && !scan.put_off {
                scan.put_off = true;
                return (seqnos, Some(Stop::Later));
            }
            if nth == limits.fail_at {
                return (seqnos, Some(Stop::Failed));
            }
            if next > scan.last {
                return (seqnos, Some(Stop::Finished));
            }
            full = fills(limits, &mut held);
            (scan.at, scan.given) = (next, nth);
            seqnos.push(next);
        }
        (seqnos, None)
    }

    /// Puts the items of a batch into the stream's queue.
    fn take_items(
        &mut self,
        limits: &Limits,
        at: Place,
        backfill: &Backfill,
        seqnos: Vec<u64>,
    ) -> Option<Stop> {
        if seqnos.is_empty() {
            return None;
        }
        let connection = &mut self.connections[at];
        let Some(stream) = connection.stream(backfill.vb, backfill.request) else {
            return Some(Stop::Orphaned);
        };
        for seqno in &seqnos {
            stream.read = *seqno;
            stream.queue.push_back(Message::Item { seqno: *seqno, charge: limits.bytes.max(1) });
        }
        connection.changed(backfill.vb);
        let backfills = &mut connection.backfills;
        for _ in seqnos {
            backfills.full |= fills(limits, &mut backfills.bytes);
        }
        backfills.full.then_some(Stop::More)
    }

    fn put_back(&mut self, limits: &Limits, turn: Turn, stop: Stop) {
        let Turn { at, now, backfill, .. } = turn;
        let connection = &mut self.connections[at];
        if connection.closed() {
            self.return_slots(1);
            self.end_turn(at, Next::Never);
            return;
        }
        let vb = backfill.vb;
        let mut over = true;
        let fresh = connection.backfills.running;
        match (connection.stream(vb, backfill.request).is_some(), stop) {
            (true, Stop::More) => {
                let begun = &mut connection.backfills.begun;
                // A first run goes before the others, but does not make its
                // backfill the one that runs to its end.
                match limits.sequential && fresh == Some(false) {
                    true => begun.push_front(backfill),
                    false => begun.push_back(backfill),
                }
                over = false;
            }
            (true, Stop::Later) => {
                connection.backfills.snoozing.push((now + 1, backfill));
                over = false;
            }
            (true, Stop::Finished) => {
                if let Some(stream) = connection.stream(vb, backfill.request) {
                    stream.state = Reads::Memory;
                    stream.read = stream.read.max(stream.snapshot);
                }
                connection.changed(vb);
            }
            (true, Stop::Failed) => {
                self.end_stream(at, limits, vb, answers::BACKFILL_FAIL);
            }
            (true, Stop::Orphaned) | (false, _) => {}
        }
        self.connections[at].backfills.running = None;
        if over {
            self.return_slots(1);
        }
        self.leave_line(at, limits);
        let next = self.next_turn(at, limits);
        self.end_turn(at, next);
        // A slot that became free meanwhile has passed it over.
        self.offer_slots();
    }
}

/// Whether one turn has read enough.
fn enough(limits: &Limits, read: u64) -> bool {
    read == limits.scan || read * limits.bytes >= limits.scan_bytes
}

/// Adds an item to a buffer that holds so many bytes; whether the buffer is full
/// then. An empty buffer is not filled by one item, however large.
fn fills(limits: &Limits, held: &mut u64) -> bool {
    let empty = *held == 0;
    // A deletion has no bytes, and counts as one.
    *held += limits.bytes.max(1);
    !empty && *held >= limits.buffer
}
