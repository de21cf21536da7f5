//! Slots and places in lines are given, kept and given back, once.

use super::super::{mutant, Mutant};
use super::{BUCKET, CONN, MANAGER, OPEN, STREAMS};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "over-keeps-its-slot",
        "a backfill that is over keeps its slot (MB-25798 leaked them at a disconnect)",
        MANAGER,
        &[(r"        self.running = false;
        self.slots_over += 1;", "        self.running = false;")],
    ),
    mutant(
        "over-gives-two-slots",
        "a slot is given back twice",
        MANAGER,
        &[(r"        self.running = false;
        self.slots_over += 1;", r"        self.running = false;
        self.slots_over += 2;")],
    ),
    mutant(
        "cancelled-keeps-its-slot",
        "a dead stream keeps the slot of its backfill",
        MANAGER,
        &[("        self.slots_over += 1;\n        self.queued.take(place)", "        self.queued.take(place)")],
    ),
    mutant(
        "ended-without-a-backfill-gives-a-slot",
        "a stream that ends without a backfill gives a slot back",
        MANAGER,
        &[("        match &self.queued.0.get(place as usize)?.as_ref()?.queue {", "        let Some(queued) = self.queued.0.get(place as usize).and_then(Option::as_ref) else {\n            self.slots_over += 1;\n            return None;\n        };\n        match &queued.queue {")],
    ),
    mutant(
        "cancelled-stays-pending",
        "a dead stream keeps its place in the line for slots",
        STREAMS,
        &[("        self.pending.remove(&mut Pending(&mut self.places), id.place);\n", "")],
    ),
    mutant(
        "cancelled-snooze-keeps-its-slot",
        "the same, of a backfill that is put off",
        MANAGER,
        &[("        self.slots_over += 1;\n        self.queued.take(place)", "        let queue = self.queued.take(place);\n        self.slots_over += usize::from(!matches!(queue, Some(Queue::Snoozing(..))));\n        queue")],
    ),
    mutant(
        "cancelled-stays-put-off",
        "a dead backfill stays among those that are put off",
        MANAGER,
        &[("            Queue::Snoozing(_, at, order) => self.snoozing.remove(&(*at, *order, place)),", "            Queue::Snoozing(_, at, order) => self.snoozing.contains(&(*at, *order, place)),")],
    ),
    mutant(
        "close-keeps-the-slots",
        "a connection that closes keeps its slots (MB-25798)",
        BUCKET,
        &[(r"            state.members.remove(seat.0);
        }
        state.slots_free += slots;", r"            state.members.remove(seat.0);
        }
        let _ = slots;")],
    ),
    mutant(
        "close-calls-nobody",
        "a connection closes, and who waits for its slots is not told",
        BUCKET,
        &[(r"            state.members.remove(seat.0);
        }
        state.slots_free += slots;
        self.call_first_waiter();", r"            state.members.remove(seat.0);
        }
        state.slots_free += slots;")],
    ),
    mutant(
        "close-gives-the-running-slot-too",
        "the slot of a running backfill is given back by the close, and by the run",
        CONN,
        &[("leave(seat, open.backfills.slots_queued());", "leave(seat, open.backfills.in_progress());")],
    ),
    mutant(
        "close-with-pending-slots",
        "a close gives back slots for those that had none",
        CONN,
        &[("leave(seat, open.backfills.slots_queued());", "leave(seat, open.backfills.slots_queued() + open.streams.pending());")],
    ),
    mutant(
        "closed-run-keeps-its-slot",
        "a run that finds its connection closed keeps its slot",
        CONN,
        &[(r"                bucket.return_slots(1);
", "")],
    ),
    mutant(
        "closed-run-keeps-its-turn",
        "a run that finds its connection closed counts as running for ever",
        CONN,
        &[("                bucket.return_slots(1);\n                bucket.end_turn(seat, Turn::Never);\n", "                bucket.return_slots(1);\n")],
    ),
    mutant(
        "returned-slots-call-nobody",
        "a slot is free, and who waits for it is not told",
        BUCKET,
        &[(r"            self.state.slots_free += slots;
            self.call_first_waiter();", "            self.state.slots_free += slots;")],
    ),
    mutant(
        "line-is-overtaken",
        "whoever asks takes a free slot, though others wait",
        BUCKET,
        &[("if state.slots_free == 0 || overtakes {", r"let _ = overtakes;
        if state.slots_free == 0 {")],
    ),
    mutant(
        "slots-without-limit",
        "a slot is taken though there is none",
        BUCKET,
        &[("if state.slots_free == 0 || overtakes {", "if state.slots_free == 0 && overtakes {"), ("        state.slots_free -= 1;", "        state.slots_free = state.slots_free.saturating_sub(1);")],
    ),
    mutant(
        "who-finds-no-slot-does-not-wait",
        "no slot, and no place in line",
        BUCKET,
        &[("            if ticket.is_none() {", "            if false {")],
    ),
    mutant(
        "slot-taken-keeps-its-place",
        "who has its slot stays in line",
        BUCKET,
        &[(r"        state.slots_free -= 1;
        state.leave_line(seat);", "        state.slots_free -= 1;")],
    ),
    mutant(
        "slot-taken-calls-nobody",
        "of two free slots, the second in line is not told",
        BUCKET,
        &[(r"        state.leave_line(seat);
        self.call_first_waiter();
        true", r"        state.leave_line(seat);
        true")],
    ),
    mutant(
        "line-left-calls-nobody",
        "the first in line leaves it with a slot free, and the second is not told",
        BUCKET,
        &[("        self.state.leave_line(seat);\n        self.call_first_waiter();", "        self.state.leave_line(seat);")],
    ),
    mutant(
        "nothing-pending-stays-in-line",
        "a connection with nothing pending keeps its place",
        OPEN,
        &[("        let leaves = self.waiting && !self.wants_slot();", "        let leaves = self.waiting && self.backfills.has_room() && false;")],
    ),
    mutant(
        "full-stays-in-line",
        "a connection whose buffer is full keeps its place in the line for slots, and takes none",
        OPEN,
        &[("        let leaves = self.waiting && !self.wants_slot();", "        let leaves = self.waiting && !self.streams.any_pending();")],
    ),
    mutant(
        "line-is-left-in-word-only",
        "who wants no slot any more thinks it has left the line",
        OPEN,
        &[("        if leaves {\n            bucket.leave_line(seat);\n        }\n", "")],
    ),
    mutant(
        "closed-pending-keeps-its-place",
        "a pending backfill is closed, and its place in the line is kept",
        CONN,
        &[("        if cancelled.is_some() || resumes || open.waiting {", "        if cancelled.is_some() || resumes {")],
    ),
    mutant(
        "passed-over-for-good",
        "a slot becomes free while the first in line runs, and it is not told when it ends",
        OPEN,
        &[("        bucket.call_first_waiter();\n", "")],
    ),
    mutant(
        "close-stays-in-line",
        "a connection that closed waits for a slot",
        BUCKET,
        &[(r"        state.leave_turns(seat);
        state.leave_line(seat);
        if state", r"        state.leave_turns(seat);
        if state")],
    ),
    mutant(
        "running-is-not-passed-over",
        "a waiter that is running holds up the line",
        BUCKET,
        &[(r"            self.waiting.remove(&ticket);
            self.passed_over += 1;", "            let _ = ticket;"), (r"            self.waiting.insert(ticket, seat);
            self.passed_over -= 1;", "            let _ = ticket;")],
    ),
    mutant(
        "run-loses-its-place",
        "a waiter that ran has lost its place in line",
        BUCKET,
        &[(r"            self.waiting.insert(ticket, seat);
            self.passed_over -= 1;", r"            let _ = ticket;
            self.member(seat).ticket = None;
            self.passed_over -= 1;")],
    ),
    mutant(
        "run-goes-to-the-end-of-the-line",
        "a waiter that ran waits behind all others",
        BUCKET,
        &[(r"            self.waiting.insert(ticket, seat);
            self.passed_over -= 1;", r"            let _ = ticket;
            let ticket = self.ticket();
            self.member(seat).ticket = Some(ticket);
            self.waiting.insert(ticket, seat);
            self.passed_over -= 1;")],
    ),
    mutant(
        "cap-is-forgotten",
        "a connection has more in progress than it may",
        MANAGER,
        &[("self.in_progress() < self.config.backfills_per_connection && !self.buffer.is_full()", "!self.buffer.is_full()")],
    ),
    mutant(
        "cap-is-one-more",
        "one more than it may",
        MANAGER,
        &[("self.in_progress() < self.config.backfills_per_connection", "self.in_progress() <= self.config.backfills_per_connection")],
    ),
    mutant(
        "cap-forgets-the-running",
        "one that runs does not count",
        MANAGER,
        &[("self.in_progress() < self.config.backfills_per_connection", "self.slots_queued() < self.config.backfills_per_connection")],
    ),
    mutant(
        "two-slots-for-one-backfill",
        "a backfill takes two slots",
        OPEN,
        &[("            self.waiting = !bucket.take_slot(seat);", "            self.waiting = !(bucket.take_slot(seat) && bucket.take_slot(seat));")],
    ),
    mutant(
        "slot-without-a-backfill",
        "a slot is taken, and a backfill that has one goes on",
        OPEN,
        &[("            if !self.waiting {\n                drop(bucket);", "            if !self.waiting && self.backfills.in_progress() == 0 {\n                drop(bucket);")],
    ),
    mutant(
        "slots-over-are-kept",
        "slots that are over are given back again and again",
        MANAGER,
        &[("        std::mem::take(&mut self.slots_over)", "        self.slots_over")],
    ),
    mutant(
        "slots-over-are-not-returned",
        "slots that are over stay with their connection",
        OPEN,
        &[("        bucket.return_slots(self.backfills.take_slots_over());", "        self.backfills.take_slots_over();")],
    ),
    mutant(
        "seat-is-not-left",
        "a connection that closed keeps its seat",
        BUCKET,
        &[(r"        } else {
            state.members.remove(seat.0);
        }", "        }")],
    ),
    mutant(
        "left-seat-is-kept",
        "a connection that closed while it ran keeps its seat, and may get a turn",
        BUCKET,
        &[("            state.member(seat).left = true;", "            state.member(seat).left = false;")],
    ),
    mutant(
        "waiter-is-called-without-a-slot",
        "who waits for a slot gets a turn though there is none",
        BUCKET,
        &[(r"        if self.state.slots_free > 0 {
            if let", r"        if true {
            if let")],
    ),
    mutant(
        "last-in-line-is-first",
        "the last in line gets the slot",
        BUCKET,
        &[("self.state.waiting.first_key_value()", "self.state.waiting.last_key_value()")],
    ),
];
