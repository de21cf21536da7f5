//! Sleep sets and wakeup trees, of one worker and of several.

use super::super::{mutant, Mutant};
use super::{BOUNDED, NODE, SCHEDULE, TRACE, TREE, WAKEUP};

const ASLEEP: &str = "let asleep = last.sleep.iter().chain(&last.done);";

pub(super) const MUTANTS: &[Mutant] = &[
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
        &[("match node.covers(sequence) {", "match node.covers(sequence).filter(|_| false) {")],
    ),
    mutant(
        "wakeup-is-sure-of-a-new-branch",
        "a new branch is taken to begin every reversal of the race",
        WAKEUP,
        &[("        settled && sequence.len() <= sure + 1", "        settled")],
    ),
    mutant(
        "wakeup-is-sure-of-any-branch",
        "a branch that a sequence can start with is taken to be in every reversal of the race",
        WAKEUP,
        &[("sequence[..sure].contains(&step) || sequence.last() == Some(&step)", "true || sequence[..sure].contains(&step)")],
    ),
    mutant(
        "order-of-what-is-no-block",
        "an event of a thread that has become alone is put to those before it",
        SCHEDULE,
        &[(".filter(|_| trace.is_still_alone(i))", ".filter(|_| e.alone)")],
    ),
    mutant(
        "order-keeps-what-differs",
        "what two traces that follow one another do not share is not taken in again",
        TRACE,
        &[("            1 => self.same,", "            1 => self.len,")],
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
        "shared-node-is-over-with-one-child",
        "with several workers, a node is over when one of its children is",
        TREE,
        &[("            if !all {\n", "            if false && !all {\n")],
    ),
    mutant(
        "shared-child-stays-over",
        "with several workers, what is inserted behind a child that is over leaves it over",
        TREE,
        &[("            self.node_mut(node).children[child].over = false;\n", "            let _ = (node, child);\n")],
    ),
    mutant(
        "bounded-knows-its-own-place",
        "orderings within a bound are told apart by whether somebody was alone",
        BOUNDED,
        &[("n != 0 && of != usize::from(event.tid)", "n != 0 || of == usize::from(event.tid)")],
    ),
];
