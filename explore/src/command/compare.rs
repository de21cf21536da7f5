//! `--compare`: one scenario under several engines, side by side. Engines that explored
//! every ordering must have seen the same outcomes; an engine that did not must have
//! seen no others.

use super::run::{Job, Runner};
use super::{json, print, worst, Arguments, Error, Format};
use crate::engine::Strategy;
use crate::log::Outcome;
use crate::render::layout::{
    left, number, page, paint, plural, right, seconds, width, wrap, BAD, BOLD, DIM, GOOD, OPEN,
};
use crate::render::markdown::cell;
use crate::report::{Report, VERSION};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Why loom may miss an outcome that another engine sees.
const WEAK: &str = ": it takes Weak::upgrade for a step that races with nothing";

/// One scenario under all of the engines.
pub(super) struct Comparison {
    scenario: String,
    /// The name of each engine, with its report, or why it did not run.
    pub(super) engines: Vec<(&'static str, Result<Report, Error>)>,
}

/// The last line of a comparison in JSON.
#[derive(Serialize)]
struct Agreement<'a> {
    version: u32,
    comparison: &'a str,
    engines: Vec<&'a str>,
    agree: bool,
    differences: Vec<String>,
}

pub(super) fn run(
    runner: &Runner,
    arguments: &Arguments,
    jobs: &[Job],
    engines: &[Strategy],
) -> Result<u8, Error> {
    let mut status = 0;
    for (index, job) in jobs.iter().enumerate() {
        let compared = Comparison::of(runner, job, engines)?;
        print(&match arguments.format {
            Format::Json => compared.json(),
            Format::Markdown => compared.markdown(),
            _ if index > 0 => format!("\n{}", compared.text()),
            _ => compared.text(),
        })?;
        status = match (status, compared.status()) {
            (1, _) | (_, 1) => 1,
            (one, other) => one.max(other),
        };
        if runner.interrupted() {
            return Ok(status.max(if status == 1 { 1 } else { 3 }));
        }
    }
    Ok(status)
}

impl Comparison {
    /// # Errors
    /// Fewer than two of the engines can run the scenario.
    fn of(runner: &Runner, job: &Job, engines: &[Strategy]) -> Result<Self, Error> {
        let mut compared = Self::all(runner, job, engines);
        let ran = compared.reports().count();
        let why = compared.engines.iter().position(|(_, report)| report.is_err());
        match why.map(|at| compared.engines.swap_remove(at)) {
            Some((_, Err(why))) if ran < 2 => Err(why),
            Some(ran) => {
                compared.engines.push(ran);
                Ok(compared)
            }
            None => Ok(compared),
        }
    }

    pub(super) fn all(runner: &Runner, job: &Job, engines: &[Strategy]) -> Self {
        let explore = |engine: &Strategy| (engine.name(), runner.explore(job, *engine));
        Comparison {
            scenario: job.scenario.name.clone(),
            engines: engines.iter().map(explore).collect(),
        }
    }

    /// The reports of the engines that ran.
    pub(super) fn reports(&self) -> impl Iterator<Item = (&'static str, &Report)> {
        self.engines.iter().filter_map(|(name, report)| Some((*name, report.as_ref().ok()?)))
    }

    /// The outcomes that any engine has seen, sorted.
    pub(super) fn outcomes(&self) -> Vec<&Outcome> {
        let outcomes = self.reports().flat_map(|(_, report)| report.outcomes.iter());
        let outcomes: BTreeSet<&Outcome> = outcomes.map(|seen| &seen.outcome).collect();
        outcomes.into_iter().collect()
    }

    /// The contradictions between engines.
    pub(super) fn differences(&self) -> Vec<String> {
        let mut differences = Vec::new();
        let Some((whole, all)) = self.reports().find(|(_, report)| report.explored_all) else {
            return differences;
        };
        for (name, report) in self.reports().filter(|(name, _)| *name != whole) {
            for (what, of) in
                [("outcome", seen as fn(&Report) -> BTreeSet<String>), ("violation of", broken)]
            {
                let (here, there) = (of(report), of(all));
                for extra in here.difference(&there) {
                    differences
                        .push(format!("{name} has seen the {what} `{extra}`, {whole} has not"));
                }
                for extra in there.difference(&here).filter(|_| report.explored_all) {
                    let why = if name == "loom" { WEAK } else { "" };
                    differences.push(format!(
                        "{whole} has seen the {what} `{extra}`, {name} has not{why}"
                    ));
                }
            }
        }
        differences
    }

    fn status(&self) -> u8 {
        let reports: Vec<&Report> = self.reports().map(|(_, report)| report).collect();
        if self.differences().is_empty() {
            worst(reports)
        } else {
            1
        }
    }

    fn json(&self) -> String {
        let mut lines: String = self.reports().map(|(_, report)| json(report)).collect();
        let differences = self.differences();
        let agreement = Agreement {
            version: VERSION,
            comparison: &self.scenario,
            engines: self.reports().map(|(name, _)| name).collect(),
            agree: differences.is_empty(),
            differences,
        };
        lines += &serde_json::to_string(&agreement).unwrap_or_default();
        lines + "\n"
    }

    /// How often an engine has seen an outcome.
    pub(super) fn count(report: &Report, outcome: &Outcome) -> u64 {
        report.outcomes.iter().find(|row| row.outcome == *outcome).map_or(0, |row| row.orderings)
    }

    fn conclusion(&self) -> String {
        let finished: Vec<&str> = self
            .reports()
            .filter(|(_, report)| report.explored_all)
            .map(|(name, _)| name)
            .collect();
        match finished.len() {
            0 => "none of them explored everything: nothing to compare".into(),
            1 => format!("only {} explored everything; the others saw nothing else", finished[0]),
            _ => format!(
                "{} agree: {}",
                finished.join(" and "),
                plural(self.outcomes().len() as u64, "outcome")
            ),
        }
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let title = match self.reports().next() {
            Some((_, report)) if report.name != report.scenario => {
                format!("{}{}: {}", report.name, report.on(), report.scenario)
            }
            Some((_, report)) => format!("{}{}", self.scenario, report.on()),
            None => self.scenario.clone(),
        };
        for line in wrap(&title, page(), 4) {
            let _ = writeln!(out, "{}", paint(BOLD, &line));
        }
        let heading = "  engine  orderings  executions   seconds  outcomes  verdict";
        let _ = writeln!(out, "{}", paint(BOLD, heading));
        for (name, report) in &self.engines {
            let name = left(name, 6);
            let _ = match report {
                Err(why) => writeln!(out, "  {name}  {}", paint(OPEN, &format!("not run: {why}"))),
                Ok(report) => writeln!(
                    out,
                    "  {name}  {}  {}  {}  {}  {}",
                    right(&report.orderings.map_or("-".into(), number), 9),
                    right(&number(report.executions), 10),
                    right(&seconds(report.elapsed), 8),
                    right(&report.outcomes.len().to_string(), 8),
                    report.verdict_line()
                ),
            };
        }
        self.counts(&mut out);
        let differences = self.differences();
        for difference in &differences {
            for line in wrap(difference, page() - 2, 4) {
                let _ = writeln!(out, "  {}", paint(BAD, &line));
            }
        }
        if differences.is_empty() {
            let _ = writeln!(out, "  {}", paint(GOOD, &self.conclusion()));
        }
        out
    }

    /// The outcomes, and how often each engine has seen them.
    fn counts(&self, out: &mut String) {
        let columns: Vec<usize> = self
            .reports()
            .map(|(name, report)| {
                let counts = report.outcomes.iter().map(|row| number(row.orderings).len());
                counts.max().unwrap_or(0).max(width(name))
            })
            .collect();
        let cells = |cells: Vec<String>| {
            let cells = cells.iter().zip(&columns).map(|(cell, width)| right(cell, *width));
            cells.collect::<Vec<_>>().join("  ")
        };
        let names = cells(self.reports().map(|(name, _)| name.to_owned()).collect());
        let margin = width(&names) + 4;
        let _ = writeln!(out, "\n  {}", paint(BOLD, &format!("{names}  outcome")));
        for outcome in self.outcomes() {
            let counts = self.reports().map(|(_, report)| number(Self::count(report, outcome)));
            let mut before = format!("  {}  ", cells(counts.collect()));
            for line in wrap(&outcome.to_string(), page().saturating_sub(margin).max(20), 2) {
                let _ = writeln!(out, "{before}{line}");
                before = " ".repeat(margin);
            }
        }
        let unit = "counts are orderings where the engine tells them apart, else executions";
        let _ = writeln!(out, "  {}", paint(DIM, unit));
    }

    fn markdown(&self) -> String {
        let mut out = format!("### {}\n\n", cell(&self.scenario));
        out += "| engine | orderings | executions | seconds | outcomes | verdict |\n";
        out += "|---|--:|--:|--:|--:|---|\n";
        for (name, report) in &self.engines {
            let _ = match report {
                Err(why) => {
                    writeln!(out, "| {name} | | | | | not run: {} |", cell(&why.to_string()))
                }
                Ok(report) => writeln!(
                    out,
                    "| {name} | {} | {} | {} | {} | {} |",
                    report.orderings.map_or("-".into(), number),
                    number(report.executions),
                    seconds(report.elapsed),
                    report.outcomes.len(),
                    cell(&report.verdict_line())
                ),
            };
        }
        let names: Vec<&str> = self.reports().map(|(name, _)| name).collect();
        let _ = writeln!(
            out,
            "\n| outcome | {} |\n|---|{}",
            names.join(" | "),
            "--:|".repeat(names.len())
        );
        for outcome in self.outcomes() {
            let counts = self.reports().map(|(_, report)| number(Self::count(report, outcome)));
            let counts = counts.collect::<Vec<_>>().join(" | ");
            let _ = writeln!(out, "| {} | {counts} |", cell(&outcome.to_string()));
        }
        let differences = self.differences();
        for difference in &differences {
            let _ = writeln!(out, "\n**{}**", cell(difference));
        }
        if differences.is_empty() {
            let _ = writeln!(out, "\n{}", self.conclusion());
        }
        out
    }
}

fn seen(report: &Report) -> BTreeSet<String> {
    report.outcomes.iter().map(|seen| seen.outcome.to_string()).collect()
}

fn broken(report: &Report) -> BTreeSet<String> {
    report.violations.iter().map(|violation| violation.invariant.clone()).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::Comparison;
    use crate::Report;

    /// A report with this verdict, and with these counts of outcomes.
    pub(in super::super) fn report(verdict: &str, seen: &[(&str, u64)]) -> Report {
        let outcomes = seen.iter().map(|(outcome, orderings)| {
            serde_json::json!({ "outcome": outcome,
                                "answers": [{ "thread": 1, "call": "c", "answer": outcome }],
                                "orderings": orderings,
                                "percent": 1.0, "grade": "allowed", "meaning": null })
        });
        let executions: u64 = seen.iter().map(|(_, orderings)| orderings).sum();
        let report = serde_json::json!({
            "version": 1, "name": "n", "meaning": "", "scenario": "n", "system": "core",
            "engine": "dpor", "threads": 2, "orderings": executions, "executions": executions,
            "verdict": verdict, "reason": null, "explored_all": verdict == "complete",
            "success": verdict == "complete", "elapsed_ms": 1.0,
            "outcomes": outcomes.collect::<Vec<_>>(), "violations": [], "missing": [],
            "forbidden": [], "expected_violations": [], "idle_calls": [],
        });
        serde_json::from_value(report).unwrap()
    }

    pub(in super::super) fn compared(one: Report, other: Report) -> Comparison {
        Comparison { scenario: "n".into(), engines: vec![("dpor", Ok(one)), ("loom", Ok(other))] }
    }

    #[test]
    fn two_that_finished_must_agree() {
        let both = || report("complete", &[("a", 1), ("b", 3)]);
        let compare = |other| {
            let compared = compared(both(), other);
            (compared.status(), compared.differences().len())
        };
        assert_eq!(compare(both()), (0, 0));
        assert_eq!(compare(report("complete", &[("b", 7), ("a", 7)])), (0, 0));
        assert_eq!(compare(report("complete", &[("a", 4)])), (1, 1));
        assert_eq!(compare(report("complete", &[("a", 1), ("c", 3)])), (1, 2));
        // An engine that did not finish may have seen fewer outcomes, but no others.
        assert_eq!(compare(report("incomplete", &[("a", 4)])), (3, 0));
        assert_eq!(compare(report("incomplete", &[("c", 4)])), (1, 1));
        let text = compared(both(), report("complete", &[("a", 4)])).text();
        assert!(text.contains("dpor has seen the outcome `c: b`, loom has not"), "{text}");
    }
}
