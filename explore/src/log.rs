//! The record of one execution. It belongs to the harness, not to the system: it
//! uses std's lock and adds no scheduling point, which is sound because no call
//! depends on the record, and the entries of two threads commute.

use crate::scenario::{CallId, Scenario};
use crate::Invariant;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The answer in an outcome of a call that waits for ever, where it may.
pub const WAITS: &str = "waits";

/// The record of one execution.
#[derive(Debug, Default)]
pub struct Log(Mutex<Records>);

#[derive(Debug, Default)]
struct Records {
    clock: u64,
    /// Shared with those who have asked for it: mostly nobody calls any more then.
    calls: Arc<BTreeMap<CallId, Performed>>,
    news: BTreeMap<CallId, Vec<(u64, String)>>,
    subjects: BTreeMap<CallId, CallId>,
    violations: Vec<(Invariant, String)>,
}

/// A call that was made. Times are counted in events of this execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Performed {
    /// The time of the call.
    pub begin: u64,
    /// The time of the return, and the answer.
    pub end: Option<(u64, String)>,
}

/// The answers of the calls of one execution, each with the later news of it, in the
/// order of the text. Orderings that no caller can tell apart have equal outcomes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Outcome {
    /// The answers to the prologue, then to each thread, then to the epilogue.
    pub answers: Vec<Answer>,
}

/// A call and its answer. The texts are shared: most outcomes have the same ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Answer {
    /// See [`CallId::thread`].
    pub thread: usize,
    /// The call as in patterns: `call#2` is the second of several that are written
    /// alike.
    pub call: Arc<str>,
    /// The answer, and the news of the call.
    pub answer: Arc<str>,
}

/// The answers of an [`Outcome`] without the calls, which are the scenario's. There may be as many as
/// there are outcomes, and each execution makes one: so it is a single text. In the order of the
/// outcomes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Replies(Box<str>);

/// Ends each answer. It comes before whatever an answer is written with.
const END: char = '\u{1f}';

impl fmt::Display for Replies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Replies {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Replies(text.into()))
    }
}

impl From<&Outcome> for Replies {
    fn from(outcome: &Outcome) -> Self {
        let ended = outcome.answers.iter().map(|answer| format!("{}{END}", answer.answer));
        Replies(ended.collect::<String>().into())
    }
}

/// Makes outcomes of a scenario's replies.
#[derive(Debug)]
pub struct Outcomes {
    calls: Vec<(usize, Arc<str>)>,
    known: BTreeSet<Arc<str>>,
}

impl Outcomes {
    /// Of this scenario.
    pub fn new(scenario: &Scenario) -> Self {
        let calls = scenario.ids().map(|id| (id.thread, scenario.label(id).into())).collect();
        Outcomes { calls, known: BTreeSet::new() }
    }

    /// The outcome of an execution.
    pub fn outcome(&mut self, replies: &Replies) -> Outcome {
        let mut answers = Vec::with_capacity(self.calls.len());
        for ((thread, call), answer) in self.calls.iter().zip(replies.0.split(END)) {
            let answer = match self.known.get(answer) {
                Some(known) => known.clone(),
                None => {
                    let new: Arc<str> = answer.into();
                    self.known.insert(new.clone());
                    new
                }
            };
            answers.push(Answer { thread: *thread, call: call.clone(), answer });
        }
        Outcome { answers }
    }
}

impl Outcome {
    /// The answer of the call at this place.
    pub fn get(&self, id: CallId) -> Option<&Answer> {
        self.answers.iter().filter(|answer| answer.thread == id.thread).nth(id.index)
    }
}

impl Answer {
    /// The call as it is written in the scenario.
    pub fn text(&self) -> &str {
        self.call.split('#').next().unwrap_or_default()
    }
}

/// The answers, and all of them in one line.
impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut both = to.serialize_struct("Outcome", 2)?;
        both.serialize_field("outcome", &self.to_string())?;
        both.serialize_field("answers", &self.answers)?;
        both.end()
    }
}

impl Log {
    fn records(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call begins.
    pub fn begin(&self, id: CallId) {
        let mut records = self.records();
        records.clock += 1;
        let begin = records.clock;
        Arc::make_mut(&mut records.calls).insert(id, Performed { begin, end: None });
    }

    /// A call has returned.
    pub fn end(&self, id: CallId, answer: String) {
        let mut records = self.records();
        records.clock += 1;
        let now = records.clock;
        if let Some(call) = Arc::make_mut(&mut records.calls).get_mut(&id) {
            call.end = Some((now, answer));
        }
    }

    /// The answer of `call` is about something that the call `subject` has begun. That
    /// is no part of the outcome, but a specification must predict it.
    pub fn concerns(&self, call: CallId, subject: CallId) {
        self.records().subjects.insert(call, subject);
    }

    /// The call that the answer of `call` is about, if there is one.
    pub fn subject_of(&self, call: CallId) -> Option<CallId> {
        self.records().subjects.get(&call).copied()
    }

    /// The time, in events of this execution.
    pub fn now(&self) -> u64 {
        let mut records = self.records();
        records.clock += 1;
        records.clock
    }

    /// Records news of something that `call` has begun, such as its end. The outcome
    /// has the news behind the call's answer.
    pub fn news(&self, call: CallId, news: impl fmt::Display) {
        let mut records = self.records();
        records.clock += 1;
        let news = (records.clock, news.to_string());
        records.news.entry(call).or_default().push(news);
    }

    /// The news of `call`, oldest first.
    pub fn news_of(&self, call: CallId) -> Vec<String> {
        let records = self.records();
        let news = records.news.get(&call).map_or(&[][..], Vec::as_slice);
        news.iter().map(|(_, news)| news.clone()).collect()
    }

    /// Calls `f` with each call, the call that its answer is about, and the news of it, in the order of the
    /// text, as long as `f` says yes. Returns whether that was so to the end.
    pub(crate) fn each_call(
        &self,
        mut f: impl FnMut(CallId, &Performed, Option<CallId>, &mut [&str]) -> bool,
    ) -> bool {
        let records = self.records();
        records.calls.iter().all(|(id, performed)| {
            let news = records.news.get(id).map_or(&[][..], Vec::as_slice);
            let mut news: Vec<&str> = news.iter().map(|(_, news)| news.as_str()).collect();
            f(*id, performed, records.subjects.get(id).copied(), &mut news)
        })
    }

    /// Whether there was news of `call` before this moment.
    pub fn had_news_before(&self, call: CallId, moment: u64) -> bool {
        let records = self.records();
        let news = records.news.get(&call).map_or(&[][..], Vec::as_slice);
        news.iter().any(|(at, _)| *at < moment)
    }

    /// Records that an invariant does not hold in this execution.
    pub fn violated(&self, invariant: impl Into<Invariant>, detail: impl fmt::Display) {
        self.records().violations.push((invariant.into(), detail.to_string()));
    }

    /// The calls of this execution.
    pub fn calls(&self) -> Arc<BTreeMap<CallId, Performed>> {
        self.records().calls.clone()
    }

    /// The calls that have not returned: when no thread can go on, those are calls that
    /// [may wait](crate::Operation::waits).
    pub fn waiting(&self) -> Vec<CallId> {
        let records = self.records();
        let waiting = records.calls.iter().filter(|(_, call)| call.end.is_none());
        waiting.map(|(id, _)| *id).collect()
    }

    /// Takes the violations that were recorded.
    pub fn take_violations(&self) -> Vec<(Invariant, String)> {
        std::mem::take(&mut self.records().violations)
    }

    /// What the calls have answered. News that came twice is there twice, as an observer sees it.
    pub fn replies(&self, scenario: &Scenario) -> Replies {
        let records = self.records();
        let mut replies = String::new();
        // An answer that has the sign in it is another one without.
        let put = |replies: &mut String, text: &str| match text.contains(END) {
            true => replies.push_str(&text.replace(END, " ")),
            false => replies.push_str(text),
        };
        for id in scenario.ids() {
            match records.calls.get(&id).map(|call| &call.end) {
                Some(Some((_, answer))) => put(&mut replies, answer),
                Some(None) => replies.push_str(WAITS),
                None => replies.push_str("never made"),
            }
            let news = records.news.get(&id).map_or(&[][..], Vec::as_slice);
            let mut news: Vec<&str> = news.iter().map(|(_, news)| news.as_str()).collect();
            news.sort();
            for news in news {
                replies.push_str(", ");
                put(&mut replies, news);
            }
            replies.push(END);
        }
        Replies(replies.into())
    }
}

impl fmt::Display for Outcome {
    /// `call: answer; call: answer | call: answer`; a prologue or an epilogue without
    /// calls is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.answers.chunk_by(|one, next| one.thread == next.thread);
        for (at, part) in parts.enumerate() {
            if at > 0 {
                f.write_str(" | ")?;
            }
            for (index, answer) in part.iter().enumerate() {
                let separator = if index == 0 { "" } else { "; " };
                write!(f, "{separator}{}: {}", answer.text(), answer.answer)?;
            }
        }
        Ok(())
    }
}
