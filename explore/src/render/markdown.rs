//! The format for a pull request: a table of scenarios, then the outcomes of each, with
//! the orderings folded away.

use super::columns::columns;
use super::layout::{number, plural, seconds};
use super::text::{again, Detail};
use crate::log::Answer;
use crate::report::{Report, SeenOutcome, Witness};
use std::fmt::Write;

/// The width of an ordering: the page is no terminal.
const WIDTH: usize = 100;

/// The whole text.
pub fn markdown(reports: &[Report], detail: Detail) -> String {
    let mut out = String::new();
    out.push_str(
        "| scenario | system | threads | engine | orderings | executions | verdict | seconds |\n",
    );
    out.push_str("|---|---|--:|---|--:|--:|---|--:|\n");
    for report in reports {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            cell(&report.name),
            cell(&report.system),
            report.threads,
            cell(&report.engine),
            report.orderings.map_or("-".into(), number),
            number(report.executions),
            cell(&report.verdict_line()),
            seconds(report.elapsed)
        );
    }
    for report in reports {
        scenario(&mut out, report, detail);
    }
    out
}

/// The text as a cell of a table: in one line, without meaning to Markdown.
pub fn cell(text: &str) -> String {
    let mut cell = String::new();
    for c in text.chars() {
        match c {
            '|' | '*' | '_' | '`' | '<' | '>' | '[' | ']' | '\\' | '#' => {
                cell.push('\\');
                cell.push(c);
            }
            '\n' | '\r' => cell.push(' '),
            c => cell.push(c),
        }
    }
    cell
}

/// The text between backticks, which the text may contain itself.
fn code(text: &str) -> String {
    let fence = if text.contains('`') { "``" } else { "`" };
    format!("{fence}{}{fence}", text.replace(['\n', '\r'], " "))
}

fn scenario(out: &mut String, report: &Report, detail: Detail) {
    let _ = writeln!(
        out,
        "\n### {}{}\n\n{}",
        cell(&report.name),
        cell(&report.on()),
        code(&report.scenario)
    );
    if !report.meaning.is_empty() {
        let _ = writeln!(out, "\n{}", cell(&report.meaning));
    }
    for violation in &report.violations {
        let count = format!(
            "{} of {}",
            number(violation.orderings),
            plural(report.all(), report.counted())
        );
        let expected = if violation.expected { ", as expected" } else { "" };
        let _ = writeln!(
            out,
            "\n**violated: {}**, in {count}{expected}: {}",
            violation.invariant,
            cell(&violation.detail)
        );
        ordering(out, report, &violation.witness);
    }
    for (what, list) in [
        ("required and not seen", &report.missing),
        ("forbidden and seen", &report.forbidden),
        ("never did anything", &report.idle_calls),
        ("hint", &report.hints),
    ] {
        for text in list {
            let _ = writeln!(out, "\n**{what}**: {}", code(text));
        }
    }
    for name in report.unseen_violations() {
        let _ = writeln!(out, "\n**expected and not found**: a violation of {name}");
    }
    outcomes(out, report);
    let show = detail.show.or(report.show);
    let shown = show.and_then(|show| report.outcomes.get(show.wrapping_sub(1)));
    if let (Some(show), Some(row)) = (show, shown) {
        let _ = writeln!(out, "\nAn ordering that leads to outcome {show}:");
        ordering(out, report, &row.example.show().witness);
    }
}

fn outcomes(out: &mut String, report: &Report) {
    if report.outcomes.is_empty() {
        return;
    }
    let constant = report.constant();
    let _ = writeln!(out, "\n| # | {}s | % | grade | outcome | meaning |", report.counted());
    out.push_str("|--:|--:|--:|---|---|---|\n");
    let said = |answers: Vec<&Answer>| {
        let said = answers.iter().map(|a| format!("{}: {}", cell(&a.call), cell(&a.answer)));
        said.collect::<Vec<_>>()
    };
    for (index, row) in report.outcomes.iter().enumerate() {
        let _ = writeln!(
            out,
            "| {} | {} | {:.2} | {} | {} | {} |",
            index + 1,
            number(row.orderings),
            row.percent,
            row.mark(),
            said(row.varying(&constant)).join("<br>"),
            cell(&means(report, row))
        );
    }
    if let Some(said) = report.without_outcome() {
        let _ = writeln!(out, "\n{said}.");
    }
    if !constant.is_empty() {
        let _ = writeln!(out, "\nIn every outcome: {}.", said(constant).join("; "));
    }
}

/// What an outcome means, and how many preemptions it needs.
fn means(report: &Report, row: &SeenOutcome) -> String {
    let needs = report.needs(row).map(|(needs, _)| needs);
    row.meaning.iter().cloned().chain(needs).collect::<Vec<_>>().join("; ")
}

fn ordering(out: &mut String, report: &Report, ordering: &Witness) {
    if !ordering.is_known() {
        return;
    }
    let _ = writeln!(out, "\n<details><summary>the ordering</summary>\n\n```text");
    for line in columns(ordering, WIDTH) {
        let line = anstream::adapter::strip_str(&line).to_string();
        let _ = writeln!(out, "{}", line.trim_end().replace("```", "'''"));
    }
    if !ordering.replay.is_empty() {
        let _ = writeln!(out, "\n{}", again(report, &ordering.replay));
    }
    out.push_str("```\n\n</details>\n");
}
