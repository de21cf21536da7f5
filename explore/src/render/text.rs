//! For a terminal: 80 columns, the numbers first.

use super::brief;
use super::columns::columns;
use super::eras;
use super::layout::{
    left, number, page, paint, plural, right, seconds, wrap, BAD, BOLD, DIM, GOOD, OPEN,
};
use super::table::table;
use super::view::{Answer, Broken, Ended, Grade, Ordering, Row, View};
use anstyle::Style;
use std::fmt::Write;

/// What is shown of each scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// The ordering that leads to this outcome, from 1.
    pub show: Option<usize>,
    /// Of several scenarios only the table, and those that are not simply
    /// complete.
    pub summary: bool,
    /// Of several scenarios everything, not only what fits a line.
    pub full: bool,
}

/// All of it: of one scenario everything, of several a table, and each in brief.
pub fn text(views: &[View], detail: Detail) -> String {
    let mut out = String::new();
    if views.len() < 2 {
        views.iter().for_each(|view| scenario(&mut out, view, detail, false));
        return out;
    }
    if detail.summary && eras::are(views) {
        return eras::text(views);
    }
    out.push_str(&table(views));
    let complete =
        |view: &&View| view.success && view.verdict == Ended::Complete && view.hints.is_empty();
    for view in views.iter().filter(|view| !(detail.summary && complete(view))) {
        out.push('\n');
        scenario(&mut out, view, detail, !detail.full);
    }
    let good = views.iter().filter(|view| view.success).count();
    let style = if good == views.len() { GOOD } else { BAD };
    let line = format!("{good} of {} scenarios are as they should be", views.len());
    let all = |count: fn(&View) -> u64| views.iter().map(count).sum::<u64>();
    let elapsed = views.iter().map(|view| view.elapsed_ms).sum::<f64>();
    let total = plural(all(View::all), views[0].counted());
    let _ = writeln!(
        out,
        "\n{}: {}, {total}, {} s",
        paint(style, &line),
        views[0].engine,
        seconds(elapsed)
    );
    if detail.summary && views.iter().any(|view| complete(&view)) {
        let more = "Add a name to the command to see its outcomes, or --outcomes to see all.";
        paragraph(&mut out, more, 0, DIM);
    }
    out
}

/// The bound on preemptions that explorers are customarily run with: what needs
/// more is not seen then.
const CUSTOMARY: u32 = 2;

pub(super) fn verdict_style(view: &View) -> Style {
    match view.exit_status() {
        0 => GOOD,
        3 => OPEN,
        _ => BAD,
    }
}

fn scenario(out: &mut String, view: &View, detail: Detail, in_brief: bool) {
    let show = detail.show.or(view.show);
    heading(out, view);
    match in_brief {
        true => brief::facts(out, view),
        false => facts(out, view),
    }
    violations(out, view, show.is_none());
    demands(out, view, in_brief);
    match in_brief {
        true => brief::outcomes(out, view),
        false => outcomes(out, view),
    }
    forbidden(out, view, show);
    if let Some(show) = show {
        match view.outcomes.get(show.wrapping_sub(1)) {
            Some(row) => ordering_of(out, view, show, row),
            None => {
                let there = plural(view.outcomes.len() as u64, "outcome");
                let _ = writeln!(out, "\n  There is no outcome {show}: {there} were seen.");
            }
        }
    }
}

pub(super) fn heading(out: &mut String, view: &View) {
    let mut title = view.scenario.clone();
    if view.name != view.scenario {
        title = format!("{}: {title}", view.name);
    }
    for line in wrap(&title, page(), 4) {
        let _ = writeln!(out, "{}", paint(BOLD, &line));
    }
    if !view.meaning.is_empty() {
        paragraph(out, &view.meaning, 2, Style::new());
    }
}

fn facts(out: &mut String, view: &View) {
    let mut facts = vec![plural(view.threads as u64, "thread"), view.engine.clone()];
    if !view.usual {
        facts.insert(0, view.system.clone());
    }
    facts.extend(view.orderings.map(|orderings| plural(orderings, "ordering")));
    facts.push(plural(view.executions, "execution"));
    facts.push(format!("{} s", seconds(view.elapsed_ms)));
    facts.push(format!("{} per second", number(view.rate())));
    paragraph(out, &facts.join(", "), 2, DIM);
    let _ = writeln!(out, "  {}", paint(verdict_style(view), &view.verdict_line()));
}

pub(super) fn paragraph(out: &mut String, text: &str, indent: usize, style: Style) {
    for line in wrap(text, page() - indent, 0) {
        let _ = writeln!(out, "{}{}", " ".repeat(indent), paint(style, &line));
    }
}

/// Their orderings too, unless another one is to be shown.
fn violations(out: &mut String, view: &View, orderings_too: bool) {
    for (at, violation) in view.violations.iter().enumerate() {
        let Broken { invariant, orderings, expected, .. } = violation;
        let style = if *expected { GOOD } else { BAD };
        let count = format!("{} of {}", number(*orderings), plural(view.all(), view.counted()));
        let expected = if *expected { ", as expected" } else { "" };
        let _ = writeln!(out);
        let line = format!("violated: {invariant}, in {count}{expected}");
        let _ = writeln!(out, "  {}", paint(style, &line));
        paragraph(out, &violation.detail, 4, Style::new());
        // One ordering that breaks several is shown once, below the last of them.
        let again = |later: &Broken| later.ordering == violation.ordering;
        if orderings_too && !view.violations[at + 1..].iter().any(again) {
            show_ordering(out, view, &violation.ordering);
        }
    }
}

fn demands(out: &mut String, view: &View, in_brief: bool) {
    let wishes = [&view.missing, &view.forbidden, &view.idle_calls, &view.hints];
    let any = wishes.iter().any(|list| !list.is_empty());
    if !in_brief && (any || view.unseen_violations().next().is_some()) {
        out.push('\n');
    }
    let mut demand = |what: &str, style: Style, text: &str| {
        for (index, line) in wrap(&format!("{what}: {text}"), page() - 2, 4).iter().enumerate() {
            let style = if index == 0 { style } else { Style::new() };
            let _ = writeln!(out, "  {}", paint(style, line));
        }
    };
    let never = if view.explored_all { "never seen" } else { "not seen so far" };
    for missing in &view.missing {
        demand(&format!("required and {never}"), BAD, missing);
    }
    for forbidden in &view.forbidden {
        demand("forbidden and seen", BAD, forbidden);
    }
    for name in view.unseen_violations() {
        demand("expected and not found", BAD, &format!("a violation of {name}"));
    }
    for call in &view.idle_calls {
        demand("never did anything", OPEN, call);
    }
    for hint in &view.hints {
        demand("hint", OPEN, hint);
    }
}

fn outcomes(out: &mut String, view: &View) {
    if view.outcomes.is_empty() {
        return;
    }
    let counts: Vec<String> = view.outcomes.iter().map(|row| number(row.orderings)).collect();
    let heading = format!("{}s", view.counted());
    let count_width = counts.iter().map(String::len).max().unwrap_or(0).max(heading.len());
    let constant = view.constant();
    let line = format!("   # {}       %  {:9}  outcome", right(&heading, count_width), "grade");
    let _ = writeln!(out, "\n{}", paint(BOLD, &line));
    // What stands before the outcome.
    let margin = 4 + 1 + count_width + 8 + 2 + 9 + 2;
    for (index, (row, count)) in view.outcomes.iter().zip(&counts).enumerate() {
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
        if let Some(count) = row.preemptions.filter(|count| *count > CUSTOMARY) {
            put(OPEN, &format!("shown with {count} preemptions, more than the customary bound"), 2);
        }
        let own = row.sentences().filter(|sentence| !view.says_everywhere(sentence));
        own.for_each(|sentence| put(DIM, sentence, 2));
    }
    if let Some(said) = view.without_outcome() {
        paragraph(out, &said, 5, BAD);
    }
    everywhere(out, view, &constant);
}

pub(super) fn mark_style(row: &Row) -> Style {
    match row.grade {
        Grade::Required => GOOD,
        Grade::Allowed if row.violating == 0 => Style::new(),
        Grade::Allowed | Grade::Forbidden => BAD,
    }
}

/// What is the same in every outcome, and what that means.
fn everywhere(out: &mut String, view: &View, constant: &[&Answer]) {
    let said = constant.iter().map(|answer| format!("{}: {}", answer.call, answer.answer));
    let said = said.collect::<Vec<_>>().join("; ");
    let common = view.outcomes[0].sentences().filter(|said| view.says_everywhere(said));
    let common: Vec<&str> = common.collect();
    if said.is_empty() && common.is_empty() {
        return;
    }
    paragraph(out, format!("in every outcome: {said}").trim_end(), 5, DIM);
    common.iter().for_each(|sentence| paragraph(out, sentence, 7, DIM));
}

/// Of each forbidden outcome an ordering that leads to it, unless it is shown
/// already.
fn forbidden(out: &mut String, view: &View, show: Option<usize>) {
    for (index, row) in view.outcomes.iter().enumerate() {
        let shown = show == Some(index + 1)
            || show.is_none() && view.violations.iter().any(|seen| seen.ordering == row.ordering);
        if row.grade == Grade::Forbidden && row.ordering.is_known() && !shown {
            ordering_of(out, view, index + 1, row);
        }
    }
}

fn ordering_of(out: &mut String, view: &View, show: usize, row: &Row) {
    let _ =
        writeln!(out, "\n  {}", paint(BOLD, &format!("an ordering that leads to outcome {show}")));
    if !row.ordering.is_known() {
        paragraph(out, &format!("{} does not tell.", view.engine), 4, Style::new());
    }
    show_ordering(out, view, &row.ordering);
}

fn show_ordering(out: &mut String, view: &View, ordering: &Ordering) {
    if !ordering.is_known() {
        return;
    }
    let _ = writeln!(out);
    for line in columns(ordering, page() - 2) {
        let _ = writeln!(out, "  {line}");
    }
    if !ordering.replay.is_empty() && !view.command.is_empty() {
        // Not wrapped: it is there to be copied.
        let _ = writeln!(out, "\n  {}", paint(DIM, &again(view, &ordering.replay)));
    }
}

/// The command that runs an ordering again.
pub fn again(view: &View, token: &str) -> String {
    format!("again: {}", view.again(token))
}

impl View {
    /// The command that explores it again, or one ordering of it.
    pub fn again(&self, token: &str) -> String {
        let replay = if token.is_empty() { String::new() } else { format!(" --replay {token}") };
        format!("{} '{}'{replay}", self.command, self.scenario)
    }
}
