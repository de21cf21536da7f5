//! Twenty mistakes by who had read the core alone: neither the scenarios nor the
//! mistakes before these, of which none is repeated here. At least one of each kind.
//! Eleven of them were seen before anything was added for them.

use super::super::{mutant, Mutant};
use super::{BUCKET, CONN, MANAGER, MAP, OPEN, RUN, STREAM, WAKE};

pub(super) const MUTANTS: &[Mutant] = &[
    // Wake-ups.
    mutant(
        "displaced-may-pause",
        "who is displaced and pauses sleeps, for there is no message, and is not told to disconnect",
        OPEN,
        &[("        self.displaced || !self.ends.is_empty()", "        !self.ends.is_empty()")],
    ),
    mutant(
        "a-panic-ends-the-delivery",
        "a front end that panics costs those behind it their wake-ups",
        WAKE,
        &[("        for owed in &self.owed {\n            if let Owed::Wake(front_end) = owed {\n                contain(|| front_end.wake());\n            }\n        }", "        contain(|| {\n            for owed in &self.owed {\n                if let Owed::Wake(front_end) = owed {\n                    front_end.wake();\n                }\n            }\n        });")],
    ),
    // Slots and lines.
    mutant(
        "due-before-the-ready",
        "a manager that is due goes before those that are ready",
        BUCKET,
        &[("            state.ready.push_back(&mut state.members, seat.0);\n        }\n        while", "            state.ready.push_front(&mut state.members, seat.0);\n        }\n        while")],
    ),
    mutant(
        "leaving-calls-nobody",
        "the first in line is called, and closes before its turn: the second is called only if slots come back",
        BUCKET,
        &[("        state.slots_free += slots;\n        self.call_first_waiter();", "        state.slots_free += slots;\n        if slots > 0 {\n            self.call_first_waiter();\n        }")],
    ),
    mutant(
        "a-look-loses-the-place",
        "who looks for a slot again in the turn of another backfill goes to the end of the line",
        BUCKET,
        &[("            if ticket.is_none() {\n                let ticket = state.ticket();\n                state.member(seat).ticket = Some(ticket);\n                state.passed_over += 1;\n            }", "            state.passed_over += usize::from(ticket.is_none());\n            let ticket = state.ticket();\n            state.member(seat).ticket = Some(ticket);")],
    ),
    mutant(
        "asking-for-none-takes-a-turn-back",
        "a connection that asks for no further turn loses the one that is to come",
        BUCKET,
        &[("            Turn::Never => {}", "            Turn::Never => self.state.leave_turns(seat),")],
    ),
    // Bytes.
    mutant(
        "a-batch-is-one-large-item",
        "a batch is charged as a whole, and passes an empty buffer as one item that is larger than the buffer does",
        MANAGER,
        &[("        items.iter().for_each(|item| self.buffer.charge(item.charge()));", "        self.buffer.charge(items.iter().map(Item::charge).sum());")],
    ),
    // Seqnos and markers.
    mutant(
        "nothing-is-not-the-end",
        "memory has nothing, for a stream that was notified beyond its end: it asks again and again",
        STREAM,
        &[("            if self.high.min(self.request.end) == range.upto {", "            if self.high == range.upto {")],
    ),
    mutant(
        "gone-forgets-the-notified",
        "a stream that goes back to a backfill forgets up to where it was notified, and waits behind the scan's end",
        STREAM,
        &[("            self.apply(Event::GoneFromMemory);", "            self.apply(Event::GoneFromMemory);\n            self.high = self.read;")],
    ),
    // Stale actors on re-opened streams.
    mutant(
        "stale-gone-fails",
        "an answer that memory has the items no more, which another step has overtaken, ends the stream",
        CONN,
        &[("                if stream.gone_from_memory(range) {\n                    open.streams.want_backfill(id);\n                    open.settle(&self.shared.bucket, &self.me);\n                }\n                true", "                let gone = stream.gone_from_memory(range);\n                if gone {\n                    open.streams.want_backfill(id);\n                    open.settle(&self.shared.bucket, &self.me);\n                }\n                gone")],
    ),
    // Names.
    mutant(
        "the-id-of-a-displaced-is-free",
        "an id is in use only as long as its connection has its name",
        MAP,
        &[("        } else if state.connections.contains_key(&id) {", "        } else if state.connections.get(&id).is_some_and(|entry| state.names.get(&entry.name) == Some(&id)) {")],
    ),
    // Refusals and their level.
    mutant(
        "nothing-to-read-needs-no-memory",
        "a request of no items is accepted while the memory is high",
        CONN,
        &[("        if memory_high {", "        if memory_high && start < end {")],
    ),
    // Order of side effects.
    mutant(
        "settled-before-it-is-pending",
        "a stream whose items left the memory asks for its turn before it waits for one",
        CONN,
        &[("                    open.streams.want_backfill(id);\n                    open.settle(&self.shared.bucket, &self.me);\n                }", "                    open.settle(&self.shared.bucket, &self.me);\n                    open.streams.want_backfill(id);\n                }")],
    ),
    // Locks split in two.
    mutant(
        "charged-apart-from-the-push",
        "items are charged in one critical section and queued in another: a stream that ends between refunds too little",
        CONN,
        &[("        stream.push_backfilled(batch.drain());", "        drop(phase);\n        let mut phase = self.phase.lock();\n        let Phase::Open(open) = &mut *phase else { return Err(Ran::Orphaned) };\n        let stream = open.streams.get(id).ok_or(Ran::Orphaned)?;\n        stream.push_backfilled(batch.drain());")],
    ),
    mutant(
        "shut-down-apart-from-the-map",
        "a shutdown looks a connection up, and closes it when the map's lock is released: also one that was disconnected between",
        MAP,
        &[("            let (id, remains) = (*id, entry.connection.close(CloseReason::ShutDown));\n            drop(state);", "            let (id, connection) = (*id, Strong::clone(&entry.connection));\n            drop(state);\n            let remains = connection.close(CloseReason::ShutDown);")],
    ),
    // Host's objects and calls under a lock.
    mutant(
        "appended-objects-are-dropped",
        "wake-ups that take over another call's keep its wake-ups alone: its scans and front ends are dropped there, under the caller's lock",
        WAKE,
        &[("        self.owed.extend(other.owed);", "        self.owed.extend(other.owed.into_iter().filter(|owed| matches!(owed, Owed::Wake(_))));")],
    ),
    mutant(
        "marker-wakes-under-the-lock",
        "the front end is woken for a marker while the connection is locked",
        CONN,
        &[("        open.streams.get(id).ok_or(Ran::Orphaned)?.scan_opened(end);\n        open.stream_changed(id, &mut after);\n        drop(phase);\n        after.into_wakeups().deliver();", "        open.streams.get(id).ok_or(Ran::Orphaned)?.scan_opened(end);\n        open.stream_changed(id, &mut after);\n        after.into_wakeups().deliver();\n        drop(phase);")],
    ),
    // Workers and their end.
    mutant(
        "only-the-first-rest-calls",
        "a rest that is over before another's calls no sleeper, who sleeps until the later one is over",
        BUCKET,
        &[("        // A sleeper may have gone to sleep for longer than that.\n        self.call_sleeper();", "        let first = state.resting.len() == 1;\n        if first {\n            self.call_sleeper();\n        }")],
    ),
    // Time.
    mutant(
        "a-new-backfill-needs-no-memory",
        "the first run of a backfill goes ahead while the memory is high",
        CONN,
        &[("            Phase::Open(open) if memory_high => {", "            Phase::Open(open) if memory_high && open.backfills.in_progress() > 0 => {")],
    ),
    mutant(
        "later-reads-on",
        "a scan that gives something and says later is read on at once",
        RUN,
        &[("            Scanned::More if !nothing => {}", "            Scanned::More | Scanned::Later if !nothing => {}")],
    ),
    // Three more, thought of when those had been seen.
    mutant(
        "closed-scan-is-dropped-under-the-lock",
        "a worker drops the scan of a connection that has closed under that connection's lock",
        CONN,
        &[("                after.backfill(*backfill);\n                let mut bucket", "                drop(backfill);\n                let mut bucket")],
    ),
    mutant(
        "close-drops-the-front-end",
        "a close drops the front end itself, under whatever its caller holds",
        OPEN,
        &[("    after.front_end(front_end);", "    drop(front_end);")],
    ),
    mutant(
        "sleeps-for-the-last",
        "a worker sleeps until the last of what was put off is due",
        BUCKET,
        &[("            let due = state.resting.first().map(", "            let due = state.resting.last().map(")],
    ),
];
