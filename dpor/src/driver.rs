//! The explorer that users configure, and how it runs.

use crate::explore::Forest;
use crate::names::Names;
use crate::ordering::Ordering;
use crate::report::{Progress, Report};
use crate::rt::{Ending, Mode, Runtime};
use crate::schedule::Token;
use crate::tally::Tally;
use crate::witness::{self, Witness};
use crate::work::{run, Shared};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

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
    fn samples(self) -> bool {
        !matches!(self, Strategy::Dpor | Strategy::Dfs)
    }
}

type OnOrdering = Arc<dyn Fn(&Ordering) + Send + Sync>;
type OnProgress = Arc<dyn Fn(&Progress) + Send + Sync>;

/// Explores the orderings of a body. See the crate's documentation for an example.
#[derive(Clone)]
pub struct Explorer {
    pub(crate) strategy: Strategy,
    pub(crate) max_executions: u64,
    pub(crate) max_time: Option<Duration>,
    pub(crate) stop: Option<Arc<AtomicBool>>,
    pub(crate) max_steps: usize,
    pub(crate) workers: usize,
    pub(crate) stop_at_first: bool,
    pub(crate) spurious: u32,
    pub(crate) ends: bool,
    pub(crate) stack_size: usize,
    pub(crate) progress: Option<(Duration, OnProgress)>,
    pub(crate) observer: Option<OnOrdering>,
}

impl Default for Explorer {
    fn default() -> Self {
        Explorer {
            strategy: Strategy::Dpor,
            max_executions: u64::MAX,
            max_time: None,
            stop: None,
            max_steps: 10_000,
            workers: 1,
            stop_at_first: false,
            spurious: 0,
            ends: false,
            stack_size: 256 * 1024,
            progress: None,
            observer: None,
        }
    }
}

impl fmt::Debug for Explorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explorer")
            .field("strategy", &self.strategy)
            .field("max_executions", &self.max_executions)
            .field("max_time", &self.max_time)
            .field("max_steps", &self.max_steps)
            .field("workers", &self.workers)
            .field("stop_at_first", &self.stop_at_first)
            .field("spurious_wakeups", &self.spurious)
            .field("thread_ends", &self.ends)
            .finish_non_exhaustive()
    }
}

/// What a replayed ordering did.
#[derive(Clone, Debug)]
pub struct Replay<T> {
    /// The ordering, step by step.
    pub witness: Witness,
    /// What the body returned, if it did.
    pub outcome: Option<T>,
    /// What was violated: name and detail.
    pub violations: Vec<(String, String)>,
    /// Whether the body did what the token says. If not, what differed.
    pub diverged: Option<String>,
}

impl Explorer {
    /// Explores everything, without limits but for the length of an execution.
    pub fn new() -> Self {
        Explorer::default()
    }

    /// Sets how orderings are chosen.
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// Stops after `n` executions; several workers each finish the one that they are in.
    pub fn max_executions(mut self, n: u64) -> Self {
        self.max_executions = n;
        self
    }

    /// Stops when this much time has passed; checked between executions.
    pub fn max_time(mut self, time: Duration) -> Self {
        self.max_time = Some(time);
        self
    }

    /// Stops when the flag is set, from any thread (a handler of Ctrl-C, say); checked between
    /// executions.
    pub fn stop_when(mut self, flag: Arc<AtomicBool>) -> Self {
        self.stop = Some(flag);
        self
    }

    /// Cuts executions off after `n` operations. 10,000 unless set.
    pub fn max_steps(mut self, n: usize) -> Self {
        self.max_steps = n;
        self
    }

    /// Explores on `n` OS threads. The counts are the same for any number.
    pub fn workers(mut self, n: usize) -> Self {
        self.workers = n.max(1);
        self
    }

    /// Stops after the first ordering that violates something.
    pub fn stop_at_first(mut self, stop: bool) -> Self {
        self.stop_at_first = stop;
        self
    }

    /// Lets up to `n` waits of each thread wake without a notification. None unless set.
    pub fn spurious_wakeups(mut self, n: u32) -> Self {
        self.spurious = n;
        self
    }

    /// Makes the end of each thread an operation, which `is_finished` is ordered with. Not unless
    /// set: a body that does not ask has no use for the time that it takes.
    pub fn thread_ends(mut self, explored: bool) -> Self {
        self.ends = explored;
        self
    }

    /// Sets the stack size of the body's threads, in bytes. 256 KiB unless set.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = bytes;
        self
    }

    /// Calls `f` about once a second.
    pub fn progress(self, f: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.progress_every(Duration::from_secs(1), f)
    }

    /// Calls `f` whenever `every` has passed; checked between executions.
    pub fn progress_every(
        mut self,
        every: Duration,
        f: impl Fn(&Progress) + Send + Sync + 'static,
    ) -> Self {
        self.progress = Some((every, Arc::new(f)));
        self
    }

    /// Calls `f` with each ordering that was run to its end, for those who want to look for
    /// themselves. It costs time: an ordering is written out for each call.
    pub fn observe(mut self, f: impl Fn(&Ordering) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(f));
        self
    }

    /// Runs `body` in every ordering and reports what happened.
    pub fn explore<T, F>(self, body: F) -> Report<T>
    where
        T: Ord + Clone + fmt::Debug + Send + 'static,
        F: Fn() -> T + Send + Sync + 'static,
    {
        let start = Instant::now();
        let body = Arc::new(body);
        let workers = if self.strategy == Strategy::Dpor { self.workers } else { 1 };
        let shared = Shared {
            start,
            executions: AtomicU64::new(0),
            violating: AtomicU64::new(0),
            forest: (workers > 1).then(|| Forest::new(workers)),
            names: Names::default(),
        };
        let shared = Arc::new(shared);
        let mut tally = if workers > 1 {
            let threads: Vec<_> = (0..workers)
                .map(|n| {
                    let (config, shared, body) = (self.clone(), shared.clone(), body.clone());
                    std::thread::spawn(move || config.work(n, shared, body))
                })
                .collect();
            let mut all = Tally::default();
            for t in threads {
                match t.join() {
                    Ok(tally) => all.merge(tally),
                    Err(payload) => std::panic::resume_unwind(payload),
                }
            }
            all
        } else {
            self.clone().work(0, shared, body.clone())
        };
        if self.strategy.samples() {
            let n = tally.executions;
            tally.stop(format!("sampled {n} executions"));
        }
        tally.report(start.elapsed(), |token| self.replay_inner(token, body.clone()))
    }

    /// Runs `body` once, in the ordering of `token`.
    pub fn replay<T, F>(&self, token: &Token, body: F) -> Replay<T>
    where
        T: Send + 'static,
        F: Fn() -> T + Send + Sync + 'static,
    {
        self.replay_inner(token, Arc::new(body))
    }

    fn replay_inner<T, F>(&self, token: &Token, body: Arc<F>) -> Replay<T>
    where
        T: Send + 'static,
        F: Fn() -> T + Send + Sync + 'static,
    {
        let mut rt = Box::new(Runtime::new(Mode::Sample, Names::default(), self.max_steps));
        rt.spurious = self.spurious;
        rt.ends = self.ends;
        rt.recording = true;
        let threads: Vec<_> = token.threads.iter().map(|path| rt.thread_at(path)).collect();
        let mut schedule = Vec::new();
        for &(thread, times) in &token.runs {
            let times = (times as usize).min(self.max_steps.saturating_sub(schedule.len()));
            schedule.extend(std::iter::repeat_n(threads[thread], times));
        }
        rt.mode = Mode::Follow(schedule);
        let slot = Arc::new(Mutex::new(None));
        let config = self.clone().strategy(Strategy::Dpor);
        let rt = run(rt, &config, body, slot.clone(), |rt| rt.ending == Some(Ending::Probed));
        let mut violations: Vec<_> =
            rt.violations.iter().map(|(n, d)| (n.to_string(), d.clone())).collect();
        if rt.ending == Some(Ending::Deadlock) {
            violations.push(("no-deadlock".into(), rt.deadlock.clone()));
        }
        let outcome = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        Replay {
            witness: witness::make(&rt),
            outcome: outcome.filter(|_| rt.ending.is_none()),
            violations,
            diverged: match &rt.ending {
                Some(Ending::Diverged(why)) => Some(why.clone()),
                _ => None,
            },
        }
    }
}
