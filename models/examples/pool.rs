//! A connection pool whose `close` races with its `checkout`. It looks at its
//! flag before it takes its lock.

use orderings::sync::{atomic::AtomicBool, atomic::Ordering, Mutex};
use orderings::{Call, CallId, Instance, Invariant, Log, Model, Operation, Scenario};
use std::sync::Arc;

/// What is explored: each execution has a new pool.
pub(crate) struct Pools;

const EMPTY: Invariant = Invariant::new("closed-is-empty", "A closed pool has no connection.");

struct Pool {
    closed: AtomicBool,
    connections: Mutex<u32>,
}

impl Model for Pools {
    fn name(&self) -> String {
        "pool".into()
    }
    fn operations(&self) -> &[Operation] {
        const { &[Operation::plain("close", "close all"), Operation::plain("checkout", "open one")] }
    }
    fn invariants(&self) -> Vec<Invariant> {
        vec![EMPTY]
    }
    fn build(&self, _: &Arc<Scenario>, _: &Arc<Log>) -> Arc<dyn Instance> {
        Arc::new(Pool { closed: AtomicBool::new(false), connections: Mutex::new(0) })
    }
}

impl Instance for Pool {
    fn perform(&self, _: CallId, call: &Call, _: &Log) -> String {
        if call.operation == "close" {
            self.closed.store(true, Ordering::Release);
            *self.connections.lock().unwrap() = 0;
            return "closed".into();
        }
        if self.closed.load(Ordering::Acquire) {
            return "refused".into();
        }
        *self.connections.lock().unwrap() += 1;
        "checked out".into()
    }
    fn finish(self: Arc<Self>, log: &Log) {
        if self.closed.load(Ordering::Acquire) && *self.connections.lock().unwrap() > 0 {
            log.violated(EMPTY, "the pool is closed, and has a connection");
        }
    }
}

fn main() {
    orderings::command::ask_and_print(Pools, "close | checkout");
}
