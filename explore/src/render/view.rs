//! What is shown of a report: every format prints this, and JSON is it.
//!
//! The fields are documented for readers of the JSON in `explore/JSON.md`.
//! Adding one keeps [`VERSION`]; renaming, removing or changing the meaning of
//! one does not.

use super::layout::plural;
use crate::report::{Report, Verdict, Witness};
use crate::scenario::{CallId, Scenario};
use crate::system::Model;
use crate::Outcome;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The version of the JSON.
pub const VERSION: u32 = 1;

/// One scenario, explored by one engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // See the head: they are documented where they are read.
pub struct View {
    pub version: u32,
    pub name: String,
    pub meaning: String,
    pub scenario: String,
    pub system: String,
    pub engine: String,
    pub threads: usize,
    pub orderings: Option<u64>,
    pub executions: u64,
    pub verdict: Ended,
    /// Why not all was explored.
    pub reason: Option<String>,
    pub explored_all: bool,
    /// Whether it is what the scenario says it should be.
    pub success: bool,
    pub elapsed_ms: f64,
    pub outcomes: Vec<Row>,
    pub violations: Vec<Broken>,
    pub missing: Vec<String>,
    pub forbidden: Vec<String>,
    pub expected_violations: Vec<String>,
    pub idle_calls: Vec<String>,
    #[serde(default)]
    pub hints: Vec<String>,
    /// The outcome, from 1, whose ordering the scenario wants to be shown.
    #[serde(default)]
    pub show: Option<usize>,
    /// The command that asks about this system; empty: none is known.
    #[serde(skip)]
    pub command: String,
    /// Whether this is the system that goes without saying.
    #[serde(skip)]
    pub usual: bool,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Ended {
    Complete,
    Violated,
    Incomplete,
}

/// What a scenario says of an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Grade {
    Required,
    Allowed,
    Forbidden,
}

/// One distinct outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Row {
    pub outcome: String,
    pub answers: Vec<Answer>,
    pub orderings: u64,
    /// How many of them violate an invariant.
    #[serde(default)]
    pub violating: u64,
    /// So many preemptions are enough; see [`crate::report::SeenOutcome`].
    #[serde(default)]
    pub preemptions: Option<u32>,
    pub percent: f64,
    pub grade: Grade,
    pub meaning: Option<String>,
    /// Whether the scenario says so, and not the system.
    #[serde(skip)]
    pub written: bool,
    #[serde(flatten)]
    pub ordering: Ordering,
}

/// A call and what it answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Answer {
    pub thread: usize,
    pub call: String,
    pub answer: String,
}

/// One invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Broken {
    pub invariant: String,
    pub detail: String,
    pub orderings: u64,
    pub expected: bool,
    #[serde(flatten)]
    pub ordering: Ordering,
}

/// One ordering; empty where the engine does not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)]
pub struct Ordering {
    pub replay: String,
    pub witness_threads: Vec<String>,
    pub witness: Vec<Step>,
}

/// One step of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Step {
    pub thread: usize,
    pub operation: String,
    pub object: String,
    pub line: String,
    pub note: String,
}

impl View {
    /// The report of this scenario on this system.
    pub fn new(report: &Report, scenario: &Scenario, system: &dyn Model) -> View {
        // An ordering that does not end has no outcome, and counts all the same.
        let all = report.orderings.unwrap_or(report.executions);
        let row = |seen: &crate::report::SeenOutcome| Row {
            outcome: seen.outcome.to_string(),
            answers: answers(scenario, &seen.outcome),
            orderings: seen.orderings,
            violating: seen.violating,
            preemptions: seen.preemptions,
            percent: (seen.orderings as f64 * 10_000.0 / all.max(1) as f64).round() / 100.0,
            grade: grade(scenario, &seen.outcome),
            meaning: meaning(scenario, system, &seen.outcome),
            written: written(scenario, &seen.outcome).is_some(),
            ordering: seen.witness.as_ref().map(Ordering::new).unwrap_or_default(),
        };
        let broken = |violation: &crate::report::Violation| Broken {
            invariant: violation.invariant.clone(),
            detail: violation.detail.clone(),
            orderings: violation.orderings,
            expected: scenario.expects.iter().any(|i| i.name() == violation.invariant),
            ordering: violation.witness.as_ref().map(Ordering::new).unwrap_or_default(),
        };
        let verdict = match &report.verdict {
            Verdict::Complete => Ended::Complete,
            Verdict::Violated => Ended::Violated,
            Verdict::Incomplete(_) => Ended::Incomplete,
        };
        let mut view = View {
            version: VERSION,
            name: report.name.clone(),
            meaning: scenario.meaning.clone(),
            scenario: report.scenario.clone(),
            system: report.system.clone(),
            engine: report.engine.clone(),
            threads: report.threads,
            orderings: report.orderings,
            executions: report.executions,
            verdict,
            reason: report.reason.clone(),
            explored_all: report.explored_all,
            success: false,
            elapsed_ms: (report.elapsed.as_secs_f64() * 1e6).round() / 1e3,
            outcomes: report.outcomes.iter().map(row).collect(),
            violations: report.violations.iter().map(broken).collect(),
            missing: report.missing.clone(),
            forbidden: report.forbidden.clone(),
            expected_violations: scenario.expects.iter().map(|i| i.name().into()).collect(),
            idle_calls: idle_calls(report, scenario, system),
            hints: report.hints.clone(),
            show: report
                .outcomes
                .iter()
                .position(|seen| scenario.shows.iter().any(|shown| shown.matches(&seen.outcome)))
                .map(|index| index + 1),
            command: String::new(),
            usual: false,
        };
        view.group();
        view.success = view.is_success();
        view
    }

    /// Violations of one ordering stand together.
    fn group(&mut self) {
        let mut rest = std::mem::take(&mut self.violations);
        while !rest.is_empty() {
            let ordering = rest[0].ordering.clone();
            let same = |broken: &Broken| broken.ordering == ordering;
            let (here, others) = rest.into_iter().partition(same);
            self.violations.extend::<Vec<Broken>>(here);
            rest = others;
        }
    }

    /// A violation that is expected is a success, and not to find it is a
    /// failure: it would mean that the explorer had gone blind. What was not
    /// explored to its end is never one: there may be something else.
    fn is_success(&self) -> bool {
        if self.expected_violations.is_empty() {
            return self.verdict == Ended::Complete;
        }
        self.explored_all
            && self.unseen_violations().next().is_none()
            && self.is_expected_so_far()
            && self.missing.is_empty()
    }

    /// Whether nothing was seen that should not be.
    fn is_expected_so_far(&self) -> bool {
        self.violations.iter().all(|violation| violation.expected) && self.forbidden.is_empty()
    }

    /// Expected, and not found.
    pub fn unseen_violations(&self) -> impl Iterator<Item = &str> {
        let seen = |name: &&String| self.violations.iter().any(|found| found.invariant == **name);
        self.expected_violations.iter().filter(move |name| !seen(name)).map(String::as_str)
    }

    /// 0: all holds, 1: something does not, 3: not all was explored.
    pub fn exit_status(&self) -> u8 {
        match self.success {
            true => 0,
            false if !self.explored_all && self.is_expected_so_far() => 3,
            false => 1,
        }
    }

    /// Executions a second.
    pub fn rate(&self) -> u64 {
        (self.executions as f64 * 1000.0 / self.elapsed_ms.max(0.001)).round() as u64
    }

    /// What the counts of outcomes and violations count.
    pub fn counted(&self) -> &'static str {
        match self.orderings {
            Some(_) => "ordering",
            None => "execution",
        }
    }

    /// Where it was explored, unless that goes without saying.
    pub fn on(&self) -> String {
        match self.usual {
            true => String::new(),
            false => format!(" on {}", self.system),
        }
    }

    /// The number of orderings, or of executions where they are not told apart.
    pub fn all(&self) -> u64 {
        self.orderings.unwrap_or(self.executions)
    }

    /// What became of the orderings that no row counts: they did not end.
    pub fn without_outcome(&self) -> Option<String> {
        let rows = self.outcomes.iter().map(|row| row.orderings).sum();
        let rest = self.all().checked_sub(rows).filter(|&rest| rest > 0)?;
        let percent = rest as f64 * 100.0 / self.all() as f64;
        let counted = plural(rest, self.counted());
        let broken = self.violations.iter().map(|broken| broken.invariant.as_str());
        let stuck = broken.filter(|name| ["no-deadlock", "no-panic"].contains(name));
        let why = stuck.collect::<Vec<_>>().join(", ");
        let why = if why.is_empty() { why } else { format!(" ({why})") };
        Some(format!("without an outcome: {counted}, {percent:.2}%{why}"))
    }

    /// The verdict in capitals, whether it was expected, and why not all was
    /// explored.
    pub fn verdict_line(&self) -> String {
        match (self.verdict, &self.reason) {
            (Ended::Incomplete, Some(reason)) => format!("INCOMPLETE: {reason}"),
            _ => self.verdict_word().to_owned() + &self.partly(),
        }
    }

    /// The same, without why.
    pub(super) fn verdict_word(&self) -> &'static str {
        match self.verdict {
            Ended::Complete if !self.success => "COMPLETE, not as expected",
            Ended::Complete => "COMPLETE",
            Ended::Violated if self.success => "VIOLATED, as expected",
            Ended::Violated => "VIOLATED",
            Ended::Incomplete => "INCOMPLETE",
        }
    }

    /// Why not all was explored, to stand after what was found.
    pub(super) fn partly(&self) -> String {
        self.reason.as_ref().map_or(String::new(), |reason| format!("; {reason}"))
    }

    /// Answers that are the same in every outcome, and so need saying once.
    pub fn constant(&self) -> Vec<&Answer> {
        let Some(first) = self.outcomes.first() else { return Vec::new() };
        // One outcome is not a constant but the answer.
        if self.outcomes.len() == 1 {
            return Vec::new();
        }
        let everywhere = |(index, answer): &(usize, &Answer)| {
            self.outcomes.iter().all(|row| row.answers.get(*index) == Some(answer))
        };
        first.answers.iter().enumerate().filter(everywhere).map(|(_, answer)| answer).collect()
    }

    /// Whether every outcome means this, among other things.
    pub fn says_everywhere(&self, sentence: &str) -> bool {
        self.outcomes.len() > 1
            && self.outcomes.iter().all(|row| row.sentences().any(|one| one == sentence))
    }
}

impl Row {
    /// What it means, one sentence after the other.
    pub fn sentences(&self) -> impl Iterator<Item = &str> {
        self.meaning.iter().flat_map(|meaning| meaning.split("; "))
    }

    /// Its answers but for those that are the same everywhere.
    pub fn varying<'a>(&'a self, constant: &[&Answer]) -> Vec<&'a Answer> {
        self.answers.iter().filter(|answer| !constant.contains(answer)).collect()
    }
}

impl Ordering {
    fn new(witness: &Witness) -> Ordering {
        let step = |step: &crate::report::Step| Step {
            thread: step.thread,
            operation: step.operation.clone(),
            object: step.object.clone(),
            line: step.line.clone(),
            note: step.note.clone(),
        };
        Ordering {
            replay: witness.replay.clone(),
            witness_threads: witness.threads.clone(),
            witness: witness.steps.iter().map(step).collect(),
        }
    }

    /// Whether there is something to show.
    pub fn is_known(&self) -> bool {
        !self.witness.is_empty()
    }

    /// The objects that are worked on, in the order of their first use.
    pub fn objects(&self) -> Vec<String> {
        let mut objects: Vec<String> = Vec::new();
        for step in self.witness.iter().filter(|step| !step.operation.is_empty()) {
            if !step.object.is_empty() && !objects.contains(&step.object) {
                objects.push(step.object.clone());
            }
        }
        objects
    }

    /// The threads' names; a step of a thread without one still has a column.
    pub fn threads(&self) -> Vec<String> {
        let most = self.witness.iter().map(|step| step.thread + 1).max().unwrap_or(0);
        let name = |thread| {
            let name = self.witness_threads.get(thread).cloned();
            name.unwrap_or_else(|| format!("thread {}", thread + 1))
        };
        (0..most.max(self.witness_threads.len())).map(name).collect()
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ended::Complete => "complete",
            Ended::Violated => "violated",
            Ended::Incomplete => "incomplete",
        })
    }
}

impl Row {
    /// The grade, for people: what the scenario does not speak of, but an
    /// invariant does, is no more allowed than what it forbids.
    pub fn mark(&self) -> String {
        match self.grade {
            Grade::Allowed if self.violating > 0 => "violated".into(),
            grade => grade.to_string(),
        }
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

fn grade(scenario: &Scenario, outcome: &Outcome) -> Grade {
    if scenario.forbids.iter().any(|pattern| pattern.matches(outcome)) {
        Grade::Forbidden
    } else if scenario.requires.iter().any(|pattern| pattern.matches(outcome)) {
        Grade::Required
    } else {
        Grade::Allowed
    }
}

fn written(scenario: &Scenario, outcome: &Outcome) -> Option<String> {
    let written = scenario.means.iter().find(|(pattern, _)| pattern.matches(outcome));
    written.map(|(_, sentence)| sentence.clone())
}

fn meaning(scenario: &Scenario, system: &dyn Model, outcome: &Outcome) -> Option<String> {
    written(scenario, outcome)
        .or_else(|| system.explain(scenario, outcome))
        .filter(|sentence| !sentence.is_empty())
}

/// Each call by the name that a pattern has for it: `call#2` for the second of
/// those that are written alike.
pub fn label(scenario: &Scenario, id: CallId) -> String {
    let Some(call) = scenario.call(id) else { return String::new() };
    let alike: Vec<CallId> = scenario
        .ids()
        .filter(|id| scenario.call(*id).is_some_and(|c| c.text == call.text))
        .collect();
    match alike.iter().position(|known| *known == id) {
        Some(index) if alike.len() > 1 => format!("{call}#{}", index + 1),
        _ => call.text.clone(),
    }
}

fn answers(scenario: &Scenario, outcome: &Outcome) -> Vec<Answer> {
    let answer = |id: CallId| {
        let (_, answer) = outcome.0.get(id.thread)?.get(id.index)?;
        Some(Answer { thread: id.thread, call: label(scenario, id), answer: answer.clone() })
    };
    scenario.ids().filter_map(answer).collect()
}

/// The calls that did nothing in any outcome.
fn idle_calls(report: &Report, scenario: &Scenario, system: &dyn Model) -> Vec<String> {
    let idle = |id: &CallId| {
        let Some(call) = scenario.call(*id) else { return false };
        // Of what was not explored nothing is known.
        report.explored_all
            && !report.outcomes.is_empty()
            && report.outcomes.iter().all(|seen| {
                let answer = seen.outcome.0.get(id.thread).and_then(|part| part.get(id.index));
                answer.is_some_and(|(_, answer)| system.did_nothing(call, answer))
            })
    };
    scenario.ids().filter(idle).map(|id| label(scenario, id)).collect()
}
