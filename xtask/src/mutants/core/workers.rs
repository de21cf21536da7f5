//! Workers, their turns and their end.

use super::super::{mutant, Mutant};
use super::{BUCKET, MANAGER, OPEN, WORKER};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "turn-is-forgotten",
        "a turn is asked for, and not given",
        BUCKET,
        &[("            Turn::Now => self.make_ready(seat),", "            Turn::Now => {}")],
    ),
    mutant(
        "turn-calls-nobody",
        "a turn is there, and no worker that sleeps is called",
        BUCKET,
        &[(
            r"        state.ready.push_back(&mut state.members, seat.0);
        self.call_sleeper();",
            "        state.ready.push_back(&mut state.members, seat.0);",
        )],
    ),
    mutant(
        "sleeper-is-not-counted",
        "a worker goes to sleep, and nobody knows",
        BUCKET,
        &[
            (
                r"            state.sleepers += 1;
",
                "",
            ),
            (
                r"            state.sleepers -= 1;
",
                "",
            ),
        ],
    ),
    mutant(
        "sleeper-stays-counted",
        "a worker that woke up counts as asleep",
        BUCKET,
        &[(
            r"            state.sleepers -= 1;
",
            "",
        )],
    ),
    mutant(
        "stop-calls-one",
        "a shutdown calls one worker of those that sleep",
        BUCKET,
        &[("        self.work.notify_all();", "        self.work.notify_one();")],
    ),
    mutant(
        "stop-calls-nobody",
        "a shutdown calls nobody",
        BUCKET,
        &[(
            r"        self.work.notify_all();
",
            "",
        )],
    ),
    mutant(
        "stop-does-not-stay",
        "a worker that waits later is not told to stop",
        BUCKET,
        &[(
            r"        self.state.lock().stopped = true;
",
            "",
        )],
    ),
    mutant(
        "stop-is-run",
        "a worker that was stopped is told to run",
        BUCKET,
        &[(
            r"        !state.stopped
    }",
            r"        true
    }",
        )],
    ),
    mutant(
        "wait-does-not-look",
        "a worker waits though there is a turn",
        BUCKET,
        &[(
            "        while !state.stopped && state.ready.is_empty() {",
            "        while !state.stopped {",
        )],
    ),
    mutant(
        "wait-looks-once",
        "a worker that wakes up for no reason runs",
        BUCKET,
        &[(
            r"            if timeout.is_some() {
                break;
            }",
            "            break;",
        )],
    ),
    mutant(
        "wait-forgets-the-stop",
        "a worker waits though it was told to stop",
        BUCKET,
        &[(
            "        while !state.stopped && state.ready.is_empty() {",
            "        while state.ready.is_empty() {",
        )],
    ),
    mutant(
        "wait-forgets-who-rests",
        "a worker sleeps past the time of who rests",
        BUCKET,
        &[(
            "            let due = state.resting.first().map(|(at, ..)| *at);",
            "            let due: Option<Instant> = None;",
        )],
    ),
    mutant(
        "wait-is-never-due",
        "a worker does not see that who rests is due",
        BUCKET,
        &[(
            r"            if timeout == Some(Duration::ZERO) {
                break;
            }
",
            "",
        )],
    ),
    mutant(
        "second-turn-calls-nobody",
        "of several that became due at once, no second worker is told",
        BUCKET,
        &[(
            r"                if !state.ready.is_empty() && state.sleepers > 0 {
                    self.work.notify_one();
                }
",
            "",
        )],
    ),
    mutant(
        "ready-twice",
        "a connection that is ready gets a second place",
        BUCKET,
        &[(
            r"            Whereabouts::Ready | Whereabouts::Running => return,
            Whereabouts::Idle | Whereabouts::Resting(..) => state.leave_turns(seat),
        }
        state.member(seat).whereabouts = Whereabouts::Ready;",
            r"            Whereabouts::Running => return,
            _ => state.leave_turns(seat),
        }
        state.member(seat).whereabouts = Whereabouts::Ready;",
        )],
    ),
    mutant(
        "running-is-made-ready",
        "a connection that runs gets a turn, and two workers run it",
        BUCKET,
        &[(
            r"            Whereabouts::Ready | Whereabouts::Running => return,
            Whereabouts::Idle | Whereabouts::Resting(..) => state.leave_turns(seat),
        }
        state.member(seat).whereabouts = Whereabouts::Ready;",
            r"            Whereabouts::Ready => return,
            _ => state.leave_turns(seat),
        }
        state.member(seat).whereabouts = Whereabouts::Ready;",
        )],
    ),
    mutant(
        "turn-does-not-end",
        "a turn is over, and its connection counts as running",
        BUCKET,
        &[(
            r"        let member = self.member(seat);
        member.whereabouts = Whereabouts::Idle;
        if let Some(ticket) = member.ticket {
            self.waiting.insert",
            r"        let member = self.member(seat);
        if let Some(ticket) = member.ticket {
            self.waiting.insert",
        )],
    ),
    mutant(
        "empty-turn-does-not-end",
        "a turn with nothing to run is kept",
        OPEN,
        &[("        if backfill.is_none() {\n            self.end_turn(&mut bucket, seat, self.next_turn());\n        }\n", "")],
    ),
    mutant(
        "ended-turn-asks-for-none",
        "a turn is over, and the next is not asked for",
        OPEN,
        &[("        self.end_turn(bucket, seat, self.next_turn());", "        self.end_turn(bucket, seat, Turn::Never);")],
    ),
    mutant(
        "turn-to-come-for-ever",
        "a connection that had a turn believes that another is to come",
        OPEN,
        &[("        self.turn_to_come = next == Turn::Now;", "        self.turn_to_come |= next == Turn::Now;")],
    ),
    mutant(
        "rest-is-a-turn-to-come",
        "a connection that rests believes that a turn is to come",
        OPEN,
        &[("        self.turn_to_come = next == Turn::Now;", "        self.turn_to_come = next != Turn::Never;")],
    ),
    mutant(
        "asked-is-a-turn-to-come",
        "a connection that asked for a turn at a later time believes that one is to come",
        OPEN,
        &[("        self.turn_to_come |= next == Turn::Now;", "        self.turn_to_come |= next != Turn::Never;")],
    ),
    mutant(
        "waits-and-looks",
        "who waits in line for a slot looks for it in turn after turn",
        OPEN,
        &[("        if self.wants_slot() && !self.waiting {\n            Turn::Now", "        if self.wants_slot() {\n            Turn::Now")],
    ),
    mutant(
        "end-of-run-settles-nothing",
        "a run is over, and its slot and what is pending have to wait",
        OPEN,
        &[("        bucket.return_slots(self.backfills.take_slots_over());\n        if self.leaves_line() {\n            bucket.leave_line(seat);\n        }\n        self.end_turn", "        self.end_turn")],
    ),
    mutant(
        "called-takes-no-slot",
        "who was called in line does not look for the slot",
        OPEN,
        &[("        if self.wants_slot() {\n            self.waiting", "        if self.wants_slot() && !self.waiting {\n            self.waiting")],
    ),
    mutant(
        "last-come-first-served",
        "the last that is ready has the first turn",
        BUCKET,
        &[(
            r"        state.member(seat).whereabouts = Whereabouts::Ready;
        state.ready.push_back(&mut state.members, seat.0);
        self",
            r"        state.member(seat).whereabouts = Whereabouts::Ready;
        state.ready.push_front(&mut state.members, seat.0);
        self",
        )],
    ),
    mutant(
        "begun-before-fresh",
        "what has run goes on before what never ran",
        OPEN,
        &[("        if self.wants_slot() {\n            self.waiting", "        if self.wants_slot() && self.backfills.next_turn() != Turn::Now {\n            self.waiting")],
    ),
    mutant(
        "round-robin-is-sequential",
        "one backfill runs to its end before the next",
        MANAGER,
        &[(
            r"        if next {
            self.active.push_front",
            r"        let _ = next;
        if true {
            self.active.push_front",
        )],
    ),
    mutant(
        "sequential-is-round-robin",
        "backfills run in turn where one should run to its end",
        MANAGER,
        &[(
            r"        if next {
            self.active.push_front",
            r"        let _ = next;
        if false {
            self.active.push_front",
        )],
    ),
    mutant(
        "sequential-from-the-first-run",
        "a new backfill goes on before the one that had its turn",
        MANAGER,
        &[(
            "self.config.order == BackfillOrder::Sequential && had_run",
            "self.config.order == BackfillOrder::Sequential",
        )],
    ),
    mutant(
        "run-on-is-pending",
        "a backfill that runs on has lost its slot",
        MANAGER,
        &[(
            r"        if next {
            self.active.push_front(&mut self.queued, place);
        } else {
            self.active.push_back(&mut self.queued, place);
        }",
            r"        if next {
            self.active.push_front(&mut self.queued, place);
        } else {
            self.active.push_back(&mut self.queued, place);
        }
        self.slots_over += 1;",
        )],
    ),
    mutant(
        "running-stays-set",
        "a run that goes on counts as in progress twice",
        MANAGER,
        &[(
            r"        self.running = false;
        // Only",
            "        // Only",
        )],
    ),
    mutant(
        "running-is-not-set",
        "a run in progress does not count",
        MANAGER,
        &[("    pub(crate) fn begin(&mut self) {\n        self.running = true;", "    pub(crate) fn begin(&mut self) {"), (".into_backfill();\n        self.running = true;", ".into_backfill();")],
    ),
    mutant(
        "pool-joins-none",
        "join does not wait for the workers",
        WORKER,
        &[("            let _ = thread.join();", "            drop(thread);")],
    ),
    mutant(
        "pool-joins-the-first",
        "join waits for the first worker only",
        WORKER,
        &[(
            "        for thread in self.threads {",
            "        for thread in self.threads.into_iter().take(1) {",
        )],
    ),
    mutant(
        "pool-ignores-stop",
        "a worker of the pool that is told to stop waits again",
        WORKER,
        &[(
            r"                return;
",
            r"                continue;
",
        )],
    ),
    mutant(
        "pool-of-one",
        "the pool has one thread, however many are asked for",
        WORKER,
        &[(
            r"        let threads = (0..threads)
",
            r"        let threads = (0..threads.min(1))
",
        )],
    ),
];
