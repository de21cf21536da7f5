//! Whose turn it is, who has a slot, and what one turn of a worker does.
//!
//! A backfill needs a slot to run, and there are few of them in the bucket.
//! Who finds none waits in line; a slot that is free belongs to the first in
//! line that is not running. A connection asks for a turn when it has a
//! backfill with a slot and its buffer is not full, and has at most one at a
//! time.

use super::state::{Backfill, Message, Place, Source, World};
use super::Limits;

/// A worker's turn, after it has chosen a backfill.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    pub(super) at: Place,
    backfill: Backfill,
    /// Items that were read.
    read: u64,
    /// Whether to read no further.
    stop: Option<Stop>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stop {
    /// There is more to read, in another turn.
    More,
    Finished,
    Failed,
    /// Its stream has ended.
    Orphaned,
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
    fn promote(&mut self, at: Place) {
        while !self.connections[at].backfills.pending.is_empty() && self.take_slot(at) {
            let backfills = &mut self.connections[at].backfills;
            backfills.fresh.extend(backfills.pending.pop_front());
        }
    }

    // Turns.

    fn make_ready(&mut self, at: Place) {
        if !self.bucket.ready.contains(&at) && !self.bucket.running.contains(&at) {
            self.bucket.ready.push_back(at);
        }
    }

    fn ask_for_turn(&mut self, at: Place) {
        let backfills = &self.connections[at].backfills;
        let any = !backfills.fresh.is_empty() || !backfills.begun.is_empty();
        if any && !backfills.full {
            self.make_ready(at);
        }
    }

    /// A new backfill.
    pub(super) fn schedule(&mut self, at: Place, backfill: Backfill) {
        self.connections[at].backfills.pending.push_back(backfill);
        self.promote(at);
        self.ask_for_turn(at);
    }

    /// The stream of this request has ended: its backfill leaves the queues.
    /// One that is running learns of it at its next item.
    pub(super) fn cancel(&mut self, at: Place, request: crate::CallId) {
        let backfills = &mut self.connections[at].backfills;
        let others = |backfill: &Backfill| backfill.request != request;
        let waited = backfills.pending.len();
        backfills.pending.retain(others);
        if backfills.pending.len() < waited {
            if backfills.pending.is_empty() {
                self.bucket.waiting.retain(|other| *other != at);
                self.offer_slots();
            }
            return;
        }
        let had = backfills.fresh.len() + backfills.begun.len();
        backfills.fresh.retain(others);
        backfills.begun.retain(others);
        if backfills.fresh.len() + backfills.begun.len() < had {
            self.return_slots(1);
            self.promote(at);
            self.ask_for_turn(at);
        }
    }

    /// The connection is closed: it leaves every line and gives back its slots,
    /// but for the one of a running backfill.
    pub(super) fn forget(&mut self, at: Place, slots: u64) {
        self.bucket.ready.retain(|other| *other != at);
        self.bucket.waiting.retain(|other| *other != at);
        self.bucket.slots += slots;
        self.offer_slots();
    }

    /// Bytes were sent or dropped. A full buffer takes backfills again when a
    /// quarter of it is free, and at least one byte.
    pub(super) fn refund(&mut self, at: Place, limits: &Limits, bytes: u64) {
        let backfills = &mut self.connections[at].backfills;
        backfills.bytes -= bytes;
        let drained = limits.buffer.saturating_sub((limits.buffer / 4).max(1));
        if backfills.full && backfills.bytes <= drained {
            backfills.full = false;
            self.ask_for_turn(at);
        }
    }

    // One turn of a worker, step by step.

    /// Takes the next turn, if there is one.
    pub(super) fn take_turn(&mut self) -> Option<Place> {
        let at = self.bucket.ready.pop_front()?;
        self.bucket.running.push(at);
        Some(at)
    }

    /// Chooses what to run: what never ran comes first. None: nothing can, and
    /// the turn is over.
    pub(super) fn begin_turn(&mut self, at: Place) -> Option<Turn> {
        self.promote(at);
        let backfills = &mut self.connections[at].backfills;
        let chosen = match backfills.full {
            true => None,
            false => backfills.fresh.pop_front().or_else(|| backfills.begun.pop_front()),
        };
        match chosen {
            Some(backfill) => Some(Turn { at, backfill, read: 0, stop: None }),
            None => {
                self.bucket.running.retain(|other| *other != at);
                None
            }
        }
    }

    /// Opens the scan, or reads one item, or ends the turn. None: it is over.
    pub(super) fn run_on(&mut self, limits: &Limits, turn: Turn) -> Option<Turn> {
        let stop = match (turn.stop, turn.backfill.scan) {
            (Some(stop), _) => stop,
            (None, None) => return Some(self.open_scan(limits, turn)),
            (None, Some(_)) if turn.read == limits.scan => Stop::More,
            (None, Some(_)) if limits.failing => Stop::Failed,
            (None, Some((next, last))) if next > last => Stop::Finished,
            (None, Some((next, last))) => {
                let read = self.read_item(limits, turn.at, &turn.backfill, next);
                let scan = Some((next + 1, last));
                let backfill = Backfill { scan, ..turn.backfill };
                return Some(Turn { backfill, read: turn.read + 1, stop: read, ..turn });
            }
        };
        self.end_turn(limits, turn, stop)
    }

    fn open_scan(&mut self, limits: &Limits, mut turn: Turn) -> Turn {
        let Backfill { request, vb, range: (after, upto), scan } = &mut turn.backfill;
        let upto = limits.items.min(*upto);
        *scan = Some((*after + 1, upto));
        let connection = &mut self.connections[turn.at];
        let Some(stream) = connection.stream(*vb, *request) else {
            return Turn { stop: Some(Stop::Orphaned), ..turn };
        };
        let from = stream.read + 1;
        if from <= upto {
            stream.queue.push_back(Message::Marker { from, upto, source: Source::Disk });
        }
        connection.changed(*vb);
        turn
    }

    fn read_item(
        &mut self,
        limits: &Limits,
        at: Place,
        backfill: &Backfill,
        seqno: u64,
    ) -> Option<Stop> {
        let connection = &mut self.connections[at];
        let Some(stream) = connection.stream(backfill.vb, backfill.request) else {
            return Some(Stop::Orphaned);
        };
        stream.read = seqno;
        stream.queue.push_back(Message::Item { seqno, source: Source::Disk });
        connection.changed(backfill.vb);
        let backfills = &mut connection.backfills;
        backfills.bytes += 1;
        // One item always goes into an empty buffer, however large it is.
        if backfills.bytes > 1 && backfills.bytes >= limits.buffer {
            backfills.full = true;
        }
        backfills.full.then_some(Stop::More)
    }

    fn end_turn(&mut self, limits: &Limits, turn: Turn, stop: Stop) -> Option<Turn> {
        let Turn { at, backfill, .. } = turn;
        let connection = &mut self.connections[at];
        let (vb, stream) = (backfill.vb, connection.stream(backfill.vb, backfill.request));
        let mut over = true;
        match (stream, stop) {
            (Some(_), Stop::More) => {
                connection.backfills.begun.push_back(backfill);
                over = false;
            }
            (Some(stream), Stop::Finished) => {
                stream.in_memory = true;
                let (_, last) = backfill.scan.unwrap_or_default();
                stream.read = stream.read.max(last);
                connection.changed(vb);
            }
            (Some(_), Stop::Failed) => {
                self.end_stream(at, limits, vb, "backfill-fail");
            }
            (Some(_), Stop::Orphaned) | (None, _) => {}
        }
        if over {
            self.return_slots(1);
        }
        self.promote(at);
        self.bucket.running.retain(|other| *other != at);
        self.ask_for_turn(at);
        None
    }
}
