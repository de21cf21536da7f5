//! What a thread does that is alone, and what of it is only counted.

use super::super::{mutant, Mutant};
use super::{ALONE, ENDING, EXPLORATION, PAUSE, SCHEDULE, STATE, TALLY, TURN};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "race-of-who-is-alone-with-what-comes-later",
        "who is alone once is taken to be so for ever",
        STATE,
        &[(
            "        self.admit(tid, parent, nth);\n        self.alone = false;",
            "        self.admit(tid, parent, nth);",
        )],
    ),
    mutant(
        "alone-beside-a-thread-that-has-ended",
        "a thread that has ended is taken to be known",
        ALONE,
        &[(
            "!self.unfinished(other) && events(other, other) <= events(other, me)",
            "!self.unfinished(other)",
        )],
    ),
    mutant(
        "alone-beside-a-thread-that-goes-on",
        "a thread whose events are known is taken to be over",
        ALONE,
        &[("!self.unfinished(other) && events(other, other)", "events(other, other)")],
    ),
    mutant(
        "alone-leaves-no-history",
        "what a thread does that is alone is not among what was done to the object",
        ALONE,
        &[("            own.history.push(now as u32);", "            let _ = (own, now);")],
    ),
    mutant(
        "alone-for-ever",
        "a thread that is alone may go on without an end",
        ALONE,
        &[("            && self.trace.performed() < self.max_steps\n", "")],
    ),
    mutant(
        "alone-though-it-waits",
        "a thread that is alone does not wait",
        ALONE,
        &[(
            "(op.obj == NO_OBJECT || self.objects[op.obj as usize].enabled(op, self.current))",
            "true",
        )],
    ),
    mutant(
        "alone-beside-its-pause",
        "a thread that is alone does not wait for a change",
        ALONE,
        &[("thread.pause.is_none() && thread.equal", "thread.equal")],
    ),
    mutant(
        "alone-acquires-nothing",
        "what a thread acquires that is alone is no matter to data races",
        ALONE,
        &[("        if self.tracking || !self.goes", "        if !self.goes")],
    ),
    mutant(
        "alone-in-a-static",
        "a thread that is alone may perform an operation while a static is made",
        ALONE,
        &[("            && self.making.is_none()\n", "")],
    ),
    mutant(
        "alone-in-a-contested-destructor",
        "a thread that is alone may perform an operation in a destructor that another might run",
        ALONE,
        &[("            && self.threads[self.current as usize].contested.is_none()\n", "")],
    ),
    mutant(
        "alone-when-given-up",
        "a thread that is alone goes on in an execution that has been given up",
        ALONE,
        &[("        self.ending.is_none()\n            && self.making", "        self.making")],
    ),
    mutant(
        "counted-though-others-follow",
        "who spawns behind operations that were only counted goes on without them",
        STATE,
        &[("        self.needs_events();\n        let parent", "        let parent")],
    ),
    mutant(
        "counted-though-it-yields",
        "who yields behind operations that were only counted goes on without them",
        PAUSE,
        &[("        self.needs_events();\n", "")],
    ),
    mutant(
        "counted-before-a-cut",
        "who has gone on for too long is told without the operations that were only counted",
        ENDING,
        &[("if self.ending == Some(Ending::TooLong)", "if false")],
    ),
    mutant(
        "counted-from-the-first",
        "who has spawned nobody yet is taken to be one that comes last",
        ALONE,
        &[("self.brief && self.live.len() > 1 &&", "self.brief &&")],
    ),
    mutant(
        "counted-where-somebody-looks",
        "who looks at the orderings is not shown what comes last",
        EXPLORATION,
        &[("self.settings.observer.is_none() && matches", "matches")],
    ),
    mutant(
        "counted-in-no-token",
        "what is only counted is no part of an ordering's token",
        SCHEDULE,
        &[("            *times += trace.counted() as u32;", "            *times += 0;")],
    ),
    mutant(
        "counted-as-nothing",
        "what is only counted is no part of the longest ordering",
        TALLY,
        &[("self.longest.max(rt.trace.performed())", "self.longest.max(rt.trace.len())")],
    ),
    mutant(
        "astray-is-an-ordering",
        "an execution that goes on behind operations that were only counted is taken in",
        ENDING,
        &[("if self.astray && !self.diverged()", "if false")],
    ),
    mutant(
        "astray-as-before",
        "an execution that goes on behind operations that were only counted is to do what it did before",
        TURN,
        &[("Mode::Explore(search) if !self.astray => search.expected", "Mode::Explore(search) => search.expected")],
    ),
    mutant(
        "astray-and-chosen",
        "an execution that goes on behind operations that were only counted is explored",
        TURN,
        &[("Mode::Explore(_) if self.astray =>", "Mode::Explore(_) if false =>")],
    ),
    mutant(
        "astray-before-a-mark",
        "equal threads wait for their marks in an execution in which nobody comes to one",
        TURN,
        &[("!self.astray && matches!", "matches!")],
    ),
    mutant(
        "alone-knows-no-others",
        "whoever becomes alone knows of the others what it was told only",
        ALONE,
        &[("            self.knows(me, known);\n", "            let _ = known;\n")],
    ),
];
