//! shuttle: depth-first search over every interleaving, and random samples.

use super::collect::Collected;
use super::{Options, Progress, Strategy, Unavailable};
use crate::harness::{execute, Observation};
use crate::report::{Step, Witness};
use crate::{Invariant, Outcome, Report, Scenario, System, Verdict};
use shuttle::scheduler::{
    DfsScheduler, PctScheduler, RandomScheduler, Schedule, Scheduler, Task, TaskId,
    UrwRandomScheduler,
};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use std::cell::RefCell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

/// How often somebody is told.
const TELL: Duration = Duration::from_millis(100);

thread_local! {
    /// What the present execution of this explorer has done: shuttle runs every
    /// thread of a scenario on the explorer's own.
    static TRACE: RefCell<Trace> = RefCell::default();
}

#[derive(Default)]
struct Trace {
    schedule: Vec<usize>,
    steps: Vec<Step>,
}

/// A line for the witness of the present execution.
pub(crate) fn note(line: impl FnOnce() -> String) {
    let Some(thread) = shuttle::current::try_get_current_task() else { return };
    let step = Step {
        thread: thread.into(),
        operation: String::new(),
        object: String::new(),
        line: String::new(),
        note: line(),
    };
    TRACE.with_borrow_mut(|trace| trace.steps.push(step));
}

/// A scheduler that stops at a limit, and keeps the schedule.
struct Traced {
    inner: Box<dyn Scheduler + Send>,
    options: Options,
    shared: Arc<Mutex<Shared>>,
    begin: Instant,
    told: Instant,
}

#[derive(Default)]
struct Shared {
    collected: Collected,
    limit: Option<String>,
}

impl Scheduler for Traced {
    fn new_execution(&mut self) -> Option<Schedule> {
        TRACE.take();
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let executions = shared.collected.executions;
        shared.limit = self.options.limit_reached(executions, self.begin);
        if shared.limit.is_some() {
            return None;
        }
        drop(shared);
        if let (Some(tell), true) = (&self.options.progress, self.told.elapsed() >= TELL) {
            let estimate = self.options.strategy.samples();
            tell(Progress { executions, elapsed: self.begin.elapsed(), estimate });
            self.told = Instant::now();
        }
        self.inner.new_execution()
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        yielding: bool,
    ) -> Option<TaskId> {
        let next = self.inner.next_task(runnable, current, yielding)?;
        TRACE.with_borrow_mut(|trace| trace.schedule.push(next.into()));
        Some(next)
    }

    fn next_u64(&mut self) -> u64 {
        self.inner.next_u64()
    }
}

/// Explores, up to the limits of the options.
pub fn explore(system: &Arc<dyn System>, scenario: &Arc<Scenario>, options: &Options) -> Report {
    let count = |iterations: u64| usize::try_from(iterations).unwrap_or(usize::MAX);
    let scheduler: Box<dyn Scheduler + Send> = match options.strategy {
        Strategy::Dpor | Strategy::Dfs | Strategy::Loom => Box::new(DfsScheduler::new(None, false)),
        Strategy::Random { seed, iterations } => {
            Box::new(RandomScheduler::new_from_seed(seed, count(iterations)))
        }
        Strategy::Pct { seed, iterations, depth } => {
            Box::new(PctScheduler::new_from_seed(seed, count(depth).max(1), count(iterations)))
        }
        Strategy::Urw { seed, iterations } => {
            Box::new(UrwRandomScheduler::new_from_seed(seed, count(iterations)))
        }
    };
    let mut report = run(system, scenario, options, scheduler);
    if options.strategy == Strategy::Dpor {
        report.engine = "dfs".into();
    }
    report
}

/// Runs the ordering of a token again.
pub fn replay(
    system: &Arc<dyn System>,
    scenario: &Arc<Scenario>,
    token: &str,
) -> Result<Report, Unavailable> {
    let Some(tasks) = decode(token) else {
        return Err(Unavailable(format!("`{token}` is not a replay token")));
    };
    let options = Options { max_executions: Some(1), ..Options::default() };
    let scheduler = Box::new(Replay { tasks: Some(tasks), left: Vec::new().into_iter() });
    let mut report = run(system, scenario, &options, scheduler);
    report.engine = "replay".into();
    if report.executions == 0 {
        let why = "the token is of another scenario, or of another version of the code";
        return Err(Unavailable(why.into()));
    }
    Ok(report)
}

/// Follows a schedule once, and stops where it does not lead on: where it is
/// wrong, and after the body, when nothing is left to show.
struct Replay {
    tasks: Option<Vec<usize>>,
    left: std::vec::IntoIter<usize>,
}

impl Scheduler for Replay {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.left = self.tasks.take()?.into_iter();
        Some(Schedule::new(0))
    }

    fn next_task(&mut self, runnable: &[&Task], _: Option<TaskId>, _: bool) -> Option<TaskId> {
        let next = TaskId::from(self.left.next()?);
        runnable.iter().map(|task| task.id()).find(|task| *task == next)
    }

    fn next_u64(&mut self) -> u64 {
        0
    }
}

fn run(
    system: &Arc<dyn System>,
    scenario: &Arc<Scenario>,
    options: &Options,
    inner: Box<dyn Scheduler + Send>,
) -> Report {
    let begin = Instant::now();
    let shared = Arc::new(Mutex::new(Shared::default()));
    let (options, told) = (options.clone(), begin);
    let strategy = options.strategy;
    let scheduler = Traced { inner, options, shared: Arc::clone(&shared), begin, told };
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::FailAfter(1_000_000);
    let body = {
        let (system, scenario) = (Arc::clone(system), Arc::clone(scenario));
        let shared = Arc::clone(&shared);
        move || {
            let seen = execute(&*system, &scenario);
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            shared.collected.add_with(seen, || witness(&scenario));
        }
    };
    let quiet = Quiet::new();
    let ended = catch_unwind(AssertUnwindSafe(|| Runner::new(scheduler, config).run(body)));
    drop(quiet);
    let mut shared = std::mem::take(&mut *shared.lock().unwrap_or_else(PoisonError::into_inner));
    let verdict = match (ended, shared.limit, strategy.samples()) {
        (Err(panic), ..) => {
            let outcome = Outcome(Vec::new());
            let violations = vec![(Invariant::NoDeadlock, message(&*panic))];
            let seen = Observation { outcome, violations };
            shared.collected.add_with(seen, || witness(scenario));
            Verdict::Violated
        }
        (_, Some(limit), _) => Verdict::Incomplete(limit),
        (_, _, Some(samples)) => Verdict::Incomplete(format!("{samples} samples")),
        _ => Verdict::Complete,
    };
    shared.collected.report(&**system, scenario, strategy.name(), begin.elapsed(), verdict)
}

/// While it lives, panics print nothing: they are part of the report.
struct Quiet;

static EXPLORING: AtomicUsize = AtomicUsize::new(0);

impl Quiet {
    fn new() -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // shuttle puts its own hook, which prints, around the one it finds:
            // let it do so now, and put the silence around that.
            let mut config = Config::new();
            config.failure_persistence = FailurePersistence::None;
            Runner::new(RandomScheduler::new_from_seed(0, 1), config).run(|| ());
            let loud = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                if EXPLORING.load(Ordering::Relaxed) == 0 {
                    loud(panic);
                }
            }));
        });
        EXPLORING.fetch_add(1, Ordering::Relaxed);
        Quiet
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        EXPLORING.fetch_sub(1, Ordering::Relaxed);
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}

/// The present execution as a witness.
fn witness(scenario: &Scenario) -> Witness {
    let threads = (1..=scenario.threads.len()).map(|thread| format!("thread {thread}")).collect();
    TRACE.with_borrow(|trace| Witness {
        threads,
        steps: trace.steps.clone(),
        replay: encode(&trace.schedule),
    })
}

/// Runs of tasks, `task` or `taskxlength`, by dots.
fn encode(schedule: &[usize]) -> String {
    let run = |run: &[usize]| match run.len() {
        1 => run[0].to_string(),
        length => format!("{}x{length}", run[0]),
    };
    schedule.chunk_by(|one, next| one == next).map(run).collect::<Vec<_>>().join(".")
}

fn decode(token: &str) -> Option<Vec<usize>> {
    let mut schedule = Vec::new();
    for run in token.split('.') {
        let (task, length) = run.split_once('x').unwrap_or((run, "1"));
        let length: usize = length.parse().ok().filter(|length| *length <= 1_000_000)?;
        let task = task.parse().ok().filter(|task: &usize| *task <= 1000)?;
        schedule.extend(std::iter::repeat_n(task, length));
    }
    Some(schedule)
}
