//! Slots and places in lines are given, kept and given back, once.

use super::super::{mutant, Mutant};
use super::{BUCKET, CONN, MANAGER, OPEN};

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
        &[(r"        if !matches!(queue, Queue::Pending) {
            self.slots_over += 1;
        }", "")],
    ),
    mutant(
        "cancelled-pending-gives-a-slot",
        "a backfill without a slot gives one back",
        MANAGER,
        &[(r"        if !matches!(queue, Queue::Pending) {
            self.slots_over += 1;
        }", "        self.slots_over += 1;")],
    ),
    mutant(
        "cancelled-stays-pending",
        "a dead stream keeps its place in the line for slots",
        MANAGER,
        &[("            Queue::Pending => self.pending.remove(&mut self.queued, place),", "            Queue::Pending => return self.queued.0[place as usize].take().map(|queued| queued.backfill),")],
    ),
    mutant(
        "cancelled-snooze-keeps-its-slot",
        "the same, of a backfill that is put off",
        MANAGER,
        &[("        if !matches!(queue, Queue::Pending) {", "        if !matches!(queue, Queue::Pending | Queue::Snoozing(..)) {")],
    ),
    mutant(
        "cancelled-stays-put-off",
        "a dead backfill stays among those that are put off",
        MANAGER,
        &[("            Queue::Snoozing(at, order) => self.snoozing.remove(&(at, order, place)),", "            Queue::Snoozing(at, order) => self.snoozing.contains(&(at, order, place)),")],
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
        &[("leave(seat, open.backfills.slots_queued());", "leave(seat, open.backfills.slots_queued() + open.backfills.pending());")],
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
        &[(r"                bucket.end_turn(seat, Turn::Never);
", "")],
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
        &[(r"        if self.state.leave_line(seat) {
            self.call_first_waiter();
        }", "        self.state.leave_line(seat);")],
    ),
    mutant(
        "nothing-pending-stays-in-line",
        "a connection with nothing pending keeps its place",
        OPEN,
        &[(r"        if self.backfills.pending() == 0 {
            bucket.leave_line(seat);
        }", "")],
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
        &[("!self.pending.is_empty() && self.in_progress() < self.config.backfills_per_connection", "!self.pending.is_empty()")],
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
        "one-slot-at-a-time",
        "a change gives one slot and not all that are free",
        OPEN,
        &[("        while self.backfills.wants_slot()", "        if self.backfills.wants_slot()")],
    ),
    mutant(
        "slot-without-a-backfill",
        "a slot is taken, and its backfill stays pending",
        MANAGER,
        &[("            self.initializing.push_back(&mut self.queued, place);
", "")],
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
