//! What one execution showed its callers, and in which order of real time.

use crate::log::Log;
use crate::scenario::{CallId, Scenario};

/// One execution, as its callers saw it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct History {
    /// By part (see [`CallId::thread`]) and place.
    pub answers: Answers,
    /// In the same places: what had returned when the call was made.
    pub after: RealTime,
}

/// What each call answered, by part and place.
pub type Answers = Vec<Vec<Answered>>;

/// For each call, by part and place: how many calls of each part come before
/// it. Those of its own part are its program order.
pub type RealTime = Vec<Vec<Vec<usize>>>;

/// What one call answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answered {
    /// In the words of the outcome.
    pub answer: String,
    /// The call that it is about.
    pub subject: Option<CallId>,
    /// What was heard of it later, sorted.
    pub news: Vec<String>,
}

impl History {
    /// What the log has; `None` when a call did not return.
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
                // A part's calls return in their order.
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
        Some(History { answers, after })
    }
}

impl History {
    /// Whether an order of the calls, in which so many of each part had returned
    /// before each was made, respects real time.
    pub fn allows(&self, order: &RealTime) -> bool {
        let mut pairs = order.iter().flatten().flatten().zip(self.after.iter().flatten().flatten());
        pairs.all(|(comes, must)| comes >= must)
    }
}
