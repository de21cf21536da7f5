//! What is only looked at: a lock's poison, whether a `Once` is done, whether a thread has ended.

use super::shuttles_runner;
use shuttle::scheduler::RandomScheduler;
use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::{Arc, Mutex, Once, RwLock};
use shuttle_dpor::{thread, DporScheduler, Explorer};
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};

/// A panic that goes no further than this.
fn panic_with<G>(guard: G) {
    let caught = catch_unwind(AssertUnwindSafe(move || {
        let _guard = guard;
        resume_unwind(Box::new("contained"))
    }));
    assert!(caught.is_err());
}

#[test]
fn what_is_looked_at_is_seen_before_and_after() {
    let report = Explorer::new().explore(|| {
        let (m, once) = (Arc::new(Mutex::new(())), Arc::new(Once::new()));
        let (theirs, other) = (m.clone(), once.clone());
        let t = thread::spawn(move || {
            other.call_once(|| ());
            panic_with(theirs.lock());
        });
        let seen = (m.is_poisoned(), once.is_completed());
        t.join().unwrap();
        assert!(m.is_poisoned() && once.is_completed());
        seen
    });
    let outcomes: Vec<_> = report.outcomes.keys().copied().collect();
    assert_eq!(outcomes, [(false, false), (false, true), (true, true)]);
}

#[test]
fn an_rwlock_is_poisoned_by_its_writer() {
    let report = Explorer::new().explore(|| {
        let lock = Arc::new(RwLock::new(()));
        let theirs = lock.clone();
        let t = thread::spawn(move || {
            panic_with(theirs.read());
            panic_with(theirs.write());
        });
        let seen = [lock.is_poisoned(), lock.is_poisoned()];
        t.join().unwrap();
        seen
    });
    // A look commutes with the reader, and comes before the writer, while it writes, or after.
    let outcomes: Vec<_> = report.outcomes.iter().map(|(o, n)| (*o, n.orderings)).collect();
    assert_eq!(outcomes, [([false, false], 3), ([false, true], 2), ([true, true], 1)]);
}

#[test]
fn poison_can_be_cleared_before_and_after() {
    let report = Explorer::new().explore(|| {
        let lock = Arc::new(Mutex::new(()));
        panic_with(lock.lock());
        let theirs = lock.clone();
        let t = thread::spawn(move || theirs.lock().is_err());
        lock.clear_poison();
        (t.join().unwrap(), lock.is_poisoned())
    });
    // The lock is taken before, during or after: the lock and its release are two operations.
    let outcomes: Vec<_> = report.outcomes.iter().map(|(o, n)| (*o, n.orderings)).collect();
    assert_eq!(outcomes, [((false, false), 1), ((true, false), 2)]);
}

#[test]
fn looks_commute() {
    let report = Explorer::new().explore(|| {
        let both = Arc::new((Mutex::new(()), RwLock::new(()), Once::new()));
        let theirs = both.clone();
        let look = |all: &(Mutex<()>, RwLock<()>, Once)| {
            assert!(!all.0.is_poisoned() && !all.1.is_poisoned() && !all.2.is_completed());
        };
        thread::spawn(move || look(&theirs));
        look(&both);
    });
    assert_eq!(report.orderings, 1);
}

/// Whether a thread has ended, and what it had written by then or a little later.
fn asks() -> (bool, usize) {
    let x = Arc::new(AtomicUsize::new(0));
    let theirs = x.clone();
    let t = thread::Builder::new().name("writer".into());
    let t = t.spawn(move || theirs.store(1, SeqCst)).unwrap();
    let first = x.load(SeqCst);
    let seen = (t.is_finished(), first);
    t.join().unwrap();
    seen
}

#[test]
fn a_thread_ends_after_its_last_operation() {
    let report = Explorer::new().thread_ends(true).explore(asks);
    report.assert_complete();
    // (false, 1): it has written, and has not ended.
    let outcomes: Vec<_> = report.outcomes.iter().map(|(o, n)| (*o, n.orderings)).collect();
    let each = [((false, 0), 1), ((false, 1), 1), ((true, 0), 1), ((true, 1), 1)];
    assert_eq!(outcomes, each);
    let all = Explorer::new().strategy(shuttle_dpor::Strategy::Dfs).thread_ends(true).explore(asks);
    assert_eq!(all.outcomes.keys().collect::<Vec<_>>(), report.outcomes.keys().collect::<Vec<_>>());
}

#[test]
fn a_witness_shows_who_has_ended() {
    let report = Explorer::new().thread_ends(true).explore(|| {
        let t = thread::Builder::new().name("worker".into()).spawn(|| ()).unwrap();
        assert!(!t.is_finished(), "over so soon");
    });
    assert_eq!(report.orderings, 2);
    let witness = report.violation("panic").unwrap().witness.to_string();
    let line = |text: &str| witness.lines().position(|l| l.contains(text));
    let (ends, asks) = (line("end worker"), line("look at worker: has ended"));
    assert!(ends.is_some() && ends < asks, "{witness}");
    assert!(witness.contains("looks.rs:"), "{witness}");
}

#[test]
fn an_explorer_that_does_not_know_says_so() {
    let report = Explorer::new().explore(asks);
    let detail = &report.violation("panic").unwrap().detail;
    assert!(detail.contains("thread_ends"), "{detail}");
    let text = shuttles_runner::failure(DporScheduler::new(), || {
        asks();
    });
    assert!(text.contains("thread_ends"), "{text}");
}

#[test]
fn shuttles_runner_is_told_too() {
    let ends = DporScheduler::new().thread_ends(true);
    assert_eq!(shuttles_runner::run(ends, || assert!(asks().1 < 2)), 4);
    let seen = std::sync::Arc::new(std::sync::Mutex::new(std::collections::BTreeSet::new()));
    let all = seen.clone();
    let random = RandomScheduler::new_from_seed(1, 300);
    shuttles_runner::run(random, move || {
        all.lock().unwrap().insert(asks());
    });
    let seen: Vec<_> = seen.lock().unwrap().iter().copied().collect();
    // The end of a thread is no scheduling point of shuttle's own; to ask is one.
    assert_eq!(seen, [(false, 0), (true, 0), (true, 1)]);
}

#[test]
fn who_polls_lets_others_go_on() {
    shuttles_runner::run(RandomScheduler::new_from_seed(1, 100), || {
        let t = thread::spawn(|| ());
        while !t.is_finished() {}
    });
}
