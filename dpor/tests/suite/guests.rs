//! The primitives in tests that shuttle runs without an `Explorer`: any of its schedulers finds what
//! is wrong, and reports it as it reports everything.

use super::shuttles_runner::{self, run};
use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler, UrwRandomScheduler};
use shuttle_dpor::cell::CheckedCell;
use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::{mpsc, Barrier, Condvar, Mutex, Once, RwLock};
use shuttle_dpor::{report_violation, thread};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

fn dfs() -> DfsScheduler {
    DfsScheduler::new(None, false)
}

fn failure(body: fn()) -> String {
    shuttles_runner::failure(dfs(), body)
}

fn crossed_locks() {
    let locks = Arc::new((Mutex::new(()), Mutex::new(())));
    let other = locks.clone();
    let t = thread::spawn(move || {
        let _one = other.0.lock().unwrap();
        let _two = other.1.lock().unwrap();
    });
    let two = locks.1.lock().unwrap();
    let one = locks.0.lock().unwrap();
    drop((one, two));
    t.join().unwrap();
}

#[test]
fn shuttle_finds_deadlocks() {
    assert!(failure(crossed_locks).contains("deadlock"));
    assert!(failure(|| {
        let pair = Arc::new((Mutex::new(false), Condvar::new()));
        let other = pair.clone();
        // Notifies without having said so: the wake-up may be lost.
        thread::spawn(move || other.1.notify_one());
        drop(pair.1.wait(pair.0.lock().unwrap()));
    })
    .contains("deadlock"));
}

#[test]
fn shuttle_finds_panics() {
    let text = failure(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let other = x.clone();
        let t = thread::spawn(move || {
            let seen = other.load(SeqCst);
            other.store(seen + 1, SeqCst);
        });
        let seen = x.load(SeqCst);
        x.store(seen + 1, SeqCst);
        t.join().unwrap();
        assert_eq!(x.load(SeqCst), 2, "an update was lost");
    });
    assert!(text.contains("an update was lost"), "{text}");
}

#[test]
fn violations_and_races_are_panics() {
    let text = failure(|| report_violation("no-such-thing", "there was one"));
    assert_eq!(text, "no-such-thing: there was one");
    let text = failure(|| {
        let cell = Arc::new(CheckedCell::named("balance", 1));
        let other = cell.clone();
        let t = thread::spawn(move || other.set(2));
        cell.set(3);
        t.join().unwrap();
    });
    assert!(text.starts_with("no-data-race: ") && text.contains("balance"), "{text}");
}

/// A thread's local, which is gone when the thread has been joined.
struct Count(Arc<AtomicUsize>);

impl Drop for Count {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

shuttle_dpor::thread_local! {
    static COUNT: std::cell::RefCell<Option<Count>> = const { std::cell::RefCell::new(None) };
}

/// Everything that blocks, and locals.
fn everything() {
    let (sender, receiver) = mpsc::sync_channel(0);
    let shared = Arc::new((RwLock::new(0), Barrier::new(2), Once::new(), AtomicUsize::new(0)));
    let (other, dropped) = (shared.clone(), Arc::new(AtomicUsize::new(0)));
    let count = dropped.clone();
    let t = thread::spawn(move || {
        COUNT.with(|c| *c.borrow_mut() = Some(Count(count)));
        other.2.call_once(|| *other.0.write().unwrap() += 1);
        other.1.wait();
        sender.send(*other.0.read().unwrap()).unwrap();
        sender.send(7).unwrap();
        thread::park();
    });
    thread::scope(|s| {
        s.spawn(|| shared.2.call_once(|| *shared.0.write().unwrap() += 1));
    });
    shared.1.wait();
    assert_eq!((receiver.recv(), receiver.recv()), (Ok(1), Ok(7)));
    t.thread().unpark();
    t.join().unwrap();
    assert_eq!(dropped.load(SeqCst), 1);
}

#[test]
fn any_scheduler_will_do() {
    assert_eq!(run(RandomScheduler::new_from_seed(1, 300), everything), 300);
    assert_eq!(run(PctScheduler::new_from_seed(1, 3, 300), everything), 300);
    assert_eq!(run(UrwRandomScheduler::new_from_seed(1, 300), everything), 300);
    assert!(
        run(dfs(), || {
            let m = Arc::new(Mutex::new(0));
            let other = m.clone();
            let t = thread::spawn(move || *other.lock().unwrap() += 1);
            *m.lock().unwrap() += 1;
            t.join().unwrap();
            assert_eq!(*m.lock().unwrap(), 2);
        }) > 1
    );
}

#[test]
fn a_contained_panic_fails_nothing() {
    run(RandomScheduler::new_from_seed(2, 100), || {
        let m = Arc::new(Mutex::new(0));
        let other = m.clone();
        let t = thread::spawn(move || {
            let caught = catch_unwind(AssertUnwindSafe(|| {
                let _guard = other.lock().unwrap_or_else(|e| e.into_inner());
                std::panic::resume_unwind(Box::new(()));
            }));
            assert!(caught.is_err());
        });
        drop(m.lock());
        t.join().unwrap();
        assert!(m.is_poisoned());
    });
}
