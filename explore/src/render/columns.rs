//! An ordering as a table: a column for each thread, and time goes down.

use super::layout::{self, left, paint, wrap, BOLD, DIM, SWITCH};
use crate::report::{Step, Witness};
use anstyle::Style;

/// The least width of a column. Where there is less, each line names its thread instead.
const NARROWEST: usize = 14;

/// The rule between two columns.
const RULE: &str = " │ ";

/// One line of a column.
pub struct Entry {
    /// The thread, which is the column.
    pub thread: usize,
    /// The step in words.
    pub text: String,
    /// The source line, if it is known.
    pub detail: String,
    /// The object of an operation.
    pub object: String,
    /// The kind of the line.
    pub kind: Kind,
}

/// The kinds of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A remark: a call that begins or returns.
    Note,
    /// An operation of the system.
    Operation,
    /// Another thread runs from here on.
    Switch,
}

/// The lines of an ordering, with the switches that the engine did not report.
pub fn entries(ordering: &Witness) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (index, step) in ordering.steps.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| ordering.steps.get(before));
        if let Some(before) = before.filter(|before| before.thread != step.thread) {
            let goes_on = ordering.steps[index..].iter().any(|s| s.thread == before.thread);
            if goes_on && before.operation != Step::SWITCH {
                entries.push(switch(before.thread, ""));
            }
        }
        let unlocks = entries.last_mut().filter(|last| last.is_unlocked_by(step));
        match unlocks {
            Some(last) => last.unlock(),
            None => entries.push(entry(step)),
        }
    }
    entries
}

fn switch(thread: usize, why: &str) -> Entry {
    let text = if why.is_empty() { "switch".to_owned() } else { format!("switch: {why}") };
    Entry { thread, text, detail: String::new(), object: String::new(), kind: Kind::Switch }
}

fn entry(step: &Step) -> Entry {
    if step.operation == Step::SWITCH {
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
    // Without the folders of the file, for want of room.
    let mut detail = step.line.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    if step.operation.starts_with("unlock") {
        // An unlock has the line of its lock.
        detail.clear();
    }
    let object = step.object.clone();
    Entry { thread: step.thread, text, detail, object, kind: Kind::Operation }
}

impl Entry {
    /// Whether the step unlocks what this entry has locked.
    fn is_unlocked_by(&self, step: &Step) -> bool {
        let taken = self.text.strip_suffix(&self.object).map(str::trim_end);
        let gives = step.operation.strip_prefix("unlock").map(str::trim_start);
        self.kind == Kind::Operation
            && (self.thread, &self.object) == (step.thread, &step.object)
            && step.note.is_empty()
            && matches!((taken, gives), (Some(taken), Some(gives)) if taken == gives || (taken, gives) == ("lock", ""))
    }

    /// Makes one line of the lock and its unlock, which follows it directly.
    fn unlock(&mut self) {
        let taken = self.action();
        self.text = format!("{taken}, unlock {}", self.object);
    }

    /// The text without the object's name.
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

    /// The lines of the entry, painted, each with its width.
    fn lines(&self, width: usize) -> Vec<(String, usize)> {
        let indent = if self.kind == Kind::Operation && width > 2 * NARROWEST { 2 } else { 0 };
        let room = width - indent;
        let before = " ".repeat(indent);
        let text_width = layout::width(&self.text);
        let detail_width = layout::width(&self.detail);
        if !self.detail.is_empty() && text_width + detail_width + 2 <= room {
            let gap = " ".repeat(room - text_width - detail_width);
            let (text, detail) = (paint(self.style(), &self.text), paint(DIM, &self.detail));
            return vec![(format!("{before}{text}{gap}{detail}"), width)];
        }
        let put = |style: Style, line: String| {
            (format!("{before}{}", paint(style, &line)), indent + layout::width(&line))
        };
        let mut lines: Vec<_> =
            wrap(&self.text, room, 2).into_iter().map(|line| put(self.style(), line)).collect();
        if !self.detail.is_empty() {
            let detail = wrap(&self.detail, room.saturating_sub(2), 0);
            lines.extend(detail.into_iter().map(|line| put(DIM, format!("  {line}"))));
        }
        lines
    }
}

/// The whole ordering, at most `width` wide.
pub fn columns(ordering: &Witness, width: usize) -> Vec<String> {
    let threads = ordering.columns();
    let gaps = (threads.len().saturating_sub(1)) * layout::width(RULE);
    let column = width.saturating_sub(gaps) / threads.len().max(1);
    if column < NARROWEST {
        return list(ordering, &threads, width);
    }
    let rule = paint(DIM, RULE);
    let heading = |(index, name): (usize, &String)| {
        let name = layout::cut(name, column);
        let last = index + 1 == threads.len();
        paint(BOLD, &if last { name } else { left(&name, column) })
    };
    let mut lines = vec![
        threads.iter().enumerate().map(heading).collect::<Vec<_>>().join(&rule),
        paint(DIM, &vec!["─".repeat(column); threads.len()].join("─┼─")),
    ];
    // A rule stands to the left of a cell.
    let last = threads.len() - 1;
    for entry in entries(ordering) {
        for (line, line_width) in entry.lines(column) {
            let mut row = String::new();
            for thread in 0..threads.len() {
                if thread == entry.thread {
                    row.push_str(&line);
                    if thread < last {
                        row.push_str(&" ".repeat(column - line_width));
                    }
                } else if thread < last {
                    row.push_str(&" ".repeat(column));
                }
                if thread < last {
                    let end = thread + 1 == last && entry.thread != last;
                    row.push_str(&paint(DIM, if end { RULE.trim_end() } else { RULE }));
                }
            }
            lines.push(row);
        }
    }
    lines
}

/// The ordering as a list, for more threads than fit side by side.
fn list(ordering: &Witness, threads: &[String], width: usize) -> Vec<String> {
    let names = threads.iter().map(|name| layout::width(name)).max().unwrap_or(0).min(20);
    let mut lines = Vec::new();
    for entry in entries(ordering) {
        let mut name = layout::cut(&threads[entry.thread], names);
        let room = width.saturating_sub(names + layout::width(RULE)).max(NARROWEST);
        for (line, _) in entry.lines(room) {
            lines.push(format!("{}{}{line}", left(&name, names), paint(DIM, RULE)));
            name.clear();
        }
    }
    lines
}
