//! What is dependent with what.

use super::super::{mutant, Mutant};
use super::OP;

const LOOKS: &str = "Kind::NotifyNobody | Kind::FindDone | Kind::SendInVain => Class::Read,";
const DEPENDENT: &str = "self.obj != NO_OBJECT";

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
        "conflict-of-writers-that-wait",
        "a writer that begins to wait and a reader do not conflict",
        OP,
        &[(
            "(Queue, Admission) | (Admission, Queue) => true,",
            "(Queue, Admission) | (Admission, Queue) => false,",
        )],
    ),
    mutant(
        "prediction-of-compare-exchange",
        "a compare-exchange is expected to succeed",
        OP,
        &[("Kind::CompareExchange if pre == arg", "Kind::CompareExchange if pre == arg || true")],
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
        &[(
            "(other, DropWeak) => matches!(other, Unique),",
            "(other, DropWeak) => matches!(other, Count),",
        )],
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
        &[(
            "(Send, other) | (other, Send) => !matches!(other, Leave),",
            "(Send, _) | (_, Send) => true,",
        )],
    ),
    mutant(
        "conflict-of-sends",
        "the order of two sends does not matter",
        OP,
        &[("=> !matches!(other, Leave),", "=> !matches!(other, Leave | Send),")],
    ),
    mutant(
        "conflict-of-writers-that-wait-and-others",
        "that a writer begins to wait conflicts with all but other such",
        OP,
        &[("(Queue, _) | (_, Queue) => false,", "(Queue, o) | (o, Queue) => o != Queue,")],
    ),
    mutant(
        "conflict-of-countings",
        "to count references and to count them conflict",
        OP,
        &[(
            "(Count, Count | Peek) | (Peek, Count) => false,",
            "(Count, Peek) | (Peek, Count) => false,",
        )],
    ),
    mutant(
        "conflict-of-goodbyes-and-peeks",
        "who goes on after a yield does not conflict with who has left",
        OP,
        &[("(Leave, Peek) | (Peek, Leave) => true,", "(Leave, Peek) | (Peek, Leave) => false,")],
    ),
    mutant(
        "notify-one-is-never-idle",
        "a notify_one that finds nobody is as one that wakes somebody",
        OP,
        &[(
            "Kind::NotifyOne | Kind::NotifyAll if pre == NOBODY",
            "Kind::NotifyAll if pre == NOBODY",
        )],
    ),
];
