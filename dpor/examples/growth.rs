//! How the number of executions grows with the number of threads, what that costs, and how much
//! memory it takes:
//!
//! ```text
//! cargo run --release -p shuttle-dpor --example growth
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
use shuttle_dpor::{Explorer, Report};
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
    println!("{:>10} {:>10} {:>9}  threads beside main", "executions", "orderings", "seconds");
    for calls in SCENARIOS {
        let report = Explorer::new().explore(move || teardown::run(calls));
        show(&report, &format!("{calls:?}"));
    }
    // The memory that 10^6 orderings take: ten writers have more, but a million will do.
    let report = Explorer::new().max_executions(1_000_000).explore(|| writers(10));
    show(&report, "ten writers, cut off");
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        status.lines().filter(|l| l.starts_with("VmHWM")).for_each(|l| println!("{l}"));
    }
    let [one, two] = [1, 2].map(|workers| {
        let report = Explorer::new().workers(workers).explore(|| writers(9));
        show(&report, &format!("nine writers, {workers} workers"));
        report.elapsed.as_secs_f64()
    });
    println!("two workers are {:.2} times as fast as one", one / two);
}

/// Threads that write to one variable.
fn writers(n: usize) {
    let x = Arc::new(AtomicUsize::new(0));
    for n in 0..n {
        let x = x.clone();
        prims::thread::spawn(move || x.store(n, SeqCst));
    }
}

fn show(report: &Report<()>, what: &str) {
    let seconds = report.elapsed.as_secs_f64();
    println!("{:>10} {:>10} {seconds:>9.3}  {what}", report.executions, report.orderings);
}
