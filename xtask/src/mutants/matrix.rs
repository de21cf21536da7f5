//! `models/MUTANTS.md` and `dpor/MUTANTS.md`: which check sees which mutant.

use super::run::{self, Check};
use super::{Mutant, Subject};
use std::collections::BTreeMap;

/// What saw a mutant, by check.
pub(super) type Killers = BTreeMap<Check, Option<String>>;

/// In the cell of a check that the mutant was not run against.
pub(super) const NOT_RUN: &str = "not run";

/// Why nothing, or no exploration, sees a mutant.
fn reason(subject: &Subject, mutant: &Mutant) -> Option<&'static str> {
    subject.unseen.iter().find(|(name, _)| *name == mutant.name).map(|(_, why)| *why)
}

fn all_run(subject: &Subject, killers: &Killers) -> bool {
    subject.required.iter().all(|check| killers.contains_key(check))
}

/// Whether one of the checks sees it that are to see all.
pub(super) fn explored(subject: &Subject, killers: &Killers) -> bool {
    subject.required.iter().any(|check| killers.get(check).is_some_and(Option::is_some))
}

/// The file; and what is wrong with it: a mutant that nothing sees and no reason
/// is given for, or a reason for what is seen.
pub(super) fn write(
    subject: &Subject,
    rows: &[(&'static str, &Mutant, Killers)],
) -> (String, Vec<String>) {
    let quick = run::QUICK.to_string();
    let text = subject.head.replace("{PART}", run::PART).replace("{QUICK}", &quick);
    let mut text = text.replace("{SLOW}", run::SLOW);
    let (mut wrong, mut unseen) = (Vec::new(), Vec::new());
    let seen = |check| {
        rows.iter().filter(|(.., killers)| killers.get(&check).is_some_and(Option::is_some)).count()
    };
    let explorations = rows.iter().filter(|(.., killers)| explored(subject, killers)).count();
    let (all, one, none) = (rows.len(), subject.one, subject.none);
    text.push_str(&format!("\nOf {all} mutants {one} sees {explorations}"));
    for check in subject.checks.iter().filter(|_| subject.checks.len() > 1) {
        let run = rows.iter().any(|(.., killers)| killers.contains_key(check));
        let seen = if run { seen(*check).to_string() } else { NOT_RUN.to_owned() };
        text.push_str(&format!("; {} {seen}", check.name()));
    }
    text.push_str(".\n");
    let mut kinds: Vec<&str> = rows.iter().map(|(kind, ..)| *kind).collect();
    kinds.dedup();
    for kind in kinds {
        text.push_str(&format!("\n## {kind}\n\n| mutant |"));
        subject.checks.iter().for_each(|check| text.push_str(&format!(" {} |", check.name())));
        let columns = "---|".repeat(subject.checks.len());
        text.push_str(&format!(" what it is |\n|---|{columns}---|\n"));
        for (_, mutant, killers) in rows.iter().filter(|(of, ..)| *of == kind) {
            text.push_str(&format!("| `{}` |", mutant.name));
            for check in subject.checks {
                let by = killers.get(check).map_or(NOT_RUN, |by| by.as_deref().unwrap_or("-"));
                text.push_str(&format!(" {} |", by.replace('|', "\\|")));
            }
            text.push_str(&format!(" {} |\n", mutant.breaks));
            let name = mutant.name;
            match (explored(subject, killers), reason(subject, mutant)) {
                (false, Some(why)) => unseen.push(format!("- `{name}`: {why}\n")),
                // Before all of them were run, nobody knows.
                (false, None) if !all_run(subject, killers) => {}
                (false, None) => wrong.push(format!("{name}: {none} sees it")),
                (true, Some(_)) => {
                    wrong.push(format!("{name}: is seen, and a reason says why not"))
                }
                (true, None) => {}
            }
        }
    }
    if !unseen.is_empty() {
        text.push_str(&format!("\n## What {none} sees, and why\n\n"));
        unseen.iter().for_each(|line| text.push_str(line));
    }
    (text, wrong)
}

/// The cells of a file, by mutant, in the order of the checks.
pub(super) fn read(subject: &Subject, text: &str) -> BTreeMap<String, Vec<String>> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| {
        let (name, rest) = row.split_once("` | ")?;
        let cells = rest.replace("\\|", "\u{1}");
        let cells = cells.split(" | ").take(subject.checks.len());
        Some((name.to_owned(), cells.map(|cell| cell.replace('\u{1}', "|")).collect()))
    })
    .collect()
}
