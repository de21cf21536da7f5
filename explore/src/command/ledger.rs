//! `--ledger`: the size and the outcomes of each exploration, in one file that is
//! reviewed. Exploration is deterministic, so a scenario that shrinks, loses an outcome
//! or grows tenfold changes the file, and is never silent.

use super::compare::Comparison;
use super::run::Runner;
use super::{print, select, Arguments, Error};
use crate::engine::Strategy;
use crate::render::layout::{paint, plural, BAD, GOOD};
use crate::report::{Report, Verdict};
use crate::suite::Suite;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

const HEAD: &str = "\
# What each exploration explored: for each scenario and engine the orderings and
# executions, and how often each outcome was seen. Written by --ledger, checked
# by --ledger --check. Exploration is deterministic: a change in here is a change
# to review.
";

const ENGINES: [Strategy; 2] = [Strategy::Dpor, Strategy::Loom];

pub(super) fn run(suite: &Arc<Suite>, arguments: &Arguments) -> Result<u8, Error> {
    let Some((path, title)) = &suite.ledger else {
        return Err(Error::NoLedger);
    };
    let runner = Runner::new(suite, arguments.options(arguments.strategy()));
    let (mut ledger, mut wrong) = (HEAD.to_owned(), Vec::new());
    for system in suite.by_default() {
        for job in select::built_in(system)? {
            let compared = Comparison::all(&runner, &job, &ENGINES);
            if runner.interrupted() {
                return Ok(3);
            }
            let name = format!("{}: {}", system.name(), job.scenario.name);
            let _ = writeln!(ledger, "\n{name}\n    {}", job.scenario);
            entry(&mut ledger, &compared);
            wrong.extend(defects(&compared).map(|defect| format!("{name}: {defect}")));
        }
    }
    let changed =
        if arguments.check { check(path, title, &ledger)? } else { write(path, title, &ledger)? };
    for defect in &wrong {
        print(&format!("{}\n", paint(BAD, defect)))?;
    }
    Ok(u8::from(changed || !wrong.is_empty()))
}

fn entry(ledger: &mut String, compared: &Comparison) {
    for (engine, report) in &compared.engines {
        let _ = match report {
            Err(why) => writeln!(ledger, "    {engine}: not run, {why}"),
            Ok(report) => writeln!(ledger, "    {engine}: {}", size(report)),
        };
    }
    // The counts of an interrupted exploration would differ from run to run.
    let finished: Vec<(&str, &Report)> =
        compared.reports().filter(|(_, report)| report.explored_all).collect();
    let counts = |count: &dyn Fn(&Report) -> u64| {
        let counts = finished.iter().map(|(name, report)| format!("{name} {}", count(report)));
        counts.collect::<Vec<_>>().join(", ")
    };
    let violated = finished.iter().flat_map(|(_, report)| &report.violations);
    let violated: BTreeSet<&str> = violated.map(|broken| broken.invariant.as_str()).collect();
    for name in violated {
        let count = |report: &Report| {
            let found = report.violations.iter().find(|broken| broken.invariant == name);
            found.map_or(0, |broken| broken.orderings)
        };
        let _ = writeln!(ledger, "    violated {name}: {}", counts(&count));
    }
    for outcome in compared.outcomes() {
        if !finished.is_empty() {
            let count = |report: &Report| Comparison::count(report, outcome);
            let _ = writeln!(ledger, "      {}: {outcome}", counts(&count));
        }
    }
}

fn size(report: &Report) -> String {
    if !report.explored_all {
        return report.verdict.to_string();
    }
    let mut size = report.verdict.to_string();
    if let Some(orderings) = report.orderings {
        size += &format!(", {}", plural(orderings, "ordering"));
    }
    size + &format!(", {}", plural(report.executions, "execution"))
}

/// Defects of the explorations, which no ledger excuses.
fn defects(compared: &Comparison) -> impl Iterator<Item = String> {
    let mut defects = compared.differences();
    for (name, report) in compared.reports() {
        if report.threads > 1 && report.explored_all && report.executions <= 1 {
            defects.push(format!("{name} explored {}", plural(report.executions, "execution")));
        }
        let lost = report.missing.iter().map(|lost| format!("{name} has never seen {lost}"));
        defects.extend(lost);
        if !report.success && report.verdict != Verdict::Incomplete && report.missing.is_empty() {
            defects.push(format!("{name}: {}", report.verdict_line()));
        }
        if report.verdict == Verdict::Incomplete {
            defects.push(format!("{name} did not finish: {}", report.verdict_line()));
        }
    }
    defects.into_iter()
}

/// Compares the ledger with the file; whether they differ.
fn check(path: &Path, title: &str, ledger: &str) -> Result<bool, Error> {
    let known = std::fs::read_to_string(path).map_err(Error::io(title))?;
    // A checkout may have other line ends.
    let known = known.replace("\r\n", "\n");
    if known == ledger {
        print(&format!("{}\n", paint(GOOD, &format!("{title} is what is explored"))))?;
        return Ok(false);
    }
    for line in difference(&known, ledger) {
        print(&format!("{line}\n"))?;
    }
    print(&format!("{}\n", paint(BAD, &format!("{title} is not what is explored"))))?;
    Ok(true)
}

fn write(path: &Path, title: &str, ledger: &str) -> Result<bool, Error> {
    std::fs::write(path, ledger).map_err(Error::io(title))?;
    print(&format!("{title} is written\n"))?;
    Ok(false)
}

/// The removed and the added lines, each below the scenario that it belongs to.
fn difference(old: &str, new: &str) -> Vec<String> {
    let sections = |text: &str| -> Vec<(String, Vec<String>)> {
        let sections = text.split("\n\n").map(|section| {
            let mut lines = section.lines().map(str::to_owned);
            (lines.next().unwrap_or_default(), lines.collect())
        });
        sections.collect()
    };
    let (old, new) = (sections(old), sections(new));
    let empty = Vec::new();
    let find = |all: &[(String, Vec<String>)], name: &str| {
        all.iter().find(|(known, _)| known == name).map(|(_, lines)| lines.clone())
    };
    let mut names: Vec<&String> = old.iter().map(|(name, _)| name).collect();
    names.extend(new.iter().map(|(name, _)| name).filter(|name| find(&old, name).is_none()));
    let mut difference = Vec::new();
    for name in names {
        let before = find(&old, name).unwrap_or_else(|| empty.clone());
        let after = find(&new, name).unwrap_or_else(|| empty.clone());
        let gone = before.iter().filter(|line| !after.contains(line));
        let came = after.iter().filter(|line| !before.contains(line));
        let mut lines: Vec<String> = gone.map(|line| format!("-{line}")).collect();
        lines.extend(came.map(|line| format!("+{line}")));
        if !lines.is_empty() {
            difference.push(name.clone());
            difference.append(&mut lines);
        }
    }
    difference
}

#[cfg(test)]
mod tests {
    use super::super::compare::tests::{compared, report};
    use super::{defects, difference};

    #[test]
    fn what_explored_nothing_or_lost_an_outcome_fails_by_itself() {
        let good = || report("complete", &[("a", 1), ("b", 1)]);
        let of = |one| defects(&compared(one, good())).collect::<Vec<_>>();
        assert!(of(good()).is_empty());
        let vacuous = of(report("complete", &[("a", 1)]));
        assert!(vacuous.contains(&"dpor explored 1 execution".to_owned()), "{vacuous:?}");
        let mut lost = good();
        lost.missing.push("insert(0): accepted".into());
        assert_eq!(of(lost), ["dpor has never seen insert(0): accepted"]);
        let unfinished = of(report("incomplete", &[("a", 1)]));
        assert_eq!(unfinished, ["dpor did not finish: INCOMPLETE"]);
        let mut wrong = good();
        (wrong.success, wrong.verdict) = (false, crate::report::Verdict::Violated);
        assert_eq!(of(wrong), ["dpor: VIOLATED"]);
    }

    #[test]
    fn a_difference_names_its_scenario() {
        let old = "head\n\none\n  1\n  2\n\ntwo\n  1\n";
        let new = "head\n\none\n  1\n  3\n\ntwo\n  1\n\nthree\n  4\n";
        assert_eq!(difference(old, new), ["one", "-  2", "+  3", "three", "+  4"]);
        assert!(difference(old, old).is_empty());
    }
}
