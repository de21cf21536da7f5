//! The scenarios of the example `growth` under loom, without limits: see there.

mod prims {
    pub(crate) use loom::{sync, thread};
}

#[path = "../tests/support/teardown.rs"]
mod teardown;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::Instant;
use teardown::Call::{self, Backfill, Disconnect, Request, Shutdown};

const SCENARIOS: [&[Call]; 4] = [
    &[Shutdown, Request(0)],
    &[Shutdown, Request(0), Backfill],
    &[Shutdown, Disconnect, Request(0)],
    &[Shutdown, Disconnect, Request(0), Backfill],
];

fn main() {
    println!("{:>10} {:>9}  threads", "executions", "seconds");
    for calls in SCENARIOS {
        let mut builder = loom::model::Builder::new();
        builder.max_permutations = None;
        builder.max_duration = None;
        builder.preemption_bound = None;
        builder.checkpoint_file = None;
        builder.max_threads = 5;
        let executions = Arc::new(AtomicU64::new(0));
        let counted = executions.clone();
        let start = Instant::now();
        builder.check(move || {
            counted.fetch_add(1, Relaxed);
            teardown::run(calls);
        });
        let seconds = start.elapsed().as_secs_f64();
        println!("{:>10} {seconds:>9.3}  {calls:?}", executions.load(Relaxed));
    }
}
