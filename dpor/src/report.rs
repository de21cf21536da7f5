//! What an exploration found.

use crate::schedule::Token;
use crate::witness::Witness;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What the exploration says about the body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// Every ordering has been explored, and none violated anything. Under sequential consistency, that
    /// is: what weaker memory orderings allow beyond that is not explored.
    Complete,
    /// Every ordering that can be had with so many preemptions has been explored, and none violated
    /// anything: see [`Explorer::max_preemptions`](crate::Explorer::max_preemptions).
    Within {
        /// The bound.
        preemptions: u32,
    },
    /// Some ordering violated something.
    Violated,
    /// No violation was seen, and not everything was explored.
    Incomplete {
        /// What cut the exploration short.
        why: String,
    },
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Complete => f.write_str("COMPLETE (under sequential consistency)"),
            Verdict::Within { preemptions: 1 } => f.write_str("complete within 1 preemption"),
            Verdict::Within { preemptions } => {
                write!(f, "complete within {preemptions} preemptions")
            }
            Verdict::Violated => f.write_str("VIOLATED"),
            Verdict::Incomplete { why } => write!(f, "INCOMPLETE: {why}"),
        }
    }
}

/// The orderings that led to one outcome.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// How many.
    pub orderings: u64,
    /// In how many of them something was violated.
    pub violating: u64,
    /// The one with the fewest context switches that a bounded search finds.
    pub token: Token,
    pub(crate) again: Again,
}

impl Outcome {
    /// The ordering of [`token`](Self::token), step by step. The body runs again for that: there may be many
    /// outcomes, and an ordering takes a hundred times the room of its token.
    pub fn witness(&self) -> Witness {
        (self.again.0)(&self.token)
    }
}

/// Runs an ordering again.
pub(crate) type Run<T> = Arc<dyn Fn(&Token) -> Replay<T> + Send + Sync>;

/// Runs an ordering again, to see it step by step.
#[derive(Clone)]
pub(crate) struct Again(pub(crate) Arc<dyn Fn(&Token) -> Witness + Send + Sync>);

impl fmt::Debug for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Again")
    }
}

/// The orderings that violated one thing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Violation {
    /// What: `panic`, `no-deadlock`, `no-livelock`, `no-data-race`, `no-foreign-thread`, or the name that the body gave.
    pub name: String,
    /// Where it comes from: the line of a panic, the lines of the two accesses of a data race, who
    /// waits where in a deadlock or a livelock. What comes from elsewhere is a violation by itself.
    pub place: String,
    /// How, in the ordering of the witness.
    pub detail: String,
    /// How many.
    pub orderings: u64,
    /// How many violated what has this name, at this place or another: one that does so at two places
    /// is counted once.
    pub orderings_of_name: u64,
    /// The one with the fewest context switches that a bounded search finds.
    pub token: Token,
    /// That one, step by step.
    pub witness: Witness,
}

/// An execution that was cut off by the step limit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CutOff {
    /// Who performed most of its operations.
    pub who: String,
    /// The ordering.
    pub token: Token,
    /// Its last steps.
    pub witness: Witness,
}

/// What an exploration found.
#[derive(Clone, Debug)]
#[must_use]
pub struct Report<T: Ord> {
    /// What the exploration says about the body.
    pub verdict: Verdict,
    /// How often the body ran.
    pub executions: u64,
    /// How many inequivalent orderings there are, of which each was run to its end, or one that it becomes by an
    /// exchange of [equal threads](crate::thread::spawn_equal). Under a strategy other than
    /// [`Strategy::Dpor`](crate::Strategy::Dpor) these are not told apart: every execution counts.
    pub orderings: u64,
    /// Executions that turned out half way to be equivalent to others. None, if all is well; but with
    /// [equal threads](crate::thread::spawn_equal) there may be some that are equivalent to an exchange of
    /// another.
    pub blocked: u64,
    /// Executions that were cut off by the step limit.
    pub cut: u64,
    /// How often the body ran beside that: to find out whether a thread that yields spins, or once more for each
    /// worker, because what came last was needed and had not been recorded.
    pub probes: u64,
    /// The most operations in an ordering.
    pub longest: usize,
    /// How many orderings ended in a deadlock: a thread is blocked for ever.
    pub deadlocks: u64,
    /// How many orderings ended in a livelock: nobody is blocked but for joining, and those who have
    /// not ended spin for ever.
    pub livelocks: u64,
    /// The first execution that was cut off, in which somebody may spin without yielding.
    pub cut_off: Option<CutOff>,
    /// What the body returned, in the orderings in which it did.
    pub outcomes: BTreeMap<T, Outcome>,
    /// What was violated, by name and place.
    pub violations: Vec<Violation>,
    /// Why not everything was explored, if so; with violations the verdict does not say.
    pub incomplete: Option<String>,
    /// The bound on preemptions, where every ordering within it was explored, violated or not.
    pub within: Option<u32>,
    /// Which part this is, from 1, and of how many, where every ordering of it was explored, violated or
    /// not: see [`Checkpoint::part`](crate::Checkpoint::part).
    pub part: Option<(usize, usize)>,
    /// How long it took.
    pub elapsed: Duration,
}

impl<T: Ord> Report<T> {
    /// Whether every ordering has been explored, violated or not.
    pub fn exhausted(&self) -> bool {
        self.incomplete.is_none()
    }

    /// The same, with other names for the outcomes: as many, in whatever order.
    pub fn map<U: Ord>(self, name: impl Fn(T) -> U) -> Report<U> {
        let outcomes = self.outcomes.into_iter();
        Report {
            outcomes: outcomes.map(|(outcome, seen)| (name(outcome), seen)).collect(),
            verdict: self.verdict,
            executions: self.executions,
            orderings: self.orderings,
            blocked: self.blocked,
            cut: self.cut,
            probes: self.probes,
            longest: self.longest,
            deadlocks: self.deadlocks,
            livelocks: self.livelocks,
            cut_off: self.cut_off,
            violations: self.violations,
            incomplete: self.incomplete,
            within: self.within,
            part: self.part,
            elapsed: self.elapsed,
        }
    }

    /// The first violation of that name; there may be others, of other places.
    pub fn violation(&self, name: &str) -> Option<&Violation> {
        self.violations.iter().find(|v| v.name == name)
    }

    /// Panics unless every ordering has been explored and none violated anything; the message has
    /// the witnesses.
    #[track_caller]
    pub fn assert_complete(&self) {
        if self.verdict != Verdict::Complete {
            let mut text = self.verdict.to_string();
            for v in &self.violations {
                text += &format!("\n\n{v}");
            }
            panic!("{text}");
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.name, self.detail)?;
        writeln!(f, "in {} orderings; the one with the fewest switches:", self.orderings)?;
        write!(f, "{}replay: {}", self.witness, self.token)
    }
}

/// What was violated in one ordering. What differs in its name or its place is counted by itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Found {
    /// What: see [`Violation::name`].
    pub name: Cow<'static, str>,
    /// Where it comes from: see [`Violation::place`].
    pub place: String,
    /// What happened.
    pub detail: String,
}

/// What a replayed ordering did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Replay<T> {
    /// The ordering, step by step.
    pub witness: Witness,
    /// What the body returned, if it did.
    pub outcome: Option<T>,
    /// What was violated.
    pub violations: Vec<Found>,
    /// Whether the body did what the token says. If not, what differed.
    pub diverged: Option<String>,
    /// The paths of threads that are equal, class by class.
    pub(crate) equal: Vec<Vec<Vec<u32>>>,
}

/// How far an exploration has come.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// How often the body has run.
    pub executions: u64,
    /// How many orderings there may be in all: what has been explored over the share of the tree
    /// that it is, taking the branches of a node to be equally large. `None` while sampling.
    pub estimate: Option<f64>,
    /// How many of them violated something.
    pub violating: u64,
    /// How long it has taken.
    pub elapsed: Duration,
}
