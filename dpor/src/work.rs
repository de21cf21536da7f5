//! What a worker does: run executions until nothing is left to explore, or a limit is reached.

use crate::adapter::Adapter;
use crate::driver::{Explorer, Strategy};
use crate::explore::{Forest, Search};
use crate::hook::{describe, Quiet};
use crate::names::Names;
use crate::ordering::Ordering;
use crate::report::Progress;
use crate::rt::{self, Ending, Mode, Runtime};
use crate::scheduler::divergence;
use crate::tally::Tally;
use std::cell::RefCell;
use std::fmt;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

impl Explorer {
    /// Explores what one worker gets to explore.
    pub(crate) fn work<T, F>(self, worker: usize, shared: Arc<Shared>, body: Arc<F>) -> Tally<T>
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
        rt.ends = self.ends;
        let _stop = shared.forest.as_ref().map(StopOnPanic);
        let tally = Rc::new(RefCell::new(Tally::<T>::default()));
        let slot = Arc::new(Mutex::new(None));
        let (config, tallied, outcome) = (self.clone(), tally.clone(), slot.clone());
        let all = shared.clone();
        let mut shown = shared.start;
        let conclude = move |rt: &mut Runtime| {
            let outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
            let mut tally = tallied.borrow_mut();
            if counts(rt) {
                if let Some(f) = config.observer.as_ref().filter(|_| rt.ran_to_its_end()) {
                    f(&Ordering::of(rt));
                }
                let before = tally.violating;
                tally.conclude(rt, outcome);
                all.executions.fetch_add(1, Relaxed);
                all.violating.fetch_add(tally.violating - before, Relaxed);
            } else {
                tally.probes += 1;
            }
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
            Mode::Explore(search) => Some(search.explored()).filter(|&share| share > 0.0),
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
            return Some(divergence(why));
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
}

/// What the workers of an exploration share.
pub(crate) struct Shared {
    pub(crate) start: Instant,
    pub(crate) executions: AtomicU64,
    pub(crate) violating: AtomicU64,
    /// Only if there are several workers.
    pub(crate) forest: Option<Forest>,
    pub(crate) names: Names,
}

struct StopOnPanic<'a>(&'a Forest);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

/// Lets the search reverse the races of the execution that has ended. Returns false if that was none
/// that counts: it was run to find out who spins, or that has to be done before it can be taken in.
pub(crate) fn counts(rt: &mut Runtime) -> bool {
    let Mode::Explore(search) = &mut rt.mode else { return rt.ending != Some(Ending::Probed) };
    match rt.ending {
        Some(Ending::Probed) => {
            search.probed();
            false
        }
        None | Some(Ending::Deadlock | Ending::TooLong) => {
            let done = search.reverse_races(&rt.trace, &rt.objects, &rt.stalled);
            if !done {
                rt.ending = Some(Ending::Probed);
            }
            done
        }
        Some(Ending::Redundant | Ending::Diverged(_) | Ending::Torn) => true,
    }
}

/// Goes on behind the execution that has ended. Returns whether there is more to explore.
pub(crate) fn search_on(rt: &mut Runtime) -> bool {
    if rt.ending == Some(Ending::Probed) {
        return true;
    }
    let Mode::Explore(search) = &mut rt.mode else { return true };
    match rt.ending {
        None | Some(Ending::Deadlock | Ending::TooLong | Ending::Redundant) => search.backtrack(),
        Some(Ending::Probed) => true,
        Some(Ending::Diverged(_) | Ending::Torn) => false,
    }
}

pub(crate) type Slot<T> = Arc<Mutex<Option<T>>>;

/// Runs executions of `body` on this OS thread until `conclude`, called after each, says no.
pub(crate) fn run<T, F>(
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
    let scheduler = Adapter::new(config.strategy, conclude);
    let mut shuttles = shuttle::Config::new();
    shuttles.stack_size = config.stack_size;
    shuttles.failure_persistence = shuttle::FailurePersistence::None;
    shuttles.max_steps = shuttle::MaxSteps::None;
    let runner = shuttle::Runner::new(scheduler, shuttles);
    // The body's panics do not come here: this one is an observer's, or the explorer's own.
    let result = catch_unwind(AssertUnwindSafe(|| {
        runner.run(move || {
            rt::run_thread(0, || {
                let value = body();
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
            })
        })
    }));
    let rt = rt::install(before);
    if let Err(payload) = result {
        // The panic hook was quiet.
        eprintln!("the exploration panicked: {}", describe(payload.as_ref()));
        resume_unwind(payload);
    }
    rt.expect("the runtime is still there")
}
