//! Data races on checked cells are found, and only data races.

use shuttle_dpor::cell::CheckedCell;
use shuttle_dpor::sync::atomic::{fence, AtomicBool, AtomicUsize, Ordering};
use shuttle_dpor::sync::{mpsc, Arc, Barrier, Mutex, Once, RwLock, RwLockWriteGuard};
use shuttle_dpor::{thread, Explorer};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::OnceLock;

fn races(body: impl Fn() + Send + Sync + 'static) -> bool {
    let report = Explorer::new().explore(body);
    assert!(report.exhausted());
    assert_eq!(report.deadlocks, 0);
    report.violation("no-data-race").is_some()
}

/// A message behind a flag.
fn message(
    store: Ordering,
    load: Ordering,
    before: Option<Ordering>,
    after: Option<Ordering>,
) -> bool {
    races(move || {
        let shared = Arc::new((CheckedCell::new(0), AtomicBool::new(false)));
        let sender = shared.clone();
        thread::spawn(move || {
            sender.0.set(1);
            before.into_iter().for_each(fence);
            sender.1.store(true, store);
        });
        if shared.1.load(load) {
            after.into_iter().for_each(fence);
            assert_eq!(shared.0.get(), 1);
        }
    })
}

#[test]
fn a_flag_has_to_release_and_acquire() {
    assert!(!message(Release, Acquire, None, None));
    assert!(message(Relaxed, Acquire, None, None));
    assert!(message(Release, Relaxed, None, None));
}

#[test]
fn fences_do_as_well() {
    assert!(!message(Relaxed, Relaxed, Some(Release), Some(Acquire)));
    assert!(!message(Relaxed, Acquire, Some(AcqRel), None));
    assert!(message(Relaxed, Relaxed, None, Some(Acquire)));
}

/// Whoever has seen the last store of another thread comes after it, and is alone once that has ended. What it
/// acquires then still decides whether it may read.
#[test]
fn who_is_alone_has_to_acquire() {
    let alone = |acquires: fn(&Mutex<()>, &AtomicBool)| {
        races(move || {
            let shared = Arc::new((CheckedCell::new(0), Mutex::new(()), AtomicBool::new(false)));
            let theirs = shared.clone();
            drop(thread::spawn(move || {
                theirs.0.set(1);
                drop(theirs.1.lock().unwrap());
                theirs.2.store(true, Release);
            }));
            if shared.2.load(Relaxed) {
                thread::spawn(|| ()).join().unwrap();
                acquires(&shared.1, &shared.2);
                assert_eq!(shared.0.get(), 1);
            }
        })
    };
    assert!(alone(|_, _| ()));
    assert!(!alone(|lock, _| drop(lock.lock().unwrap())));
    assert!(!alone(|_, flag| assert!(flag.load(Acquire))));
}

#[test]
fn a_race_is_found_though_the_accesses_never_meet() {
    let report = Explorer::new().explore(|| {
        let shared = Arc::new((CheckedCell::named("counter", 0), Mutex::new(())));
        let other = shared.clone();
        let t = thread::spawn(move || {
            drop(other.1.lock().unwrap());
            other.0.set(1);
        });
        shared.0.set(2);
        drop(shared.1.lock().unwrap());
        t.join().unwrap();
    });
    // Ordered if this thread has the mutex first, not if the other has.
    assert_eq!(report.orderings, 2);
    let race = report.violation("no-data-race").expect("there is one");
    assert_eq!(race.orderings, 1);
    assert!(race.detail.contains("counter"), "{}", race.detail);
}

#[test]
fn locks_order_accesses() {
    assert!(!races(|| {
        let shared = Arc::new((CheckedCell::new(0), Mutex::new(())));
        let other = shared.clone();
        let add = |s: &(CheckedCell<i32>, Mutex<()>)| {
            let _guard = s.1.lock().unwrap();
            s.0.with_mut(|n| *n += 1);
        };
        let t = thread::spawn(move || add(&other));
        add(&shared);
        t.join().unwrap();
        assert_eq!(shared.0.get(), 2);
    }));
}

/// A reader of an `RwLock` that accesses a cell, beside a writer that writes it.
fn reader_and_writer(reader_writes: bool) -> bool {
    races(move || {
        let shared = Arc::new((CheckedCell::new(0), RwLock::new(())));
        for _ in 0..2 {
            let reader = shared.clone();
            thread::spawn(move || {
                let _guard = reader.1.read().unwrap();
                if reader_writes {
                    reader.0.set(1);
                } else {
                    reader.0.get();
                }
            });
        }
        let _guard = shared.1.write().unwrap();
        shared.0.set(2);
    })
}

#[test]
fn readers_may_read_together_but_not_write() {
    assert!(!reader_and_writer(false));
    assert!(reader_and_writer(true));
}

#[test]
fn a_writer_that_becomes_a_reader_is_before_other_readers() {
    let shows = |downgrades: bool| {
        races(move || {
            let shared = Arc::new((CheckedCell::new(0), RwLock::new(false)));
            let theirs = shared.clone();
            let writes = thread::spawn(move || {
                let mut written = theirs.1.write().unwrap();
                *written = true;
                if downgrades {
                    theirs.0.set(1);
                }
                let reads = RwLockWriteGuard::downgrade(written);
                if !downgrades {
                    theirs.0.set(1);
                }
                drop(reads);
            });
            if *shared.1.read().unwrap() {
                shared.0.get();
            }
            writes.join().unwrap();
        })
    };
    assert_eq!([true, false].map(shows), [false, true]);
}

#[test]
fn spawn_join_and_barriers_order_accesses() {
    assert!(!races(|| {
        let shared = Arc::new((CheckedCell::new(0), Barrier::new(2)));
        shared.0.set(1);
        let other = shared.clone();
        let t = thread::spawn(move || {
            other.0.set(2);
            other.1.wait();
            other.1.wait();
            other.0.set(4);
        });
        shared.1.wait();
        shared.0.set(3);
        shared.1.wait();
        t.join().unwrap();
        assert_eq!(shared.0.get(), 4);
    }));
}

#[test]
fn a_once_that_is_completed_is_an_order_and_poison_is_none() {
    assert!(!races(|| {
        let shared = Arc::new((CheckedCell::new(0), Once::new()));
        let other = shared.clone();
        thread::spawn(move || other.1.call_once(|| other.0.set(1)));
        if shared.1.is_completed() {
            assert_eq!(shared.0.get(), 1);
        }
    }));
    assert!(races(|| {
        let shared = Arc::new((CheckedCell::new(0), Mutex::new(())));
        let other = shared.clone();
        thread::spawn(move || {
            let guard = other.1.lock().unwrap();
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let _guard = guard;
                other.0.set(1);
                std::panic::resume_unwind(Box::new("contained"));
            }));
            assert!(caught.is_err());
        });
        if shared.1.is_poisoned() {
            shared.0.get();
        }
    }));
}

/// A message, and a later one from another thread, which sets the cell before its message and a
/// flag after it. Whoever sees the flag receives `received` messages and reads the cell.
fn later_message(received: i32) -> bool {
    races(move || {
        let shared = Arc::new((CheckedCell::new(0), AtomicBool::new(false)));
        let (sender, receiver) = mpsc::channel();
        let (later, other) = (sender.clone(), shared.clone());
        sender.send(1).unwrap();
        thread::spawn(move || {
            other.0.set(1);
            later.send(2).unwrap();
            other.1.store(true, Relaxed);
            std::mem::forget(later);
        });
        if shared.1.load(Relaxed) {
            for n in 1..=received {
                assert_eq!(receiver.recv(), Ok(n));
            }
            shared.0.get();
        }
    })
}

#[test]
fn a_message_is_an_order_and_a_later_one_is_none() {
    assert!(later_message(1));
    assert!(!later_message(2));
}

/// The sender is dropped after a cell was set. Whoever sees that looks at the channel
/// until it says `last`, and reads the cell.
fn hang_up(last: Result<i32, mpsc::TryRecvError>) -> bool {
    races(move || {
        let shared = Arc::new((CheckedCell::new(0), AtomicBool::new(false)));
        let (sender, receiver) = mpsc::channel();
        let other = shared.clone();
        sender.send(1).unwrap();
        thread::spawn(move || {
            other.0.set(1);
            drop(sender);
            other.1.store(true, Relaxed);
        });
        if shared.1.load(Relaxed) {
            while receiver.try_recv() != last {}
            shared.0.get();
        }
    })
}

#[test]
fn a_hang_up_is_an_order_for_who_learns_of_it() {
    assert!(hang_up(Ok(1)));
    assert!(!hang_up(Err(mpsc::TryRecvError::Disconnected)));
}

/// The receiver sets a cell and then receives; who has sent `sent` messages reads the cell.
fn freed_place(room: usize, sent: i32) -> bool {
    races(move || {
        let cell = Arc::new(CheckedCell::new(0));
        let other = cell.clone();
        let (sender, receiver) = mpsc::sync_channel(room);
        thread::spawn(move || {
            other.set(1);
            receiver.recv().unwrap();
            std::mem::forget(receiver);
        });
        (0..sent).for_each(|n| sender.send(n).unwrap());
        cell.get();
        std::mem::forget(sender);
    })
}

#[test]
fn a_freed_place_is_an_order_for_who_fills_it() {
    assert!(freed_place(1, 1));
    assert!(!freed_place(1, 2));
    assert!(!freed_place(0, 1));
    assert!(freed_place(2, 2));
    assert!(!freed_place(2, 3));
}

/// A cell that is published by a flag. The `OnceLock` is std's, which orders nothing here.
fn published(store: Ordering) -> bool {
    races(move || {
        let shared = Arc::new((OnceLock::new(), AtomicBool::new(false)));
        let maker = shared.clone();
        thread::spawn(move || {
            assert!(maker.0.set(CheckedCell::new(1)).is_ok());
            maker.1.store(true, store);
        });
        if shared.1.load(Acquire) {
            assert_eq!(shared.0.get().map(CheckedCell::get), Some(1));
        }
    })
}

#[test]
fn the_creation_of_a_cell_is_a_write() {
    assert!(published(Relaxed));
    assert!(!published(Release));
}

#[test]
fn orderings_that_std_refuses_are_refused() {
    type Operation = fn(&AtomicUsize, Ordering);
    let accepts = |operation: Operation, order| {
        let report = Explorer::new().explore(move || operation(&AtomicUsize::new(0), order));
        report.violation("panic").is_none()
    };
    let loads: [Operation; 4] = [
        |x, order| _ = x.load(order),
        |x, order| _ = x.compare_exchange(0, 1, SeqCst, order),
        |x, order| _ = x.compare_exchange_weak(1, 2, SeqCst, order),
        |x, order| _ = x.fetch_update(SeqCst, order, |_| None),
    ];
    for order in [Relaxed, Acquire, Release, AcqRel, SeqCst] {
        for load in loads {
            assert_eq!(accepts(load, order), !matches!(order, Release | AcqRel), "{order:?}");
        }
        let stored = accepts(|x, order| x.store(1, order), order);
        assert_eq!(stored, !matches!(order, Acquire | AcqRel), "{order:?}");
        assert_eq!(accepts(|_, order| fence(order), order), order != Relaxed, "{order:?}");
        assert!(accepts(|x, order| _ = x.swap(1, order), order), "{order:?}");
    }
}
