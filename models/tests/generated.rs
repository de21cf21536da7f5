//! Scenarios that nobody wrote: the smallest all, of the small ones a fixed
//! part, of the larger ones a sample. `cargo explore --generate` explores the
//! small ones all.

#![cfg(shuttle)]

use connmap_models::engine::{explore, Options};
use connmap_models::generate::{core, Universe};
use connmap_models::sweep::{one, sweep, Summary};
use connmap_models::{systems, Report, Scenario, System};
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::Arc;

fn system() -> Arc<dyn System> {
    systems::find("core").expect("the core is the first of the systems")
}

fn to_the_end(system: &Arc<dyn System>, scenario: &Arc<Scenario>) -> Report {
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// Four threads, or longer ones. A failure shrinks to fewer and shorter
    /// threads, and to letters and families that come earlier.
    #[test]
    fn a_sample_of_larger_ones_holds(
        family in 0..core(2, 2).families.len(),
        threads in vec(vec(0_usize..1000, 1..=4), 2..=4),
    ) {
        let family = core(2, 2).families.swap_remove(family);
        let letters = family.alphabet.len();
        let code: Vec<Vec<usize>> =
            threads.iter().map(|thread| thread.iter().map(|letter| letter % letters).collect()).collect();
        let options = Options { max_executions: Some(SAMPLE), ..Options::default() };
        let found = one(&system(), 0, family.text(&code), |system, scenario| {
            explore(system, scenario, &options).expect("this is the build for it")
        });
        let wrong = found.failures.iter().find(|failure| !failure.reason.starts_with("incomplete: stopped after"));
        prop_assert!(wrong.is_none(), "{found}");
    }
}
