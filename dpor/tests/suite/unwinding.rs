//! Threads that unwind: what they hold, what their destructors do, and what does not end.

use super::child::alone;
use super::shuttles_runner;
use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::mpsc::{channel, Sender};
use shuttle_dpor::sync::{Arc, Barrier, Condvar, Mutex};
use shuttle_dpor::{thread, DporScheduler, Explorer, Strategy};
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};

fn contained(f: impl FnOnce()) {
    assert!(catch_unwind(AssertUnwindSafe(f)).is_err());
}

/// Two threads whose panics go no further, each with a lock and an operation while it unwinds.
fn two_contained_panics() {
    let all = Arc::new((Mutex::new(()), Mutex::new(()), AtomicUsize::new(0)));
    let (a, b) = (all.clone(), all.clone());
    let t = thread::spawn(move || {
        contained(|| {
            let _guard = a.0.lock();
            a.2.load(SeqCst);
            panic!("one");
        })
    });
    let u = thread::spawn(move || {
        contained(|| {
            let _guard = b.1.lock();
            b.0.is_poisoned();
            panic!("two");
        })
    });
    t.join().unwrap();
    u.join().unwrap();
    assert!(all.0.is_poisoned() && all.1.is_poisoned());
}

#[test]
fn each_panic_poisons_what_its_thread_holds() {
    let report = Explorer::new().explore(two_contained_panics);
    report.assert_complete();
    assert_eq!(report.orderings, 3);
    assert_eq!(shuttles_runner::run(DporScheduler::new(), two_contained_panics), 3);
}

#[test]
fn a_panic_that_has_been_caught_is_over() {
    let body = || {
        let m = Arc::new((Mutex::new(()), Mutex::new(())));
        let (a, b) = (m.clone(), m.clone());
        let t = thread::spawn(move || {
            contained(|| panic!("contained"));
            let locked = a.0.try_lock().is_err();
            (locked, thread::panicking())
        });
        let u = thread::spawn(move || {
            contained(|| {
                let _guard = b.0.lock();
                panic!("contained");
            })
        });
        u.join().unwrap();
        t.join().unwrap().1
    };
    let report = Explorer::new().explore(body);
    report.assert_complete();
    assert_eq!(report.outcomes.into_keys().collect::<Vec<_>>(), [false]);
}

/// Takes a lock while its thread unwinds.
struct Locks(Arc<Mutex<()>>);

impl Drop for Locks {
    fn drop(&mut self) {
        drop(self.0.lock());
    }
}

/// Tells another thread that its own unwinds.
struct Sends(Sender<()>);

impl Drop for Sends {
    fn drop(&mut self) {
        self.0.send(()).unwrap();
    }
}

/// The panic hook sees the second of them only.
#[test]
fn two_that_unwind_may_both_wait() {
    let report = Explorer::new().explore(|| {
        let m = Arc::new(Mutex::new(()));
        let guard = m.lock();
        let (a, b) = (m.clone(), m.clone());
        let (sender, receiver) = channel();
        let t = thread::spawn(move || {
            receiver.recv().unwrap();
            let _locks = Locks(a);
            panic!("one")
        });
        thread::spawn(move || {
            let _locks = Locks(b);
            let _sends = Sends(sender);
            resume_unwind(Box::new("two"))
        });
        let _: Result<(), _> = t.join();
        drop(guard);
    });
    assert!(report.violation("no-deadlock").is_some() && report.deadlocks == report.orderings);
}

/// Comes to a barrier while its thread unwinds.
struct Arrives(Arc<Barrier>);

impl Drop for Arrives {
    fn drop(&mut self) {
        self.0.wait();
    }
}

/// Some panics are kept of each thread, and not of all together.
#[test]
fn five_that_unwind_at_once_are_five_panics_at_one_place() {
    let report = Explorer::new().check(|| {
        let barrier = Arc::new(Barrier::new(5));
        let threads: Vec<_> = (0..5)
            .map(|_| {
                let arrives = Arrives(barrier.clone());
                thread::spawn(move || {
                    let _arrives = arrives;
                    panic!("one of five")
                })
            })
            .collect();
        threads.into_iter().for_each(|thread: thread::JoinHandle<()>| drop(thread.join()));
    });
    let [violation] = &report.violations[..] else { panic!("{report}") };
    assert_eq!((violation.orderings, report.orderings), (120, 120));
    assert!(violation.place.contains("unwinding.rs:"), "{report}");
    assert!(violation.detail.contains("one of five"), "{report}");
}

struct Reborn;

shuttle_dpor::thread_local! {
    static REBORN: Reborn = Reborn;
}

impl Drop for Reborn {
    fn drop(&mut self) {
        assert!(REBORN.try_with(|_| ()).is_err(), "it is going");
    }
}

#[test]
fn a_thread_local_is_made_once() {
    let body = || thread::spawn(|| REBORN.with(|_| ())).join().unwrap();
    Explorer::new().explore(body).assert_complete();
    assert_eq!(shuttles_runner::run(DporScheduler::new(), body), 1);
}

#[test]
fn who_drops_the_last_sender_is_no_matter() {
    let body = || {
        let (sender, receiver) = channel();
        let shards = Arc::new([Mutex::new(0), Mutex::new(0)]);
        for n in 0..2 {
            let (sender, shards) = (sender.clone(), shards.clone());
            thread::spawn(move || {
                sender.send(n).unwrap();
                *shards[n].lock().unwrap() += 1;
            });
        }
        drop(sender);
        let sum: usize = receiver.iter().sum();
        let first = *shards[0].lock().unwrap();
        (sum, first, receiver.try_recv())
    };
    let body = move || {
        let (sum, first, last) = body();
        (sum, first, last.is_err())
    };
    let report = Explorer::new().explore(body);
    report.assert_complete();
    let all = Explorer::new().strategy(Strategy::Dfs).explore(body);
    assert!(all.exhausted() && all.executions > 10 * report.executions);
    assert_eq!(report.outcomes.keys().collect::<Vec<_>>(), all.outcomes.keys().collect::<Vec<_>>());
}

/// Waits in its destructor until the count is zero.
struct Pool(Arc<(Mutex<usize>, Condvar)>);

impl Drop for Pool {
    fn drop(&mut self) {
        let mut count = self.0 .0.lock().unwrap_or_else(|e| e.into_inner());
        while *count > 0 {
            count = self.0 .1.wait(count).unwrap_or_else(|e| e.into_inner());
        }
    }
}

/// It ends the process.
#[test]
fn a_destructor_that_waits_for_ever_is_named() {
    let (well, said) = alone("unwinding::a_destructor_that_waits_for_ever_is_named", || {
        _ = Explorer::new().explore(|| {
            let _pool = Pool(Arc::new((Mutex::new(1), Condvar::new())));
            let m = Mutex::new(());
            let _one = m.lock();
            let _two = m.lock();
        });
    });
    assert!(!well && said.contains("main does not end"), "{said}");
}

/// The same, where nobody else is left.
#[test]
fn a_destructor_that_waits_for_its_own_thread_is_named() {
    let (well, said) =
        alone("unwinding::a_destructor_that_waits_for_its_own_thread_is_named", || {
            _ = Explorer::new().explore(|| {
                let held = Arc::new(Mutex::new(()));
                let other = Mutex::new(());
                let _guard = held.lock();
                let _locks = Locks(held.clone());
                let _one = other.lock();
                let _two = other.lock();
            });
        });
    assert!(!well && said.contains("main does not end"), "{said}");
}

/// Spawns threads that borrow while its own thread unwinds.
struct Scopes<'a>(&'a AtomicUsize);

impl Drop for Scopes<'_> {
    fn drop(&mut self) {
        thread::scope(|scope| {
            scope.spawn(|| self.0.fetch_add(1, SeqCst));
        });
    }
}

#[test]
fn a_destructor_may_spawn_in_a_scope() {
    let report = Explorer::new().explore(|| {
        let count = AtomicUsize::new(0);
        contained(|| {
            let _scopes = Scopes(&count);
            panic!("one");
        });
        count.load(SeqCst)
    });
    report.assert_complete();
    assert_eq!(report.outcomes.into_keys().collect::<Vec<_>>(), [1]);
    let report = Explorer::new().explore(|| {
        let (m, count) = (Mutex::new(()), AtomicUsize::new(0));
        let _scopes = Scopes(&count);
        let _one = m.lock();
        let _two = m.lock();
    });
    assert_eq!((report.orderings, report.deadlocks), (1, 1));
}

#[test]
fn a_thread_that_waits_for_a_lock_of_stds_is_named() {
    let (well, text) = alone("unwinding::a_thread_that_waits_for_a_lock_of_stds_is_named", || {
        let patience = std::time::Duration::from_millis(300);
        let _ = Explorer::new().watchdog(Some(patience)).explore(|| {
            let shared = Arc::new((std::sync::Mutex::new(()), AtomicUsize::new(0)));
            let other = shared.clone();
            let t = thread::Builder::new().name("holder".into()).spawn(move || {
                let _guard = other.0.lock().unwrap();
                other.1.store(1, SeqCst);
                other.1.store(2, SeqCst);
            });
            shared.1.load(SeqCst);
            drop(shared.0.lock().unwrap());
            t.unwrap().join().unwrap();
        });
    });
    assert!(!well);
    assert!(text.contains("main has not come to an operation"), "{text}");
    assert!(text.contains("its last was load at ") && text.contains("unwinding.rs:"), "{text}");
    assert!(text.contains("a lock of std's"), "{text}");
}

#[test]
fn a_panic_that_aborts_is_told() {
    struct Worse;
    impl Drop for Worse {
        fn drop(&mut self) {
            panic!("and worse");
        }
    }
    let (well, said) = alone("unwinding::a_panic_that_aborts_is_told", || {
        let _ = Explorer::new().explore(|| {
            let _worse = Worse;
            panic!("it was bad");
        });
    });
    assert!(!well && said.contains("panic in a destructor during cleanup"), "{said}");
    let (bad, worse) = (said.find("it was bad"), said.find("and worse"));
    assert!(bad.is_some() && bad < worse, "{said}");
}
