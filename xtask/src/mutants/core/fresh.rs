//! Mistakes that were thought of when all the others were seen: how many of a
//! kind that nobody had in mind do the checks see?

use super::super::{mutant, Mutant};
use super::{BUCKET, CONN, MANAGER, MAP, OPEN, STREAMS};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "displaced-keeps-its-slots",
        "a connection that was displaced and closes keeps its slots and its turn",
        CONN,
        &[("        if let Some(seat) = open.seat {\n            self.shared", "        if let Some(seat) = open.seat.filter(|_| !open.displaced) {\n            self.shared")],
    ),
    mutant(
        "end-streams-spares-the-displaced",
        "end_streams leaves the streams of who was displaced",
        CONN,
        &[("        let Phase::Open(open) = &mut *phase else { return false };\n        let Some(id)", "        let Phase::Open(open) = &mut *phase else { return false };\n        if open.displaced {\n            return false;\n        }\n        let Some(id)")],
    ),
    mutant(
        "a-request-counts-as-awake",
        "whoever opens a stream is taken to step next, though another thread of it sleeps",
        CONN,
        &[("        // From here on nothing refuses.", "        open.paused = false;\n        // From here on nothing refuses.")],
    ),
    mutant(
        "sent-goes-first-again",
        "a stream that has more to send goes before the others",
        STREAMS,
        &[("            self.ready.push_back(&mut self.places, id.place);", "            self.ready.push_front(&mut self.places, id.place);")],
    ),
    mutant(
        "changed-goes-to-the-end",
        "a stream that has more to send loses its place in turn",
        STREAMS,
        &[("            self.ready.push_back(&mut self.places, id.place);", "            self.ready.remove(&mut self.places, id.place);\n            self.ready.push_back(&mut self.places, id.place);")],
    ),
    mutant(
        "one-due-at-a-time",
        "of several that are due one gets its place in line",
        BUCKET,
        &[("        while let Some((at, ticket, seat)) = state.resting.first().copied() {\n            if at > now {\n                break;\n            }\n            state.resting", "        if let Some((_, ticket, seat)) = state.resting.first().copied().filter(|(at, ..)| *at <= now) {\n            let at = state.resting.first().map_or(now, |(at, ..)| *at);\n            state.resting")],
    ),
    mutant(
        "wait-counts-again",
        "a worker that has slept until something is due sleeps as long again",
        BUCKET,
        &[("            if timeout.is_some() {\n                break;\n            }", "            let _ = timeout;")],
    ),
    mutant(
        "resting-keeps-its-time",
        "who rests keeps the time at which it was to have its turn, whatever comes",
        BUCKET,
        &[("            Whereabouts::Ready | Whereabouts::Running => return,\n            Whereabouts::Idle | Whereabouts::Resting(..) => state.leave_turns(seat),\n        }\n        let ticket", "            Whereabouts::Idle => state.leave_turns(seat),\n            _ => return,\n        }\n        let ticket")],
    ),
    mutant(
        "passed-over-stays-counted",
        "who leaves the line for slots while it runs stays counted",
        BUCKET,
        &[("            Some(_) if running => self.passed_over -= 1,", "            Some(_) if running => {}")],
    ),
    mutant(
        "who-runs-waits-as-well",
        "who finds no slot while it runs holds up the line",
        BUCKET,
        &[("                state.passed_over += 1;\n            }\n            return false;", "                state.passed_over += 1;\n                state.waiting.insert(ticket, seat);\n            }\n            return false;")],
    ),
    mutant(
        "shutdown-stops-at-the-closed",
        "a shutdown that finds a connection closed takes all for closed",
        MAP,
        &[("                closed.push(ClosedConnection { id, ends: remains.end(&self.shared, &mut after) });\n            }", "                closed.push(ClosedConnection { id, ends: remains.end(&self.shared, &mut after) });\n            } else {\n                break;\n            }")],
    ),
    mutant(
        "disconnect-in-two-sections",
        "a connection leaves the map in one critical section, and is closed in another",
        MAP,
        &[("        let remains = entry.connection.close(CloseReason::Disconnected);\n        drop(state);", "        drop(state);\n        let remains = entry.connection.close(CloseReason::Disconnected);")],
    ),
    mutant(
        "close-reports-streams-first",
        "a close reports the streams that were open before those that had ended",
        OPEN,
        &[("    let mut report = Vec::from(ends);", "    let mut report = Vec::new();"), ("    backfills.into_backfills().for_each(|backfill| after.backfill(backfill));", "    report.extend(ends);\n    backfills.into_backfills().for_each(|backfill| after.backfill(backfill));")],
    ),
    mutant(
        "empty-range-is-backfilled",
        "a backfill is scheduled for a stream of nothing",
        CONN,
        &[("        if start < end {", "        if start <= end {")],
    ),
    mutant(
        "stray-memory-is-kept",
        "memory gives what was not asked for, and the stream goes on",
        CONN,
        &[("stream.push_memory(range, items).is_ok(),", "{\n                let _ = stream.push_memory(range, items);\n                true\n            }")],
    ),
    mutant(
        "draining-keeps-the-slot",
        "a stream ends that had filled the buffer, and the slot of its backfill is forgotten",
        CONN,
        &[("        if cancelled.is_some() || resumes || open.waiting {", "        if !resumes && (cancelled.is_some() || open.waiting) {")],
    ),
    mutant(
        "snooze-is-over-for-one",
        "of several backfills that were put off one goes on",
        MANAGER,
        &[("            self.snoozing.remove(&(at, order, place));\n            if let Some(queue) = self.queued.take(place) {\n                self.queued.put(Queue::Active(queue.into_backfill()));\n                self.active.push_back(&mut self.queued, place);\n            }\n", "            self.snoozing.remove(&(at, order, place));\n            if let Some(queue) = self.queued.take(place) {\n                self.queued.put(Queue::Active(queue.into_backfill()));\n                self.active.push_back(&mut self.queued, place);\n            }\n            break;\n")],
    ),
];
