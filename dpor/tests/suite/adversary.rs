//! What random programs of shapes found that [`brute`](super::brute) does not generate: destructors that perform
//! operations, caught panics, threads that nobody joins, nested ones, barriers of these.

use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::{Barrier, Mutex};
use shuttle_dpor::{thread, Explorer, Verdict};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

fn atomics<const N: usize>() -> Arc<[AtomicUsize; N]> {
    Arc::new([0; N].map(AtomicUsize::new))
}

/// Performs an operation in its destructor.
struct Rings(Arc<[AtomicUsize; 1]>);

impl Drop for Rings {
    fn drop(&mut self) {
        self.0[0].fetch_add(1, SeqCst);
    }
}

/// Main is tried, to see whether it spins: it spawns, so it does not, and the execution is given up before the
/// thread has begun.
#[test]
fn a_thread_that_never_begins_goes_with_what_it_has() {
    let body = || {
        let s = atomics::<1>();
        let theirs = s.clone();
        let adds = thread::spawn(move || theirs[0].fetch_add(2, SeqCst));
        s[0].load(SeqCst);
        thread::yield_now();
        s[0].load(SeqCst);
        let rings = Rings(s.clone());
        thread::spawn(move || drop(rings)).join().unwrap();
        adds.join().unwrap();
        s[0].load(SeqCst)
    };
    let report = Explorer::new().explore(body);
    report.assert_complete();
    assert!(report.outcomes.keys().eq(&[3]) && report.probes > 0);
}

/// Adds to what is behind a lock when it goes.
struct Adds(Arc<Mutex<usize>>);

impl Drop for Adds {
    fn drop(&mut self) {
        *self.0.lock().unwrap() += 1;
    }
}

/// A guard of another thread that goes meanwhile has changed nothing.
#[test]
fn a_thread_waits_while_another_unwinds() {
    let body = || {
        let m = Arc::new(Mutex::new(0));
        let theirs = m.clone();
        let waits = thread::spawn(move || {
            while *theirs.lock().unwrap() == 0 {
                thread::yield_now();
            }
        });
        let unwinds = AssertUnwindSafe(|| {
            let _adds = Adds(m.clone());
            panic!("caught");
        });
        assert!(catch_unwind(unwinds).is_err());
        waits.join().unwrap();
    };
    let report = Explorer::new().max_executions(100).explore(body);
    report.assert_complete();
    assert_eq!(report.orderings, 2);
}

/// Main is alone, and has seen by no operation which of the others was first.
fn waits_alone(first: usize) -> usize {
    let s = atomics::<3>();
    for v in [first, 3 - first] {
        let s = s.clone();
        thread::spawn(move || s[0].store(v, SeqCst));
    }
    thread::park_timeout(Duration::ZERO);
    thread::spawn(|| ()).join().unwrap();
    s[2].load(SeqCst);
    loop {
        let seen = s[0].load(SeqCst);
        thread::yield_now();
        if seen == 1 {
            break;
        }
    }
    s[2].store(1, SeqCst);
    s[0].load(SeqCst)
}

#[test]
fn whether_one_that_is_alone_spins_depends_on_what_others_did() {
    for first in [1, 2] {
        let report = Explorer::new().timeouts(0).explore(move || waits_alone(first));
        assert_eq!((report.orderings, report.livelocks), (2, 1));
        assert!(report.outcomes.keys().eq(&[1]));
    }
}

/// Of those whom the barrier lets go, who goes on first depends on who was spawned first.
fn alone_or_not() {
    let s = atomics::<3>();
    let barrier = Arc::new(Barrier::new(3));
    let over = thread::spawn(|| ());
    let (theirs, b) = (s.clone(), barrier.clone());
    thread::spawn(move || {
        theirs[0].store(1, SeqCst);
        let theirs = theirs.clone();
        thread::spawn(move || {
            b.wait();
            over.join().unwrap();
            theirs[2].store(1, SeqCst);
            theirs[2].store(2, SeqCst);
        });
    });
    let (theirs, b) = (s.clone(), barrier.clone());
    thread::spawn(move || {
        theirs[1].store(1, SeqCst);
        thread::spawn(move || {
            b.wait();
        });
    });
    barrier.wait();
}

#[test]
fn a_bounded_search_counts_each_ordering_once() {
    let all = Explorer::new().explore(alone_or_not);
    let bounded = Explorer::new().max_preemptions(100).explore(alone_or_not);
    assert_eq!((all.verdict, all.orderings, bounded.orderings), (Verdict::Complete, 6, 6));
}
