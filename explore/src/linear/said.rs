//! What a log says, as bytes: those of two logs are equal if and only if their histories are. Most executions say
//! what an earlier one said, and to find that out costs a tenth of what it costs to make a [`History`] of the
//! log.
//!
//! [`History`]: super::History

use super::Rested;
use crate::log::{Log, Performed};
use crate::scenario::{Argument, Call, CallId, Scenario};

/// In the place of a call or a receiver, if there is none.
const NONE: usize = u32::MAX as usize;

/// The bytes. Each text has its length before it, so that none can be taken for another.
#[derive(Debug, Default)]
pub(super) struct Said {
    bytes: Vec<u8>,
    /// The calls with their times, part by part: room for what is needed meanwhile.
    times: Vec<(usize, u64, u64)>,
}

impl Said {
    /// What the calls of a log have answered and when, and the calls after them. `None`: a call did not return.
    pub(super) fn by(&mut self, scenario: &Scenario, log: &Log, rest: &[Rested]) -> Option<&[u8]> {
        self.bytes.clear();
        self.times.clear();
        let all = log.each_call(|id, performed, subject, news| {
            let Performed { begin, end: Some((end, answer)) } = performed else { return false };
            self.times.push((id.thread, *begin, *end));
            self.answer(answer, subject);
            news.sort_unstable();
            self.number(news.len());
            news.iter().for_each(|news| self.text(news));
            true
        });
        if !all || self.times.len() != scenario.parts().map(Vec::len).sum::<usize>() {
            return None;
        }
        self.real_time();
        for Rested { call, answer, subject } in rest {
            self.call(call);
            self.answer(answer, *subject);
        }
        Some(&self.bytes)
    }

    /// For each call, how many of each part had returned when it was made: the calls of a part return in their
    /// order.
    fn real_time(&mut self) {
        let times = std::mem::take(&mut self.times);
        for &(_, begin, _) in &times {
            for of_part in times.chunk_by(|one, next| one.0 == next.0) {
                self.number(of_part.iter().take_while(|(_, _, end)| *end < begin).count());
            }
        }
        self.times = times;
    }

    fn call(&mut self, call: &Call) {
        let Call { operation, receiver, arguments, text, waits } = call;
        self.text(operation);
        self.number(receiver.map_or(NONE, |receiver| receiver.0));
        self.number(arguments.len());
        for argument in arguments {
            let (is_receiver, value) = match *argument {
                Argument::Int(value) => (false, value),
                Argument::Receiver(receiver) => (true, receiver.0 as u64),
            };
            self.number(is_receiver.into());
            self.bytes.extend_from_slice(&value.to_le_bytes());
        }
        self.text(text);
        self.number((*waits).into());
    }

    fn answer(&mut self, answer: &str, subject: Option<CallId>) {
        self.text(answer);
        let CallId { thread, index } = subject.unwrap_or(CallId { thread: NONE, index: NONE });
        self.number(thread);
        self.number(index);
    }

    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, number: usize) {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }
}
