//! Why no order of the calls explains a history.

use std::error::Error;
use std::fmt;

/// No order of the calls explains what they answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unexplained {
    /// No order gives these answers.
    Answers,
    /// The orders that give these answers do not respect real time.
    RealTime,
    /// In every order the calls wait for one another.
    Waits,
    /// The longest prefixes that orders explain.
    Stuck(Vec<Stuck>),
}

/// An order that explains some of the calls, and why it goes no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The calls and their answers, in this order.
    pub explained: Vec<String>,
    /// Why no further call can be explained.
    pub reason: String,
}

/// The most prefixes that are shown.
const SHOWN: usize = 3;

impl fmt::Display for Unexplained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unexplained::Answers => {
                f.write_str("no order of the calls, one after another, gives these answers")
            }
            Unexplained::RealTime => f.write_str(
                "no order that gives these answers respects what returned before what was called",
            ),
            Unexplained::Waits => {
                f.write_str("no order explains the answers: the calls wait for one another")
            }
            Unexplained::Stuck(stuck) => {
                let texts: Vec<String> = stuck.iter().take(SHOWN).map(Stuck::to_string).collect();
                write!(f, "no order explains the answers: {}", texts.join("; or "))
            }
        }
    }
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.explained.is_empty() {
            true => write!(f, "at the very first, {}", self.reason),
            false => write!(f, "after {}, {}", self.explained.join("; "), self.reason),
        }
    }
}

impl Error for Unexplained {}
