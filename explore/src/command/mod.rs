//! The command line.
//!
//! - `args`: what can be asked
//! - `ask`: the same of a system of one's own
//! - `select`: which scenarios are meant
//! - `run`: one scenario under one engine, here or in another build
//! - `child`: the explorer as another process
//! - `progress`: what is said meanwhile
//! - `compare`, `generate`, `ledger`, `list`: the other answers

mod args;
mod ask;
mod child;
mod compare;
mod generate;
mod ledger;
mod list;
mod progress;
mod run;
mod select;

pub use args::{Arguments, Format};
pub use ask::Ask;
pub use generate::Generated;
pub use select::{built_in, on_request, system};

use crate::render::text::Detail;
use crate::render::{html, markdown, mermaid, text, View};
use crate::suite::Suite;
use clap::{CommandFactory, FromArgMatches};
pub use run::{Job, Runner};
use std::fmt;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::sync::Arc;

/// What was asked makes no sense, or its answer cannot be written. Shown as it
/// is; exit status 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadInput(
    /// What is wrong.
    pub String,
);

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadInput {}

/// Reads the command line, does what it says, and answers the exit status.
pub fn main(suite: Suite) -> ExitCode {
    let suite = Arc::new(suite);
    let help = format!("{}{}", suite.help, args::HELP);
    let command = Arguments::command().bin_name(suite.command.clone()).after_help(help);
    let matches = command.try_get_matches();
    let arguments = match matches.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => arguments,
        Err(error) => {
            let printed = written(error.print()).map(|()| error.exit_code() as u8);
            return ended(printed);
        }
    };
    ended(answer(&suite, &arguments))
}

/// The exit status, and what is to be said of bad input.
pub fn ended(answer: Result<u8, BadInput>) -> ExitCode {
    match answer {
        Ok(status) => ExitCode::from(status),
        Err(BadInput(message)) => {
            let prefix = if message.starts_with("error") { "" } else { "error: " };
            let _ = writeln!(anstream::stderr(), "{prefix}{message}");
            ExitCode::from(2)
        }
    }
}

fn answer(suite: &Arc<Suite>, arguments: &Arguments) -> Result<u8, BadInput> {
    arguments.check()?;
    if arguments.list {
        list::print(suite, arguments)?;
        return Ok(0);
    }
    if arguments.generates()? {
        return generate::run(suite, arguments);
    }
    if arguments.ledger {
        return ledger::run(suite, arguments);
    }
    let jobs = select::jobs(suite, arguments)?;
    if arguments.outcomes && arguments.scenarios.len() == jobs.len() {
        return Err(BadInput("--outcomes: what is asked by name is told in full anyway".into()));
    }
    let runner = Runner::new(suite, arguments.options(arguments.strategy()?))?;
    if let Some(engines) = arguments.compared()? {
        return compare::run(&runner, arguments, &jobs, &engines);
    }
    explore(&runner, arguments, &jobs)
}

fn explore(runner: &Runner, arguments: &Arguments, jobs: &[Job]) -> Result<u8, BadInput> {
    let strategy = arguments.strategy()?;
    let mut views = Vec::new();
    for job in jobs {
        let view = match &arguments.replay {
            Some(token) => runner.replay(job, token)?,
            None => runner.explore(job, strategy)?,
        };
        // A line as soon as it is known: a program may be reading.
        if arguments.format == Format::Json {
            print(&json(&view))?;
        }
        views.push(view);
        if runner.interrupted() {
            break;
        }
    }
    // A replay shows what it replayed.
    let replayed = arguments.replay.as_ref().map(|_| 1);
    let show = arguments.show.or(replayed);
    // Those that were named are told; of a whole file, or on several systems,
    // those that stand out.
    let full = arguments.outcomes;
    let named = arguments.scenarios.len() == jobs.len();
    let summary = show.is_none() && !named && !full;
    let detail = Detail { show, summary, full };
    match arguments.format {
        Format::Text => print(&text::text(&views, detail))?,
        Format::Json => {}
        Format::Markdown => print(&markdown::markdown(&views, detail))?,
        Format::Mermaid => print(&mermaid::mermaid(&views, detail))?,
        Format::Html => print(&html::html(&views, detail))?,
    }
    let missed = views
        .iter()
        .any(|view| arguments.show.is_some_and(|show| show == 0 || show > view.outcomes.len()));
    if missed {
        return Err(BadInput("--show: there is no such outcome, see the rows' numbers".into()));
    }
    if views.len() < jobs.len() {
        let left = jobs.len() - views.len();
        let _ = writeln!(anstream::stderr(), "interrupted, {left} scenarios were not explored");
        return Ok(worst(&views).max(if worst(&views) == 1 { 1 } else { 3 }));
    }
    if arguments.replay.is_some() {
        // One ordering is never all; what it shows is the question.
        return Ok(u8::from(views.iter().any(|view| !view.violations.is_empty())));
    }
    Ok(worst(&views))
}

/// Something that does not hold outweighs something that is not known.
fn worst(views: &[View]) -> u8 {
    let status = |wanted: u8| views.iter().any(|view| view.exit_status() == wanted);
    match (status(1), status(3)) {
        (true, _) => 1,
        (false, true) => 3,
        (false, false) => 0,
    }
}

fn json(view: &View) -> String {
    match serde_json::to_string(view) {
        Ok(line) => line + "\n",
        Err(error) => format!("{{\"error\": {:?}}}\n", error.to_string()),
    }
}

/// To standard output, coloured where that is wanted. A reader that went away
/// has seen enough; what cannot be written otherwise is no answer.
pub fn print(text: &str) -> Result<(), BadInput> {
    let mut out = anstream::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

fn written(result: std::io::Result<()>) -> Result<(), BadInput> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(BadInput(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}
