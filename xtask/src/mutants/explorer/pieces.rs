//! Explorations in files, in parts, and what is said of how long they take.

use super::super::{mutant, Mutant};
use super::{ESTIMATE, FOREST, NODE, RESUME, SPLIT, STEPS, TEXT, WALK};

pub(super) const MUTANTS: &[Mutant] = &[
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
        &[(
            "{step} {sort} {}\", state(child.over)",
            "{step} {sort} {}\", state(true || child.over)",
        )],
    ),
    mutant(
        "fixed-steps-are-reversed",
        "races with the steps that a part begins with are reversed behind them",
        NODE,
        &[("at.checked_sub(self.fixed)", "Some(at.saturating_sub(self.fixed))")],
    ),
    mutant(
        "part-behind-no-look",
        "a part begins with a change that no look comes before",
        SPLIT,
        &[("for subset in 0..1u32 << before.len() {", "for subset in 0..1u32 {")],
    ),
    mutant(
        "part-twice",
        "beginnings that are the same in another order are two parts",
        SPLIT,
        &[("    happened.sort_unstable();\n", "")],
    ),
    mutant(
        "file-of-something-else",
        "a file of another body, program or version is gone on from",
        TEXT,
        &[("        if there != *here {", "        if false && there != *here {")],
    ),
    mutant(
        "file-of-another-part",
        "a file of another part is gone on from",
        RESUME,
        &[("            if saved.part != checkpoint.part {", "            if false && saved.part != checkpoint.part {")],
    ),
    mutant(
        "first-ordering-is-a-number",
        "a body is told from others by how many operations it has",
        RESUME,
        &[("                (step.thread, operation, object, file, line).hash(&mut hasher);\n", "                let _ = (step.thread, operation, object, file, line);\n                hasher.write_u8(0);\n")],
    ),
    mutant(
        "part-counts-twice",
        "a part that is there twice is counted twice",
        RESUME,
        &[("found.iter().find(|(known, _)| *known == k)", "found.iter().find(|(known, _)| false && *known == k)")],
    ),
    mutant(
        "last-part-is-not-missed",
        "nobody notices that the last part is missing",
        RESUME,
        &[("if let Some(k) = (1..=n).find(", "if let Some(k) = (1..n).find(")],
    ),
    mutant(
        "unfinished-part-passes",
        "a part that is not explored to its end passes for one that is",
        RESUME,
        &[("            if !tree.is_over() {", "            if false && !tree.is_over() {")],
    ),
    mutant(
        "blocks-in-no-part",
        "some blocks are in no part",
        RESUME,
        &[(".skip(k - 1).step_by(n)", ".skip(k - 1).step_by(n + 1)")],
    ),
    mutant(
        "written-without-what-sleeps",
        "in a file, nothing sleeps",
        TEXT,
        &[("let sleep = numbers(&mut steps, &node.sleep);", "let sleep = numbers(&mut steps, &node.sleep[..0]);")],
    ),
    mutant(
        "violations-are-not-read",
        "violations that were found before an interruption are forgotten",
        TEXT,
        &[("tally.violations.insert((unescape(name)?, unescape(place)?), best);", "let _ = (unescape(name)?, unescape(place)?, best);")],
    ),
    mutant(
        "steps-without-their-looks",
        "in a file, a step after a yield is one that looks at nothing",
        STEPS,
        &[("step.label.also.as_ptr() as usize", "0usize")],
    ),
    mutant(
        "written-while-others-work",
        "a file is written while workers hold what it is about",
        FOREST,
        &[("if inner.pausing && inner.busy == 0 {", "if inner.pausing {")],
    ),
    mutant(
        "divided-behind-a-yield",
        "what waits for several objects is divided by one of them",
        SPLIT,
        &[("    if rt.ending != Some(Ending::Halted) || yields {", "    if rt.ending != Some(Ending::Halted) || false && yields {")],
    ),
    mutant(
        "estimate-of-what-could-run",
        "a walk stands for as many orderings as there were choices, also between what commutes",
        WALK,
        &[("            let choice = sum / free;", "            let choice = sum / free.min(1.0);")],
    ),
    mutant(
        "estimate-goes-on-with-all",
        "of the walks of a population all go on, whatever they stand for",
        ESTIMATE,
        &[("            at += weight / mean;", "            at += (weight / mean).mul_add(0.0, 1.0);")],
    ),
    mutant(
        "estimate-knows-no-bounds",
        "an estimate that ran out of time says between what it is",
        ESTIMATE,
        &[(
            "let known = !self.cut && self.said.len() >= FEW && wide <= TOO_WIDE;",
            "let known = !self.cut;",
        )],
    ),
];
