//! Counts outcomes and violations for loom, which counts none.

use crate::harness::Observation;
use crate::log::{Outcomes, Replies};
use crate::report::{Report, SeenOutcome, Violation};
use crate::{Invariant, Model, Scenario};
use std::collections::BTreeMap;
use std::time::Duration;

/// The results of the executions so far.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    pub(crate) executions: u64,
    /// For each outcome its executions, and those that violate an invariant.
    outcomes: BTreeMap<Replies, (u64, u64)>,
    violations: BTreeMap<Invariant, (String, u64)>,
}

impl Collected {
    pub(crate) fn add(&mut self, seen: Observation) {
        self.executions += 1;
        let (executions, violating) = self.outcomes.entry(seen.replies).or_default();
        *executions += 1;
        *violating += u64::from(!seen.violations.is_empty());
        let mut counted: Vec<Invariant> = Vec::new();
        for (invariant, detail) in seen.violations {
            let (_, executions) = self.violations.entry(invariant).or_insert_with(|| (detail, 0));
            // One execution counts once, however often it reports the invariant.
            if !counted.contains(&invariant) {
                counted.push(invariant);
                *executions += 1;
            }
        }
    }

    /// The report of an exploration; `reason`: why it is incomplete.
    pub(crate) fn report(
        self,
        system: &dyn Model,
        scenario: &Scenario,
        engine: &str,
        elapsed: Duration,
        reason: Option<String>,
    ) -> Report {
        let mut made = Outcomes::new(scenario);
        let outcomes = self.outcomes.into_iter();
        let outcomes = outcomes.map(|(replies, (orderings, violating))| {
            SeenOutcome::new(made.outcome(&replies), orderings, violating)
        });
        let violations = self.violations.into_iter().map(|(invariant, (detail, orderings))| {
            Violation::new(invariant.name(), detail, orderings)
        });
        Report {
            executions: self.executions,
            elapsed,
            reason,
            outcomes: outcomes.collect(),
            violations: violations.collect(),
            ..Report::new(system, scenario, engine)
        }
        .judged(scenario, system)
    }
}
