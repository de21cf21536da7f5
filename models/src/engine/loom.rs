//! loom: every interleaving up to its own reduction, and the executions that
//! the weak memory orderings of atomics allow.

use super::collect::Collected;
use crate::harness::execute;
use crate::{Report, Scenario, System};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Explores without any bound, whatever the environment says: loom's `check`
/// returns the same when a limit cut it short.
///
/// A deadlock or a panic in the body ends the exploration by a panic, and often
/// the process; a scenario that is to fail runs in a process of its own.
pub fn explore(system: &Arc<dyn System>, scenario: &Arc<Scenario>) -> Report {
    let mut builder = loom::model::Builder::new();
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.preemption_bound = None;
    builder.checkpoint_file = None;
    builder.max_branches = 100_000;
    let collected = Arc::new(Mutex::new(Collected::default()));
    let begin = Instant::now();
    builder.check({
        let (system, scenario) = (Arc::clone(system), Arc::clone(scenario));
        let collected = Arc::clone(&collected);
        move || {
            let seen = execute(&*system, &scenario);
            collected.lock().unwrap_or_else(PoisonError::into_inner).add(seen);
        }
    });
    let collected = std::mem::take(&mut *collected.lock().unwrap_or_else(PoisonError::into_inner));
    collected.report(&**system, scenario, "loom", begin.elapsed())
}
