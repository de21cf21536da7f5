//! One turn of one manager, on a worker's thread.
//!
//! Owns the backfill that it runs, and nothing else: between two critical
//! sections of the connection's lock, in which it takes the backfill out and
//! puts it back, it calls the host with no lock held. For each item it takes
//! the lock once more, and there learns whether the stream is still there.
//! Either the item comes first, and the stream's death refunds its bytes; or
//! the death does, and the item is dropped uncharged.

use super::bucket::Turn;
use super::manager::Ran;
use super::Backfill;
use crate::connection::{Connection, Debris, Phase};
use crate::host::{attempt, Hosted, Scan, Scanned};
use crate::wakeups::Wakeups;
use crate::{EndStatus, Item};
use std::time::Instant;

/// How a run ended.
enum Outcome {
    More,
    Later,
    Finished,
    Failed,
    /// The stream has died meanwhile.
    Orphaned,
}

/// What to do after an item.
enum Go {
    On,
    /// The read-ahead buffer is full.
    Full,
    OutOfOrder,
    Gone,
}

impl Connection {
    /// Runs one backfill for at most one scan's limits. The bucket gave this
    /// connection the turn; it is given back here in every case.
    pub(crate) fn run_backfill(&self, now: Instant) {
        let memory_high = self.memory_high();
        let Some(mut backfill) = self.begin_run(now, memory_high) else { return };
        let mut wakeups = Wakeups::default();
        let outcome = self.scan(&mut backfill);
        self.end_run(backfill, outcome, now, &mut wakeups);
        wakeups.deliver();
    }

    fn begin_run(&self, now: Instant, memory_high: bool) -> Option<Backfill> {
        let mut phase = self.lock();
        let mut bucket = self.shared.bucket.lock();
        let begun = match &mut *phase {
            Phase::Open(open) => open.backfills.begin_run(now, memory_high, &self.me, &mut bucket),
            Phase::Closed(_) => Err(Turn::Never),
        };
        begun.map_err(|turn| bucket.end_turn(&self.me, turn)).ok()
    }

    /// Every wake-up is delivered before the host is called again: its scan
    /// may block, and the front end, which counts as awake by now, would miss
    /// the items of every other stream meanwhile.
    fn scan(&self, backfill: &mut Backfill) -> Outcome {
        let scan = match &mut backfill.scan {
            Some(open) => open,
            None => match self.open_scan(backfill) {
                Ok(open) => backfill.scan.insert(open),
                Err(outcome) => return outcome,
            },
        };
        let config = &self.shared.config;
        let (mut items, mut bytes) = (0, 0);
        while items < config.scan_items && bytes < config.scan_bytes {
            match attempt(|| scan.next()) {
                Some(Scanned::Item(item)) => {
                    items += 1;
                    bytes += item.size();
                    let (vb, stream) = (backfill.vb, backfill.stream);
                    match self.deliver_item(vb, stream, item) {
                        Go::On => {}
                        Go::Full => return Outcome::More,
                        Go::OutOfOrder => return Outcome::Failed,
                        Go::Gone => return Outcome::Orphaned,
                    }
                }
                Some(Scanned::Later) => return Outcome::Later,
                Some(Scanned::End) => return Outcome::Finished,
                None => return Outcome::Failed,
            }
        }
        Outcome::More
    }

    fn open_scan(&self, backfill: &Backfill) -> Result<Hosted<Box<dyn Scan>>, Outcome> {
        let opened = attempt(|| {
            let scan = Hosted::new(self.shared.source.open_scan(backfill.vb, backfill.range)?);
            let end = scan.snapshot_end();
            Ok((scan, end))
        });
        let Some((scan, end)) = opened else { return Err(Outcome::Failed) };
        let mut wakeups = Wakeups::default();
        let there = match &mut *self.lock() {
            Phase::Open(open) => match open.stream(backfill.vb, backfill.stream) {
                Some(stream) => {
                    stream.scan_opened(end);
                    open.stream_changed(backfill.vb, &mut wakeups);
                    true
                }
                None => false,
            },
            Phase::Closed(_) => false,
        };
        wakeups.deliver();
        if there {
            Ok(scan)
        } else {
            Err(Outcome::Orphaned)
        }
    }

    fn deliver_item(&self, vb: crate::VbId, stream: crate::stream::StreamId, item: Item) -> Go {
        let charge = item.charge();
        let mut wakeups = Wakeups::default();
        let mut phase = self.lock();
        let Phase::Open(open) = &mut *phase else { return Go::Gone };
        match open.stream(vb, stream).map(|stream| stream.push_backfilled(item)) {
            None => return Go::Gone,
            Some(Err(_)) => return Go::OutOfOrder,
            Some(Ok(())) => {}
        }
        let go = if open.backfills.charge(charge) { Go::On } else { Go::Full };
        open.stream_changed(vb, &mut wakeups);
        drop(phase);
        wakeups.deliver();
        go
    }

    fn end_run(&self, backfill: Backfill, outcome: Outcome, now: Instant, wakeups: &mut Wakeups) {
        let mut debris = Debris::default();
        let mut phase = self.lock();
        let turn = match &mut *phase {
            Phase::Open(open) => {
                let (vb, id) = (backfill.vb, backfill.stream);
                let ran = match (open.stream(vb, id), outcome) {
                    (Some(_), Outcome::More) => Ran::More(backfill),
                    (Some(_), Outcome::Later) => {
                        Ran::Snooze(self.shared.config.snooze_from(now), backfill)
                    }
                    (Some(stream), Outcome::Finished) => {
                        stream.scan_finished();
                        open.stream_changed(vb, wakeups);
                        debris.backfill(backfill);
                        Ran::Over
                    }
                    (Some(_), Outcome::Failed) => {
                        let status = EndStatus::BackfillFail;
                        self.end_stream(open, vb, status, wakeups, &mut debris);
                        debris.backfill(backfill);
                        Ran::Over
                    }
                    (Some(_), Outcome::Orphaned) | (None, _) => {
                        debris.backfill(backfill);
                        Ran::Over
                    }
                };
                let mut bucket = self.shared.bucket.lock();
                let turn = open.backfills.end_run(ran, &self.me, &mut bucket);
                bucket.end_turn(&self.me, turn);
                None
            }
            // The close gave the queued slots back; this one was not queued.
            Phase::Closed(_) => {
                debris.backfill(backfill);
                Some(Turn::Never)
            }
        };
        if let Some(turn) = turn {
            let mut bucket = self.shared.bucket.lock();
            bucket.return_slots(1);
            bucket.end_turn(&self.me, turn);
        }
        drop(phase);
        debris.clear();
    }
}
