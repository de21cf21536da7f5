//! `--list`: the systems, their operations, settings and invariants, and their scenarios.

use super::run::Job;
use super::{select, Arguments, Error};
use crate::invariant::Invariant;
use crate::render::layout::{left, page, paint, width, wrap, BOLD, DIM};
use crate::suite::Suite;
use crate::system::{checked, Model};
use std::fmt::Write;
use std::sync::Arc;

pub(super) fn print(suite: &Suite, arguments: &Arguments) -> Result<(), Error> {
    super::print(&list(suite, arguments)?)?;
    Ok(())
}

fn list(suite: &Suite, arguments: &Arguments) -> Result<String, Error> {
    let chosen = match &arguments.system {
        Some(names) => select::systems(suite, names)?,
        None => suite.systems.clone(),
    };
    let mut out = String::new();
    heading(&mut out, "systems (--system)");
    let about: Vec<_> = chosen.iter().map(|s| (s.name(), s.meaning())).collect();
    rows(&mut out, &about);
    for line in wrap(&suite.about, page() - 2, 0).iter().filter(|line| !line.is_empty()) {
        let _ = writeln!(out, "  {}", paint(DIM, line));
    }
    for (index, system) in chosen.iter().enumerate() {
        // The operations that several systems share are listed with the first of them.
        let alike = |other: &&Arc<dyn Model>| other.operations() == system.operations();
        if !chosen[..index].iter().any(|other| alike(&other)) {
            let others = chosen[index + 1..].iter().filter(alike).count();
            operations(&mut out, &**system, others);
        }
        let own = select::built_in(system)?;
        scenarios(&mut out, &format!("{}: scenarios", system.name()), &own);
    }
    if let (Some(system), Some((title, _))) = (chosen.first(), &suite.shared) {
        let title = format!("{title}, on any system by name");
        scenarios(&mut out, &title, &select::on_request(suite, system)?);
    }
    heading(&mut out, "invariants");
    let about =
        |invariant: &Invariant| (invariant.name().to_owned(), invariant.meaning().to_owned());
    let mut all: Vec<Invariant> = Vec::new();
    for invariant in chosen.iter().flat_map(|system| checked(&**system)) {
        if !all.contains(&invariant) {
            all.push(invariant);
        }
    }
    rows(&mut out, &all.iter().map(about).collect::<Vec<_>>());
    Ok(out)
}

fn heading(out: &mut String, text: &str) {
    let separator = if out.is_empty() { "" } else { "\n" };
    let _ = writeln!(out, "{separator}{}", paint(BOLD, text));
}

/// Names, each with its meaning beside it.
fn rows(out: &mut String, rows: &[(String, String)]) {
    let widest = rows.iter().map(|(name, _)| width(name)).filter(|width| *width <= 40).max();
    let column = widest.unwrap_or(20);
    for (name, meaning) in rows {
        let mut before = format!("  {}  ", left(name, column));
        if width(name) > column {
            let _ = writeln!(out, "  {name}");
            before = " ".repeat(column + 4);
        }
        for line in wrap(meaning, page() - column - 4, 0) {
            let _ = writeln!(out, "{}", format!("{before}{line}").trim_end());
            before = " ".repeat(column + 4);
        }
    }
}

/// The operations, settings and invariants of a system, which this many other systems
/// share.
fn operations(out: &mut String, system: &dyn Model, others: usize) {
    let name = match others {
        0 => system.name(),
        1 => format!("{} and another", system.name()),
        _ => format!("{} and {others} others", system.name()),
    };
    heading(out, &format!("{name}: operations"));
    let about = system.operations().iter().map(|operation| {
        // A call without a receiver is on `a`.
        let usage = operation.usage("\0").replacen("\0.", "[a.]", 1);
        (usage, operation.meaning.to_owned())
    });
    rows(out, &about.collect::<Vec<_>>());
    if !system.settings().is_empty() {
        heading(out, &format!("{name}: settings, in {{ }} before the threads"));
        let about = system.settings().iter().map(|setting| {
            (format!("{}={}", setting.name, setting.default), setting.meaning.to_owned())
        });
        rows(out, &about.collect::<Vec<_>>());
    }
    let names = checked(system);
    let names = names.iter().map(|invariant| invariant.name());
    heading(out, &format!("{name}: checked invariants"));
    for line in wrap(&names.collect::<Vec<_>>().join(", "), page() - 2, 0) {
        let _ = writeln!(out, "  {line}");
    }
}

fn scenarios(out: &mut String, title: &str, jobs: &[Job]) {
    if jobs.is_empty() {
        return;
    }
    heading(out, title);
    for job in jobs {
        let scenario = &job.scenario;
        for line in wrap(&format!("{}: {scenario}", scenario.name), page() - 2, 4) {
            let _ = writeln!(out, "  {line}");
        }
        for line in wrap(&scenario.meaning, page() - 6, 0).iter().filter(|line| !line.is_empty()) {
            let _ = writeln!(out, "      {}", paint(DIM, line));
        }
    }
}
