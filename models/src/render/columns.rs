//! An ordering as one column for each thread, time going down.

use super::layout::{self, left, paint, wrap, BOLD, DIM, SWITCH};
use super::view::{Ordering, Step};
use crate::report;
use anstyle::Style;

/// Narrower columns than this are no columns: then each line names its thread.
const NARROWEST: usize = 14;

/// What stands between two columns.
const RULE: &str = " │ ";

/// One line of a column.
pub struct Entry {
    /// Which column.
    pub thread: usize,
    /// What happened.
    pub text: String,
    /// The source line, where it is known.
    pub detail: String,
    /// The object of an operation.
    pub object: String,
    /// What kind of a line it is.
    pub kind: Kind,
}

/// What kind of a line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A remark: a call that begins or returns.
    Note,
    /// An operation of the system.
    Operation,
    /// The thread stops here for another.
    Switch,
}

/// The lines of an ordering, with the switches that the engine did not mention.
pub fn entries(ordering: &Ordering) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (index, step) in ordering.witness.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| ordering.witness.get(before));
        if let Some(before) = before.filter(|before| before.thread != step.thread) {
            let goes_on = ordering.witness[index..].iter().any(|s| s.thread == before.thread);
            if goes_on && before.operation != report::Step::SWITCH {
                entries.push(switch(before.thread, ""));
            }
        }
        entries.push(entry(step));
    }
    entries
}

fn switch(thread: usize, why: &str) -> Entry {
    let text = if why.is_empty() { "switch".to_owned() } else { format!("switch: {why}") };
    Entry { thread, text, detail: String::new(), object: String::new(), kind: Kind::Switch }
}

fn entry(step: &Step) -> Entry {
    if step.operation == report::Step::SWITCH {
        return switch(step.thread, &step.note);
    }
    if step.operation.is_empty() {
        let (text, detail, object) = (step.note.clone(), String::new(), String::new());
        return Entry { thread: step.thread, text, detail, object, kind: Kind::Note };
    }
    let mut text = format!("{} {}", step.operation, step.object).trim_end().to_owned();
    if !step.note.is_empty() {
        text = format!("{text} ({})", step.note);
    }
    // The file's name is enough to find it, and all that there is room for.
    let detail = step.line.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    let object = step.object.clone();
    Entry { thread: step.thread, text, detail, object, kind: Kind::Operation }
}

impl Entry {
    /// What it does to its object.
    pub fn action(&self) -> String {
        match self.object.is_empty() {
            true => self.text.clone(),
            false => self.text.replacen(&format!(" {}", self.object), "", 1),
        }
    }

    fn style(&self) -> Style {
        match self.kind {
            Kind::Note => BOLD,
            Kind::Operation => Style::new(),
            Kind::Switch => SWITCH,
        }
    }

    /// Its lines, painted, each filled up to `width`.
    fn lines(&self, width: usize) -> Vec<String> {
        let indent = if self.kind == Kind::Operation && width > 2 * NARROWEST { 2 } else { 0 };
        let room = width - indent;
        let fits = layout::width(&self.text) + layout::width(&self.detail) + 2 <= room;
        let mut lines = Vec::new();
        for line in wrap(&self.text, room, 2) {
            let filled = left(&line, room);
            lines.push(format!("{}{}", " ".repeat(indent), paint(self.style(), &filled)));
        }
        if self.detail.is_empty() {
            return lines;
        }
        if fits {
            let gap = room - layout::width(&self.text) - layout::width(&self.detail);
            let text = paint(self.style(), &self.text);
            let detail = paint(DIM, &self.detail);
            return vec![format!("{}{text}{}{detail}", " ".repeat(indent), " ".repeat(gap))];
        }
        for line in wrap(&self.detail, room.saturating_sub(2), 0) {
            let filled = left(&format!("  {line}"), room);
            lines.push(format!("{}{}", " ".repeat(indent), paint(DIM, &filled)));
        }
        lines
    }
}

/// The whole ordering, at most `width` wide.
pub fn columns(ordering: &Ordering, width: usize) -> Vec<String> {
    let threads = ordering.threads();
    let gaps = (threads.len().saturating_sub(1)) * layout::width(RULE);
    let column = width.saturating_sub(gaps) / threads.len().max(1);
    if column < NARROWEST {
        return list(ordering, &threads, width);
    }
    let row = |cells: Vec<String>| cells.join(&paint(DIM, RULE));
    let mut lines = Vec::new();
    let heading = |name: &String| paint(BOLD, &left(&layout::cut(name, column), column));
    lines.push(row(threads.iter().map(heading).collect()));
    lines.push(paint(DIM, &vec!["─".repeat(column); threads.len()].join("─┼─")));
    for entry in entries(ordering) {
        for line in entry.lines(column) {
            let cell = |thread| match thread == entry.thread {
                true => line.clone(),
                false => " ".repeat(column),
            };
            lines.push(row((0..threads.len()).map(cell).collect()));
        }
    }
    lines
}

/// For more threads than fit side by side.
fn list(ordering: &Ordering, threads: &[String], width: usize) -> Vec<String> {
    let names = threads.iter().map(|name| layout::width(name)).max().unwrap_or(0).min(20);
    let mut lines = Vec::new();
    for entry in entries(ordering) {
        let mut name = layout::cut(&threads[entry.thread], names);
        for line in entry.lines(width.saturating_sub(names + layout::width(RULE)).max(NARROWEST)) {
            lines.push(format!("{}{}{line}", left(&name, names), paint(DIM, RULE)));
            name.clear();
        }
    }
    lines
}
