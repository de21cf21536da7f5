//! Programs whose number of orderings is published, or follows by counting.

use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::{Arc, Mutex};
use shuttle_dpor::{thread, Explorer, Report, Verdict};

/// Explores, and requires that nothing was explored twice.
fn orderings<T: Ord + Clone + std::fmt::Debug + Send + 'static>(
    body: impl Fn() -> T + Send + Sync + 'static,
) -> Report<T> {
    let report = Explorer::new().explore(body);
    assert_eq!(report.verdict, Verdict::Complete);
    assert_eq!(report.blocked, 0);
    assert_eq!(report.executions, report.orderings);
    report
}

fn atomics(n: usize) -> Arc<Vec<AtomicUsize>> {
    Arc::new((0..n).map(|_| AtomicUsize::new(0)).collect())
}

/// One writer and `n` readers of one variable.
fn readers(n: usize) -> u64 {
    orderings(move || {
        let x = atomics(1);
        for t in 0..=n {
            let x = x.clone();
            thread::spawn(move || {
                if t == 0 {
                    x[0].store(1, SeqCst);
                } else {
                    x[0].load(SeqCst);
                }
            });
        }
    })
    .orderings
}

#[test]
fn readers_are_two_to_the_n() {
    assert_eq!(readers(2), 4);
    assert_eq!(readers(8), 256);
}

/// `n` threads each copy the successor of their left neighbour's cell; one thread searches for the
/// last zero.
fn lastzero(n: usize) -> u64 {
    orderings(move || {
        let a = atomics(n + 1);
        let searched = a.clone();
        thread::spawn(move || {
            let mut i = n;
            while searched[i].load(SeqCst) != 0 {
                i -= 1;
            }
        });
        for j in 1..=n {
            let a = a.clone();
            thread::spawn(move || {
                let left = a[j - 1].load(SeqCst);
                a[j].store(left + 1, SeqCst);
            });
        }
    })
    .orderings
}

#[test]
fn lastzero_as_published() {
    assert_eq!(lastzero(2), 5);
    assert_eq!(lastzero(5), 64);
}

/// `n` threads write to a hash table, probing linearly.
fn indexer(n: usize) -> u64 {
    const SIZE: usize = 128;
    const MAX: usize = 4;
    orderings(move || {
        let table = atomics(SIZE);
        for t in 0..n {
            let table = table.clone();
            thread::spawn(move || {
                for m in 1..=MAX {
                    let w = m * 11 + t;
                    let mut h = (w * 7) % SIZE;
                    while table[h].compare_exchange(0, w, SeqCst, SeqCst).is_err() {
                        h = (h + 1) % SIZE;
                    }
                }
            });
        }
    })
    .orderings
}

#[test]
fn indexer_as_published() {
    assert_eq!(indexer(12), 8);
    assert_eq!(indexer(13), 64);
}

#[test]
fn lastwrite_is_a_factorial() {
    for (n, expected) in [(2, 2), (3, 6), (5, 120)] {
        let report = orderings(move || {
            let x = atomics(1);
            let threads: Vec<_> = (1..=n)
                .map(|t| {
                    let x = x.clone();
                    thread::spawn(move || x[0].store(t, SeqCst))
                })
                .collect();
            for t in threads {
                t.join().unwrap();
            }
            x[0].load(SeqCst)
        });
        assert_eq!(report.orderings, expected);
        assert_eq!(report.outcomes.len(), n);
    }
}

/// `n` writers and one reader of one variable.
#[test]
fn floating_read_as_published() {
    for (n, expected) in [(2, 6), (3, 24)] {
        let report = orderings(move || {
            let x = atomics(1);
            for t in 0..=n {
                let x = x.clone();
                thread::spawn(move || {
                    if t == n {
                        x[0].load(SeqCst);
                    } else {
                        x[0].store(t, SeqCst);
                    }
                });
            }
        });
        assert_eq!(report.orderings, expected);
    }
}

#[test]
fn casrot_as_published() {
    for (n, expected) in [(3, 5), (4, 14)] {
        let report = orderings(move || {
            let x = atomics(1);
            for t in 0..n {
                let x = x.clone();
                thread::spawn(move || {
                    let _ = x[0].compare_exchange(t, t + 1, SeqCst, SeqCst);
                });
            }
        });
        assert_eq!(report.orderings, expected);
    }
}

#[test]
fn one_mutex_is_a_multinomial() {
    for (threads, times, expected) in [(2, 1, 2), (2, 3, 20), (3, 2, 90), (4, 1, 24), (3, 3, 1680)]
    {
        let report = orderings(move || {
            let m = Arc::new(Mutex::new(0));
            for _ in 0..threads {
                let m = m.clone();
                thread::spawn(move || {
                    for _ in 0..times {
                        *m.lock().unwrap() += 1;
                    }
                });
            }
        });
        assert_eq!(report.orderings, expected);
    }
}

/// Stores and loads (`true`) by some threads on three variables, counted by going through all interleavings.
/// A sequence that reverses a race has to go on behind the race's second event here: without that, another
/// step that has been explored seems to see to everything that it begins, and a few orderings are not run.
#[test]
fn many_threads_on_three_variables() {
    const STORE: bool = false;
    const LOAD: bool = true;
    type Threads = &'static [&'static [(usize, bool)]];
    let one: Threads = &[
        &[(1, STORE)],
        &[(1, STORE), (0, STORE)],
        &[(0, STORE), (2, STORE)],
        &[(0, LOAD), (1, STORE)],
        &[(2, STORE)],
        &[(1, STORE)],
    ];
    let two: Threads = &[
        &[(2, STORE), (2, STORE)],
        &[(0, STORE)],
        &[(2, LOAD), (1, STORE), (0, LOAD)],
        &[(2, STORE), (1, STORE)],
        &[(2, STORE)],
    ];
    let three: Threads = &[
        &[(1, STORE), (0, STORE)],
        &[(1, STORE), (2, STORE)],
        &[(1, STORE)],
        &[(2, STORE), (1, STORE)],
        &[(0, STORE)],
        &[(2, STORE)],
    ];
    for (threads, expected) in [(one, 216), (two, 240), (three, 216)] {
        let report = orderings(move || {
            let x = atomics(3);
            for &accesses in threads {
                let x = x.clone();
                thread::spawn(move || {
                    for &(at, loads) in accesses {
                        match loads {
                            true => _ = x[at].load(SeqCst),
                            false => x[at].store(1, SeqCst),
                        }
                    }
                });
            }
        });
        assert_eq!(report.orderings, expected);
    }
}
