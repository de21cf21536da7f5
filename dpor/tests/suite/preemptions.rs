//! The bound on preemptions, against every interleaving from shuttle's depth-first search: the
//! orderings explored are exactly those that some interleaving with so few preemptions has.

use shuttle_dpor::sync::atomic::{AtomicU32, Ordering::SeqCst};
use shuttle_dpor::sync::Mutex;
use shuttle_dpor::{thread, Explorer, Kind, Operation, Strategy, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One operation of a program's thread.
#[derive(Clone, Copy, Debug)]
enum Step {
    Load(usize),
    Store(usize),
    /// Stores while it holds the mutex.
    Locked(usize),
}

type Program = Vec<Vec<Step>>;

fn run(program: &Program) {
    let cells = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
    let mutex = Arc::new(Mutex::new(()));
    let threads: Vec<_> = program
        .iter()
        .cloned()
        .map(|steps| {
            let (cells, mutex) = (cells.clone(), mutex.clone());
            thread::spawn(move || {
                for step in steps {
                    match step {
                        Step::Load(i) => drop(cells[i].load(SeqCst)),
                        Step::Store(i) => cells[i].store(1, SeqCst),
                        Step::Locked(i) => {
                            let _guard = mutex.lock().unwrap();
                            cells[i].store(2, SeqCst);
                        }
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
}

/// Explores, and returns the interleavings that were run.
fn observed(explorer: Explorer, program: &Program) -> (Vec<Vec<Operation>>, Verdict, u64) {
    let all = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (seen, body) = (all.clone(), program.clone());
    let report = explorer
        .observe(move |ordering| seen.lock().unwrap().push(ordering.operations.clone()))
        .explore(move || run(&body));
    let all = std::mem::take(&mut *all.lock().unwrap());
    (all, report.verdict, report.orderings)
}

/// How often the turn is taken from a thread whose next operation could have been performed.
fn preemptions(run: &[Operation]) -> u32 {
    let mut held = BTreeSet::new();
    let mut count = 0;
    for (i, op) in run.iter().enumerate() {
        match op.kind {
            Kind::Lock => drop(held.insert(op.object.clone())),
            Kind::Unlock => drop(held.remove(&op.object)),
            _ => {}
        }
        let Some(next) = run.get(i + 1) else { break };
        let own = run[i + 1..].iter().find(|other| other.thread == op.thread);
        let could = |own: &Operation| own.kind != Kind::Lock || !held.contains(&own.object);
        count += u32::from(next.thread != op.thread && own.is_some_and(could));
    }
    count
}

type Class = BTreeMap<(Vec<u32>, usize), BTreeSet<(Vec<u32>, usize)>>;

/// What an interleaving has in common with the equivalent ones: which operations come before which.
fn class(run: &[Operation]) -> Class {
    let mut class = Class::new();
    let mut names = Vec::new();
    for (i, op) in run.iter().enumerate() {
        let nth = run[..i].iter().filter(|other| other.thread == op.thread).count();
        let name = (op.thread.clone(), nth);
        let mut before = BTreeSet::new();
        for (other, earlier) in run[..i].iter().zip(&names) {
            let loads = (other.kind, op.kind) == (Kind::Load, Kind::Load);
            if other.thread == op.thread || (other.object == op.object && !loads) {
                before.extend(class[earlier].iter().cloned());
                before.insert(earlier.clone());
            }
        }
        class.insert(name.clone(), before);
        names.push(name);
    }
    class
}

#[test]
fn the_orderings_are_those_that_so_few_preemptions_have() {
    let mut programs: Vec<Program> = vec![
        vec![vec![Step::Load(0), Step::Store(0)]; 3],
        vec![vec![Step::Locked(0), Step::Load(1)], vec![Step::Store(1), Step::Locked(0)]],
    ];
    let mut random: u64 = 7;
    let mut draw = |n: u64| {
        random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (random >> 33) % n
    };
    for _ in 0..40 {
        let threads = 2 + draw(2);
        let program = (0..threads).map(|_| {
            let steps = 1 + draw(if threads == 2 { 3 } else { 2 });
            let step = |_| match draw(3) {
                0 => Step::Load(draw(2) as usize),
                1 => Step::Store(draw(2) as usize),
                _ => Step::Locked(draw(2) as usize),
            };
            (0..steps).map(step).collect()
        });
        programs.push(program.collect());
    }
    let mut needs_two = 0;
    for program in &programs {
        let (all, verdict, _) = observed(Explorer::new().strategy(Strategy::Dfs), program);
        assert_eq!(verdict, Verdict::Complete);
        let mut fewest = BTreeMap::<Class, u32>::new();
        for run in &all {
            let n = preemptions(run);
            fewest.entry(class(run)).and_modify(|m| *m = n.min(*m)).or_insert(n);
        }
        for bound in 0..4 {
            let explorer = Explorer::new().max_preemptions(bound);
            let (seen, verdict, orderings) = observed(explorer, program);
            assert_eq!(verdict, Verdict::Within { preemptions: bound });
            let seen: Vec<Class> = seen.iter().map(|run| class(run)).collect();
            let within = fewest.iter().filter(|&(_, &n)| n <= bound).map(|(class, _)| class);
            assert!(
                within.eq(&seen.iter().cloned().collect::<BTreeSet<_>>()),
                "{program:?}, {bound}"
            );
            assert_eq!(seen.len() as u64, orderings, "each once: {program:?}, {bound}");
        }
        needs_two += usize::from(fewest.values().any(|&n| n >= 2));
    }
    assert!(needs_two > 10, "only {needs_two} programs have more than the bound lets through");
}

#[test]
fn a_bound_is_never_complete() {
    let report = Explorer::new().max_preemptions(9).explore(|| ());
    assert_eq!(report.verdict, Verdict::Within { preemptions: 9 });
    assert!(!report.exhausted());
    assert_eq!(report.verdict.to_string(), "complete within 9 preemptions");
    let cut = Explorer::new().max_preemptions(9).max_executions(1).explore(|| {
        let n = Arc::new(AtomicU32::new(0));
        let other = n.clone();
        let thread = thread::spawn(move || other.store(1, SeqCst));
        let _ = n.load(SeqCst);
        thread.join().unwrap();
    });
    assert!(matches!(cut.verdict, Verdict::Incomplete { .. }), "{}", cut.verdict);
}

#[test]
fn what_needs_a_preemption_is_found_with_one() {
    let torn = || {
        let n = Arc::new(AtomicU32::new(0));
        let other = n.clone();
        let thread = thread::spawn(move || {
            other.store(1, SeqCst);
            other.store(2, SeqCst);
        });
        assert_ne!(n.load(SeqCst), 1);
        thread.join().unwrap();
    };
    let none = Explorer::new().max_preemptions(0).explore(torn);
    assert_eq!(none.verdict, Verdict::Within { preemptions: 0 });
    let one = Explorer::new().max_preemptions(1).explore(torn);
    assert_eq!(one.verdict, Verdict::Violated);
    assert_eq!(one.violation("panic").unwrap().orderings, 1);
}
