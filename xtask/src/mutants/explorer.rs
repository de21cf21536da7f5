//! The explorer's mutants: a conflict, a reversal of a race, an entry of a sleep
//! set or a wakeup sequence that is dropped.
//!
//! Not among them, because it is no fault: to leave out of notdep(e, E) what comes
//! after e' and is independent of e. The sequences are shorter, and each trace is
//! still explored once.

use super::{mutant, Mutant};

const OP: &str = "dpor/src/op.rs";
const RACES: &str = "dpor/src/explore/races.rs";
const NODE: &str = "dpor/src/explore/node.rs";
const WAKEUP: &str = "dpor/src/explore/wakeup.rs";
const FOREST: &str = "dpor/src/explore/forest.rs";
const SYNCHRONISE: &str = "dpor/src/object/synchronise.rs";
const REFERENCES: &str = "dpor/src/rt/references.rs";
const STATE: &str = "dpor/src/rt/state.rs";

const DEPENDENT: &str = "self.obj != NO_OBJECT";
const ASLEEP: &str = "let asleep = last.sleep.iter().chain(&last.done);";

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "conflict-of-stores",
        "two stores of one atomic do not conflict",
        OP,
        &[(DEPENDENT, "self.obj != NO_OBJECT && self.kind != Kind::Store")],
    ),
    mutant(
        "conflict-of-notifications",
        "notify_one and notify_all do not conflict",
        OP,
        &[(
            DEPENDENT,
            "self.obj != NO_OBJECT
            && !(self.kind == Kind::NotifyOne && other.kind == Kind::NotifyAll)",
        )],
    ),
    mutant(
        "conflict-of-loads",
        "loads of one atomic conflict",
        OP,
        &[("            Kind::Load | Kind::Comp", "            Kind::Comp")],
    ),
    mutant(
        "conflict-of-readers",
        "readers of one rwlock conflict",
        OP,
        &[(
            "            (Read | Admission, Read | Admission) => false,",
            "            (Read | Admission, Read | Admission) => self == Admission,",
        )],
    ),
    mutant(
        "conflict-of-ends",
        "the end of a thread and a look at it do not conflict",
        OP,
        &[(DEPENDENT, "self.obj != NO_OBJECT && self.kind != Kind::End")],
    ),
    mutant(
        "race-of-looks-and-locks",
        "a look at a mutex or a once does not race with an acquisition after it",
        RACES,
        &[("if known || !enabled(event.pre)", "if known || read || !enabled(event.pre)")],
    ),
    mutant(
        "race-of-looks-and-writers",
        "a look at an rwlock does not race with a writer after it",
        RACES,
        &[("Kind::Look | Kind::Clear if event.pre &", "Kind::Clear if event.pre &")],
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
            "if all.into_iter().all(|c| c.conflicts(class(first))) {",
            "if true || all.into_iter().all(|c| c.conflicts(class(first))) {",
        )],
    ),
    mutant(
        "conflict-of-writers-that-wait",
        "a writer that begins to wait and a reader do not conflict",
        OP,
        &[(
            "(Queue, Admission) | (Admission, Queue) => true,",
            "(Queue, Admission) | (Admission, Queue) => false,",
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
            "|| !enabled(event.pre) {",
            "|| !(enabled(event.pre) || event.label.kind == Kind::Unlock) {",
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
        &[("Kind::Wake if second.arg != MAY_END => {", "Kind::Wake if second.arg == 99 => {")],
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
        "prediction-of-compare-exchange",
        "a compare-exchange is expected to succeed",
        OP,
        &[("Kind::CompareExchange if pre == arg", "Kind::CompareExchange if pre == arg || true")],
    ),
    mutant(
        "sleep-forgets-what-is-done",
        "branches that are done do not sleep below",
        NODE,
        &[(ASLEEP, "let asleep = last.sleep.iter().chain(&last.done[..0]);")],
    ),
    mutant(
        "sleep-forgets-what-slept",
        "what slept above does not sleep below",
        NODE,
        &[(ASLEEP, "let asleep = last.sleep[..0].iter().chain(&last.done);")],
    ),
    mutant(
        "sleep-never-wakes",
        "a step sleeps on behind one that conflicts with it",
        NODE,
        &[("s.tid != taken.tid && !s.label.dependent(taken.label)", "s.tid != taken.tid")],
    ),
    mutant(
        "sleep-is-not-asked",
        "sequences are inserted though a sleeping step covers them",
        NODE,
        &[("if !node.covers(sequence) {", "if true || !node.covers(sequence) {")],
    ),
    mutant(
        "wakeup-sequence-is-cut-to-one",
        "of a wakeup sequence, only the first step is kept",
        RACES,
        &[(
            "        reversal(start, &mut self.sequence);",
            "        self.sequence.truncate(1);\n        reversal(start, &mut self.sequence);",
        )],
    ),
    mutant(
        "wakeup-sequence-is-dropped",
        "a sequence that begins like a branch is taken to be in it",
        WAKEUP,
        &[(
            "            if branch.next.is_empty() {",
            "            if true || branch.next.is_empty() {",
        )],
    ),
    mutant(
        "wakeup-weak-initials-are-initials",
        "what is independent of a whole sequence is no weak initial",
        WAKEUP,
        &[("    }\n    true\n}", "    }\n    false\n}")],
    ),
    mutant(
        "shared-sleep-forgets-siblings",
        "with several workers, what is done does not sleep",
        FOREST,
        &[(
            "let asleep = node.sleep.iter().chain(earlier);",
            "let asleep = node.sleep.iter().chain(earlier.take(0));",
        )],
    ),
    mutant(
        "shared-insertion-is-dropped",
        "with several workers, sequences into the shared part are lost",
        FOREST,
        &[(
            "            let last = i + 1 == sequence.len();",
            "            if true { return; }\n            let last = i + 1 == sequence.len();",
        )],
    ),
    mutant(
        "conflict-of-counting",
        "references are counted, and clones do not matter",
        OP,
        &[("(Count, _) | (_, Count) => true,", "(Count, o) | (o, Count) => o != Clone,")],
    ),
    mutant(
        "conflict-of-clones",
        "to clone a reference and to drop one conflict",
        OP,
        &[("(Clone, _) | (_, Clone) => false,", "(Clone, o) | (o, Clone) => o == Write,")],
    ),
    mutant(
        "conflict-of-weak-drops",
        "whether a reference is the only one does not depend on weak ones",
        OP,
        &[("(other, DropWeak) => other == Unique,", "(other, DropWeak) => other == Count,")],
    ),
    mutant(
        "last-drop-acquires-nothing",
        "the destructor of the last owner knows nothing of the others",
        SYNCHRONISE,
        &[(
            "released.release(known);
                if succeeded {",
            "released.release(known);
                if false {",
        )],
    ),
    mutant(
        "failed-upgrade-acquires",
        "an upgrade acquires though it fails",
        SYNCHRONISE,
        &[(
            "Kind::TryUnwrap | Kind::Upgrade if succeeded =>",
            "Kind::TryUnwrap | Kind::Upgrade =>",
        )],
    ),
    mutant(
        "counts-are-not-refused",
        "what depends on a count that is not explored is one of its outcomes",
        REFERENCES,
        &[("if alone || self.ending.is_some()", "if true || alone || self.ending.is_some()")],
    ),
    mutant(
        "contested-destructors-are-not-refused",
        "who drops the last reference is one of those who might",
        REFERENCES,
        &[(
            "contest.or(contested.then_some(at))",
            "contest.or(contested.then_some(at)).filter(|_| false)",
        )],
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
        "statics-belong-to-who-comes-first",
        "what a static is made of is named by the thread that comes to it first",
        STATE,
        &[("match &mut self.making {", "match &mut None::<Making> {")],
    ),
];
