//! What std has beyond the primitives themselves, for those who bring code written for it.

use super::child::alone;
use shuttle_dpor::cell::CheckedCell;
use shuttle_dpor::sync::atomic::{AtomicPtr, AtomicU32, Ordering::SeqCst};
use shuttle_dpor::sync::{Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, RwLockWriteGuard};
use shuttle_dpor::{future, hint, statics, thread, Explorer, Verdict};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

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

statics! {
    static CALLS: AtomicU32 = AtomicU32::new(7);
    static LIST: Mutex<Vec<u32>> = Mutex::new(vec![1]);
    /// Not shared before it is made.
    static CELL: CheckedCell<u32> = CheckedCell::new(3);
    static PAIR: (AtomicU32, AtomicU32) = (AtomicU32::new(1), AtomicU32::new(2));
}

#[test]
fn statics_are_made_anew_whoever_comes_first() {
    // Each thread may be the first to come to each static, and so to make it.
    let use_them = |n: u32| {
        CALLS.fetch_add(n, SeqCst);
        PAIR.0.fetch_add(n, SeqCst);
        LIST.lock().unwrap().push(n);
        PAIR.1.fetch_add(n, SeqCst);
        CELL.get()
    };
    let explore = |workers| {
        Explorer::new().workers(workers).explore(move || {
            let others = [10, 20].map(|n| thread::spawn(move || use_them(n)));
            let seen = others.map(|other| other.join().unwrap());
            assert_eq!(seen, [3, 3]);
            assert_eq!((CALLS.load(SeqCst), PAIR.1.load(SeqCst)), (37, 32));
            LIST.lock().unwrap().clone()
        })
    };
    // The same with what is made before.
    let made_before = Explorer::new().explore(|| {
        let shared = Arc::new((
            AtomicU32::new(7),
            AtomicU32::new(1),
            AtomicU32::new(2),
            Mutex::new(vec![1]),
        ));
        let others = [10, 20].map(|n| {
            let shared = shared.clone();
            thread::spawn(move || {
                shared.0.fetch_add(n, SeqCst);
                shared.1.fetch_add(n, SeqCst);
                shared.3.lock().unwrap().push(n);
                shared.2.fetch_add(n, SeqCst);
            })
        });
        others.into_iter().for_each(|other| other.join().unwrap());
        let list = shared.3.lock().unwrap();
        list.clone()
    });
    for workers in [1, 3] {
        let report = explore(workers);
        report.assert_complete();
        assert_eq!(
            (report.orderings, report.executions),
            (made_before.orderings, report.orderings)
        );
        assert!(report.outcomes.keys().eq(&[vec![1, 10, 20], vec![1, 20, 10]]));
    }
}

#[test]
fn statics_are_made_anew_for_guests_and_by_dfs() {
    let body = || {
        let other = thread::spawn(|| CALLS.fetch_add(1, SeqCst));
        CALLS.fetch_add(1, SeqCst);
        other.join().unwrap();
        assert_eq!(CALLS.load(SeqCst), 9);
    };
    shuttle::check_dfs(body, None);
    let dfs = Explorer::new().strategy(shuttle_dpor::Strategy::Dfs).check(body);
    assert!(dfs.exhausted() && dfs.violations.is_empty(), "{dfs}");
}

statics! {
    static WRONG: u32 = *LIST.lock().unwrap().first().unwrap();
    static SPAWNS: u32 = thread::spawn(|| 1).join().unwrap();
}

shuttle_dpor::lazy_static! {
    static ref LENGTH: usize = LIST.lock().unwrap().len();
}

#[test]
fn a_statics_initialiser_performs_no_operations_but_a_lazy_ones() {
    let why = |body: fn()| Explorer::new().check(body).violation("panic").unwrap().detail.clone();
    let said = why(|| assert_eq!(*WRONG, 1));
    assert!(
        said.starts_with("the initialiser of the static WRONG performs an operation"),
        "{said}"
    );
    let said = why(|| assert_eq!(*SPAWNS, 1));
    assert!(said.starts_with("the initialiser of the static SPAWNS spawns a thread"), "{said}");
    let report = Explorer::new().explore(|| {
        let other = thread::spawn(|| LIST.lock().unwrap().push(2));
        let seen = *LENGTH;
        other.join().unwrap();
        (seen, *LENGTH)
    });
    report.assert_complete();
    assert!(report.outcomes.keys().eq(&[(1, 1), (2, 2)]));
}

/// What an ordering's operations are done to.
fn objects(report: &shuttle_dpor::Report<()>) -> Vec<String> {
    let steps = &report.violations[0].witness.steps;
    let objects = steps.iter().filter_map(|step| match &step.what {
        shuttle_dpor::What::Operation { object, .. } => Some(object.clone()),
        shuttle_dpor::What::Note(_) => None,
    });
    objects.collect()
}

#[test]
fn what_has_no_name_is_told_apart_by_the_place_where_it_was_made() {
    let line = line!();
    let report = Explorer::new().check(|| {
        let (one, two) = (Condvar::new(), Condvar::default()); // 2 lines after `line`
        let alike = [1, 2].map(|_| Once::new());
        let alone = Mutex::new(());
        let locks = (RwLock::new(()), RwLock::new(())); // 5 lines after it
        let named = Mutex::named("named", ());
        one.notify_one();
        two.notify_all();
        alike.iter().for_each(|once| once.call_once(|| ()));
        drop(named.lock());
        CALLS.store(1, SeqCst);
        PAIR.1.store(1, SeqCst);
        drop((alone.lock(), locks.1.read()));
        let thread = thread::Builder::new().name("worker".into()).spawn(|| ()).unwrap();
        thread.thread().unpark();
        panic!("shown");
    });
    let at = |n: u32| format!("at std_surface.rs:{}", line + n);
    let objects = objects(&report);
    assert_eq!(objects[0], format!("condvar#1 {}", at(2)));
    assert_eq!(objects[1], format!("condvar#2 {}", at(2)));
    assert_eq!(objects[2], format!("once#1 {}", at(3)));
    assert_eq!(objects[4], format!("once#2 {}", at(3)));
    assert_eq!(objects[6..9], ["named", "named", "CALLS"]);
    // A static's second object, and the only atomic that has no name.
    assert_eq!(objects[9], "atomic");
    let second = format!("rwlock#2 {}", at(5));
    assert_eq!(objects[10..], ["mutex", &second, "mutex", &second, "token of worker"]);
}

#[test]
fn a_writer_becomes_a_reader_with_nobody_in_between() {
    let report = Explorer::new().explore(|| {
        let lock = Arc::new(RwLock::new(1));
        let writer = lock.clone();
        let writes = thread::spawn(move || *writer.write().unwrap() *= 3);
        let reader = lock.clone();
        let reads = thread::spawn(move || *reader.read().unwrap());
        let mut guard = lock.write().unwrap();
        *guard += 1;
        let before = *guard;
        let guard = RwLockWriteGuard::downgrade(guard);
        assert_eq!(*guard, before, "the writer came in between");
        let others = lock.try_read().is_ok();
        drop(guard);
        writes.join().unwrap();
        (before, reads.join().unwrap(), others)
    });
    report.assert_complete();
    let seen: Vec<_> = report.outcomes.keys().copied().collect();
    // A reader is let in beside it, unless the writer waits.
    for seen_by_reader in [1, 2, 6] {
        assert!(seen.contains(&(2, seen_by_reader, true)), "{seen:?}");
        assert!(seen.contains(&(2, seen_by_reader, false)), "{seen:?}");
    }
    for seen_by_reader in [1, 3, 4] {
        assert!(seen.contains(&(4, seen_by_reader, true)), "{seen:?}");
    }
    assert_eq!(seen.len(), 9, "{seen:?}");
}

#[test]
fn a_once_is_waited_for() {
    let report = Explorer::new().explore(|| {
        let once = Arc::new((Once::new(), CheckedCell::new(0), OnceLock::new()));
        let others = [1, 2].map(|n| {
            let once = once.clone();
            thread::spawn(move || {
                once.0.call_once(|| once.1.set(n));
                let _ = once.2.set(n);
            })
        });
        once.0.wait();
        let seen = (once.1.get(), *once.2.wait());
        others.into_iter().for_each(|other| other.join().unwrap());
        seen
    });
    report.assert_complete();
    assert!(report.outcomes.keys().eq(&[(1, 1), (1, 2), (2, 1), (2, 2)]), "{report}");
    let never = Explorer::new().check(|| Once::new().wait());
    assert_eq!((never.orderings, never.deadlocks), (1, 1));
}

#[test]
fn who_waits_for_a_once_that_is_poisoned_panics_unless_forced() {
    let body = |force: bool| {
        move || {
            let once = Arc::new(Once::new());
            let other = once.clone();
            let thread = thread::spawn(move || {
                let poison = std::panic::AssertUnwindSafe(|| other.call_once(|| panic!("not now")));
                assert!(std::panic::catch_unwind(poison).is_err());
                other.call_once_force(|state| assert!(state.is_poisoned()));
            });
            let wait = std::panic::AssertUnwindSafe(|| once.wait());
            let panicked = match force {
                true => {
                    once.wait_force();
                    false
                }
                false => std::panic::catch_unwind(wait).is_err(),
            };
            thread.join().unwrap();
            panicked
        }
    };
    let report = Explorer::new().explore(body(false));
    report.assert_complete();
    assert!(report.outcomes.keys().eq(&[false, true]), "poisoned, and done: {report}");
    let report = Explorer::new().explore(body(true));
    report.assert_complete();
    assert!(report.outcomes.keys().eq(&[false]), "{report}");
}

#[test]
fn a_hint_is_no_operation() {
    let report = Explorer::new().check(|| {
        let n = Arc::new(AtomicU32::new(0));
        let other = n.clone();
        thread::spawn(move || other.store(1, SeqCst));
        hint::spin_loop();
        n.store(2, SeqCst);
    });
    assert_eq!((report.orderings, report.verdict), (2, Verdict::Complete));
}

#[test]
fn guests_yield_to_whoever_else_shuttle_chooses() {
    // To yield is a scheduling point: somebody else comes in between though nothing is done there.
    let between = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let seen = between.clone();
    let body = move || {
        let now = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let other = now.clone();
        let thread = thread::spawn(move || other.store(1, SeqCst));
        let before = now.load(SeqCst);
        thread::yield_now();
        seen.fetch_add(now.load(SeqCst) - before, SeqCst);
        thread.join().unwrap();
    };
    shuttle::check_random(body, 100);
    let between = between.load(SeqCst);
    assert!(between > 0, "nobody came in between");
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
        text.contains("VIOLATED: 1 orderings") && text.contains("waits to be woken by never"),
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
    let (well, stderr) = alone("std_surface::the_environment_runs_a_token_again", || {
        std::env::set_var("SHUTTLE_DPOR_REPLAY", token.to_string());
        let report = Explorer::new().explore(fails_if_late);
        assert_eq!((report.verdict.clone(), report.orderings), (Verdict::Violated, 1));
        let other = concat!("dpor-", env!("CARGO_PKG_VERSION"), "/0,0.0/0,1");
        std::env::set_var("SHUTTLE_DPOR_REPLAY", other);
        let report = Explorer::new().explore(fails_if_late);
        assert!(matches!(report.verdict, Verdict::Incomplete { .. }), "{report}");
    });
    assert!(well, "{stderr}");
    assert!(stderr.contains("the store came first"), "{stderr}");
    assert!(stderr.contains("only the ordering in SHUTTLE_DPOR_REPLAY was run"), "{stderr}");
}

#[test]
fn what_is_no_token_is_an_error() {
    let (well, stderr) = alone("std_surface::what_is_no_token_is_an_error", || {
        std::env::set_var("SHUTTLE_DPOR_REPLAY", "nonsense");
        let _ = Explorer::new().explore(fails_if_late);
    });
    assert!(!well && stderr.contains("SHUTTLE_DPOR_REPLAY is not a token"), "{stderr}");
}
