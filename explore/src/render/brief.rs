//! A scenario among several, in brief: a line for each outcome where it fits, and only
//! a sentence that says more than the answers. A single scenario is shown in full.

use super::layout::page;
use super::layout::{left, number, paint, plural, right, seconds, width, wrap, BAD, DIM};
use super::text::{mark_style, paragraph, verdict_style};
use crate::report::{Report, SeenOutcome, Verdict};
use std::fmt::Write;

/// The verdict and the size of the exploration, except for a COMPLETE success, for
/// which the table above has them.
pub(super) fn facts(out: &mut String, report: &Report) {
    if report.success && report.verdict == Verdict::Complete {
        return;
    }
    let verdict = paint(verdict_style(report), &report.verdict_line());
    let system = if report.usual { String::new() } else { format!(", {}", report.system) };
    let explored = plural(report.all(), report.counted());
    let _ = writeln!(out, "  {verdict}{system}, {explored}, {} s", seconds(report.elapsed));
}

pub(super) fn outcomes(out: &mut String, report: &Report) {
    let counts: Vec<String> = report.outcomes.iter().map(|row| number(row.orderings)).collect();
    let count_width = counts.iter().map(String::len).max().unwrap_or(0);
    let (constant, common) = (report.constant(), report.said_everywhere());
    let margin = 4 + 1 + count_width + 2 + 9 + 1;
    for (index, (row, count)) in report.outcomes.iter().zip(&counts).enumerate() {
        let grade = paint(mark_style(row), &left(&row.mark(), 9));
        let answers = row.varying(&constant);
        let answers = answers.iter().map(|answer| format!("{}: {}", answer.call, answer.answer));
        let mut lines = wrap(&answers.collect::<Vec<_>>().join("; "), page() - margin, 2);
        if let Some(said) = sentence(row, &common).map(|said| format!("({said})")) {
            put(&mut lines, &said, row.written, page() - margin);
        }
        let mut before = format!("{:4} {}  {grade} ", index + 1, right(count, count_width));
        for line in lines {
            let _ = writeln!(out, "{before}{line}");
            before = " ".repeat(margin);
        }
    }
    if let Some(said) = report.without_outcome() {
        paragraph(out, &said, 5, BAD);
    }
}

/// Puts a sentence behind the answers if there is room, or below them if these are one
/// line. A sentence that would make three lines of an outcome is left out, unless it is
/// the scenario's.
fn put(lines: &mut Vec<String>, said: &str, written: bool, limit: usize) {
    let several = lines.len() > 1;
    let Some(last) = lines.last_mut() else { return };
    if width(last) + 1 + width(said) <= limit {
        *last += &format!(" {}", paint(DIM, said));
        return;
    }
    let below = wrap(said, limit - 2, 1);
    if !several || written {
        lines.extend(below.iter().map(|line| format!("  {}", paint(DIM, line))));
    }
}

/// The sentence of an outcome: the scenario's, or else the first sentence of the system
/// that gives a reason or a consequence (`refused: ...`, `accepted, then ...`), does not
/// begin with a call's name, and does not hold for every outcome.
fn sentence<'a>(row: &'a SeenOutcome, common: &[&str]) -> Option<&'a str> {
    let named = |said: &str| {
        row.outcome.answers.iter().any(|answer| said.starts_with(&format!("{}: ", answer.call)))
    };
    let reason = |said: &str| said.contains(": ") || said.contains(", ");
    let meaning = row.meaning.as_deref()?;
    if row.written {
        return Some(meaning);
    }
    row.sentences().find(|said| reason(said) && !named(said) && !common.contains(said))
}
