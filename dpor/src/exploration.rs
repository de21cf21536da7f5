//! An exploration: what its workers share, and what each of them does: run executions until nothing is
//! left to explore, or a limit is reached.

use crate::adapter::Adapter;
use crate::explore::{Bounded, Forest, Save, Search, Tree};
use crate::hook::{describe, Quiet};
use crate::names::Names;
use crate::ordering::Ordering;
use crate::report::Progress;
use crate::rt::{self, Mode, Runtime};
use crate::schedule::Linearizer;
use crate::settings::{Settings, Strategy};
use crate::tally::Tally;
use crate::watchdog::{Pulse, Watchdog};
use std::fmt;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// An exploration, which its workers share.
pub(crate) struct Exploration {
    settings: Settings,
    start: Instant,
    executions: AtomicU64,
    /// How many of them violated something.
    violating: AtomicU64,
    /// The part of the tree that the workers share. Only if there are several, or somebody else needs it.
    forest: Option<Forest>,
    names: Names,
    /// Whether results are told apart.
    outcomes: bool,
    /// How many executions there were before this exploration went on.
    before: u64,
    /// How often the frontier is written, and when it was last: in milliseconds from the start.
    every: Option<Duration>,
    written: AtomicU64,
}

/// Where an exploration goes on from, and how it is written now and then.
pub(crate) struct Plan<T> {
    pub(crate) names: Names,
    pub(crate) tree: Tree,
    /// What has been counted, and for how long.
    pub(crate) tally: Tally<T>,
    pub(crate) elapsed: Duration,
    pub(crate) every: Duration,
    pub(crate) write: Write<T>,
}

/// Writes what waits, what has been counted, and how long it took.
pub(crate) type Write<T> = Box<dyn Fn(&Tree, &Tally<T>, Duration) + Send + Sync>;

impl Exploration {
    pub(crate) fn new(settings: Settings) -> Self {
        Exploration {
            settings,
            start: Instant::now(),
            executions: AtomicU64::new(0),
            violating: AtomicU64::new(0),
            forest: None,
            names: Names::default(),
            outcomes: true,
            before: 0,
            every: None,
            written: AtomicU64::new(0),
        }
    }

    /// The same, whatever the body returns.
    pub(crate) fn without_outcomes(self) -> Self {
        Exploration { outcomes: false, ..self }
    }

    /// Explores the orderings of `body`. Returns what was seen, and how long it took.
    pub(crate) fn run<T>(mut self, body: &Body<T>) -> (Tally<T>, Duration)
    where
        T: Ord + Clone + fmt::Debug + Send + 'static,
    {
        let shared = self.settings.strategy == Strategy::Dpor
            && self.settings.max_preemptions.is_none()
            && self.settings.workers > 1;
        if shared {
            let tree = Tree::of([Vec::new()]);
            self.forest = Some(Forest::new(tree, self.settings.workers, None));
        }
        let all = Arc::new(self);
        let mut tally = match shared {
            true => all.share(&all.tallies(), body),
            false => {
                let tally = Arc::default();
                all.clone().work(0, &tally, body.clone());
                take(&tally)
            }
        };
        if let (Some(n), Strategy::Dpor) = (all.settings.max_preemptions, all.settings.strategy) {
            tally.bound(n);
        }
        if all.settings.strategy.samples() {
            let n = tally.executions;
            if !tally.is_limited() {
                tally.stop(format!("sampled {n} executions"));
            }
        }
        (tally, all.start.elapsed())
    }

    /// Goes on from where the plan says, and writes where it is now and then, and at its end. Returns
    /// what was seen, before and now, and how long it took.
    pub(crate) fn go_on<T>(mut self, plan: Plan<T>, body: &Body<T>) -> (Tally<T>, Duration)
    where
        T: Ord + Clone + fmt::Debug + Send + 'static,
    {
        let Plan { names, tree, tally: before, elapsed, every, write } = plan;
        let (tallies, start) = (self.tallies(), self.start);
        self.before = before.executions;
        let (write, before): (_, Shared<T>) = (Arc::new(write), Arc::new(Mutex::new(before)));
        let save: Save = {
            let (tallies, write, before) = (tallies.clone(), write.clone(), before.clone());
            Box::new(move |tree| {
                let mut sum = lock(&before).clone();
                tallies.iter().for_each(|tally| sum.merge(lock(tally).clone()));
                write(tree, &sum, elapsed + start.elapsed());
            })
        };
        self.names = names;
        self.every = Some(every);
        self.forest = Some(Forest::new(tree, self.settings.workers, Some(save)));
        let all = Arc::new(self);
        let mut tally = all.share(&tallies, body);
        tally.merge(take(&before));
        let tree = all.forest.as_ref().map(Forest::take).unwrap_or_default();
        let elapsed = elapsed + all.start.elapsed();
        // What has gone wrong, has in the middle of a job that is lost.
        if !tally.has_diverged() {
            write(&tree, &tally, elapsed);
        }
        (tally, elapsed)
    }

    fn tallies<T>(&self) -> Vec<Shared<T>> {
        (0..self.settings.workers).map(|_| Shared::default()).collect()
    }

    /// Explores what all workers together get to explore.
    fn share<T>(self: &Arc<Self>, tallies: &[Shared<T>], body: &Body<T>) -> Tally<T>
    where
        T: Ord + Clone + fmt::Debug + Send + 'static,
    {
        let work = |(n, tally): (usize, &Shared<T>)| {
            let (all, tally, body) = (self.clone(), tally.clone(), body.clone());
            std::thread::spawn(move || all.work(n, &tally, body))
        };
        let threads: Vec<_> = tallies.iter().enumerate().map(work).collect();
        for thread in threads {
            if let Err(payload) = thread.join() {
                resume_unwind(payload);
            }
        }
        let mut sum = Tally::default();
        tallies.iter().for_each(|tally| sum.merge(take(tally)));
        // A limit that the last execution of all reaches has cut off nothing.
        if self.forest.as_ref().is_some_and(Forest::is_over) {
            sum.forget_limit();
        }
        sum
    }

    /// Explores what one worker gets to explore.
    fn work<T>(self: Arc<Self>, worker: usize, tally: &Shared<T>, body: Body<T>)
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
                if !search.begin() {
                    return;
                }
                Mode::Explore(Box::new(search))
            }
            _ => Mode::Sample,
        };
        let mut rt = runtime(&self.settings, mode, self.names.clone());
        // Whoever looks at the orderings is told all of them.
        rt.brief = self.settings.observer.is_none() && matches!(rt.mode, Mode::Explore(_));
        let _stop = self.forest.as_ref().map(StopOnPanic);
        let slot = Arc::new(Mutex::new(None));
        let (all, tallied, outcome) = (self.clone(), tally.clone(), slot.clone());
        let (mut shown, mut linearizer) = (self.start, Linearizer::default());
        let conclude = move |rt: &mut Runtime| {
            let value = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
            let value = value.filter(|_| all.outcomes);
            let mut tally = lock(&tallied);
            if rt.counts() {
                let repeated = rt.repeats();
                let observed = rt.ran_to_its_end() && !repeated;
                if let Some(f) = all.settings.observer.as_ref().filter(|_| observed) {
                    f(&Ordering::of(rt));
                }
                let violates = match repeated {
                    true => {
                        tally.repeat();
                        false
                    }
                    false => tally.conclude(rt, value, &mut linearizer),
                };
                all.executions.fetch_add(1, Relaxed);
                if violates {
                    all.violating.fetch_add(1, Relaxed);
                }
            } else {
                tally.probes += 1;
            }
            // While the tree is written nobody may hold what it is written with.
            let limit = all.limit(rt);
            if let (Some(_), Some(why)) = (&all.forest, &limit) {
                tally.limit(why.clone());
            }
            drop(tally);
            if worker == 0 {
                all.show(&mut shown, rt);
            }
            let diverged = rt.diverged();
            match &all.forest {
                Some(forest) => {
                    if limit.is_some() || diverged {
                        forest.stop();
                    } else if all.is_due() {
                        forest.pause();
                    }
                    rt.search_on()
                }
                None => {
                    let more = rt.search_on();
                    if let Some(why) = limit.as_ref().filter(|_| more) {
                        lock(&tallied).limit(why.clone());
                    }
                    more && limit.is_none() && !diverged
                }
            }
        };
        execute(rt, &self.settings, into_slot(body, slot), Box::new(conclude));
    }

    /// Whether it is time to write the frontier. The first who asks is told so.
    fn is_due(&self) -> bool {
        let Some(every) = self.every else { return false };
        let (now, last) = (self.start.elapsed(), self.written.load(Relaxed));
        let due = now >= Duration::from_millis(last) + every;
        due && self.written.compare_exchange(last, now.as_millis() as u64, Relaxed, Relaxed).is_ok()
    }

    fn show(&self, shown: &mut Instant, rt: &Runtime) {
        let Some((every, f)) = &self.settings.progress else { return };
        if shown.elapsed() < *every {
            return;
        }
        *shown = Instant::now();
        let executions = self.before + self.executions.load(Relaxed);
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

    /// The limit that has been reached, if one has.
    fn limit(&self, rt: &Runtime) -> Option<String> {
        if rt.diverged() {
            return None;
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

/// A worker's counts: its own, but for when the frontier is written.
type Shared<T> = Arc<Mutex<Tally<T>>>;

fn lock<T>(tally: &Shared<T>) -> MutexGuard<'_, Tally<T>> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take<T>(tally: &Shared<T>) -> Tally<T> {
    std::mem::take(&mut *lock(tally))
}

struct StopOnPanic<'a>(&'a Forest);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

/// The runtime of a worker.
pub(crate) fn runtime(settings: &Settings, mode: Mode, names: Names) -> Box<Runtime> {
    let symmetry = settings.reduces_symmetry() && matches!(mode, Mode::Explore(_));
    let mut rt = Box::new(Runtime::new(mode, names, settings.max_steps));
    rt.symmetry = symmetry;
    rt.spurious = settings.spurious;
    rt.timeouts = settings.timeouts;
    rt.ends = settings.ends;
    rt.counts = settings.counts;
    rt.spurious_failures = settings.spurious_failures;
    rt
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
    mut conclude: Box<dyn FnMut(&mut Runtime) -> bool>,
) -> Box<Runtime> {
    let pulse = Pulse::default();
    rt.pulse = settings.watchdog.map(|_| pulse.clone());
    let _watchdog = settings.watchdog.map(|patience| Watchdog::new(pulse, patience));
    let _quiet = Quiet::new(rt::panics);
    let before = rt::install(Some(rt));
    // The body's panics do not come here: this one is an observer's, or the explorer's own.
    let result = catch_unwind(AssertUnwindSafe(|| {
        let ours = settings.strategy == Strategy::Dpor;
        if ours && !rt::run(&body, settings.stack_size, &mut conclude) {
            return;
        }
        let mut shuttles = shuttle::Config::new();
        shuttles.stack_size = settings.stack_size;
        shuttles.failure_persistence = shuttle::FailurePersistence::None;
        shuttles.max_steps = shuttle::MaxSteps::None;
        let runner = shuttle::Runner::new(Adapter::new(settings.strategy, conclude), shuttles);
        runner.run(move || rt::run_thread(0, || body()));
    }));
    let rt = rt::install(before);
    if let Err(payload) = result {
        // The panic hook was quiet.
        let (text, place) = describe(None, payload.as_ref());
        eprintln!("the exploration panicked: {text} at {place}");
        resume_unwind(payload);
    }
    rt.expect("the runtime is still there")
}
