//! `linearizable`: is there an order of the calls that explains their answers and
//! respects real time?
//!
//! - [`history`]: the answers of one execution, and their real time
//! - `said`: the same as bytes, which are soon compared
//! - `search`: the search for an order of the steps of a [`Specification`]
//! - [`alone`]: the implementation itself as the specification, where each call is
//!   one step
//!
//! Which call returned before which is read off the execution. An engine that reduces
//! explores one execution of those that differ only in the order of independent
//! operations, so *real time* is the real time of the execution that stands for
//! its equivalence class: each alarm is a true one, and a constraint that only
//! another member of the class has is not checked.

pub mod alone;
pub mod history;
mod said;
mod search;
mod unexplained;

pub use history::{History, Rested};
pub use search::Checker;
pub use unexplained::{Stuck, Unexplained};

use crate::scenario::{Call, CallId, Scenario};
use std::borrow::Cow;
use std::fmt::Debug;

/// A sequential specification: what the calls of a system do, in atomic steps, without
/// locks and threads.
pub trait Specification {
    /// The state of the system.
    type World: Clone + Ord + Debug;
    /// What a call has done so far.
    type Progress: Clone + Ord + Debug;

    /// The scenario whose calls are specified.
    fn scenario(&self) -> &Scenario;
    /// The state before the first call.
    fn start(&self) -> Self::World;
    /// The progress of a call without a step.
    fn called(&self) -> Self::Progress;
    /// Takes the next step of a call.
    fn advance(
        &self,
        world: &mut Self::World,
        id: CallId,
        call: &Call,
        progress: Self::Progress,
    ) -> Did<Self::Progress>;
    /// The news of calls in this state, sorted; see
    /// [`Log::news`](crate::Log::news).
    fn news(&self, _world: &Self::World) -> Vec<(CallId, String)> {
        Vec::new()
    }
}

/// What one step did.
#[derive(Debug)]
pub enum Did<P> {
    /// The call goes on.
    Part(P),
    /// The call has returned.
    Answered(Answer),
    /// Nothing: the step cannot be taken in this state.
    Waits,
}

/// The answer of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The answer, in the words of the outcomes.
    pub text: Cow<'static, str>,
    /// The call that the answer is about; see [`Log::concerns`](crate::Log::concerns).
    pub subject: Option<CallId>,
}

impl From<&'static str> for Answer {
    fn from(text: &'static str) -> Self {
        Answer { text: text.into(), subject: None }
    }
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Answer { text: text.into(), subject: None }
    }
}
