//! The errors of an engine that does not explore a scenario.

use crate::render::layout::plural;
use std::error::Error as StdError;
use std::fmt;

/// The build does not have the engine, or the engine refuses the scenario.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The system was built with the primitives of another engine.
    WrongBuild {
        /// The system's name.
        system: String,
        /// The engine whose primitives it has.
        built: &'static str,
        /// The engine that was asked for.
        engine: &'static str,
    },
    /// The scenario has more threads than loom explores.
    TooManyThreads {
        /// The limit.
        most: usize,
        /// The threads of the scenario.
        threads: usize,
    },
    /// The system refuses the scenario; see [`Model::prepare`](crate::Model::prepare).
    Unprepared(Box<dyn StdError + Send + Sync>),
    /// The exploration cannot be kept in the file, or does not go on from it.
    Checkpoint(Box<dyn StdError + Send + Sync>),
    /// The text is no token of an ordering.
    Token(Box<dyn StdError + Send + Sync>),
    /// The token is one of another scenario.
    Diverged(
        /// What differed.
        String,
    ),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::WrongBuild { system, built, engine } => {
                let how = match *engine {
                    "loom" => "a build with RUSTFLAGS=\"--cfg loom\"",
                    _ => "a build with the primitives of shuttle-dpor",
                };
                write!(
                    f,
                    "{system} was built with the primitives of {built}, and the engine {engine} \
                     needs {how}"
                )
            }
            Error::TooManyThreads { most, threads } => {
                let most = plural(*most as u64, "thread");
                write!(f, "loom explores at most {most}, and this scenario has {threads}")
            }
            Error::Unprepared(why) | Error::Checkpoint(why) => why.fmt(f),
            Error::Token(why) => write!(f, "--replay: {why}"),
            Error::Diverged(why) => write!(f, "the token is not of this scenario: {why}"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Error::Unprepared(why) | Error::Token(why) | Error::Checkpoint(why) => Some(&**why),
            _ => None,
        }
    }
}
