//! Every ordering of calls that race, on a system of one's own: a language for
//! scenarios, the outcomes in a table, and for each the ordering that leads to it.
//!
//! Begin with [`System`]: it declares the calls of a system and what must hold, and
//! becomes a command line or a test.
//!
//! # From a question to an answer
//!
//! 1. A line of text becomes a [`Scenario`], resolved against the operations of a
//!    [`Model`] ([`parse`]).
//! 2. An [`engine`] runs the scenario again and again, each time in another ordering.
//!    One run is [`harness::execute`]: it builds an [`Instance`], makes the calls on
//!    threads of the engine, records their answers in a [`Log`], and has the instance
//!    check its invariants.
//! 3. The results are a [`Report`], judged by what the scenario requires, forbids and
//!    expects. Every format prints the report ([`render`]), and JSON has its fields.
//!
//! | module | owns |
//! |---|---|
//! | [`scenario`], [`parse`] | the language |
//! | [`system`], [`builder`] | systems: as a trait, and declared in a few lines |
//! | [`harness`], [`log`] | one execution, and the record of it |
//! | [`engine`], [`sync`] | the engines, and their primitives |
//! | [`linear`] | whether an order of the calls explains their answers |
//! | [`generate`], [`sweep`] | every small scenario, and the sum over many scenarios |
//! | [`report`], [`render`] | the results of an exploration, and their formats |
//! | [`command`], [`suite`] | the command line over one system or several |
//!
//! # What is proved
//!
//! COMPLETE: every ordering of the scenario was explored, under sequential consistency
//! (loom's engine: up to its reduction, and with weak memory), and every invariant holds
//! in each. INCOMPLETE: a limit was hit, which is never success. Whatever two threads
//! share must be one of the primitives of [`sync`]: an explorer does not reorder accesses
//! that it does not see.
//!
//! # Locks
//!
//! Three, all std's, none held across a call to anybody else: that of a [`Log`], which
//! every thread of an execution writes to; that of the answers of a [`System`] without a
//! race, which are computed before a scenario is explored and read when an execution
//! begins; and that of the line of progress. A [`sweep`](sweep::sweep) has two more, for
//! the scenarios left and for the sum.

pub mod builder;
pub mod command;
pub mod engine;
pub mod example;
pub mod generate;
pub mod harness;
pub mod invariant;
pub mod linear;
pub mod log;
pub mod parse;
pub mod render;
pub mod report;
pub mod scenario;
pub mod suite;
pub mod sweep;
pub mod sync;
pub mod system;

pub use builder::{Args, Setup, System};
pub use invariant::Invariant;
pub use log::{Answer, Log, Outcome};
pub use report::{Report, Verdict};
pub use scenario::{Argument, Call, CallId, Clause, Pattern, Receiver, Scenario};
pub use suite::{Page, Suite};
pub use system::{Instance, Model, Operation, Parameter, Setting};
