//! The format for a terminal: the numbers first, then the outcomes and the orderings.

use super::brief;
use super::columns::columns;
use super::eras;
use super::layout::{
    left, number, page, paint, plural, right, seconds, wrap, BAD, BOLD, DIM, GOOD, OPEN,
};
use super::table::table;
use crate::log::Answer;
use crate::report::{Grade, Report, SeenOutcome, Verdict, Violation, Witness};
use anstyle::Style;
use std::fmt::Write;
use std::time::Duration;

/// How much is shown of each scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Show the ordering of this outcome, from 1.
    pub show: Option<usize>,
    /// Of several scenarios show the table, and only those that are not simply
    /// COMPLETE.
    pub summary: bool,
    /// Show several scenarios in full, as a single one.
    pub full: bool,
}

/// The whole text: a single scenario in full; of several a table, and each in brief.
pub fn text(reports: &[Report], detail: Detail) -> String {
    let mut out = String::new();
    if reports.len() < 2 {
        reports.iter().for_each(|report| scenario(&mut out, report, detail, false));
        return out;
    }
    if detail.summary && eras::are(reports) {
        return eras::text(reports);
    }
    out.push_str(&table(reports));
    let complete = |report: &&Report| {
        report.success && report.verdict == Verdict::Complete && report.hints.is_empty()
    };
    for report in reports.iter().filter(|report| !(detail.summary && complete(report))) {
        out.push('\n');
        scenario(&mut out, report, detail, !detail.full);
    }
    let good = reports.iter().filter(|report| report.success).count();
    let style = if good == reports.len() { GOOD } else { BAD };
    let line = as_expected(good as u64, reports.len() as u64);
    let all = |count: fn(&Report) -> u64| reports.iter().map(count).sum::<u64>();
    let elapsed = reports.iter().map(|report| report.elapsed).sum::<Duration>();
    let total = plural(all(Report::all), reports[0].counted());
    let _ = writeln!(
        out,
        "\n{}: {}, {total}, {} s",
        paint(style, &line),
        reports[0].engine,
        seconds(elapsed)
    );
    if detail.summary && reports.iter().any(|report| complete(&report)) {
        let more = "Add a name to the command to see its outcomes, or --outcomes to see all.";
        paragraph(&mut out, more, 0, DIM);
    }
    out
}

pub(super) fn verdict_style(report: &Report) -> Style {
    match report.exit_status() {
        0 => GOOD,
        3 => OPEN,
        _ => BAD,
    }
}

fn scenario(out: &mut String, report: &Report, detail: Detail, in_brief: bool) {
    let show = detail.show.or(report.show);
    heading(out, report);
    match in_brief {
        true => brief::facts(out, report),
        false => facts(out, report),
    }
    violations(out, report, show.is_none());
    demands(out, report, in_brief);
    match in_brief {
        true => brief::outcomes(out, report),
        false => outcomes(out, report),
    }
    forbidden(out, report, show);
    if let Some(show) = show {
        match report.outcomes.get(show.wrapping_sub(1)) {
            Some(row) => ordering_of(out, report, show, &row.example.show().witness),
            None => {
                let seen = plural(report.outcomes.len() as u64, "outcome");
                let _ = writeln!(out, "\n  There is no outcome {show}: seen: {seen}.");
            }
        }
    }
}

pub(super) fn heading(out: &mut String, report: &Report) {
    let mut title = report.scenario.clone();
    if report.name != report.scenario {
        title = format!("{}: {title}", report.name);
    }
    for line in wrap(&title, page(), 4) {
        let _ = writeln!(out, "{}", paint(BOLD, &line));
    }
    if !report.meaning.is_empty() {
        paragraph(out, &report.meaning, 2, Style::new());
    }
}

fn facts(out: &mut String, report: &Report) {
    let mut facts = vec![plural(report.threads as u64, "thread"), report.engine.clone()];
    if !report.usual {
        facts.insert(0, report.system.clone());
    }
    facts.push(report.size());
    facts.push(format!("{} s", seconds(report.elapsed)));
    facts.push(format!("{} per second", number(report.rate())));
    paragraph(out, &facts.join(", "), 2, DIM);
    let _ = writeln!(out, "  {}", paint(verdict_style(report), &report.verdict_line()));
}

pub(super) fn paragraph(out: &mut String, text: &str, indent: usize, style: Style) {
    for line in wrap(text, page() - indent, 0) {
        let _ = writeln!(out, "{}{}", " ".repeat(indent), paint(style, &line));
    }
}

/// How many of the scenarios are a success.
fn as_expected(good: u64, all: u64) -> String {
    let are = if good == 1 { "is as it should be" } else { "are as they should be" };
    format!("{} of {} {are}", number(good), plural(all, "scenario"))
}

/// The violations, each with its ordering unless the ordering of an outcome is asked for.
fn violations(out: &mut String, report: &Report, orderings_too: bool) {
    for (at, violation) in report.violations.iter().enumerate() {
        let Violation { invariant, orderings, expected, .. } = violation;
        let style = if *expected { GOOD } else { BAD };
        let count = format!("{} of {}", number(*orderings), plural(report.all(), report.counted()));
        let expected = if *expected { ", as expected" } else { "" };
        let _ = writeln!(out);
        let line = format!("violated: {invariant}, in {count}{expected}");
        let _ = writeln!(out, "  {}", paint(style, &line));
        paragraph(out, &violation.detail, 4, Style::new());
        // An ordering that violates several invariants is shown once, below the last.
        let again = |later: &Violation| later.witness == violation.witness;
        if orderings_too && !report.violations[at + 1..].iter().any(again) {
            show_ordering(out, report, &violation.witness);
        }
    }
}

fn demands(out: &mut String, report: &Report, in_brief: bool) {
    let wishes = [&report.missing, &report.forbidden, &report.idle_calls, &report.hints];
    let any = wishes.iter().any(|list| !list.is_empty());
    if !in_brief && (any || report.unseen_violations().next().is_some()) {
        out.push('\n');
    }
    let mut demand = |what: &str, style: Style, text: &str| {
        for (index, line) in wrap(&format!("{what}: {text}"), page() - 2, 4).iter().enumerate() {
            let style = if index == 0 { style } else { Style::new() };
            let _ = writeln!(out, "  {}", paint(style, line));
        }
    };
    let never = if report.explored_all { "never seen" } else { "not seen so far" };
    for missing in &report.missing {
        demand(&format!("required and {never}"), BAD, missing);
    }
    for forbidden in &report.forbidden {
        demand("forbidden and seen", BAD, forbidden);
    }
    for name in report.unseen_violations() {
        demand("expected and not found", BAD, &format!("a violation of {name}"));
    }
    for call in &report.idle_calls {
        demand("never did anything", OPEN, call);
    }
    for hint in &report.hints {
        demand("hint", OPEN, hint);
    }
}

fn outcomes(out: &mut String, report: &Report) {
    if report.outcomes.is_empty() {
        return;
    }
    let counts: Vec<String> = report.outcomes.iter().map(|row| number(row.orderings)).collect();
    let heading = format!("{}s", report.counted());
    let count_width = counts.iter().map(String::len).max().unwrap_or(0).max(heading.len());
    let (constant, common) = (report.constant(), report.said_everywhere());
    let line = format!("   # {}       %  {:9}  outcome", right(&heading, count_width), "grade");
    let _ = writeln!(out, "\n{}", paint(BOLD, &line));
    // The width of the columns before the outcome.
    let margin = 4 + 1 + count_width + 8 + 2 + 9 + 2;
    for (index, (row, count)) in report.outcomes.iter().zip(&counts).enumerate() {
        let grade = paint(mark_style(row), &left(&row.mark(), 9));
        let count = right(count, count_width);
        let mut before = format!("{:4} {count} {:6.2}%  {grade}  ", index + 1, row.percent);
        let mut put = |style: Style, text: &str, indent: usize| {
            for line in wrap(text, page() - margin, indent) {
                let _ = writeln!(out, "{before}{}", paint(style, &line));
                before = " ".repeat(margin);
            }
        };
        for answer in row.varying(&constant) {
            put(Style::new(), &format!("{}: {}", answer.call, answer.answer), 2);
        }
        if (1..row.orderings).contains(&row.violating) {
            let verb = if row.violating == 1 { "violates" } else { "violate" };
            put(BAD, &format!("{} of these {verb} an invariant", number(row.violating)), 2);
        }
        if let Some((said, hidden)) = report.needs(row) {
            put(if hidden { OPEN } else { DIM }, &said, 2);
        }
        let own = row.sentences().filter(|sentence| !common.contains(sentence));
        own.for_each(|sentence| put(DIM, sentence, 2));
    }
    if let Some(said) = report.without_outcome() {
        paragraph(out, &said, 5, BAD);
    }
    if let Some(said) = report.hidden() {
        paragraph(out, &said, 5, OPEN);
    }
    everywhere(out, &constant, &common);
}

pub(super) fn mark_style(row: &SeenOutcome) -> Style {
    match row.grade {
        Grade::Required => GOOD,
        Grade::Allowed if row.violating == 0 => Style::new(),
        Grade::Allowed | Grade::Forbidden => BAD,
    }
}

/// The answers and sentences that are the same in every outcome.
fn everywhere(out: &mut String, constant: &[&Answer], common: &[&str]) {
    let said = constant.iter().map(|answer| format!("{}: {}", answer.call, answer.answer));
    let said = said.collect::<Vec<_>>().join("; ");
    if said.is_empty() && common.is_empty() {
        return;
    }
    paragraph(out, format!("in every outcome: {said}").trim_end(), 5, DIM);
    common.iter().for_each(|sentence| paragraph(out, sentence, 7, DIM));
}

/// An ordering that leads to each forbidden outcome, except to one that `--show` shows.
fn forbidden(out: &mut String, report: &Report, show: Option<usize>) {
    for (index, row) in report.outcomes.iter().enumerate() {
        if row.grade != Grade::Forbidden || show == Some(index + 1) {
            continue;
        }
        let witness = row.example.show().witness;
        let shown = show.is_none() && report.violations.iter().any(|seen| seen.witness == witness);
        if witness.is_known() && !shown {
            ordering_of(out, report, index + 1, &witness);
        }
    }
}

fn ordering_of(out: &mut String, report: &Report, show: usize, witness: &Witness) {
    let _ =
        writeln!(out, "\n  {}", paint(BOLD, &format!("an ordering that leads to outcome {show}")));
    if !witness.is_known() {
        paragraph(out, &format!("{} does not tell.", report.engine), 4, Style::new());
    }
    show_ordering(out, report, witness);
}

fn show_ordering(out: &mut String, report: &Report, ordering: &Witness) {
    if !ordering.is_known() {
        return;
    }
    let _ = writeln!(out);
    for line in columns(ordering, page() - 2) {
        let _ = writeln!(out, "  {line}");
    }
    if !ordering.replay.is_empty() && !report.command.is_empty() {
        // Not wrapped: it is there to be copied.
        let _ = writeln!(out, "\n  {}", paint(DIM, &again(report, &ordering.replay)));
    }
}

/// The command that runs an ordering again.
pub fn again(report: &Report, token: &str) -> String {
    format!("again: {}", report.again(token))
}

impl Report {
    /// The command that explores the scenario again, or runs one ordering of it.
    pub fn again(&self, token: &str) -> String {
        let replay = if token.is_empty() { String::new() } else { format!(" --replay {token}") };
        format!("{} '{}'{replay}", self.command, self.scenario)
    }
}
