//! A failing test again: `SHUTTLE_DPOR_REPLAY` in the environment holds a token, and explorers run
//! that ordering and no other.

use crate::report::{Again, Found, Outcome, Replay, Report, Verdict, Violation};
use crate::schedule::Token;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const VARIABLE: &str = "SHUTTLE_DPOR_REPLAY";

/// The token that the environment holds.
///
/// # Panics
///
/// If there is one that is none.
pub(crate) fn asked_for() -> Option<Token> {
    let text = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty())?;
    match text.parse() {
        Ok(token) => Some(token),
        Err(e) => panic!("{VARIABLE} is not a token as a report's `replay:` line has it: {e}"),
    }
}

/// What to report of one ordering.
///
/// # Panics
///
/// If the body did something else than the token says.
pub(crate) fn report<T: Ord>(token: Token, run: Replay<T>, elapsed: Duration) -> Report<T> {
    if let Some(why) = run.diverged {
        panic!("the token in {VARIABLE} is not of this test, or of another version of it: {why}");
    }
    let why = format!("only the ordering in {VARIABLE} was run");
    let Replay { witness, outcome, violations, .. } = run;
    let violating = !violations.is_empty() as u64;
    let stuck = |what| violations.iter().any(|v| v.name == what) as u64;
    let (deadlocks, livelocks) = (stuck("no-deadlock"), stuck("no-livelock"));
    let violations: Vec<_> = violations
        .into_iter()
        .map(|Found { name, place, detail }| Violation {
            name: name.into_owned(),
            place,
            detail,
            orderings: 1,
            orderings_of_name: 1,
            token: token.clone(),
            witness: witness.clone(),
        })
        .collect();
    let longest = witness.steps.len();
    let again = Again(Arc::new(move |_| witness.clone()));
    let outcomes: BTreeMap<_, _> = outcome
        .map(|value| (value, Outcome { orderings: 1, violating, token, again }))
        .into_iter()
        .collect();
    Report {
        verdict: match violations.is_empty() {
            true => Verdict::Incomplete { why: why.clone() },
            false => Verdict::Violated,
        },
        executions: 1,
        orderings: 1,
        blocked: 0,
        cut: 0,
        longest,
        deadlocks,
        livelocks,
        probes: 0,
        cut_off: None,
        outcomes,
        violations,
        incomplete: Some(why),
        within: None,
        part: None,
        elapsed,
    }
}
