//! Scenarios that nobody wrote: the smallest all, of the small ones a fixed
//! part, of the larger ones a sample. `cargo explore --generate` explores the
//! small ones all.

#![cfg(shuttle)]

use connmap_models::systems;
use connmap_models::universe::core;
use orderings::engine::{explore, Options};
use orderings::generate::Universe;
use orderings::sweep::{one, sweep, Summary};
use orderings::{parse, Model, Report, Scenario};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRng, TestRunner};
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
    let summary = explored(&core(3, 4), 4000);
    assert!(summary.scenarios > 300 && summary.orderings > summary.scenarios);
}

/// Beyond this a sample is left unfinished; what was seen of it counts.
const SAMPLE: u64 = 1000;

/// Four threads, or longer ones. A failure shrinks to fewer and shorter
/// threads, and to letters and families that come earlier.
fn larger() -> impl Strategy<Value = String> {
    let families = core(2, 2).families;
    (0..families.len(), vec(vec(0_usize..1000, 1..=4), 2..=4)).prop_map(move |(family, threads)| {
        let family = &families[family];
        let letters = family.alphabet.len();
        let thread = |thread: Vec<usize>| thread.iter().map(|letter| letter % letters).collect();
        family.text(&threads.into_iter().map(thread).collect::<Vec<_>>())
    })
}

/// Whether it does, as far as it is explored.
fn holds(system: &Arc<dyn Model>, text: String) -> Result<(), TestCaseError> {
    let options = Options { max_executions: Some(SAMPLE), ..Options::default() };
    let found = one(system, 0, text, |system, scenario| {
        explore(system, scenario, &options).expect("this is the build for it")
    });
    let unfinished = |reason: &str| reason.starts_with("incomplete: stopped after");
    let wrong = found.failures.iter().find(|failure| !unfinished(&failure.reason));
    prop_assert!(wrong.is_none(), "{found}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_sample_of_larger_ones_holds(text in larger()) {
        holds(&system(), text)?;
    }
}

/// On a protocol that is known to fail: two threads, and little in them.
#[test]
fn a_failure_shrinks_to_a_small_scenario() {
    let system = systems::find("kv-engine@before-mb-37702").expect("it is an era");
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let rng = TestRng::deterministic_rng(config.rng_algorithm);
    let found = TestRunner::new_with_rng(config, rng).run(&larger(), |text| {
        // It does not know all of the core's operations and settings.
        match parse::scenario(&text, &*system) {
            Ok(_) => holds(&system, text),
            Err(_) => Ok(()),
        }
    });
    let Err(TestError::Fail(_, text)) = found else { panic!("nothing was found: {found:?}") };
    let scenario = parse::scenario(&text, &*system).expect("it was explored");
    let calls: usize = scenario.threads.iter().map(Vec::len).sum();
    assert!(scenario.threads.len() == 2 && calls <= 3, "{text}");
}
