//! One execution of one scenario on one system: the body that every engine runs.

use crate::log::{Log, Replies};
use crate::scenario::{Call, CallId, Scenario};
use crate::sync::{self, name_thread, note};
use crate::system::{Instance, Model};
use crate::Invariant;
use std::ops::Range;
use std::sync::Arc;

/// The result of one execution.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The answers of the calls.
    pub replies: Replies,
    /// The invariants that did not hold, each with a detail.
    pub violations: Vec<(Invariant, String)>,
}

/// The note at which the scenario begins. Steps before it build the system, and are no
/// part of a witness.
pub const BEGIN: &str = "the scenario begins";
/// The note at which the calls before the race have returned. No part of a witness.
pub const RACE: &str = "the race begins";
/// The note at which the scenario ends. Steps after it check the system, and are no
/// part of a witness.
pub const END: &str = "the scenario has ended";

/// Runs the scenario once. The calling thread makes the calls of one of the scenario's
/// threads, so an engine that counts its main thread has one less to interleave.
///
/// Calls that may wait for ever are made by other threads, so that the caller learns
/// when no thread can go on, takes the outcome, and has the system check itself.
pub fn execute(system: &dyn Model, scenario: &Arc<Scenario>) -> Observation {
    let log = Arc::new(Log::default());
    let instance = system.build(scenario, &log);
    note(|| BEGIN.to_owned());
    let mine = own(scenario);
    name_thread(|| mine.map_or_else(|| "the main thread".to_owned(), |at| calls_of(scenario, at)));
    perform(0, &scenario.prologue, &*instance, &log);
    note(|| RACE.to_owned());
    let others: Vec<_> = scenario
        .alike()
        .into_iter()
        .flat_map(|alike| apart(alike, mine))
        .map(|alike| {
            let (scenario, instance, log) =
                (Arc::clone(scenario), Arc::clone(&instance), Arc::clone(&log));
            let first = alike.start;
            sync::spawn_equal(alike.len(), move |number| {
                let thread = first + number;
                name_thread(|| calls_of(&scenario, thread));
                perform(thread + 1, &scenario.threads[thread], &*instance, &log);
            })
        })
        .collect();
    if let Some(thread) = mine {
        perform(thread + 1, &scenario.threads[thread], &*instance, &log);
    }
    let rests = cfg!(not(loom)) && scenario.threads.iter().any(|calls| may_wait(calls));
    if rests {
        sync::until_rest();
    } else {
        // One by one: who is stuck is shown to wait here.
        for equal in others {
            equal.join();
        }
    }
    perform(scenario.threads.len() + 1, &scenario.epilogue, &*instance, &log);
    if rests {
        // Calls that the epilogue has woken return, too.
        sync::until_rest();
    }
    let replies = log.replies(scenario);
    note(|| END.to_owned());
    instance.finish(&log);
    Observation { replies, violations: log.take_violations() }
}

/// The thread whose calls the caller makes: the first without a call that may wait for
/// ever, and that is not one of several alike, which can be exchanged if each is a thread
/// of its own. Under loom the first: there such a call is a deadlock in any case, and each
/// thread counts.
pub(crate) fn own(scenario: &Scenario) -> Option<usize> {
    match cfg!(loom) {
        true => scenario.threads.first().map(|_| 0),
        false => {
            let single = scenario.alike().into_iter().filter(|alike| alike.len() == 1);
            let mut single = single.map(|alike| alike.start);
            single.find(|&thread| !may_wait(&scenario.threads[thread]))
        }
    }
}

/// Threads that are alike, without the caller's own.
fn apart(alike: Range<usize>, own: Option<usize>) -> impl Iterator<Item = Range<usize>> {
    let (before, after) = match own.filter(|own| alike.contains(own)) {
        Some(own) => (alike.start..own, own + 1..alike.end),
        None => (alike, 0..0),
    };
    [before, after].into_iter().filter(|alike| !alike.is_empty())
}

fn may_wait(calls: &[Call]) -> bool {
    calls.iter().any(|call| call.waits)
}

/// The name of a thread in witnesses: its calls, and a number where several threads
/// have the same calls.
fn calls_of(scenario: &Scenario, thread: usize) -> String {
    let Some(calls) = scenario.threads.get(thread) else { return String::new() };
    let name = calls.iter().map(|call| call.text.as_str()).collect::<Vec<_>>().join("; ");
    let alike = |threads: &[Vec<Call>]| threads.iter().filter(|other| *other == calls).count();
    match alike(&scenario.threads) {
        1 => name,
        _ => format!("{name} #{}", alike(&scenario.threads[..=thread])),
    }
}

fn perform(thread: usize, calls: &[Call], instance: &dyn Instance, log: &Log) {
    for (index, call) in calls.iter().enumerate() {
        let id = CallId { thread, index };
        log.begin(id);
        note(|| format!("{call} ..."));
        let answer = match call.waits {
            true => sync::may_wait(|| instance.perform(id, call, log)),
            false => instance.perform(id, call, log),
        };
        note(|| format!("{call}: {answer}"));
        log.end(id, answer);
    }
}
