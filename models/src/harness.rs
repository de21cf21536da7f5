//! One execution of one scenario on one system: the body that every engine runs.

use crate::log::{Log, Outcome};
use crate::scenario::{Call, CallId, Scenario};
use crate::sync::{note, thread};
use crate::system::{Instance, System};
use crate::Invariant;
use std::sync::Arc;

/// What one execution showed.
#[derive(Clone, Debug)]
pub struct Observation {
    /// What the calls answered.
    pub outcome: Outcome,
    /// What did not hold.
    pub violations: Vec<(Invariant, String)>,
}

/// Runs the scenario once. The first thread of the scenario is the caller's:
/// an engine that counts its main thread has one less to interleave.
pub fn execute(system: &dyn System, scenario: &Arc<Scenario>) -> Observation {
    let log = Arc::new(Log::default());
    let instance = system.build(scenario, &log);
    perform(0, &scenario.prologue, &*instance, &log);
    let others: Vec<_> = (1..scenario.threads.len())
        .map(|thread| {
            let (scenario, instance, log) =
                (Arc::clone(scenario), Arc::clone(&instance), Arc::clone(&log));
            thread::spawn(move || {
                perform(thread + 1, &scenario.threads[thread], &*instance, &log);
            })
        })
        .collect();
    if let Some(first) = scenario.threads.first() {
        perform(1, first, &*instance, &log);
    }
    for thread in others {
        thread.join().expect("a panic in a thread of the scenario is the engine's to report");
    }
    perform(scenario.threads.len() + 1, &scenario.epilogue, &*instance, &log);
    let outcome = log.outcome(scenario);
    instance.finish(&log);
    Observation { outcome, violations: log.take_violations() }
}

fn perform(thread: usize, calls: &[Call], instance: &dyn Instance, log: &Log) {
    for (index, call) in calls.iter().enumerate() {
        let id = CallId { thread, index };
        log.begin(id);
        note(|| format!("{call} ..."));
        let answer = instance.perform(id, call, log);
        note(|| format!("{call}: {answer}"));
        log.end(id, answer);
    }
}
