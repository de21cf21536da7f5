//! What need not race: each program has as many orderings as it has ways to go that somebody could tell
//! apart.

use shuttle_dpor::parts::Permit;
use shuttle_dpor::sync::mpsc::{channel, sync_channel};
use shuttle_dpor::sync::{Arc, Condvar, Mutex, Once};
use shuttle_dpor::{thread, Explorer};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

fn complete<T: Ord + Clone + Debug + Send + 'static>(
    body: impl Fn() -> T + Send + Sync + 'static,
) -> (u64, BTreeSet<T>) {
    let report = Explorer::new().explore(body);
    report.assert_complete();
    assert_eq!((report.executions, report.blocked), (report.orderings, 0));
    (report.orderings, report.outcomes.into_keys().collect())
}

fn orderings(body: impl Fn() + Send + Sync + 'static) -> u64 {
    complete(body).0
}

/// Runs `f` in so many threads, and joins them.
fn each_of(threads: usize, f: impl Fn(usize) + Clone + Send + 'static) {
    let run = |n| {
        let f = f.clone();
        thread::spawn(move || f(n))
    };
    let threads: Vec<_> = (0..threads).map(run).collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
}

#[test]
fn notifications_that_find_nobody() {
    let idle = || {
        let condvar = Arc::new(Condvar::new());
        each_of(4, move |n| if n % 2 == 0 { condvar.notify_one() } else { condvar.notify_all() });
    };
    assert_eq!(orderings(idle), 1);
}

#[test]
fn a_wait_is_before_or_after_each_notification() {
    // Those that come before the wait are for nobody. The first of the others, if there is one, wakes it.
    let report = Explorer::new().explore(|| {
        let pair = Arc::new((Mutex::new(()), Condvar::new()));
        let theirs = pair.clone();
        thread::spawn(move || drop(theirs.1.wait(theirs.0.lock().unwrap()).unwrap()));
        for _ in 0..3 {
            let theirs = pair.clone();
            thread::spawn(move || theirs.1.notify_one());
        }
    });
    // By how many are late: none, and it waits for ever; or one of one, of two, of three.
    assert_eq!(report.orderings, 1 + 3 + 3 * 2 + 3);
    assert_eq!(report.deadlocks, 1);
}

#[test]
fn who_begins_to_wait_later_has_no_part_in_an_earlier_notification() {
    let (_, seen) = complete(|| {
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        let waits = [(); 2].map(|_| {
            let shared = shared.clone();
            thread::spawn(move || {
                let mut waiting = shared.0.lock().unwrap();
                *waiting += 1;
                drop(shared.1.wait_while(waiting, |waiting| *waiting < 9).unwrap());
            })
        });
        let both = *shared.0.lock().unwrap() == 2;
        shared.1.notify_one();
        let waiting = shared.0.lock().unwrap();
        let (mut waiting, result) = shared.1.wait_timeout(waiting, Duration::ZERO).unwrap();
        *waiting = 9;
        drop(waiting);
        shared.1.notify_all();
        waits.into_iter().for_each(|waits| waits.join().unwrap());
        (both, result.timed_out())
    });
    // One of the two takes it, and waits on.
    assert_eq!(seen, [(false, true), (true, true)].into());
}

/// Threads that take from a semaphore, and others that give, with the lock held while they notify or not.
fn semaphore(takers: usize, givers: usize, holding: bool) -> u64 {
    orderings(move || {
        let semaphore = Arc::new((Mutex::new(0), Condvar::new()));
        each_of(takers + givers, move |n| {
            let mut permits = semaphore.0.lock().unwrap();
            if n < takers {
                while *permits == 0 {
                    permits = semaphore.1.wait(permits).unwrap();
                }
                *permits -= 1;
                return;
            }
            *permits += 1;
            if holding {
                semaphore.1.notify_one();
            } else {
                drop(permits);
                semaphore.1.notify_one();
            }
        });
    })
}

#[test]
fn semaphores() {
    let sizes = [(1, 2), (1, 3), (1, 4), (2, 2), (2, 3)];
    let holding = sizes.map(|(takers, givers)| semaphore(takers, givers, true));
    let afterwards = sizes.map(|(takers, givers)| semaphore(takers, givers, false));
    assert_eq!([holding, afterwards], [[8, 36, 192, 68, 516], [10, 54, 336, 116, 1368]]);
}

/// Two permits for three threads that take one, count something behind a lock of its own, and give it back.
///
/// Nobody waits twice. The semaphore's lock is acquired in 90 orders: 54 in which nobody waits, and 36 in
/// which the third to come (6 orders of coming) waits for the first of the others to give back (2), goes on
/// before the second does, or after it, and gives back before or after that (3). With the orders of the
/// counter's lock, which a thread acquires between its two acquisitions, they are 126 and 12 * (3 + 3 + 2).
/// So there are 222 orders of acquiring locks, which no relation by which acquisitions of one lock depend on
/// each other can fall short of. With the lock held while they notify these are all. Without, where both
/// have given back before the third goes on (12 * 2), it is one or the other that has woken it.
///
/// As long as notifications that find nobody were ordered the latter were 996.
#[test]
fn two_permits_for_three_threads() {
    let orderings_of = |holding: bool| {
        orderings(move || {
            let shared = Arc::new((Mutex::new(2), Condvar::new(), Mutex::new(0)));
            each_of(3, move |_| {
                let mut permits = shared.0.lock().unwrap();
                while *permits == 0 {
                    permits = shared.1.wait(permits).unwrap();
                }
                *permits -= 1;
                drop(permits);
                *shared.2.lock().unwrap() += 1;
                let mut permits = shared.0.lock().unwrap();
                *permits += 1;
                if holding {
                    shared.1.notify_one();
                } else {
                    drop(permits);
                    shared.1.notify_one();
                }
            });
        })
    };
    assert_eq!([true, false].map(orderings_of), [126 + 96, 126 + 96 + 24]);
}

#[test]
fn unparks_of_one_thread() {
    let unparked = |park: fn()| {
        move || {
            let main = thread::current();
            for _ in 0..3 {
                let main = main.clone();
                thread::spawn(move || main.unpark());
            }
            park();
        }
    };
    assert_eq!(orderings(unparked(|| ())), 1);
    // By which of them come before: some, or none as well.
    assert_eq!(orderings(unparked(thread::park)), 7);
    assert_eq!(orderings(unparked(|| thread::park_timeout(Duration::ZERO))), 8);
}

#[test]
fn an_unpark_may_come_for_a_later_park() {
    // Both for the first, and the second waits for ever; or one for each, in either order.
    let report = Explorer::new().explore(|| {
        let main = thread::current();
        for _ in 0..2 {
            let main = main.clone();
            thread::spawn(move || main.unpark());
        }
        thread::park();
        thread::park();
    });
    assert_eq!((report.orderings, report.deadlocks), (3, 1));
}

#[test]
fn calls_of_a_once_that_is_done() {
    let called = || {
        let once = Arc::new(Once::new());
        each_of(4, move |_| once.call_once(|| ()));
    };
    assert_eq!(orderings(called), 4);
}

#[test]
fn a_message_is_received_when_it_has_been_sent() {
    // What counts is the order of the sends; the receiver, and who goes when, could not be told.
    let (orderings, seen) = complete(|| {
        let (tx, rx) = channel();
        for sender in 0..2 {
            let tx = tx.clone();
            thread::spawn(move || {
                tx.send((sender, 0)).unwrap();
                tx.send((sender, 1)).unwrap();
            });
        }
        drop(tx);
        rx.iter().collect::<Vec<_>>()
    });
    assert_eq!((orderings, seen.len()), (6, 6));
}

#[test]
fn who_may_time_out_races_with_each_send() {
    let (orderings, seen) = complete(|| {
        let (tx, rx) = channel();
        let sender = thread::spawn(move || {
            tx.send(1).unwrap();
            tx.send(2).unwrap();
            std::mem::forget(tx);
        });
        let first = rx.recv_timeout(Duration::ZERO).ok();
        let second = rx.try_recv().ok();
        sender.join().unwrap();
        (first, second)
    });
    let all = [(None, None), (None, Some(1)), (Some(1), None), (Some(1), Some(2))];
    assert_eq!(seen, all.into());
    assert_eq!(orderings, 6);
}

#[test]
fn who_has_a_message_does_not_wait_for_those_who_go() {
    // With a limit to take a message is to make room, which is ordered with the sends. Who goes before
    // the message is taken, and who after?
    let taken = |limit| {
        move || {
            let (tx, rx) = sync_channel(limit);
            let idle = tx.clone();
            let goes = thread::spawn(move || drop(idle));
            let sends = thread::spawn(move || tx.send(7).unwrap());
            assert_eq!(rx.recv(), Ok(7));
            goes.join().unwrap();
            sends.join().unwrap();
        }
    };
    assert_eq!(orderings(taken(1)), 4);
}

#[test]
fn messages_for_a_receiver_that_is_gone() {
    let in_vain = || {
        let (tx, rx) = channel();
        drop(rx);
        each_of(3, move |n| assert!(tx.send(n).is_err()));
    };
    assert_eq!(orderings(in_vain), 1);
}

/// Of two who wait for a permit that is no thread's, either may get it.
#[test]
fn a_permit_is_anyones() {
    let report = Explorer::new().check(|| {
        let permit = Arc::new(Permit::new());
        let threads = [0, 1].map(|_| {
            let permit = permit.clone();
            thread::spawn(move || assert!(permit.take(false)))
        });
        permit.give();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
    assert_eq!((report.orderings, report.deadlocks), (2, 2));
}
