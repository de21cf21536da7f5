//! One turn of one manager, on a worker's thread.
//!
//! Owns the backfill that it runs, and nothing else: between two critical
//! sections of the connection's lock, in which it takes the backfill out and
//! puts it back, it calls the host with no lock held. For each item it takes
//! the lock once more, and there learns whether the stream is still there.
//! Either the item comes first, and the stream's death refunds its bytes; or
//! the death does, and the item is dropped uncharged.

use super::bucket::Seat;
use super::Backfill;
use crate::connection::Connection;
use crate::host::{attempt, Hosted, Scan, Scanned};
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
    let Some(mut backfill) = connection.begin_run(seat, now) else { return };
    let ran = scan(connection, &mut backfill).unwrap_or_else(|ran| ran);
    connection.end_run(seat, backfill, ran, now);
}

/// Every wake-up is delivered before the host is called again: its scan may
/// block, and the front end, which counts as awake by now, would miss the items
/// of every other stream meanwhile.
fn scan(connection: &Connection, backfill: &mut Backfill) -> Result<Ran, Ran> {
    let stream = backfill.stream;
    let scan = match &mut backfill.scan {
        Some(open) => open,
        None => {
            let opened = open_scan(connection, backfill)?;
            backfill.scan.insert(opened)
        }
    };
    let config = connection.config();
    let (mut items, mut bytes) = (0, 0);
    while items < config.scan_items && bytes < config.scan_bytes {
        match attempt(|| scan.next()) {
            Some(Scanned::Item(item)) => {
                items += 1;
                bytes += item.size();
                connection.item_scanned(stream, item)?;
            }
            Some(Scanned::Later) => return Ok(Ran::Later),
            Some(Scanned::End) => return Ok(Ran::Finished),
            None => return Err(Ran::Failed),
        }
    }
    Ok(Ran::More)
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
