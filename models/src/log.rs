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
    ends: BTreeMap<CallId, Vec<(u64, String)>>,
    streams: BTreeMap<CallId, CallId>,
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

/// What the calls of one execution answered, and how each stream ended. The
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

    /// The answer of `call` is about the stream that `request` opened. An
    /// outcome does not say so; the specification is held to it.
    pub fn concerns(&self, call: CallId, request: CallId) {
        self.records().streams.insert(call, request);
    }

    /// The request whose stream the answer of `call` is about, if it is.
    pub fn stream_of(&self, call: CallId) -> Option<CallId> {
        self.records().streams.get(&call).copied()
    }

    /// A moment, in the order of this execution.
    pub fn now(&self) -> u64 {
        let mut records = self.records();
        records.clock += 1;
        records.clock
    }

    /// The stream that `request` opened was reported to have ended.
    pub fn stream_ended(&self, request: CallId, status: impl fmt::Display) {
        let mut records = self.records();
        records.clock += 1;
        let end = (records.clock, status.to_string());
        records.ends.entry(request).or_default().push(end);
    }

    /// How often the stream of `request` was reported to have ended, and how.
    pub fn ends_of(&self, request: CallId) -> Vec<String> {
        let records = self.records();
        let ends = records.ends.get(&request).map_or(&[][..], Vec::as_slice);
        ends.iter().map(|(_, status)| status.clone()).collect()
    }

    /// Whether the stream of `request` was reported to have ended by then.
    pub fn ended_before(&self, request: CallId, moment: u64) -> bool {
        let records = self.records();
        let ends = records.ends.get(&request).map_or(&[][..], Vec::as_slice);
        ends.iter().any(|(at, _)| *at < moment)
    }

    /// An invariant does not hold in this execution.
    pub fn violated(&self, invariant: Invariant, detail: impl Into<String>) {
        self.records().violations.push((invariant, detail.into()));
    }

    /// The calls of this execution.
    pub fn calls(&self) -> BTreeMap<CallId, Performed> {
        self.records().calls.clone()
    }

    /// What did not hold.
    pub fn take_violations(&self) -> Vec<(Invariant, String)> {
        std::mem::take(&mut self.records().violations)
    }

    /// The outcome. Several ends of one stream are all there: an observer sees them.
    pub fn outcome(&self, scenario: &Scenario) -> Outcome {
        let records = self.records();
        let answer = |thread, (index, call): (usize, &crate::Call)| {
            let id = CallId { thread, index };
            let mut answer = match records.calls.get(&id).and_then(|call| call.end.as_ref()) {
                Some((_, answer)) => answer.clone(),
                None => "never returned".to_owned(),
            };
            let ends = records.ends.get(&id).map_or(&[][..], Vec::as_slice);
            let mut ends: Vec<&str> = ends.iter().map(|(_, status)| status.as_str()).collect();
            ends.sort();
            for end in ends {
                answer.push_str(", ended ");
                answer.push_str(end);
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
