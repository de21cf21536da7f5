//! The errors of the command.

use super::usage::Usage;
use crate::engine;
use crate::parse::ParseError;
use std::fmt;
use std::io;

/// The question is a mistake, or the answer could not be computed or written. Exit
/// status 2.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The options.
    Usage(Usage),
    /// A scenario, or a file of them, cannot be read.
    Scenario {
        /// The place in the text, and the mistake.
        error: Box<ParseError>,
        /// The scenario that may have been meant, by name.
        near: Option<String>,
    },
    /// There is no such system.
    NoSystem {
        /// The name that was asked for.
        name: String,
        /// The names of the suite's systems.
        known: Vec<String>,
        /// The name that may have been meant.
        near: Option<String>,
    },
    /// The scenario of this name is another system's.
    OtherSystem {
        /// The scenario.
        scenario: String,
        /// The system that ships with it.
        system: String,
    },
    /// The suite has nothing to explore.
    Nothing,
    /// A file has no scenario.
    NoScenario(String),
    /// There is no scenario of this name.
    NoSuchScenario(String),
    /// A file is longer than any file of scenarios.
    TooLong(String),
    /// A file is not text.
    NotText(String),
    /// `--replay` with several scenarios: a token belongs to one.
    ReplayOfSeveral,
    /// `--checkpoint` or `--merge` with several scenarios, or several systems.
    CheckpointOfSeveral,
    /// `--outcomes` with scenarios that are shown in full without it.
    OutcomesOfNamed,
    /// `--show` with a number that no outcome has.
    NoOutcome,
    /// Nothing can be generated for the system.
    NotGenerated(String),
    /// The suite has no ledger.
    NoLedger,
    /// The engine does not explore the scenario.
    Engine(engine::Error),
    /// An error of the operating system, with a file, a stream or a process.
    Io {
        /// The name of the file, the stream or the process.
        what: String,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The child process has written no report that can be read.
    Child(serde_json::Error),
    /// The child process has refused the question.
    Refused(
        /// What the process has written to standard error.
        String,
    ),
}

impl Error {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
        let what = what.into();
        move |error| Error::Io { what, error }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Usage(usage) => usage.fmt(f),
            Error::Scenario { error, near: None } => error.fmt(f),
            Error::Scenario { error, near: Some(near) } => {
                write!(f, "{error}\nor did you mean the scenario `{near}`?")
            }
            Error::NoSystem { name, near: Some(near), .. } => {
                write!(f, "no system `{name}`: did you mean `{near}`?")
            }
            Error::NoSystem { name, known, near: None } => {
                write!(f, "no system `{name}`: there are {}", known.join(", "))
            }
            Error::OtherSystem { scenario, system } => {
                write!(f, "`{scenario}` is a scenario of {system}: `--system {system}`")
            }
            Error::Nothing => f.write_str("there is no system to explore"),
            Error::NoScenario(file) => write!(f, "{file} has no scenario"),
            Error::NoSuchScenario(name) => write!(f, "there is no scenario {name}"),
            Error::TooLong(file) => write!(f, "{file} is too long for a file of scenarios"),
            Error::NotText(file) => write!(f, "{file} is not text"),
            Error::ReplayOfSeveral => {
                f.write_str("--replay needs the one scenario that its token is of")
            }
            Error::CheckpointOfSeveral => {
                f.write_str("--checkpoint and --merge need one scenario on one system")
            }
            Error::OutcomesOfNamed => {
                f.write_str("--outcomes: what is asked by name is told in full anyway")
            }
            Error::NoOutcome => {
                f.write_str("--show: there is no such outcome, see the rows' numbers")
            }
            Error::NotGenerated(system) => write!(f, "--generate: not for {system}"),
            Error::NoLedger => f.write_str("--ledger: this command has none"),
            Error::Engine(error) => error.fmt(f),
            Error::Io { what, error } => write!(f, "{what}: {error}"),
            Error::Child(error) => write!(f, "the explorer for loom cannot be understood: {error}"),
            Error::Refused(said) => f.write_str(said),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Usage(error) => Some(error),
            Error::Scenario { error, .. } => Some(&**error),
            Error::Engine(error) => Some(error),
            Error::Io { error, .. } => Some(error),
            Error::Child(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Usage> for Error {
    fn from(usage: Usage) -> Self {
        Error::Usage(usage)
    }
}

impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Self {
        Error::Engine(error)
    }
}

impl From<ParseError> for Error {
    fn from(error: ParseError) -> Self {
        Error::Scenario { error: Box::new(error), near: None }
    }
}
