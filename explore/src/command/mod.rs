//! The command line.
//!
//! - `options`, `args`, `usage`, `help`: the options, how they are read, mistakes in
//!   them, and their help
//! - `ask`: the command line and the test of a single system
//! - `select`: the scenarios and systems of a question
//! - `run`: one scenario under one engine, in this process or in another build
//! - `child`: the explorer as a child process
//! - `progress`: the progress on standard error
//! - `compare`, `generate`, `ledger`, `list`: the answers other than a report
//! - `error`: the errors

mod args;
mod ask;
mod child;
mod compare;
mod error;
mod generate;
mod help;
mod ledger;
mod list;
mod options;
mod progress;
mod run;
mod select;
mod usage;

pub use args::{Arguments, Engine, Format, Task};
pub use ask::Ask;
pub use child::is_child;
pub use error::Error;
pub use run::{Job, Runner};
pub use select::{built_in, on_request, system};
pub use usage::Usage;

use crate::engine::{self, Estimate, Options};
use crate::render::layout::{number, plural};
use crate::render::text::Detail;
use crate::render::{html, markdown, mermaid, text};
use crate::suite::Suite;
use crate::Report;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Runs the command line, and returns the exit status.
pub fn main(suite: Suite) -> ExitCode {
    let suite = Arc::new(suite);
    match Arguments::read(&suite, std::env::args_os().skip(1)) {
        Ok(arguments) => ended(answer(&suite, &arguments)),
        Err(usage) => ended(Err(usage.into())),
    }
}

/// The exit status of an answer; prints an error.
pub fn ended(answer: Result<u8, Error>) -> ExitCode {
    match answer {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            let message = error.to_string();
            let prefix = if message.starts_with("error") { "" } else { "error: " };
            let _ = writeln!(anstream::stderr(), "{prefix}{message}");
            ExitCode::from(2)
        }
    }
}

fn answer(suite: &Arc<Suite>, arguments: &Arguments) -> Result<u8, Error> {
    match &arguments.task {
        Some(Task::Help) => return print(&help::help(suite)).map(|()| 0),
        Some(Task::List) => return list::print(suite, arguments).map(|()| 0),
        Some(Task::Generate) => return generate::run(suite, arguments),
        Some(Task::Ledger) => return ledger::run(suite, arguments),
        Some(Task::Page(option)) => {
            let page = suite.pages.iter().find(|page| page.option == *option);
            return page.map_or(Ok(0), |page| (page.write)(suite, arguments.check));
        }
        None => {}
    }
    let jobs = select::jobs(suite, arguments)?;
    if arguments.outcomes && arguments.scenarios.len() == jobs.len() {
        return Err(Error::OutcomesOfNamed);
    }
    let runner = Runner::new(suite, arguments.options(arguments.strategy()));
    if let Some(time) = arguments.estimate {
        return estimate(&jobs, &arguments.options(arguments.strategy()), time);
    }
    if let Some(engines) = arguments.compared() {
        return compare::run(&runner, arguments, &jobs, &engines);
    }
    explore(&runner, arguments, &jobs)
}

/// Says of each scenario how many orderings it has.
fn estimate(jobs: &[Job], options: &Options, time: Duration) -> Result<u8, Error> {
    for Job { system, scenario } in jobs {
        let orderings = match engine::estimate(system, scenario, options, time)? {
            Estimate::Exactly(all) => plural(all, "ordering"),
            Estimate::Between(low, high) => {
                format!("between {} and {}", number(low), plural(high, "ordering"))
            }
            Estimate::AtLeast(low) => format!("at least {}", plural(low, "ordering")),
        };
        print(&format!("{} on {}: {orderings}\n", scenario.name, system.name()))?;
    }
    Ok(0)
}

fn explore(runner: &Runner, arguments: &Arguments, jobs: &[Job]) -> Result<u8, Error> {
    let strategy = arguments.strategy();
    let mut reports = Vec::new();
    for job in jobs {
        let report = match (&arguments.replay, &arguments.merge) {
            (Some(token), _) => runner.replay(job, token)?,
            (None, Some(paths)) => runner.merge(job, &select::files(paths)?)?,
            (None, None) => runner.explore(job, strategy)?,
        };
        // Each line is written when its scenario is done: a program may be reading.
        if arguments.format == Format::Json {
            print(&json(&report))?;
        }
        reports.push(report);
        if runner.interrupted() {
            break;
        }
    }
    // A replay shows what it replayed.
    let replayed = arguments.replay.as_ref().map(|_| 1);
    let asked = arguments.show.map(|show| usize::try_from(show).unwrap_or(usize::MAX));
    let show = asked.or(replayed);
    // Scenarios that were named are shown in full; of a whole file, or on several
    // systems, those that fail or are incomplete.
    let full = arguments.outcomes;
    let named = arguments.scenarios.len() == jobs.len();
    let summary = show.is_none() && !named && !full;
    let detail = Detail { show, summary, full };
    match arguments.format {
        Format::Text => print(&text::text(&reports, detail))?,
        Format::Json => {}
        Format::Markdown => print(&markdown::markdown(&reports, detail))?,
        Format::Mermaid => print(&mermaid::mermaid(&reports, detail))?,
        Format::Html => print(&html::html(&reports, detail))?,
    }
    let missed = reports
        .iter()
        .any(|report| asked.is_some_and(|show| show == 0 || show > report.outcomes.len()));
    if missed {
        return Err(Error::NoOutcome);
    }
    if reports.len() < jobs.len() {
        let left = plural((jobs.len() - reports.len()) as u64, "scenario");
        let _ = writeln!(anstream::stderr(), "interrupted: not explored: {left}");
        return Ok(worst(&reports).max(if worst(&reports) == 1 { 1 } else { 3 }));
    }
    if arguments.replay.is_some() {
        // One ordering is never COMPLETE: the status says whether it violates anything.
        return Ok(u8::from(reports.iter().any(|report| !report.violations.is_empty())));
    }
    let part = arguments.part.map(|(k, n)| format!("part {k} of {n}"));
    if part.is_some() && reports.iter().all(|report| report.reason == part) {
        // The part was the question. What it did not find another may have.
        return Ok(u8::from(worst(&reports) == 1));
    }
    Ok(worst(&reports))
}

/// The exit status of several reports: a failure outweighs an INCOMPLETE.
fn worst<'a>(reports: impl IntoIterator<Item = &'a Report>) -> u8 {
    let statuses: Vec<u8> = reports.into_iter().map(Report::exit_status).collect();
    match (statuses.contains(&1), statuses.contains(&3)) {
        (true, _) => 1,
        (false, true) => 3,
        (false, false) => 0,
    }
}

fn json(report: &Report) -> String {
    match serde_json::to_string(report) {
        Ok(line) => line + "\n",
        Err(error) => format!("{{\"error\": {:?}}}\n", error.to_string()),
    }
}

/// Writes to standard output, with colours where these are wanted. A closed pipe is no
/// error: the reader has seen enough.
pub fn print(text: &str) -> Result<(), Error> {
    let mut out = anstream::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

fn written(result: std::io::Result<()>) -> Result<(), Error> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::Io { what: "standard output".into(), error })
        }
        _ => Ok(()),
    }
}
