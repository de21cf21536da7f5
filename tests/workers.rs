//! The pool of workers: how many there are, and that `join` waits for each.
#![cfg(not(any(loom, shuttle)))]

#[path = "support/host.rs"]
mod host;

use connmap::*;
use host::*;
use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const WORKERS: usize = 4;

/// Counts the threads that have ended.
struct AtTheEnd(Arc<AtomicUsize>);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

thread_local! {
    static AT_THE_END: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
}

/// Each worker is held in a scan of its own, and let go one after another. Who
/// joins is given the time to return too early; when the join returns, each
/// worker's thread has ended.
fn join_waits() {
    let ended = Arc::new(AtomicUsize::new(0));
    let (holds, held) = channel();
    let (lets_go, let_go) = channel::<()>();
    let (counts, let_go) = (Arc::clone(&ended), Arc::new(Mutex::new(let_go)));
    let source = Source::new(move |_, _| {
        AT_THE_END.with(|at| *at.borrow_mut() = Some(AtTheEnd(Arc::clone(&counts))));
        holds.send(())?;
        let let_go = Arc::clone(&let_go);
        Ok(Box::new(FnScan(1, move || {
            let_go.lock().unwrap().recv()?;
            Ok(One::End)
        })))
    });
    let map = ConnMap::new(source.arc(), Config::default());
    let pool = WorkerPool::start(&map.worker(), WORKERS);
    // One backfill of a connection runs at a time.
    let producers: Vec<_> = (0..WORKERS as u64).map(|id| open(&map, id).0).collect();
    producers.iter().for_each(|producer| stream(producer, 0, 0, 9));
    for _ in 0..WORKERS {
        held.recv_timeout(SOON).expect("each worker runs a backfill");
    }
    map.shutdown().deliver();
    let joins = thread::spawn({
        let ended = Arc::clone(&ended);
        move || {
            pool.join();
            ended.load(Ordering::SeqCst)
        }
    });
    for _ in 0..WORKERS {
        let begin = Instant::now();
        while !joins.is_finished() && begin.elapsed() < Duration::from_millis(20) {
            thread::yield_now();
        }
        lets_go.send(()).unwrap();
    }
    assert_eq!(joins.join().unwrap(), WORKERS, "join returned before each worker had ended");
}

#[test]
fn a_join_waits_for_each_worker() {
    within("the join of the pool", || (0..5).for_each(|_| join_waits()));
}

/// Two that were put off are due at once. Who has the first turn may be long about it,
/// and calls a worker that sleeps for the second. That one is given the time to go to
/// sleep; if it does not, it finds the turn by itself.
#[test]
fn of_two_that_are_due_the_second_has_a_worker() {
    within("a worker for the second of two turns", || {
        let snooze = 2 * NEVER;
        let source = Source::new(|_, _| Ok(Box::new(FnScan(1, || Ok(One::Later)))));
        let map = ConnMap::new(source.arc(), Config { snooze, ..Config::default() });
        let (worker, now) = (map.worker(), Instant::now());
        let producers = [open(&map, 1).0, open(&map, 2).0];
        producers.iter().for_each(|producer| stream(producer, 0, 0, 9));
        producers.iter().for_each(|_| assert_eq!(worker.run(now), Run::Ran));
        assert_eq!(worker.run(now), Run::Idle, "both are put off");
        let waits = thread::spawn({
            let worker = map.worker();
            move || worker.wait(now)
        });
        thread::sleep(Duration::from_millis(50));
        assert_eq!(worker.run(now + snooze), Run::Ran);
        assert_eq!(waits.join().unwrap(), Wait::Run);
    });
}

/// A worker sleeps until a backfill that was put off is due, and meanwhile another is
/// put off, to an earlier time: the worker sleeps no longer than that. It is given the
/// time to go to sleep while the other's scan is read; if it does not, it finds the
/// earlier time by itself.
#[test]
fn who_sleeps_is_called_for_what_is_due_earlier() {
    within("a worker for what is due first", || {
        let (goes, to_sleep) = channel();
        let goes = Mutex::new(goes);
        let source = Source::new(move |vb, _| {
            let goes = goes.lock().unwrap().clone();
            Ok(Box::new(FnScan(1, move || {
                if vb == VbId(1) {
                    goes.send(())?;
                    thread::sleep(Duration::from_millis(50));
                }
                Ok(One::Later)
            })))
        });
        let config = Config { snooze: Duration::from_millis(1), ..Config::default() };
        let map = ConnMap::new(source.arc(), config);
        let (worker, now) = (map.worker(), Instant::now());
        let (late, early) = (open(&map, 1).0, open(&map, 2).0);
        stream(&late, 0, 0, 9);
        assert_eq!(worker.run(now + 2 * NEVER), Run::Ran);
        let waits = thread::spawn({
            let worker = map.worker();
            move || {
                to_sleep.recv().unwrap();
                worker.wait(now)
            }
        });
        stream(&early, 1, 0, 9);
        assert_eq!(worker.run(now), Run::Ran);
        assert_eq!(waits.join().unwrap(), Wait::Run);
        // Nobody calls who comes now: it is the earlier of the two that it sleeps for.
        assert_eq!(worker.wait(now), Wait::Run);
    });
}
