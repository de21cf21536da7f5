//! Equal threads, explored up to their exchange, and what is counted then.

use super::super::{mutant, Mutant};
use super::{COUNT, EQUAL, SYMMETRY, TALLY, TURN};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "marks-in-any-order",
        "who stands before a mark does not wait for the one before",
        SYMMETRY,
        &[("            && self.would_mark(tid, op)\n    }", "            && false\n    }")],
    ),
    mutant(
        "marks-that-commute",
        "the first operation is a mark, whether or not it commutes with its like",
        SYMMETRY,
        &[("|| op.obj == NO_OBJECT || !class.conflicts(class) {", "|| op.obj == NO_OBJECT {")],
    ),
    mutant(
        "marks-that-nobody-sees",
        "an operation on what the thread has made itself is a mark",
        SYMMETRY,
        &[("made.is_none_or(|(by, _)| by != tid)", "made.is_none_or(|(by, _)| by != tid || true)")],
    ),
    mutant(
        "exchanged-with-who-made-no-mark",
        "a member without a mark counts as one that has made its own",
        SYMMETRY,
        &[(
            "for n in members.len() - marked + 1..=members.len() {",
            "for n in 1..=members.len() {",
        )],
    ),
    mutant(
        "orders-of-marks-are-one",
        "marks that can come in several orders count as if they came in one",
        SYMMETRY,
        &[(
            "let below = orders(&self.trace, &marks, &mut self.extensions);",
            "let below = Some(1);",
        )],
    ),
    mutant(
        "orders-of-other-classes-count",
        "an order of two classes' marks counts for each way of putting them together",
        SYMMETRY,
        &[("self.from(done | bit, sleeping & others)?", "self.from(done | bit, 0)?")],
    ),
    mutant(
        "orders-without-their-classes",
        "marks of other classes that know as much of each other can come in as many orders",
        SYMMETRY,
        &[("    key.extend(marks.iter().map(|mark| mark.class as u64));\n", "")],
    ),
    mutant(
        "marks-know-nothing-of-each-other",
        "marks race with those that they had to wait for",
        SYMMETRY,
        &[("        self.draw_edges(&marks);\n", "        let _ = &marks;\n")],
    ),
    mutant(
        "blocked-marks-know-nothing",
        "a mark that is blocked to the end races with the one that it had to wait for",
        SYMMETRY,
        &[(
            "            learn(&drawn, own, &mut blocked.base);\n",
            "            let _ = (&drawn, own, &mut blocked.base);\n",
        )],
    ),
    mutant(
        "deadlocks-are-not-exchanged",
        "a deadlock counts for itself alone",
        SYMMETRY,
        &[(
            "matches!(self.ending, None | Some(AtRest | Deadlock | TooLong | Halted | Exchanged))",
            "matches!(self.ending, None | Some(AtRest | TooLong | Halted | Exchanged))",
        )],
    ),
    mutant(
        "given-up-marks-are-not-ordered",
        "where somebody waits for a mark that never comes, marks know nothing of each other",
        SYMMETRY,
        &[(
            "matches!(self.ending, None | Some(AtRest | Deadlock | TooLong | Halted | Exchanged))",
            "matches!(self.ending, None | Some(AtRest | Deadlock | TooLong | Halted))",
        )],
    ),
    mutant(
        "members-may-begin-with-anything",
        "threads that begin with different operations pass for equal",
        SYMMETRY,
        &[(
            "        if let Some(why) = self.differ() {\n",
            "        if let Some(why) = self.differ().filter(|_| false) {\n",
        )],
    ),
    mutant(
        "stuck-by-number",
        "a deadlock of one member is another than that of its like",
        SYMMETRY,
        &[(
            "            if let Some((class, _)) = thread.equal {\n",
            "            if let Some((class, _)) = thread.equal.filter(|_| false) {\n",
        )],
    ),
    mutant(
        "waits-for-a-mark-are-deadlocks",
        "who waits for a mark that never comes is blocked for ever",
        TURN,
        &[("return self.end(Ending::Exchanged);", "return self.end(Ending::Deadlock);")],
    ),
    mutant(
        "halves-are-dropped",
        "what an execution counts for in addition to a whole number is dropped",
        COUNT,
        &[(
            "            Err(at) => self.parts.insert(at, (below, above)),\n",
            "            Err(_) => self.whole += above / below,\n",
        )],
    ),
    mutant(
        "fractions-are-whole",
        "sums that are no whole numbers are not noticed",
        COUNT,
        &[("self.parts.iter().all(|(below, above)| above % below == 0)", "true")],
    ),
    mutant(
        "answers-by-number",
        "who of the equal threads returned what is told",
        EQUAL,
        &[("        answers.sort();\n", "")],
    ),
    mutant(
        "exchanges-are-not-tried",
        "an ordering with the members exchanged is not run to see that it leads to the same",
        TALLY,
        &[(
            "    members().any(|(one, other)| one != other).then(|| {",
            "    members().any(|(one, other)| false && one != other).then(|| {",
        )],
    ),
    mutant(
        "parts-of-unequal-threads",
        "a part whose sums are no whole numbers is said to be of threads that are not equal",
        TALLY,
        &[("if self.part.is_none() && !whole {", "if !whole {")],
    ),
];
