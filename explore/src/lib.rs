//! Every ordering of calls that race, on a system of one's own: a language for
//! scenarios, the outcomes in a table, and for each the ordering that leads to
//! it.

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
