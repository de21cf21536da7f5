//! A scenario: calls that race. Plain data, resolved against a system.
//!
//! `{ prologue } thread | thread | thread { epilogue }`, a thread's calls by
//! `;`. The prologue also sets the system's settings, by `name=value`.

use std::fmt;

/// A connection of a scenario, by its place in [`Scenario::connections`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conn(pub usize);

/// One argument of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Argument {
    /// A number.
    Int(u64),
    /// A connection.
    Conn(Conn),
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The name of one of the system's operations.
    pub operation: &'static str,
    /// The connection it is made on, when the operation is a connection's.
    pub connection: Option<Conn>,
    /// Its arguments.
    pub arguments: Vec<Argument>,
    /// As it is written in outcomes and witnesses.
    pub text: String,
}

impl Call {
    /// The argument at `index`, when it is a number.
    pub fn int(&self, index: usize) -> Option<u64> {
        match self.arguments.get(index)? {
            Argument::Int(value) => Some(*value),
            Argument::Conn(_) => None,
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Where a call stands. Its order is the order of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId {
    /// 0 the prologue, then the threads from 1, then the epilogue.
    pub thread: usize,
    /// The place in the thread.
    pub index: usize,
}

/// What an outcome of the scenario must, or must not, look like: clauses that
/// hold together, each `call: answer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// As it was written.
    pub text: String,
    /// The text of a call, and the answer it has.
    pub clauses: Vec<(String, String)>,
}

/// Calls that race, and what is expected of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// A short name, or the scenario's text when it has none.
    pub name: String,
    /// One sentence: what it is about.
    pub meaning: String,
    /// The line that says what races.
    pub text: String,
    /// The connections' names, in order of appearance.
    pub connections: Vec<String>,
    /// Those that the scenario opens itself; the others are open from the start.
    pub opened_by_scenario: Vec<Conn>,
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

    /// The call at this place.
    pub fn call(&self, id: CallId) -> Option<&Call> {
        self.parts().nth(id.thread)?.get(id.index)
    }
}
