//! What std has beyond the primitives themselves, for those who bring code written for it.

mod support {
    pub(crate) mod child;
}

use shuttle_dpor::sync::atomic::{AtomicPtr, AtomicU32, Ordering::SeqCst};
use shuttle_dpor::sync::{Condvar, LazyLock, Mutex, OnceLock};
use shuttle_dpor::{future, thread, Explorer, Verdict};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use support::child::alone;

#[test]
fn a_once_lock_is_written_by_one() {
    let report = Explorer::new().explore(|| {
        let cell = Arc::new(OnceLock::new());
        let threads = [1, 2].map(|n| {
            let cell = cell.clone();
            thread::spawn(move || *cell.get_or_init(|| n))
        });
        let early = cell.get().copied();
        let [one, two] = threads.map(|t| t.join().unwrap());
        assert_eq!(one, two);
        assert_eq!(cell.set(3), Err(3));
        (early, one)
    });
    report.assert_complete();
    let seen: Vec<_> = report.outcomes.keys().copied().collect();
    assert_eq!(seen, [(None, 1), (None, 2), (Some(1), 1), (Some(2), 2)]);
}

#[test]
fn a_once_lock_is_made_by_the_next_if_a_closure_panics() {
    Explorer::new()
        .explore(|| {
            let mut cell = OnceLock::new();
            let panicked = std::panic::catch_unwind(|| cell.get_or_init(|| panic!("not now")));
            assert!(panicked.is_err());
            assert_eq!(*cell.get_or_init(|| 5), 5);
            assert_eq!((cell.take(), cell.get_mut()), (Some(5), None));
            assert_eq!(OnceLock::from(6).into_inner(), Some(6));
        })
        .assert_complete();
}

#[test]
fn a_lazy_lock_is_made_once() {
    let report = Explorer::new().explore(|| {
        let made = Arc::new(AtomicU32::new(0));
        let count = made.clone();
        let lazy = Arc::new(LazyLock::new(move || count.fetch_add(1, SeqCst) + 7));
        let other = lazy.clone();
        let thread = thread::spawn(move || **other);
        assert_eq!((**lazy, thread.join().unwrap()), (7, 7));
        assert_eq!(made.load(SeqCst), 1);
    });
    report.assert_complete();
    assert!(report.orderings >= 2, "who makes it is explored");
    let poisoned = Explorer::new().explore(|| {
        let lazy = LazyLock::<u32, _>::new(|| panic!("never"));
        let force = || std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| *lazy)).is_err();
        assert!(force() && force());
    });
    poisoned.assert_complete();
}

shuttle_dpor::thread_local! {
    static COUNT: Cell<u32> = const { Cell::new(1) };
    static NAMES: RefCell<Vec<&'static str>> = RefCell::default();
}

#[test]
fn thread_locals_have_cells_shorthands() {
    Explorer::new()
        .explore(|| {
            COUNT.set(5);
            thread::spawn(|| assert_eq!(COUNT.get(), 1)).join().unwrap();
            assert_eq!((COUNT.replace(6), COUNT.take(), COUNT.get()), (5, 6, 0));
            NAMES.with_borrow_mut(|names| names.push("a"));
            assert_eq!(NAMES.with_borrow(Vec::len), 1);
            NAMES.set(vec!["b", "c"]);
            assert_eq!((NAMES.replace(vec![]), NAMES.take()), (vec!["b", "c"], vec![]));
        })
        .assert_complete();
}

#[test]
fn a_builder_spawns_in_a_scope() {
    Explorer::new()
        .explore(|| {
            let n = Mutex::new(1);
            thread::scope(|scope| {
                let named = thread::Builder::new().name("worker".into());
                let worker = named.spawn_scoped(scope, || {
                    *n.lock().unwrap() += 1;
                    thread::current().name().map(str::to_owned)
                });
                assert_eq!(worker.unwrap().join().unwrap().as_deref(), Some("worker"));
            });
            assert_eq!(*n.lock().unwrap(), 2);
        })
        .assert_complete();
}

#[test]
fn atomics_are_updated() {
    let report = Explorer::new().explore(|| {
        let n = Arc::new(AtomicU32::new(1));
        let other = n.clone();
        let thread = thread::spawn(move || other.update(SeqCst, SeqCst, |n| n * 3));
        assert!(n.try_update(SeqCst, SeqCst, |n| n.checked_sub(9)).is_err());
        let _ = n.update(SeqCst, SeqCst, |n| n + 1);
        thread.join().unwrap();
        n.load(SeqCst)
    });
    report.assert_complete();
    assert!(report.outcomes.keys().eq(&[4, 6]), "{report}");
}

#[test]
fn pointers_are_moved_and_tagged() {
    Explorer::new()
        .explore(|| {
            let mut words = [0_u64; 4];
            let first: *mut u64 = words.as_mut_ptr();
            let p = AtomicPtr::new(first);
            assert_eq!(p.fetch_ptr_add(2, SeqCst), first);
            assert_eq!(p.fetch_ptr_sub(1, SeqCst), first.wrapping_add(2));
            assert_eq!(p.fetch_byte_add(8, SeqCst), first.wrapping_add(1));
            assert_eq!(p.fetch_byte_sub(16, SeqCst), first.wrapping_add(2));
            assert_eq!(p.fetch_or(1, SeqCst), first);
            assert_eq!(p.fetch_xor(3, SeqCst).addr(), first.addr() | 1);
            assert_eq!(p.fetch_and(!7, SeqCst).addr(), first.addr() | 2);
            assert_eq!(p.load(SeqCst), first);
        })
        .assert_complete();
}

#[test]
fn a_future_is_woken() {
    let report = Explorer::new().spurious_wakeups(1).explore(|| {
        let shared = Arc::new(Mutex::new((None, None::<std::task::Waker>)));
        let sender = shared.clone();
        let thread = thread::spawn(move || {
            let mut shared = sender.lock().unwrap();
            shared.0 = Some(7);
            if let Some(waker) = shared.1.take() {
                waker.wake();
            }
        });
        let value = future::block_on(poll_fn(|cx| {
            let mut shared = shared.lock().unwrap();
            match shared.0.take() {
                Some(value) => Poll::Ready(value),
                None => {
                    shared.1 = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        }));
        thread.join().unwrap();
        value
    });
    report.assert_complete();
    assert!(report.outcomes.keys().eq(&[7]));
    let never = Explorer::new().explore(|| future::block_on(std::future::pending::<()>()));
    assert_eq!((never.orderings, never.deadlocks), (1, 1));
}

#[test]
fn futures_are_run_as_guests_too() {
    shuttle::check_random(
        || {
            let ready = Arc::new(Mutex::new(false));
            let (other, waker) = (ready.clone(), future::waker(thread::current()));
            thread::spawn(move || {
                *other.lock().unwrap() = true;
                waker.wake_by_ref();
            });
            future::block_on(poll_fn(|_| match *ready.lock().unwrap() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }));
        },
        50,
    );
}

#[test]
fn a_report_is_shown() {
    let report = Explorer::new().explore(|| {
        let n = Arc::new(AtomicU32::named("n", 0));
        let other = n.clone();
        let thread = thread::spawn(move || other.store(1, SeqCst));
        let seen = n.load(SeqCst);
        thread.join().unwrap();
        seen
    });
    let text = report.to_string();
    assert!(
        text.starts_with("COMPLETE (under sequential consistency): 2 orderings, 2 executions, "),
        "{text}"
    );
    assert!(text.ends_with("\n         1 orderings: 0\n         1 orderings: 1\n"), "{text}");
    let deadlock = Explorer::new().explore(|| {
        let (mutex, never) = (Mutex::new(()), Condvar::named("never"));
        drop(never.wait(mutex.lock().unwrap()));
    });
    let text = deadlock.to_string();
    assert!(
        text.contains("VIOLATED: 1 orderings") && text.contains("blocked: wake never"),
        "{text}"
    );
}

/// A body that fails in one of its orderings.
fn fails_if_late() -> u32 {
    let n = Arc::new(AtomicU32::named("n", 0));
    let other = n.clone();
    let thread = thread::spawn(move || other.store(1, SeqCst));
    let seen = n.load(SeqCst);
    thread.join().unwrap();
    assert_eq!(seen, 0, "the store came first");
    seen
}

#[test]
fn the_environment_runs_a_token_again() {
    let token = Explorer::new().explore(fails_if_late).violation("panic").unwrap().token.clone();
    let (well, stderr) = alone("the_environment_runs_a_token_again", || {
        std::env::set_var("SHUTTLE_DPOR_REPLAY", token.to_string());
        let report = Explorer::new().explore(fails_if_late);
        assert_eq!((report.verdict.clone(), report.orderings), (Verdict::Violated, 1));
        std::env::set_var("SHUTTLE_DPOR_REPLAY", "dpor-0.1.0/0,0.0/0,1");
        let report = Explorer::new().explore(fails_if_late);
        assert!(matches!(report.verdict, Verdict::Incomplete { .. }), "{report}");
    });
    assert!(well, "{stderr}");
    assert!(stderr.contains("the store came first"), "{stderr}");
    assert!(stderr.contains("only the ordering in SHUTTLE_DPOR_REPLAY was run"), "{stderr}");
}

#[test]
fn what_is_no_token_is_an_error() {
    let (well, stderr) = alone("what_is_no_token_is_an_error", || {
        std::env::set_var("SHUTTLE_DPOR_REPLAY", "nonsense");
        let _ = Explorer::new().explore(fails_if_late);
    });
    assert!(!well && stderr.contains("SHUTTLE_DPOR_REPLAY is not a token"), "{stderr}");
}
