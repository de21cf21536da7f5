//! The explorer that users configure, and how it runs.

use crate::adapter::{self, Adapter};
use crate::explore::{Forest, Search};
use crate::hook::Quiet;
use crate::names::Names;
use crate::ordering::Ordering;
use crate::report::{Progress, Report};
use crate::rt::{self, Ending, Mode, Runtime};
use crate::schedule::Token;
use crate::tally::Tally;
use crate::witness::{self, Witness};
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
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

    /// Stops after `n` executions.
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

    /// Explores what one worker gets to explore.
    fn work<T, F>(self, worker: usize, shared: Arc<Shared>, body: Arc<F>) -> Tally<T>
    where
        T: Ord + Clone + fmt::Debug + Send + 'static,
        F: Fn() -> T + Send + Sync + 'static,
    {
        let mode = match (self.strategy, &shared.forest) {
            (Strategy::Dpor, None) => Mode::Explore(Box::default()),
            (Strategy::Dpor, Some(forest)) => {
                // Whoever leaves by a panic must not leave the others waiting for it.
                let _stop = StopOnPanic(forest);
                let mut search = Search::sharing(forest.clone());
                if !search.next_job() {
                    return Tally::default();
                }
                Mode::Explore(Box::new(search))
            }
            _ => Mode::Sample,
        };
        let mut rt = Box::new(Runtime::new(mode, shared.names.clone(), self.max_steps));
        rt.spurious = self.spurious;
        let _stop = shared.forest.as_ref().map(StopOnPanic);
        let tally = Rc::new(RefCell::new(Tally::<T>::default()));
        let slot = Arc::new(Mutex::new(None));
        let (config, counts, outcome) = (self.clone(), tally.clone(), slot.clone());
        let all = shared.clone();
        let mut shown = shared.start;
        let conclude = move |rt: &mut Runtime| {
            if let Some(f) = config.observer.as_ref().filter(|_| rt.ran_to_its_end()) {
                f(&Ordering::of(rt));
            }
            let mut tally = counts.borrow_mut();
            let before = tally.violating;
            tally.conclude(rt, outcome.lock().unwrap_or_else(PoisonError::into_inner).take());
            all.executions.fetch_add(1, Relaxed);
            all.violating.fetch_add(tally.violating - before, Relaxed);
            if worker == 0 {
                config.show(&all, &mut shown, rt);
            }
            match (&all.forest, config.stop(&all, rt)) {
                (Some(forest), Some(why)) => {
                    forest.stop();
                    tally.stop(why);
                    false
                }
                (Some(forest), None) => !forest.stopped() && search_on(rt),
                (None, why) => {
                    let more = search_on(rt);
                    let go_on = more && why.is_none();
                    // A limit that the last execution of all reaches has cut off nothing.
                    if let Some(why) = why.filter(|_| more || rt.diverged()) {
                        tally.stop(why);
                    }
                    go_on
                }
            }
        };
        run(rt, &self, body, slot, conclude);
        tally.take()
    }

    fn show(&self, shared: &Shared, shown: &mut Instant, rt: &Runtime) {
        let Some((every, f)) = &self.progress else { return };
        if shown.elapsed() < *every {
            return;
        }
        *shown = Instant::now();
        let executions = shared.executions.load(Relaxed);
        let explored = match &rt.mode {
            Mode::Explore(search) => search.explored(),
            _ => None,
        };
        f(&Progress {
            executions,
            estimate: explored.map(|share| executions as f64 / share),
            violating: shared.violating.load(Relaxed),
            elapsed: shared.start.elapsed(),
        });
    }

    /// Why to stop after an execution, if so.
    fn stop(&self, shared: &Shared, rt: &Runtime) -> Option<String> {
        if let Some(Ending::Diverged(why)) = &rt.ending {
            return Some(format!("the body is not deterministic: {why}"));
        }
        if self.stop_at_first && shared.violating.load(Relaxed) > 0 {
            return Some("stopped at the first violation".into());
        }
        let executions = shared.executions.load(Relaxed);
        if executions >= self.max_executions {
            return Some(format!("stopped after {executions} executions"));
        }
        if self.stop.as_ref().is_some_and(|stop| stop.load(Relaxed)) {
            return Some("interrupted".into());
        }
        if self.max_time.is_some_and(|t| shared.start.elapsed() >= t) {
            return Some(format!("stopped after {:?}", shared.start.elapsed()));
        }
        None
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
        let rt = run(rt, &config, body, slot.clone(), |_| false);
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

/// What the workers of an exploration share.
struct Shared {
    start: Instant,
    executions: AtomicU64,
    violating: AtomicU64,
    /// Only if there are several workers.
    forest: Option<Forest>,
    names: Names,
}

struct StopOnPanic<'a>(&'a Forest);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

/// Lets the search take in the execution that has ended. Returns whether there is more to explore.
fn search_on(rt: &mut Runtime) -> bool {
    let Mode::Explore(search) = &mut rt.mode else { return true };
    match rt.ending {
        None | Some(Ending::Deadlock | Ending::TooLong) => {
            search.reverse_races(&rt.trace, &rt.objects, &rt.stalled);
            search.backtrack()
        }
        Some(Ending::Redundant) => search.backtrack(),
        Some(Ending::Diverged(_)) => false,
    }
}

type Slot<T> = Arc<Mutex<Option<T>>>;

/// Runs executions of `body` on this OS thread until `conclude`, called after each, says no.
fn run<T, F>(
    rt: Box<Runtime>,
    config: &Explorer,
    body: Arc<F>,
    slot: Slot<T>,
    conclude: impl FnMut(&mut Runtime) -> bool + 'static,
) -> Box<Runtime>
where
    T: Send + 'static,
    F: Fn() -> T + Send + Sync + 'static,
{
    let _quiet = Quiet::new();
    let before = rt::install(Some(rt));
    let inner = adapter::sampler(config.strategy);
    let scheduler = Adapter::new(inner, conclude);
    let mut shuttles = shuttle::Config::new();
    shuttles.stack_size = config.stack_size;
    shuttles.failure_persistence = shuttle::FailurePersistence::None;
    shuttles.max_steps = shuttle::MaxSteps::None;
    shuttle::Runner::new(scheduler, shuttles).run(move || {
        rt::run_thread(0, || {
            let value = body();
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        })
    });
    rt::install(before).expect("the runtime is still there")
}
