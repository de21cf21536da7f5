//! What one execution observed. Bookkeeping of the harness, not of the system:
//! it uses std's lock and adds no scheduling point, which is sound because
//! nothing that a call does depends on it, and the entries of two threads
//! commute.

use crate::scenario::{CallId, Scenario};
use crate::Invariant;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The record of one execution.
#[derive(Debug, Default)]
pub struct Log(Mutex<Records>);

#[derive(Debug, Default)]
struct Records {
    clock: u64,
    calls: BTreeMap<CallId, Performed>,
    news: BTreeMap<CallId, Vec<(u64, String)>>,
    subjects: BTreeMap<CallId, CallId>,
    violations: Vec<(Invariant, String)>,
}

/// One call, as it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Performed {
    /// When it was called, in the order of this execution.
    pub begin: u64,
    /// When it returned, and what it answered.
    pub end: Option<(u64, String)>,
}

/// What the calls of one execution answered, and what was heard of each later. The
/// same for every ordering in which the callers could see no difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outcome(
    /// By part (see [`CallId::thread`]) and place: the call's text and its answer.
    pub Vec<Vec<(String, String)>>,
);

impl Log {
    fn records(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call begins.
    pub fn begin(&self, id: CallId) {
        let mut records = self.records();
        records.clock += 1;
        let begin = records.clock;
        records.calls.insert(id, Performed { begin, end: None });
    }

    /// A call has returned.
    pub fn end(&self, id: CallId, answer: String) {
        let mut records = self.records();
        records.clock += 1;
        let now = records.clock;
        if let Some(call) = records.calls.get_mut(&id) {
            call.end = Some((now, answer));
        }
    }

    /// The answer of `call` is about what the call `subject` has begun. An
    /// outcome does not say so; a specification can be held to it.
    pub fn concerns(&self, call: CallId, subject: CallId) {
        self.records().subjects.insert(call, subject);
    }

    /// The call that the answer of `call` is about, if there is one.
    pub fn subject_of(&self, call: CallId) -> Option<CallId> {
        self.records().subjects.get(&call).copied()
    }

    /// A moment, in the order of this execution.
    pub fn now(&self) -> u64 {
        let mut records = self.records();
        records.clock += 1;
        records.clock
    }

    /// Something was heard of what `call` has begun, such as how it ended. The
    /// outcome has it behind the call's answer.
    pub fn news(&self, call: CallId, news: impl fmt::Display) {
        let mut records = self.records();
        records.clock += 1;
        let news = (records.clock, news.to_string());
        records.news.entry(call).or_default().push(news);
    }

    /// What was heard of `call` after it returned, in this order.
    pub fn news_of(&self, call: CallId) -> Vec<String> {
        let records = self.records();
        let news = records.news.get(&call).map_or(&[][..], Vec::as_slice);
        news.iter().map(|(_, news)| news.clone()).collect()
    }

    /// Whether anything was heard of `call` by then.
    pub fn had_news_before(&self, call: CallId, moment: u64) -> bool {
        let records = self.records();
        let news = records.news.get(&call).map_or(&[][..], Vec::as_slice);
        news.iter().any(|(at, _)| *at < moment)
    }

    /// An invariant does not hold in this execution.
    pub fn violated(&self, invariant: impl Into<Invariant>, detail: impl Into<String>) {
        self.records().violations.push((invariant.into(), detail.into()));
    }

    /// The calls of this execution.
    pub fn calls(&self) -> BTreeMap<CallId, Performed> {
        self.records().calls.clone()
    }

    /// What did not hold.
    pub fn take_violations(&self) -> Vec<(Invariant, String)> {
        std::mem::take(&mut self.records().violations)
    }

    /// The outcome. News that came twice are there twice: an observer sees them.
    pub fn outcome(&self, scenario: &Scenario) -> Outcome {
        let records = self.records();
        let answer = |thread, (index, call): (usize, &crate::Call)| {
            let id = CallId { thread, index };
            let mut answer = match records.calls.get(&id).and_then(|call| call.end.as_ref()) {
                Some((_, answer)) => answer.clone(),
                None => "never returned".to_owned(),
            };
            let news = records.news.get(&id).map_or(&[][..], Vec::as_slice);
            let mut news: Vec<&str> = news.iter().map(|(_, news)| news.as_str()).collect();
            news.sort();
            for news in news {
                answer.push_str(", ");
                answer.push_str(news);
            }
            (call.text.clone(), answer)
        };
        let part = |(thread, calls): (usize, &Vec<crate::Call>)| {
            calls.iter().enumerate().map(|call| answer(thread, call)).collect()
        };
        Outcome(scenario.parts().enumerate().map(part).collect())
    }
}

impl fmt::Display for Outcome {
    /// `call: answer; call: answer | call: answer`, without the prologue's and
    /// the epilogue's when there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for part in self.0.iter().filter(|part| !part.is_empty()) {
            if !std::mem::take(&mut first) {
                f.write_str(" | ")?;
            }
            for (index, (call, answer)) in part.iter().enumerate() {
                let separator = if index == 0 { "" } else { "; " };
                write!(f, "{separator}{call}: {answer}")?;
            }
        }
        Ok(())
    }
}
