//! What drives the executions of an exploration: any strategy takes any body, and what an
//! observer does wrong is its own.

use super::child::alone;
use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::{Arc, Mutex};
use shuttle_dpor::{report_violation, thread, Explorer, Strategy, Verdict};
use std::panic::catch_unwind;

/// The strategies of shuttle's that want to know each task, with a seed.
fn demanding(seed: u64, iterations: usize) -> [Strategy; 2] {
    [Strategy::Pct { seed, iterations, depth: 3 }, Strategy::Urw { seed, iterations }]
}

/// Threads of which some have ended, or are blocked, before others begin.
fn busy() -> usize {
    let shared = Arc::new((AtomicUsize::new(0), Mutex::new(())));
    let threads: Vec<_> = (0..3)
        .map(|n| {
            let shared = shared.clone();
            thread::spawn(move || {
                let seen = shared.0.load(SeqCst);
                drop(shared.1.lock().unwrap());
                shared.0.store(seen + n, SeqCst);
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
    shared.0.load(SeqCst)
}

/// More threads than shuttle's schedulers make room for, none of which does anything.
fn crowd() {
    for _ in 0..20 {
        thread::spawn(|| thread::spawn(|| ()).join().unwrap());
    }
    let x = Arc::new(AtomicUsize::new(0));
    let other = x.clone();
    thread::spawn(move || other.store(1, SeqCst));
    x.store(2, SeqCst);
}

#[test]
fn shuttles_schedulers_take_any_body() {
    for seed in 0..20 {
        for strategy in demanding(seed, 50) {
            let report = Explorer::new().strategy(strategy).explore(busy);
            assert_eq!(report.orderings, 50, "{strategy:?}");
            assert_eq!(Explorer::new().strategy(strategy).explore(crowd).orderings, 50);
        }
    }
}

#[test]
fn a_body_without_a_choice_runs_once() {
    for strategy in demanding(1, 10) {
        for body in [|| (), || drop(Mutex::new(()).lock()), || thread::spawn(|| ()).join().unwrap()]
        {
            let report = Explorer::new().strategy(strategy).explore(body);
            assert_eq!((report.orderings, report.violations.len()), (1, 0), "{strategy:?}");
        }
    }
}

#[test]
fn a_panic_of_an_observer_leaves_nothing_behind() {
    let caught = catch_unwind(|| Explorer::new().observe(|_| panic!("looked")).explore(busy));
    assert_eq!(caught.expect_err("it panics").downcast_ref(), Some(&"looked"));
    // Neither to another exploration nor to a guest on this thread.
    assert!(Explorer::new().explore(busy).exhausted());
    shuttle::check_random(|| _ = busy(), 10);
}

#[test]
fn a_panic_of_an_observer_is_told() {
    let (well, told) = alone("driver::a_panic_of_an_observer_is_told", || {
        _ = Explorer::new().observe(|_| panic!("looked")).explore(busy);
    });
    assert!(!well, "{told}");
    assert!(
        told.contains("the exploration panicked: looked at dpor/tests/suite/driver.rs"),
        "{told}"
    );
}

#[test]
fn an_ordering_counts_once_for_a_name() {
    let report = Explorer::new().explore(|| {
        report_violation("no-deadlock", "there will be one");
        thread::park();
    });
    assert_eq!((report.orderings, report.deadlocks), (1, 1));
    assert_eq!(report.violation("no-deadlock").expect("there is one").orderings, 1);
}

/// As many threads in each execution as there are `first`, and twice that below whichever of them
/// comes first.
fn offspring(first: usize) {
    let x = Arc::new(AtomicUsize::new(0));
    for _ in 0..first {
        let x = x.clone();
        thread::spawn(move || {
            if x.fetch_add(1, SeqCst) == 0 {
                (0..2 * first).for_each(|_| drop(thread::spawn(|| ())));
            }
        });
    }
}

#[test]
fn threads_are_told_apart_over_all_executions() {
    let why = "more than 64 different threads over all executions";
    let report = Explorer::new().explore(|| offspring(4));
    assert!(report.exhausted() && report.violations.is_empty());
    for workers in [1, 3] {
        let report = Explorer::new().workers(workers).explore(|| offspring(6));
        assert_eq!(report.verdict, Verdict::Incomplete { why: why.into() });
    }
    let report = Explorer::new().explore(|| (0..64).for_each(|_| drop(thread::spawn(|| ()))));
    assert_eq!(report.verdict, Verdict::Incomplete { why: why.into() });
}
