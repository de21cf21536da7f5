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

#[test]
fn the_total_is_estimated_with_any_number() {
    for workers in [1, 2, 4] {
        let estimates = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = estimates.clone();
        let explorer =
            Explorer::new().workers(workers).progress_every(std::time::Duration::ZERO, move |p| {
                seen.lock().unwrap().push(p.estimate)
            });
        let report = explorer.explore(|| {
            let x = Arc::new(AtomicUsize::new(0));
            for n in 0..7 {
                let x = x.clone();
                thread::spawn(move || x.store(n, SeqCst));
            }
        });
        assert_eq!(report.orderings, 5040);
        let estimates: Vec<f64> = estimates.lock().unwrap().iter().flatten().copied().collect();
        // Each node of this tree has equally large branches; jobs that are under way are not counted.
        let good = estimates.iter().filter(|&&e| (0.9 * 5040.0..2.0 * 5040.0).contains(&e)).count();
        assert!(
            good > 100 && good * 4 > estimates.len(),
            "{workers} workers: {good} of {}: {:?}",
            estimates.len(),
            &estimates[estimates.len().saturating_sub(20)..],
        );
    }
}
