//! How the number of executions grows with the number of threads, what that costs, and how much
//! memory it takes:
//!
//! ```text
//! cargo run --release -p shuttle-dpor --example growth [-- WORKERS]
//! cargo run --release -p shuttle-dpor --example growth-loom --features loom
//! ```
//!
//! The second does the same with loom, in a process without shuttle.

mod prims {
    pub(crate) use shuttle_dpor::{sync, thread};
}

#[path = "../tests/support/teardown.rs"]
mod teardown;

use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::Explorer;
use std::sync::Arc;
use teardown::Call::{self, Backfill, Disconnect, Request, Shutdown};

const SCENARIOS: [&[Call]; 6] = [
    &[Shutdown, Request(0)],
    &[Shutdown, Request(0), Backfill],
    &[Shutdown, Disconnect, Request(0)],
    &[Shutdown, Disconnect, Request(0), Backfill],
    &[Shutdown, Disconnect, Request(0), Request(1), Request(2)],
    &[Shutdown, Disconnect, Request(0), Request(1), Request(2), Backfill],
];

fn main() {
    let workers = std::env::args().nth(1).map_or(1, |n| n.parse().expect("a number of workers"));
    println!("{:>10} {:>10} {:>9}  threads", "executions", "orderings", "seconds");
    for calls in SCENARIOS {
        let report = Explorer::new().workers(workers).explore(move || teardown::run(calls));
        let seconds = report.elapsed.as_secs_f64();
        println!("{:>10} {:>10} {seconds:>9.3}  {calls:?}", report.executions, report.orderings);
    }
    // Ten threads that write to one variable: more orderings than that, but a million will do.
    let report = Explorer::new().workers(workers).max_executions(1_000_000).explore(|| {
        let x = Arc::new(AtomicUsize::new(0));
        for n in 0..10 {
            let x = x.clone();
            prims::thread::spawn(move || x.store(n, SeqCst));
        }
    });
    let seconds = report.elapsed.as_secs_f64();
    println!("{:>10} {:>10} {seconds:>9.3}  ten stores", report.executions, report.orderings);
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        status.lines().filter(|l| l.starts_with("VmHWM")).for_each(|l| println!("{l}"));
    }
}
