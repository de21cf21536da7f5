//! The result of exploring one scenario on one system with one engine. Every engine
//! produces a [`Report`], and every format prints it.

use crate::example::Example;
use crate::scenario::Clause;
use crate::{Invariant, Model, Outcome, Pattern, Scenario};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The version of the JSON.
pub const VERSION: u32 = 1;

/// How an exploration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Verdict {
    /// Every ordering was explored, every invariant holds, and each required outcome
    /// was seen.
    Complete,
    /// An invariant does not hold, or a forbidden outcome was seen, or every ordering
    /// was explored and a required outcome was not seen.
    Violated,
    /// A limit was hit, or the engine samples, and no violation was found so far.
    /// [`Report::reason`] says which limit. Never success.
    Incomplete,
}

/// What a scenario demands of an outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// The outcome must be seen.
    Required,
    /// Nothing: the outcome may be seen.
    #[default]
    Allowed,
    /// The outcome must not be seen.
    Forbidden,
}

/// One step of a witness.
///
/// A step whose operation is [`Step::SWITCH`] is a remark of the engine: another
/// thread runs from here on, and the note says why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Step {
    /// The thread, by its place in [`Witness::threads`].
    pub thread: usize,
    /// The operation: `lock`, `load`, ...; empty for a note.
    pub operation: String,
    /// The name of its object.
    pub object: String,
    /// The source line, `file:line`; empty when not known.
    pub line: String,
    /// A remark: a call's beginning or answer, a value, or why the thread changed.
    pub note: String,
}

impl Step {
    /// The operation of a step that is a change of threads.
    pub const SWITCH: &'static str = "switch";
}

/// One ordering; empty where the engine does not report orderings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Witness {
    /// The token for `--replay`; empty where the engine has none.
    pub replay: String,
    /// The threads' names.
    #[serde(rename = "witness_threads")]
    pub threads: Vec<String>,
    /// The steps, in order.
    #[serde(rename = "witness")]
    pub steps: Vec<Step>,
}

impl Witness {
    /// Whether there are steps to show.
    pub fn is_known(&self) -> bool {
        !self.steps.is_empty()
    }

    /// How often the ordering goes from one thread to another.
    pub fn switches(&self) -> usize {
        self.steps.windows(2).filter(|pair| pair[0].thread != pair[1].thread).count()
    }

    /// The objects of the steps, in the order of their first use.
    pub fn objects(&self) -> Vec<String> {
        let mut objects: Vec<String> = Vec::new();
        for step in self.steps.iter().filter(|step| !step.operation.is_empty()) {
            if !step.object.is_empty() && !objects.contains(&step.object) {
                objects.push(step.object.clone());
            }
        }
        objects
    }

    /// The headings of the columns: the threads' names, or numbers for threads without
    /// a name.
    pub fn columns(&self) -> Vec<String> {
        let most = self.steps.iter().map(|step| step.thread + 1).max().unwrap_or(0);
        let name = |thread| {
            let name = self.threads.get(thread).cloned();
            name.unwrap_or_else(|| format!("thread {}", thread + 1))
        };
        (0..most.max(self.threads.len())).map(name).collect()
    }
}

/// One distinct outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SeenOutcome {
    /// The answers of the calls.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The number of orderings that lead to the outcome (of executions, where the
    /// engine does not tell orderings apart).
    pub orderings: u64,
    /// How many of these violate an invariant.
    #[serde(default)]
    pub violating: u64,
    /// This many preemptions are needed. Where that is less than are enough for the
    /// [`example`](Self::example), the minimum was not searched for
    /// ([`Options::preemptions`](crate::engine::Options::preemptions)), or not to the end.
    #[serde(default)]
    pub least_preemptions: u32,
    /// The orderings that lead to the outcome, in percent of all.
    pub percent: f64,
    /// What the scenario demands of the outcome.
    pub grade: Grade,
    /// What the outcome means, in words of the domain.
    pub meaning: Option<String>,
    /// Whether `meaning` is the scenario's and not the system's.
    #[serde(skip)]
    pub written: bool,
    /// The ordering with the fewest context switches that leads to the outcome.
    #[serde(flatten)]
    pub example: Example,
}

impl SeenOutcome {
    /// An outcome with its counts; all else is filled in by [`Report::judged`] or the
    /// engine.
    pub fn new(outcome: Outcome, orderings: u64, violating: u64) -> Self {
        SeenOutcome {
            outcome,
            orderings,
            violating,
            least_preemptions: 0,
            percent: 0.0,
            grade: Grade::Allowed,
            meaning: None,
            written: false,
            example: Example::default(),
        }
    }
}

/// One invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Violation {
    /// The invariant's name.
    pub invariant: String,
    /// What is wrong at the end of the witness.
    pub detail: String,
    /// The number of orderings that violate the invariant.
    pub orderings: u64,
    /// Whether the scenario expects the violation.
    #[serde(default)]
    pub expected: bool,
    /// The ordering with the fewest context switches that violates the invariant.
    #[serde(flatten)]
    pub witness: Witness,
}

impl Violation {
    /// A violation without a witness.
    pub fn new(invariant: &str, detail: String, orderings: u64) -> Self {
        let (invariant, witness) = (invariant.to_owned(), Witness::default());
        Violation { invariant, detail, orderings, expected: false, witness }
    }
}

/// The result of an exploration. Every format prints it, and JSON has its fields, which
/// `explore/JSON.md` documents for readers of JSON. Adding a field keeps [`VERSION`];
/// renaming one, removing one or changing its meaning does not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// [`VERSION`].
    pub version: u32,
    /// The scenario's name.
    pub name: String,
    /// What the scenario is about.
    pub meaning: String,
    /// The scenario's text.
    pub scenario: String,
    /// The system's name.
    pub system: String,
    /// The engine's name.
    pub engine: String,
    /// How many threads race.
    pub threads: usize,
    /// Distinct orderings, where the engine tells them apart.
    pub orderings: Option<u64>,
    /// Executions of the scenario.
    pub executions: u64,
    /// How the exploration ended.
    pub verdict: Verdict,
    /// Why not every ordering was explored: a limit was hit, or the engine samples.
    /// Independent of the verdict.
    pub reason: Option<String>,
    /// Whether every ordering was explored. Independent of the verdict.
    pub explored_all: bool,
    /// Whether the result is what the scenario expects.
    pub success: bool,
    /// Wall-clock time.
    #[serde(rename = "elapsed_ms", with = "milliseconds")]
    pub elapsed: Duration,
    /// The outcomes that were seen, sorted.
    pub outcomes: Vec<SeenOutcome>,
    /// The invariants that do not hold; those of one ordering stand together.
    pub violations: Vec<Violation>,
    /// Required patterns that no outcome has, as they are written.
    pub missing: Vec<String>,
    /// Forbidden patterns that some outcome has, as they are written.
    pub forbidden: Vec<String>,
    /// The invariants that the scenario expects to be violated.
    pub expected_violations: Vec<String>,
    /// Calls that did nothing in any outcome.
    pub idle_calls: Vec<String>,
    /// Remarks on patterns that no outcome has: an answer that was seen and is nearly
    /// that of the pattern.
    #[serde(default)]
    pub hints: Vec<String>,
    /// The outcome, from 1, whose ordering the scenario wants to be shown.
    #[serde(default)]
    pub show: Option<usize>,
    /// The command that explores this system; empty: not known.
    #[serde(skip)]
    pub command: String,
    /// Whether the command explores this system when none is named.
    #[serde(skip)]
    pub usual: bool,
}

impl Report {
    /// The report of an exploration that has not run.
    pub fn new(system: &dyn Model, scenario: &Scenario, engine: &str) -> Self {
        Report {
            version: VERSION,
            name: scenario.name.clone(),
            meaning: scenario.meaning.clone(),
            scenario: scenario.text.clone(),
            system: system.name(),
            engine: engine.into(),
            threads: scenario.threads.len(),
            executions: 0,
            orderings: None,
            elapsed: Duration::ZERO,
            verdict: Verdict::Complete,
            explored_all: false,
            reason: None,
            success: false,
            outcomes: Vec::new(),
            violations: Vec::new(),
            missing: Vec::new(),
            forbidden: Vec::new(),
            expected_violations: scenario.expects.iter().map(|i| i.name().into()).collect(),
            idle_calls: Vec::new(),
            hints: Vec::new(),
            show: None,
            command: String::new(),
            usual: false,
        }
    }

    /// Fills in what follows from the scenario's demands and the system's words: the
    /// outcomes' grades and meanings, and the verdict.
    pub fn judged(mut self, scenario: &Scenario, system: &dyn Model) -> Self {
        let seen = |pattern: &Pattern| self.outcomes.iter().any(|o| pattern.matches(&o.outcome));
        let text = |pattern: &Pattern| pattern.text.clone();
        self.missing = scenario.requires.iter().filter(|p| !seen(p)).map(text).collect();
        self.forbidden = scenario.forbids.iter().filter(|p| seen(p)).map(text).collect();
        self.explored_all = self.reason.is_none();
        // The percentages are of all orderings, with those that have no outcome.
        let all = self.all().max(1) as f64;
        for seen in &mut self.outcomes {
            let written = scenario.means.iter().find(|(pattern, _)| pattern.matches(&seen.outcome));
            seen.written = written.is_some();
            seen.meaning = written
                .map(|(_, sentence)| sentence.clone())
                .or_else(|| system.explain(scenario, &seen.outcome))
                .filter(|sentence| !sentence.is_empty());
            seen.grade = grade(scenario, &seen.outcome);
            seen.percent = (seen.orderings as f64 * 10_000.0 / all).round() / 100.0;
        }
        let expects = |name: &str| scenario.expects.iter().map(Invariant::name).any(|i| i == name);
        for violation in &mut self.violations {
            violation.expected = expects(&violation.invariant);
        }
        self.group();
        let wrong = !self.violations.is_empty() || !self.forbidden.is_empty();
        let vacuous = self.explored_all && (!self.missing.is_empty() || self.executions == 0);
        self.verdict = match (wrong || vacuous, self.explored_all) {
            (true, _) => Verdict::Violated,
            (false, true) => Verdict::Complete,
            (false, false) => Verdict::Incomplete,
        };
        if self.explored_all {
            self.hints = self.hints(scenario);
            self.idle_calls = self.idle_calls(scenario, system);
        }
        let shown = |seen: &SeenOutcome| {
            scenario.shows.iter().any(|pattern| pattern.matches(&seen.outcome))
        };
        self.show = self.outcomes.iter().position(shown).map(|index| index + 1);
        self.success = self.is_success();
        self
    }

    /// Puts the violations of one ordering together.
    fn group(&mut self) {
        let mut rest = std::mem::take(&mut self.violations);
        while !rest.is_empty() {
            let witness = rest[0].witness.clone();
            let same = |violation: &Violation| violation.witness == witness;
            let (here, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(same);
            self.violations.extend(here);
            rest = others;
        }
    }

    /// An expected violation is a success, and a failure if it was not found: the
    /// explorer would miss violations then. An exploration that was cut short is no
    /// success: a violation that is not expected may follow.
    fn is_success(&self) -> bool {
        if self.expected_violations.is_empty() {
            return self.verdict == Verdict::Complete;
        }
        self.explored_all
            && self.unseen_violations().next().is_none()
            && self.is_expected_so_far()
            && self.missing.is_empty()
    }

    /// Whether all that was seen is expected or allowed.
    fn is_expected_so_far(&self) -> bool {
        self.violations.iter().all(|violation| violation.expected) && self.forbidden.is_empty()
    }

    /// The invariants that are expected to be violated, and are not.
    pub fn unseen_violations(&self) -> impl Iterator<Item = &str> {
        let seen = |name: &&String| self.violations.iter().any(|found| found.invariant == **name);
        self.expected_violations.iter().filter(move |name| !seen(name)).map(String::as_str)
    }

    /// 0 for a success, 1 for a failure, 3 if not every ordering was explored and what
    /// was is no failure.
    pub fn exit_status(&self) -> u8 {
        match self.success {
            true => 0,
            false if !self.explored_all && self.is_expected_so_far() => 3,
            false => 1,
        }
    }

    /// The number of orderings, or of executions where the engine does not tell
    /// orderings apart.
    pub fn all(&self) -> u64 {
        self.orderings.unwrap_or(self.executions)
    }

    /// The calls that did nothing in any outcome.
    fn idle_calls(&self, scenario: &Scenario, system: &dyn Model) -> Vec<String> {
        let idle = |id: &crate::CallId| {
            let Some(call) = scenario.call(*id) else { return false };
            let did_nothing = |seen: &SeenOutcome| {
                let answer = seen.outcome.get(*id);
                answer.is_some_and(|answer| system.did_nothing(call, &answer.answer))
            };
            !self.outcomes.is_empty() && self.outcomes.iter().all(did_nothing)
        };
        scenario.ids().filter(idle).map(|id| scenario.label(id)).collect()
    }

    fn hints(&self, scenario: &Scenario) -> Vec<String> {
        let means = scenario.means.iter().map(|(pattern, _)| pattern);
        let requires = scenario.requires.iter().map(|p| ("require", p, "never seen", 0.0));
        let forbids = scenario.forbids.iter().map(|p| ("forbid", p, "not seen, as wanted", ALIKE));
        let means = means.map(|p| ("means", p, "not seen", ALIKE));
        let shows = scenario.shows.iter().map(|p| ("show", p, "not seen", ALIKE));
        let all = requires.chain(forbids).chain(means).chain(shows);
        let hint = |(keyword, pattern, seen, least): (&str, &Pattern, &str, f64)| {
            let near = pattern.clauses.iter().find_map(|clause| self.nearest(clause, least))?;
            Some(format!("{keyword} {}: {seen}; nearest answer seen: {near}", pattern.text))
        };
        let mut hints: Vec<String> = all.filter_map(hint).collect();
        for pattern in &scenario.shows {
            let matches = self.outcomes.iter().any(|seen| pattern.matches(&seen.outcome));
            let said = format!("show {}: ", pattern.text);
            if !matches && !hints.iter().any(|hint| hint.starts_with(&said)) {
                hints.push(format!("{said}no outcome looks so, and none is shown"));
            }
        }
        hints
    }

    /// The answer of the clause's calls that is most like the clause's; `None`: one of
    /// them matches, or none is alike enough.
    fn nearest<'a>(&'a self, clause: &'a Clause, least: f64) -> Option<&'a str> {
        let outcomes = self.outcomes.iter().map(|seen| &seen.outcome);
        let answers = outcomes.flat_map(|outcome| clause.answers(outcome));
        let answers: Vec<&str> = answers.collect();
        if answers.iter().any(|answer| like(&clause.answer, answer)) {
            return None;
        }
        // An answer with another number is another answer, and not a misspelling.
        let words = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
        let other = |answer: &&str| least == 0.0 || words(answer) != words(&clause.answer);
        let likeness = |answer| (strsim::normalized_levenshtein(&clause.answer, answer), answer);
        let likely = answers.into_iter().filter(other).map(likeness);
        let best = likely.max_by(|a, b| a.0.total_cmp(&b.0))?;
        (best.0 >= least).then_some(best.1)
    }
}

/// The least likeness of two answers of which one may be the other misspelt.
const ALIKE: f64 = 0.8;

impl Clause {
    /// The answers of the clause's calls.
    fn answers<'a>(&'a self, outcome: &'a Outcome) -> impl Iterator<Item = &'a str> {
        let answer = |id: &crate::CallId| outcome.get(*id);
        self.calls.iter().filter_map(answer).map(|answer| &*answer.answer)
    }
}

impl Pattern {
    /// Whether each clause has a call of the outcome with this answer.
    pub fn matches(&self, outcome: &Outcome) -> bool {
        let seen = |clause: &Clause| clause.answers(outcome).any(|a| like(&clause.answer, a));
        self.clauses.iter().all(seen)
    }
}

/// Whether `text` looks like `pattern`, in which `*` is any text.
fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
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

/// A duration as a number of milliseconds, to the microsecond.
mod milliseconds {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::time::Duration;

    pub(super) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        ((time.as_secs_f64() * 1e6).round() / 1e3).serialize(to)
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(from)? / 1e3;
        Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn a_star_is_any_text() {
        for (pattern, text) in
            [("", ""), ("*", ""), ("a*", "abc"), ("*c", "abc"), ("a*c", "abc"), ("*b*", "abc")]
        {
            assert!(like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("a", "ab"), ("a*b*c", "ac"), ("ab*bc", "abc")] {
            assert!(!like(pattern, text), "{pattern} {text}");
        }
    }
}
