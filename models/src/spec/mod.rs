//! The sequential specification of the core: what its calls answer, with no
//! lock and no thread in it, and the check that every execution is explained
//! by it (`linearizable`).
//!
//! It is written by hand from the documentation of `connmap`, shares no code
//! with it, and reads as a description of what the calls do:
//!
//! - `state`: the map, its connections, their streams and backfills, as values
//! - `connection`: what the calls on one connection do
//! - `backfill`: slots and turns of backfills, and what one turn of a worker does
//! - `calls`: each call as a sequence of atomic steps
//! - `limits`: the configuration, and how the host behaves
//! - [`rest`]: the statistics of the core and of the host
//!
//! Whether an order of steps explains an execution is searched for by
//! [`orderings::linear`].
//!
//! # What is atomic
//!
//! A call is one atomic step, except for these, which are several *by
//! design*, and between whose steps other calls may take effect:
//!
//! | call | its steps | why |
//! |---|---|---|
//! | `run_backfill` | read the clock and take a turn (two steps, where the clock moves); ask the host for its memory; choose a backfill; open its scan; each batch of items; put it back | the host's scan may block, and runs without any lock |
//! | `step` | look for a message; if a stream is to be read from memory, read, put the items into its queue, and look again | the host is asked without any lock |
//! | `stream_request` | ask the host for its memory (where that changes); be found by walks (where there are any); the request | the host is asked without any lock; a walk finds a stream before its backfill stands in line, and not after |
//! | `wait` | read the clock; look for a turn; if the next turn has a time, wait until then at most | the host is asked for the time without any lock |
//! | `notify`, `end_streams` | list the connections with a stream on the vb, in the order of the requests; then each of these connections | no call waits for a walk over all connections |
//! | `shutdown` | refuse to open; close each connection, in the order of their ids; tell the workers to stop | no call waits for the teardown of another connection: a second shutdown closes what the first has not closed yet |
//! | any call on a connection that the scenario opens itself | look the connection up by its id; the call | a scenario has no handle of a connection that it opens |
//!
//! `disconnect` is one step, and so is `open` with the displacement of the
//! connection that had the name: the map's lock is held throughout, and there
//! is one connection to change.
//!
//! # What is checked
//!
//! Of each execution: every call's answer, in the words of the outcomes; the
//! stream that each message of `step` belongs to, which the answer does not
//! name; and how each stream was reported to have ended until the last thread
//! was joined. Some interleaving of the atomic steps must give exactly these, in
//! which each thread's calls are in their order, and all steps of a call come
//! before all steps of another if it returned before the other was called.
//! Which call returned before which is read off the execution. An engine that
//! reduces explores one execution of those that differ only in the order of
//! independent operations, so *real time* is the real time of the execution
//! that stands for its equivalence class: each alarm is a true one, and a
//! constraint that only another member of the class has is not checked.
//!
//! After the last call of the scenario further calls are made, which the
//! specification has, too, until nothing is left to send, and a shutdown then:
//! their answers are part of the history. So every message to a client is
//! predicted: the marker, the items in order and without a gap inside the
//! snapshot, the end after the last item that was asked for, and nothing of
//! an earlier stream. Before the first and after the last of these calls the
//! statistics are read, of the core and of the host: what is alive, which
//! connections are paused, how often each front end was woken, and what the
//! host was asked.
//!
//! # What is left out
//!
//! The host's own locks, for they only rule orders out; what the host's
//! destructors and wake-ups do, for no answer may depend on it.

mod backfill;
mod calls;
mod connection;
mod limits;
pub mod rest;
mod state;
#[cfg(test)]
mod tests;

pub use limits::{Limits, Memory};

use crate::log::Log;
use crate::{Invariant, Scenario};
use calls::Rules;
use orderings::linear::{Checker, Rested};
use std::cell::RefCell;
use std::sync::Arc;

thread_local! {
    /// The checker of the scenario that this thread explores. It remembers
    /// what it has explained, so that most executions cost a lookup. The tasks
    /// of one execution are all on one thread of the explorer, and only the
    /// last of them to run gets here.
    static CHECKER: RefCell<Option<Checker<Rules>>> = const { RefCell::new(None) };
}

/// Checks the execution in the log, followed by the calls that were made after
/// it (`rest`), and reports what no order explains to the log.
pub fn check(scenario: &Arc<Scenario>, limits: Limits, log: &Log, rest: Vec<Rested>) {
    // A call that did not return violates `no-deadlock`, or panicked.
    let explained = CHECKER.with(|checker| {
        let mut checker = checker.borrow_mut();
        match &mut *checker {
            Some(checker) if checker.specification().are_for(scenario, limits) => {
                checker.explain(log, rest)
            }
            other => other.insert(Checker::new(Rules::new(scenario, limits))).explain(log, rest),
        }
    });
    if let Err(detail) = explained {
        log.violated(Invariant::Linearizable, detail);
    }
}
