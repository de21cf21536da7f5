//! Mermaid sequence diagrams: threads and the objects they work on, one
//! message for each operation. Of the violations' witnesses; of the outcome
//! that `--show` asks for; or, when there is neither, of the first outcome.

use super::columns::{entries, Kind};
use super::layout::number;
use super::text::Detail;
use super::view::{Ordering, View};
use std::fmt::Write;

/// One diagram after the other, each with a comment that says what it shows.
pub fn mermaid(views: &[View], detail: Detail) -> String {
    let mut diagrams = Vec::new();
    for view in views {
        for (title, ordering) in chosen(view, detail) {
            diagrams.push(diagram(&title, ordering));
        }
    }
    match diagrams.is_empty() {
        true => "%% there is no ordering to draw: this engine does not tell\n".into(),
        false => diagrams.join("\n"),
    }
}

/// The orderings to draw, and what each shows.
fn chosen(view: &View, detail: Detail) -> Vec<(String, &Ordering)> {
    let mut chosen = Vec::new();
    let outcome = |index: usize| {
        let row = view.outcomes.get(index)?;
        let title = format!("{}: outcome {}: {}", view.name, index + 1, row.outcome);
        Some((title, &row.ordering))
    };
    if let Some(show) = detail.show.or(view.show) {
        chosen.extend(outcome(show.wrapping_sub(1)));
    } else {
        for violation in &view.violations {
            let count = number(violation.orderings);
            let title = format!("{}: violated: {}, in {count}", view.name, violation.invariant);
            chosen.push((title, &violation.ordering));
        }
        if chosen.is_empty() {
            chosen.extend(outcome(0));
        }
    }
    chosen.retain(|(_, ordering)| ordering.is_known());
    chosen
}

/// The diagram of one ordering.
pub fn diagram(title: &str, ordering: &Ordering) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "sequenceDiagram");
    let _ = writeln!(out, "    %% {}", plain(title));
    for (index, name) in ordering.threads().iter().enumerate() {
        let _ = writeln!(out, "    participant t{index} as {}", plain(name));
    }
    let objects = ordering.objects();
    for (index, name) in objects.iter().enumerate() {
        let _ = writeln!(out, "    participant o{index} as {}", plain(name));
    }
    for entry in entries(ordering) {
        let thread = entry.thread;
        let object = objects.iter().position(|name| *name == entry.object);
        let _ = match (entry.kind, object) {
            (Kind::Operation, Some(object)) => {
                writeln!(out, "    t{thread}->>o{object}: {}", plain(&entry.action()))
            }
            _ => writeln!(out, "    Note over t{thread}: {}", plain(&entry.text)),
        };
    }
    out
}

/// Text in which nothing means anything to Mermaid.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        match c {
            ';' => plain.push_str("#59;"),
            '#' => plain.push_str("#35;"),
            '<' => plain.push_str("#lt;"),
            '>' => plain.push_str("#gt;"),
            '%' => plain.push_str("#37;"),
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    // A lone `end` closes a block.
    if plain == "end" { "end " } else { &plain }.to_owned()
}
