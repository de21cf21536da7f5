//! What is explored here: the core and kv_engine's protocols as systems, their
//! scenarios, and the core's sequential specification.

pub(crate) mod answers;
pub mod history;
pub mod invariant;
pub mod spec;
pub mod sync;
pub mod systems;
pub mod universe;

pub use invariant::Invariant;
pub(crate) use orderings::{log, system};

/// Scenarios, whose receivers are connections here.
pub(crate) mod scenario {
    pub(crate) use orderings::scenario::*;
    pub(crate) use orderings::Receiver as Conn;
}

pub use orderings::{Call, CallId, Log, Outcome, Scenario};
