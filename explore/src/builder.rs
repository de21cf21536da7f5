//! A system of one's own, declared by its calls.
//!
//! ```ignore
//! use orderings::sync::atomic::{AtomicBool, Ordering};
//! use orderings::System;
//!
//! #[derive(Default)]
//! struct Door(AtomicBool);
//!
//! fn main() -> std::process::ExitCode {
//!     System::new("door", Door::default)
//!         .call("shut", |door, _| door.0.swap(true, Ordering::SeqCst))
//!         .call("is_shut", |door, _| door.0.load(Ordering::SeqCst))
//!         .linearizable()
//!         .scenarios("race: shut | is_shut")
//!         .command()
//! }
//! ```

use crate::command::Ask;
use crate::engine;
use crate::generate::{self, Universe};
use crate::invariant::{Invariant, LINEARIZABLE, NO_DEADLOCK};
use crate::linear::alone::{orders, Allowed, TooManyOrders};
use crate::linear::History;
use crate::log::Log;
use crate::scenario::{Argument, Call, CallId, Receiver, Scenario};
use crate::system::{Instance, Model, Operation, Parameter, Setting};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

type Make<T> = dyn Fn(&Setup<'_>) -> T + Send + Sync;
type Perform<T> = dyn Fn(&T, &Args<'_>) -> String + Send + Sync;
type Check<T> = dyn Fn(&T) -> bool + Send + Sync;
/// For each call by name, whether it waits with reason.
type Reasons<T> = Vec<(&'static str, Arc<Check<T>>)>;

/// A system: a new `T` in each execution, and the calls on it.
///
/// `T` is made of the primitives of [`crate::sync`], or of shuttle-dpor's.
pub struct System<T> {
    name: String,
    meaning: String,
    receiver: &'static str,
    created_by: Option<&'static str>,
    make: Arc<Make<T>>,
    operations: Vec<Operation>,
    performs: Arc<Vec<Arc<Perform<T>>>>,
    settings: Vec<Setting>,
    invariants: Arc<Vec<(Invariant, Arc<Check<T>>)>>,
    /// For each call that may wait for ever: whether it waits with reason.
    reasons: Arc<Reasons<T>>,
    linearizable: bool,
    scenarios: String,
    /// For each scenario that was prepared: the answers of its calls without a race;
    /// `None`: there are too many orders to run.
    allowed: Mutex<BTreeMap<String, Option<Arc<Allowed>>>>,
}

/// The receivers and settings of a scenario, for the construction of a system.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    scenario: &'a Scenario,
    settings: &'a [Setting],
}

impl Setup<'_> {
    /// How many receivers the scenario has.
    pub fn receivers(&self) -> usize {
        self.scenario.receivers.len()
    }

    /// Whether a receiver exists from the start: no call creates it.
    pub fn is_there(&self, receiver: usize) -> bool {
        !self.scenario.created.contains(&Receiver(receiver))
    }

    /// The value of a setting.
    ///
    /// # Panics
    /// When the system has no setting of this name.
    pub fn setting(&self, name: &str) -> u64 {
        let known = self.settings.iter().find(|setting| setting.name == name);
        let known = known.unwrap_or_else(|| panic!("the system has no setting `{name}`"));
        self.scenario.setting(name, known.default)
    }
}

/// The arguments of a call.
#[derive(Debug)]
pub struct Args<'a> {
    id: CallId,
    call: &'a Call,
    operation: &'a Operation,
    log: &'a Log,
}

impl Args<'_> {
    fn argument(&self, name: &str) -> Argument {
        let parameters = self.operation.arguments;
        let at = parameters.iter().position(|parameter| parameter.name == name);
        let value = at.and_then(|at| self.call.arguments.get(at));
        *value.unwrap_or_else(|| panic!("`{}` has no parameter `{name}`", self.operation.name))
    }

    /// The value of a parameter.
    ///
    /// # Panics
    /// When the call was declared with no such parameter.
    pub fn int(&self, name: &str) -> u64 {
        match self.argument(name) {
            Argument::Int(value) => value,
            Argument::Receiver(_) => panic!("`{name}` is a receiver"),
        }
    }

    /// The receiver of the call: the first one of the scenario is 0.
    ///
    /// # Panics
    /// When the call was declared without a receiver.
    pub fn receiver(&self) -> usize {
        let receiver = self.call.receiver;
        receiver.unwrap_or_else(|| panic!("`{}` is on no receiver", self.operation.name)).0
    }

    /// The place of this call in the scenario.
    pub fn id(&self) -> CallId {
        self.id
    }

    /// Records news of a call, this one or an earlier one, such as the end of something
    /// that it began. The outcome has the news behind the answer of that call.
    pub fn news(&self, of: CallId, news: impl Display) {
        self.log.news(of, news);
    }
}

impl<T: Send + Sync + 'static> System<T> {
    /// A system with this name; `make` constructs it in each execution.
    pub fn new(name: &str, make: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self::with_setup(name, move |_| make())
    }

    /// Like [`System::new`], but `make` is given the scenario's receivers and settings.
    pub fn with_setup(name: &str, make: impl Fn(&Setup<'_>) -> T + Send + Sync + 'static) -> Self {
        System {
            name: name.to_owned(),
            meaning: String::new(),
            receiver: "receiver",
            created_by: None,
            make: Arc::new(make),
            operations: Vec::new(),
            performs: Arc::default(),
            settings: Vec::new(),
            invariants: Arc::default(),
            reasons: Arc::default(),
            linearizable: false,
            scenarios: String::new(),
            allowed: Mutex::default(),
        }
    }

    /// Describes the system, in a line.
    pub fn about(mut self, meaning: &str) -> Self {
        meaning.clone_into(&mut self.meaning);
        self
    }

    /// `noun` is what a receiver is called: the `a` of `a.send`. The call `created_by`,
    /// if any, creates receivers; it is declared as `noun.call(...)`.
    pub fn receiver(
        mut self,
        noun: &'static str,
        created_by: impl Into<Option<&'static str>>,
    ) -> Self {
        self.receiver = noun;
        self.created_by = created_by.into();
        for operation in &mut self.operations {
            operation.creates = Some(operation.name) == self.created_by;
        }
        self
    }

    /// Declares a call. `perform` returns its answer, which can be anything that
    /// displays; answers that a caller cannot tell apart must display alike.
    ///
    /// The signature is written like a call: `close`, `checkout(n=1)` with a parameter
    /// that may be left out, `put(key)` with one that may not, `queue.push(value)` on a
    /// [receiver](System::receiver).
    ///
    /// # Panics
    /// When the signature is written in another way.
    pub fn call<R: Display>(
        mut self,
        signature: &'static str,
        perform: impl Fn(&T, &Args<'_>) -> R + Send + Sync + 'static,
    ) -> Self {
        let operation = operation(signature);
        let mut operation = operation.unwrap_or_else(|| panic!("not a call: `{signature}`"));
        operation.creates = Some(operation.name) == self.created_by;
        self.operations.push(operation);
        let perform = move |it: &T, args: &Args<'_>| perform(it, args).to_string();
        self.performs_mut().push(Arc::new(perform));
        self
    }

    fn performs_mut(&mut self) -> &mut Vec<Arc<Perform<T>>> {
        Arc::get_mut(&mut self.performs).expect("it is not explored while it is being described")
    }

    /// A call of this name may wait for ever, such as for work. If it has not returned
    /// when no thread can go on, `reason` says whether it waits with reason; if it does
    /// not, that is a deadlock.
    ///
    /// # Panics
    /// When no such call was declared.
    pub fn waits(
        mut self,
        call: &'static str,
        reason: impl Fn(&T) -> bool + Send + Sync + 'static,
    ) -> Self {
        let operation = self.operations.iter_mut().find(|operation| operation.name == call);
        operation.unwrap_or_else(|| panic!("there is no call `{call}`")).waits = true;
        let reasons = Arc::get_mut(&mut self.reasons);
        let reasons = reasons.expect("it is not explored while it is being described");
        reasons.push((call, Arc::new(reason)));
        self
    }

    /// Declares a setting, which scenarios write as `{ name=value }`, and its value
    /// where they do not.
    pub fn setting(mut self, name: &'static str, default: u64, meaning: &'static str) -> Self {
        self.settings.push(Setting { name, default, meaning });
        self
    }

    /// Declares an invariant, which must hold when all calls have returned.
    pub fn invariant(
        mut self,
        name: &'static str,
        meaning: &'static str,
        holds: impl Fn(&T) -> bool + Send + Sync + 'static,
    ) -> Self {
        let invariants = Arc::get_mut(&mut self.invariants);
        let invariants = invariants.expect("it is not explored while it is being described");
        invariants.push((Invariant::new(name, meaning), Arc::new(holds)));
        self
    }

    /// The calls must answer as if they were made one after another, in an order that
    /// respects real time. What they answer then is found by running the system itself,
    /// without a race.
    pub fn linearizable(mut self) -> Self {
        self.linearizable = true;
        self
    }

    /// The scenarios that ship with the system, in the form of [`crate::parse::file`].
    pub fn scenarios(mut self, text: &str) -> Self {
        text.clone_into(&mut self.scenarios);
        self
    }

    /// Runs the command line, and returns the exit status.
    pub fn command(self) -> ExitCode {
        Ask::of(self).command()
    }

    /// Explores all scenarios of the system.
    ///
    /// # Panics
    /// Unless each scenario is complete, holds, and has shown every outcome that it
    /// requires. The message has the tables, the orderings that violate an invariant,
    /// and the commands that show these orderings again.
    #[track_caller]
    pub fn holds(self) {
        Ask::of(self).holds(&[]);
    }

    /// Explores these scenarios of the system, by name or written out.
    ///
    /// # Panics
    /// See [`System::holds`].
    #[track_caller]
    pub fn holds_in(self, scenarios: &[&str]) {
        Ask::of(self).holds(scenarios);
    }

    /// The answers of the calls without a race, in each order; `None`: there are too
    /// many orders.
    fn alone(&self, scenario: &Arc<Scenario>) -> Option<Allowed> {
        let mut allowed = Allowed::default();
        for order in orders(scenario)? {
            let (make, performs) = (Arc::clone(&self.make), Arc::clone(&self.performs));
            let (operations, settings) = (self.operations.clone(), self.settings.clone());
            let scenario = Arc::clone(scenario);
            let answered = engine::alone(move || {
                let setup = Setup { scenario: &scenario, settings: &settings };
                let (it, log) = (make(&setup), Log::default());
                for id in &order {
                    let call = scenario.call(*id).expect("it is one of the calls");
                    log.begin(*id);
                    let answer = perform(&it, &operations, &performs, *id, call, &log);
                    log.end(*id, answer);
                }
                History::of(&scenario, &log)
            });
            if let Some(history) = answered.flatten() {
                allowed.add(history);
            }
        }
        Some(allowed)
    }
}

fn perform<T>(
    it: &T,
    operations: &[Operation],
    performs: &[Arc<Perform<T>>],
    id: CallId,
    call: &Call,
    log: &Log,
) -> String {
    let at = operations.iter().position(|known| known.name == call.operation);
    let at = at.expect("the scenario was read against these operations");
    performs[at](it, &Args { id, call, operation: &operations[at], log })
}

/// `name`, `name(n=1, key)`, `noun.name`.
fn operation(signature: &'static str) -> Option<Operation> {
    let (head, parameters) = match signature.split_once('(') {
        Some((head, rest)) => (head, rest.trim().strip_suffix(')')?),
        None => (signature, ""),
    };
    let (on_receiver, name) = match head.trim().split_once('.') {
        Some((_, name)) => (true, name.trim()),
        None => (false, head.trim()),
    };
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if !is_name(name) {
        return None;
    }
    let parameter = |written: &'static str| {
        let (name, default) = match written.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim().parse().ok()?)),
            None => (written.trim(), None),
        };
        is_name(name).then_some(Parameter { name, default, receiver: false })
    };
    let written = parameters.split(',').filter(|written| !written.trim().is_empty());
    let parameters: Vec<Parameter> = written.map(parameter).collect::<Option<_>>()?;
    // Only the last arguments of a call can be left out.
    if !parameters.is_sorted_by_key(|parameter| parameter.default.is_some()) {
        return None;
    }
    // Leaked: there are few signatures, and they live as long as the program.
    let arguments = Box::leak(parameters.into_boxed_slice());
    Some(Operation { on_receiver, arguments, ..Operation::plain(name, "") })
}

impl<T: Send + Sync + 'static> Model for System<T> {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn meaning(&self) -> String {
        self.meaning.clone()
    }

    fn receiver(&self) -> &str {
        self.receiver
    }

    fn operations(&self) -> &[Operation] {
        &self.operations
    }

    fn settings(&self) -> &[Setting] {
        &self.settings
    }

    fn scenarios(&self) -> &str {
        &self.scenarios
    }

    fn invariants(&self) -> Vec<Invariant> {
        let own = self.invariants.iter().map(|(invariant, _)| *invariant);
        own.chain(self.linearizable.then_some(LINEARIZABLE)).collect()
    }

    fn universe(&self, threads: usize, calls: usize) -> Option<Universe> {
        Some(generate::of_operations(&self.operations, threads, calls))
    }

    fn prepare(&self, scenario: &Arc<Scenario>) -> Result<(), Box<dyn Error + Send + Sync>> {
        if !self.linearizable {
            return Ok(());
        }
        let known = lock(&self.allowed).get(&scenario.text).cloned();
        let allowed = known.unwrap_or_else(|| self.alone(scenario).map(Arc::new));
        lock(&self.allowed).insert(scenario.text.clone(), allowed.clone());
        match allowed {
            Some(_) => Ok(()),
            None => Err(Box::new(TooManyOrders)),
        }
    }

    fn build(&self, scenario: &Arc<Scenario>, _: &Arc<Log>) -> Arc<dyn Instance> {
        Arc::new(Running {
            it: (self.make)(&Setup { scenario, settings: &self.settings }),
            operations: self.operations.clone(),
            performs: Arc::clone(&self.performs),
            invariants: Arc::clone(&self.invariants),
            reasons: Arc::clone(&self.reasons),
            scenario: Arc::clone(scenario),
            allowed: lock(&self.allowed).get(&scenario.text).cloned().flatten(),
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A system in one execution.
struct Running<T> {
    it: T,
    operations: Vec<Operation>,
    performs: Arc<Vec<Arc<Perform<T>>>>,
    invariants: Arc<Vec<(Invariant, Arc<Check<T>>)>>,
    reasons: Arc<Reasons<T>>,
    scenario: Arc<Scenario>,
    allowed: Option<Arc<Allowed>>,
}

impl<T: Send + Sync + 'static> Instance for Running<T> {
    fn perform(&self, id: CallId, call: &Call, log: &Log) -> String {
        perform(&self.it, &self.operations, &self.performs, id, call, log)
    }

    fn finish(self: Arc<Self>, log: &Log) {
        for call in log.waiting().iter().filter_map(|id| self.scenario.call(*id)) {
            let mut reasons = self.reasons.iter().filter(|(name, _)| *name == call.operation);
            if !reasons.all(|(_, holds)| holds(&self.it)) {
                log.violated(NO_DEADLOCK, format!("{call} waits for ever, and has no reason to"));
            }
        }
        for (invariant, holds) in self.invariants.iter() {
            if !holds(&self.it) {
                log.violated(*invariant, invariant.meaning());
            }
        }
        let history = History::of(&self.scenario, log);
        if let (Some(allowed), Some(history)) = (&self.allowed, history) {
            if let Err(why) = allowed.check(&history) {
                log.violated(LINEARIZABLE, why);
            }
        }
    }
}

impl<T> Debug for System<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("System").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::operation;

    #[test]
    fn calls_are_declared_as_they_are_written() {
        let usage = |signature| operation(signature).map(|operation| operation.usage("queue"));
        assert_eq!(usage("close").as_deref(), Some("close"));
        assert_eq!(usage("checkout(n=1)").as_deref(), Some("checkout([n])"));
        assert_eq!(usage("queue.push(key, n=2)").as_deref(), Some("queue.push(key, [n])"));
        assert_eq!(operation("checkout(n=7)").unwrap().arguments[0].default, Some(7));
        for bad in ["", "a b", "a(", "a(n=x)", "1a", "a(1)", "a(n=)", "a(n=1, key)"] {
            assert_eq!(usage(bad), None, "{bad}");
        }
    }
}
