//! The result of exploring one scenario on one system with one engine: what
//! every engine produces and every format prints.

use crate::scenario::Clause;
use crate::{CallId, Model, Outcome, Pattern, Scenario};
use std::time::Duration;

/// How an exploration ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every ordering was explored, every invariant holds, and what must be
    /// seen was seen.
    Complete,
    /// An invariant does not hold, or a required outcome was never seen though
    /// all was explored, or a forbidden one was.
    Violated,
    /// A limit was hit, or the engine samples: nothing was found so far. The
    /// text says which limit. Never success.
    Incomplete(String),
}

/// One step of a witness.
///
/// A step whose operation is [`Step::SWITCH`] is a remark of the engine: the
/// thread stops here for another one, and the note says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The thread, by its place in [`Witness::threads`].
    pub thread: usize,
    /// What it did: `lock`, `load`, ...; empty for a note.
    pub operation: String,
    /// To which object, by name.
    pub object: String,
    /// The source line, `file:line`; empty when not known.
    pub line: String,
    /// A remark: a call's beginning or answer, a value, or why the thread changed.
    pub note: String,
}

impl Step {
    /// The operation of a step that only says why the thread stops here.
    pub const SWITCH: &'static str = "switch";
}

/// One ordering.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witness {
    /// The threads' names.
    pub threads: Vec<String>,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// Runs this ordering again; empty when the engine cannot.
    pub replay: String,
}

impl Witness {
    /// How often the ordering goes from one thread to another.
    pub fn switches(&self) -> usize {
        self.steps.windows(2).filter(|pair| pair[0].thread != pair[1].thread).count()
    }
}

/// One distinct outcome.
#[derive(Clone, Debug)]
pub struct SeenOutcome {
    /// What the calls answered.
    pub outcome: Outcome,
    /// In how many orderings (executions, where the engine cannot tell).
    pub orderings: u64,
    /// How many of them violate an invariant.
    pub violating: u64,
    /// How often its witness leaves a thread that could have gone on: so many
    /// preemptions are enough. Fewer may be, unless it is 0.
    pub preemptions: Option<u32>,
    /// The ordering with the fewest context switches that leads to it.
    pub witness: Option<Witness>,
}

/// One invariant that does not hold.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Which one, by name.
    pub invariant: String,
    /// What was wrong, in the witness.
    pub detail: String,
    /// In how many orderings.
    pub orderings: u64,
    /// The ordering with the fewest context switches that breaks it.
    pub witness: Option<Witness>,
}

/// What an exploration found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The scenario's name.
    pub name: String,
    /// The scenario's text.
    pub scenario: String,
    /// The system's name.
    pub system: String,
    /// The engine's name.
    pub engine: String,
    /// How many threads race.
    pub threads: usize,
    /// Bodies run.
    pub executions: u64,
    /// Distinct orderings, when the engine can tell them apart.
    pub orderings: Option<u64>,
    /// Wall-clock time.
    pub elapsed: Duration,
    /// How it ended.
    pub verdict: Verdict,
    /// Whether every ordering was explored, whatever was found.
    pub explored_all: bool,
    /// Why not, whatever was found: a limit that was hit, or that the engine
    /// samples.
    pub reason: Option<String>,
    /// What was seen, in the order of the outcomes.
    pub outcomes: Vec<SeenOutcome>,
    /// What did not hold.
    pub violations: Vec<Violation>,
    /// Required and never seen, as written.
    pub missing: Vec<String>,
    /// Forbidden and seen, as written.
    pub forbidden: Vec<String>,
    /// What the scenario says of outcomes that were never seen, where an answer
    /// that was seen looks as if it were meant.
    pub hints: Vec<String>,
}

impl Report {
    /// Nothing explored yet.
    pub fn new(system: &dyn Model, scenario: &Scenario, engine: &str) -> Self {
        Report {
            name: scenario.name.clone(),
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
            outcomes: Vec::new(),
            violations: Vec::new(),
            missing: Vec::new(),
            forbidden: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// With the scenario's demands applied, and the verdict that follows.
    pub fn judged(mut self, scenario: &Scenario) -> Self {
        let seen = |pattern: &Pattern| self.outcomes.iter().any(|o| pattern.matches(&o.outcome));
        let text = |pattern: &Pattern| pattern.text.clone();
        self.missing = scenario.requires.iter().filter(|p| !seen(p)).map(text).collect();
        self.forbidden = scenario.forbids.iter().filter(|p| seen(p)).map(text).collect();
        let wrong = !self.violations.is_empty() || !self.forbidden.is_empty();
        self.explored_all = self.verdict == Verdict::Complete;
        if let Verdict::Incomplete(reason) = &self.verdict {
            self.reason = Some(reason.clone());
        }
        let vacuous = self.explored_all && (!self.missing.is_empty() || self.executions == 0);
        if wrong || vacuous {
            self.verdict = Verdict::Violated;
        }
        if self.explored_all {
            self.hints = self.hints(scenario);
        }
        self
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

    /// Of the answers that its calls gave the one most like this clause's, unless
    /// one of them is just that.
    fn nearest<'a>(&'a self, clause: &'a Clause, least: f64) -> Option<&'a str> {
        let outcomes = self.outcomes.iter().map(|seen| &seen.outcome);
        let answers = outcomes.flat_map(|outcome| clause.answers(outcome));
        let answers: Vec<&str> = answers.collect();
        if answers.iter().any(|answer| like(&clause.answer, answer)) {
            return None;
        }
        // Another number is another answer, and not the same one misspelt.
        let words = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
        let other = |answer: &&str| least == 0.0 || words(answer) != words(&clause.answer);
        let likeness = |answer| (strsim::normalized_levenshtein(&clause.answer, answer), answer);
        let likely = answers.into_iter().filter(other).map(likeness);
        let best = likely.max_by(|a, b| a.0.total_cmp(&b.0))?;
        (best.0 >= least).then_some(best.1)
    }
}

/// How alike two answers are when one may be the other, misspelt.
const ALIKE: f64 = 0.8;

impl Clause {
    /// What the calls that are meant answered.
    fn answers<'a>(&'a self, outcome: &'a Outcome) -> impl Iterator<Item = &'a str> {
        let answer = |id: &CallId| outcome.0.get(id.thread)?.get(id.index);
        self.calls.iter().filter_map(answer).map(|(_, answer)| answer.as_str())
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
