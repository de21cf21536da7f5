//! The host's objects and methods: none under a lock, none kept, none that fails alone.

use super::super::{mutant, Mutant};
use super::{AFTER, CONN, HOST, MAP, OPEN, RUN, WAKE};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "wakes-under-its-lock",
        "the host is woken under the lock of its connection (MB-20751 was such a pair)",
        OPEN,
        &[(r"            after.wake(self.front_end.clone());
        }
    }", r"            let _ = after;
            self.front_end.wake();
        }
    }")],
    ),
    mutant(
        "item-wakes-under-the-lock",
        "the wake-up for an item is delivered before the lock is released",
        CONN,
        &[(r"        batch.refreshed(open.backfills.buffer());
        open.stream_changed(id, &mut after);
        drop(phase);
        after.into_wakeups().deliver();", r"        batch.refreshed(open.backfills.buffer());
        open.stream_changed(id, &mut after);
        after.into_wakeups().deliver();
        drop(phase);")],
    ),
    mutant(
        "run-ends-under-the-lock",
        "scans are dropped and front ends woken under the lock at the end of a run (a destructor under a lock: MB-29369 and many)",
        CONN,
        &[(r"        drop(phase);
        // Its destructors run on this worker's thread, which holds no lock of the host's.
        after.into_wakeups().deliver();", r"        after.into_wakeups().deliver();
        drop(phase);")],
    ),
    mutant(
        "scan-dropped-under-the-lock",
        "the scan of a dead stream is dropped under the lock",
        CONN,
        &[("        cancelled.into_iter().for_each(|backfill| after.backfill(*backfill));\n        open.wake(after);", "        drop(cancelled);\n        open.wake(after);")],
    ),
    mutant(
        "scans-dropped-at-once",
        "scans are dropped by the call, whose caller may hold a lock of the host's",
        AFTER,
        &[("        self.wakeups.keep_scan(backfill.scan);", "        drop(backfill);")],
    ),
    mutant(
        "front-end-dropped-under-the-lock",
        "a refused front end is dropped under the map's lock",
        MAP,
        &[(r"        if let Some(error) = refused {
            drop(guard);
            return Err(error);", r"        if let Some(error) = refused {
            drop(front_end);
            drop(guard);
            return Err(error);")],
    ),
    mutant(
        "read-under-the-lock",
        "memory is read under the lock of its connection",
        CONN,
        &[("                        Found::Read(stream, vb, range) => break (stream, vb, range),", r"                        Found::Read(stream, vb, range) => {
                            let _ = attempt(|| self.source().read_memory(vb, range));
                            break (stream, vb, range);
                        }")],
    ),
    mutant(
        "memory-asked-under-the-lock",
        "the host is asked for its memory under the lock",
        CONN,
        &[(r"        let memory_high = self.memory_high();
        let mut phase = self.phase.lock();
        let open = match &mut *phase {
            Phase::Closed(CloseReason::ShutDown) => return Err(RequestError::MapShutDown)", r"        let mut phase = self.phase.lock();
        let memory_high = self.memory_high();
        let open = match &mut *phase {
            Phase::Closed(CloseReason::ShutDown) => return Err(RequestError::MapShutDown)")],
    ),
    mutant(
        "run-asks-under-the-lock",
        "the same, when a turn begins",
        CONN,
        &[("        let memory_high = self.memory_high();\n        let Shared { bucket, live, .. } = &*self.shared;\n        match &mut *self.phase.lock() {", "        let Shared { bucket, live, .. } = &*self.shared;\n        let mut phase = self.phase.lock();\n        let memory_high = self.memory_high();\n        match &mut *phase {")],
    ),
    mutant(
        "scan-panic-goes-through",
        "a panic of a scan ends its worker",
        RUN,
        &[("attempt(|| scan.read(&mut batch)).ok_or", "scan.read(&mut batch).ok().ok_or")],
    ),
    mutant(
        "open-panic-goes-through",
        "a panic of open_scan ends its worker",
        RUN,
        &[(r"    let opened = attempt(|| {
        let source = connection.source();
        let scan = Hosted::new(source.open_scan(backfill.vb, backfill.range)?);
        let end = scan.snapshot_end();
        Ok((scan, end))
    });
    let (scan, end) = opened.ok_or(Ran::Failed)?;", r"    let source = connection.source();
    let scan = source.open_scan(backfill.vb, backfill.range).map_err(|_| Ran::Failed)?;
    let scan = Hosted::new(scan);
    let end = scan.snapshot_end();")],
    ),
    mutant(
        "end-panic-goes-through",
        "a panic of snapshot_end ends its worker",
        RUN,
        &[(r"        let end = scan.snapshot_end();
        Ok((scan, end))
    });
    let (scan, end) = opened.ok_or(Ran::Failed)?;", r"        Ok(scan)
    });
    let scan = opened.ok_or(Ran::Failed)?;
    let end = scan.snapshot_end();")],
    ),
    mutant(
        "read-panic-goes-through",
        "a panic of read_memory comes out of step",
        CONN,
        &[("let mut answer = attempt(|| self.source().read_memory(vb, range));", "let mut answer = self.source().read_memory(vb, range).ok();")],
    ),
    mutant(
        "drop-panic-goes-through",
        "a destructor that panics is not contained",
        HOST,
        &[("        contain(move || drop(object));", "        drop(object);")],
    ),
    mutant(
        "scan-is-leaked",
        "a scan of a dead stream is never dropped",
        AFTER,
        &[("        self.wakeups.keep_scan(backfill.scan);", "        std::mem::forget(backfill.scan);")],
    ),
    mutant(
        "front-end-is-leaked",
        "a front end of a closed connection is never dropped",
        AFTER,
        &[("        self.wakeups.keep_front_end(front_end);", "        std::mem::forget(front_end);")],
    ),
    mutant(
        "appended-wakeups-are-lost",
        "wake-ups that are taken over are lost",
        WAKE,
        &[(r"        self.owed.extend(other.owed);
", "")],
    ),
    mutant(
        "scan-is-opened-again",
        "each run opens a scan of its own, from the beginning",
        RUN,
        &[(r"    let scan = match &mut backfill.scan {
        Some(open) => open,
        None => {", r"    backfill.scan = None;
    let scan = match &mut backfill.scan {
        Some(open) => open,
        None => {")],
    ),
    mutant(
        "scan-of-another-range",
        "a scan is opened one seqno late",
        RUN,
        &[("source.open_scan(backfill.vb, backfill.range)?", "source.open_scan(backfill.vb, crate::SeqnoRange { after: backfill.range.after + 1, ..backfill.range })?")],
    ),
    mutant(
        "scan-of-another-vb",
        "a scan is opened of another vb",
        RUN,
        &[("source.open_scan(backfill.vb, backfill.range)?", "source.open_scan(crate::VbId(backfill.vb.0 ^ 1), backfill.range)?")],
    ),
    mutant(
        "later-is-the-end",
        "a scan that has nothing for a while is through",
        RUN,
        &[("return Ok(Ran::Later)", "return Ok(Ran::Finished)")],
    ),
    mutant(
        "later-is-more",
        "a scan that has nothing for a while is asked again at once",
        RUN,
        &[("return Ok(Ran::Later)", "return Ok(Ran::More)")],
    ),
    mutant(
        "error-is-the-end",
        "a scan that fails is through: the client misses the rest, and is told Ok",
        RUN,
        &[("scan.read(&mut batch)).ok_or(Ran::Failed)", "scan.read(&mut batch)).ok_or(Ran::Finished)")],
    ),
    mutant(
        "end-is-a-failure",
        "a scan that is through has failed",
        RUN,
        &[("return Ok(Ran::Finished)", "return Ok(Ran::Failed)")],
    ),
    mutant(
        "out-of-order-is-more",
        "an item out of order ends the run, and not the stream",
        CONN,
        &[("map_err(|_| Ran::Failed)?", "map_err(|_| Ran::More)?")],
    ),
];
