//! One test for each line of the interface; what must fail is seen to fail.

// As in what people write for loom, whose threads take what is not `Send`.
#![allow(clippy::arc_with_non_send_sync)]

#[path = "../../tests/support/child.rs"]
mod child;

use loom::cell::{Cell, UnsafeCell};
use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use loom::sync::atomic::{AtomicBool, AtomicI8, AtomicPtr, AtomicUsize, fence};
use loom::sync::{Arc, Barrier, Condvar, Mutex, Notify, RwLock, mpsc};
use loom::{alloc, model, thread};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicUsize as Counter;
use std::sync::{Arc as StdArc, Mutex as StdMutex};

/// Runs a model that must fail, and returns what it says.
fn fails(f: impl Fn() + Send + Sync + 'static) -> String {
    let payload = catch_unwind(AssertUnwindSafe(|| model(f))).expect_err("the model fails");
    payload.downcast_ref::<String>().expect("a failure has a message").clone()
}

/// How often a model runs.
fn executions(f: impl Fn() + Send + Sync + 'static) -> usize {
    let n = StdArc::new(Counter::new(0));
    let counter = n.clone();
    model(move || {
        counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        f();
    });
    n.load(std::sync::atomic::Ordering::SeqCst)
}

#[test]
fn each_ordering_is_explored_once() {
    let n = executions(|| {
        let n = StdArc::new(AtomicUsize::new(0));
        let other = n.clone();
        thread::spawn(move || other.store(1, SeqCst));
        n.store(2, SeqCst);
    });
    assert_eq!(n, 2);
}

#[test]
fn a_failure_shows_its_ordering() {
    let text = fails(|| {
        let n = StdArc::new(AtomicUsize::new(0));
        let other = n.clone();
        thread::spawn(move || other.store(1, SeqCst));
        assert_eq!(n.load(SeqCst), 0, "the store was first");
    });
    for part in ["the store was first", "store atomic", "api.rs", "replay: "] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_deadlock_fails() {
    let text = fails(|| {
        let (sender, receiver) = mpsc::channel::<()>();
        let _sender = sender;
        let _ = receiver.recv();
    });
    assert!(text.contains("no-deadlock"), "{text}");
}

#[test]
fn builder_limits() {
    let mut builder = model::Builder::new();
    builder.max_permutations = Some(1);
    builder.preemption_bound = Some(0);
    // Stops where it is asked to, and says so; the second ordering is not run.
    builder.check(|| {
        let n = StdArc::new(AtomicUsize::new(0));
        let other = n.clone();
        thread::spawn(move || other.store(1, SeqCst));
        n.store(2, SeqCst);
    });
    builder.max_permutations = None;
    builder.max_branches = 1;
    let long = catch_unwind(|| {
        builder.check(|| {
            let n = AtomicUsize::new(0);
            for _ in 0..20 {
                n.store(1, SeqCst);
            }
        })
    });
    let text = *long.expect_err("it is too long").downcast::<String>().expect("a message");
    assert!(text.contains("INCOMPLETE"), "{text}");
}

/// Two threads store so often, each time another ordering.
fn stores(n: usize) -> impl Fn() + Send + Sync + 'static {
    move || {
        let shared = StdArc::new(AtomicUsize::new(0));
        let other = shared.clone();
        thread::spawn(move || (0..n).for_each(|_| other.store(1, SeqCst)));
        (0..n).for_each(|_| shared.store(2, SeqCst));
    }
}

#[test]
fn a_bound_on_preemptions_counts_where_the_whole_is_too_much() {
    const NAME: &str = "a_bound_on_preemptions_counts_where_the_whole_is_too_much";
    let (well, said) = child::alone(NAME, || {
        let mut builder = model::Builder::new();
        builder.log = true;
        builder.preemption_bound = Some(1);
        builder.check(stores(2));
        // 12,870 orderings, and 48,620.
        builder.check(stores(8));
        builder.check(stores(9));
        builder.max_permutations = Some(3);
        builder.check(stores(9));
    });
    assert!(well, "{said}");
    let said: Vec<_> =
        said.lines().filter_map(|l| l.strip_prefix("loom by shuttle-dpor: ")).collect();
    let counts =
        said.iter().filter_map(|text| text.strip_prefix("Completed in ")?.split(' ').next());
    let counts: Vec<_> = counts.collect();
    assert_eq!(counts[..2], ["6", "12870"], "{said:?}");
    let bounded =
        said.iter().filter(|text| **text == "complete within 1 preemption, and no further");
    assert_eq!(bounded.count(), 1, "{said:?}");
    // With one preemption: one thread before the other, or in one of eight places amid it; one of these
    // orderings by two schedules.
    assert_eq!(counts[2..], ["19", "3"], "{said:?}");
}

#[test]
fn variables_of_the_environment_mean_what_they_mean_to_loom() {
    const NAME: &str = "variables_of_the_environment_mean_what_they_mean_to_loom";
    // In the child it is the first call that comes to this, whatever it is about.
    let is_set = |variable| std::env::var_os(variable).is_some();
    let with = |variable, value| {
        child::alone_with(NAME, &[(variable, value)], || match () {
            // What 50 stores need is more than a branch is worth.
            () if is_set("LOOM_MAX_BRANCHES") => model(|| {
                let n = AtomicUsize::new(0);
                (0..50).for_each(|_| n.store(1, SeqCst));
            }),
            () if is_set("LOOM_CHECKPOINT_FILE") => model(|| panic!("as it should")),
            () => model(stores(1)),
        })
    };
    let (well, said) = with("LOOM_LOG", "info");
    assert!(well && said.contains("Completed in 2 iterations"), "{said}");
    for (variable, value) in [("LOOM_MAX_PERMUTATIONS", "1"), ("LOOM_MAX_DURATION", "0")] {
        let (well, said) = with(variable, value);
        assert!(well && said.contains("INCOMPLETE"), "{variable}: {said}");
    }
    let (well, said) = with("LOOM_MAX_PREEMPTIONS", "0");
    assert!(well && !said.contains("complete"), "two orderings are explored all the same: {said}");
    assert!(with("LOOM_MAX_BRANCHES", "10").0);
    let (well, said) = with("LOOM_MAX_BRANCHES", "1");
    assert!(!well && said.contains("INCOMPLETE"), "{said}");
    let (well, said) = with("LOOM_MAX_BRANCHES", "many");
    assert!(!well && said.contains("LOOM_MAX_BRANCHES=many: "), "{said}");
    let file = std::env::temp_dir().join(format!("loom-variable-{}", std::process::id()));
    let (well, said) = with("LOOM_CHECKPOINT_FILE", file.to_str().expect("a path"));
    std::fs::remove_file(&file).expect("the failure left its ordering");
    assert!(!well && said.contains("as it should"), "{said}");
}

#[test]
fn loom_explores_more_where_orderings_are_weaker() {
    use loom::sync::atomic::Ordering;
    let two = |order: Ordering, last: Ordering| {
        move || {
            let shared = StdArc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
            let other = shared.clone();
            thread::spawn(move || {
                other.0.fetch_add(1, order);
                other.1.fetch_add(1, last);
            });
            shared.1.fetch_add(1, order);
            shared.0.fetch_add(1, last);
        }
    };
    let one = || {
        let n = StdArc::new(AtomicUsize::new(0));
        let other = n.clone();
        thread::spawn(move || other.fetch_add(1, Relaxed));
        n.fetch_add(1, Relaxed);
    };
    let (well, said) = child::alone("loom_explores_more_where_orderings_are_weaker", || {
        for weaker in [Relaxed, Ordering::AcqRel] {
            model(two(weaker, SeqCst));
            eprintln!("next");
        }
        // These two agree about everything, or share nothing that could be seen in two orders.
        model(two(SeqCst, SeqCst));
        model(one);
        eprintln!("next");
    });
    assert!(well, "{said}");
    let said: Vec<_> = said.lines().map(|l| l.contains("loom explores what these allow")).collect();
    assert_eq!(said, [true, false, true, false, false], "one line for each of the first two");
}

#[test]
fn builder_checkpoint() {
    let file = std::env::temp_dir().join(format!("loom-checkpoint-{}", std::process::id()));
    let mut builder = model::Builder::default();
    builder.checkpoint_file(file.to_str().expect("a path"));
    let body = || {
        let n = StdArc::new(AtomicUsize::new(0));
        let other = n.clone();
        thread::spawn(move || other.store(1, SeqCst));
        assert_eq!(n.load(SeqCst), 0);
    };
    assert!(catch_unwind(|| builder.check(body)).is_err());
    assert!(file.exists());
    let again = catch_unwind(|| builder.check(body)).expect_err("the ordering fails again");
    std::fs::remove_file(&file).expect("the file is there");
    let text = again.downcast_ref::<String>().expect("a message");
    assert!(text.starts_with("the checkpoint's ordering"), "{text}");
}

#[test]
fn arc_counts() {
    model(|| {
        let mut a = Arc::new(1);
        *Arc::get_mut(&mut a).expect("the only one") = 2;
        let b = a.clone();
        assert!(Arc::get_mut(&mut a).is_none() && Arc::ptr_eq(&a, &b));
        assert_eq!((Arc::strong_count(&a), *b, *a.as_ref()), (2, 2, 2));
        let a = Arc::try_unwrap(a).expect_err("there is another");
        drop(b);
        assert_eq!(Arc::try_unwrap(a).ok(), Some(2));
        assert_eq!(*Arc::pin(3), 3);
        assert_eq!(*Arc::<u8>::default() + *Arc::from(1), 1);
    });
}

#[test]
fn arc_pointers() {
    model(|| {
        let raw = Arc::into_raw(Arc::new(5));
        // SAFETY: each reference that is counted is dropped once.
        unsafe {
            Arc::increment_strong_count(raw);
            let a = Arc::from_raw(raw);
            assert_eq!((Arc::strong_count(&a), Arc::as_ptr(&a)), (2, raw));
            Arc::decrement_strong_count(raw);
            assert_eq!(Arc::try_unwrap(a).ok(), Some(5));
        }
        let shape: Arc<dyn Fn() -> u8> = Arc::from_std(StdArc::new(|| 7));
        assert_eq!(shape(), 7);
    });
}

#[test]
fn who_drops_the_last_is_explored() {
    let last = StdArc::new(StdMutex::new(std::collections::BTreeSet::new()));
    let seen = last.clone();
    struct Last(StdArc<StdMutex<std::collections::BTreeSet<String>>>);
    impl Drop for Last {
        fn drop(&mut self) {
            let who = thread::current().name().unwrap_or("main").to_owned();
            self.0.lock().unwrap().insert(who);
        }
    }
    model(move || {
        let a = Arc::new(Last(seen.clone()));
        let b = a.clone();
        let t = thread::Builder::new().name("other".into()).spawn(move || drop(b)).unwrap();
        drop(a);
        t.join().unwrap();
    });
    let last: Vec<_> = last.lock().unwrap().iter().cloned().collect();
    assert_eq!(last, ["main", "other"]);
}

#[test]
fn leaks_are_reported() {
    let text = fails(|| std::mem::forget(Arc::new(1)));
    assert!(text.contains("no-leak") && text.contains("api.rs"), "{text}");
    assert!(fails(|| std::mem::forget(alloc::Track::new(1))).contains("a tracked value"));
    // SAFETY: the layout has a size.
    let text = fails(|| {
        unsafe { alloc::alloc(alloc::Layout::new::<u8>()) };
    });
    assert!(text.contains("an allocation"), "{text}");
}

#[test]
fn tracked_values_and_allocations_that_are_gone_are_no_leaks() {
    model(|| {
        let mut tracked = alloc::Track::new(1);
        *tracked.get_mut() += 1;
        assert_eq!((*tracked.get_ref(), tracked.into_inner()), (2, 2));
        let layout = alloc::Layout::new::<u64>();
        // SAFETY: allocated and given back with one layout.
        unsafe {
            alloc::dealloc(alloc::alloc(layout), layout);
            alloc::dealloc(alloc::alloc_zeroed(layout), layout);
        }
    });
}

#[test]
fn locks() {
    model(|| {
        let both = StdArc::new((Mutex::new(0), RwLock::new(0)));
        let other = both.clone();
        let t = thread::spawn(move || {
            *other.0.lock().unwrap() += 1;
            *other.1.write().unwrap() += 1;
        });
        if let Ok(n) = both.0.try_lock() {
            assert!(*n < 2);
        }
        assert!(*both.1.read().unwrap() < 2);
        let _ = (both.1.try_read().is_ok(), both.1.try_write().is_ok());
        t.join().unwrap();
        let both = StdArc::into_inner(both).expect("the only one");
        assert_eq!((both.0.into_inner().unwrap(), both.1.into_inner().unwrap()), (1, 1));
    });
}

#[test]
fn condvar_and_barrier() {
    model(|| {
        let shared = StdArc::new((Mutex::new(false), Condvar::new(), Barrier::new(2)));
        let other = shared.clone();
        thread::spawn(move || {
            *other.0.lock().unwrap() = true;
            other.1.notify_one();
            other.1.notify_all();
            other.2.wait();
        });
        let mut done = shared.0.lock().unwrap();
        while !*done {
            done = shared.1.wait(done).unwrap();
        }
        drop(done);
        shared.2.wait();
    });
}

#[test]
fn notify_and_park() {
    model(|| {
        let notify = StdArc::new(Notify::new());
        let other = notify.clone();
        let me = thread::current();
        thread::spawn(move || {
            other.notify();
            me.unpark();
        });
        notify.wait();
        thread::park();
        thread::yield_now();
        assert!(!thread::panicking());
    });
}

#[test]
fn atomics() {
    model(|| {
        let mut n = AtomicI8::new(1);
        assert_eq!(n.fetch_add(4, SeqCst) + n.fetch_sub(1, SeqCst), 6);
        assert_eq!(n.fetch_max(9, SeqCst) + n.fetch_min(3, SeqCst), 13);
        assert_eq!(n.fetch_and(2, SeqCst), 3);
        assert_eq!((n.fetch_or(1, SeqCst), n.fetch_xor(1, SeqCst)), (2, 3));
        assert_eq!((n.fetch_nand(2, SeqCst), n.swap(5, Relaxed)), (2, !2));
        assert_eq!(n.compare_and_swap(5, 6, SeqCst), 5);
        assert_eq!(n.compare_exchange(6, 7, SeqCst, Relaxed), Ok(6));
        assert_eq!(n.compare_exchange_weak(6, 8, SeqCst, Relaxed), Err(7));
        assert_eq!(n.fetch_update(SeqCst, Acquire, |n| n.checked_add(1)), Ok(7));
        assert_eq!(n.try_update(SeqCst, Acquire, |_| None), Err(8));
        assert_eq!(n.update(SeqCst, Acquire, |n| n + 1), 8);
        n.with_mut(|n| *n += 1);
        // SAFETY: nobody stores.
        assert_eq!(unsafe { n.unsync_load() }, 10);
        assert_eq!(n.into_inner(), 10);
        let pointer = AtomicPtr::<u8>::default();
        assert!(pointer.load(Acquire).is_null());
        assert!(AtomicBool::from(true).fetch_and(false, SeqCst));
    });
}

#[test]
fn unsynchronised_access_to_an_atomic_is_a_race() {
    let text = fails(|| {
        let n = StdArc::new(AtomicUsize::new(0));
        let other = n.clone();
        thread::spawn(move || other.store(1, Relaxed));
        // SAFETY: it races, which is found before anything comes of it.
        unsafe { n.unsync_load() };
    });
    assert!(text.contains("no-data-race"), "{text}");
    // After a join it is none, and two loads never are.
    model(|| {
        let n = StdArc::new(AtomicUsize::new(0));
        let other = n.clone();
        // SAFETY: nobody stores meanwhile.
        let t = thread::spawn(move || unsafe { other.unsync_load() });
        unsafe { n.unsync_load() };
        t.join().unwrap();
        n.store(1, Relaxed);
    });
}

/// One thread writes a cell and sets a flag; the other reads the cell if the flag is set.
fn message(store: loom::sync::atomic::Ordering, by_fence: bool) -> impl Fn() + Send + Sync {
    move || {
        let shared = StdArc::new((UnsafeCell::new(0), AtomicBool::new(false)));
        let other = shared.clone();
        thread::spawn(move || {
            // SAFETY: the cell checks it.
            other.0.with_mut(|n| unsafe { *n = 1 });
            if by_fence {
                fence(Release);
            }
            other.1.store(true, store);
        });
        if shared.1.load(Acquire) {
            // SAFETY: the cell checks it.
            assert_eq!(shared.0.with(|n| unsafe { *n }), 1);
        }
    }
}

#[test]
fn cells_know_what_orders_accesses() {
    model(message(Release, false));
    model(message(Relaxed, true));
    assert!(fails(message(Relaxed, false)).contains("no-data-race"));
}

#[test]
fn spans_must_not_overlap() {
    let text = fails(|| {
        let cell = UnsafeCell::new(1);
        let reading = cell.get();
        // SAFETY: the cell is alive.
        assert_eq!(unsafe { *reading.deref() }, 1);
        cell.with_mut(|_| ());
    });
    assert!(text.contains("a write of a cell during a read"), "{text}");
    let text = fails(|| {
        let cell = UnsafeCell::from(1);
        let writing = cell.get_mut();
        writing.with(|_| ());
        cell.with(|_| ());
    });
    assert!(text.contains("a read of a cell during a write"), "{text}");
    model(|| {
        let cell = UnsafeCell::<u8>::default();
        let (a, b) = (cell.get(), cell.get());
        drop((a, b));
        // SAFETY: nobody else has it.
        unsafe { *cell.get_mut().deref() = 3 };
        assert_eq!(cell.into_inner(), 3);
    });
}

#[test]
fn cells_that_move_values() {
    model(|| {
        let (a, b) = (Cell::new(1), Cell::from(2));
        a.swap(&b);
        a.set(a.get() + 1);
        assert_eq!((a.take(), b.clone().into_inner()), (3, 1));
        assert!(a < b && a == Cell::default());
    });
}

loom::thread_local! {
    static LOCAL: std::cell::Cell<u8> = std::cell::Cell::new(1);
}

loom::lazy_static! {
    static ref LAZY: AtomicUsize = AtomicUsize::new(1);
    /// Made when it is needed.
    pub static ref SHARED: Arc<u8> = Arc::new(1);
}

#[test]
fn locals_and_statics_belong_to_an_execution() {
    model(|| {
        LOCAL.with(|n| n.set(2));
        let t = thread::spawn(|| {
            assert_eq!(LOCAL.try_with(std::cell::Cell::get), Ok(1));
            LAZY.fetch_add(1, SeqCst);
        });
        t.join().unwrap();
        assert_eq!((LAZY.load(SeqCst), **SHARED), (2, 1));
    });
}

#[test]
fn what_a_thread_local_holds_has_not_leaked() {
    loom::thread_local! {
        static HELD: std::cell::RefCell<Option<Arc<u8>>> = std::cell::RefCell::new(None);
    }
    model(|| {
        let value = Arc::new(1);
        let other = value.clone();
        HELD.with(|held| *held.borrow_mut() = Some(value));
        thread::spawn(move || HELD.with(|held| *held.borrow_mut() = Some(other))).join().unwrap();
    });
}

#[test]
fn statics_are_gone_when_the_closure_has_returned() {
    let text = fails(|| {
        thread::spawn(|| assert_eq!(**SHARED, 1));
    });
    assert!(text.contains("lazy static"), "{text}");
}

#[test]
fn a_detached_thread_is_part_of_the_execution() {
    let text = fails(|| {
        thread::spawn(|| panic!("a detached thread"));
    });
    assert!(text.contains("a detached thread"), "{text}");
}

#[test]
fn hints() {
    model(loom::hint::spin_loop);
    // SAFETY: it panics.
    assert!(fails(|| unsafe { loom::hint::unreachable_unchecked() }).contains("was reached"));
}

#[cfg(feature = "futures")]
#[test]
fn futures() {
    use loom::future::{AtomicWaker, block_on};
    use std::task::Poll;
    let chan = |wake: bool| {
        move || {
            let shared = StdArc::new((AtomicWaker::new(), AtomicBool::new(false)));
            let other = shared.clone();
            thread::spawn(move || {
                other.1.store(true, Release);
                if wake {
                    other.0.wake();
                }
            });
            block_on(std::future::poll_fn(|context| {
                shared.0.register(context.waker().clone());
                match shared.1.load(Acquire) {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            }));
            drop(shared.0.take_waker());
        }
    };
    model(chan(true));
    assert!(fails(chan(false)).contains("no-deadlock"));
}
