//! Counts observations, for the engines that do not count themselves.

use crate::harness::Observation;
use crate::report::{Report, SeenOutcome, Verdict, Violation, Witness};
use crate::{Invariant, Outcome, Scenario, System};
use std::collections::BTreeMap;
use std::time::Duration;

/// What the executions so far have shown.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    pub(crate) executions: u64,
    outcomes: BTreeMap<Outcome, Counted>,
    violations: BTreeMap<Invariant, (String, Counted)>,
}

#[derive(Debug, Default)]
struct Counted {
    orderings: u64,
    witness: Option<Witness>,
}

impl Counted {
    /// Keeps the witness with the fewest switches, the first of those.
    fn add(&mut self, witness: Option<&Witness>) {
        self.orderings += 1;
        let switches = |witness: &Witness| witness.switches();
        if witness.map(switches) < self.witness.as_ref().map(switches) || self.witness.is_none() {
            self.witness = witness.cloned();
        }
    }
}

impl Collected {
    /// One execution, of which nothing but the outcome is known.
    #[cfg(loom)]
    pub(crate) fn add(&mut self, seen: Observation) {
        self.count(seen, None);
    }

    /// One execution, and how it went.
    #[cfg(shuttle)]
    pub(crate) fn add_with(&mut self, seen: Observation, witness: impl FnOnce() -> Witness) {
        self.count(seen, Some(witness()));
    }

    fn count(&mut self, seen: Observation, witness: Option<Witness>) {
        self.executions += 1;
        // An execution that did not end has no outcome.
        if !seen.outcome.0.is_empty() {
            self.outcomes.entry(seen.outcome).or_default().add(witness.as_ref());
        }
        let mut counted: Vec<Invariant> = Vec::new();
        for (invariant, detail) in seen.violations {
            let (_, orderings) =
                self.violations.entry(invariant).or_insert_with(|| (detail, Counted::default()));
            // Once an execution, however often it was noticed.
            if !counted.contains(&invariant) {
                counted.push(invariant);
                orderings.add(witness.as_ref());
            }
        }
    }

    /// The report of an exploration that ended so.
    pub(crate) fn report(
        self,
        system: &dyn System,
        scenario: &Scenario,
        engine: &str,
        elapsed: Duration,
        verdict: Verdict,
    ) -> Report {
        let outcomes = self.outcomes.into_iter().map(|(outcome, counted)| SeenOutcome {
            outcome,
            orderings: counted.orderings,
            witness: counted.witness,
        });
        let violations = self.violations.into_iter().map(|(invariant, (detail, counted))| {
            let Counted { orderings, witness } = counted;
            Violation { invariant, detail, orderings, witness }
        });
        Report {
            executions: self.executions,
            elapsed,
            verdict,
            outcomes: outcomes.collect(),
            violations: violations.collect(),
            ..Report::new(system, scenario, engine)
        }
        .judged(scenario)
    }
}
