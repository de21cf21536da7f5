//! A thread that is alone: before it spawns another, and after all others have ended and it knows what they
//! did. What it does is no choice; what comes before it and behind is explored as ever.

use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::mpsc::channel;
use shuttle_dpor::sync::{Arc, Mutex, RwLock};
use shuttle_dpor::{thread, Explorer, Strategy, Verdict};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc as StdArc;

/// Has as many orderings, each run once, and the outcomes that a depth-first search finds.
fn explored<T: Ord + Clone + Debug + Send + 'static>(
    orderings: u64,
    body: impl Fn() -> T + Send + Sync + 'static,
) {
    let body = StdArc::new(body);
    let again = body.clone();
    let report = Explorer::new().explore(move || (*body)());
    report.assert_complete();
    assert_eq!((report.orderings, report.executions, report.blocked), (orderings, orderings, 0));
    let all = Explorer::new().strategy(Strategy::Dfs).explore(move || (*again)());
    all.assert_complete();
    let outcomes = |of: shuttle_dpor::Report<T>| of.outcomes.into_keys().collect::<BTreeSet<T>>();
    assert_eq!(outcomes(report), outcomes(all));
}

/// Threads that each take the lock once, one after another in any order, and then it again.
fn phase(lock: &Arc<Mutex<Vec<usize>>>, threads: usize) {
    let run = |n| {
        let lock = lock.clone();
        thread::spawn(move || lock.lock().unwrap().push(n))
    };
    let threads: Vec<_> = (0..threads).map(run).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    lock.lock().unwrap().push(9);
}

/// Phases of two and of so many threads: in which order they came.
fn phases(second: usize) -> Vec<usize> {
    let lock = Arc::new(Mutex::new(Vec::new()));
    lock.lock().unwrap().push(8);
    phase(&lock, 2);
    phase(&lock, second);
    let seen = lock.lock().unwrap().clone();
    seen
}

#[test]
fn each_phase_has_its_orderings() {
    explored(2 * 6, || phases(3));
}

/// Nobody has joined it: that it has ended in one ordering says nothing of the others.
#[test]
fn a_thread_that_nobody_joins_may_come_later() {
    explored(2, || {
        let x = Arc::new(AtomicUsize::new(0));
        let theirs = x.clone();
        drop(thread::spawn(move || theirs.store(1, SeqCst)));
        thread::spawn(|| ()).join().unwrap();
        x.load(SeqCst)
    });
}

/// Who has seen the last thing that a thread does comes after all of that; if it has ended, nobody is left.
#[test]
fn what_was_seen_of_a_thread_is_over() {
    explored(3, || {
        let (x, y) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (theirs, last) = (x.clone(), y.clone());
        drop(thread::spawn(move || {
            theirs.store(1, SeqCst);
            last.store(1, SeqCst);
        }));
        let seen = y.load(SeqCst);
        thread::spawn(|| ()).join().unwrap();
        (seen, x.load(SeqCst))
    });
}

#[test]
fn what_was_sent_alone_is_received() {
    // In either order the others send, and one of them goes before the receiver does, or after.
    explored(4, || {
        let (sender, receiver) = channel();
        sender.send(1).unwrap();
        let other = sender.clone();
        let receives = thread::spawn(move || [(); 3].map(|()| receiver.recv().ok()));
        let sends = thread::spawn(move || other.send(2).unwrap());
        sender.send(3).unwrap();
        sends.join().unwrap();
        receives.join().unwrap()
    });
}

/// A permit that was given alone is there for whoever comes; another makes no difference then.
#[test]
fn a_permit_that_was_given_alone_is_there() {
    explored(2, || {
        let me = thread::current();
        me.unpark();
        let other = me.clone();
        let gives = thread::spawn(move || other.unpark());
        thread::park();
        gives.join().unwrap();
    });
}

/// It reads from when it was alone, so no writer comes before it; a reader may, or not.
#[test]
fn what_was_taken_alone_is_held() {
    explored(2, || {
        let lock = Arc::new(RwLock::new(0));
        let (theirs, reads) = (lock.clone(), lock.clone());
        let mine = lock.read().unwrap();
        let writes = thread::spawn(move || *theirs.write().unwrap() += 1);
        let seen = thread::spawn(move || *reads.read().unwrap());
        let before = *mine;
        drop(mine);
        writes.join().unwrap();
        (before, seen.join().unwrap())
    });
}

#[test]
fn a_loop_without_an_end_is_cut_off() {
    let busy = || {
        let x = AtomicUsize::new(0);
        thread::spawn(|| ()).join().unwrap();
        loop {
            x.fetch_add(1, SeqCst);
        }
    };
    let report = Explorer::new().max_steps(1000).explore(busy);
    assert!(matches!(report.verdict, Verdict::Incomplete { .. }), "{report}");
    assert_eq!(report.cut, 1);
}

/// Performs an operation in its destructor.
struct Rings(AtomicUsize);

impl Drop for Rings {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn whoever_waits_alone_waits_for_ever() {
    let locked = Explorer::new().check(|| {
        let _rings = Rings(AtomicUsize::new(0));
        let lock = Mutex::new(());
        let _held = lock.lock().unwrap();
        drop(lock.lock());
    });
    assert_eq!((locked.violations[0].name.as_str(), locked.deadlocks), ("no-deadlock", 1));
    // What is done while it unwinds is no part of the ordering.
    assert_eq!(locked.longest, 1);
    let spins = Explorer::new().check(|| {
        let x = AtomicUsize::new(0);
        thread::spawn(|| ()).join().unwrap();
        while x.load(SeqCst) == 0 {
            thread::yield_now();
        }
    });
    assert_eq!((spins.violations[0].name.as_str(), spins.livelocks), ("no-livelock", 1));
}

/// A token names each event, those of who is alone among them.
#[test]
fn an_ordering_runs_again() {
    let body = || phases(2);
    let report = Explorer::new().explore(body);
    assert_eq!(report.outcomes.len(), 4);
    for (outcome, found) in &report.outcomes {
        let again = Explorer::new().replay(&found.token, body);
        assert_eq!((again.diverged, again.outcome.as_ref()), (None, Some(outcome)));
        // Who is alone is not interrupted: one run for each thread, and one in between.
        assert_eq!(found.token.switches(), 6, "{}", found.token);
    }
}
