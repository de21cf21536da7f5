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

            pub(crate) fn locks(threads: usize) {
                let locks = Arc::new([Mutex::new(0), Mutex::new(0)]);
                let threads: Vec<_> = (0..threads)
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

const EXECUTIONS: u64 = 10_000;
const SLICES: usize = 10;

/// Microseconds per execution.
fn dpor(body: fn()) -> f64 {
    let start = Instant::now();
    let mut executions = 0;
    while executions < EXECUTIONS {
        let limit = EXECUTIONS - executions;
        executions += shuttle_dpor::Explorer::new().max_executions(limit).explore(body).executions;
    }
    start.elapsed().as_secs_f64() * 1e6 / executions as f64
}

/// Microseconds per execution.
fn random(body: fn()) -> f64 {
    let mut config = shuttle::Config::new();
    config.stack_size = 256 * 1024;
    let scheduler = shuttle::scheduler::RandomScheduler::new_from_seed(1, EXECUTIONS as usize);
    let start = Instant::now();
    shuttle::Runner::new(scheduler, config).run(body);
    start.elapsed().as_secs_f64() * 1e6 / EXECUTIONS as f64
}

/// Measures in turns, and takes the best turn of each: the machine may have other things to do.
fn compare(name: &str, ours: fn(), theirs: fn()) {
    let (mut best, mut others) = (f64::MAX, f64::MAX);
    for _ in 0..SLICES {
        best = best.min(dpor(ours));
        others = others.min(random(theirs));
    }
    println!("{name:>12} {best:>9.2} us {others:>9.2} us {:>8.2}", best / others);
}

fn main() {
    println!("{:>12} {:>12} {:>12} {:>8}", "body", "dpor", "random", "ratio");
    // Of few orderings, so that what begins and ends an exploration counts, too; and of more than are run.
    compare("locks", || ours::locks(3), || shuttles::locks(3));
    compare("atomics", ours::atomics, shuttles::atomics);
    compare("more locks", || ours::locks(5), || shuttles::locks(5));
}
