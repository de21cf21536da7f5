//! What counts as a violation, and what a report says about it.

use super::child::alone;
use shuttle_dpor::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::{Arc, Condvar, Mutex};
use shuttle_dpor::{may_wait, report_violation, thread, until_rest, Explorer, Strategy, Verdict};

fn crossing_locks() {
    let a = Arc::new(Mutex::named("a", ()));
    let b = Arc::new(Mutex::named("b", ()));
    let (a2, b2) = (a.clone(), b.clone());
    let t = thread::spawn(move || {
        let _b = b2.lock().unwrap();
        let _a = a2.lock().unwrap();
    });
    {
        let _a = a.lock().unwrap();
        let _b = b.lock().unwrap();
    }
    t.join().unwrap();
}

#[test]
fn a_deadlock_is_found_once() {
    let report = Explorer::new().explore(crossing_locks);
    assert_eq!(report.verdict, Verdict::Violated);
    assert_eq!((report.orderings, report.deadlocks), (3, 1));
    let v = report.violation("no-deadlock").expect("there is a deadlock");
    assert_eq!(v.orderings, 1);
    assert!(v.detail.contains("main waits to lock b"), "{}", v.detail);
    assert!(v.detail.contains("held by thread 1"), "{}", v.detail);
    assert_eq!(v.token.switches(), 1);
    assert!(report.exhausted());
}

#[test]
fn a_lost_wakeup_is_a_deadlock() {
    let report = Explorer::new().explore(|| {
        let pair = Arc::new((Mutex::new(()), Condvar::new()));
        let other = pair.clone();
        thread::spawn(move || other.1.notify_one());
        let guard = pair.0.lock().unwrap();
        drop(pair.1.wait(guard).unwrap());
    });
    assert_eq!((report.orderings, report.deadlocks), (2, 1));
}

fn lost_update() -> usize {
    let x = Arc::new(AtomicUsize::named("x", 0));
    let y = x.clone();
    let t = thread::spawn(move || y.store(y.load(SeqCst) + 1, SeqCst));
    x.store(x.load(SeqCst) + 1, SeqCst);
    t.join().unwrap();
    x.load(SeqCst)
}

#[test]
fn a_panic_is_a_violation_and_exploration_goes_on() {
    let report = Explorer::new().explore(|| assert_eq!(lost_update(), 2, "lost an update"));
    assert_eq!(report.verdict, Verdict::Violated);
    let v = report.violation("panic").expect("an update is lost");
    assert!(v.detail.contains("lost an update"), "{}", v.detail);
    assert!(v.orderings < report.orderings);
    assert!(report.exhausted());
    let replay = Explorer::new().replay(&v.token, || assert_eq!(lost_update(), 2));
    assert_eq!(replay.diverged, None);
    assert_eq!(replay.violations.len(), 1);
}

#[test]
fn outcomes_are_counted() {
    let report = Explorer::new().explore(lost_update);
    assert_eq!(report.outcomes.keys().copied().collect::<Vec<_>>(), [1, 2]);
    let counted: u64 = report.outcomes.values().map(|o| o.orderings).sum();
    assert_eq!(counted, report.orderings);
    for (value, outcome) in &report.outcomes {
        let token = outcome.token.to_string().parse().expect("a token can be read back");
        assert_eq!(Explorer::new().replay(&token, lost_update).outcome, Some(*value));
    }
}

#[test]
fn violations_are_counted_by_name() {
    let report = Explorer::new().explore(|| {
        let n = lost_update();
        if n == 1 {
            report_violation("no-lost-update", "one is missing");
        }
        n
    });
    let v = report.violation("no-lost-update").expect("an update is lost");
    assert_eq!(v.orderings, report.outcomes[&1].orderings);
    assert_eq!(report.violations.len(), 1);
}

#[test]
fn a_limit_is_never_success() {
    let report = Explorer::new().max_executions(2).explore(lost_update);
    assert!(matches!(report.verdict, Verdict::Incomplete { .. }));
    let report = Explorer::new().max_steps(3).explore(lost_update);
    assert!(matches!(report.verdict, Verdict::Incomplete { .. }), "{:?}", report.verdict);
    let report = Explorer::new().max_time(Default::default()).explore(lost_update);
    assert!(matches!(report.verdict, Verdict::Incomplete { .. }));
}

#[test]
fn stopping_at_the_first_violation_is_not_exhaustive() {
    let report = Explorer::new().stop_at_first(true).explore(crossing_locks);
    assert_eq!(report.verdict, Verdict::Violated);
    assert_eq!(report.deadlocks, 1);
    assert!(!report.exhausted() || report.orderings == 3);
}

#[test]
fn a_body_that_differs_is_noticed() {
    let runs = std::sync::atomic::AtomicUsize::new(0);
    let report = Explorer::new().explore(move || {
        let x = Arc::new(AtomicUsize::new(0));
        let y = x.clone();
        let t = thread::spawn(move || y.store(1, SeqCst));
        if runs.fetch_add(1, SeqCst) == 0 {
            x.load(SeqCst);
        } else {
            x.store(2, SeqCst);
        }
        t.join().unwrap();
    });
    let Verdict::Incomplete { why } = report.verdict else { panic!("{:?}", report.verdict) };
    assert!(why.contains("not deterministic"), "{why}");
}

#[test]
fn all_strategies_see_what_there_is() {
    let expected: Vec<_> = Explorer::new().explore(lost_update).outcomes.into_keys().collect();
    for strategy in [
        Strategy::Dfs,
        Strategy::Random { seed: 1, iterations: 200 },
        Strategy::Pct { seed: 1, iterations: 200, depth: 3 },
        Strategy::Urw { seed: 1, iterations: 200 },
    ] {
        let report = Explorer::new().strategy(strategy).explore(lost_update);
        assert_eq!(report.verdict == Verdict::Complete, strategy == Strategy::Dfs);
        assert_eq!(report.outcomes.into_keys().collect::<Vec<_>>(), expected, "{strategy:?}");
        let report = Explorer::new().strategy(strategy).explore(crossing_locks);
        assert!(report.deadlocks > 0, "{strategy:?}");
    }
}

#[test]
fn a_witness_reads_like_a_table() {
    let report = Explorer::new().explore(crossing_locks);
    let text = report.violation("no-deadlock").expect("there is a deadlock").witness.to_string();
    assert!(text.lines().next().unwrap().contains("main"), "{text}");
    assert!(text.contains("lock a"), "{text}");
    assert!(text.contains("\nswitch\n"), "{text}");
}

#[test]
fn a_switch_is_not_explained_by_what_comes_after_it() {
    let report = Explorer::new().explore(crossing_locks);
    let witness = &report.violation("no-deadlock").expect("there is a deadlock").witness;
    // The other lock was still free when the first thread lost its turn.
    assert_eq!(witness.steps[1].switch.as_deref(), Some(""), "{witness}");
    let text = witness.to_string();
    assert!(text.contains("held by"), "{text}");
}

#[test]
fn a_thread_begins_where_its_turn_comes() {
    let report = Explorer::new().explore(|| {
        let x = Arc::new(Mutex::named("x", 0));
        let theirs = x.clone();
        let t = thread::spawn(move || {
            shuttle_dpor::note("begins");
            *theirs.lock().unwrap() += 1;
            shuttle_dpor::note("ends");
        });
        assert!(*x.lock().unwrap() > 0, "too early");
        t.join().unwrap();
    });
    let witness = &report.violation("panic").expect("it may be too early").witness;
    let theirs: Vec<_> = witness.steps.iter().filter(|s| s.thread == 1).collect();
    let told: Vec<_> = theirs.iter().map(|s| s.what.to_string()).collect();
    assert_eq!(told, ["begins", "lock x", "unlock x", "ends"], "{witness}");
    // It has run as far as its first lock before the other took it, and that is not told.
    assert_eq!(witness.steps[0].thread, 0, "{witness}");
    let changes: Vec<_> = theirs.iter().map(|s| s.switch.is_some()).collect();
    assert_eq!(changes, [true, false, false, false], "{witness}");
}

/// Takes a lock when dropped.
struct Locks(Arc<Mutex<u32>>);

impl Drop for Locks {
    fn drop(&mut self) {
        *self.0.lock().unwrap() += 1;
    }
}

#[test]
fn destructors_that_lock_survive_a_deadlock() {
    let report = Explorer::new().explore(|| {
        let a = Arc::new(Mutex::new(0));
        let b = Arc::new(Mutex::new(0));
        let (a2, b2) = (a.clone(), b.clone());
        thread::spawn(move || {
            // Declared first, so dropped last; the other thread may hold the lock for ever.
            let _locks = Locks(a2.clone());
            let _b = b2.lock().unwrap();
            let _a = a2.lock().unwrap();
        });
        let _locks = Locks(b.clone());
        let _a = a.lock().unwrap();
        let _b = b.lock().unwrap();
    });
    assert!(report.deadlocks > 0 && report.deadlocks < report.orderings);
    assert!(report.exhausted());
    assert_eq!(report.violations.len(), 1);
}

#[test]
fn outcomes_say_how_many_of_their_orderings_violate() {
    let report = Explorer::new().explore(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let other = x.clone();
        let t = thread::spawn(move || other.store(1, SeqCst));
        if x.load(SeqCst) == 0 {
            report_violation("no-zero", "it was zero");
        }
        t.join().unwrap();
        x.load(SeqCst)
    });
    let counts = |o: &shuttle_dpor::Outcome| (o.orderings, o.violating);
    assert_eq!(report.outcomes.values().map(counts).collect::<Vec<_>>(), [(2, 1)]);
}

#[test]
fn a_static_that_outlives_executions_is_noticed() {
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let report = Explorer::new().explore(move || count.fetch_add(1, SeqCst));
    let Verdict::Incomplete { why } = &report.verdict else { panic!("{}", report.verdict) };
    assert!(why.contains("the body is not deterministic"), "{why}");
}

#[test]
fn the_verdict_says_under_which_memory_model() {
    let report = Explorer::new().explore(|| ());
    assert_eq!(report.verdict.to_string(), "COMPLETE (under sequential consistency)");
}

#[test]
fn a_witness_shows_what_was_violated_where_it_was() {
    use shuttle_dpor::cell::CheckedCell;
    let report = Explorer::new().explore(|| {
        let shared = Arc::new((AtomicUsize::new(3), CheckedCell::named("data", 0)));
        shared.0.set_name("x");
        let other = shared.clone();
        let t = thread::Builder::new().name("writer".into()).spawn(move || {
            other.1.set(1);
            other.0.fetch_add(4, SeqCst);
        });
        shared.1.get();
        shuttle_dpor::report_violation("odd", "it is odd");
        let seen = shared.0.swap(1, SeqCst);
        t.unwrap().join().unwrap();
        assert_eq!(seen, 8, "never");
    });
    let text = |name| report.violation(name).unwrap().to_string();
    assert!(text("odd").contains("violates odd: it is"), "{}", text("odd"));
    let race = text("no-data-race");
    assert!(race.contains("write data at") && race.contains("read data at"), "{race}");
    let panic = text("panic");
    assert!(panic.contains("panics:") && panic.contains(", in main"), "{panic}");
    assert!(
        panic.contains("fetch_add x: 7, was 3") || panic.contains("swap x: 1, was 3"),
        "{panic}"
    );
}

/// Workers wait for jobs where they may, and the body's thread looks when nothing else goes on: the
/// same outcomes as in every interleaving, and the same orderings with any number of workers.
#[test]
fn threads_at_rest_are_no_deadlock() {
    // So many workers; so many jobs are put by another thread, which the body's thread joins before it
    // looks how many are done, and again when nothing goes on.
    let jobs = |workers: usize, puts: u32| {
        move || {
            let queue = Arc::new((Mutex::new(1_u32), Condvar::new()));
            let done = Arc::new(AtomicU32::new(0));
            for _ in 0..workers {
                let (queue, done) = (queue.clone(), done.clone());
                thread::spawn(move || loop {
                    let mut jobs = queue.0.lock().unwrap();
                    while *jobs == 0 {
                        jobs = may_wait(|| queue.1.wait(jobs)).unwrap();
                    }
                    *jobs -= 1;
                    drop(jobs);
                    done.fetch_add(1, SeqCst);
                });
            }
            let putter = thread::spawn(move || {
                for _ in 0..puts {
                    *queue.0.lock().unwrap() += 1;
                    queue.1.notify_one();
                }
            });
            putter.join().unwrap();
            let before = done.load(SeqCst);
            until_rest();
            (before, done.load(SeqCst))
        }
    };
    let all = Explorer::new().explore(jobs(1, 1));
    all.assert_complete();
    assert!(all.outcomes.keys().eq(&[(0, 2), (1, 2), (2, 2)]), "{:?}", all.outcomes.keys());
    let by_dfs =
        Explorer::new().strategy(Strategy::Dfs).max_executions(1_000_000).explore(jobs(1, 1));
    by_dfs.assert_complete();
    assert!(all.outcomes.keys().eq(by_dfs.outcomes.keys()));
    assert!(by_dfs.executions > all.executions);
    let two = Explorer::new().explore(jobs(2, 2));
    two.assert_complete();
    assert!(two.outcomes.keys().all(|(_, done)| *done == 3), "{:?}", two.outcomes.keys());
    let shared = Explorer::new().workers(4).explore(jobs(2, 2));
    assert_eq!(shared.orderings, two.orderings);
}

/// Who waits elsewhere, or for a lock, is not at rest.
#[test]
fn who_is_not_at_rest_is_in_a_deadlock() {
    let waits = |may: bool| {
        move || {
            let pair = Arc::new((Mutex::new(()), Condvar::new()));
            let other = pair.clone();
            thread::spawn(move || {
                let guard = other.0.lock().unwrap();
                match may {
                    true => drop(may_wait(|| other.1.wait(guard))),
                    false => drop(other.1.wait(guard)),
                }
            });
            until_rest();
        }
    };
    Explorer::new().explore(waits(true)).assert_complete();
    let found = Explorer::new().explore(waits(false));
    assert_eq!((found.deadlocks, found.orderings), (1, 1));
    let lock_twice = || {
        let lock = Arc::new(Mutex::new(()));
        thread::spawn(move || {
            let _first = lock.lock().unwrap();
            drop(may_wait(|| lock.lock().map(drop)));
        });
        until_rest();
    };
    assert_eq!(Explorer::new().explore(lock_twice).deadlocks, 1);
}

#[test]
fn an_ordering_with_two_data_races_violates_the_name_once() {
    use shuttle_dpor::cell::CheckedCell;
    let report = Explorer::new().explore(|| {
        let cells = Arc::new([CheckedCell::new(0), CheckedCell::new(0)]);
        let other = cells.clone();
        let writer = thread::spawn(move || {
            other[0].with_mut(|value| *value = 1);
            other[1].with_mut(|value| *value = 1);
        });
        cells[0].with_mut(|value| *value = 2);
        cells[1].with_mut(|value| *value = 2);
        writer.join().unwrap();
    });
    let races: Vec<_> = report.violations.iter().filter(|v| v.name == "no-data-race").collect();
    assert!(races.iter().map(|race| race.orderings).sum::<u64>() > report.orderings);
    races.iter().for_each(|race| assert_eq!(race.orderings_of_name, report.orderings));
}

/// In a process of its own: with explorations beside it nobody would be blamed.
#[test]
fn a_thread_of_stds_is_a_violation_joined_or_not() {
    let name = "violations::a_thread_of_stds_is_a_violation_joined_or_not";
    let (well, said) = alone(name, || {
        for joins in [true, false] {
            let report = Explorer::new().explore(move || uses_a_thread_of_stds(joins));
            let names: Vec<_> = report.violations.iter().map(|v| v.name.as_str()).collect();
            assert_eq!(names, ["no-foreign-thread"]);
            let detail = &report.violations[0].detail;
            assert!(detail.contains("lock mutex at "), "{detail}");
        }
        // Of two that are under way neither is blamed: this one does nothing of the kind.
        let report = Explorer::new().explore(|| {
            let lock = Arc::new(Mutex::new(()));
            let others = std::thread::spawn(|| {
                Explorer::new().explore(|| uses_a_thread_of_stds(false)).violations.len()
            });
            let blamed = others.join().unwrap();
            drop(lock.lock());
            blamed
        });
        assert!(report.violations.is_empty() && report.outcomes.keys().eq(&[0]), "{report}");
    });
    assert!(well, "{said}");
}

fn uses_a_thread_of_stds(joins: bool) {
    let lock = Arc::new(Mutex::new(()));
    let theirs = lock.clone();
    let (alive, dead) = std::sync::mpsc::channel::<()>();
    let stray = std::thread::spawn(move || {
        let _alive = alive;
        drop(theirs.lock());
    });
    assert!(dead.recv().is_err(), "it has panicked");
    if joins {
        assert!(stray.join().is_err());
    }
    drop(lock.lock());
}

/// A future of shuttle's, a thread, a lock: none of them is run by an explorer, and it says so.
#[test]
fn what_is_shuttles_own_is_told() {
    let bodies: [fn(); 3] = [
        || shuttle::future::block_on(async {}),
        || drop(shuttle::thread::spawn(|| ())),
        || drop(shuttle::sync::Mutex::new(0).lock().unwrap()),
    ];
    for body in bodies {
        let report = Explorer::new().explore(body);
        let [violation] = &report.violations[..] else { panic!("{report}") };
        assert!(
            violation.detail.contains("use shuttle_dpor's sync, thread and future"),
            "{report}"
        );
    }
}
