//! For a pull request: a table of scenarios, then of each its outcomes; the
//! orderings are folded away.

use super::columns::columns;
use super::layout::{number, plural, seconds};
use super::text::{again, Detail};
use super::view::{Answer, Ordering, View};
use std::fmt::Write;

/// A witness has no terminal to fit in here.
const WIDTH: usize = 100;

/// All of it.
pub fn markdown(views: &[View], detail: Detail) -> String {
    let mut out = String::new();
    out.push_str(
        "| scenario | system | threads | engine | orderings | executions | verdict | seconds |\n",
    );
    out.push_str("|---|---|--:|---|--:|--:|---|--:|\n");
    for view in views {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            cell(&view.name),
            cell(&view.system),
            view.threads,
            cell(&view.engine),
            view.orderings.map_or("-".into(), number),
            number(view.executions),
            cell(&view.verdict_line()),
            seconds(view.elapsed_ms)
        );
    }
    for view in views {
        scenario(&mut out, view, detail);
    }
    out
}

/// Text that has no meaning to Markdown, in one line of a table.
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

/// Text between backticks, which it may contain itself.
fn code(text: &str) -> String {
    let fence = if text.contains('`') { "``" } else { "`" };
    format!("{fence}{}{fence}", text.replace(['\n', '\r'], " "))
}

fn scenario(out: &mut String, view: &View, detail: Detail) {
    let _ =
        writeln!(out, "\n### {}{}\n\n{}", cell(&view.name), cell(&view.on()), code(&view.scenario));
    if !view.meaning.is_empty() {
        let _ = writeln!(out, "\n{}", cell(&view.meaning));
    }
    for violation in &view.violations {
        let count =
            format!("{} of {}", number(violation.orderings), plural(view.all(), view.counted()));
        let expected = if violation.expected { ", as expected" } else { "" };
        let _ = writeln!(
            out,
            "\n**violated: {}**, in {count}{expected}: {}",
            violation.invariant,
            cell(&violation.detail)
        );
        ordering(out, view, &violation.ordering);
    }
    for (what, list) in [
        ("required and not seen", &view.missing),
        ("forbidden and seen", &view.forbidden),
        ("never did anything", &view.idle_calls),
        ("hint", &view.hints),
    ] {
        for text in list {
            let _ = writeln!(out, "\n**{what}**: {}", code(text));
        }
    }
    for name in view.unseen_violations() {
        let _ = writeln!(out, "\n**expected and not found**: a violation of {name}");
    }
    outcomes(out, view);
    let show = detail.show.or(view.show);
    let shown = show.and_then(|show| view.outcomes.get(show.wrapping_sub(1)));
    if let (Some(show), Some(row)) = (show, shown) {
        let _ = writeln!(out, "\nAn ordering that leads to outcome {show}:");
        ordering(out, view, &row.ordering);
    }
}

fn outcomes(out: &mut String, view: &View) {
    if view.outcomes.is_empty() {
        return;
    }
    let constant = view.constant();
    let _ = writeln!(out, "\n| # | {}s | % | grade | outcome | meaning |", view.counted());
    out.push_str("|--:|--:|--:|---|---|---|\n");
    let said = |answers: Vec<&Answer>| {
        let said = answers.iter().map(|a| format!("{}: {}", cell(&a.call), cell(&a.answer)));
        said.collect::<Vec<_>>()
    };
    for (index, row) in view.outcomes.iter().enumerate() {
        let _ = writeln!(
            out,
            "| {} | {} | {:.2} | {} | {} | {} |",
            index + 1,
            number(row.orderings),
            row.percent,
            row.mark(),
            said(row.varying(&constant)).join("<br>"),
            cell(row.meaning.as_deref().unwrap_or_default())
        );
    }
    if let Some(said) = view.without_outcome() {
        let _ = writeln!(out, "\n{said}.");
    }
    if !constant.is_empty() {
        let _ = writeln!(out, "\nIn every outcome: {}.", said(constant).join("; "));
    }
}

fn ordering(out: &mut String, view: &View, ordering: &Ordering) {
    if !ordering.is_known() {
        return;
    }
    let _ = writeln!(out, "\n<details><summary>the ordering</summary>\n\n```text");
    for line in columns(ordering, WIDTH) {
        let line = anstream::adapter::strip_str(&line).to_string();
        let _ = writeln!(out, "{}", line.trim_end().replace("```", "'''"));
    }
    if !ordering.replay.is_empty() {
        let _ = writeln!(out, "\n{}", again(view, &ordering.replay));
    }
    out.push_str("```\n\n</details>\n");
}
