//! Mermaid sequence diagrams, of the violations' witnesses; of the outcome that
//! `--show` asks for; or, when there is neither, of the first outcome.
//!
//! Where there are few objects, each has a lifeline, and each operation is a message
//! to its object. A page shrinks a diagram to its own width, so where there are many
//! objects only the threads have lifelines. An operation on an object that another
//! thread used last is a message from that thread then: there the order could have
//! been another. All other operations are notes.

use super::columns::{entries, Entry, Kind};
use super::layout::{number, wrap};
use super::text::Detail;
use crate::report::{Report, Witness};
use std::fmt::Write;

/// The diagrams, one after the other, each below a comment with its title.
pub fn mermaid(reports: &[Report], detail: Detail) -> String {
    let mut diagrams = Vec::new();
    for report in reports {
        for (title, ordering) in chosen(report, detail) {
            diagrams.push(diagram(&title, &ordering));
        }
    }
    match diagrams.is_empty() {
        true => "%% there is no ordering to draw: this engine does not tell\n".into(),
        false => diagrams.join("\n"),
    }
}

/// The orderings to draw, each with its title.
fn chosen(report: &Report, detail: Detail) -> Vec<(String, Witness)> {
    let mut chosen = Vec::new();
    let outcome = |index: usize| {
        let row = report.outcomes.get(index)?;
        let title =
            format!("{}{}: outcome {}: {}", report.name, report.on(), index + 1, row.outcome);
        Some((title, row.example.show().witness))
    };
    if let Some(show) = detail.show.or(report.show) {
        chosen.extend(outcome(show.wrapping_sub(1)));
    } else {
        for violation in &report.violations {
            let count = number(violation.orderings);
            let (name, broken) = (&report.name, &violation.invariant);
            let (on, partly) = (report.on(), report.partly());
            let title = format!("{name}{on}: violated: {broken}, in {count}{partly}");
            chosen.push((title, violation.witness.clone()));
        }
        if chosen.is_empty() {
            chosen.extend(outcome(0));
        }
    }
    chosen.retain(|(_, ordering)| ordering.is_known());
    chosen
}

/// The most lifelines that can be read at a page's width.
const LIFELINES: usize = 6;
/// The characters of a line in a diagram without lifelines of objects, all threads
/// together.
const WIDTH: usize = 88;
/// The least characters of a line for one thread.
const NARROWEST: usize = 22;

/// The legend of the arrows, which are no messages.
const ARROWS_OF_THREADS: &str = "an arrow leads to who works on an object from who did before";
const ARROWS_OF_OBJECTS: &str = "an arrow leads from a thread to the object that it works on";

/// The diagram of one ordering.
pub fn diagram(title: &str, ordering: &Witness) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "sequenceDiagram");
    let _ = writeln!(out, "    %% {}", plain(title));
    let (threads, objects) = (ordering.columns(), ordering.objects());
    for (index, name) in threads.iter().enumerate() {
        let _ = writeln!(out, "    participant t{index} as {}", plain(name));
    }
    let last = threads.len().saturating_sub(1);
    let over = if last == 0 { "t0".to_owned() } else { format!("t0,t{last}") };
    if threads.len() + objects.len() > LIFELINES {
        let _ = writeln!(out, "    Note over {over}: {ARROWS_OF_THREADS}");
        of_threads(&mut out, ordering, (WIDTH / threads.len().max(1)).max(NARROWEST));
        return out;
    }
    for (index, name) in objects.iter().enumerate() {
        let _ = writeln!(out, "    participant o{index} as {}", plain(name));
    }
    let _ = writeln!(out, "    Note over {over}: {ARROWS_OF_OBJECTS}");
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

/// The diagram without lifelines of objects; lines are at most `width` characters long.
fn of_threads(out: &mut String, ordering: &Witness, width: usize) {
    let text = |text: &str| {
        let lines = wrap(text, width, 0);
        lines.iter().map(|line| plain(line)).collect::<Vec<_>>().join("<br/>")
    };
    let mut entries = entries(ordering);
    // The lifelines show each switch: only one with a reason needs a note.
    entries.retain(|entry| entry.kind != Kind::Switch || entry.text != "switch");
    let meets = |index: usize| {
        let entry: &Entry = &entries[index];
        let of = |e: &&Entry| e.kind == Kind::Operation && e.object == entry.object;
        let last = entries[..index].iter().rev().find(of)?;
        (entry.kind == Kind::Operation && last.thread != entry.thread).then_some(last.thread)
    };
    let mut index = 0;
    while let Some(entry) = entries.get(index) {
        let thread = entry.thread;
        if let Some(other) = meets(index) {
            let _ = writeln!(out, "    t{other}->>t{thread}: {}", text(&entry.text));
            index += 1;
            continue;
        }
        let alike = |i: &usize| {
            let e = &entries[*i];
            (e.thread, e.kind) == (thread, entry.kind) && meets(*i).is_none()
        };
        let run = (index..entries.len()).take_while(alike).map(|i| text(&entries[i].text));
        let lines: Vec<_> = run.collect();
        let _ = writeln!(out, "    Note over t{thread}: {}", lines.join("<br/>"));
        index += lines.len();
    }
}

/// The text without characters that have a meaning to Mermaid.
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
