//! What comes last, by a thread that is alone, is only counted, unless somebody looks at the orderings: but for
//! what it costs that makes no difference.

use super::brute::written;
use shuttle_dpor::cell::CheckedCell;
use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::mpsc::channel;
use shuttle_dpor::sync::{Arc, Condvar, Mutex};
use shuttle_dpor::{thread, Checkpoint, Explorer, Report};
use std::fmt::Debug;
use std::sync::Arc as StdArc;
use std::time::Duration;

/// Three threads, two of which the caller joins, have taken a lock in some order; the caller has it in mind.
fn race(lock: &Arc<Mutex<Vec<usize>>>) {
    let run = |n| {
        let lock = lock.clone();
        thread::spawn(move || lock.lock().unwrap().push(n))
    };
    let (one, two) = (run(1), run(2));
    lock.lock().unwrap().push(0);
    one.join().unwrap();
    two.join().unwrap();
}

/// The report of six orderings, which `last` ends; the same if somebody looks at them.
fn explored<T: Ord + Clone + Debug + Send + 'static>(
    last: impl Fn(&Arc<Mutex<Vec<usize>>>) -> T + Send + Sync + 'static,
) -> Report<(Vec<usize>, T)> {
    let body = StdArc::new(move || {
        let lock = Arc::new(Mutex::new(Vec::new()));
        lock.lock().unwrap().push(9);
        race(&lock);
        lock.lock().unwrap().push(9);
        let last = last(&lock);
        let seen = lock.lock().unwrap().clone();
        (seen, last)
    });
    let (looks, shares) = (body.clone(), body.clone());
    let explorer = || Explorer::new().max_steps(200);
    let looked_at = explorer().observe(|_| ()).explore(move || looks());
    let report = explorer().explore(move || body());
    assert_eq!(written(&report), written(&looked_at));
    // Who finds what first is no matter, but for the ordering that is shown.
    let counts = |of: &Report<(Vec<usize>, T)>| {
        let outcomes = of.outcomes.iter().map(|(outcome, seen)| (outcome.clone(), seen.orderings));
        let ends = (of.deadlocks, of.livelocks, of.cut, of.verdict.to_string());
        (of.executions, of.blocked, of.longest, ends, outcomes.collect::<Vec<_>>())
    };
    let shared = explorer().workers(3).explore(move || shares());
    assert_eq!(counts(&report), counts(&shared));
    report
}

#[test]
fn operations_are_counted() {
    let some = |lock: &Arc<Mutex<Vec<usize>>>| {
        let ((sender, receiver), sum) = (channel(), AtomicUsize::new(0));
        for n in 0..5 {
            sender.send(n).unwrap();
            sum.fetch_add(receiver.recv().unwrap(), SeqCst);
        }
        lock.lock().unwrap().push(8);
        sum.load(SeqCst)
    };
    let report = explored(some);
    report.assert_complete();
    assert_eq!((report.orderings, report.probes, report.outcomes.len()), (6, 0, 6));
    // The lock is taken before, by each thread, just after, in the end and for the result; the sum is read, and the
    // channel's ends go.
    assert_eq!(report.longest, 7 * 2 + 5 * 3 + 1 + 2);
}

/// Whoever goes on to do more than that needs what has only been counted: it is run again.
#[test]
fn whoever_spawns_is_run_again() {
    let report = explored(race);
    report.assert_complete();
    assert_eq!((report.orderings, report.outcomes.len(), report.probes), (36, 36, 1));
}

#[test]
fn whoever_spins_is_run_again() {
    let spins = |lock: &Arc<Mutex<Vec<usize>>>| {
        while lock.lock().unwrap().len() < 9 {
            thread::yield_now();
        }
    };
    let report = explored(spins);
    assert_eq!((report.violations[0].name.as_str(), report.livelocks), ("no-livelock", 6));
}

/// Who spins with a bound may go on: what it does then is no wait.
#[test]
fn whoever_gives_up_goes_on() {
    let polls = |lock: &Arc<Mutex<Vec<usize>>>| {
        let polls = (0..9).take_while(|_| {
            thread::yield_now();
            lock.lock().unwrap().len() < 9
        });
        let polls = polls.count();
        race(lock);
        polls
    };
    let report = explored(polls);
    report.assert_complete();
    assert_eq!((report.orderings, report.outcomes.len()), (36, 36));
}

/// Takes the lock when it goes.
struct Locks(Arc<Mutex<Vec<usize>>>);

impl Drop for Locks {
    fn drop(&mut self) {
        self.0.lock().unwrap().push(6);
    }
}

/// What is run again has come to its end before: nothing is undone in an order in which the body does not undo it.
#[test]
fn whoever_is_run_again_has_returned() {
    let holds = |lock: &Arc<Mutex<Vec<usize>>>| {
        let held = lock.lock().unwrap();
        // Dropped while the lock is held, it would wait for ever.
        let locks = Locks(lock.clone());
        let x = Arc::new(AtomicUsize::new(0));
        let theirs = x.clone();
        let equal = thread::spawn_equal(2, move |_| theirs.fetch_add(1, SeqCst));
        equal.join().unwrap();
        drop(held);
        drop(locks);
        x.load(SeqCst)
    };
    let report = explored(holds);
    report.assert_complete();
    assert_eq!((report.orderings, report.outcomes.len()), (6 * 2, 6));
}

/// The end of its wait is a yield.
#[test]
fn whoever_waits_for_some_time_is_run_again() {
    let waits = |lock: &Arc<Mutex<Vec<usize>>>| {
        let (changed, held) = (Condvar::new(), lock.lock().unwrap());
        changed.wait_timeout(held, Duration::from_secs(1)).unwrap().1.timed_out()
    };
    let report = explored(waits);
    report.assert_complete();
    assert_eq!(report.orderings, 6);
    assert!(report.outcomes.keys().all(|(_, timed_out)| *timed_out));
}

/// And a deadlock says since when a lock is held.
#[test]
fn a_deadlock_is_told_whole() {
    let locks = |lock: &Arc<Mutex<Vec<usize>>>| {
        let _held = lock.lock().unwrap();
        drop(lock.lock());
    };
    let report = explored(locks);
    assert_eq!(report.deadlocks, 6);
    assert!(report.violations[0].detail.contains("held by main since"), "{report}");
}

#[test]
fn what_has_no_end_is_told_whole() {
    let busy = |lock: &Arc<Mutex<Vec<usize>>>| {
        while lock.lock().unwrap().len() < 9 {}
    };
    let report = explored(busy);
    assert_eq!(report.cut, 6);
    assert!(report.incomplete.is_some_and(|why| why.contains("200 operations")));
}

/// What synchronises is kept track of from the first cell on.
#[test]
fn a_cell_may_come_last() {
    let shares = |lock: &Arc<Mutex<Vec<usize>>>| {
        let cell = Arc::new(CheckedCell::new(lock.lock().unwrap().len()));
        let theirs = cell.clone();
        let reads = thread::spawn(move || theirs.get());
        cell.set(1);
        reads.join().unwrap()
    };
    let report = explored(shares);
    assert!(report.violation("no-data-race").is_some(), "{report}");
}

#[test]
fn a_panic_may_come_last() {
    let report = explored(|lock| {
        lock.lock().unwrap().push(7);
        assert!(lock.lock().unwrap()[1] != 2, "the second came first");
    });
    assert_eq!((report.violations.len(), report.violations[0].orderings), (1, 2));
}

/// What waits in a file may be behind what has only been counted by whoever begins.
#[test]
fn what_follows_may_be_gone_on_with() {
    let body = || {
        let lock = Arc::new(Mutex::new(Vec::new()));
        let theirs = lock.clone();
        thread::spawn(move || theirs.lock().unwrap().push(8)).join().unwrap();
        (0..3).for_each(|_| lock.lock().unwrap().push(9));
        race(&lock);
        let seen = lock.lock().unwrap().clone();
        format!("{seen:?}")
    };
    let file = std::env::temp_dir().join(format!("dpor-coming-last-{}", std::process::id()));
    let from = Checkpoint::new(&file);
    let begun = Explorer::new().max_executions(2).explore_in(&from, body).unwrap();
    let report = Explorer::new().explore_in(&from, body).unwrap();
    std::fs::remove_file(&file).unwrap();
    report.assert_complete();
    assert_eq!((begun.executions, report.executions, report.outcomes.len()), (2, 6, 6));
}
