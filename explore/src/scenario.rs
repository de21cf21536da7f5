//! A scenario: calls that race. Plain data, resolved against a system.
//!
//! `{ prologue } thread | thread | thread { epilogue }`, a thread's calls by
//! `;`. The prologue also sets the system's settings, by `name=value`.

use crate::invariant::Invariant;
use std::fmt;
use std::ops::Range;

/// A receiver of calls, by its place in [`Scenario::receivers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Receiver(pub usize);

/// One argument of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Argument {
    /// A number.
    Int(u64),
    /// A receiver.
    Receiver(Receiver),
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The name of one of the system's operations.
    pub operation: &'static str,
    /// The receiver, where the operation has one.
    pub receiver: Option<Receiver>,
    /// The arguments, with defaults for those that were left out.
    pub arguments: Vec<Argument>,
    /// The call as it is written in outcomes and witnesses.
    pub text: String,
    /// Whether the call may wait for ever: see [`Operation::waits`](crate::Operation::waits).
    pub waits: bool,
}

impl Call {
    /// The argument at `index`, when it is a number.
    pub fn int(&self, index: usize) -> Option<u64> {
        match self.arguments.get(index)? {
            Argument::Int(value) => Some(*value),
            Argument::Receiver(_) => None,
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The place of a call in the scenario. The order is that of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId {
    /// 0 for the prologue, the threads from 1, and then the epilogue.
    pub thread: usize,
    /// The place in the thread, from 0.
    pub index: usize,
}

/// A pattern of outcomes: clauses that must all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The pattern as it was written.
    pub text: String,
    /// The clauses.
    pub clauses: Vec<Clause>,
}

/// One clause of a pattern, `call: answer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// The calls that are written so: one of them must have the answer.
    pub calls: Vec<CallId>,
    /// The answer; `*` is any text.
    pub answer: String,
}

/// Calls that race, and what is expected of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scenario {
    /// A short name, or the scenario's text when it has none.
    pub name: String,
    /// One sentence: what the scenario is about.
    pub meaning: String,
    /// The calls, as [`crate::parse::scenario`] reads them.
    pub text: String,
    /// The receivers' names, in order of appearance.
    pub receivers: Vec<String>,
    /// The receivers that a call creates; the others exist from the start.
    pub created: Vec<Receiver>,
    /// The system's settings, by name.
    pub settings: Vec<(String, u64)>,
    /// Calls before the threads start.
    pub prologue: Vec<Call>,
    /// The calls of each thread.
    pub threads: Vec<Vec<Call>>,
    /// Calls after the threads have ended.
    pub epilogue: Vec<Call>,
    /// Outcomes that must be seen.
    pub requires: Vec<Pattern>,
    /// Outcomes that must not be seen.
    pub forbids: Vec<Pattern>,
    /// What outcomes of a pattern mean, in words of the domain.
    pub means: Vec<(Pattern, String)>,
    /// Outcomes whose ordering is shown without `--show`.
    pub shows: Vec<Pattern>,
    /// Invariants that must be found to be violated.
    pub expects: Vec<Invariant>,
}

impl Scenario {
    /// The value of a setting, or `default`.
    pub fn setting(&self, name: &str, default: u64) -> u64 {
        self.settings.iter().find(|(key, _)| key == name).map_or(default, |(_, value)| *value)
    }

    /// The prologue, the threads and the epilogue, in the order of [`CallId::thread`].
    pub fn parts(&self) -> impl Iterator<Item = &Vec<Call>> {
        std::iter::once(&self.prologue).chain(&self.threads).chain(std::iter::once(&self.epilogue))
    }

    /// The threads, those together that stand side by side and have the same calls: `step * 3` is
    /// three.
    pub fn alike(&self) -> Vec<Range<usize>> {
        let mut start = 0;
        let next = |same: &[Vec<Call>]| {
            start += same.len();
            start - same.len()..start
        };
        self.threads.chunk_by(|one, next| one == next).map(next).collect()
    }

    /// The places of all calls, in the order of the text.
    pub fn ids(&self) -> impl Iterator<Item = CallId> + '_ {
        let calls = |(thread, calls): (usize, &Vec<Call>)| {
            (0..calls.len()).map(move |index| CallId { thread, index })
        };
        self.parts().enumerate().flat_map(calls)
    }

    /// The call at this place.
    pub fn call(&self, id: CallId) -> Option<&Call> {
        self.parts().nth(id.thread)?.get(id.index)
    }

    /// The name of a call in patterns: `call#2` for the second of several calls that
    /// are written alike.
    pub fn label(&self, id: CallId) -> String {
        let Some(call) = self.call(id) else { return String::new() };
        let (mut all, mut number) = (0, 0);
        for (other, known) in self.ids().zip(self.parts().flatten()) {
            if known.text == call.text {
                all += 1;
                number += usize::from(other <= id);
            }
        }
        match all {
            1 => call.text.clone(),
            _ => format!("{call}#{number}"),
        }
    }
}

/// The calls, as [`crate::parse::scenario`] reads them.
impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = |calls: &[Call]| calls.iter().map(|call| call.text.clone()).collect::<Vec<_>>();
        let settings = self.settings.iter().map(|(name, value)| format!("{name}={value}"));
        let prologue: Vec<String> = settings.chain(texts(&self.prologue)).collect();
        if !prologue.is_empty() {
            write!(f, "{{ {} }} ", prologue.join("; "))?;
        }
        for (index, same) in self.threads.chunk_by(|one, next| one == next).enumerate() {
            let separator = if index == 0 { "" } else { " | " };
            write!(f, "{separator}{}", texts(&same[0]).join("; "))?;
            if same.len() > 1 {
                write!(f, " * {}", same.len())?;
            }
        }
        if !self.epilogue.is_empty() {
            write!(f, " {{ {} }}", texts(&self.epilogue).join("; "))?;
        }
        Ok(())
    }
}

impl Scenario {
    /// The scenario with its expectations, as [`crate::parse::file`] reads it.
    pub fn stanza(&self) -> String {
        let one_line = |text: &str| text.replace(['\n', '\r'], " ");
        // A name ends at the first colon.
        let mut stanza = format!("{}: {self}\n", one_line(&self.name).replace(':', " "));
        let mut line = |text: String| stanza.push_str(&format!("    {}\n", one_line(&text)));
        if !self.meaning.is_empty() {
            line(format!("# {}", self.meaning));
        }
        self.requires.iter().for_each(|pattern| line(format!("require {}", pattern.text)));
        self.forbids.iter().for_each(|pattern| line(format!("forbid {}", pattern.text)));
        self.means.iter().for_each(|(pattern, sentence)| {
            line(format!("means {} = {sentence}", pattern.text));
        });
        self.shows.iter().for_each(|pattern| line(format!("show {}", pattern.text)));
        self.expects.iter().for_each(|invariant| line(format!("expect violated {invariant}")));
        stanza
    }
}
