//! Every ordering of calls that race, on a system of one's own: a language for
//! scenarios, the outcomes in a table, and for each the ordering that leads to it.
//!
//! [`System`] is where to begin: it says what the calls of a system do and what must
//! hold, and is a command line and a test.
//!
//! # From a question to an answer
//!
//! 1. A line of text becomes a [`Scenario`], resolved against the operations of a
//!    [`Model`] ([`parse`]).
//! 2. An [`engine`] runs it again and again, each time in another ordering. One run is
//!    [`harness::execute`]: it builds an [`Instance`], makes the calls on threads of the
//!    engine's, writes what they answer to a [`Log`], and has the instance check itself.
//! 3. What the runs have shown is a [`Report`], judged by what the scenario requires,
//!    forbids and expects. Every format prints it ([`render`]), and JSON is it, field by
//!    field.
//!
//! | module | owns |
//! |---|---|
//! | [`scenario`], [`parse`] | the language |
//! | [`system`], [`builder`] | what can be explored: by a trait, or said in a few lines |
//! | [`harness`], [`log`] | one execution, and what it showed |
//! | [`engine`], [`sync`] | the engines, and their primitives |
//! | [`linear`] | whether an order of the calls explains what they answered |
//! | [`generate`], [`sweep`] | every small scenario, and what many scenarios came to |
//! | [`report`], [`render`] | what was found, and how it is told |
//! | [`command`], [`suite`] | the command line over one system or several |
//!
//! # What is proved
//!
//! COMPLETE: every ordering of the scenario was explored, under sequential consistency
//! (loom's engine: up to its reduction, and with weak memory), and every invariant holds
//! in each. INCOMPLETE: a limit was hit, and that is never success. Whatever two threads
//! share must be one of the primitives of [`sync`]; an explorer cannot order what it does
//! not see.
//!
//! # Locks
//!
//! Three, all std's, none held across a call to anybody else: that of a [`Log`], which
//! every thread of an execution writes to; that of what a [`System`] answers run alone,
//! which is filled before a scenario is explored and read when an execution begins; and
//! that of the line of progress. A [`sweep`](sweep::sweep) has two more of its own, for
//! the scenarios left and for the sum.

pub mod builder;
pub mod command;
pub mod engine;
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
