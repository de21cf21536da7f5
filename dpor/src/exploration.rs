//! An exploration: what its workers share, and what each of them does: run executions until nothing is
//! left to explore, or a limit is reached.

use crate::adapter::Adapter;
use crate::explore::{Bounded, Forest, Search};
use crate::hook::{describe, Quiet};
use crate::names::Names;
use crate::ordering::Ordering;
use crate::report::Progress;
use crate::rt::{self, Ending, Mode, Runtime};
use crate::settings::{Settings, Strategy};
use crate::tally::Tally;
use crate::watchdog::{Pulse, Watchdog};
use std::cell::RefCell;
use std::fmt;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// An exploration, which its workers share.
pub(crate) struct Exploration {
    settings: Settings,
    start: Instant,
    executions: AtomicU64,
    /// How many of them violated something.
    violating: AtomicU64,
    /// The part of the tree that the workers share. Only if there are several.
    forest: Option<Forest>,
    names: Names,
}

impl Exploration {
    pub(crate) fn new(settings: Settings) -> Self {
        let shared = settings.strategy == Strategy::Dpor && settings.max_preemptions.is_none();
        let workers = if shared { settings.workers } else { 1 };
        Exploration {
            settings,
            start: Instant::now(),
            executions: AtomicU64::new(0),
            violating: AtomicU64::new(0),
            forest: (workers > 1).then(|| Forest::new(workers)),
            names: Names::default(),
        }
    }

    /// Explores the orderings of `body`. Returns what was seen, and how long it took.
    pub(crate) fn run<T>(self, body: &Body<T>) -> (Tally<T>, Duration)
    where
        T: Ord + Clone + fmt::Debug + Send + 'static,
    {
        let all = Arc::new(self);
        let mut tally = if all.forest.is_some() {
            let threads: Vec<_> = (0..all.settings.workers)
                .map(|n| {
                    let (all, body) = (all.clone(), body.clone());
                    std::thread::spawn(move || all.work(n, body))
                })
                .collect();
            let mut sum = Tally::default();
            for t in threads {
                match t.join() {
                    Ok(tally) => sum.merge(tally),
                    Err(payload) => resume_unwind(payload),
                }
            }
            sum
        } else {
            all.clone().work(0, body.clone())
        };
        if let (Some(n), Strategy::Dpor) = (all.settings.max_preemptions, all.settings.strategy) {
            tally.bound(n);
        }
        if all.settings.strategy.samples() {
            let n = tally.executions;
            tally.stop(format!("sampled {n} executions"));
        }
        (tally, all.start.elapsed())
    }

    /// Explores what one worker gets to explore.
    fn work<T>(self: Arc<Self>, worker: usize, body: Body<T>) -> Tally<T>
    where
        T: Ord + Clone + fmt::Debug + Send + 'static,
    {
        let mode = match (self.settings.strategy, &self.forest) {
            (Strategy::Dpor, None) if self.settings.max_preemptions.is_some() => {
                let bound = self.settings.max_preemptions.unwrap_or_default();
                Mode::Bounded(Box::new(Bounded::new(bound)))
            }
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
        let mut rt = Box::new(Runtime::new(mode, self.names.clone(), self.settings.max_steps));
        rt.spurious = self.settings.spurious;
        rt.timeouts = self.settings.timeouts;
        rt.ends = self.settings.ends;
        rt.counts = self.settings.counts;
        rt.spurious_failures = self.settings.spurious_failures;
        let _stop = self.forest.as_ref().map(StopOnPanic);
        let tally = Rc::new(RefCell::new(Tally::<T>::default()));
        let slot = Arc::new(Mutex::new(None));
        let (all, tallied, outcome) = (self.clone(), tally.clone(), slot.clone());
        let mut shown = self.start;
        let conclude = move |rt: &mut Runtime| {
            let value = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
            let mut tally = tallied.borrow_mut();
            if rt.counts() {
                let repeated = rt.repeats();
                let observed = rt.ran_to_its_end() && !repeated;
                if let Some(f) = all.settings.observer.as_ref().filter(|_| observed) {
                    f(&Ordering::of(rt));
                }
                let before = tally.violating;
                match repeated {
                    true => tally.repeat(),
                    false => tally.conclude(rt, value),
                }
                all.executions.fetch_add(1, Relaxed);
                all.violating.fetch_add(tally.violating - before, Relaxed);
            } else {
                tally.probes += 1;
            }
            if worker == 0 {
                all.show(&mut shown, rt);
            }
            match (&all.forest, all.stop(rt)) {
                (Some(forest), Some(why)) => {
                    forest.stop();
                    tally.stop(why);
                    false
                }
                (Some(forest), None) => !forest.stopped() && rt.search_on(),
                (None, why) => {
                    let more = rt.search_on();
                    let go_on = more && why.is_none();
                    // A limit that the last execution of all reaches has cut off nothing.
                    if let Some(why) = why.filter(|_| more || rt.diverged()) {
                        tally.stop(why);
                    }
                    go_on
                }
            }
        };
        execute(rt, &self.settings, into_slot(body, slot), Box::new(conclude));
        tally.take()
    }

    fn show(&self, shown: &mut Instant, rt: &Runtime) {
        let Some((every, f)) = &self.settings.progress else { return };
        if shown.elapsed() < *every {
            return;
        }
        *shown = Instant::now();
        let executions = self.executions.load(Relaxed);
        let explored = match &rt.mode {
            Mode::Explore(search) => Some(search.explored()).filter(|&share| share > 0.0),
            _ => None,
        };
        f(&Progress {
            executions,
            estimate: explored.map(|share| executions as f64 / share),
            violating: self.violating.load(Relaxed),
            elapsed: self.start.elapsed(),
        });
    }

    /// Why to stop after an execution, if so.
    fn stop(&self, rt: &Runtime) -> Option<String> {
        if let Some(Ending::Diverged(why)) = &rt.ending {
            return Some(rt::divergence(why));
        }
        if let Some(Ending::Refused(why)) = &rt.ending {
            return Some(why.clone());
        }
        if self.settings.stop_at_first && self.violating.load(Relaxed) > 0 {
            return Some("stopped at the first violation".into());
        }
        let executions = self.executions.load(Relaxed);
        if executions >= self.settings.max_executions {
            return Some(format!("stopped after {executions} executions"));
        }
        if self.settings.stop.as_ref().is_some_and(|stop| stop.load(Relaxed)) {
            return Some("interrupted".into());
        }
        if self.settings.max_time.is_some_and(|t| self.start.elapsed() >= t) {
            return Some(format!("stopped after {:?}", self.start.elapsed()));
        }
        None
    }
}

struct StopOnPanic<'a>(&'a Forest);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

/// What is explored. That no code below depends on a closure's type is what keeps it from being
/// compiled once more for each exploration in a program.
pub(crate) type Body<T> = Arc<dyn Fn() -> T + Send + Sync>;

pub(crate) type Slot<T> = Arc<Mutex<Option<T>>>;

/// `body`, with its result left in `slot`.
pub(crate) fn into_slot<T: Send + 'static>(body: Body<T>, slot: Slot<T>) -> Body<()> {
    Arc::new(move || {
        let value = body();
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
    })
}

/// Runs executions of `body` on this OS thread until `conclude`, called after each, says no.
pub(crate) fn execute(
    mut rt: Box<Runtime>,
    settings: &Settings,
    body: Body<()>,
    conclude: Box<dyn FnMut(&mut Runtime) -> bool>,
) -> Box<Runtime> {
    let pulse = Pulse::default();
    rt.pulse = settings.watchdog.map(|_| pulse.clone());
    let _watchdog = settings.watchdog.map(|patience| Watchdog::new(pulse, patience));
    let _quiet = Quiet::new(rt::panics);
    let before = rt::install(Some(rt));
    let scheduler = Adapter::new(settings.strategy, conclude);
    let mut shuttles = shuttle::Config::new();
    shuttles.stack_size = settings.stack_size;
    shuttles.failure_persistence = shuttle::FailurePersistence::None;
    shuttles.max_steps = shuttle::MaxSteps::None;
    let runner = shuttle::Runner::new(scheduler, shuttles);
    // The body's panics do not come here: this one is an observer's, or the explorer's own.
    let result = catch_unwind(AssertUnwindSafe(|| {
        runner.run(move || rt::run_thread(0, || body()));
    }));
    let rt = rt::install(before);
    if let Err(payload) = result {
        // The panic hook was quiet.
        let (text, place) = describe(payload.as_ref());
        eprintln!("the exploration panicked: {text} at {place}");
        resume_unwind(payload);
    }
    rt.expect("the runtime is still there")
}
