//! What an execution costs, as a ratio to shuttle's own random scheduler on the same body:
//!
//! ```text
//! cargo run --release -p shuttle-dpor --example cost
//! ```

use std::time::Instant;

/// One body, over the primitives of a crate.
macro_rules! bodies {
    ($name:ident, $sync:path, $thread:path) => {
        mod $name {
            use sync::atomic::{AtomicUsize, Ordering::SeqCst};
            use sync::{Arc, Mutex};
            use $sync as sync;
            use $thread as thread;

            pub(crate) fn locks() {
                let locks = Arc::new([Mutex::new(0), Mutex::new(0)]);
                let threads: Vec<_> = (0..3)
                    .map(|n| {
                        let locks = locks.clone();
                        thread::spawn(move || {
                            for m in 0..2 {
                                *locks[(m + n) % 2].lock().unwrap() += 1;
                            }
                        })
                    })
                    .collect();
                threads.into_iter().for_each(|t| t.join().unwrap());
            }

            pub(crate) fn atomics() {
                let x = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
                let threads: Vec<_> = (0..4)
                    .map(|n| {
                        let x = x.clone();
                        thread::spawn(move || {
                            let seen = x[n % 2].load(SeqCst);
                            x[(n + 1) % 2].store(seen + 1, SeqCst);
                        })
                    })
                    .collect();
                threads.into_iter().for_each(|t| t.join().unwrap());
            }
        }
    };
}

bodies!(ours, shuttle_dpor::sync, shuttle_dpor::thread);
bodies!(shuttles, shuttle::sync, shuttle::thread);

const EXECUTIONS: usize = 100_000;

/// Microseconds per execution.
fn dpor(body: fn()) -> f64 {
    let start = Instant::now();
    let mut executions = 0;
    while executions < EXECUTIONS as u64 {
        let left = EXECUTIONS as u64 - executions;
        let report = shuttle_dpor::Explorer::new().max_executions(left).explore(body);
        executions += report.executions;
    }
    start.elapsed().as_secs_f64() * 1e6 / executions as f64
}

/// Microseconds per execution.
fn random(body: fn()) -> f64 {
    let mut config = shuttle::Config::new();
    config.stack_size = 256 * 1024;
    let scheduler = shuttle::scheduler::RandomScheduler::new_from_seed(1, EXECUTIONS);
    let start = Instant::now();
    shuttle::Runner::new(scheduler, config).run(body);
    start.elapsed().as_secs_f64() * 1e6 / EXECUTIONS as f64
}

fn main() {
    println!("{:>12} {:>12} {:>12} {:>8}", "body", "dpor", "random", "ratio");
    let bodies: [(&str, fn(), fn()); 2] =
        [("locks", ours::locks, shuttles::locks), ("atomics", ours::atomics, shuttles::atomics)];
    for (name, ours, theirs) in bodies {
        let (ours, theirs) = (dpor(ours), random(theirs));
        println!("{name:>12} {ours:>9.2} us {theirs:>9.2} us {:>8.2}", ours / theirs);
    }
}
