//! loom: every interleaving up to loom's own reduction, and the executions that
//! the weak memory orderings of atomics allow.

use super::collect::Collected;
use super::{Error, Options, Progress, Strategy};
use crate::harness::execute;
use crate::{Model, Report, Scenario};
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// loom's own limit, with the main thread, which makes the calls of the scenario's
/// first thread.
pub const MAX_THREADS: usize = 5;

/// The time between two reports of progress.
const TELL: Duration = Duration::from_millis(100);

/// Explores without any bound, whatever the environment says: loom's `check`
/// returns the same when a limit cut it short.
///
/// A deadlock or a panic in the body ends the exploration by a panic, and often
/// the process: explore a scenario that may fail in a process of its own.
pub fn explore(system: &Arc<dyn Model>, scenario: &Arc<Scenario>) -> Report {
    let unlimited = Options { strategy: Strategy::Loom, ..Options::default() };
    run(system, scenario, &unlimited)
}

/// Explores up to the limits of the options.
pub fn explore_within(
    system: &Arc<dyn Model>,
    scenario: &Arc<Scenario>,
    options: &Options,
) -> Result<Report, Error> {
    let threads = scenario.threads.len();
    if threads > MAX_THREADS {
        return Err(Error::TooManyThreads { most: MAX_THREADS, threads });
    }
    Ok(run(system, scenario, options))
}

/// Unwinds out of loom when a limit is reached.
struct Limit(String);

fn run(system: &Arc<dyn Model>, scenario: &Arc<Scenario>, options: &Options) -> Report {
    let mut builder = loom::model::Builder::new();
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.preemption_bound = None;
    builder.checkpoint_file = None;
    builder.max_branches = 100_000;
    let collected = Arc::new(Mutex::new(Collected::default()));
    let begin = Instant::now();
    let told = Mutex::new(begin);
    let body = {
        let (system, scenario) = (Arc::clone(system), Arc::clone(scenario));
        let (collected, options) = (Arc::clone(&collected), options.clone());
        move || {
            // No thread of this execution has started, so unwinding is safe here.
            let executions = lock(&collected).executions;
            if let Some(limit) = options.limit_reached(executions, begin) {
                resume_unwind(Box::new(Limit(limit)));
            }
            let mut told = lock(&told);
            if let (Some(tell), true) = (&options.progress, told.elapsed() >= TELL) {
                tell(Progress { executions, elapsed: begin.elapsed(), estimate: None });
                *told = Instant::now();
            }
            drop(told);
            let seen = execute(&*system, &scenario);
            lock(&collected).add(seen);
        }
    };
    let limit = match catch_unwind(AssertUnwindSafe(|| builder.check(body))) {
        Ok(()) => None,
        Err(panic) => match panic.downcast::<Limit>() {
            Ok(limit) => Some(limit.0),
            Err(panic) => resume_unwind(panic),
        },
    };
    let collected = std::mem::take(&mut *lock(&collected));
    let blind = scenario.threads.len() > 1 && !system.loom_sees_all();
    // The threads share nothing, or only what loom does not see.
    let blind = (blind && collected.executions == 1)
        .then(|| "it saw no race, and sees no Weak::upgrade".to_owned());
    collected.report(&**system, scenario, "loom", begin.elapsed(), limit.or(blind))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
