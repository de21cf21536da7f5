//! Long executions: what is done with one takes an effort, and a stack, that its length does not
//! decide.

use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::{mpsc, Arc};
use shuttle_dpor::{thread, Explorer, Report, Verdict};
use std::time::Duration;

/// Explores on a thread with a stack of the usual size, and does not wait for it for ever.
fn explore(explorer: Explorer, body: impl Fn() + Send + Sync + 'static) -> Report<()> {
    let (done, report) = std::sync::mpsc::channel();
    std::thread::spawn(move || done.send(explorer.explore(body)).unwrap());
    report.recv_timeout(Duration::from_secs(60)).expect("a report in time")
}

/// Two threads that wait for each other `rounds` times.
fn ping_pong(rounds: usize) {
    let ((tx, rx), (ty, ry)) = (mpsc::channel(), mpsc::channel());
    thread::spawn(move || {
        for i in 0..rounds {
            tx.send(i).unwrap();
            ry.recv().unwrap();
        }
        std::mem::forget((tx, ry));
    });
    thread::spawn(move || {
        for _ in 0..rounds {
            ty.send(rx.recv().unwrap()).unwrap();
        }
        std::mem::forget((rx, ty));
    });
}

/// Two threads that both send before they receive: each might be one run, but not both.
fn exchange() {
    let ((tx, rx), (ty, ry)) = (mpsc::channel(), mpsc::channel());
    for (to, from) in [(tx, ry), (ty, rx)] {
        thread::spawn(move || {
            to.send(()).unwrap();
            from.recv().unwrap();
            std::mem::forget((to, from));
        });
    }
}

/// Pairs of threads, beside a race that makes two orderings of it.
fn pairs(pairs: usize, pair: impl Fn() + Send + Sync + 'static) -> Report<()> {
    explore(Explorer::new().max_steps(1_000_000), move || {
        let x = Arc::new(AtomicUsize::new(0));
        let z = x.clone();
        for _ in 0..pairs {
            pair();
        }
        thread::spawn(move || z.store(1, SeqCst));
        x.store(2, SeqCst);
    })
}

/// Two long executions: what the race reverses to is as long as they are.
fn long_race(explorer: Explorer) -> Report<()> {
    explore(explorer.max_steps(10_000_000), || {
        let x = Arc::new(AtomicUsize::new(0));
        let y = x.clone();
        thread::spawn(move || y.store(1, SeqCst));
        thread::yield_now();
        let z = AtomicUsize::new(0);
        for i in 0..30_000 {
            z.store(i, SeqCst);
        }
        x.store(2, SeqCst);
    })
}

#[test]
fn pairs_that_wait_for_each_other_have_few_switches() {
    for (n, rounds, switches) in [(1, 6, 14), (2, 6, 27), (3, 6, 40), (1, 500, 1002)] {
        let report = pairs(n, move || ping_pong(rounds));
        assert_eq!((&report.verdict, report.orderings), (&Verdict::Complete, 2));
        let token = &report.outcomes[&()].token;
        assert_eq!(token.switches(), switches, "{n} pairs, {rounds} rounds: {token}");
    }
}

#[test]
fn a_search_that_is_too_long_is_given_up() {
    let (first, again) = (pairs(12, exchange), pairs(12, exchange));
    assert_eq!((&first.verdict, first.orderings), (&Verdict::Complete, 2));
    let (token, other) = (&first.outcomes[&()].token, &again.outcomes[&()].token);
    assert_eq!((token, token.switches()), (other, 37), "{token}");
}

#[test]
fn an_ordering_of_many_runs_needs_no_deep_stack() {
    let report = pairs(1, || ping_pong(10_000));
    assert_eq!((report.verdict, report.orderings), (Verdict::Complete, 2));
    assert!(report.longest > 40_000);
}

#[test]
fn a_long_sequence_that_waits_can_be_dropped() {
    let report = long_race(Explorer::new().max_executions(1));
    assert_eq!((report.executions, report.exhausted()), (1, false));
    assert!(report.longest > 30_000);
}

#[test]
fn a_long_sequence_that_waits_can_be_shared() {
    let report = long_race(Explorer::new().workers(2));
    assert_eq!((report.verdict, report.orderings), (Verdict::Complete, 2));
}
