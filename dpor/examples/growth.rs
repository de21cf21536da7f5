//! How the number of executions grows with the number of threads, what that costs, with one worker and
//! with two, and how much memory it takes, for orderings and for outcomes:
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
use shuttle_dpor::sync::Mutex;
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
    let of_orderings = peak();
    of_orderings.inspect(|bytes| println!("{:.1} MB at most", *bytes as f64 / 1e6));
    for n in [8, 9] {
        let [one, two] = [1, 2].map(|workers| {
            let report = Explorer::new().workers(workers).explore(move || writers(n));
            show(&report, &format!("{n} writers, {workers} workers"));
            report.elapsed.as_secs_f64()
        });
        println!("two workers are {:.2} times as fast as one", one / two);
    }
    // As many outcomes as orderings, each kept with its count and a token.
    let report = Explorer::new().explore(|| written(9));
    show(&report, "9 who write themselves down");
    if let (Some(before), Some(after)) = (of_orderings, peak()) {
        let each = (after - before) / report.outcomes.len() as u64;
        println!("{each} bytes for an outcome");
    }
}

/// The most memory that the process has had, in bytes, where somebody tells.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes * 1024)
}

/// The order in which threads have had a lock.
fn written(n: u64) -> u64 {
    let order = Arc::new(Mutex::new(0));
    let threads = (1..=n).map(|n| {
        let order = order.clone();
        prims::thread::spawn(move || {
            let mut order = order.lock().unwrap();
            *order = *order * 10 + n;
        })
    });
    let threads: Vec<_> = threads.collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let order = *order.lock().unwrap();
    order
}

/// Threads that write to one variable.
fn writers(n: usize) {
    let x = Arc::new(AtomicUsize::new(0));
    for n in 0..n {
        let x = x.clone();
        prims::thread::spawn(move || x.store(n, SeqCst));
    }
}

fn show<T: Ord>(report: &Report<T>, what: &str) {
    let seconds = report.elapsed.as_secs_f64();
    println!("{:>10} {:>10} {seconds:>9.3}  {what}", report.executions, report.orderings);
}
