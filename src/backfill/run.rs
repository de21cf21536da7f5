//! One turn of one manager, on a worker's thread.
//!
//! Owns the backfill that it runs, and nothing else: between two critical
//! sections of the connection's lock, in which it takes the backfill out and
//! puts it back, it calls the host with no lock held. For each batch of items
//! it takes the lock once more, and there learns whether the stream is still
//! there. Either the items come first, and the stream's death refunds their
//! bytes; or the death does, and the items are dropped uncharged.

use super::bucket::Seat;
use super::manager::ReadAhead;
use super::Backfill;
use crate::connection::Connection;
use crate::host::{attempt, Hosted, Scan, Scanned};
use crate::Batch;
use std::time::Instant;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ran {
    /// A limit was reached, or the read-ahead buffer is full: there is more.
    More,
    /// The scan has nothing to read at this moment.
    Later,
    Finished,
    /// The source failed, or broke its contract.
    Failed,
    /// The stream has died meanwhile.
    Orphaned,
}

/// Runs one backfill for at most one scan's limits. The bucket gave this
/// connection the turn; it is given back here in every case.
pub(crate) fn run(connection: &Connection, seat: Seat, now: Instant) {
    let Some((mut backfill, buffer)) = connection.begin_run(seat, now) else { return };
    let ran = scan(connection, &mut backfill, buffer).unwrap_or_else(|ran| ran);
    connection.end_run(seat, backfill, ran, now);
}

/// Every wake-up is delivered before the host is called again: its scan may
/// block, and the front end, which counts as awake by now, would miss the items
/// of every other stream meanwhile.
fn scan(connection: &Connection, backfill: &mut Backfill, buffer: ReadAhead) -> Result<Ran, Ran> {
    let stream = backfill.stream;
    let scan = match &mut backfill.scan {
        Some(open) => open,
        None => {
            let opened = open_scan(connection, backfill)?;
            backfill.scan.insert(opened)
        }
    };
    let mut batch = Batch::new(connection.config(), buffer);
    loop {
        let scanned = attempt(|| scan.read(&mut batch)).ok_or(Ran::Failed)?;
        if batch.is_overfull() {
            return Err(Ran::Failed);
        }
        let nothing = batch.items().is_empty();
        if !nothing {
            connection.items_scanned(stream, &mut batch)?;
        }
        match scanned {
            Scanned::End => return Ok(Ran::Finished),
            Scanned::More if !nothing && batch.is_full() => return Ok(Ran::More),
            Scanned::More if !nothing => {}
            // A scan that has more and brings nothing must not keep its worker.
            Scanned::More | Scanned::Later => return Ok(Ran::Later),
        }
    }
}

fn open_scan(connection: &Connection, backfill: &Backfill) -> Result<Hosted<Box<dyn Scan>>, Ran> {
    let opened = attempt(|| {
        let source = connection.source();
        let scan = Hosted::new(source.open_scan(backfill.vb, backfill.range)?);
        let end = scan.snapshot_end();
        Ok((scan, end))
    });
    let (scan, end) = opened.ok_or(Ran::Failed)?;
    connection.scan_opened(backfill.stream, end)?;
    Ok(scan)
}
