//! Whose turn it is, who has a slot, and what one turn of a worker does.
//!
//! A backfill needs a slot to run, and there are few of them: in the bucket,
//! and for each connection. Who finds none in the bucket waits in line; a slot
//! that is free belongs to the first in line that is not running. A connection
//! asks for a turn when it has a backfill with a slot and its buffer is not
//! full, and has at most one at a time; or for one at a later time, when all
//! that it has is put off.

use super::state::{Backfill, Message, Place, Reads, Scan, Source, World};
use super::Limits;
use crate::answers;

/// A worker's turn, after it has chosen a backfill.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    pub(super) at: Place,
    /// The time when it began.
    now: u64,
    backfill: Backfill,
    /// Items that were read.
    read: u64,
    /// Bytes of the buffer when the worker last looked: the front end may have
    /// taken some since.
    held: u64,
    /// Whether to read no further.
    stop: Option<Stop>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stop {
    /// There is more to read, in another turn.
    More,
    /// There is more to read, later.
    Later,
    Finished,
    Failed,
    /// Its stream has ended.
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

    fn first_waiting(&self, asking: Option<Place>) -> Option<Place> {
        let may = |at: &&Place| asking == Some(**at) || !self.bucket.running.contains(at);
        self.bucket.waiting.iter().find(may).copied()
    }

    /// Somebody may take a slot: a turn for who is first.
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

    /// A slot for each backfill, while there are any.
    fn promote(&mut self, at: Place, limits: &Limits) {
        loop {
            let backfills = &self.connections[at].backfills;
            let may = (backfills.in_progress() as u64) < limits.cap;
            if backfills.pending.is_empty() || !may || !self.take_slot(at) {
                return;
            }
            let backfills = &mut self.connections[at].backfills;
            backfills.fresh.extend(backfills.pending.pop_front());
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

    fn next_turn(&self, at: Place) -> Next {
        let backfills = &self.connections[at].backfills;
        if backfills.full {
            Next::Never
        } else if !backfills.fresh.is_empty() || !backfills.begun.is_empty() {
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

    /// Something has changed: whoever rests does so for as long as it now has to.
    fn ask_for_turn(&mut self, at: Place) {
        let next = self.next_turn(at);
        self.give_turn(at, next);
    }

    /// A new backfill.
    pub(super) fn schedule(&mut self, at: Place, limits: &Limits, backfill: Backfill) {
        self.connections[at].backfills.pending.push_back(backfill);
        self.promote(at, limits);
        self.ask_for_turn(at);
    }

    /// The stream of this request has ended: its backfill leaves the queues.
    /// One that is running learns of it at its next item.
    pub(super) fn cancel(&mut self, at: Place, limits: &Limits, request: crate::CallId) {
        let backfills = &mut self.connections[at].backfills;
        let others = |backfill: &Backfill| backfill.request != request;
        let waited = backfills.pending.len();
        backfills.pending.retain(others);
        if backfills.pending.len() < waited {
            if backfills.pending.is_empty() {
                self.bucket.waiting.retain(|other| *other != at);
                self.offer_slots();
            }
            self.ask_for_turn(at);
            return;
        }
        let had = backfills.in_queues();
        backfills.fresh.retain(others);
        backfills.begun.retain(others);
        backfills.snoozing.retain(|(_, backfill)| others(backfill));
        if backfills.in_queues() < had {
            self.return_slots(1);
            self.promote(at, limits);
            self.ask_for_turn(at);
        }
    }

    /// The connection is closed: it leaves every line and gives back its slots,
    /// but for the one of a running backfill.
    pub(super) fn forget(&mut self, at: Place, slots: u64) {
        self.bucket.ready.retain(|other| *other != at);
        self.bucket.resting.retain(|(_, other)| *other != at);
        self.bucket.waiting.retain(|other| *other != at);
        self.bucket.slots += slots;
        self.offer_slots();
    }

    /// Bytes were sent or dropped. A full buffer takes backfills again when
    /// enough of it is free, or all.
    pub(super) fn refund(&mut self, at: Place, limits: &Limits, bytes: u64) {
        let backfills = &mut self.connections[at].backfills;
        backfills.bytes -= bytes;
        let drained = backfills.bytes == 0 || backfills.bytes <= limits.resume_bytes();
        if backfills.full && drained {
            backfills.full = false;
            self.ask_for_turn(at);
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

    /// Chooses what to run: what never ran comes first. None: nothing can, and
    /// the turn is over.
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
        self.promote(at, limits);
        let backfills = &mut self.connections[at].backfills;
        let (due, snoozing): (Vec<_>, Vec<_>) =
            backfills.snoozing.drain(..).partition(|(time, _)| *time <= now);
        backfills.snoozing = snoozing;
        backfills.begun.extend(due.into_iter().map(|(_, backfill)| backfill));
        let fresh = !backfills.fresh.is_empty();
        let chosen = match backfills.full {
            true => None,
            false => backfills.fresh.pop_front().or_else(|| backfills.begun.pop_front()),
        };
        let Some(backfill) = chosen else {
            let next = self.next_turn(at);
            self.end_turn(at, next);
            return None;
        };
        backfills.running = Some(fresh);
        let held = backfills.bytes;
        Some(Turn { at, now, backfill, read: 0, held, stop: None })
    }

    /// Opens the scan, or reads items, or ends the turn. None: it is over.
    pub(super) fn run_on(&mut self, limits: &Limits, turn: Turn) -> Option<Turn> {
        let stop = match (turn.stop, turn.backfill.scan) {
            (Some(stop), _) => stop,
            (None, None) => return Some(self.open_scan(limits, turn)),
            (None, Some(_)) if enough(limits, turn.read) => Stop::More,
            (None, Some(mut scan)) => {
                let (seqnos, found) = self.read(limits, &turn, &mut scan);
                match found {
                    // Of a read that fails nothing is handed over.
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

    /// What one read of a scan finds: the items of a batch, which ends where
    /// the turn has enough or the buffer would be full, and what is behind them.
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

    /// The stream takes the items of a batch.
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
                // Of a new one only the first run comes before its turn.
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
        self.promote(at, limits);
        let next = self.next_turn(at);
        self.end_turn(at, next);
    }
}

/// Whether one turn reads no further.
fn enough(limits: &Limits, read: u64) -> bool {
    read == limits.scan || read * limits.bytes >= limits.scan_bytes
}

/// An item goes into a buffer that holds so much. Whether that is full then:
/// one item always goes into an empty one, however large it is.
fn fills(limits: &Limits, held: &mut u64) -> bool {
    let empty = *held == 0;
    // A deletion has no bytes, and counts all the same.
    *held += limits.bytes.max(1);
    !empty && *held >= limits.buffer
}
