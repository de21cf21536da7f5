//! The exploration as a scheduler of shuttle's: the executions that its runner counts, and how it
//! fails.

use super::shuttles_runner::{self, run};
use super::teardown::{
    self,
    Call::{Backfill, Disconnect, Request, Shutdown},
};
use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::Mutex;
use shuttle_dpor::{report_violation, thread, DporScheduler, Explorer};
use std::panic::catch_unwind;
use std::sync::Arc;

fn failure(body: impl Fn() + Send + Sync + 'static) -> String {
    shuttles_runner::failure(DporScheduler::new().max_steps(100), body)
}

#[test]
fn each_ordering_is_one_execution() {
    let mut calls = vec![Shutdown, Disconnect, Request(0), Backfill];
    assert_eq!(run(DporScheduler::new(), move || teardown::run(&calls)), 56);
    calls = vec![Shutdown, Request(0)];
    assert_eq!(run(DporScheduler::new(), move || teardown::run(&calls)), 3);
}

/// The body's thread ends before the others, in a scope and without one.
fn stores() {
    let x = Arc::new(AtomicUsize::new(0));
    thread::scope(|s| {
        s.spawn(|| x.store(1, SeqCst));
        s.spawn(|| x.store(2, SeqCst));
    });
    for n in 0..3 {
        let x = x.clone();
        thread::spawn(move || x.store(n, SeqCst));
    }
}

#[test]
fn threads_may_outlive_the_body() {
    assert_eq!(run(DporScheduler::new(), stores), 2 * 6);
    assert_eq!(Explorer::new().explore(stores).orderings, 2 * 6);
}

#[test]
fn what_is_wrong_fails_the_test() {
    let text = failure(|| {
        let locks = Arc::new((Mutex::named("a", ()), Mutex::named("b", ())));
        let other = locks.clone();
        let t = thread::spawn(move || {
            let _one = other.0.lock().unwrap();
            let _two = other.1.lock().unwrap();
        });
        let two = locks.1.lock().unwrap();
        let one = locks.0.lock().unwrap();
        drop((one, two));
        t.join().unwrap();
    });
    assert!(text.starts_with("no-deadlock: ") && text.contains("waits to lock a"), "{text}");

    let text = failure(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let other = x.clone();
        thread::spawn(move || assert_ne!(other.load(SeqCst), 1, "seen half way"));
        x.store(1, SeqCst);
        x.store(2, SeqCst);
    });
    assert!(text.contains("seen half way"), "{text}");

    let text = failure(|| {
        let m = Arc::new(Mutex::new(0));
        let other = m.clone();
        thread::spawn(move || *other.lock().unwrap() += 1);
        if *m.lock().unwrap() == 1 {
            report_violation("no-increment", "there was one");
        }
    });
    assert_eq!(text, "no-increment: there was one");

    let text = failure(|| {
        let x = AtomicUsize::new(0);
        (0..200).for_each(|n| x.store(n, SeqCst));
    });
    let busy =
        "an execution has more than 100 operations: 100 of them by main, the last one store ";
    assert!(text.starts_with(busy), "{text}");
    // Nothing is left behind.
    assert_eq!(run(DporScheduler::new(), stores), 2 * 6);
}

#[test]
fn an_execution_that_shuttle_cuts_off_fails_the_test() {
    for n in 1..6 {
        let caught = catch_unwind(move || {
            let mut config = shuttle::Config::new();
            config.failure_persistence = shuttle::FailurePersistence::None;
            config.max_steps = shuttle::MaxSteps::ContinueAfter(n);
            shuttle::Runner::new(DporScheduler::new(), config).run(stores)
        });
        let payload = caught.expect_err("the orderings are longer");
        let text = payload.downcast_ref::<String>().expect("a message");
        assert!(text.starts_with("shuttle has cut an execution off after "), "{text}");
    }
}

#[test]
fn a_body_that_differs_is_told() {
    let runs = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let text = failure(move || {
        let n = runs.fetch_add(1, SeqCst);
        let x = Arc::new(AtomicUsize::new(0));
        let other = x.clone();
        thread::spawn(move || other.store(1, SeqCst));
        if n < 1 {
            x.store(2, SeqCst);
        } else {
            assert_ne!(x.load(SeqCst), 9);
        }
    });
    assert!(text.starts_with("the body is not deterministic: "), "{text}");
}
