//! Explorations in pieces: kept in a file, interrupted and gone on with, and divided into parts.

use super::brute;
use super::brute::generate::{Dice, Generator};
use super::teardown::{self, Call::*};
use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::Arc;
use shuttle_dpor::{thread, Checkpoint, CheckpointError, Explorer, Report, Strategy, Verdict};
use std::path::PathBuf;
use std::time::Duration;

/// A file of this test's, which is not there, and is removed at the end.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dpor-{}-{name}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        Temporary(path)
    }

    fn checkpoint(&self) -> Checkpoint {
        Checkpoint::new(&self.0)
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.0).unwrap()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What is explored here: its outcome is nothing but a text.
fn body() -> String {
    teardown::run(&[Shutdown, Disconnect, Request(0), Request(1)]);
    "done".into()
}

fn whole() -> Report<String> {
    Explorer::new().explore(body)
}

/// Each trace once, whatever interrupts the exploration, with any number of workers, and in parts.
#[test]
fn random_programs_in_pieces() {
    // All sorts of programs; locks above all, attempts at them, and references: these can be divided.
    let samples = [(None, 40, 40), (Some(2), 20, 25), (Some(3), 20, 25), (Some(17), 20, 25)];
    for (flavour, number, busy) in samples {
        let generators = flavour.map_or_else(Generator::all, |one| vec![Generator::new(one)]);
        let mut dice = Dice::new(1);
        let (mut compared, mut parts) = (0, 0);
        while compared < number {
            let program = generators[dice.below(generators.len())].small(&mut dice, 9);
            let whole = brute::explore(&program, Strategy::Dpor, 1, 121);
            if whole.incomplete.is_some() || whole.executions < 6 {
                continue;
            }
            match brute::pieces::compare(&program, &whole) {
                Ok(busy) => parts += busy,
                Err(why) => panic!("{program:?}: {why}"),
            }
            compared += 1;
        }
        println!("{flavour:?}: {parts} of {} parts have something to do", 3 * compared);
        assert!(parts >= busy, "{flavour:?}: {parts} parts");
    }
}

/// Two orders of two locks, a panic, and outcomes: every sort of count.
fn troubled() -> String {
    use shuttle_dpor::sync::{Arc, Mutex};
    use shuttle_dpor::{report_violation, thread};
    let locks = Arc::new([Mutex::named("a\tb", 0), Mutex::named("c", 0)]);
    let threads = [0, 1, 2].map(|n| {
        let locks = locks.clone();
        thread::spawn(move || {
            let first = locks[n % 2].lock().unwrap();
            let mut second = locks[(n + 1) % 2].lock().unwrap();
            *second += n + 1;
            if *second > 2 {
                report_violation("no-more\nthan 2", "it is");
            }
            // Both locks are held: others come to panic while this thread unwinds.
            assert!(*first < 2, "a\\b");
        })
    });
    let fine = threads.map(|thread| thread.join().is_ok());
    format!("{fine:?}\n\\")
}

/// What is counted, and may not depend on pieces.
fn counts(report: &Report<String>) -> impl PartialEq + std::fmt::Debug {
    let outcomes = report.outcomes.iter();
    let outcomes = outcomes.map(|(text, seen)| (text.clone(), seen.orderings, seen.violating));
    let found = report.violations.iter();
    let found = found.map(|v| (v.name.clone(), v.place.clone(), v.orderings, v.orderings_of_name));
    (
        (report.executions, report.orderings, report.blocked, report.longest),
        (report.deadlocks, report.livelocks, report.verdict.clone()),
        (outcomes.collect::<Vec<_>>(), found.collect::<Vec<_>>()),
    )
}

#[test]
fn all_counts_survive() {
    let whole = Explorer::new().explore(troubled);
    assert!(whole.deadlocks > 0 && whole.violations.len() > 2 && whole.outcomes.len() > 2);
    let file = Temporary::new("troubled");
    let limit = |n| Explorer::new().workers(2).max_executions(n);
    let some = limit(whole.executions / 2).explore_in(&file.checkpoint(), troubled).unwrap();
    assert!(!some.exhausted() && some.orderings < whole.orderings);
    let all = limit(u64::MAX).explore_in(&file.checkpoint(), troubled).unwrap();
    assert_eq!(counts(&all), counts(&whole));
    // What is complete stays so.
    let again = limit(u64::MAX).explore_in(&file.checkpoint(), troubled).unwrap();
    assert_eq!(counts(&again), counts(&whole));
    let parts = [1, 2].map(|k| {
        let file = Temporary::new(&format!("troubled-{k}"));
        let part = Explorer::new().explore_in(&file.checkpoint().part(k, 2), troubled).unwrap();
        let why = part.incomplete.clone().unwrap_or_default();
        assert_eq!((part.part, &*why), (Some((k, 2)), &*format!("part {k} of 2")));
        assert!(part.orderings > 0 && part.orderings < whole.orderings);
        file
    });
    let paths = parts.each_ref().map(|file| file.0.clone());
    assert_eq!(counts(&Explorer::new().merge(&paths, "", troubled).unwrap()), counts(&whole));
}

/// A limit that the last execution of all reaches cuts off nothing, and a flag stops it anywhere.
#[test]
fn limits_are_those_of_a_call() {
    let whole = whole().executions;
    let file = Temporary::new("limits");
    let one = Explorer::new().max_executions(1).explore_in(&file.checkpoint(), body).unwrap();
    assert_eq!(one.verdict, Verdict::Incomplete { why: "stopped after 1 executions".into() });
    let rest = Explorer::new().max_executions(whole - 1);
    assert_eq!(rest.explore_in(&file.checkpoint(), body).unwrap().verdict, Verdict::Complete);
    let file = Temporary::new("flag");
    let flag = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let stopped = Explorer::new().stop_when(flag).workers(2);
    let stopped = stopped.explore_in(&file.checkpoint(), body).unwrap();
    assert_eq!(stopped.verdict, Verdict::Incomplete { why: "interrupted".into() });
    let all = Explorer::new().explore_in(&file.checkpoint(), body).unwrap();
    assert_eq!((all.executions, all.exhausted()), (whole, true));
}

/// A file of something else is refused, says what differs, and is left as it was.
#[test]
fn what_is_another_is_refused() {
    let file = Temporary::new("others");
    let named = || file.checkpoint().titled("this one");
    drop(Explorer::new().max_executions(5).explore_in(&named(), body).unwrap());
    let text = file.text();
    let refused = |explorer: Explorer, checkpoint: &Checkpoint, body: fn() -> String| match explorer
        .explore_in(checkpoint, body)
    {
        Err(CheckpointError::Other { what, there, here, .. }) => {
            assert_ne!(there, here);
            what
        }
        other => panic!("{other:?}"),
    };
    let new = Explorer::new;
    assert_eq!(refused(new(), &named().titled("another"), body), "body");
    assert_eq!(refused(new(), &named(), troubled), "first-ordering");
    // As many operations, but others.
    let other = Temporary::new("others of as many operations");
    let stores = || {
        AtomicUsize::new(0).store(1, SeqCst);
        String::new()
    };
    let loads = || AtomicUsize::new(0).load(SeqCst).to_string();
    drop(new().explore_in(&other.checkpoint(), stores).unwrap());
    assert_eq!(refused(new(), &other.checkpoint(), loads), "first-ordering");
    assert_eq!(refused(new().max_steps(99), &named(), body), "settings");
    assert_eq!(refused(new().thread_ends(true), &named(), body), "settings");
    assert_eq!(refused(new().symmetry(false), &named(), body), "settings");
    assert_eq!(refused(new(), &named().part(1, 2), body), "part");
    assert_eq!(file.text(), text);
    for (name, what) in [("program", "program"), ("version", "version")] {
        let other = |line: &str| match line.strip_prefix(name) {
            Some(_) => format!("{name} 0"),
            None => line.to_owned(),
        };
        let changed: Vec<String> = text.lines().map(other).collect();
        std::fs::write(&file.0, changed.join("\n") + "\n").unwrap();
        assert_eq!(refused(new(), &named(), body), what);
    }
    let bounded = new().max_preemptions(1).explore_in(&named(), body);
    assert!(matches!(bounded, Err(CheckpointError::Strategy)));
    let nowhere = Checkpoint::new(file.0.join("nowhere"));
    assert!(matches!(new().explore_in(&nowhere, body), Err(CheckpointError::Io { .. })));
}

/// A file that is damaged is refused, or is one that nothing is wrong with.
#[test]
fn what_is_damaged_is_refused() {
    let file = Temporary::new("damaged");
    drop(Explorer::new().max_executions(3).explore_in(&file.checkpoint(), troubled));
    let text = file.text();
    let lines: Vec<&str> = text.lines().collect();
    let read = |lines: &[&str]| {
        std::fs::write(&file.0, lines.join("\n") + "\n").unwrap();
        Explorer::new().merge(std::slice::from_ref(&file.0), "", troubled)
    };
    // It is whole, and no part.
    assert!(matches!(read(&lines), Err(CheckpointError::Other { what: "part", .. })));
    let structure = ["thread", "object", "step", "root", "node", "child"];
    let mut refused = 0;
    for at in 0..lines.len() {
        assert!(matches!(read(&lines[..at]), Err(CheckpointError::Malformed { .. })), "{at}");
        let mut without = lines.clone();
        let gone = without.remove(at);
        let malformed = matches!(read(&without), Err(CheckpointError::Malformed { .. }));
        refused += u32::from(malformed && structure.iter().any(|word| gone.starts_with(word)));
        let nonsense = format!("{gone} -1 \\x");
        without.insert(at, &nonsense);
        if at > 5 {
            let Err(CheckpointError::Malformed { line, .. }) = read(&without) else {
                panic!("{nonsense}")
            };
            assert!(line >= at, "line {line} for {at}");
        }
    }
    assert!(refused > 10, "{refused}");
}

#[test]
fn parts_are_put_together_when_all_are_there() {
    let parts = [1, 2, 3].map(|k| {
        let file = Temporary::new(&format!("part-{k}"));
        drop(Explorer::new().explore_in(&file.checkpoint().part(k, 3), body).unwrap());
        file
    });
    let merge = |parts: &[&Temporary]| {
        let paths: Vec<PathBuf> = parts.iter().map(|file| file.0.clone()).collect();
        Explorer::new().merge(&paths, "", body)
    };
    let [one, two, three] = &parts;
    let all = merge(&[three, one, two]).unwrap();
    assert_eq!((all.orderings, all.verdict), (whole().orderings, Verdict::Complete));
    let some = merge(&[one, two]).unwrap();
    assert_eq!(some.verdict, Verdict::Incomplete { why: "part 3 of 3 is missing".into() });
    let twice = merge(&[one, two, one]);
    assert!(matches!(twice, Err(CheckpointError::Twice { part: 1, .. })), "{twice:?}");
    assert!(matches!(merge(&[]), Err(CheckpointError::NoParts)));
    let other = Temporary::new("part-of-2");
    let cut = Explorer::new().max_executions(1);
    drop(cut.explore_in(&other.checkpoint().part(1, 2), body).unwrap());
    assert!(matches!(merge(&[one, &other]), Err(CheckpointError::Other { what: "part", .. })));
    let unfinished = merge(&[&other]).unwrap();
    let why = "part 1 of 2 is not explored to its end".to_owned();
    assert_eq!(unfinished.verdict, Verdict::Incomplete { why });
}

/// By an object that does not change in some orderings these would be in no part.
#[test]
fn what_may_not_change_divides_nothing() {
    let body = || {
        let changes = Arc::new(AtomicUsize::new(0));
        let closed = Arc::new(AtomicUsize::new(0));
        let looks = [(); 3].map(|_| {
            let changes = changes.clone();
            thread::spawn(move || changes.load(SeqCst))
        });
        let (close, open) = (closed.clone(), closed);
        let changes = thread::spawn(move || {
            if open.load(SeqCst) == 0 {
                changes.store(1, SeqCst);
            }
        });
        close.store(1, SeqCst);
        changes.join().unwrap();
        format!("{:?}", looks.map(|look| look.join().unwrap()))
    };
    // Each look before the store or after it, or no store.
    assert_eq!(Explorer::new().explore(body).orderings, 8 + 1);
    let part = |k| {
        let file = Temporary::new(&format!("unchanged-{k}"));
        Explorer::new().explore_in(&file.checkpoint().part(k, 2), body).unwrap().orderings
    };
    assert_eq!(part(1) + part(2), 8 + 1);
}

/// What a beginning is does not depend on the order in which an execution came to it.
///
/// The two loads of `parts`, one of them behind both stores to `x`, are come to in either order. One is that
/// of the first execution. The other is found among the orderings in which `late` precedes `early`: those
/// with the stores the other way round are the first to show that race, with the lone load first, and those
/// with the stores as before share that beginning in the wakeup tree.
#[test]
fn a_beginning_is_one_part_in_whatever_order_it_is_come_to() {
    let body = || {
        let [early, signal, x, parts, told] = [(); 5].map(|_| Arc::new(AtomicUsize::new(0)));
        let late = early.clone();
        let (signalled, tells) = (signal.clone(), told.clone());
        let (second, sees) = (x.clone(), x.clone());
        let (looks, alone, divides) = (parts.clone(), parts.clone(), parts);
        let threads = [
            thread::spawn(move || {
                early.store(1, SeqCst);
                signal.store(1, SeqCst);
            }),
            thread::spawn(move || {
                if signalled.load(SeqCst) == 0 {
                    tells.store(1, SeqCst);
                }
            }),
            thread::spawn(move || x.store(1, SeqCst)),
            thread::spawn(move || {
                second.store(2, SeqCst);
                looks.load(SeqCst);
            }),
            thread::spawn(move || _ = alone.load(SeqCst)),
            thread::spawn(move || {
                let (seen, told) = (sees.load(SeqCst), told.load(SeqCst));
                if seen == 1 || told == 1 {
                    late.store(2, SeqCst);
                }
            }),
            thread::spawn(move || divides.store(1, SeqCst)),
        ];
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        String::new()
    };
    let whole = Explorer::new().explore(body);
    whole.assert_complete();
    let part = |k| {
        let file = Temporary::new(&format!("beginnings-{k}"));
        let part = Explorer::new().explore_in(&file.checkpoint().part(k, 3), body).unwrap();
        assert!(part.orderings > 0);
        part.orderings
    };
    assert_eq!((1..=3).map(part).sum::<u64>(), whole.orderings);
}

/// The process ends without a word, again and again, and nothing is lost.
#[test]
fn what_crashes_goes_on() {
    const FILE: &str = "SHUTTLE_DPOR_TEST_FILE";
    let file = Temporary(std::env::temp_dir().join(format!("dpor-{}-crash", std::process::id())));
    let crash = || {
        let path = std::env::var_os(FILE).unwrap();
        let runs = std::sync::atomic::AtomicU64::new(0);
        let explorer = Explorer::new().workers(2).observe(move |_| {
            if runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 40 {
                std::process::abort();
            }
        });
        let file = Checkpoint::new(path).every(Duration::ZERO);
        drop(explorer.explore_in(&file, body).unwrap());
    };
    let path = file.0.to_str().unwrap();
    let mut crashes = 0;
    let name = "pieces::what_crashes_goes_on";
    while !super::child::alone_with(name, &[(FILE, path)], crash).0 {
        crashes += 1;
        assert!(crashes < 100, "it does not go on");
    }
    assert!(crashes >= 3, "{crashes} crashes");
    let all = Explorer::new().explore_in(&file.checkpoint(), body).unwrap();
    assert_eq!(counts(&all), counts(&whole()));
}

/// Of threads that are all alike each ordering is as likely, and there is no chance in the estimate.
#[test]
fn estimates_hold() {
    use shuttle_dpor::sync::{Arc, Mutex};
    use shuttle_dpor::{thread, Estimate};
    let estimate = |most: u64, time, writers: usize| {
        Explorer::new().max_executions(most).estimate(time, move || {
            let last = Arc::new(Mutex::new(0));
            for n in 0..writers {
                let last = last.clone();
                thread::spawn(move || *last.lock().unwrap() = n);
            }
        })
    };
    let long = Duration::from_secs(600);
    assert_eq!(estimate(u64::MAX, long, 4), Estimate::Exactly(24));
    // A twentieth on either side.
    assert_eq!(estimate(100, long, 6), Estimate::Between(685, 756));
    assert_eq!(estimate(100, long, 7), Estimate::Between(4799, 5292));
    // Without time it knows no bound.
    assert!(matches!(estimate(100, Duration::ZERO, 7), Estimate::AtLeast(n) if n <= 5040));
}

/// Of threads that differ some orderings are met a thousand times less often than others.
#[test]
fn estimates_hold_where_orderings_are_not_alike() {
    use super::teardown::{run, Call::*};
    use shuttle_dpor::Estimate;
    let calls = [Shutdown, Disconnect, Request(0)];
    let all = Explorer::new().check(move || run(&calls)).orderings;
    let estimate = Explorer::new().max_executions(5);
    let estimate = estimate.estimate(Duration::from_secs(600), move || run(&calls));
    let Estimate::Between(low, high) = estimate else { panic!("{estimate}") };
    assert!((low..=high).contains(&all) && high - low <= all / 4, "{all}: {low} to {high}");
}
