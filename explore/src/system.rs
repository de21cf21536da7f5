//! Systems that can be explored: a [`Model`] builds an [`Instance`] for each
//! execution, on which the scenario's calls are performed.

use crate::generate::Universe;
use crate::invariant::{Invariant, BUILT_IN};
use crate::log::{Log, Outcome};
use crate::scenario::{Call, CallId, Scenario};
use crate::sync;
use std::error::Error;
use std::sync::Arc;

/// One operation that a scenario can call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The operation's name in scenarios.
    pub name: &'static str,
    /// Whether it is called on a receiver (`a.send`) or not (`close`).
    pub on_receiver: bool,
    /// Whether it creates its receiver, which does not exist before then.
    pub creates: bool,
    /// The parameters, in the order in which arguments are written.
    pub arguments: &'static [Parameter],
    /// One line for `--list`.
    pub meaning: &'static str,
    /// Whether a call may wait for ever, such as for work: if it has not returned when
    /// no other thread can go on, that is no deadlock by itself. The system says whether
    /// the call waits with reason, see [`Instance::finish`].
    pub waits: bool,
}

impl Operation {
    /// An operation without a receiver and without parameters.
    pub const fn plain(name: &'static str, meaning: &'static str) -> Self {
        Operation {
            name,
            on_receiver: false,
            creates: false,
            arguments: &[],
            meaning,
            waits: false,
        }
    }

    /// The same operation, but it creates its receiver.
    pub const fn creating(self) -> Self {
        Operation { creates: true, ..self }
    }

    /// The same operation, but its calls may wait for ever.
    pub const fn waiting(self) -> Self {
        Operation { waits: true, ..self }
    }

    /// How a call is written, where `noun` stands for a receiver and brackets for an
    /// argument that may be left out: `noun.operation(key, [from], [to])`.
    pub fn usage(&self, noun: &str) -> String {
        let argument = |parameter: &Parameter| match parameter.default {
            Some(_) => format!("[{}]", parameter.name),
            None => parameter.name.to_owned(),
        };
        let arguments: Vec<String> = self.arguments.iter().map(argument).collect();
        let on = if self.on_receiver { format!("{noun}.") } else { String::new() };
        let name = self.name;
        match arguments.is_empty() {
            true => format!("{on}{name}"),
            false => format!("{on}{name}({})", arguments.join(", ")),
        }
    }
}

/// A parameter of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The parameter's name.
    pub name: &'static str,
    /// The value where a scenario leaves the argument out; `None`: it must not.
    pub default: Option<u64>,
    /// Whether it is a receiver's name rather than a number.
    pub receiver: bool,
}

/// A setting that a prologue can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The name, which is written `name=value`.
    pub name: &'static str,
    /// The value where a scenario sets none.
    pub default: u64,
    /// One line for `--list`.
    pub meaning: &'static str,
}

impl Setting {
    /// A setting with this name, its value where a scenario sets none, and its meaning.
    pub const fn new(name: &'static str, default: u64, meaning: &'static str) -> Self {
        Setting { name, default, meaning }
    }
}

/// A system on which scenarios can be run.
pub trait Model: Send + Sync {
    /// The name, for `--system`.
    fn name(&self) -> String;
    /// One line for `--list`.
    fn meaning(&self) -> String {
        String::new()
    }
    /// The noun for a receiver of calls: `session`, `queue`.
    fn receiver(&self) -> &str {
        "receiver"
    }
    /// The operations that scenarios can call.
    fn operations(&self) -> &[Operation];
    /// The settings that prologues can make.
    fn settings(&self) -> &[Setting] {
        &[]
    }
    /// The largest value of a parameter or a setting of this name. A scenario with a
    /// larger one is refused, so that no arithmetic overflows.
    fn limit(&self, _name: &str) -> u64 {
        u64::MAX
    }
    /// The scenarios that ship with the system, in the form of [`crate::parse::file`].
    fn scenarios(&self) -> &str {
        ""
    }
    /// Whether loom sees every step that can race. It does not see the count of a
    /// `Weak`: a system that upgrades one says false, and a single execution of
    /// several threads is then INCOMPLETE.
    fn loom_sees_all(&self) -> bool {
        false
    }
    /// The engine whose primitives the system was built with: [`sync::ENGINE`] where it
    /// uses those of [`sync`]. No engine explores the primitives of another.
    fn primitives(&self) -> &'static str {
        sync::ENGINE
    }
    /// What an outcome means, in words of the domain.
    fn explain(&self, _scenario: &Scenario, _outcome: &Outcome) -> Option<String> {
        None
    }
    /// Whether the answer says that the call changed nothing. A call that changes
    /// nothing in any ordering is reported: its scenario may be a mistake.
    fn did_nothing(&self, _call: &Call, _answer: &str) -> bool {
        false
    }
    /// The invariants that the system is checked against, beside [`BUILT_IN`].
    fn invariants(&self) -> Vec<Invariant>;
    /// The scenarios of `--generate`; `None`: the system has none.
    fn universe(&self, _threads: usize, _calls: usize) -> Option<Universe> {
        None
    }
    /// Called before a scenario is explored, outside of any execution.
    ///
    /// # Errors
    /// Why the scenario cannot be explored.
    fn prepare(&self, _scenario: &Arc<Scenario>) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
    /// A new instance, with the scenario's receivers except those that calls create.
    /// Runs inside an execution, on its main thread.
    fn build(&self, scenario: &Arc<Scenario>, log: &Arc<Log>) -> Arc<dyn Instance>;
}

/// The invariants that a system is checked against: its own, and those of every
/// system.
pub fn checked(model: &dyn Model) -> Vec<Invariant> {
    let mut all = model.invariants();
    for invariant in BUILT_IN {
        if !all.contains(&invariant) {
            all.push(invariant);
        }
    }
    all
}

/// A system in one execution.
pub trait Instance: Send + Sync {
    /// Performs a call, and returns its answer in a word or two: equal words for
    /// answers that a caller cannot tell apart.
    fn perform(&self, id: CallId, call: &Call, log: &Log) -> String;

    /// Called after the threads have ended and the outcome was taken: checks the
    /// invariants, reports violations to the log, and releases everything. A call that
    /// [may wait](Operation::waits) may not have returned: [`Log::waiting`] lists such
    /// calls, and whether each waits with reason is one of the checks.
    fn finish(self: Arc<Self>, log: &Log);
}
