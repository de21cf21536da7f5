//! Equal threads, explored up to their exchange: the same counts as if they differed.

use super::brute;
use proptest::strategy::{Strategy as _, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Two to four equal threads, and others.
#[test]
fn random_programs_with_equal_threads() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let programs = brute::program(None).prop_filter("large", |p: &brute::Program| {
        p.len() < 4 && p.iter().map(|t| brute::size(t)).sum::<usize>() <= 7
    });
    let number = std::env::var("NUMBER").map_or(200, |n| n.parse().unwrap());
    let mut cost = brute::equal::Cost::default();
    let mut tried = 0;
    while cost.programs < number {
        let program = programs.new_tree(&mut runner).unwrap().current();
        // The first thread beside the main one comes twice to four times, the next once or twice.
        let copies = [2 + tried % 3, 1 + tried / 3 % 2];
        let equals = (program.clone(), copies[..program.len() - 1].to_vec());
        tried += 1;
        if let Err(why) = brute::equal::compare(&equals, &mut cost, tried % 8 == 0) {
            panic!("{equals:?}: {why}");
        }
    }
    println!("{cost:?} of {tried} programs");
}
