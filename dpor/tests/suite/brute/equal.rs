//! Programs some of whose threads are equal: explored up to their exchange, and as if they differed.

use super::generate::{Dice, Generator};
use super::{counts, ends, parks, sends, shares, start, trace, weakly};
use super::{Own, Program, Seen, Sends, World};
use shuttle_dpor::{sync, thread, Checkpoint, Explorer, Ordering, Report};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex as StdMutex};

/// A program, and how many there are of each thread but the main one.
pub(crate) type Equals = (Program, Vec<usize>);

fn explorer((program, _): &Equals) -> Explorer {
    Explorer::new()
        .thread_ends(ends(program))
        .reference_counts(program.iter().any(|t| shares(t)))
        .max_executions(1000)
}

/// What the threads saw, of equal ones which of them being left out.
fn body((program, copies): &Equals) -> Vec<Vec<Seen>> {
    let limit = (program.len() + program[0].len()) % 3;
    let (sender, receiver) = Sends::channel(Some(limit).filter(|&limit| limit < 2));
    let any = |f: fn(&[super::Stmt]) -> bool| program.iter().any(|t| f(t));
    let strong = any(shares).then(|| sync::Arc::new(7));
    let weak = strong.as_ref().filter(|_| any(weakly)).map(sync::Arc::downgrade);
    let own = Own { sender: Some(sender).filter(|_| any(sends)), strong, weak };
    let world = Arc::new(World::new(counts(program), receiver));
    let owned: Vec<Vec<Option<Own>>> = program[1..]
        .iter()
        .zip(copies)
        .map(|(stmts, &n)| (0..n).map(|_| Some(own.share(stmts))).collect())
        .collect();
    let mut threads = Vec::new();
    for (n, (stmts, owned)) in program[1..].iter().zip(owned).enumerate() {
        let (world, stmts, all) = (world.clone(), stmts.clone(), owned.len());
        let owned = StdMutex::new(owned);
        threads.push(thread::spawn_equal(all, move |number| {
            let own = owned.lock().unwrap()[number].take().unwrap();
            start(&world, &format!("t{n}#{number}"), &stmts, Vec::new(), own);
        }));
    }
    start(&world, "main", &program[0], Vec::new(), own.keep(&program[0]));
    threads.into_iter().for_each(|all| drop(all.join().unwrap()));
    let seen = world.seen.lock().unwrap();
    // By thread, by member, by statement.
    let mut all: BTreeMap<&str, BTreeMap<&str, Seen>> = BTreeMap::new();
    for (who, what) in &*seen {
        let (thread, rest) = who.split_once('#').unwrap_or((who, ""));
        let (member, place) = rest.split_once('.').unwrap_or((rest, ""));
        let of_thread = all.entry(thread).or_default();
        of_thread.entry(member).or_default().insert(place.to_owned(), what.clone());
    }
    let mut sorted = Vec::new();
    for (_, members) in all {
        let mut members: Vec<Seen> = members.into_values().collect();
        members.sort();
        sorted.push(members);
    }
    sorted
}

type Counts = (u64, u64, u64, Vec<(String, String, u64, u64)>, Vec<(Vec<Vec<Seen>>, u64, u64)>);

fn counted(report: Report<Vec<Vec<Seen>>>) -> Counts {
    let violations = report.violations.into_iter();
    let outcomes = report.outcomes.into_iter();
    (
        report.orderings,
        report.deadlocks,
        report.livelocks,
        violations.map(|v| (v.name, v.place, v.orderings, v.orderings_of_name)).collect(),
        outcomes.map(|(o, seen)| (o, seen.orderings, seen.violating)).collect(),
    )
}

fn permutations(of: Vec<u32>) -> Vec<Vec<u32>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let without = |at: usize| {
        let mut rest = of.clone();
        let first = rest.remove(at);
        permutations(rest).into_iter().map(move |p| [vec![first], p].concat())
    };
    (0..of.len()).flat_map(without).collect()
}

/// The same for an ordering and all that it becomes when equal threads are exchanged: the least trace.
fn orbit(ordering: &Ordering, copies: &[usize]) -> u64 {
    let mut exchanges: Vec<Vec<u32>> = vec![Vec::new()];
    for &n in copies {
        let from = exchanges[0].len() as u32;
        let own = permutations((from..from + n as u32).collect());
        let both = |e: &Vec<u32>| own.iter().map(|p| [&e[..], p].concat()).collect::<Vec<_>>();
        exchanges = exchanges.iter().flat_map(both).collect();
    }
    let exchanged = |exchange: Vec<u32>| {
        let mut other = ordering.clone();
        for op in &mut other.operations {
            for path in [&mut op.thread, &mut op.object.creator] {
                if let Some(to) = path.get(1).and_then(|&child| exchange.get(child as usize)) {
                    path[1] = *to;
                }
            }
        }
        trace(&other)
    };
    exchanges.into_iter().map(exchanged).min().unwrap()
}

/// What it took, summed over programs.
#[derive(Default, Debug)]
pub(crate) struct Cost {
    pub(crate) programs: u64,
    pub(crate) orderings: u64,
    pub(crate) orbits: u64,
    /// Executions that were counted, and those that were not.
    pub(crate) counted: u64,
    pub(crate) blocked: u64,
}

/// Compares both, of so many random programs of at most this size.
pub(crate) fn many(
    generators: &[Generator],
    dice: &mut Dice,
    number: u64,
    size: usize,
) -> Result<Cost, String> {
    let mut cost = Cost::default();
    let mut tried = 0;
    while cost.programs < number {
        let program = generators[dice.below(generators.len())].small(dice, size);
        if program.len() > 3 {
            continue;
        }
        // The first thread beside the main one comes twice to four times, the next once or twice.
        let copies = [2 + tried % 3, 1 + tried / 3 % 2];
        let copies = copies[..program.len() - 1].to_vec();
        let equals = (program, copies);
        tried += 1;
        compare(&equals, &mut cost, tried % 8 == 0).map_err(|why| format!("{equals:?}: {why}"))?;
    }
    Ok(cost)
}

/// Compares both, unless there are too many orderings, or too few.
fn compare(program: &Equals, cost: &mut Cost, pieces: bool) -> Result<(), String> {
    let orbits = Arc::new(StdMutex::new(HashSet::new()));
    let (seen, copies) = (orbits.clone(), program.1.clone());
    let own = program.clone();
    let full = explorer(program)
        .symmetry(false)
        .observe(move |ordering| {
            seen.lock().unwrap().insert(orbit(ordering, &copies));
        })
        .explore(move || body(&own));
    if full.incomplete.is_some() || full.executions < 3 {
        return Ok(());
    }
    if full.blocked != 0 || full.orderings != full.executions {
        return Err(format!("without symmetry: {full}"));
    }
    let all = counted(full);
    for workers in [1, 3] {
        let own = program.clone();
        let report = explorer(program).workers(workers).explore(move || body(&own));
        if let Some(why) = report.incomplete {
            return Err(format!("with symmetry it does not come to its end: {why}"));
        }
        let (executions, blocked) = (report.executions, report.blocked);
        let here = counted(report);
        if here != all {
            return Err(format!("{workers} workers: {here:?} and not {all:?}"));
        }
        let orbits = orbits.lock().unwrap().len() as u64;
        if ends(&program.0) || program.0.iter().any(|t| parks(t)) {
            // What says whether a thread has ended, and its token, are not the thread's, and would have to be
            // exchanged, too.
            continue;
        }
        if executions - blocked < orbits || executions - blocked > all.0 {
            return Err(format!("{executions} executions, {blocked} blocked, {orbits} orbits"));
        }
        if workers == 1 {
            cost.programs += 1;
            cost.orderings += all.0;
            cost.orbits += orbits;
            cost.counted += executions - blocked;
            cost.blocked += blocked;
        }
    }
    match pieces {
        true => in_pieces(program, &all),
        false => Ok(()),
    }
}

/// Interrupted and gone on with, and in three parts.
fn in_pieces(program: &Equals, all: &Counts) -> Result<(), String> {
    let outcomes =
        |all: &Counts| all.4.iter().map(|(o, n, v)| (format!("{o:?}"), *n, *v)).collect::<Vec<_>>();
    let explore = |file: &Checkpoint, most: u64, workers| {
        let own = program.clone();
        let explorer = explorer(program).max_executions(most).workers(workers);
        explorer.explore_in(file, move || format!("{:?}", body(&own))).map_err(|e| e.to_string())
    };
    let path = super::pieces::path();
    let file = Checkpoint::new(&path);
    let report = loop {
        let report = explore(&file, 5, 2)?;
        if report.incomplete.is_none() {
            break report;
        }
    };
    drop(std::fs::remove_file(&path));
    let paths: Vec<_> = (0..3).map(|_| super::pieces::path()).collect();
    for (k, path) in paths.iter().enumerate() {
        let part = explore(&Checkpoint::new(path).part(k + 1, 3), u64::MAX, 1 + k)?;
        // An ordering may be in another part than those that it becomes when members are exchanged.
        let why = part.incomplete.unwrap_or_default();
        if why != format!("part {} of 3", k + 1) {
            return Err(format!("a part: {why}"));
        }
    }
    let own = program.clone();
    let merged = explorer(program).merge(&paths, "", move || format!("{:?}", body(&own)));
    paths.iter().for_each(|path| drop(std::fs::remove_file(path)));
    for report in [report, merged.map_err(|e| e.to_string())?] {
        if let Some(why) = report.incomplete {
            return Err(format!("in pieces: {why}"));
        }
        let mut seen: Vec<_> =
            report.outcomes.iter().map(|(o, s)| (o.clone(), s.orderings, s.violating)).collect();
        let mut expected = outcomes(all);
        seen.sort();
        expected.sort();
        if (report.orderings, report.deadlocks, report.livelocks) != (all.0, all.1, all.2)
            || seen != expected
        {
            return Err(format!("in pieces: {report}"));
        }
    }
    Ok(())
}
