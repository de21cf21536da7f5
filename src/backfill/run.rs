//! One turn of one manager, on a worker's thread.
//!
//! Owns the backfill that it runs, and nothing else. It takes the backfill out in
//! one critical section of the connection's lock and puts it back in another; in
//! between it calls the host with no lock held (rule 3). For each batch of items
//! it takes the lock once more, and learns there whether the stream is still
//! alive (rule 7). Either the items come first, and the stream's death refunds
//! their bytes; or the death does, and the items are dropped uncharged.

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
    /// There is more to read: a limit was reached, or the read-ahead buffer is full.
    More,
    /// The scan has nothing to read at this moment.
    Later,
    Finished,
    /// The source failed, or broke its contract.
    Failed,
    /// The stream has died meanwhile.
    Orphaned,
}

/// Takes a turn that the bucket gave this connection: runs one backfill, up to the
/// limits of one scan. The turn ends here in every case.
pub(crate) fn run(connection: &Connection, seat: Seat, now: Instant) {
    let Some((mut backfill, buffer)) = connection.begin_run(seat, now) else { return };
    let ran = scan(connection, &mut backfill, buffer).unwrap_or_else(|ran| ran);
    connection.end_run(seat, backfill, ran, now);
}

/// Delivers every wake-up before it calls the host again: the scan may block, and
/// the front end, which the core takes for awake by then, would sleep through the
/// items of its other streams.
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
            // A scan that says `More` and gives no item must not keep its worker busy.
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
