//! One scenario on several systems, one row to each: what the eras of a
//! protocol do with the same race.

use super::layout::{left, number, page, paint, plural, right, seconds, width, wrap, BOLD, DIM};
use super::text::{paragraph, verdict_style};
use super::view::View;
use std::fmt::Write;

/// Whether the answer is about the same scenarios on several systems.
pub(super) fn are(views: &[View]) -> bool {
    let same = |a: &View, b: &View| {
        (&a.name, &a.scenario) == (&b.name, &b.scenario) && a.system != b.system
    };
    views.iter().any(|view| same(view, &views[0]))
}

/// A table for each scenario.
pub(super) fn text(views: &[View]) -> String {
    let mut out = String::new();
    let mut told: Vec<&str> = Vec::new();
    for view in views {
        if told.contains(&view.scenario.as_str()) {
            continue;
        }
        told.push(&view.scenario);
        let rows: Vec<&View> = views.iter().filter(|v| v.scenario == view.scenario).collect();
        super::text::heading(&mut out, view);
        out.push('\n');
        table(&mut out, &rows);
        out.push('\n');
    }
    let elapsed = views.iter().map(|view| view.elapsed_ms).sum::<f64>();
    let total = plural(views.iter().map(View::all).sum(), views[0].counted());
    let _ = writeln!(out, "{total}, {} s, {}", seconds(elapsed), views[0].engine);
    let more = "Ask one system alone, or add --outcomes, for the outcomes and the orderings that \
                lead to them.";
    paragraph(&mut out, more, 0, DIM);
    out
}

fn table(out: &mut String, rows: &[&View]) {
    let counts: Vec<String> = rows.iter().map(|view| number(view.all())).collect();
    let noun = format!("{}s", rows[0].counted());
    let widest = |cells: &mut dyn Iterator<Item = &str>| cells.map(width).max().unwrap_or(0);
    let name = widest(&mut rows.iter().map(|view| view.system.as_str()).chain(["system"]));
    let count = widest(&mut counts.iter().map(String::as_str).chain([noun.as_str()]));
    let heading = format!("{}  {}  outcomes  verdict", left("system", name), right(&noun, count));
    let _ = writeln!(out, "{}", paint(BOLD, &heading));
    let margin = name + count + 14;
    for (view, all) in rows.iter().zip(&counts) {
        let outcomes = right(&view.outcomes.len().to_string(), 8);
        let mut before =
            format!("{}  {}  {outcomes}  ", left(&view.system, name), right(all, count));
        let broken = view.violations.iter();
        let broken = broken.map(|b| format!("{} in {}", b.invariant, number(b.orderings)));
        let broken = broken.collect::<Vec<_>>().join(", ");
        let verdict = match broken.is_empty() {
            true => view.verdict_line(),
            false => format!("{}: {broken}{}", view.verdict_word(), view.partly()),
        };
        for line in wrap(&verdict, page().saturating_sub(margin).max(24), 2) {
            let _ = writeln!(out, "{before}{}", paint(verdict_style(view), &line));
            before = " ".repeat(margin);
        }
    }
}
