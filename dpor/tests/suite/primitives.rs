//! The primitives behave like std's, in every ordering.

use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::mpsc::{channel, sync_channel, RecvTimeoutError, TryRecvError};
use shuttle_dpor::sync::{counted, Arc, Barrier, Condvar, Mutex, Once, RwLock};
use shuttle_dpor::{thread, Explorer, Report};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

fn explore<T: Ord + Clone + Debug + Send + 'static>(
    body: impl Fn() -> T + Send + Sync + 'static,
) -> Report<T> {
    let report = Explorer::new().explore(body);
    assert!(report.exhausted());
    assert_eq!(report.blocked, 0);
    report
}

fn outcomes<T: Ord + Clone + Debug + Send + 'static>(
    body: impl Fn() -> T + Send + Sync + 'static,
) -> BTreeSet<T> {
    let report = explore(body);
    report.assert_complete();
    report.outcomes.into_keys().collect()
}

#[test]
fn try_lock_shows_both_results() {
    let seen = outcomes(|| {
        let m = Arc::new(Mutex::new(0));
        let held = m.clone();
        let t = thread::spawn(move || *held.lock().unwrap() += 1);
        let seen = m.try_lock().map(|value| *value).ok();
        t.join().unwrap();
        seen
    });
    assert_eq!(seen, [None, Some(0), Some(1)].into());
}

#[test]
fn rwlock_tries_show_both_results() {
    let seen = outcomes(|| {
        let l = Arc::new(RwLock::new(()));
        let (reader, writer) = (l.clone(), l.clone());
        let r = thread::spawn(move || drop(reader.read().unwrap()));
        let w = thread::spawn(move || writer.try_write().is_ok());
        let read = l.try_read().is_ok();
        r.join().unwrap();
        (read, w.join().unwrap())
    });
    assert_eq!(seen, [(false, true), (true, false), (true, true)].into());
}

#[test]
fn notify_one_may_wake_any_waiter() {
    let body = || {
        let shared = Arc::new((Mutex::new(0), Condvar::new(), AtomicUsize::new(9)));
        let waiters: Vec<_> = (0..3)
            .map(|n| {
                let s = shared.clone();
                thread::spawn(move || {
                    let mut waiting = s.0.lock().unwrap();
                    *waiting += 1;
                    drop(s.1.wait(waiting).unwrap());
                    // Whoever wakes first wakes the others.
                    if s.2.compare_exchange(9, n, SeqCst, SeqCst).is_ok() {
                        s.1.notify_all();
                    }
                })
            })
            .collect();
        if *shared.0.lock().unwrap() < 3 {
            return 10;
        }
        shared.1.notify_one();
        waiters.into_iter().for_each(|w| w.join().unwrap());
        shared.2.load(SeqCst)
    };
    // The orderings in which they do not all wait in time end in a deadlock.
    let seen: BTreeSet<_> = explore(body).outcomes.into_keys().collect();
    assert_eq!(seen, [0, 1, 2].into());
}

#[test]
fn a_wait_may_time_out_or_be_notified() {
    let seen = outcomes(|| {
        let pair = Arc::new((Mutex::new(()), Condvar::new()));
        let other = pair.clone();
        let t = thread::spawn(move || other.1.notify_one());
        let guard = pair.0.lock().unwrap();
        let (guard, result) = pair.1.wait_timeout(guard, Duration::from_secs(1)).unwrap();
        drop(guard);
        t.join().unwrap();
        result.timed_out()
    });
    assert_eq!(seen, [false, true].into());
}

/// An `if` where a `while` should be.
fn careless() -> bool {
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let other = pair.clone();
    let t = thread::spawn(move || {
        *other.0.lock().unwrap() = true;
        other.1.notify_one();
    });
    let mut ready = pair.0.lock().unwrap();
    if !*ready {
        ready = pair.1.wait(ready).unwrap();
    }
    let was_ready = *ready;
    drop(ready);
    t.join().unwrap();
    was_ready
}

#[test]
fn spurious_wakeups_are_explored_when_asked_for() {
    assert_eq!(outcomes(careless), [true].into());
    let report = Explorer::new().spurious_wakeups(1).explore(careless);
    assert!(report.exhausted());
    assert_eq!(report.outcomes.into_keys().collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_panic_poisons_what_is_held() {
    let report = explore(|| {
        let m = Arc::new(Mutex::new(()));
        let held = m.clone();
        let t = thread::spawn(move || {
            let _guard = held.lock().unwrap();
            panic!("on purpose");
        });
        let before = m.lock().is_err();
        assert!(t.join().is_err());
        (before, m.is_poisoned())
    });
    assert_eq!(report.outcomes.into_keys().collect::<Vec<_>>(), [(false, true), (true, true)]);
    assert_eq!(report.violations.len(), 1);
}

#[test]
fn a_panic_elsewhere_poisons_nothing() {
    struct Locks(Arc<Mutex<u32>>);
    impl Drop for Locks {
        fn drop(&mut self) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let report = explore(|| {
        let m = Arc::new(Mutex::new(0));
        let other = Locks(m.clone());
        let t = thread::spawn(move || {
            let _other = other;
            panic!("on purpose");
        });
        *m.lock().unwrap() += 1;
        *m.lock().unwrap() += 1;
        assert!(t.join().is_err());
        let sum = *m.lock().unwrap();
        (sum, m.is_poisoned())
    });
    assert_eq!(report.orderings, 3);
    assert_eq!(report.outcomes[&(3, false)].orderings, 3);
}

#[test]
fn a_barrier_has_one_leader() {
    let report = explore(|| {
        let b = Arc::new(Barrier::new(3));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let b = b.clone();
                thread::spawn(move || b.wait().is_leader())
            })
            .collect();
        let mine = b.wait().is_leader();
        let leaders = threads.into_iter().map(|t| t.join().unwrap());
        leaders.filter(|&l| l).count() + mine as usize
    });
    assert_eq!(report.outcomes.into_keys().collect::<Vec<_>>(), [1]);
    assert_eq!(report.orderings, 6);
}

#[test]
fn once_runs_once() {
    let seen = outcomes(|| {
        let shared = Arc::new((Once::new(), AtomicUsize::new(0)));
        let other = shared.clone();
        let t = thread::spawn(move || other.0.call_once(|| other.1.store(1, SeqCst)));
        shared.0.call_once(|| shared.1.store(2, SeqCst));
        let value = shared.1.load(SeqCst);
        t.join().unwrap();
        assert_eq!(value, shared.1.load(SeqCst));
        value
    });
    assert_eq!(seen, [1, 2].into());
}

#[test]
fn channels_keep_their_order_and_notice_the_end() {
    let seen = outcomes(|| {
        let (sender, receiver) = channel();
        let other = sender.clone();
        thread::spawn(move || other.send(1).unwrap());
        thread::spawn(move || {
            sender.send(2).unwrap();
            sender.send(3).unwrap();
        });
        receiver.iter().collect::<Vec<_>>()
    });
    assert_eq!(seen, [vec![1, 2, 3], vec![2, 1, 3], vec![2, 3, 1]].into());
}

#[test]
fn a_full_channel_blocks() {
    let report = explore(|| {
        let (sender, receiver) = sync_channel(1);
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        drop(receiver);
    });
    assert_eq!((report.orderings, report.deadlocks), (1, 1));
    let seen = outcomes(|| {
        let (sender, receiver) = sync_channel(1);
        let t = thread::spawn(move || {
            sender.try_send(1).is_ok() as u32 + sender.try_send(2).is_ok() as u32
        });
        let first = receiver.try_recv();
        let second = receiver.recv_timeout(Duration::from_secs(1));
        (
            first == Err(TryRecvError::Empty),
            second == Err(RecvTimeoutError::Timeout),
            t.join().unwrap(),
        )
    });
    assert!(seen.contains(&(false, false, 2)) && seen.contains(&(true, true, 1)), "{seen:?}");
}

#[test]
fn parking_needs_a_token() {
    let seen = outcomes(|| {
        let done = Arc::new(AtomicUsize::new(0));
        let (main, set) = (thread::current(), done.clone());
        let t = thread::spawn(move || {
            set.store(1, SeqCst);
            main.unpark();
        });
        thread::park();
        let seen = done.load(SeqCst);
        t.join().unwrap();
        seen
    });
    assert_eq!(seen, [1].into());
    assert_eq!(explore(thread::park).deadlocks, 1);
}

#[test]
fn scoped_threads_borrow() {
    let seen = outcomes(|| {
        let x = AtomicUsize::new(0);
        thread::scope(|s| {
            s.spawn(|| x.fetch_add(1, SeqCst));
            s.spawn(|| s.spawn(|| x.fetch_add(1, SeqCst)).join().unwrap());
        });
        x.load(SeqCst)
    });
    assert_eq!(seen, [2].into());
}

#[test]
fn scoped_threads_survive_a_deadlock() {
    let report = explore(|| {
        let m = Mutex::new(());
        thread::scope(|s| {
            s.spawn(|| {
                let _first = m.lock().unwrap();
                let _second = m.lock().unwrap();
            });
        });
    });
    assert_eq!((report.orderings, report.deadlocks), (1, 1));
}

#[test]
fn the_last_reference_may_be_anyones() {
    struct Last(Arc<AtomicUsize>, fn() -> usize);
    impl Drop for Last {
        fn drop(&mut self) {
            self.0.store((self.1)(), SeqCst);
        }
    }
    shuttle_dpor::thread_local!(static ME: usize = if thread::current().name() == Some("other") { 2 } else { 1 });
    let seen = outcomes(|| {
        let by = Arc::new(AtomicUsize::new(0));
        let one = counted::Arc::new(Last(by.clone(), || ME.with(|me| *me)));
        let (two, weak) = (one.clone(), counted::Arc::downgrade(&one));
        let other = thread::Builder::new().name("other".into());
        let t = other.spawn(move || drop(two)).unwrap();
        drop(one);
        let alive = weak.upgrade().is_some();
        t.join().unwrap();
        (by.load(SeqCst), alive)
    });
    // Alive and last here: the upgraded reference outlived the other thread's.
    assert_eq!(seen, [(1, false), (2, false), (1, true), (2, true)].into());
}

#[test]
fn thread_locals_belong_to_a_thread_and_an_execution() {
    shuttle_dpor::thread_local! {
        static COUNT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }
    let seen = outcomes(|| {
        let bump = || COUNT.with(|c| c.replace(c.get() + 1));
        let t = thread::spawn(bump);
        (bump(), bump(), t.join().unwrap())
    });
    assert_eq!(seen, [(0, 1, 0)].into());
}

#[test]
fn a_writer_may_precede_readers_that_need_each_other() {
    // Neither reader leaves without the other, so the writer cannot go between them; it can begin to
    // wait there.
    let report = explore(|| {
        let shared = Arc::new((RwLock::new(0), Barrier::new(2)));
        // The search runs the thread that was spawned last first: a reader.
        let s = shared.clone();
        let writer = thread::spawn(move || *s.0.write().unwrap() = 1);
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let s = shared.clone();
                thread::spawn(move || {
                    let value = s.0.read().unwrap();
                    s.1.wait();
                    *value
                })
            })
            .collect();
        writer.join().unwrap();
        readers.into_iter().map(|r| r.join().unwrap()).collect::<Vec<_>>()
    });
    let seen: Vec<_> = report.outcomes.keys().cloned().collect();
    assert_eq!(seen, [vec![0, 0], vec![1, 1]]);
    assert_eq!((report.orderings, report.deadlocks), (6, 2));
}

#[test]
fn a_notified_wait_might_have_timed_out_before() {
    // To yield makes the search notify the waiter before it lets it time out.
    let report = explore(|| {
        let pair = Arc::new((Mutex::new(()), Condvar::new()));
        let other = pair.clone();
        thread::spawn(move || {
            let guard = other.0.lock().unwrap();
            thread::yield_now();
            drop(other.1.wait_timeout(guard, Duration::from_secs(1)).unwrap());
        });
        let _guard = pair.0.lock().unwrap();
        pair.1.notify_one();
    });
    // The notification comes before the wait; after it timed out, with the mutex acquired again or
    // not; or in time.
    assert_eq!(report.orderings, 4);
}

#[test]
fn a_reader_that_reads_again_may_wait_behind_a_writer() {
    // std's own example of a deadlock: https://doc.rust-lang.org/std/sync/struct.RwLock.html
    let report = Explorer::new().explore(|| {
        let lock = Arc::new(RwLock::named("lock", 0));
        let other = lock.clone();
        let writer = thread::spawn(move || *other.write().unwrap() += 1);
        let first = lock.read().unwrap();
        let second = lock.read().unwrap();
        assert_eq!(*first, *second);
        drop((first, second));
        writer.join().unwrap();
    });
    // The writer comes before, between and after.
    assert_eq!((report.orderings, report.deadlocks), (3, 1));
    let detail = &report.violation("no-deadlock").unwrap().detail;
    assert!(detail.contains("main waits to read lock"), "{detail}");
    assert!(detail.contains("behind thread 1, who waits to write"), "{detail}");
}

#[test]
fn a_writer_that_waits_costs_no_ordering() {
    let report = Explorer::new().explore(|| {
        let lock = Arc::new(RwLock::new(Vec::new()));
        let threads: Vec<_> = (0..3)
            .map(|n| {
                let lock = lock.clone();
                thread::spawn(move || match n {
                    2 => lock.read().unwrap().len(),
                    _ => {
                        lock.write().unwrap().push(n);
                        0
                    }
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum::<usize>()
    });
    report.assert_complete();
    assert_eq!(report.orderings, 6);
}

#[test]
fn a_reader_may_precede_two_writers_that_wait_for_ever() {
    // Neither writer leaves before the reader has been, so the reader cannot go between them.
    let report = explore(|| {
        let lock = Arc::new(RwLock::new(0));
        let reading = lock.read().unwrap();
        let (main, other) = (thread::current(), lock.clone());
        let reader = thread::spawn(move || {
            drop(other.read().unwrap());
            main.unpark();
        });
        // The search runs those first that are spawned last.
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let lock = lock.clone();
                thread::spawn(move || *lock.write().unwrap() += 1)
            })
            .collect();
        thread::park();
        drop(reading);
        reader.join().unwrap();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
    });
    // Both wait, and nobody goes on; or the writers follow in either order.
    assert_eq!((report.orderings, report.deadlocks), (3, 1));
}

#[test]
fn try_read_may_fail_for_a_writer_that_waits() {
    let report = Explorer::new().explore(|| {
        let lock = Arc::new(RwLock::new(0));
        let other = lock.clone();
        let reading = lock.read().unwrap();
        let writer = thread::spawn(move || *other.write().unwrap() += 1);
        let again = lock.try_read().is_ok();
        drop(reading);
        writer.join().unwrap();
        again
    });
    report.assert_complete();
    assert_eq!(report.outcomes.keys().copied().collect::<Vec<_>>(), [false, true]);
}

#[test]
fn park_returns_spuriously_where_asked() {
    let body = || {
        let main = thread::current();
        let woken = Arc::new(AtomicUsize::new(0));
        let flag = woken.clone();
        let waker = thread::spawn(move || {
            flag.store(1, SeqCst);
            main.unpark();
        });
        thread::park();
        let seen = woken.load(SeqCst);
        waker.join().unwrap();
        seen
    };
    let report = Explorer::new().explore(body);
    assert_eq!(report.outcomes.keys().copied().collect::<Vec<_>>(), [1]);
    let report = Explorer::new().spurious_wakeups(1).explore(body);
    report.assert_complete();
    assert_eq!(report.outcomes.keys().copied().collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn a_weak_compare_exchange_fails_spuriously_where_asked() {
    let body = || {
        let x = AtomicUsize::new(0);
        let first = x.compare_exchange_weak(0, 1, SeqCst, SeqCst);
        let second = x.compare_exchange_weak(0, 2, SeqCst, SeqCst);
        (first, second)
    };
    assert_eq!(outcomes(body), [(Ok(0), Err(1))].into());
    let report = Explorer::new().spurious_failures(1).explore(body);
    report.assert_complete();
    let seen: BTreeSet<_> = report.outcomes.keys().copied().collect();
    assert_eq!(seen, [(Ok(0), Err(1)), (Err(0), Ok(0))].into());
}

#[test]
fn debug_of_an_atomic_is_a_load() {
    let seen = outcomes(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let y = x.clone();
        let t = thread::spawn(move || y.store(1, SeqCst));
        let text = format!("{x:?}");
        t.join().unwrap();
        text
    });
    assert_eq!(seen, ["0".to_owned(), "1".to_owned()].into());
}

#[test]
fn a_threads_own_stack_size_is_honoured() {
    fn deep(n: usize) -> usize {
        let bytes = std::hint::black_box([n as u8; 1024]);
        if n == 0 {
            0
        } else {
            deep(n - 1) + bytes.len() / 1024
        }
    }
    let seen = outcomes(|| {
        let builder = thread::Builder::new().stack_size(16 << 20);
        builder.spawn(|| deep(2000)).unwrap().join().unwrap()
    });
    assert_eq!(seen, [2000].into());
}
