//! What is explored: scenarios, the systems they run on, and what is checked.

pub mod engine;
pub mod harness;
pub mod invariant;
pub mod log;
pub mod parse;
pub mod report;
pub mod scenario;
pub mod spec;
pub mod sync;
pub mod system;
pub mod systems;

pub use invariant::Invariant;
pub use log::{Log, Outcome};
pub use report::{Report, Verdict};
pub use scenario::{Call, CallId, Conn, Pattern, Scenario};
pub use system::{Instance, Operation, Parameter, Setting, System};
