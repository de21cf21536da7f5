//! The words for a report that all formats share.

use super::layout::plural;
use crate::invariant::{NO_DEADLOCK, NO_LIVELOCK, NO_PANIC};
use crate::log::Answer;
use crate::report::{Grade, Report, SeenOutcome, Verdict};
use std::fmt;

impl Report {
    /// Executions a second.
    pub fn rate(&self) -> u64 {
        (self.executions as f64 / self.elapsed.as_secs_f64().max(1e-6)).round() as u64
    }

    /// How many orderings there are, where the engine tells them apart, and how many executions it took.
    pub fn size(&self) -> String {
        let executions = plural(self.executions, "execution");
        match self.orderings.map(|all| (all, plural(all, "ordering"))) {
            Some((all, orderings)) if all > self.executions => {
                format!("{orderings}, by symmetry from {executions}")
            }
            Some((_, orderings)) => format!("{orderings}, {executions}"),
            None => executions,
        }
    }

    /// The unit in which outcomes and violations are counted.
    pub fn counted(&self) -> &'static str {
        match self.orderings {
            Some(_) => "ordering",
            None => "execution",
        }
    }

    /// ` on SYSTEM`; empty for the system that the command explores by default.
    pub fn on(&self) -> String {
        match self.usual {
            true => String::new(),
            false => format!(" on {}", self.system),
        }
    }

    /// A line about the orderings that have no outcome, for they did not end.
    pub fn without_outcome(&self) -> Option<String> {
        let rows = self.outcomes.iter().map(|row| row.orderings).sum();
        let rest = self.all().checked_sub(rows).filter(|&rest| rest > 0)?;
        let percent = rest as f64 * 100.0 / self.all() as f64;
        let counted = plural(rest, self.counted());
        let broken = self.violations.iter().map(|broken| broken.invariant.as_str());
        let endless = [NO_DEADLOCK, NO_LIVELOCK, NO_PANIC].map(|invariant| invariant.name());
        let stuck = broken.filter(|name| endless.contains(name));
        let why = stuck.collect::<Vec<_>>().join(", ");
        let why = if why.is_empty() { why } else { format!(" ({why})") };
        Some(format!("without an outcome: {counted}, {percent:.2}%{why}"))
    }

    /// The verdict in capitals, with `as expected` for an expected one, and the reason
    /// why not every ordering was explored.
    pub fn verdict_line(&self) -> String {
        match (self.verdict, &self.reason) {
            (Verdict::Incomplete, Some(reason)) => format!("INCOMPLETE: {reason}"),
            _ => self.verdict_word().to_owned() + &self.partly(),
        }
    }

    /// The verdict without the reason.
    pub(super) fn verdict_word(&self) -> &'static str {
        match self.verdict {
            Verdict::Complete if !self.success => "COMPLETE, not as expected",
            Verdict::Complete => "COMPLETE",
            Verdict::Violated if self.success => "VIOLATED, as expected",
            Verdict::Violated => "VIOLATED",
            Verdict::Incomplete => "INCOMPLETE",
        }
    }

    /// The reason why not all was explored, to be appended to a verdict.
    pub(super) fn partly(&self) -> String {
        self.reason.as_ref().map_or(String::new(), |reason| format!("; {reason}"))
    }

    /// The answers that are the same in every outcome.
    pub fn constant(&self) -> Vec<&Answer> {
        let Some(first) = self.outcomes.first() else { return Vec::new() };
        // The answers of a single outcome are shown as that outcome.
        if self.outcomes.len() == 1 {
            return Vec::new();
        }
        let everywhere = |(index, answer): &(usize, &Answer)| {
            self.outcomes.iter().all(|row| row.outcome.answers.get(*index) == Some(answer))
        };
        first
            .outcome
            .answers
            .iter()
            .enumerate()
            .filter(everywhere)
            .map(|(_, answer)| answer)
            .collect()
    }

    /// The sentences that are in the meaning of every outcome, if there are several.
    pub fn said_everywhere(&self) -> Vec<&str> {
        let Some((first, others)) = self.outcomes.split_first() else { return Vec::new() };
        let mut common: Vec<&str> = first.sentences().collect();
        if others.is_empty() {
            common.clear();
        }
        for row in others {
            common.retain(|sentence| row.sentences().any(|one| one == *sentence));
        }
        common
    }
}

/// The bound on preemptions with which explorers are customarily run: outcomes that need
/// more are not seen then.
const CUSTOMARY: u32 = 2;

impl Report {
    /// A line about the outcomes that are known to need more preemptions than the
    /// customary bound; `None`: there is none.
    pub(super) fn hidden(&self) -> Option<String> {
        let hidden = |seen: &&SeenOutcome| seen.least_preemptions > CUSTOMARY;
        let hidden = self.outcomes.iter().filter(hidden).count() as u64;
        let all = plural(self.outcomes.len() as u64, "outcome");
        let bound = plural(CUSTOMARY.into(), "preemption");
        (hidden > 0).then(|| format!("a bound of {bound} hides {hidden} of {all}"))
    }
}

/// How many outcomes a table may have that says how many preemptions the ordering of each has: these
/// orderings are run again for that.
const FEW: usize = 100;

impl Report {
    /// How many preemptions an outcome needs, in words, and whether the customary bound
    /// may hide it; `None`: few, or there are too many outcomes to look, and the minimum was not
    /// searched for.
    pub(super) fn needs(&self, row: &SeenOutcome) -> Option<(String, bool)> {
        let least = row.least_preemptions;
        if least == 0 && self.outcomes.len() > FEW {
            return None;
        }
        let enough = row.example.show().preemptions?;
        let said = match plural(least.into(), "preemption") {
            needed if least == enough && least > 0 => format!("needs {needed}"),
            needed if least > 0 => format!("needs {needed} at least; {enough} are enough"),
            _ if enough > CUSTOMARY => {
                format!("its ordering has {}; fewer may do", plural(enough.into(), "preemption"))
            }
            _ => return None,
        };
        Some((said, enough > CUSTOMARY))
    }
}

impl SeenOutcome {
    /// The sentences of the meaning.
    pub fn sentences(&self) -> impl Iterator<Item = &str> {
        self.meaning.iter().flat_map(|meaning| meaning.split("; "))
    }

    /// The answers that are not the same in every outcome.
    pub fn varying<'a>(&'a self, constant: &[&Answer]) -> Vec<&'a Answer> {
        self.outcome.answers.iter().filter(|answer| !constant.contains(answer)).collect()
    }
}

impl SeenOutcome {
    /// The grade in a word: `violated` where the scenario allows the outcome but
    /// orderings of it violate an invariant.
    pub fn mark(&self) -> String {
        match self.grade {
            Grade::Allowed if self.violating > 0 => "violated".into(),
            grade => grade.to_string(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Complete => "complete",
            Verdict::Violated => "violated",
            Verdict::Incomplete => "incomplete",
        })
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Grade::Required => "required",
            Grade::Allowed => "allowed",
            Grade::Forbidden => "forbidden",
        })
    }
}
