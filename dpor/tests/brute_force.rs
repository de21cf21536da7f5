//! Random programs: the explorer runs each trace exactly once, and brute force agrees.

#[allow(dead_code)]
mod brute;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[test]
fn every_trace_exactly_once() {
    let mut config = Config::with_cases(1500);
    config.failure_persistence = None;
    config.max_global_rejects = 1_000_000;
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let (compared, interleavings, traces) =
        (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let programs = brute::program()
        .prop_filter("too large", |p| p.iter().map(|t| brute::size(t)).sum::<usize>() <= 10);
    let result =
        TestRunner::new_with_rng(config, rng).run(&programs, |program| {
            match brute::compare(&program, 2000, 2000, true) {
                Ok(Some((all, once))) => {
                    compared.fetch_add(1, Relaxed);
                    interleavings.fetch_add(all, Relaxed);
                    traces.fetch_add(once, Relaxed);
                    Ok(())
                }
                Ok(None) => Ok(()),
                Err(why) => Err(TestCaseError::fail(why)),
            }
        });
    if let Err(e) = result {
        panic!("{e}");
    }
    let compared = compared.into_inner();
    println!("{compared} programs, {interleavings:?} interleavings, {traces:?} traces");
    assert!(compared > 500, "only {compared} programs were compared");
    assert!(traces.into_inner() > 5 * compared, "the programs hardly conflict");
}
