//! What an exploration is asked to do.

use crate::ordering::Ordering;
use crate::report::Progress;
use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::Arc;
use std::time::Duration;

/// How orderings are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Strategy {
    /// Every inequivalent ordering, each exactly once.
    #[default]
    Dpor,
    /// Every interleaving: shuttle's depth-first search, without reduction.
    Dfs,
    /// shuttle's random scheduler.
    Random {
        /// The first execution's seed.
        seed: u64,
        /// How many executions.
        iterations: usize,
    },
    /// shuttle's scheduler of probabilistic concurrency testing.
    Pct {
        /// The first execution's seed.
        seed: u64,
        /// How many executions.
        iterations: usize,
        /// How many priority changes there may be.
        depth: usize,
    },
    /// shuttle's uniform random walk.
    Urw {
        /// The first execution's seed.
        seed: u64,
        /// How many executions.
        iterations: usize,
    },
}

impl Strategy {
    pub(crate) fn samples(self) -> bool {
        !matches!(self, Strategy::Dpor | Strategy::Dfs)
    }
}

pub(crate) type OnOrdering = Arc<dyn Fn(&Ordering) + Send + Sync>;
pub(crate) type OnProgress = Arc<dyn Fn(&Progress) + Send + Sync>;

/// What an exploration is asked to do.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) strategy: Strategy,
    pub(crate) max_executions: u64,
    pub(crate) max_time: Option<Duration>,
    pub(crate) max_preemptions: Option<u32>,
    pub(crate) stop: Option<Arc<AtomicBool>>,
    pub(crate) max_steps: usize,
    pub(crate) workers: usize,
    pub(crate) stop_at_first: bool,
    pub(crate) spurious: u32,
    pub(crate) timeouts: u32,
    pub(crate) ends: bool,
    pub(crate) counts: bool,
    pub(crate) symmetry: bool,
    pub(crate) spurious_failures: u32,
    pub(crate) watchdog: Option<Duration>,
    pub(crate) stack_size: usize,
    pub(crate) progress: Option<(Duration, OnProgress)>,
    pub(crate) observer: Option<OnOrdering>,
}

impl Settings {
    /// Whether equal threads are explored up to their exchange.
    pub(crate) fn reduces_symmetry(&self) -> bool {
        self.symmetry && self.strategy == Strategy::Dpor && self.max_preemptions.is_none()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            strategy: Strategy::Dpor,
            max_executions: u64::MAX,
            max_time: None,
            max_preemptions: None,
            stop: None,
            max_steps: 10_000,
            workers: 1,
            stop_at_first: false,
            spurious: 0,
            timeouts: u32::MAX,
            ends: false,
            counts: false,
            symmetry: true,
            spurious_failures: 0,
            watchdog: Some(Duration::from_secs(30)),
            stack_size: 256 * 1024,
            progress: None,
            observer: None,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explorer")
            .field("strategy", &self.strategy)
            .field("max_executions", &self.max_executions)
            .field("max_time", &self.max_time)
            .field("max_preemptions", &self.max_preemptions)
            .field("max_steps", &self.max_steps)
            .field("workers", &self.workers)
            .field("stop_at_first", &self.stop_at_first)
            .field("spurious_wakeups", &self.spurious)
            .field("timeouts", &self.timeouts)
            .field("thread_ends", &self.ends)
            .field("reference_counts", &self.counts)
            .field("symmetry", &self.symmetry)
            .field("spurious_failures", &self.spurious_failures)
            .finish_non_exhaustive()
    }
}
