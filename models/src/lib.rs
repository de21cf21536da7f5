//! What is explored: scenarios, the systems they run on, and what is checked.

pub mod engine;
pub mod generate;
pub mod harness;
pub mod invariant;
pub mod log;
pub mod parse;
pub mod render;
pub mod report;
pub mod scenario;
pub mod spec;
pub mod sweep;
pub mod sync;
pub mod system;
pub mod systems;
pub mod tool;

pub use invariant::Invariant;
pub use log::{Log, Outcome};
pub use report::{Report, Verdict};
pub use scenario::{Call, CallId, Clause, Conn, Pattern, Scenario};
pub use system::{Instance, Operation, Parameter, Setting, System};
