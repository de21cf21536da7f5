//! The explorer's mutants: a conflict, a reversal of a race, an entry of a sleep
//! set or a wakeup sequence that is dropped.
//!
//! Not among them, because it is no fault: to leave out of notdep(e, E) what comes
//! after e' and is independent of e. The sequences are shorter, and each trace is
//! still explored once.

use super::{mutant, Mutant};

const OP: &str = "dpor/src/op.rs";
const SPIN: &str = "dpor/src/spin.rs";
const STATE: &str = "dpor/src/rt/state.rs";
const PAUSE: &str = "dpor/src/rt/pause.rs";
const RACES: &str = "dpor/src/explore/races.rs";
const NODE: &str = "dpor/src/explore/node.rs";
const WAKEUP: &str = "dpor/src/explore/wakeup.rs";
const TREE: &str = "dpor/src/explore/tree.rs";
const SPLIT: &str = "dpor/src/split.rs";
const TEXT: &str = "dpor/src/checkpoint/text.rs";
const SYNCHRONISE: &str = "dpor/src/object/synchronise.rs";
const REFERENCES: &str = "dpor/src/rt/references.rs";
const OBJECT: &str = "dpor/src/object/mod.rs";

const LOOKS: &str = "Kind::NotifyNobody | Kind::FindDone | Kind::SendInVain => Class::Read,";

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
            "Read | Admission | Leave | Peek) => false,",
            "Read | Admission | Leave | Peek) => self == Admission,",
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
            "if all.into_iter().all(|c| at.conflicts(first, c)) {",
            "if true || all.into_iter().all(|c| at.conflicts(first, c)) {",
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
        TREE,
        &[(
            "let asleep = node.sleep.iter().chain(earlier);",
            "let asleep = node.sleep.iter().chain(earlier.take(0));",
        )],
    ),
    mutant(
        "shared-insertion-is-dropped",
        "with several workers, sequences into the shared part are lost",
        TREE,
        &[(
            "            let last = i + 1 == sequence.len();",
            "            if true { return false; }\n            let last = i + 1 == sequence.len();",
        )],
    ),
    mutant(
        "given-back-without-what-comes-next",
        "a worker that gives back its job forgets the branch that it has turned to",
        NODE,
        &[(
            "node.todo.put_back(Branch { transition, next: std::mem::take(&mut self.ahead) });",
            "let _ = (transition, std::mem::take(&mut self.ahead));",
        )],
    ),
    mutant(
        "written-as-over",
        "in a file, what waits behind a node is over",
        TEXT,
        &[("{step} {sort} {}\", state(child.over)", "{step} {sort} {}\", state(true || child.over)")],
    ),
    mutant(
        "fixed-steps-are-reversed",
        "races with the steps that a part begins with are reversed behind them",
        NODE,
        &[("at.checked_sub(self.fixed)", "Some(at.saturating_sub(self.fixed))")],
    ),
    mutant(
        "part-behind-no-load",
        "a part begins with a change that no load comes before",
        SPLIT,
        &[("for subset in 0..1u32 << loads.len() {", "for subset in 0..1u32 {")],
    ),
    mutant(
        "part-twice",
        "beginnings that are the same in another order are two parts",
        SPLIT,
        &[("    happened.sort_unstable();\n", "")],
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
        "spin-reversed-though-nothing-changes",
        "a spinner is let go on before what it waits for",
        RACES,
        &[("waits.is_some_and(|pause| pause.spins == Some(true))", "false")],
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
        STATE,
        &[("            past = mix(past, object.version);\n", "")],
    ),
    mutant(
        "time-does-not-pass",
        "waits that time out when nothing else can go on are not ordered behind all that was",
        PAUSE,
        &[("join(&mut self.threads[tid as usize].clock, &all)", "{ let _ = (tid, &all); }")],
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
    mutant(
        "conflict-of-idle-notifications",
        "notifications that find nobody conflict",
        OP,
        &[(LOOKS, "Kind::FindDone | Kind::SendInVain => Class::Read,")],
    ),
    mutant(
        "conflict-of-done-calls",
        "calls of a once that is done conflict",
        OP,
        &[(LOOKS, "Kind::NotifyNobody | Kind::SendInVain => Class::Read,")],
    ),
    mutant(
        "conflict-of-sends-in-vain",
        "sends to a receiver that is gone conflict",
        OP,
        &[(LOOKS, "Kind::NotifyNobody | Kind::FindDone => Class::Read,")],
    ),
    mutant(
        "conflict-of-waits-and-idle-notifications",
        "a wait and the notification that missed it do not conflict",
        OP,
        &[
            (LOOKS, "Kind::FindDone | Kind::SendInVain => Class::Read,"),
            (
                "Kind::QueueWrite => Class::Queue,",
                "Kind::QueueWrite | Kind::NotifyNobody => Class::Queue,",
            ),
        ],
    ),
    mutant(
        "conflict-of-unparks",
        "two unparks of one thread conflict",
        OP,
        &[("Kind::DropSender | Kind::Unpark =>", "Kind::DropSender =>")],
    ),
    mutant(
        "conflict-of-goodbyes-and-sends",
        "a sender that goes and one that sends conflict",
        OP,
        &[("(Send, other) | (other, Send) => other != Leave,", "(Send, _) | (_, Send) => true,")],
    ),
    mutant(
        "conflict-of-sends",
        "the order of two sends does not matter",
        OP,
        &[("=> other != Leave,", "=> !matches!(other, Leave | Send),")],
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
        "received-before-it-is-sent",
        "who receives a message is not ordered behind its send",
        OBJECT,
        &[("done.val = c.recv();\n                done.after = Some(by);", "done.val = c.recv();")],
    ),
    mutant(
        "timed-receive-is-certain",
        "a receiver that might have timed out is taken for one that waits",
        OBJECT,
        &[("self.messages > 0 && arg & MAY_END == 0", "self.messages > 0")],
    ),
    mutant(
        "received-where-others-wait-for-room",
        "a message is received from a channel with a limit, and nobody notices",
        OBJECT,
        &[("self.room.is_none() && self.messages > 0", "self.messages > 0")],
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
];
