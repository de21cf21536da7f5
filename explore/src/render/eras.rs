//! The same scenarios on several systems, such as the eras of a protocol: a table for
//! each scenario, with a row for each system.

use super::layout::{left, number, page, paint, plural, right, seconds, width, wrap, BOLD, DIM};
use super::text::{paragraph, verdict_style};
use crate::report::Report;
use std::fmt::Write;
use std::time::Duration;

/// Whether the reports are of the same scenarios on several systems.
pub(super) fn are(reports: &[Report]) -> bool {
    let same = |a: &Report, b: &Report| {
        (&a.name, &a.scenario) == (&b.name, &b.scenario) && a.system != b.system
    };
    reports.iter().any(|report| same(report, &reports[0]))
}

/// A table for each scenario.
pub(super) fn text(reports: &[Report]) -> String {
    let mut out = String::new();
    let mut told: Vec<&str> = Vec::new();
    for report in reports {
        if told.contains(&report.scenario.as_str()) {
            continue;
        }
        told.push(&report.scenario);
        let rows: Vec<&Report> = reports.iter().filter(|v| v.scenario == report.scenario).collect();
        super::text::heading(&mut out, report);
        out.push('\n');
        table(&mut out, &rows);
        out.push('\n');
    }
    let elapsed = reports.iter().map(|report| report.elapsed).sum::<Duration>();
    let total = plural(reports.iter().map(Report::all).sum(), reports[0].counted());
    let _ = writeln!(out, "{total}, {} s, {}", seconds(elapsed), reports[0].engine);
    let more = "Ask one system alone, or add --outcomes, for the outcomes and the orderings that \
                lead to them.";
    paragraph(&mut out, more, 0, DIM);
    out
}

fn table(out: &mut String, rows: &[&Report]) {
    let counts: Vec<String> = rows.iter().map(|report| number(report.all())).collect();
    let noun = format!("{}s", rows[0].counted());
    let widest = |cells: &mut dyn Iterator<Item = &str>| cells.map(width).max().unwrap_or(0);
    let name = widest(&mut rows.iter().map(|report| report.system.as_str()).chain(["system"]));
    let count = widest(&mut counts.iter().map(String::as_str).chain([noun.as_str()]));
    let heading = format!("{}  {}  outcomes  verdict", left("system", name), right(&noun, count));
    let _ = writeln!(out, "{}", paint(BOLD, &heading));
    let margin = name + count + 14;
    for (report, all) in rows.iter().zip(&counts) {
        let outcomes = right(&report.outcomes.len().to_string(), 8);
        let mut before =
            format!("{}  {}  {outcomes}  ", left(&report.system, name), right(all, count));
        let broken = report.violations.iter();
        let broken = broken.map(|b| format!("{} in {}", b.invariant, number(b.orderings)));
        let broken = broken.collect::<Vec<_>>().join(", ");
        let verdict = match broken.is_empty() {
            true => report.verdict_line(),
            false => format!("{}: {broken}{}", report.verdict_word(), report.partly()),
        };
        for line in wrap(&verdict, page().saturating_sub(margin).max(24), 2) {
            let _ = writeln!(out, "{before}{}", paint(verdict_style(report), &line));
            before = " ".repeat(margin);
        }
    }
}
