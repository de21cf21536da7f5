//! Several scenarios in a table, a row for each, with the columns in which they differ.

use super::eras;
use super::layout::{cut, left, number, page, paint, right, seconds, width, BOLD};
use super::text::verdict_style;
use crate::report::Report;
use std::fmt::Write;

/// A column: its heading, and its cells.
struct Column {
    heading: &'static str,
    cells: Vec<String>,
    words: bool,
}

impl Column {
    fn new(reports: &[Report], heading: &'static str, cell: fn(&Report) -> String) -> Column {
        let words = ["scenario", "system", "engine", "verdict"].contains(&heading);
        Column { heading, cells: reports.iter().map(cell).collect(), words }
    }

    fn width(&self) -> usize {
        let cells = self.cells.iter().map(String::as_str).chain([self.heading]);
        cells.map(width).max().unwrap_or(0)
    }

    fn padded(&self, text: &str, width: usize) -> String {
        match self.words {
            true => left(text, width),
            false => right(text, width),
        }
    }
}

/// The table, with a row for each scenario.
pub(super) fn table(reports: &[Report]) -> String {
    let columns = columns(reports);
    let mut widths: Vec<usize> = columns.iter().map(Column::width).collect();
    // The column of names is narrowed: all others are numbers or single words.
    let others: usize = widths[1..].iter().map(|width| width + 1).sum();
    widths[0] = widths[0].min(page().saturating_sub(others)).max(8);
    let line = |cell: &dyn Fn(&Column, usize) -> String| {
        let cells = columns.iter().zip(&widths).map(|(column, width)| cell(column, *width));
        cells.collect::<Vec<_>>().join(" ").trim_end().to_owned() + "\n"
    };
    let mut out = line(&|column, width| paint(BOLD, &column.padded(column.heading, width)));
    for (index, report) in reports.iter().enumerate() {
        let long = columns[0].heading == "scenario" && width(&report.name) > widths[0];
        if long {
            // A name that does not fit has a line of its own.
            let _ = writeln!(out, "{}", cut(&report.name, page()));
        }
        out += &line(&|column, width| {
            let cell = &column.cells[index];
            match column.heading {
                "scenario" if long => " ".repeat(width),
                "verdict" => paint(verdict_style(report), &column.padded(cell, width)),
                _ => column.padded(cell, width),
            }
        });
    }
    out
}

/// The columns that are needed. Left out are the engine, if all have the same; either
/// the system, or, where several systems explore the same scenarios, the threads, and the
/// name of a single scenario; and executions, if each ordering was executed once, or
/// orderings, if no engine tells them apart.
fn columns(reports: &[Report]) -> Vec<Column> {
    let engines = reports.iter().any(|report| report.engine != reports[0].engine);
    let orderings = reports.iter().any(|report| report.orderings.is_some());
    let executions = reports.iter().any(|report| report.orderings != Some(report.executions));
    let systems = eras::are(reports);
    let names = !systems || reports.iter().any(|report| report.name != reports[0].name);
    let column = |heading, cell| Column::new(reports, heading, cell);
    let columns = [
        (names, column("scenario", |report| report.name.clone())),
        (systems, column("system", |report| report.system.clone())),
        (!systems, column("threads", |report| report.threads.to_string())),
        (engines, column("engine", |report| report.engine.clone())),
        (orderings, column("orderings", |report| report.orderings.map_or("-".into(), number))),
        (executions, column("executions", |report| number(report.executions))),
        (true, column("outcomes", |report| report.outcomes.len().to_string())),
        (true, column("verdict", |report| report.verdict.to_string())),
        (true, column("seconds", |report| seconds(report.elapsed))),
    ];
    columns.into_iter().filter_map(|(wanted, column)| wanted.then_some(column)).collect()
}
