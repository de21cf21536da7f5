//! Equal threads, explored up to their exchange: the same counts as if they differed.

use super::brute;
use super::brute::generate::{Dice, Generator};
use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::{Arc, Mutex};
use shuttle_dpor::{thread, Checkpoint, Estimate, Explorer, Report, Violation};
use std::fmt::Debug;
use std::time::Duration;

/// Two to four equal threads, and others.
#[test]
fn random_programs_with_equal_threads() {
    let cost = brute::equal::many(&Generator::all(), &mut Dice::new(1), 60, 6);
    let cost = cost.unwrap_or_else(|why| panic!("{why}"));
    println!("{cost:?}");
    assert_eq!(cost.programs, 60);
    assert!(3 * cost.counted < 2 * cost.orderings, "{cost:?}: equal threads save nothing");
}

/// What is counted, without and with symmetry: orderings, deadlocks, what was violated where in how many,
/// and outcomes. And how many executions that took, of which how many came to nothing.
fn both<T: Ord + Clone + Debug + Send + 'static>(
    body: impl Fn() -> T + Clone + Send + Sync + 'static,
) -> (Report<T>, Report<T>) {
    let all = Explorer::new().symmetry(false).explore(body.clone());
    let some = Explorer::new().explore(body);
    let counts = |report: &Report<T>| {
        let violated = report.violations.iter();
        let violated = violated.map(|v| (v.name.clone(), v.place.clone(), v.orderings));
        let outcomes = report.outcomes.iter().map(|(o, seen)| (o.clone(), seen.orderings));
        let counts = (report.orderings, report.deadlocks, report.incomplete.clone());
        (counts, violated.collect::<Vec<_>>(), outcomes.collect::<Vec<_>>())
    };
    assert_eq!(counts(&all), counts(&some));
    (all, some)
}

/// Marks that conflict come in one order of six; marks that commute say nothing of who is who, and what
/// comes behind them does.
#[test]
fn one_of_all_exchanges_is_run() {
    let locks = || {
        let total = Arc::new(Mutex::new(0));
        thread::spawn_equal(3, move |_| *total.lock().unwrap() += 1).join().unwrap()
    };
    let (_, some) = both(locks);
    assert_eq!((some.orderings, some.executions), (6, 1));
    let looks_first = || {
        let total = Arc::new(AtomicUsize::new(0));
        let seen = thread::spawn_equal(3, move |_| {
            let seen = total.load(SeqCst);
            (seen, total.fetch_add(1, SeqCst))
        });
        seen.join().unwrap()
    };
    // Who adds first is the first; the looks of the others come before, between or behind.
    let (all, some) = both(looks_first);
    assert_eq!((some.executions, some.blocked), (all.orderings / 6, 0));
    let in_two_classes = || {
        let total = Arc::new(Mutex::new(0));
        let other = total.clone();
        let up = thread::spawn_equal(3, move |_| *total.lock().unwrap() += 1);
        let down = thread::spawn_equal(2, move |_| *other.lock().unwrap() -= 1);
        drop((up.join(), down.join()));
    };
    let (_, some) = both(in_two_classes);
    assert_eq!((some.orderings, some.executions), (120, 10));
    // What a member does with what it has made itself is not what tells members apart.
    let own_first = || {
        let total = Arc::new(Mutex::new(0));
        let count = move |_| {
            *Mutex::new(0).lock().unwrap() += 1;
            *total.lock().unwrap() += 1;
        };
        thread::spawn_equal(3, count).join().unwrap()
    };
    let (_, some) = both(own_first);
    assert_eq!((some.orderings, some.executions), (6, 1));
}

/// In how many orders marks can come is told from what comes before what, and from whose they are.
#[test]
fn marks_of_two_classes_that_know_little_of_each_other() {
    let (all, some) = both(|| two_classes_of_two([0, 0], [0, 0]));
    assert_eq!((all.orderings, some.executions), (576, 322));
}

/// An ordering may be in another part than those that it becomes: here an orbit may be four orderings, three of
/// which are run, in two parts, and count for four thirds each.
#[test]
fn parts_need_not_add_up_to_whole_numbers() {
    let path = std::env::temp_dir().join(format!("dpor-{}-thirds", std::process::id()));
    let parts = [1, 2].map(|k| {
        let file = Checkpoint::new(&path).part(k, 2);
        let part =
            Explorer::new().explore_in(&file, || two_classes_of_two([1, 0], [0, 1])).unwrap();
        std::fs::remove_file(&path).unwrap();
        part
    });
    let why = parts.each_ref().map(|part| part.incomplete.clone().unwrap());
    assert_eq!(why, ["part 1 of 2", "part 2 of 2"]);
    let (_, some) = both(|| two_classes_of_two([1, 0], [0, 1]));
    assert_eq!((some.orderings, some.executions), (120, 93));
    assert_eq!(parts.map(|part| part.executions).iter().sum::<u64>(), 93);
}

/// Each member's mark is on an object of its own, between a look at a number and a change of one, which are
/// those of its class.
fn two_classes_of_two(looks_at: [usize; 2], changes: [usize; 2]) -> String {
    let own = Arc::new([(); 4].map(|_| AtomicUsize::new(0)));
    let numbers = Arc::new([(); 2].map(|_| AtomicUsize::new(0)));
    let classes = [0, 1].map(|class| {
        let (own, numbers) = (own.clone(), numbers.clone());
        thread::spawn_equal(2, move |n| {
            numbers[looks_at[class]].load(SeqCst);
            own[2 * class + n].store(1, SeqCst);
            numbers[changes[class]].fetch_add(1, SeqCst)
        })
    });
    let [one, other] = classes.map(|class| class.join().unwrap());
    format!("{} and {}", one.iter().sum::<usize>(), other.iter().sum::<usize>())
}

/// A member that has ended without a mark keeps those behind it from theirs.
#[test]
fn who_never_comes_to_a_mark_comes_last() {
    let tries = |members| {
        move || {
            let (closed, total) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(0)));
            let close = closed.clone();
            let tries = thread::spawn_equal(members, move |_| {
                let open = closed.load(SeqCst) == 0;
                if open {
                    *total.lock().unwrap() += 1;
                }
                open
            });
            close.store(1, SeqCst);
            tries.join().unwrap()
        }
    };
    let (all, some) = both(tries(2));
    // Both closed out; one of two; both, in either order.
    assert_eq!(all.outcomes.values().map(|o| o.orderings).collect::<Vec<_>>(), [1, 2, 2]);
    assert_eq!((some.executions, some.blocked), (4, 1));
    // With four, two can have made theirs when the third makes none: those two are still in order. Some of
    // four, as a set, and the locks' orders: 1, 4, 6 of 2, 4 of 6, 24.
    let (all, some) = both(tries(4));
    assert_eq!(all.outcomes.values().map(|o| o.orderings).collect::<Vec<_>>(), [1, 4, 12, 24, 24]);
    assert_eq!((some.executions, some.blocked), (16, 11));
}

/// Who of them is stuck is told in the detail; the place is that of all.
#[test]
fn a_deadlock_is_one_whoever_has_part_in_it() {
    let (all, some) = both(|| {
        let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
        let other = locks.clone();
        let members = thread::spawn_equal(2, move |_| {
            let _first = other[0].lock().unwrap();
            let _second = other[1].lock().unwrap();
        });
        let second = locks[1].lock().unwrap();
        drop((locks[0].lock().unwrap(), second));
        drop(members.join());
    });
    // The other member has ended, or waits for this one.
    assert_eq!(some.violations.len(), 2, "{some}");
    let of_all = |v: &Violation| v.place.contains("one of 2 equal threads waits to lock");
    assert!(some.violations.iter().all(of_all), "{some}");
    assert_eq!(some.executions * 2, all.executions);
}

/// What differs is not explored as if it were equal.
#[test]
fn threads_that_differ_are_noticed() {
    let notices = |report: Report<usize>, why: &str| {
        let incomplete = report.incomplete.unwrap_or_default();
        assert!(incomplete.contains("are not equal"), "{incomplete:?}");
        assert!(incomplete.contains(why), "{incomplete:?}");
    };
    // By what they begin with.
    let other_operations = Explorer::new().explore(|| {
        let last = Arc::new(AtomicUsize::new(0));
        drop(thread::spawn_equal(2, move |n| match n {
            0 => last.store(1, SeqCst),
            _ => drop(last.load(SeqCst)),
        }));
        0
    });
    notices(other_operations, "one begins with store");
    // By what an exchange leads to.
    let other_values = || {
        let last = Arc::new(AtomicUsize::new(9));
        let shared = last.clone();
        drop(thread::spawn_equal(2, move |n| shared.store(n, SeqCst)).join());
        last.load(SeqCst)
    };
    notices(Explorer::new().explore(other_values), "leads to 1 no more");
    // By sums: the first locks of 0 and 1 come before that of 2, and that of 1 before that of 3, in five
    // orders of 24.
    let other_locks = Explorer::new().check(|| {
        let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
        drop(thread::spawn_equal(4, move |n| {
            let each: [&[usize]; 4] = [&[0], &[1, 0], &[0], &[1]];
            each[n].iter().for_each(|&lock| drop(locks[lock].lock().unwrap()));
        }));
    });
    let incomplete = other_locks.incomplete.unwrap_or_default();
    assert!(incomplete.contains("do not add up to whole numbers"), "{incomplete:?}");
    let report = Explorer::new().symmetry(false).explore(other_values);
    assert_eq!((report.incomplete, report.outcomes.len()), (None, 2));
    let report = Explorer::new().max_preemptions(2).explore(other_values);
    assert_eq!((report.orderings, report.outcomes.len()), (2, 2));
}

/// An estimate is of all orderings, and not of those that are run.
#[test]
fn an_estimate_counts_what_is_not_run() {
    let lockers = |n| {
        move || {
            let lock = Arc::new(Mutex::new(()));
            let other = lock.clone();
            drop(thread::spawn_equal(n, move |_| drop(lock.lock().unwrap())));
            thread::spawn_equal(n, move |_| drop(other.lock().unwrap()))
        }
    };
    let exactly = Explorer::new().estimate(Duration::from_secs(60), lockers(4));
    assert_eq!(exactly, Estimate::Exactly(40_320));
    // 12,870 are run.
    let Estimate::Between(low, high) =
        Explorer::new().estimate(Duration::from_secs(60), lockers(8))
    else {
        panic!("no range")
    };
    assert!((low..=high).contains(&20_922_789_888_000), "{low} to {high}");
}
