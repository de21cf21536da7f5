//! Which races are found, and what reverses them.

use super::super::{mutant, Mutant};
use super::{OBJECT, RACES};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "race-settled-whatever-comes-behind",
        "a race is reversed once for all executions with the same beginning",
        RACES,
        &[("let settled = reversal(start, &mut self.sequence, sure);\n        if second", "let settled = reversal(start, &mut self.sequence, sure) | true;\n        if second")],
    ),
    mutant(
        "race-settled-by-what-comes-behind",
        "steps behind the second event of a race are taken to come in every reversal of it",
        RACES,
        &[("    sequence.extend(behind.filter(|event| !goes(event)).map(Event::transition));\n    sure", "    sequence.extend(behind.filter(|event| !goes(event)).map(Event::transition));\n    sequence.len()")],
    ),
    mutant(
        "trace-forgets-less-than-differs",
        "what knew of others is taken to have been known by all who do the same",
        OBJECT,
        &[("match class.conflicts(class) {", "match true {")],
    ),
    mutant(
        "race-of-looks-and-locks",
        "a look at a mutex or a once does not race with an acquisition after it",
        RACES,
        &[("if known || !possible {", "if known || read || !possible {")],
    ),
    mutant(
        "race-of-looks-and-writers",
        "a look at an rwlock does not race with a writer after it",
        RACES,
        &[("Kind::Look | Kind::Clear | Kind::TryRead", "Kind::Clear | Kind::TryRead")],
    ),
    mutant(
        "race-of-attempts-and-writers",
        "an attempt that fails because a writer waits does not race with that writer",
        RACES,
        &[("Kind::Clear | Kind::TryRead | Kind::TryWrite\n", "Kind::Clear\n")],
    ),
    mutant(
        "race-with-blocked-operations",
        "what is blocked at the end takes part in no race",
        RACES,
        &[("for b in blocked {", "for b in &blocked[..0] {")],
    ),
    mutant(
        "race-of-reads-and-writes",
        "an operation races with the last that it is dependent with alone",
        RACES,
        &[(
            "if second.class.conflicting() & !conflicting == 0 {",
            "if true || second.class.conflicting() & !conflicting == 0 {",
        )],
    ),
    mutant(
        "race-of-readers-and-writers-that-wait",
        "a reader does not race with the writers that wait before it",
        RACES,
        &[("Kind::QueueWrite => self.sessions.push(session(None)),", "Kind::QueueWrite => {}")],
    ),
    mutant(
        "race-past-the-release",
        "a lock races with the release before it",
        RACES,
        &[(
            "|| !possible {",
            "|| !(possible || trace.events()[first].label.kind == Kind::Unlock) {",
        )],
    ),
    mutant(
        "race-of-writer-and-readers",
        "a writer that precedes a reader forgets the other readers",
        RACES,
        &[("Some(s) => firsts.push(s.acquired),", "Some(_) => return false,")],
    ),
    mutant(
        "race-of-contested-wakes",
        "those who compete for a notification do not race",
        RACES,
        &[("Kind::Wake if second.arg & MAY_END == 0 => {", "Kind::Wake if second.arg == 99 => {")],
    ),
    mutant(
        "race-of-wakes-and-notifications",
        "a wait does not race with the notification that ended it",
        RACES,
        &[(
            "limit: if woken { event.pre as usize + 1 } else { index }",
            "limit: if woken { event.pre as usize } else { index }",
        )],
    ),
    mutant(
        "wakeup-sequence-ends-at-the-second",
        "what comes after the second event of a race is no part of its reversal",
        RACES,
        &[("behind.iter().skip(1).take_while(", "behind.iter().skip(behind.len()).take_while(")],
    ),
    mutant(
        "wakeup-sequence-is-cut-to-one",
        "of a wakeup sequence, only the first step is kept",
        RACES,
        &[(
            "        self.sequence.push(Transition { tid: second.tid, label });\n        let settled = reversal(start, &mut self.sequence, sure);",
            "        self.sequence.push(Transition { tid: second.tid, label });\n        self.sequence.truncate(1);\n        let settled = reversal(start, &mut self.sequence, sure.min(1));",
        )],
    ),
    mutant(
        "spin-reversed-though-nothing-changes",
        "a spinner is let go on before what it waits for",
        RACES,
        &[("waits.is_some_and(|pause| pause.spins == Some(true))", "false")],
    ),
    mutant(
        "race-of-waits-for-a-once",
        "a wait for a once does not race with those who find it done",
        RACES,
        &[("let enabled = |pre| waits_no_more(second.arg, pre);", "let enabled = |_| false;")],
    ),
    mutant(
        "race-of-who-was-a-writer",
        "a reader that was a writer before is no reader to the next writer",
        RACES,
        &[(
            "Kind::Downgrade => self.sessions.extend(writer.map(",
            "Kind::Downgrade => self.sessions.extend(writer.filter(|_| false).map(",
        )],
    ),
    mutant(
        "race-of-permits",
        "who parks does not race with an unpark beside another",
        RACES,
        &[("if remains && !trace", "if false && remains && !trace")],
    ),
    mutant(
        "race-of-the-only-permit",
        "who parks races with the only unpark",
        RACES,
        &[("if remains && !trace", "if (remains || true) && !trace")],
    ),
    mutant(
        "race-of-goodbyes-and-messages",
        "who receives a message does not race with a sender that goes",
        RACES,
        &[("(true, _) => second.val == Some(1),", "(true, _) => false,")],
    ),
    mutant(
        "race-of-the-last-goodbye",
        "who finds that all senders are gone races with the last of them",
        RACES,
        &[("(true, _) => second.val == Some(1),", "(true, _) => true,")],
    ),
    mutant(
        "race-forced-by-what-commutes",
        "what comes after the first and commutes with the second forces their order",
        RACES,
        &[(
            "at.conflicts(later, second.class) && trace.before(first, later",
            "trace.before(first, later",
        )],
    ),
    mutant(
        "state-as-before-what-commutes",
        "what an operation would have found is told from one that it commutes with",
        RACES,
        &[("!e.label.kind.commutes(second.kind)", "true")],
    ),
    mutant(
        "race-of-permits-that-were-taken",
        "permits that somebody has taken count for who parks later",
        RACES,
        &[(
            "let since = &history[taken.map_or(0, |place| place + 1)..];",
            "let since = &history[taken.map_or(0, |_| 0)..];",
        )],
    ),
    mutant(
        "race-past-the-last-park",
        "who parks does not race with who took the permit before",
        RACES,
        &[(
            "if let (false, Some(taken)) = (reversed, taken) {",
            "if let (false, Some(taken)) = (true, taken) {",
        )],
    ),
    mutant(
        "race-of-certain-messages",
        "who receives what it alone can receive races all the same",
        RACES,
        &[(
            "if objects[second.obj as usize].is_unlimited() {",
            "if false && objects[second.obj as usize].is_unlimited() {",
        )],
    ),
    mutant(
        "race-without-a-detour",
        "a thread of which nobody knows whether it spins is taken for one that does not",
        RACES,
        &[("        if waits.is_some() {\n", "        if false && waits.is_some() {\n")],
    ),
    mutant(
        "prediction-from-what-was-found",
        "what an operation turns out to be is told from the state that it found",
        RACES,
        &[(
            "let pre = state_without(at, second, goes).or(second.pre).unwrap_or(0);",
            "let pre = second.pre.or(state_without(at, second, goes)).unwrap_or(0);",
        )],
    ),
    mutant(
        "possible-without-a-permit",
        "who goes on after a yield, and parks, is let go before its permit",
        RACES,
        &[(
            "(Kind::Park, _) => own.last().is_some_and(|event| event.label.kind == Kind::Unpark),",
            "(Kind::Park, _) => own.last().is_some_and(|_| true) || true,",
        )],
    ),
];
