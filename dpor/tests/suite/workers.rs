//! Several workers find what one finds.

use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::{Arc, Mutex};
use shuttle_dpor::{thread, Explorer, Report};

fn body() -> Outcome {
    let x = Arc::new(AtomicUsize::new(0));
    let m = Arc::new([Mutex::new(0), Mutex::new(0)]);
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let (x, m) = (x.clone(), m.clone());
            thread::spawn(move || {
                let seen = x.load(SeqCst);
                *m[n % 2].lock().unwrap() += seen;
                x.store(seen + n, SeqCst);
                if n == 3 {
                    let first = m[0].lock().unwrap();
                    *m[1].lock().unwrap() += *first;
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
    let sum = *m[0].lock().unwrap() + *m[1].lock().unwrap();
    (x.load(SeqCst), sum)
}

type Outcome = (usize, usize);

fn counts(workers: usize) -> (Report<Outcome>, Vec<(Outcome, u64)>) {
    let report = Explorer::new().workers(workers).explore(body);
    let outcomes = report.outcomes.iter().map(|(k, o)| (*k, o.orderings)).collect();
    (report, outcomes)
}

#[test]
fn counts_are_the_same_for_any_number() {
    let (one, outcomes) = counts(1);
    assert!(one.orderings > 500, "{}", one.orderings);
    for workers in [2, 3, 5] {
        let (report, others) = counts(workers);
        assert!(report.exhausted());
        assert_eq!(report.blocked, 0);
        assert_eq!(
            (report.executions, report.orderings, report.longest),
            (one.executions, one.orderings, one.longest),
            "with {workers} workers"
        );
        assert_eq!(others, outcomes);
    }
}

#[test]
fn a_limit_stops_all_workers() {
    let report = Explorer::new().workers(3).max_executions(100).explore(body);
    assert!(!report.exhausted());
    assert!((100..110).contains(&report.executions), "{}", report.executions);
}

/// Seven threads that write one variable: 7! orderings, and the branches of each node are equally
/// large. Not all of them are known from the start, so the explored share is never taken to be too
/// small, nor the total too large, whoever is at work on whatever part. What can be amiss is up to 32
/// executions of each other worker, which are counted before their share is.
#[test]
fn the_total_is_estimated_with_any_number() {
    for workers in [1, 2, 4] {
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let all = seen.clone();
        let explorer =
            Explorer::new().workers(workers).progress_every(std::time::Duration::ZERO, move |p| {
                all.lock().unwrap().push((p.executions as f64, p.estimate.expect("an estimate")));
            });
        let report = explorer.explore(|| {
            let x = Arc::new(AtomicUsize::new(0));
            for n in 0..7 {
                let x = x.clone();
                thread::spawn(move || x.store(n, SeqCst));
            }
        });
        assert_eq!(report.orderings, 5040);
        let seen = seen.lock().unwrap();
        assert!(workers > 1 || seen.len() == 5040, "{} calls", seen.len());
        let others = 33.0 * (workers - 1) as f64;
        for &(executions, estimate) in seen.iter() {
            let counted = executions - others;
            let most = if counted > 0.0 { 5040.001 * executions / counted } else { f64::MAX };
            assert!(
                executions / 1.000001 <= estimate && estimate <= most,
                "{workers} workers, {executions} executions: {estimate}, at most {most}"
            );
        }
    }
}

/// A branch that has just been entered passes for a small one, so that the estimate falls a little at
/// each branch of the root; half way through, that is a quarter at most.
#[test]
fn the_estimate_closes_in_on_the_total() {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let all = seen.clone();
    let explorer = Explorer::new().progress_every(std::time::Duration::ZERO, move |p| {
        all.lock().unwrap().push(p.estimate.expect("an estimate"));
    });
    let report = explorer.explore(|| {
        let x = Arc::new(AtomicUsize::new(0));
        for n in 0..6 {
            let x = x.clone();
            thread::spawn(move || x.store(n, SeqCst));
        }
    });
    let seen = seen.lock().unwrap();
    assert_eq!((report.orderings, seen.len()), (720, 720));
    let wrong = seen[360..].iter().find(|e| !(0.7 * 720.0..720.001).contains(*e));
    assert_eq!(wrong, None, "of {seen:?}");
}
