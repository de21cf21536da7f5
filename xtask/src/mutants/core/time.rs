//! Snoozes, rests and the clock.

use super::super::{mutant, Mutant};
use super::{BUCKET, CONFIG, CONN, MANAGER};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "snooze-is-never-over",
        "what is put off stays so",
        MANAGER,
        &[(
            r"            if at > now {
                break;
            }
            self.snoozing.remove",
            r"            if at >= now || true {
                break;
            }
            self.snoozing.remove",
        )],
    ),
    mutant(
        "snooze-is-over-at-once",
        "what is put off has its turn before its time",
        MANAGER,
        &[(
            r"            if at > now {
                break;
            }
            self.snoozing.remove",
            r"            let _ = now;
            self.snoozing.remove",
        )],
    ),
    mutant(
        "snooze-is-over-late",
        "what is put off is not due at its time, but after it",
        MANAGER,
        &[(
            r"            if at > now {
                break;
            }
            self.snoozing.remove",
            r"            if at >= now {
                break;
            }
            self.snoozing.remove",
        )],
    ),
    mutant(
        "snooze-asks-for-no-turn",
        "what is put off asks for no turn at its time",
        MANAGER,
        &[("            Some((at, ..)) => Turn::At(*at),", "            Some(_) => Turn::Never,")],
    ),
    mutant(
        "snooze-asks-at-once",
        "what is put off is asked again and again",
        MANAGER,
        &[("            Some((at, ..)) => Turn::At(*at),", "            Some(_) => Turn::Now,")],
    ),
    mutant(
        "snooze-is-twice-as-long",
        "a snooze is twice as long as configured",
        CONFIG,
        &[(
            "        now.checked_add(self.snooze).unwrap_or(now)",
            "        now.checked_add(self.snooze * 2).unwrap_or(now)",
        )],
    ),
    mutant(
        "no-snooze",
        "a snooze is over when it begins",
        CONFIG,
        &[("        now.checked_add(self.snooze).unwrap_or(now)", "        now")],
    ),
    mutant(
        "snooze-forgets-its-backfill",
        "what is put off is lost",
        MANAGER,
        &[(
            "        self.snoozing.insert((until, order, place));",
            "        let _ = (until, order, place);",
        )],
    ),
    mutant(
        "snooze-keeps-running",
        "what is put off counts as running",
        MANAGER,
        &[(
            r"        self.running = false;
        backfill.has_run = true;",
            "        backfill.has_run = true;",
        )],
    ),
    mutant(
        "snoozed-has-never-run",
        "what was put off in its first run is new again",
        MANAGER,
        &[(
            r"        self.running = false;
        backfill.has_run = true;",
            "        self.running = false;",
        )],
    ),
    mutant(
        "rest-is-forgotten",
        "a manager that should rest gets no turn",
        BUCKET,
        &[(
            "            Turn::At(time) => self.make_ready_at(seat, time),",
            "            Turn::At(_) => {}",
        )],
    ),
    mutant(
        "rest-is-a-turn",
        "a manager that should rest gets its turn at once",
        BUCKET,
        &[(
            "            Turn::At(time) => self.make_ready_at(seat, time),",
            "            Turn::At(_) => self.make_ready(seat),",
        )],
    ),
    mutant(
        "rest-calls-nobody",
        "a manager rests for less than a worker sleeps, which is not told",
        BUCKET,
        &[(
            r"        // A sleeper may have gone to sleep for longer than that.
        self.call_sleeper();",
            "",
        )],
    ),
    mutant(
        "rest-is-over-early",
        "who rests gets its turn before its time",
        BUCKET,
        &[(
            r"            if at > now {
                break;
            }
            state.resting",
            r"            let _ = (at, now);
            state.resting",
        )],
    ),
    mutant(
        "rest-is-over-late",
        "who rests is not due at its time, but after it",
        BUCKET,
        &[(
            r"            if at > now {
                break;
            }
            state.resting",
            r"            if at >= now {
                break;
            }
            state.resting",
        )],
    ),
    mutant(
        "rest-is-never-over",
        "who rests does so for ever",
        BUCKET,
        &[(
            r"            if at > now {
                break;
            }
            state.resting",
            r"            if at > now || true {
                break;
            }
            state.resting",
        )],
    ),
    mutant(
        "ready-still-rests",
        "who is ready rests as well, and gets two turns",
        BUCKET,
        &[(
            r"            Whereabouts::Resting(at, ticket) => {
                self.resting.remove(&(at, ticket, seat));
            }",
            r"            Whereabouts::Resting(at, ticket) => {
                let _ = (at, ticket);
            }",
        )],
    ),
    mutant(
        "rest-is-not-cut-short",
        "who rests gets no turn before its time, whatever comes",
        BUCKET,
        &[(
            r"            Whereabouts::Ready | Whereabouts::Running => return,
            Whereabouts::Idle | Whereabouts::Resting(..) => state.leave_turns(seat),
        }
        state.member(seat).whereabouts = Whereabouts::Ready;",
            r"            Whereabouts::Ready | Whereabouts::Running | Whereabouts::Resting(..) => return,
            Whereabouts::Idle => {}
        }
        state.member(seat).whereabouts = Whereabouts::Ready;",
        )],
    ),
    mutant(
        "memory-high-runs",
        "backfills run while the host has no memory",
        CONN,
        &[(
            "            Phase::Open(open) if memory_high => {",
            "            Phase::Open(open) if memory_high && false => {",
        )],
    ),
    mutant(
        "memory-high-rests-for-ever",
        "who is put off for want of memory gets no turn",
        CONN,
        &[(
            "                open.end_turn(&mut bucket.lock(), seat, open.backfills.rest(now));",
            "                open.end_turn(&mut bucket.lock(), seat, Turn::Never);",
        )],
    ),
    mutant(
        "memory-high-is-ready",
        "who is put off for want of memory is ready at once, and spins",
        CONN,
        &[(
            "                open.end_turn(&mut bucket.lock(), seat, open.backfills.rest(now));",
            "                open.end_turn(&mut bucket.lock(), seat, Turn::Now);",
        )],
    ),
];
