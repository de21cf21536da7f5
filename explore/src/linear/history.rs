//! The answers of one execution, and the order of its calls in real time.

use crate::log::Log;
use crate::scenario::{Call, CallId, Scenario};

/// One execution, as its callers see it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct History {
    /// The answers of the calls.
    pub answers: Answers,
    /// The calls that had returned when each call was made.
    pub after: RealTime,
    /// Calls that were made after those of the scenario, one after another: see
    /// [`History::followed_by`]. They are one more part, the last.
    pub rest: Vec<Call>,
}

/// A call that was made after those of the scenario, and its answer.
#[derive(Clone, Debug)]
pub struct Rested {
    /// The call.
    pub call: Call,
    /// The answer, in the words of the outcomes.
    pub answer: String,
    /// The call that the answer is about.
    pub subject: Option<CallId>,
}

/// The answer of each call, by part (see [`CallId::thread`]) and place.
pub type Answers = Vec<Vec<Answered>>;

/// For each call, by part and place: how many calls of each part come before it. For
/// its own part, that is program order.
pub type RealTime = Vec<Vec<Vec<usize>>>;

/// The answer of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answered {
    /// The answer, in the words of the outcomes.
    pub answer: String,
    /// The call that the answer is about.
    pub subject: Option<CallId>,
    /// The news of the call, sorted.
    pub news: Vec<String>,
}

impl History {
    /// The history in a log; `None`: a call did not return.
    pub fn of(scenario: &Scenario, log: &Log) -> Option<History> {
        let calls = log.calls();
        let performed = |thread, index| {
            let call = calls.get(&CallId { thread, index })?;
            Some((call.begin, call.end.as_ref()?))
        };
        let parts: Vec<usize> = scenario.parts().map(Vec::len).collect();
        let (mut answers, mut after) = (Vec::new(), Vec::new());
        for (thread, len) in parts.iter().enumerate() {
            let (mut of_answers, mut of_after) = (Vec::new(), Vec::new());
            for index in 0..*len {
                let (begin, (_, answer)) = performed(thread, index)?;
                let id = CallId { thread, index };
                let (subject, mut news) = (log.subject_of(id), log.news_of(id));
                news.sort();
                of_answers.push(Answered { answer: answer.clone(), subject, news });
                // The calls of a part return in their order.
                let before = |(part, len): (usize, &usize)| {
                    let returned = |index: &usize| {
                        performed(part, *index).is_some_and(|(_, (end, _))| *end < begin)
                    };
                    (0..*len).take_while(returned).count()
                };
                of_after.push(parts.iter().enumerate().map(before).collect());
            }
            answers.push(of_answers);
            after.push(of_after);
        }
        Some(History { answers, after, rest: Vec::new() })
    }
}

impl History {
    /// The history with further calls, which one thread made after all calls of the
    /// scenario had returned.
    pub fn followed_by(mut self, rest: Vec<Rested>) -> History {
        let parts: Vec<usize> = self.answers.iter().map(Vec::len).collect();
        self.after.iter_mut().flatten().for_each(|before| before.push(0));
        let all = |index| parts.iter().copied().chain([index]).collect();
        self.after.push((0..rest.len()).map(all).collect());
        let mut answers = Vec::new();
        for Rested { call, answer, subject } in rest {
            self.rest.push(call);
            answers.push(Answered { answer, subject, news: Vec::new() });
        }
        self.answers.push(answers);
        self
    }

    /// The call at this place.
    pub fn call<'a>(&'a self, scenario: &'a Scenario, id: CallId) -> Option<&'a Call> {
        scenario.call(id).or_else(|| {
            let last = id.thread + 1 == self.answers.len();
            self.rest.get(id.index).filter(|_| last)
        })
    }

    /// Whether an order of the calls respects the real time of this history.
    pub fn allows(&self, order: &RealTime) -> bool {
        let mut pairs = order.iter().flatten().flatten().zip(self.after.iter().flatten().flatten());
        pairs.all(|(comes, must)| comes >= must)
    }
}
