//! Scenarios that nobody wrote: the smallest all, of the small ones a fixed
//! part, of the larger ones a sample. `cargo explore --generate` explores the
//! small ones all.

#![cfg(shuttle)]

use connmap_models::systems;
use connmap_models::universe::core;
use orderings::engine::{explore, Options};
use orderings::generate::Universe;
use orderings::sweep::{shrink, sweep, Summary};
use orderings::{parse, Model, Report, Scenario};
use std::iter;
use std::sync::Arc;

fn system() -> Arc<dyn Model> {
    systems::find("core").expect("the core is the first of the systems")
}

fn to_the_end(system: &Arc<dyn Model>, scenario: &Arc<Scenario>) -> Report {
    explore(system, scenario, &Options::default()).expect("this is the build for it")
}

fn explored(universe: &Universe, parts: usize) -> Summary {
    let scenarios = universe.part(1, parts);
    let summary = sweep(&system(), scenarios, 2, to_the_end, |_| ());
    println!("{summary}");
    assert_eq!(summary.failed, 0, "{summary}");
    summary
}

#[test]
fn two_threads_of_three_calls_hold() {
    let summary = explored(&core(2, 3), 20);
    assert!(summary.scenarios > 1000 && summary.orderings > summary.scenarios);
}

#[test]
fn a_part_of_three_threads_of_four_calls_holds() {
    let summary = explored(&core(3, 4), 800);
    assert!(summary.scenarios > 300 && summary.orderings > summary.scenarios);
}

/// Beyond this a scenario of the sample is left unfinished; what was seen of it
/// counts.
const LIMIT: u64 = 1000;

fn as_far_as_it_goes(system: &Arc<dyn Model>, scenario: &Arc<Scenario>) -> Report {
    let options = Options { max_executions: Some(LIMIT), ..Options::default() };
    explore(system, scenario, &options).expect("this is the build for it")
}

/// Numbers that look random, and are the same in each run (xorshift).
fn numbers(seed: u64) -> impl Iterator<Item = usize> {
    iter::successors(Some(seed), |&x: &u64| {
        let x = x ^ x << 13;
        let x = x ^ x >> 7;
        Some(x ^ x << 17)
    })
    .map(|x| (x >> 32) as usize)
}

/// Scenarios of two to four threads of up to four calls, without an end.
fn larger() -> impl Iterator<Item = String> {
    let families = core(2, 2).families;
    let mut numbers = numbers(0x9e37_79b9_7f4a_7c15);
    iter::from_fn(move || {
        let mut below = |limit: usize| numbers.next().map_or(0, |number| number % limit);
        let family = &families[below(families.len())];
        let threads = 2 + below(3);
        let thread = |_| {
            let calls = 1 + below(4);
            (0..calls).map(|_| below(family.alphabet.len())).collect()
        };
        Some(family.text(&(0..threads).map(thread).collect::<Vec<_>>()))
    })
}

#[test]
fn a_sample_of_larger_ones_holds() {
    let summary = sweep(&system(), larger().take(40), 2, as_far_as_it_goes, |_| ());
    println!("{summary}");
    assert_eq!(summary.scenarios, 40);
    assert_eq!(summary.failed, summary.unfinished, "{summary}");
}

/// On a protocol that is known to fail: two threads, and little in them.
#[test]
fn a_failure_shrinks_to_a_small_scenario() {
    let system = systems::find("kv-engine@before-mb-37702").expect("it is an era");
    // It does not know all of the core's operations and settings.
    let known = larger().filter_map(|text| parse::scenario(&text, &*system).ok().map(Arc::new));
    let fails =
        |scenario: &Arc<Scenario>| !as_far_as_it_goes(&system, scenario).violations.is_empty();
    let found = known.take(200).find(fails).expect("it fails");
    let text = shrink(&*system, &found.text, fails);
    let scenario = parse::scenario(&text, &*system).expect("it was explored");
    let calls: usize = scenario.threads.iter().map(Vec::len).sum();
    assert!(scenario.threads.len() == 2 && calls <= 3, "{text}");
}
