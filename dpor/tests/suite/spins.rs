//! Spin loops, against brute force over the same programs with their loops bounded by hand: without a
//! yield, and so without anything that the explorer knows of spinning. Of those interleavings the ones
//! count in which no loop looks again before something has changed; this file says once more, and
//! independently, what that is.

use super::brute;
use super::brute::generate::Dice;
use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::Arc;
use shuttle_dpor::{thread, Explorer, Kind, Ordering, Strategy as Choose};
use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

/// What a thread does. Each atomic is loaded by one sort of loop alone.
#[derive(Clone, Copy, Debug)]
enum Stmt {
    /// Stores to one of four atomics.
    Store(usize, usize),
    Add(usize),
    /// Loads atomic 0 or 1 until it has a value, or a greater one.
    Spin(usize, usize),
    /// Loads atomics 2 and 3 until one of them is set.
    SpinOnBoth,
}

type Program = Vec<Vec<Stmt>>;

fn stmt(dice: &mut Dice) -> Stmt {
    // Some more often, so that threads meet.
    let which = |dice: &mut Dice| dice.one_of(&[0, 0, 0, 0, 1, 2, 2, 3]);
    match dice.below(10) {
        0..4 => Stmt::Store(which(dice), dice.below(3)),
        4 => Stmt::Add(which(dice)),
        5..8 => Stmt::Spin(dice.one_of(&[0, 0, 0, 1]), 1 + dice.below(2)),
        _ => Stmt::SpinOnBoth,
    }
}

/// A small program, in which something waits and something changes.
fn program(dice: &mut Dice) -> Program {
    loop {
        let thread = |dice: &mut Dice| {
            let stmts = 1 + dice.below(3);
            (0..stmts).map(|_| stmt(dice)).collect()
        };
        let threads = 2 + dice.below(2);
        let program: Program = (0..threads).map(|_| thread(dice)).collect();
        if (1..=2).contains(&waits(&program)) && (2..=3).contains(&changes(&program)) {
            return program;
        }
    }
}

fn changes(program: &Program) -> usize {
    let changes = |s: &&Stmt| matches!(s, Stmt::Store(..) | Stmt::Add(_));
    program.iter().flatten().filter(changes).count()
}

fn waits(program: &Program) -> usize {
    program.iter().flatten().count() - changes(program)
}

/// Loops end after so many rounds: nothing changes more often.
fn rounds(program: &Program) -> usize {
    1 + changes(program)
}

/// The atomic that a loop sets that has ended so.
const GAVE_UP: usize = 4;

/// `bound`: after how many rounds a loop gives up, instead of yielding.
fn run(atomics: &[AtomicUsize], stmts: &[Stmt], bound: Option<usize>) {
    for stmt in stmts {
        let mut rounds = 0;
        let mut again = || {
            rounds += 1;
            if bound.is_none() {
                thread::yield_now();
            }
            bound == Some(rounds)
        };
        match *stmt {
            Stmt::Store(a, v) => atomics[a].store(v, SeqCst),
            Stmt::Add(a) => drop(atomics[a].fetch_add(1, SeqCst)),
            Stmt::Spin(a, v) => {
                while atomics[a].load(SeqCst) < v {
                    if again() {
                        return atomics[GAVE_UP].store(1, SeqCst);
                    }
                }
            }
            Stmt::SpinOnBoth => {
                while [2, 3].map(|a| atomics[a].load(SeqCst)) == [0, 0] {
                    if again() {
                        return atomics[GAVE_UP].store(1, SeqCst);
                    }
                }
            }
        }
    }
}

fn orderings(program: &Program, choose: Choose, limit: u64) -> Option<Vec<Ordering>> {
    let bound = (choose == Choose::Dfs).then(|| rounds(program));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (orderings, program) = (seen.clone(), program.clone());
    let report = Explorer::new()
        .strategy(choose)
        .max_executions(limit)
        .observe(move |o| orderings.lock().unwrap().push(o.clone()))
        .explore(move || {
            let atomics: Vec<_> = (0..=GAVE_UP).map(|_| AtomicUsize::new(0)).collect();
            let atomics = Arc::new(atomics);
            for stmts in &program[1..] {
                let (atomics, stmts) = (atomics.clone(), stmts.clone());
                thread::spawn(move || run(&atomics, &stmts, bound));
            }
            run(&atomics, &program[0], bound);
        });
    assert_eq!((report.blocked, report.cut), (0, 0));
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    report.exhausted().then_some(seen)
}

/// Where a thread is in its program.
#[derive(Default)]
struct At {
    stmt: usize,
    /// The looks of the current round, each atomic with the number of the first one; and what they saw.
    round: Vec<(usize, usize)>,
    values: Vec<u64>,
    /// The looks of the round before, which failed.
    failed: Vec<(usize, usize)>,
}

impl At {
    fn look(&mut self, atomic: usize, n: usize) {
        if self.round.iter().all(|(a, _)| *a != atomic) {
            self.round.push((atomic, n));
        }
    }
}

/// An interleaving of the bounded program as one of the program that spins, if it is one: no loop
/// gives up, or looks again although nothing has changed.
fn as_spinning(program: &Program, mut ordering: Ordering) -> Option<Ordering> {
    let mut threads: HashMap<Vec<u32>, At> = HashMap::new();
    let mut now = [0; GAVE_UP + 1];
    // Which atomic was changed when. A thread that waits has changed nothing since it has looked.
    let mut changes: Vec<(usize, usize)> = Vec::new();
    for n in 0..ordering.operations.len() {
        let op = &mut ordering.operations[n];
        let atomic = op.object.nth as usize;
        let at = threads.entry(op.thread.clone()).or_default();
        let place = op.thread.get(1).map_or(0, |&child| child as usize + 1);
        if atomic == GAVE_UP {
            return None;
        }
        if !at.failed.is_empty() {
            op.yielded = true;
            let later = |&(a, when): &(usize, usize)| {
                at.failed.iter().any(|&(looked, since)| looked == a && since < when)
            };
            if !changes.iter().any(later) {
                return None;
            }
            at.failed.clear();
        }
        if op.kind != Kind::Load {
            if now[atomic] == op.value {
                at.look(atomic, n);
            } else {
                changes.push((atomic, n));
                at.round.clear();
            }
            now[atomic] = op.value;
            at.stmt += 1;
            continue;
        }
        at.look(atomic, n);
        at.values.push(op.value);
        let succeeds = match program[place][at.stmt] {
            Stmt::Spin(_, v) => op.value >= v as u64,
            _ if at.values.len() == 2 => at.values.iter().any(|&v| v != 0),
            _ => continue,
        };
        at.values.clear();
        if succeeds {
            at.stmt += 1;
        } else {
            at.failed = std::mem::take(&mut at.round);
        }
    }
    Some(ordering)
}

/// How many orderings there are, if brute force can tell.
fn compare(program: &Program) -> Result<Option<usize>, String> {
    let Some(all) = orderings(program, Choose::Dfs, 3000) else { return Ok(None) };
    let all = all.into_iter().filter_map(|o| as_spinning(program, o));
    let expected: BTreeSet<u64> = all.map(|o| brute::trace(&o)).collect();
    let Some(once) = orderings(program, Choose::Dpor, 3000) else {
        return Err("more orderings than interleavings".into());
    };
    let ended = once.iter().filter(|o| !o.deadlock).map(brute::trace);
    let mut seen = BTreeSet::new();
    for trace in ended {
        if !seen.insert(trace) {
            return Err("an ordering was explored twice".into());
        }
    }
    if seen != expected {
        let (missing, more) = (expected.difference(&seen), seen.difference(&expected));
        return Err(format!(
            "{} of {} orderings are missing, {} are none",
            missing.count(),
            expected.len(),
            more.count()
        ));
    }
    Ok(Some(expected.len()))
}

#[test]
fn spins_are_as_those_bounded_by_hand() {
    let mut dice = Dice::new(1);
    let (mut compared, mut many) = (0, 0);
    for _ in 0..700 {
        let program = program(&mut dice);
        match compare(&program) {
            Ok(n) => {
                compared += usize::from(n.is_some());
                many += usize::from(n.is_some_and(|n| n > 2));
            }
            Err(why) => panic!("{program:?}: {why}"),
        }
    }
    println!("{compared} programs, {many} with more than two orderings");
    assert!(compared > 200 && many > 40);
}
