//! Loops that wait by looking again: they end the exploration, and what they wait for is explored.

use shuttle_dpor::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::{mpsc, Arc, Condvar, Mutex, RwLock};
use shuttle_dpor::{hint, report_violation, thread, Explorer, Report, Strategy, Verdict};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

const SOON: Duration = Duration::from_millis(1);

fn explore<T: Ord + Clone + Debug + Send + 'static>(
    body: impl Fn() -> T + Send + Sync + 'static,
) -> Report<T> {
    Explorer::new().max_executions(100_000).explore(body)
}

fn complete<T: Ord + Clone + Debug + Send + 'static>(
    body: impl Fn() -> T + Send + Sync + 'static,
) -> (u64, BTreeSet<T>) {
    let report = explore(body);
    report.assert_complete();
    assert_eq!((report.blocked, report.cut), (0, 0));
    (report.orderings, report.outcomes.into_keys().collect())
}

/// A flag that another thread sets, and a loop around `wait` until it is.
fn until_set(wait: fn()) -> (u64, BTreeSet<usize>) {
    complete(move || {
        let flag = Arc::new(AtomicBool::new(false));
        let theirs = flag.clone();
        thread::spawn(move || theirs.store(true, SeqCst));
        let mut rounds = 0;
        while !flag.load(SeqCst) {
            rounds += 1;
            wait();
        }
        rounds
    })
}

#[test]
fn whatever_yields_waits_for_a_change() {
    // The flag is set before the first look, or between that and the second.
    for wait in [thread::yield_now, hint::spin_loop, || thread::sleep(SOON)] {
        assert_eq!(until_set(wait), (2, [0, 1].into()));
    }
    // The token is an object, too: nobody changes it.
    assert_eq!(until_set(|| thread::park_timeout(SOON)).1, [0, 1].into());
}

#[test]
fn each_value_that_a_loop_sees_is_explored() {
    let (orderings, seen) = complete(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let y = x.clone();
        thread::spawn(move || {
            y.store(1, SeqCst);
            y.store(2, SeqCst);
        });
        let mut seen = Vec::new();
        loop {
            let value = x.load(SeqCst);
            seen.push(value);
            if value == 2 {
                break seen;
            }
            thread::yield_now();
        }
    });
    let expected = [vec![2], vec![0, 2], vec![1, 2], vec![0, 1, 2]];
    assert_eq!((orderings, seen), (4, expected.into()));
}

#[test]
fn a_loop_that_gives_up_is_explored_round_by_round() {
    let (orderings, seen) = complete(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let theirs = flag.clone();
        thread::spawn(move || theirs.store(true, SeqCst));
        let mut rounds = 0..3;
        // It gives up although the other will set the flag in the end.
        rounds.position(|_| {
            let set = flag.load(SeqCst);
            if !set {
                hint::spin_loop();
            }
            set
        })
    });
    assert_eq!((orderings, seen), (4, [None, Some(0), Some(1), Some(2)].into()));
}

#[test]
fn a_yield_outside_of_a_loop_waits_for_nothing() {
    let (_, seen) = complete(|| {
        let (x, y) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (a, b) = (x.clone(), y.clone());
        let other = thread::spawn(move || {
            a.store(1, SeqCst);
            b.load(SeqCst)
        });
        let first = x.load(SeqCst);
        thread::yield_now();
        y.store(1, SeqCst);
        (first, other.join().unwrap())
    });
    assert_eq!(seen, [(0, 0), (0, 1), (1, 0), (1, 1)].into());
}

#[test]
fn a_change_of_either_of_two_objects_is_enough() {
    let (_, seen) = complete(|| {
        let both = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
        for n in 0..2 {
            let both = both.clone();
            thread::spawn(move || both[n].store(true, SeqCst));
        }
        loop {
            let seen = [0, 1].map(|n: usize| both[n].load(SeqCst));
            if seen != [false, false] {
                break seen;
            }
            thread::yield_now();
        }
    });
    assert_eq!(seen, [[true, false], [false, true], [true, true]].into());
}

#[test]
fn a_spin_lock_excludes() {
    let (_, seen) = complete(|| {
        let lock = Arc::new((AtomicBool::new(false), AtomicUsize::new(0)));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let lock = lock.clone();
                thread::spawn(move || {
                    while lock.0.swap(true, SeqCst) {
                        hint::spin_loop();
                    }
                    let n = lock.1.load(SeqCst);
                    lock.1.store(n + 1, SeqCst);
                    lock.0.store(false, SeqCst);
                })
            })
            .collect();
        threads.into_iter().for_each(|t| t.join().unwrap());
        lock.1.load(SeqCst)
    });
    assert_eq!(seen, [2].into());
}

#[test]
fn what_is_behind_a_lock_can_be_polled() {
    complete(|| {
        let ready = Arc::new((Mutex::new(false), RwLock::new(false)));
        let (a, b) = (ready.clone(), ready.clone());
        let first = thread::spawn(move || {
            while !*a.0.lock().unwrap() {
                thread::sleep(SOON);
            }
            *a.1.write().unwrap() = true;
        });
        thread::spawn(move || *b.0.lock().unwrap() = true);
        while !*ready.1.read().unwrap() {
            thread::sleep(SOON);
        }
        first.join().unwrap();
    });
}

#[test]
fn attempts_can_be_repeated() {
    complete(|| {
        let lock = Arc::new(Mutex::new(0));
        let (theirs, (tx, rx)) = (lock.clone(), mpsc::channel());
        thread::spawn(move || {
            *theirs.lock().unwrap() += 1;
            tx.send(1).unwrap();
        });
        let mut guard = loop {
            match lock.try_lock() {
                Ok(guard) => break guard,
                Err(_) => thread::yield_now(),
            }
        };
        *guard += 1;
        drop(guard);
        while rx.try_recv() == Err(mpsc::TryRecvError::Empty) {
            thread::yield_now();
        }
    });
}

#[test]
fn a_timed_wait_in_a_loop_ends() {
    let (_, seen) = complete(|| {
        let ready = Arc::new((Mutex::new(false), Condvar::new()));
        let theirs = ready.clone();
        thread::spawn(move || {
            *theirs.0.lock().unwrap() = true;
            theirs.1.notify_one();
        });
        let mut timeouts = 0;
        let mut guard = ready.0.lock().unwrap();
        while !*guard {
            let (again, result) = ready.1.wait_timeout(guard, SOON).unwrap();
            timeouts += result.timed_out() as usize;
            guard = again;
        }
        timeouts
    });
    assert_eq!(seen, [0, 1].into());
    let (orderings, seen) = complete(|| {
        let (tx, rx) = mpsc::channel();
        thread::spawn(move || {
            tx.send(7).unwrap();
            std::mem::forget(tx);
        });
        let mut timeouts = 0;
        loop {
            match rx.recv_timeout(SOON) {
                Ok(n) => break (n, timeouts),
                Err(_) => timeouts += 1,
            }
        }
    });
    assert_eq!((orderings, seen), (2, [(7, 0), (7, 1)].into()));
}

#[test]
fn a_spin_that_nobody_ends_is_a_livelock() {
    let body = || {
        let flag = Arc::new(AtomicBool::named("flag", false));
        let theirs = flag.clone();
        let t = thread::spawn(move || {
            // The bug: the store that was to end the wait comes behind it.
            while !theirs.load(SeqCst) {
                thread::yield_now();
            }
            theirs.store(true, SeqCst);
        });
        t.join().unwrap();
    };
    for strategy in [Strategy::Dpor, Strategy::Dfs] {
        let report = Explorer::new().strategy(strategy).explore(body);
        assert_eq!((&report.verdict, report.exhausted()), (&Verdict::Violated, true));
        assert_eq!((report.orderings, report.livelocks, report.deadlocks), (1, 1, 0));
        let v = report.violation("no-livelock").expect("it spins for ever");
        assert!(v.detail.contains("thread 1 spins on flag at "), "{}", v.detail);
        assert!(v.detail.contains("awaiting.rs"), "{}", v.detail);
        assert!(v.witness.to_string().contains("load flag: 0"), "{}", v.witness);
        let replay = Explorer::new().replay(&v.token, body);
        assert_eq!((replay.violations.len(), replay.diverged), (1, None));
    }
}

#[test]
fn who_is_stuck_while_another_spins_is_in_a_deadlock() {
    let report = explore(|| {
        let (lock, flag) = (Arc::new(Mutex::new(())), Arc::new(AtomicBool::new(false)));
        let guard = lock.lock().unwrap();
        let (theirs, ended) = (lock.clone(), flag.clone());
        thread::spawn(move || {
            drop(theirs.lock().unwrap());
            ended.store(true, SeqCst);
        });
        while !flag.load(SeqCst) {
            thread::yield_now();
        }
        drop(guard);
    });
    assert!(report.exhausted());
    assert_eq!((report.deadlocks, report.livelocks), (report.orderings, 0));
    let v = report.violation("no-deadlock").expect("the lock is held for ever");
    assert!(
        v.detail.contains("main spins on") && v.detail.contains("waits to lock"),
        "{}",
        v.detail
    );
}

#[test]
fn a_lost_wakeup_does_not_hide_a_lock_cycle() {
    let report = explore(|| {
        let pair = Arc::new((Mutex::named("a", ()), Condvar::named("wakeups")));
        let b = Arc::new(Mutex::named("b", ()));
        let (pair2, b2) = (pair.clone(), b.clone());
        let t = thread::spawn(move || {
            let _b = b2.lock().unwrap();
            let _a = pair2.0.lock().unwrap();
            pair2.1.notify_one();
        });
        let a = pair.0.lock().unwrap();
        let both = b.lock().unwrap();
        drop(both);
        drop(pair.1.wait(a).unwrap());
        t.join().unwrap();
    });
    let stuck: Vec<_> = report.violations.iter().filter(|v| v.name == "no-deadlock").collect();
    assert_eq!(stuck.len(), 2, "{stuck:?}");
    assert_eq!(stuck.iter().map(|v| v.orderings).sum::<u64>(), report.deadlocks);
    let detail = |what: &str| stuck.iter().any(|v| v.detail.contains(what));
    assert!(detail("waits to be woken by wakeups") && detail("waits to lock b"), "{stuck:?}");
    for v in &stuck {
        assert_eq!(v.witness.switches(), v.token.switches());
    }
}

#[test]
fn panics_are_told_apart_by_where_they_come_from() {
    let report = explore(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let y = x.clone();
        thread::spawn(move || y.store(1, SeqCst));
        match x.load(SeqCst) {
            0 => panic!("too early"),
            _ => panic!("too late"),
        }
    });
    let panics: Vec<_> =
        report.violations.iter().map(|v| (v.detail.as_str(), v.orderings)).collect();
    assert_eq!(panics.len(), 2);
    assert!(panics[0].0.starts_with("too early at ") && panics[0].1 == 1, "{panics:?}");
    assert!(panics[1].0.starts_with("too late at ") && panics[1].1 == 1, "{panics:?}");
}

#[test]
fn who_spins_without_yielding_is_named() {
    let report = Explorer::new().max_steps(50).max_executions(200).explore(|| {
        let x = Arc::new(AtomicUsize::named("x", 0));
        let y = x.clone();
        thread::spawn(move || y.store(1, SeqCst));
        let mut rounds = 0;
        while x.load(SeqCst) == 0 {
            rounds += 1;
        }
        if rounds == 17 {
            report_violation("seventeen", "");
        }
    });
    // One execution is cut off, another just before the loop would have ended, and all the others are
    // found from these.
    assert_eq!((report.cut, report.orderings), (2, 49));
    assert!(report.violation("seventeen").is_some());
    let why = report.incomplete.expect("an execution was cut off");
    assert!(why.contains("50 of them by main, the last one load x at "), "{why}");
    let cut = report.cut_off.expect("an execution was cut off");
    assert_eq!(cut.witness.steps.len(), 50);
}

/// A wait with a timeout and a notification that may come before it.
fn late_waiter() -> bool {
    let pair = Arc::new((Mutex::new(()), Condvar::new()));
    let theirs = pair.clone();
    thread::spawn(move || theirs.1.notify_one());
    let guard = pair.0.lock().unwrap();
    let (_guard, result) = pair.1.wait_timeout(guard, SOON).unwrap();
    result.timed_out()
}

#[test]
fn a_timeout_may_be_kept_for_when_nothing_else_can_go_on() {
    // Notified before the wait, or after it had timed out.
    assert_eq!(explore(late_waiter).outcomes[&true].orderings, 2);
    for strategy in [Strategy::Dpor, Strategy::Dfs] {
        let report = Explorer::new().timeouts(0).strategy(strategy).explore(late_waiter);
        report.assert_complete();
        // It times out only if it has been notified before.
        assert_eq!(report.outcomes.keys().copied().collect::<Vec<_>>(), [false, true]);
    }
    let report = Explorer::new().timeouts(0).explore(late_waiter);
    assert_eq!((report.orderings, report.outcomes[&true].orderings), (2, 1));
}

#[test]
fn waits_that_time_out_last_are_explored_in_each_order() {
    let report = Explorer::new().timeouts(0).explore(|| {
        let order = Arc::new(Mutex::new(Vec::new()));
        let parked: Vec<_> = (0..2)
            .map(|n| {
                let order = order.clone();
                thread::spawn(move || {
                    thread::park_timeout(SOON);
                    order.lock().unwrap().push(n);
                })
            })
            .collect();
        order.lock().unwrap().push(2);
        parked.into_iter().for_each(|t| t.join().unwrap());
        let order = order.lock().unwrap().clone();
        order
    });
    report.assert_complete();
    assert_eq!(report.outcomes.into_keys().collect::<Vec<_>>(), [[2, 0, 1], [2, 1, 0]]);
}

#[test]
fn so_many_waits_of_a_thread_time_out_at_any_point() {
    let early = |n| {
        let report = Explorer::new().timeouts(n).explore(|| {
            let me = thread::current();
            let set = Arc::new(AtomicBool::new(false));
            let theirs = set.clone();
            let t = thread::spawn(move || {
                theirs.store(true, SeqCst);
                me.unpark();
            });
            // Whether it goes on before the other thread has done anything.
            let early = [(); 3].map(|()| {
                thread::park_timeout(SOON);
                !set.load(SeqCst)
            });
            t.join().unwrap();
            early.iter().filter(|&&early| early).count()
        });
        assert!(report.exhausted());
        report.outcomes.into_keys().max()
    };
    assert_eq!([early(0), early(1), early(2), early(9)], [Some(0), Some(1), Some(2), Some(3)]);
}

#[test]
fn a_lost_wakeup_behind_a_timeout_is_a_livelock() {
    let report = Explorer::new().timeouts(0).explore(|| {
        let pair = Arc::new((Mutex::new(false), Condvar::named("wakeups")));
        let theirs = pair.clone();
        // The bug: nothing is set, so who waits later waits in vain.
        thread::spawn(move || theirs.1.notify_one());
        let mut guard = pair.0.lock().unwrap();
        while !*guard {
            guard = pair.1.wait_timeout(guard, SOON).unwrap().0;
        }
    });
    assert!(report.exhausted());
    assert_eq!(report.livelocks, report.orderings);
    let v = report.violation("no-livelock").expect("nobody sets the flag");
    assert!(v.detail.contains("wakeups"), "{}", v.detail);
}

/// Waits for a flag behind a lock by `wait_timeout_while`, once, or again and again until that has not
/// timed out; another thread sets it, if it does, and notifies. Whether the last wait has timed out.
fn waits_while(sets: bool, again: bool) -> impl Fn() -> bool + Send + Sync {
    move || {
        let pair = Arc::new((Mutex::new(false), Condvar::new()));
        let theirs = pair.clone();
        thread::spawn(move || {
            if sets {
                *theirs.0.lock().unwrap() = true;
            }
            theirs.1.notify_one();
        });
        let mut guard = pair.0.lock().unwrap();
        loop {
            let (next, result) = pair.1.wait_timeout_while(guard, SOON, |set| !*set).unwrap();
            if !(again && result.timed_out()) {
                break result.timed_out();
            }
            guard = next;
        }
    }
}

/// Its orderings by whether the wait has timed out, with so many timeouts, and no others.
fn timed_out_in(timeouts: u32, body: impl Fn() -> bool + Send + Sync + 'static) -> [u64; 2] {
    let body = std::sync::Arc::new(body);
    let explore = |strategy| {
        let body = body.clone();
        Explorer::new().timeouts(timeouts).strategy(strategy).explore(move || body())
    };
    let (report, all) = (explore(Strategy::Dpor), explore(Strategy::Dfs));
    report.assert_complete();
    assert_eq!(report.executions, report.orderings);
    assert!(report.outcomes.keys().eq(all.outcomes.keys()));
    [false, true].map(|out| report.outcomes.get(&out).map_or(0, |seen| seen.orderings))
}

#[test]
fn wait_timeout_while_may_time_out() {
    // The flag is set before the first look; or else the wait is notified, or has ended by itself and
    // finds the flag set, or not.
    let once = [0, 1, u32::MAX].map(|timeouts| timed_out_in(timeouts, waits_while(true, false)));
    // As long as another thread can go on, no wait ends by itself with no timeout to spare.
    assert_eq!(once, [[2, 0], [3, 1], [3, 1]]);
    // Who is notified and finds the flag as it was waits again. The notification comes before the wait,
    // in the first wait, or after that has timed out: not so if there are none to spare.
    let in_vain =
        [0, 1, u32::MAX].map(|timeouts| timed_out_in(timeouts, waits_while(false, false)));
    assert_eq!(in_vain, [[0, 2], [0, 3], [0, 3]]);
}

#[test]
fn wait_timeout_while_in_a_loop_is_awaited() {
    // As above, but who finds the flag not set waits on, and sees it when it is.
    let looped = [0, 1, u32::MAX].map(|timeouts| timed_out_in(timeouts, waits_while(true, true)));
    assert_eq!(looped, [[2, 0], [3, 0], [3, 0]]);
    // Nobody sets it: each ordering waits for ever, whatever the notification comes before.
    for timeouts in [0, 1, u32::MAX] {
        for strategy in [Strategy::Dpor, Strategy::Dfs] {
            let explorer = Explorer::new().timeouts(timeouts).strategy(strategy);
            let report = explorer.explore(waits_while(false, true));
            assert!(report.exhausted() && report.orderings > 1, "{report}");
            assert_eq!((report.livelocks, report.violations.len()), (report.orderings, 1));
        }
    }
}

#[test]
fn how_often_a_loop_looks_may_depend_on_what_is_behind_a_lock() {
    let (_, seen) = complete(|| {
        let (rounds, flag) = (Arc::new(Mutex::new(2)), Arc::new(AtomicBool::new(false)));
        let (more, theirs) = (rounds.clone(), flag.clone());
        let t = thread::spawn(move || {
            // More rounds than anybody counts.
            *more.lock().unwrap() = 1000;
            theirs.store(true, SeqCst);
        });
        let rounds = *rounds.lock().unwrap();
        let found = (0..rounds).position(|_| {
            let set = flag.load(SeqCst);
            if !set {
                thread::yield_now();
            }
            set
        });
        t.join().unwrap();
        (rounds, found)
    });
    let expected = [(2, None), (2, Some(0)), (2, Some(1)), (1000, Some(0)), (1000, Some(1))];
    assert_eq!(seen, expected.into());
}

#[test]
fn waits_for_one_condvar_that_time_out_last_are_explored_in_each_order() {
    let report = Explorer::new().timeouts(0).explore(|| {
        let shared = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let waiters: Vec<_> = (0..2)
            .map(|n| {
                let shared = shared.clone();
                thread::spawn(move || {
                    let guard = shared.0.lock().unwrap();
                    let (mut order, _) = shared.1.wait_timeout(guard, SOON).unwrap();
                    order.push(n);
                    // Wakes the other, if that still waits.
                    shared.1.notify_one();
                })
            })
            .collect();
        waiters.into_iter().for_each(|t| t.join().unwrap());
        let order = shared.0.lock().unwrap().clone();
        order
    });
    report.assert_complete();
    assert_eq!(report.outcomes.into_keys().collect::<Vec<_>>(), [[0, 1], [1, 0]]);
}

#[test]
fn who_waits_for_references_waits_for_their_number() {
    let alone: fn(&mut Arc<()>) -> bool = |own| Arc::strong_count(own) == 1;
    let unique: fn(&mut Arc<()>) -> bool = |own| Arc::get_mut(own).is_some();
    for until in [alone, unique] {
        let report = Explorer::new().reference_counts(true).explore(move || {
            let mut own = Arc::new(());
            let (theirs, weak) = (own.clone(), Arc::downgrade(&own));
            let t = thread::spawn(move || {
                let again = theirs.clone();
                drop(theirs);
                drop(again);
                drop(weak);
            });
            let mut rounds = 0;
            while !until(&mut own) {
                rounds += 1;
                thread::yield_now();
            }
            t.join().unwrap();
            rounds
        });
        report.assert_complete();
        let seen: Vec<_> = report.outcomes.into_keys().collect();
        // The count is 2, 3, 2 and 1; a clone changes nothing for who wants to be the only one, and
        // of what does, two drops and the weak one's, the last lets it.
        assert_eq!(seen, [0, 1, 2, 3], "{}", report.orderings);
    }
}

#[test]
fn a_loop_that_tries_to_unwrap_a_reference_waits_for_drops() {
    let report = Explorer::new().reference_counts(true).explore(|| {
        let mut own = Arc::new(());
        let weak = Arc::downgrade(&own);
        let others: Vec<_> = (0..2)
            .map(|_| {
                let theirs = own.clone();
                thread::spawn(move || drop(theirs))
            })
            .collect();
        let looks = thread::spawn(move || {
            while weak.upgrade().is_some() {
                thread::yield_now();
            }
        });
        let mut rounds = 0;
        while let Err(shared) = Arc::try_unwrap(own) {
            own = shared;
            rounds += 1;
            thread::yield_now();
        }
        others.into_iter().for_each(|t| t.join().unwrap());
        looks.join().unwrap();
        rounds
    });
    report.assert_complete();
    assert!(report.outcomes.contains_key(&0) && report.outcomes.contains_key(&2));
}

#[test]
fn a_receiver_that_times_out_comes_back_to_the_rendezvous() {
    // Whoever tries to send there while it is away may have to try again, and it comes back for that.
    let report = explore(|| {
        let (tx, rx) = mpsc::sync_channel(0);
        thread::spawn(move || {
            let sent = (0..2).any(|n| tx.try_send(n).is_ok());
            if !sent {
                std::mem::forget(tx);
            }
        });
        let mut timeouts = 0;
        loop {
            match rx.recv_timeout(SOON) {
                Err(mpsc::RecvTimeoutError::Timeout) => timeouts += 1,
                done => break (done.ok(), timeouts),
            }
        }
    });
    assert_eq!((report.cut, report.exhausted()), (0, true));
    // Neither attempt fails while it is there; the first fails before it has come, or while it is away.
    let seen: Vec<_> = report.outcomes.keys().copied().collect();
    assert_eq!(seen, [(Some(0), 0), (Some(1), 0), (Some(1), 1)]);
    assert!(report.livelocks > 0, "both attempts may come while it is away");
}

#[test]
fn who_has_timed_out_is_not_at_the_rendezvous() {
    let (orderings, seen) = complete(|| {
        let (tx, rx) = mpsc::sync_channel(0);
        (rx.recv_timeout(SOON).is_err(), tx.try_send(1).is_err())
    });
    assert_eq!((orderings, seen), (1, [(true, true)].into()));
}

#[test]
fn a_receiver_that_times_out_comes_back_when_the_last_sender_goes() {
    let (orderings, seen) = complete(|| {
        let (tx, rx) = mpsc::channel::<()>();
        thread::spawn(move || drop(tx));
        let mut timeouts = 0;
        while rx.recv_timeout(SOON) == Err(mpsc::RecvTimeoutError::Timeout) {
            timeouts += 1;
        }
        timeouts
    });
    assert_eq!((orderings, seen), (2, [0, 1].into()));
}

#[test]
fn who_tries_to_send_does_not_wait_for_other_senders_to_go() {
    // To receive is ordered with the goodbye (2). If an attempt comes before that, the next comes
    // after it, and after the goodbye or not (3).
    let (orderings, seen) = complete(|| {
        let (tx, rx) = mpsc::sync_channel(1);
        tx.send(0).unwrap();
        let (goes, tries) = (tx.clone(), tx.clone());
        let goodbye = thread::spawn(move || drop(goes));
        let sends = thread::spawn(move || {
            let mut rounds = 0;
            while tries.try_send(1).is_err() {
                rounds += 1;
                thread::yield_now();
            }
            rounds
        });
        rx.recv().unwrap();
        goodbye.join().unwrap();
        (sends.join().unwrap(), tx).0
    });
    assert_eq!((orderings, seen), (5, [0, 1].into()));
}

#[test]
fn a_loop_waits_for_what_each_of_its_looks_at_one_object_waits_for() {
    // The first waits for poison alone, the second for readers to leave as well.
    let (orderings, seen) = complete(|| {
        let lock = Arc::new(RwLock::new(()));
        let theirs = lock.clone();
        let reads = thread::spawn(move || drop(theirs.read().unwrap()));
        let mut rounds = 0;
        while !lock.is_poisoned() && lock.try_write().is_err() {
            rounds += 1;
            thread::yield_now();
        }
        reads.join().unwrap();
        rounds
    });
    // The attempt comes before the reader, after it, or twice: with it and after it.
    assert_eq!((orderings, seen), (3, [0, 1].into()));
}

#[test]
fn who_waits_until_a_lock_is_taken_looks_again_when_it_is() {
    // The first attempt succeeds or not; the owner looks for the end of that before it comes, or after.
    let (orderings, _) = complete(|| {
        let shared = Arc::new((Mutex::new(()), AtomicBool::new(false)));
        let theirs = shared.clone();
        thread::spawn(move || {
            let _guard = theirs.0.lock().unwrap();
            while !theirs.1.load(SeqCst) {
                thread::yield_now();
            }
        });
        while shared.0.try_lock().is_ok() {
            thread::yield_now();
        }
        shared.1.store(true, SeqCst);
    });
    assert_eq!(orderings, 4);
    // The first may also fail because the writer waits, or has the lock.
    let (orderings, _) = complete(|| {
        let shared = Arc::new((RwLock::new(()), AtomicBool::new(false)));
        let theirs = shared.clone();
        thread::spawn(move || {
            let _guard = theirs.0.write().unwrap();
            while !theirs.1.load(SeqCst) {
                thread::yield_now();
            }
        });
        while shared.0.try_read().is_ok() {
            thread::yield_now();
        }
        shared.1.store(true, SeqCst);
    });
    assert_eq!(orderings, 6);
}

/// What comes before a loop looks for something else than the loop does.
#[test]
fn a_loop_waits_for_what_its_own_rounds_look_at() {
    let (orderings, _) = complete(|| {
        let lock = Arc::new(RwLock::new(()));
        let theirs = lock.clone();
        thread::spawn(move || drop(theirs.write().unwrap()));
        drop(lock.try_write());
        thread::yield_now();
        while lock.try_read().is_err() {
            thread::yield_now();
        }
    });
    assert_eq!(orderings, 6);
}

#[test]
fn a_wait_with_a_timeout_may_wake_without_a_reason() {
    let timed_out = |explorer: Explorer| {
        let report = explorer.explore(|| {
            let pair = (Mutex::new(()), Condvar::new());
            let (_guard, result) = pair.1.wait_timeout(pair.0.lock().unwrap(), SOON).unwrap();
            result.timed_out()
        });
        report.assert_complete();
        report.outcomes.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(timed_out(Explorer::new()), [true]);
    assert_eq!(timed_out(Explorer::new().timeouts(0)), [true]);
    assert_eq!(timed_out(Explorer::new().spurious_wakeups(1)), [false, true]);
    assert_eq!(timed_out(Explorer::new().spurious_wakeups(1).timeouts(0)), [false, true]);
}

#[test]
fn addresses_are_other_ones_in_each_execution() {
    let report = Explorer::new().max_time(Duration::from_secs(100)).explore(|| {
        // Leaked, so that each execution has addresses of its own.
        let node = |n: u32| Box::into_raw(Box::new(n));
        let first = node(0);
        let head = Arc::new(AtomicPtr::new(first));
        let other = head.clone();
        thread::spawn(move || {
            other.store(node(1), SeqCst);
            other.store(node(2), SeqCst);
        });
        while head.load(SeqCst) == first {
            hint::spin_loop();
        }
    });
    report.assert_complete();
    // The loop ends with the first store, or with the second; with or without a look before.
    assert_eq!(report.orderings, 4, "{report}");
}
