//! Outcomes of scenarios whose threads can be exchanged: those with the same calls.
//!
//! shuttle-dpor runs one of the orderings that exchanges turn into each other, and counts all of them; the
//! outcome that it counts leaves out which of the threads got which answers. Here it is spelled out
//! again: an exchange of the threads is an exchange of their answers, and each has as many orderings as any
//! other. That is not taken on trust: the ordering of each outcome is run.

use crate::log::Answer;
use crate::{Outcome, Scenario};
use shuttle_dpor::Token;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// The places of a scenario's threads that can be exchanged, several of each.
pub(super) fn classes(scenario: &Scenario) -> Vec<Range<usize>> {
    scenario.alike().into_iter().filter(|alike| alike.len() > 1).collect()
}

/// What the calls of one thread answered.
fn answers(outcome: &Outcome, thread: usize) -> Vec<Arc<str>> {
    // The prologue is 0.
    let own = outcome.answers.iter().filter(|answer| answer.thread == thread + 1);
    own.map(|answer| answer.answer.clone()).collect()
}

/// The outcome with the answers of `from[n]` as those of thread `n`.
fn with(outcome: &Outcome, from: &[usize]) -> Outcome {
    let all: Vec<Vec<Arc<str>>> = from.iter().map(|&from| answers(outcome, from)).collect();
    let mut left: Vec<_> = all.into_iter().map(Vec::into_iter).collect();
    let own = |answer: &Answer| {
        let thread = answer.thread.checked_sub(1).and_then(|thread| left.get_mut(thread));
        let said = thread.and_then(Iterator::next).unwrap_or_else(|| answer.answer.clone());
        Answer { answer: said, ..answer.clone() }
    };
    Outcome { answers: outcome.answers.iter().map(own).collect() }
}

/// The outcome that stands for all that exchanges make of it.
pub(super) fn sorted(outcome: &Outcome, scenario: &Scenario) -> Outcome {
    let mut from: Vec<usize> = (0..scenario.threads.len()).collect();
    for class in classes(scenario) {
        from[class].sort_by_cached_key(|&thread| answers(outcome, thread));
    }
    with(outcome, &from)
}

/// All that exchanges make of an outcome, each with an exchange that does: whose answers are whose.
pub(super) fn exchanges(outcome: &Outcome, scenario: &Scenario) -> BTreeMap<Outcome, Vec<usize>> {
    let same: Vec<usize> = (0..scenario.threads.len()).collect();
    let mut all = BTreeMap::from([(outcome.clone(), same.clone())]);
    for class in classes(scenario) {
        // What stands at each place is exchanged with what stands behind it.
        for place in class.clone() {
            for (other, from) in all.clone() {
                for behind in place + 1..class.end {
                    let mut swapped = same.clone();
                    swapped.swap(place, behind);
                    let new = with(&other, &swapped);
                    let from = swapped.iter().map(|&at| from[at]).collect();
                    all.entry(new).or_insert(from);
                }
            }
        }
    }
    all
}

/// The ordering of a token in which thread `n` does what thread `from[n]` does there. `own`: the
/// thread whose calls the caller makes; the others are its children, in their order.
pub(super) fn exchanged(token: &Token, from: &[usize], own: Option<usize>) -> Token {
    let child = |thread: usize| (thread - usize::from(own.is_some_and(|own| own < thread))) as u32;
    token.exchanged(|path| {
        let mut path = path.to_vec();
        let threads = || (0..from.len()).filter(|&thread| Some(thread) != own);
        if let Some(nth) = path.get_mut(1) {
            if let Some(to) = threads().find(|&to| child(from[to]) == *nth) {
                *nth = child(to);
            }
        }
        path
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Call;

    fn scenario(threads: &[&str]) -> Scenario {
        let call = |text: &&str| Call {
            operation: "do",
            receiver: None,
            arguments: Vec::new(),
            text: (*text).to_owned(),
            waits: false,
        };
        Scenario {
            threads: threads.iter().map(|text| vec![call(text)]).collect(),
            ..Scenario::default()
        }
    }

    fn outcome(scenario: &Scenario, said: &[&str]) -> Outcome {
        let answers = scenario.ids().zip(said).map(|(id, said)| Answer {
            thread: id.thread,
            call: scenario.label(id).into(),
            answer: (*said).into(),
        });
        Outcome { answers: answers.collect() }
    }

    #[test]
    fn each_exchange_once_and_whose_answers_it_has() {
        let four = scenario(&["a", "b", "b", "b", "a"]);
        assert_eq!(classes(&four), vec![1..4; 1], "side by side, and no others");
        let seen = outcome(&four, &["1", "3", "2", "2", "0"]);
        let all = exchanges(&seen, &four);
        let said: Vec<Vec<&str>> =
            all.keys().map(|o| o.answers.iter().map(|a| &*a.answer).collect()).collect();
        let expected =
            [["1", "2", "2", "3", "0"], ["1", "2", "3", "2", "0"], ["1", "3", "2", "2", "0"]];
        assert_eq!(said, expected);
        for (other, from) in &all {
            assert_eq!(with(&seen, from), *other);
            assert_eq!(sorted(other, &four), outcome(&four, &expected[0]));
        }
        let two = scenario(&["a", "a", "b", "b"]);
        assert_eq!(exchanges(&outcome(&two, &["1", "2", "3", "4"]), &two).len(), 4);
        let six = scenario(&["a"; 6]);
        assert_eq!(exchanges(&outcome(&six, &["1", "2", "3", "4", "5", "6"]), &six).len(), 720);
    }

    #[test]
    fn an_ordering_by_exchanged_threads() {
        let token = |runs: &str| format!("dpor-{}/0,0.0,0.1,0.2/{runs}", env!("CARGO_PKG_VERSION"));
        let one: Token = token("0,1x2,2x3,3x4").parse().unwrap();
        // Thread 1 is the caller's; 0, 2 and 3 are its children. 0 does what 3 did, 2 what 0 did.
        let other = exchanged(&one, &[3, 1, 0, 2], Some(1));
        assert_eq!(other.to_string(), token("0,2x2,3x3,1x4"));
        assert_eq!(exchanged(&one, &[0, 1, 2, 3], Some(1)), one);
    }
}
