//! Programs of many threads that store to atomics and load from them. Brute force has far too many interleavings
//! of these; but without a branch in them their traces can be counted step by step.

use super::brute::generate::Dice;
use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::{thread, Explorer};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a thread does to which atomic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Load(usize),
    Store(usize),
}
use Step::{Load, Store};

type Program = Vec<Vec<Step>>;

impl Step {
    fn atomic(self) -> usize {
        match self {
            Load(atomic) | Store(atomic) => atomic,
        }
    }

    fn conflicts(self, other: Step) -> bool {
        self.atomic() == other.atomic() && !matches!((self, other), (Load(_), Load(_)))
    }
}

/// Of each step so far, by thread: how many of each thread's happen before it, itself included. That tells traces
/// apart.
type Trace = Vec<Vec<Vec<usize>>>;

fn traces(program: &Program) -> usize {
    let steps: usize = program.iter().map(Vec::len).sum();
    let mut all = BTreeSet::from([vec![Vec::new(); program.len()]]);
    for _ in 0..steps {
        let longer = |trace: &Trace| {
            let can = |&t: &usize| trace[t].len() < program[t].len();
            (0..program.len()).filter(can).map(|t| with(program, trace, t)).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(longer).collect();
    }
    all.len()
}

/// The trace in which thread `t` takes its next step.
fn with(program: &Program, trace: &Trace, t: usize) -> Trace {
    let step = program[t][trace[t].len()];
    let mut clock = vec![0; program.len()];
    for (other, done) in trace.iter().enumerate() {
        for (n, known) in done.iter().enumerate() {
            if other == t || program[other][n].conflicts(step) {
                clock.iter_mut().zip(known).for_each(|(clock, known)| *clock = *known.max(clock));
            }
        }
    }
    clock[t] += 1;
    let mut trace = trace.clone();
    trace[t].push(clock);
    trace
}

/// How many orderings the explorer has, each run once, if they are not more than so many.
fn orderings(program: &Program, most: u64) -> Option<usize> {
    let program = program.clone();
    let report = Explorer::new().max_executions(most).explore(move || {
        let atomics: Arc<[AtomicUsize; 5]> = Arc::default();
        let run = |steps: &Vec<Step>| {
            let (atomics, steps) = (atomics.clone(), steps.clone());
            thread::spawn(move || {
                for step in steps {
                    match step {
                        Load(atomic) => drop(atomics[atomic].load(SeqCst)),
                        Store(atomic) => atomics[atomic].store(1, SeqCst),
                    }
                }
            })
        };
        let threads: Vec<_> = program.iter().map(run).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
    if report.incomplete.is_some() {
        return None;
    }
    assert_eq!((report.executions, report.blocked), (report.orderings, 0));
    Some(report.orderings as usize)
}

/// Each lost orderings while the explorer took it that some reversal of a race is like any other: by a step that
/// sleeps, by a branch that waits, or by one that is new.
#[test]
fn each_race_is_reversed_as_often_as_it_takes() {
    let programs = [
        vec![
            vec![Store(0), Store(0)],
            vec![Store(0), Store(0)],
            vec![Store(1)],
            vec![Load(1)],
            vec![Load(1)],
        ],
        vec![
            vec![Store(0), Load(1)],
            vec![Load(0)],
            vec![Store(1)],
            vec![Load(1)],
            vec![Store(0), Store(0)],
        ],
        vec![
            vec![Store(1), Load(3)],
            vec![Load(1), Load(3)],
            vec![Store(0)],
            vec![Load(1), Store(3)],
            vec![Load(0), Store(2)],
            vec![Load(0)],
        ],
    ];
    let counted = programs.iter().map(traces).collect::<Vec<_>>();
    assert_eq!(counted, [24, 48, 64]);
    for (program, traces) in programs.iter().zip(counted) {
        assert_eq!(orderings(program, 1000), Some(traces), "{program:?}");
    }
}

#[test]
fn random_programs_of_many_threads() {
    let mut dice = Dice::new(1);
    let mut compared = 0;
    for _ in 0..150 {
        let (threads, atomics) = (5 + dice.below(2), 2 + dice.below(4));
        let step = |dice: &mut Dice| match (dice.below(atomics), dice.below(3)) {
            (atomic, 0) => Load(atomic),
            (atomic, _) => Store(atomic),
        };
        let steps =
            |dice: &mut Dice| (0..1 + dice.below(2)).map(|_| step(dice)).collect::<Vec<_>>();
        let program: Program = (0..threads).map(|_| steps(&mut dice)).collect();
        if let Some(orderings) = orderings(&program, 400) {
            assert_eq!(orderings, traces(&program), "{program:?}");
            compared += 1;
        }
    }
    assert!(compared > 50, "{compared}");
}
