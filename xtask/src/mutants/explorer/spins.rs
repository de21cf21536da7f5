//! Loops that wait, and waits that end by themselves.

use super::super::{mutant, Mutant};
use super::{OBJECT, PAUSE, SPIN, TURN};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "spin-takes-what-it-looked-at",
        "a loop that takes a lock is taken for one that only looked at it before",
        SPIN,
        &[("self.look(obj, CHANGED | TAKES, now)", "self.look(obj, CHANGED, now)")],
    ),
    mutant(
        "spin-looks-are-forgotten",
        "who goes on after a yield is not ordered with the other objects of its round",
        PAUSE,
        &[(
            "                set.push((look.obj, look.class()));",
            "                let _ = &mut set;",
        )],
    ),
    mutant(
        "spin-goes-on-behind-a-join",
        "a thread that is tried is taken to spin though it has joined another meanwhile",
        TURN,
        &[("        self.tried(false);\n        self.meets", "        self.meets")],
    ),
    mutant(
        "spin-round-has-no-beginning",
        "who yields has looked at what it had looked at before it yielded last",
        PAUSE,
        &[("        thread.since = self.trace.len();", "        let _ = &thread.since;")],
    ),
    mutant(
        "spin-gives-up",
        "a loop that gives up is taken for one that does not",
        PAUSE,
        &[("self.spinners.set(probe.past, spins);", "self.spinners.set(probe.past, true);")],
    ),
    mutant(
        "spin-missed-release",
        "a lock that is released ends no wait for it",
        SPIN,
        &[(
            "(_, Effect::Returns { changed: false }) => FREED,",
            "(_, Effect::Returns { changed: false }) => 0,",
        )],
    ),
    mutant(
        "spin-missed-change",
        "what is changed behind a lock ends no wait for it",
        SPIN,
        &[(
            "Effect::Returns { changed: val == 1 },\n            Kind::UnlockRead",
            "Effect::Returns { changed: false },\n            Kind::UnlockRead",
        )],
    ),
    mutant(
        "spin-waits-for-what-commutes",
        "who wants to be the only one looks again when there is another",
        SPIN,
        &[("Looks(CHANGED | FREED | DROPPED)", "Looks(CHANGED | FREED | DROPPED | COUNTED)")],
    ),
    mutant(
        "spin-does-not-count",
        "who counts references does not look again when there is another",
        SPIN,
        &[("(Kind::CloneRef | Kind::Upgrade, _) => COUNTED,", "(Kind::CloneRef, _) => 0,")],
    ),
    mutant(
        "spin-looks-are-one",
        "a look at an object is taken for another that waits for something else",
        SPIN,
        &[("look.obj == obj && look.waits_for == waits_for", "look.obj == obj")],
    ),
    mutant(
        "spin-leaves-the-rendezvous",
        "a receiver that times out does not come back for who tries to send",
        SPIN,
        &[(
            "(Kind::TrySend, Effect::Looks(_)) => TRIED,",
            "(Kind::TrySend, Effect::Looks(_)) => 0,",
        )],
    ),
    mutant(
        "spin-past-without-versions",
        "what a thread knows leaves out what it has from others",
        OBJECT,
        &[("            past = mix(past, self.version);\n", "")],
    ),
    mutant(
        "time-does-not-pass",
        "waits that time out when nothing else can go on are not ordered behind all that was",
        PAUSE,
        &[("            join(&mut thread.clock, &all);\n", "            let _ = (&mut thread.clock, &all);\n")],
    ),
    mutant(
        "spin-waits-for-goodbyes",
        "who tries to send looks again when a sender has gone",
        SPIN,
        &[(
            "Kind::TrySend if val == NOT_NOW => Effect::Looks(CHANGED),",
            "Kind::TrySend if val == NOT_NOW => Effect::Looks(CHANGED | LEFT),",
        )],
    ),
    mutant(
        "spin-misses-goodbyes",
        "who receives until a timeout does not come back when a sender has gone",
        SPIN,
        &[("Effect::Looks(CHANGED | LEFT | TRIED)", "Effect::Looks(CHANGED | TRIED)")],
    ),
    mutant(
        "spin-woken-by-idle-notifications",
        "a notification that finds nobody ends a wait",
        SPIN,
        &[("            (Kind::NotifyNobody, _) => 0,\n", "")],
    ),
    mutant(
        "timed-wait-is-no-yield",
        "a wait that ends by itself is no look at anything",
        PAUSE,
        &[(
            "if is_timed(op) && done.label.obj != NO_OBJECT && done.val == NOT_NOW {",
            "if false && is_timed(op) && done.label.obj != NO_OBJECT && done.val == NOT_NOW {",
        )],
    ),
    mutant(
        "one-timeout-more",
        "a wait may end by itself once more than is allowed",
        PAUSE,
        &[("match timeouts < self.timeouts {", "match timeouts <= self.timeouts {")],
    ),
    mutant(
        "timeouts-are-not-counted",
        "waits may end by themselves any number of times",
        PAUSE,
        &[(".timeouts += 1;", ".timeouts += 0;")],
    ),
    mutant(
        "spin-waits-for-what-it-holds",
        "a thread waits for a change of what it holds itself",
        SPIN,
        &[(
            "looks.iter().filter(|look| !held(look.obj)).copied().collect()",
            "looks.iter().filter(|look| true || !held(look.obj)).copied().collect()",
        )],
    ),
    mutant(
        "time-passes-for-nobody",
        "waits that time out when nothing else can go on do not",
        PAUSE,
        &[("if !self.live.iter().any(", "if true || !self.live.iter().any(")],
    ),
    mutant(
        "spin-rounds-need-not-be-alike",
        "a loop waits for what came before its first yield, though its rounds wait for something else",
        PAUSE,
        &[("match (probe.covers(&looks), probe.rounds >= ROUNDS) {", "match (true, probe.rounds >= ROUNDS) {")],
    ),
    mutant(
        "spin-misses-who-takes",
        "who tries to lock until that fails does not look again when somebody has the lock",
        SPIN,
        &[("(Kind::Lock | Kind::TryLock, Effect::Takes { .. }) => TAKEN,", "(Kind::Lock | Kind::TryLock, Effect::Takes { .. }) => 0,")],
    ),
    mutant(
        "spin-misses-who-writes",
        "who tries to read until that fails does not look again when somebody writes",
        SPIN,
        &[("(Kind::Write | Kind::TryWrite, Effect::Takes { .. }) => TAKEN,", "(Kind::Write | Kind::TryWrite, Effect::Takes { .. }) => 0,")],
    ),
    mutant(
        "blocked-when-time-passes",
        "who is blocked when time passes takes part in no race with what came before",
        PAUSE,
        &[("        self.stall(true);\n", "")],
    ),
];
