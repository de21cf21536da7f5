//! Mistakes that were thought of last of all, by who had read the core and not the
//! scenarios: nothing was added for them before they were run.

use super::super::{mutant, Mutant};
use super::{BUCKET, CONN, INDEX, MANAGER, OPEN, RUN, STREAMS, WAKE};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "empty-stream-wakes-nobody",
        "a stream of nothing has its turn, and a front end that sleeps is not told",
        CONN,
        &[("            // There is its end to send.\n            open.stream_changed(id, &mut after);", "            // There is its end to send.\n            open.streams.changed(id);")],
    ),
    mutant(
        "request-drops-its-wakeups",
        "what a request owes is dropped, and not given to its caller",
        CONN,
        &[("            open.stream_changed(id, &mut after);\n        }\n        Ok(after)", "            open.stream_changed(id, &mut after);\n        }\n        Ok(After::default())")],
    ),
    mutant(
        "nothing-ends-the-look",
        "a stream that has its turn and nothing to send any more ends the look at all",
        OPEN,
        &[("                Next::Nothing => {}", "                Next::Nothing => break,")],
    ),
    mutant(
        "finished-says-idle",
        "a step that ends a stream says that there is nothing, and the end waits",
        CONN,
        &[("                            self.end_stream(open, id, EndStatus::Ok, &mut after);", "                            self.end_stream(open, id, EndStatus::Ok, &mut after);\n                            return Step::Idle;")],
    ),
    mutant(
        "memory-read-says-idle",
        "a step that has read from memory does not look again, and says that there is nothing",
        CONN,
        &[("            self.read_memory(stream, vb, range);", "            self.read_memory(stream, vb, range);\n            return Step::Idle;")],
    ),
    mutant(
        "first-in-line-waits-for-itself",
        "who is first in line for a slot counts as overtaking itself",
        BUCKET,
        &[("ticket.is_none_or(|ticket| first < ticket)", "ticket.is_none_or(|ticket| first <= ticket)")],
    ),
    mutant(
        "newest-request-first",
        "of the backfills that are pending the newest begins first",
        STREAMS,
        &[("        self.pending.push_back(", "        self.pending.push_front(")],
    ),
    mutant(
        "snoozes-by-place",
        "of those that are due at one time the one with the lowest place goes on, and not who came first",
        MANAGER,
        &[("        self.next_snooze += 1;\n", "")],
    ),
    mutant(
        "overfull-is-ignored",
        "a scan that pushes onto a full batch loses an item, and its stream goes on",
        RUN,
        &[("        if batch.is_overfull() {", "        if false {")],
    ),
    mutant(
        "limit-is-later",
        "a run that comes to its limit is put off as if there were nothing to read",
        RUN,
        &[("batch.is_full() => return Ok(Ran::More),", "batch.is_full() => return Ok(Ran::Later),")],
    ),
    mutant(
        "last-batch-is-lost",
        "items that a scan hands over with its end are dropped",
        RUN,
        &[("        if !nothing {\n", "        if !nothing && scanned != Scanned::End {\n")],
    ),
    mutant(
        "walk-ends-after-a-batch",
        "a walk over a vb visits the first sixteen",
        INDEX,
        &[("            if copied < BATCH {\n                return;", "            if copied <= BATCH {\n                return;")],
    ),
    mutant(
        "split-loses-the-wakeups",
        "an answer that is split from its wake-ups loses them",
        WAKE,
        &[("        (self.value, self.wakeups)", "        (self.value, Wakeups::default())")],
    ),
    mutant(
        "request-settles-nothing",
        "a request wishes for a backfill, and asks for no turn",
        CONN,
        &[("            open.streams.want_backfill(id);\n            open.settle(&self.shared.bucket, &self.me);\n        } else {", "            open.streams.want_backfill(id);\n        } else {")],
    ),
    mutant(
        "displaced-refuses-a-close",
        "who was displaced cannot close its streams",
        CONN,
        &[("            Phase::Closed(_) => return Err(CloseError::ConnectionClosed),\n            Phase::Open(open) => open,", "            Phase::Closed(_) => return Err(CloseError::ConnectionClosed),\n            Phase::Open(open) if open.displaced => return Err(CloseError::ConnectionClosed),\n            Phase::Open(open) => open,")],
    ),
    mutant(
        "displaced-hands-out-ends",
        "who was displaced is sent the ends of its streams before it is told",
        CONN,
        &[("                    Phase::Open(open) if open.displaced => {\n                        return Step::Disconnect", "                    Phase::Open(open) if open.displaced && open.ends.is_empty() => {\n                        return Step::Disconnect")],
    ),
    mutant(
        "close-reports-backwards",
        "a close reports the last of what it ends first",
        OPEN,
        &[("    after.front_end(front_end);\n    report", "    after.front_end(front_end);\n    report.reverse();\n    report")],
    ),
    mutant(
        "close-stream-in-two-sections",
        "a stream is looked up in one critical section, and ended in another",
        CONN,
        &[("        let id = open.streams.on(vb).ok_or(CloseError::NoSuchStream(vb))?;", "        let id = open.streams.on(vb).ok_or(CloseError::NoSuchStream(vb))?;\n        drop(phase);\n        let mut phase = self.phase.lock();\n        let Phase::Open(open) = &mut *phase else { return Err(CloseError::ConnectionClosed) };")],
    ),
    mutant(
        "end-streams-in-two-sections",
        "the same, where a vb changes its state",
        CONN,
        &[("        let Some(id) = open.streams.on(vb) else { return false };", "        let Some(id) = open.streams.on(vb) else { return false };\n        drop(phase);\n        let mut phase = self.phase.lock();\n        let Phase::Open(open) = &mut *phase else { return false };")],
    ),
    mutant(
        "request-in-two-sections",
        "a request is found to be right in one critical section, and accepted in another",
        CONN,
        &[("        // From here on nothing refuses.", "        drop(phase);\n        let mut phase = self.phase.lock();\n        let Phase::Open(open) = &mut *phase else { return Err(RequestError::ConnectionClosed) };\n        // From here on nothing refuses.")],
    ),
];
