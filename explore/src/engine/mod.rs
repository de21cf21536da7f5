//! The engines: each explores one scenario on one system and writes a
//! [`Report`].
//!
//! All take the same [`Options`]. A build has the engine whose primitives it was built
//! with, see [`crate::sync::ENGINE`].

#[cfg(loom)]
mod collect;
#[cfg(not(loom))]
pub mod dpor;
mod error;
#[cfg(loom)]
pub mod loom;
#[cfg(not(loom))]
mod symmetry;

pub use error::Error;

use crate::render::layout::plural;
use crate::{sync, Model, Report, Scenario};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How orderings are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// Each inequivalent ordering once.
    Dpor,
    /// Every interleaving.
    Dfs,
    /// A fair walk: a thread at random at each step.
    Random {
        /// The seed of the random numbers: the same seed explores the same.
        seed: u64,
        /// How many executions.
        iterations: u64,
    },
    /// Random priorities, which change at random places.
    Pct {
        /// The seed of the random numbers.
        seed: u64,
        /// How many executions.
        iterations: u64,
        /// How many ordering constraints the bug is thought to need.
        depth: u64,
    },
    /// A random walk that is uniform over the interleavings.
    Urw {
        /// The seed of the random numbers.
        seed: u64,
        /// How many executions.
        iterations: u64,
    },
    /// loom, in its own build.
    Loom,
}

impl Strategy {
    /// The name, for `--engine`.
    pub fn name(self) -> &'static str {
        match self {
            Strategy::Dpor => "dpor",
            Strategy::Dfs => "dfs",
            Strategy::Random { .. } => "random",
            Strategy::Pct { .. } => "pct",
            Strategy::Urw { .. } => "urw",
            Strategy::Loom => "loom",
        }
    }

    /// The executions of a sampling strategy; `None`: the strategy explores all.
    pub fn samples(self) -> Option<u64> {
        match self {
            Strategy::Random { iterations, .. }
            | Strategy::Pct { iterations, .. }
            | Strategy::Urw { iterations, .. } => Some(iterations),
            Strategy::Dpor | Strategy::Dfs | Strategy::Loom => None,
        }
    }
}

/// The progress of an exploration.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// Executions so far.
    pub executions: u64,
    /// Time so far.
    pub elapsed: Duration,
    /// How many executions there will be, if the engine can estimate that.
    pub estimate: Option<Estimate>,
}

/// How many executions there will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Estimate {
    /// This many: a sampling strategy was asked for them.
    Exactly(u64),
    /// Between these, most probably.
    Between(u64, u64),
    /// This many or more: an extrapolation from the part that is explored, as if the
    /// rest held no surprise. It grows, on a long exploration by orders of magnitude.
    AtLeast(u64),
}

impl Estimate {
    /// The number.
    pub fn total(self) -> u64 {
        match self {
            Estimate::Exactly(total) | Estimate::AtLeast(total) => total,
            Estimate::Between(low, _) => low,
        }
    }
}

/// Called from time to time with the progress of an exploration.
pub type Tell = Arc<dyn Fn(Progress) + Send + Sync>;

/// A file that an exploration is kept in: what is left to do, and what has been counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its path.
    pub path: PathBuf,
    /// The part that is explored, from 1, and of how many.
    pub part: Option<(usize, usize)>,
}

/// The options of an exploration.
#[derive(Clone)]
pub struct Options {
    /// How orderings are chosen.
    pub strategy: Strategy,
    /// Stop after this many executions: the result is INCOMPLETE.
    pub max_executions: Option<u64>,
    /// Stop after this time: the result is INCOMPLETE.
    pub max_time: Option<Duration>,
    /// How many threads explore, where the engine can use several.
    pub workers: usize,
    /// Whether witnesses have the steps of the calls before the race, and not only
    /// their answers.
    pub prologue: bool,
    /// Whether to search for the fewest preemptions that lead to each outcome.
    pub preemptions: bool,
    /// Whether threads with the same calls are explored up to their exchange; for [`Strategy::Dpor`]
    /// alone. The outcomes and their counts are the same without.
    pub symmetry: bool,
    /// Where the exploration is kept, and goes on from; for [`Strategy::Dpor`] alone.
    pub kept: Option<Kept>,
    /// Set from outside to stop at the next execution: the result is INCOMPLETE.
    pub stop: Arc<AtomicBool>,
    /// Called a few times a second with the progress.
    pub progress: Option<Tell>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            strategy: Strategy::Dpor,
            max_executions: None,
            max_time: None,
            workers: 1,
            prologue: false,
            preemptions: false,
            symmetry: true,
            kept: None,
            stop: Arc::default(),
            progress: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("strategy", &self.strategy).finish_non_exhaustive()
    }
}

impl Options {
    /// The limit that is reached after this many executions, in words.
    pub fn limit_reached(&self, executions: u64, begin: Instant) -> Option<String> {
        if self.stop.load(Ordering::Relaxed) {
            return Some("interrupted".into());
        }
        if self.max_executions.is_some_and(|max| executions >= max) {
            return Some(format!("stopped after {}", plural(executions, "execution")));
        }
        match self.max_time {
            Some(max) if begin.elapsed() >= max => Some(format!("stopped after {max:?}")),
            _ => None,
        }
    }
}

/// Explores with the engine of this build.
pub fn explore(
    system: &Arc<dyn Model>,
    scenario: &Arc<Scenario>,
    options: &Options,
) -> Result<Report, Error> {
    if system.primitives() == sync::ENGINE {
        system.prepare(scenario).map_err(Error::Unprepared)?;
    }
    #[cfg(not(loom))]
    if options.strategy != Strategy::Loom && system.primitives() == sync::ENGINE {
        return dpor::explore(system, scenario, options);
    }
    #[cfg(loom)]
    if options.strategy == Strategy::Loom && system.primitives() == sync::ENGINE {
        return loom::explore_within(system, scenario, options);
    }
    let _ = scenario;
    Err(wrong_build(&**system, options.strategy))
}

/// Runs the ordering of a token again. The report has one execution and its witness.
pub fn replay(
    system: &Arc<dyn Model>,
    scenario: &Arc<Scenario>,
    token: &str,
    prologue: bool,
) -> Result<Report, Error> {
    #[cfg(not(loom))]
    if system.primitives() == sync::ENGINE {
        system.prepare(scenario).map_err(Error::Unprepared)?;
        return dpor::replay(system, scenario, token, prologue);
    }
    let _ = (scenario, token, prologue);
    Err(wrong_build(&**system, Strategy::Dpor))
}

/// How many orderings there are, found out in about so much time; exactly, where no more than the options
/// allow to be run.
pub fn estimate(
    system: &Arc<dyn Model>,
    scenario: &Arc<Scenario>,
    options: &Options,
    time: Duration,
) -> Result<Estimate, Error> {
    #[cfg(not(loom))]
    if system.primitives() == sync::ENGINE {
        system.prepare(scenario).map_err(Error::Unprepared)?;
        return Ok(dpor::estimate(system, scenario, options, time));
    }
    let _ = (scenario, options, time);
    Err(wrong_build(&**system, Strategy::Dpor))
}

/// Adds up the parts of an exploration, which are kept in these files.
pub fn merge(
    system: &Arc<dyn Model>,
    scenario: &Arc<Scenario>,
    options: &Options,
    parts: &[PathBuf],
) -> Result<Report, Error> {
    #[cfg(not(loom))]
    if system.primitives() == sync::ENGINE {
        system.prepare(scenario).map_err(Error::Unprepared)?;
        return dpor::merge(system, scenario, options, parts);
    }
    let _ = (scenario, options, parts);
    Err(wrong_build(&**system, Strategy::Dpor))
}

/// Runs `body` once, on one thread, in an execution of the engine; `None`: it does not
/// return.
pub fn alone<T: Send + 'static>(body: impl Fn() -> T + Send + Sync + 'static) -> Option<T> {
    let slot = Arc::new(Mutex::new(None));
    let filled = Arc::clone(&slot);
    let run = move || *filled.lock().unwrap_or_else(PoisonError::into_inner) = Some(body());
    #[cfg(not(loom))]
    drop(shuttle_dpor::Explorer::new().max_executions(1).explore(run));
    #[cfg(loom)]
    {
        let model = ::loom::model::Builder::new();
        // loom panics at a deadlock.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| model.check(run)));
    }
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    slot.take()
}

fn wrong_build(system: &dyn Model, strategy: Strategy) -> Error {
    let (built, engine) = (system.primitives(), strategy.name());
    Error::WrongBuild { system: system.name(), built, engine }
}
