//! What can be explored: a [`Model`] builds an [`Instance`] for each execution,
//! on which the scenario's calls are performed.

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
    /// As it is written in a scenario.
    pub name: &'static str,
    /// Whether it is called on a receiver (`a.send`) or not (`close`).
    pub on_receiver: bool,
    /// Whether it makes its receiver, which is then not there from the start.
    pub creates: bool,
    /// Its arguments, those that may be left out in brackets: `key [from to]`.
    pub arguments: &'static [Parameter],
    /// One line for `--list`.
    pub meaning: &'static str,
    /// Whether a call of it may wait for ever, such as for something to do: if it has
    /// not returned when nothing else can go on, that is no deadlock by itself. The
    /// system says whether it waits with reason, see [`Instance::finish`].
    pub waits: bool,
}

impl Operation {
    /// One that is called on no receiver, without arguments.
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

    /// The same, and it makes its receiver.
    pub const fn creating(self) -> Self {
        Operation { creates: true, ..self }
    }

    /// The same, and it may wait for ever.
    pub const fn waiting(self) -> Self {
        Operation { waits: true, ..self }
    }

    /// How it is written, where receivers are called `noun`:
    /// `noun.operation(key, [from], [to])`.
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
    /// Its name.
    pub name: &'static str,
    /// What a scenario that leaves it out means; `None`: it must be there.
    pub default: Option<u64>,
    /// Whether it is a receiver's name rather than a number.
    pub receiver: bool,
}

/// A setting that a prologue can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// As it is written: `name=value`.
    pub name: &'static str,
    /// Its value when the scenario does not say.
    pub default: u64,
    /// One line for `--list`.
    pub meaning: &'static str,
}

impl Setting {
    /// One of this name, its value when a scenario does not say, and what it sets.
    pub const fn new(name: &'static str, default: u64, meaning: &'static str) -> Self {
        Setting { name, default, meaning }
    }
}

/// Something that scenarios can be run on.
pub trait Model: Send + Sync {
    /// As `--system` names it.
    fn name(&self) -> String;
    /// One line for `--list`.
    fn meaning(&self) -> String {
        String::new()
    }
    /// What a receiver of calls is called: `session`, `queue`.
    fn receiver(&self) -> &str {
        "receiver"
    }
    /// What scenarios can call.
    fn operations(&self) -> &[Operation];
    /// What prologues can set.
    fn settings(&self) -> &[Setting] {
        &[]
    }
    /// The largest value of a parameter or a setting of this name. A scenario
    /// that asks for more is refused, before it overflows anything.
    fn limit(&self, _name: &str) -> u64 {
        u64::MAX
    }
    /// The scenarios that ship with it, in the form of [`crate::parse::file`].
    fn scenarios(&self) -> &str {
        ""
    }
    /// Whether loom sees every step that threads race for. It does not see the
    /// count of a `Weak`; then one execution of several threads proves nothing.
    fn loom_sees_all(&self) -> bool {
        false
    }
    /// Whose primitives it was built with: [`sync::ENGINE`], unless they are not
    /// those of [`sync`]. No engine explores another's.
    fn primitives(&self) -> &'static str {
        sync::ENGINE
    }
    /// What an outcome means, in words of the domain.
    fn explain(&self, _scenario: &Scenario, _outcome: &Outcome) -> Option<String> {
        None
    }
    /// Whether a call that answered so has done nothing, as far as its caller
    /// can tell. A scenario in which a call never does anything is suspect.
    fn did_nothing(&self, _call: &Call, _answer: &str) -> bool {
        false
    }
    /// The invariants that it is checked against, beside [`BUILT_IN`].
    fn invariants(&self) -> Vec<Invariant>;
    /// Every small scenario that `--generate` explores; `None`: it cannot.
    fn universe(&self, _threads: usize, _calls: usize) -> Option<Universe> {
        None
    }
    /// Before a scenario is explored, outside of any execution. An error says why
    /// it cannot be.
    fn prepare(&self, _scenario: &Arc<Scenario>) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
    /// A new instance, with the scenario's receivers there but for those that
    /// it makes itself. Runs inside an execution, on its main thread.
    fn build(&self, scenario: &Arc<Scenario>, log: &Arc<Log>) -> Arc<dyn Instance>;
}

/// All that a system is checked against: its own invariants, and those of every
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

/// One system under one execution.
pub trait Instance: Send + Sync {
    /// Performs a call, and says in a word or two what it answered: the same
    /// words in every execution that answered the same.
    fn perform(&self, id: CallId, call: &Call, log: &Log) -> String;

    /// After the threads have ended and the outcome was taken: checks the
    /// final state against the invariants, reporting to the log, and releases
    /// everything. Calls that [may wait](Operation::waits) may not have returned:
    /// [`Log::waiting`] has them, and whether they wait with reason is one of the
    /// checks.
    fn finish(self: Arc<Self>, log: &Log);
}
