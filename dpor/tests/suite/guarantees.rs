//! The relation that the documentation promises, row by row: of each a few pairs of operations, and in how
//! many orderings two threads perform them. A row that is written otherwise there is noticed here.

use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::mpsc::{channel, sync_channel, Receiver, Sender, SyncSender};
use shuttle_dpor::sync::{counted, Barrier, Condvar, Mutex, Once, RwLock};
use shuttle_dpor::thread::{self, Thread};
use shuttle_dpor::Explorer;
use std::mem::forget;
use std::sync::Arc;
use std::time::Duration;

/// In how many orderings one thread does the one, and another the other.
fn orderings<A: Send + 'static, B: Send + 'static>(
    make: impl Fn() -> (A, B) + Send + Sync + 'static,
    one: fn(A),
    other: fn(B),
) -> u64 {
    let report = Explorer::new().reference_counts(true).explore(move || {
        let (a, b) = make();
        let a = thread::spawn(move || one(a));
        let b = thread::spawn(move || other(b));
        a.join().unwrap();
        b.join().unwrap();
    });
    report.assert_complete();
    assert_eq!((report.executions, report.blocked), (report.orderings, 0));
    report.orderings
}

/// What one thread does with what both share.
type Does<T> = fn(Arc<T>);

/// The same of what both share.
fn on<T: Send + Sync + 'static>(make: fn() -> T, one: Does<T>, other: Does<T>) -> u64 {
    let shared = move || {
        let shared = Arc::new(make());
        (shared.clone(), shared)
    };
    orderings(shared, one, other)
}

/// The documentation has such a row.
fn documented(object: &str, commutes: &str) {
    let row = format!("//! | {object} | {commutes} |\n");
    assert!(include_str!("../../src/lib.rs").contains(&row), "no such row: {row}");
}

#[test]
fn any_two() {
    documented(
        "any two",
        "all; but the first operation after a yield counts as a look at what its thread has looked at \
         since it changed something or yielded last, which is ordered with changes to that",
    );
    let two = || (AtomicUsize::new(0), AtomicUsize::new(0));
    assert_eq!(on(two, |two| two.0.store(1, SeqCst), |two| two.1.store(1, SeqCst)), 1);
    let look = |two: Arc<(AtomicUsize, AtomicUsize)>| {
        two.0.load(SeqCst);
        two.1.store(1, SeqCst);
    };
    assert_eq!(on(two, look, |two| two.0.store(1, SeqCst)), 2);
    let look_and_yield = |two: Arc<(AtomicUsize, AtomicUsize)>| {
        two.0.load(SeqCst);
        thread::yield_now();
        two.1.store(1, SeqCst);
        two.1.store(2, SeqCst);
    };
    assert_eq!(on(two, look_and_yield, |two| two.0.store(1, SeqCst)), 3);
    // What it looked at before its change is not looked at.
    let change_and_yield = |two: Arc<(AtomicUsize, AtomicUsize)>| {
        two.0.load(SeqCst);
        two.1.store(1, SeqCst);
        thread::yield_now();
        two.1.store(2, SeqCst);
    };
    assert_eq!(on(two, change_and_yield, |two| two.0.store(1, SeqCst)), 2);
}

#[test]
fn atomic() {
    documented("atomic", "loads and failed compare-exchanges, among themselves");
    let new = || AtomicUsize::new(0);
    let load: Does<AtomicUsize> = |atomic| _ = atomic.load(SeqCst);
    let store: Does<AtomicUsize> = |atomic| atomic.store(1, SeqCst);
    let add: Does<AtomicUsize> = |atomic| _ = atomic.fetch_add(0, SeqCst);
    let fail: Does<AtomicUsize> = |atomic| _ = atomic.compare_exchange(7, 8, SeqCst, SeqCst);
    let succeed: Does<AtomicUsize> = |atomic| _ = atomic.compare_exchange(0, 0, SeqCst, SeqCst);
    for (one, other) in [(load, load), (load, fail), (fail, fail)] {
        assert_eq!(on(new, one, other), 1);
    }
    for one in [load, store, add, fail, succeed] {
        for other in [store, add, succeed] {
            assert_eq!(on(new, one, other), 2);
        }
    }
}

#[test]
fn mutex() {
    documented("mutex", "none; but an acquisition has no place between another and its release");
    let lock = |mutex: Arc<Mutex<()>>| drop(mutex.lock().unwrap());
    assert_eq!(on(Mutex::default, lock, lock), 2);
    // An attempt has.
    let attempt = |mutex: Arc<Mutex<()>>| drop(mutex.try_lock());
    assert_eq!(on(Mutex::default, lock, attempt), 3);
    assert_eq!(on(Mutex::default, attempt, attempt), 4);
}

#[test]
fn rwlock() {
    documented(
        "rwlock",
        "acquisitions and releases by readers, successful or not, among themselves; that a writer begins \
         to wait, with all but acquisitions by readers",
    );
    let read = |lock: Arc<RwLock<()>>| drop(lock.read().unwrap());
    let try_read = |lock: Arc<RwLock<()>>| drop(lock.try_read());
    let write = |lock: Arc<RwLock<()>>| drop(lock.write().unwrap());
    let try_write = |lock: Arc<RwLock<()>>| drop(lock.try_write());
    let new = || RwLock::new(());
    assert_eq!(on(new, read, read), 1);
    assert_eq!(on(new, read, try_read), 1);
    assert_eq!(on(new, try_read, try_read), 1);
    assert_eq!(on(new, write, write), 2);
    // Before, after, and while the other has it.
    assert_eq!(on(new, write, try_write), 3);
    assert_eq!(on(new, read, try_write), 3);
    // A reader has no place in a writer's section, but it may come while the writer waits.
    assert_eq!(on(new, read, write), 2);
    // An attempt may come before it waits, while it waits, while it has it, and after that.
    assert_eq!(on(new, try_read, write), 4);
    // A reader that fails releases nothing.
    let writes = || {
        let lock = RwLock::new(());
        forget(lock.write().unwrap());
        lock
    };
    assert_eq!(on(writes, try_read, try_read), 1);
}

#[test]
fn a_look() {
    documented(
        "a look at a lock's poison, a once, a thread's end",
        "looks, among themselves; with a rwlock's readers",
    );
    let new = || (Mutex::new(()), RwLock::new(()), Once::new());
    type All = Does<(Mutex<()>, RwLock<()>, Once)>;
    let mutex: All = |all| _ = all.0.is_poisoned();
    let rwlock: All = |all| _ = all.1.is_poisoned();
    let once: All = |all| _ = all.2.is_completed();
    for look in [mutex, rwlock, once] {
        assert_eq!(on(new, look, look), 1);
    }
    assert_eq!(on(new, rwlock, |all| drop(all.1.read().unwrap())), 1);
    assert_eq!(on(new, rwlock, |all| drop(all.1.write().unwrap())), 3);
    assert_eq!(on(new, mutex, |all| drop(all.0.lock().unwrap())), 3);
    assert_eq!(on(new, mutex, |all| all.0.clear_poison()), 2);
    assert_eq!(on(new, once, |all| all.2.call_once(|| ())), 3);
    // Of a thread's end: two look, and the thread ends before, between, and after them.
    let report = Explorer::new().thread_ends(true).explore(|| {
        let ends = Arc::new(thread::spawn(|| ()));
        let looks = [0, 1].map(|_| {
            let ends = ends.clone();
            thread::spawn(move || ends.is_finished())
        });
        looks.map(|look| look.join().unwrap())
    });
    assert_eq!((report.orderings, report.outcomes.len()), (4, 4));
}

#[test]
fn once() {
    documented("once", "what finds it done: calls, waits and looks, among themselves");
    let done = || {
        let once = Once::new();
        once.call_once(|| ());
        once
    };
    let call: Does<Once> = |once| once.call_once(|| ());
    let wait: Does<Once> = |once| once.wait();
    let look: Does<Once> = |once| _ = once.is_completed();
    for (one, other) in [(call, call), (call, wait), (call, look), (wait, wait), (wait, look)] {
        assert_eq!(on(done, one, other), 1);
    }
    assert_eq!(on(Once::new, call, call), 2);
    assert_eq!(on(Once::new, call, wait), 1);
    assert_eq!(on(Once::new, call, look), 3);
}

#[test]
fn condition_variable() {
    documented(
        "condition variable",
        "the going on of a waiter that has been notified, with all; notifications that find nobody \
         waiting, among themselves",
    );
    let one: Does<Condvar> = |condvar| condvar.notify_one();
    let all: Does<Condvar> = |condvar| condvar.notify_all();
    for (a, b) in [(one, one), (one, all), (all, all)] {
        assert_eq!(on(Condvar::new, a, b), 1);
    }
    // The waiter is there when both come: the first wakes it, and when it goes on is no matter.
    let waiting = |notify: fn(&Condvar)| {
        let report = Explorer::new().explore(move || {
            let pair = Arc::new((Mutex::new(false), Condvar::new()));
            let theirs = pair.clone();
            let notifies = thread::spawn(move || {
                *theirs.0.lock().unwrap() = true;
                notify(&theirs.1);
                theirs.1.notify_one();
            });
            let wait = pair.1.wait_while(pair.0.lock().unwrap(), |ready| !*ready);
            drop(wait.unwrap());
            notifies.join().unwrap();
        });
        report.assert_complete();
        report.orderings
    };
    // Before it waits, or while it does; the second notification comes to nobody.
    assert_eq!([waiting(Condvar::notify_one), waiting(Condvar::notify_all)], [2, 2]);
}

#[test]
fn counted_reference() {
    documented(
        "counted reference",
        "clones with all but counting; upgrades among themselves; counting among itself; drops of weak \
         ones with all but counting and `get_mut`",
    );
    type Strong = counted::Arc<()>;
    type Weak = counted::Weak<()>;
    // Each has a reference and a weak one, and there is one more.
    let make = || {
        let a = Strong::new(());
        let mine = (a.clone(), Strong::downgrade(&a));
        let theirs = (a.clone(), Strong::downgrade(&a));
        forget(a);
        (mine, theirs)
    };
    type Both = (Strong, Weak);
    let clone = |both: Both| forget((both.0.clone(), both));
    let count = |both: Both| forget((Strong::strong_count(&both.0), both));
    let upgrade = |both: Both| forget((both.1.upgrade(), both));
    let drop_strong = |both: Both| {
        drop(both.0);
        forget(both.1);
    };
    let drop_weak = |both: Both| {
        forget(both.0);
        drop(both.1);
    };
    let get_mut = |mut both: Both| {
        assert!(Strong::get_mut(&mut both.0).is_none());
        forget(both);
    };
    type DoesWithBoth = fn(Both);
    let pairs: [(DoesWithBoth, DoesWithBoth, u64); 20] = [
        (clone, clone, 1),
        (clone, upgrade, 1),
        (clone, drop_strong, 1),
        (clone, drop_weak, 1),
        (clone, get_mut, 1),
        (clone, count, 2),
        (upgrade, upgrade, 1),
        (upgrade, drop_weak, 1),
        (upgrade, drop_strong, 2),
        (upgrade, get_mut, 2),
        (upgrade, count, 2),
        (count, count, 1),
        (count, drop_strong, 2),
        (count, drop_weak, 2),
        (drop_weak, drop_weak, 1),
        (drop_weak, drop_strong, 1),
        (drop_weak, get_mut, 2),
        (drop_strong, drop_strong, 2),
        (drop_strong, get_mut, 2),
        (get_mut, get_mut, 2),
    ];
    for (n, (one, other, expected)) in pairs.into_iter().enumerate() {
        assert_eq!(orderings(make, one, other), expected, "pair {n}");
    }
}

#[test]
fn channels() {
    documented(
        "channel",
        "drops of senders, among themselves and with sends; sends that find the receiver gone, among \
         themselves; the going on of who waits for a message, with all, if the channel has no limit",
    );
    let senders = || {
        let (tx, rx) = channel();
        forget(rx);
        (tx.clone(), tx)
    };
    let goes = drop;
    let sends = |tx: Sender<u32>| {
        tx.send(1).unwrap();
        forget(tx);
    };
    assert_eq!(orderings(senders, goes, goes), 1);
    assert_eq!(orderings(senders, goes, sends), 1);
    assert_eq!(orderings(senders, sends, sends), 2);
    let in_vain = || {
        let (tx, rx) = channel();
        drop(rx);
        (tx.clone(), tx)
    };
    let fails = |tx: Sender<u32>| {
        tx.send(1).unwrap_err();
        forget(tx);
    };
    assert_eq!(orderings(in_vain, fails, fails), 1);
    // Who waits for a message, and another send.
    let receive = |rx: Receiver<u32>| {
        rx.recv().unwrap();
        forget(rx);
    };
    let send_two = |tx: Sender<u32>| {
        tx.send(1).unwrap();
        tx.send(2).unwrap();
        forget(tx);
    };
    let without = || {
        let (tx, rx) = channel();
        (rx, tx)
    };
    assert_eq!(orderings(without, receive, send_two), 1);
    let with_limit = || {
        let (tx, rx) = sync_channel(2);
        (rx, tx)
    };
    let send_two = |tx: SyncSender<u32>| {
        tx.send(1).unwrap();
        tx.send(2).unwrap();
        forget(tx);
    };
    assert_eq!(orderings(with_limit, receive, send_two), 2);
    // An attempt is ordered with what it could have received.
    let attempt = |rx: Receiver<u32>| {
        _ = rx.try_recv();
        forget(rx);
    };
    assert_eq!(orderings(without, attempt, sends), 2);
}

#[test]
fn park_token() {
    documented("park token", "unparks, among themselves");
    let main = || (thread::current(), thread::current());
    let unpark = |thread: Thread| thread.unpark();
    assert_eq!(orderings(main, unpark, unpark), 1);
    // With who takes it: before or after a park that may end by itself.
    let report = Explorer::new().explore(|| {
        let main = thread::current();
        let unparks = thread::spawn(move || main.unpark());
        thread::park_timeout(Duration::ZERO);
        unparks.join().unwrap();
    });
    assert_eq!(report.orderings, 2);
}

#[test]
fn barrier() {
    documented("barrier", "none");
    assert_eq!(on(|| Barrier::new(2), |b| _ = b.wait(), |b| _ = b.wait()), 2);
}
