//! `models/MUTANTS.md`: which check sees which mutant of the core.

use super::run::{self, Check};
use super::Mutant;
use std::collections::BTreeMap;

/// Where it is, from the root.
pub(super) const FILE: &str = "models/MUTANTS.md";

/// What saw a mutant, by check.
pub(super) type Killers = BTreeMap<Check, Option<String>>;

/// In the cell of a check that the mutant was not run against.
pub(super) const NOT_RUN: &str = "not run";

const HEAD: &str = "\
# Which check sees which mistake

Each row is a mistake in the core (`xtask/src/mutants/core/`), and what fails
when it is made: a scenario under shuttle-dpor, one of the generated scenarios, a
scenario under loom, one of the native tests. Where several fail, the one that
came first. Of the generated ones it is run against part {PART} of those of
three calls, under shuttle-dpor; under loom against the scenarios in which loom has
no more than {QUICK} executions, and against the one that shuttle-dpor saw it by; with
std against the native tests, but for `{SLOW}` where an exploration sees it.
`-`: nothing fails; `not run`: nobody has looked. `(deadline)`: it never came to an end.

Written by `cargo xtask mutants --matrix`, and checked by `--check`; do not edit it.
";

/// Why nothing, or no exploration, sees a mutant.
fn reason(mutant: &Mutant) -> Option<&'static str> {
    super::core::UNSEEN.iter().find(|(name, _)| *name == mutant.name).map(|(_, why)| *why)
}

const EXPLORATIONS: [Check; 3] = [Check::Dpor, Check::Generated, Check::Loom];

fn all_run(killers: &Killers) -> bool {
    EXPLORATIONS.iter().all(|check| killers.contains_key(check))
}

/// Whether an exploration sees it.
pub(super) fn explored(killers: &Killers) -> bool {
    EXPLORATIONS.iter().any(|check| killers.get(check).is_some_and(Option::is_some))
}

/// The file; and what is wrong with it: a mutant that no exploration sees and no reason
/// is given for, or a reason for what is seen.
pub(super) fn write(rows: &[(&'static str, &Mutant, Killers)]) -> (String, Vec<String>) {
    let quick = run::QUICK.to_string();
    let text = HEAD.replace("{PART}", run::PART).replace("{QUICK}", &quick);
    let mut text = text.replace("{SLOW}", run::SLOW);
    let (mut wrong, mut unseen) = (Vec::new(), Vec::new());
    let seen = |check| {
        rows.iter().filter(|(.., killers)| killers.get(&check).is_some_and(Option::is_some)).count()
    };
    let explorations = rows.iter().filter(|(.., killers)| explored(killers)).count();
    text.push_str(&format!("\nOf {} mutants an exploration sees {explorations}", rows.len()));
    for check in Check::ALL {
        let run = rows.iter().any(|(.., killers)| killers.contains_key(&check));
        let seen = if run { seen(check).to_string() } else { NOT_RUN.to_owned() };
        text.push_str(&format!("; {} {seen}", check.name()));
    }
    text.push_str(".\n");
    let mut kinds: Vec<&str> = rows.iter().map(|(kind, ..)| *kind).collect();
    kinds.dedup();
    for kind in kinds {
        text.push_str(&format!("\n## {kind}\n\n| mutant |"));
        Check::ALL.iter().for_each(|check| text.push_str(&format!(" {} |", check.name())));
        text.push_str(" what it is |\n|---|---|---|---|---|---|\n");
        for (_, mutant, killers) in rows.iter().filter(|(of, ..)| *of == kind) {
            text.push_str(&format!("| `{}` |", mutant.name));
            for check in Check::ALL {
                let by = killers.get(&check).map_or(NOT_RUN, |by| by.as_deref().unwrap_or("-"));
                text.push_str(&format!(" {} |", by.replace('|', "\\|")));
            }
            text.push_str(&format!(" {} |\n", mutant.breaks));
            let name = mutant.name;
            match (explored(killers), reason(mutant)) {
                (false, Some(why)) => unseen.push(format!("- `{name}`: {why}\n")),
                // Before all of them were run, nobody knows.
                (false, None) if !all_run(killers) => {}
                (false, None) => wrong.push(format!("{name}: no exploration sees it")),
                (true, Some(_)) => {
                    wrong.push(format!("{name}: is seen, and a reason says why not"))
                }
                (true, None) => {}
            }
        }
    }
    if !unseen.is_empty() {
        text.push_str("\n## What no exploration sees, and why\n\n");
        unseen.iter().for_each(|line| text.push_str(line));
    }
    (text, wrong)
}

/// The cells of a file, by mutant, in the order of [`Check::ALL`].
pub(super) fn read(text: &str) -> BTreeMap<String, Vec<String>> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| {
        let (name, rest) = row.split_once("` | ")?;
        let cells = rest.replace("\\|", "\u{1}");
        let cells = cells.split(" | ").take(Check::ALL.len());
        Some((name.to_owned(), cells.map(|cell| cell.replace('\u{1}', "|")).collect()))
    })
    .collect()
}
