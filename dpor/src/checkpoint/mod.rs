//! Explorations that are kept in a file: what waits, what has been counted, and of which body.
//!
//! `explore` is what an explorer does with them, `text` the file's form, `steps` what it says of the operations that lead somewhere, `program` tells
//! one build of a program from another.

mod explore;
mod program;
mod steps;
mod text;

pub(crate) use program::program;
pub(crate) use text::Saved;

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A file that an exploration is kept in: see
/// [`Explorer::explore_in`](crate::Explorer::explore_in).
#[derive(Clone, Debug)]
pub struct Checkpoint {
    pub(crate) path: PathBuf,
    pub(crate) title: String,
    pub(crate) every: Duration,
    pub(crate) part: Option<(usize, usize)>,
}

impl Checkpoint {
    /// An exploration that is kept in the file at `path`, and goes on from there if the file exists.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Checkpoint {
            path: path.into(),
            title: String::new(),
            every: Duration::from_secs(60),
            part: None,
        }
    }

    /// Says what is explored, in words: a file that says something else is refused.
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// How often the file is written, beside at the end. Once a minute unless set. All workers finish the
    /// execution that they are in, and wait until it has been.
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    /// Explores part `k` of `n`, from 1: the parts are disjoint, and together they are everything. Which
    /// orderings are in which part follows from the body, not from workers or time.
    ///
    /// # Panics
    ///
    /// If `k` is 0 or more than `n`.
    pub fn part(mut self, k: usize, n: usize) -> Self {
        assert!(k >= 1 && k <= n, "there is no part {k} of {n}");
        self.part = Some((k, n));
        self
    }
}

/// A checkpoint that cannot be written, or cannot be gone on from.
#[derive(Debug)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file cannot be read or written.
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file is no checkpoint, or one that is damaged.
    Malformed {
        /// Which one.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// The file is a checkpoint of something else.
    Other {
        /// Which one.
        path: PathBuf,
        /// What differs: the version, the program, the body, the settings or the part.
        what: &'static str,
        /// As it is in the file.
        there: String,
        /// As it is here.
        here: String,
    },
    /// Of the parts that are to be put together, two are the same.
    Twice {
        /// Which one, from 1.
        part: usize,
        /// Both files.
        paths: [PathBuf; 2],
    },
    /// There are no parts to put together.
    NoParts,
    /// The exploration is no [`Strategy::Dpor`](crate::Strategy::Dpor), or has a bound on preemptions:
    /// there is nothing to go on from.
    Strategy,
}

impl CheckpointError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |error| CheckpointError::Io { path: path.to_owned(), error }
    }
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CheckpointError::Io { path, error } => write!(f, "{}: {error}", path.display()),
            CheckpointError::Malformed { path, line, why } => {
                write!(f, "{}, line {line}: {why}", path.display())
            }
            CheckpointError::Other { path, what, there, here } => write!(
                f,
                "{} is of another {what}: there it is {there}, and here {here}; go on with what wrote \
                 it, or remove it to begin again",
                path.display()
            ),
            CheckpointError::Twice { part, paths: [one, other] } => {
                write!(f, "part {part} is in {} and in {}", one.display(), other.display())
            }
            CheckpointError::NoParts => f.write_str("there are no parts to put together"),
            CheckpointError::Strategy => f.write_str(
                "only an exploration of every ordering can be kept in a file: no sampling, and no bound on \
                 preemptions",
            ),
        }
    }
}

impl Error for CheckpointError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            CheckpointError::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}
