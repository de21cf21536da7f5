//! The matrix: every scenario on every era and on the core, and each variant in
//! the row of its own ticket.

use super::LIMIT;
use crate::systems;
use crate::systems::kv_engine::era::ERAS;
use crate::systems::kv_engine::tickets::TICKETS;
use crate::systems::kv_engine::PREFIX;
use crate::Invariant;
use orderings::command::{on_request, system, Error, Job, Runner};
use orderings::engine::Strategy;
use orderings::render::layout::{left, number, paint, plural, BAD, BOLD, DIM, GOOD};
use orderings::render::markdown::cell;
use orderings::report::{Report, Violation};
use std::fmt::Write;

/// The letter of each invariant in a cell, and what a violation is.
pub(super) const LETTERS: &[(char, Invariant, &str)] = &[
    ('D', Invariant::NoDeadlock, "deadlock: threads wait for each other, or one for itself"),
    ('P', Invariant::NoDangling, "pointer: a null pointer, or a freed object, is used; a crash"),
    ('R', Invariant::NoDataRace, "race: two threads are at one unguarded variable, one writes"),
    ('L', Invariant::NoLateStream, "late: a stream is open on a connection that was closed"),
    ('E', Invariant::EndedOnce, "ended: a stream that should end never does"),
    ('B', Invariant::NoOrphanBackfill, "backfill: one of a dead stream stays, or keeps its slot"),
    ('Y', Invariant::BytesBalance, "bytes: charged to the read-ahead buffer and never given back"),
    ('W', Invariant::NoLostWakeup, "wake-up: something is to be sent, and nobody will send it"),
    ('M', Invariant::NoLeak, "memory: something is never freed"),
    ('S', Invariant::Linearizable, "sequence: no order of the calls explains their answers"),
    ('X', Invariant::NoPanic, "panic: the model itself failed"),
];

/// One scenario on all systems.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) scenario: String,
    pub(super) meaning: String,
    /// The eras, in the order of [`ERAS`].
    pub(super) eras: Vec<Report>,
    /// The variant of the scenario's ticket, where it has one.
    pub(super) variant: Option<Report>,
    pub(super) core: Report,
}

/// The rows of all scenarios.
pub(super) struct Matrix {
    pub(super) rows: Vec<Row>,
}

impl Matrix {
    /// Explores the matrix; `None`: interrupted.
    pub(super) fn explore(runner: &Runner) -> Result<Option<Matrix>, Error> {
        let mut rows = Vec::new();
        for job in jobs("core")? {
            let name = &job.scenario.name;
            let variants = TICKETS.iter().filter(|t| t.scenario == *name && t.before.contains('+'));
            let explored = |protocol: &str| explore(runner, protocol, name);
            rows.push(Row {
                name: name.clone(),
                scenario: job.scenario.text.clone(),
                meaning: job.scenario.meaning.clone(),
                eras: ERAS.iter().map(|(_, era, _)| explored(era)).collect::<Result<_, _>>()?,
                variant: variants.map(|t| explored(t.before)).next().transpose()?,
                core: runner.explore(&job, Strategy::Dpor)?,
            });
            if runner.interrupted() {
                return Ok(None);
            }
        }
        Ok(Some(Matrix { rows }))
    }

    /// The row of a scenario.
    pub(super) fn row(&self, scenario: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == scenario)
    }

    /// Explorations that are not complete, and violations by the core.
    pub(super) fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for row in &self.rows {
            let all = row.eras.iter().chain(&row.variant).chain([&row.core]);
            for report in all.filter(|report| !report.explored_all) {
                wrong.push(format!("{}: {} is not complete", row.name, report.system));
            }
            for broken in &row.core.violations {
                wrong.push(format!("{}: the core violates {}", row.name, broken.invariant));
            }
        }
        wrong
    }

    /// The sum of the orderings of all scenarios: for each era, and for the core.
    fn totals(&self) -> Vec<u64> {
        let of_era = |at: usize| self.rows.iter().map(|row| row.eras[at].all()).sum();
        let mut totals: Vec<u64> = (0..ERAS.len()).map(of_era).collect();
        totals.push(self.rows.iter().map(|row| row.core.all()).sum());
        totals
    }

    /// The sum of all orderings, with those of the variants.
    pub(super) fn all(&self) -> u64 {
        let variants = self.rows.iter().filter_map(|row| row.variant.as_ref());
        self.totals().iter().sum::<u64>() + variants.map(Report::all).sum::<u64>()
    }

    /// The matrix as a table of the page.
    pub(super) fn markdown(&self) -> String {
        let mut out = String::from("| scenario |");
        let names = ERAS.iter().map(|(_, name, _)| *name).chain(["core"]);
        let _ = writeln!(out, " {} | variant |", names.collect::<Vec<_>>().join(" | "));
        let _ = writeln!(out, "|---|{}---|", "--:|".repeat(ERAS.len() + 1));
        for row in &self.rows {
            let cells = row.eras.iter().chain([&row.core]).map(compact).collect::<Vec<_>>();
            let variant = row.variant.as_ref().map(|report| {
                let name = report.system.split('+').nth(1).unwrap_or_default();
                format!("+{}: {}", cell(name), compact(report))
            });
            let variant = variant.unwrap_or_default();
            let _ = writeln!(out, "| `{}` | {} | {variant} |", row.name, cells.join(" | "));
        }
        let totals = self.totals().into_iter().map(number).collect::<Vec<_>>().join(" | ");
        let _ = writeln!(out, "| all orderings | {totals} | |");
        out
    }

    /// The matrix for the terminal: the letters alone, for want of room.
    pub(super) fn text(&self) -> String {
        let cells = |row: &Row| -> Vec<(String, bool)> {
            let cell = |report: &Report| match (report.explored_all, letters(report)) {
                (false, letters) => (format!("{letters}?"), true),
                (true, letters) if letters.is_empty() => (".".to_owned(), false),
                (true, letters) => (letters, true),
            };
            row.eras.iter().chain([&row.core]).map(cell).collect()
        };
        let longest = |row: &Row| cells(row).iter().map(|(text, _)| text.len()).max();
        let width = self.rows.iter().filter_map(longest).max().unwrap_or(0).max(4) + 1;
        let names = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0) + 1;
        let mut out = left("", names);
        for column in (1..=ERAS.len()).map(|at| at.to_string()).chain(["core".into()]) {
            out.push_str(&paint(BOLD, &left(&column, width)));
        }
        out.push('\n');
        for row in &self.rows {
            out.push_str(&left(&row.name, names));
            for (at, (text, bad)) in cells(row).into_iter().enumerate() {
                let good = if at == ERAS.len() { GOOD } else { DIM };
                out.push_str(&paint(if bad { BAD } else { good }, &left(&text, width)));
            }
            out.push('\n');
        }
        out.push('\n');
        for (at, (_, name, meaning)) in ERAS.iter().enumerate() {
            let _ = writeln!(out, "{:>4} {name}: {meaning}", at + 1);
        }
        out.push('\n');
        for (letter, invariant, _) in self.used() {
            let _ = writeln!(out, "   {letter} violates {invariant}");
        }
        let _ = writeln!(out, "   . holds");
        let all = plural(self.all(), "ordering");
        let _ = writeln!(
            out,
            "\n{all} of {}, each explored",
            plural(self.rows.len() as u64, "scenario")
        );
        out
    }

    /// The letters that occur in a cell.
    pub(super) fn used(
        &self,
    ) -> impl Iterator<Item = &'static (char, Invariant, &'static str)> + '_ {
        let reports = |row: &'_ Row| {
            row.eras.iter().chain(&row.variant).chain([&row.core]).map(letters).collect::<String>()
        };
        let used: String = self.rows.iter().map(reports).collect();
        LETTERS.iter().filter(move |(letter, ..)| used.contains(*letter))
    }
}

/// A cell: the number of orderings, and the letters of the violations.
fn compact(report: &Report) -> String {
    let letters = letters(report);
    let size = match report.explored_all {
        true => number(report.all()),
        false => format!("INCOMPLETE, stopped at {}", plural(LIMIT, "execution")),
    };
    if letters.is_empty() {
        size
    } else {
        format!("{size} **{letters}**")
    }
}

fn letters(report: &Report) -> String {
    let broken = |invariant: &Invariant| broken(report, *invariant).is_some();
    LETTERS
        .iter()
        .filter(|(_, invariant, _)| broken(invariant))
        .map(|(letter, ..)| letter)
        .collect()
}

/// The violation of this invariant, if there is one.
pub(super) fn broken(report: &Report, invariant: Invariant) -> Option<&Violation> {
    report.violations.iter().find(|broken| broken.invariant == invariant.name())
}

fn jobs(name: &str) -> Result<Vec<Job>, Error> {
    let suite = systems::suite();
    on_request(&suite, &system(&suite, name)?)
}

/// The exploration of one scenario on one protocol of kv_engine.
pub(super) fn job(protocol: &str, scenario: &str) -> Result<Job, Error> {
    let found = jobs(&format!("{PREFIX}{protocol}"))?;
    let found = found.into_iter().find(|job| job.scenario.name == scenario);
    found.ok_or_else(|| Error::NoSuchScenario(scenario.to_owned()))
}

pub(super) fn explore(runner: &Runner, protocol: &str, name: &str) -> Result<Report, Error> {
    runner.explore(&job(protocol, name)?, Strategy::Dpor)
}
