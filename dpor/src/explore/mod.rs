//! The exploration: optimal dynamic partial-order reduction.
//!
//! [`node`] holds the exploration tree along the current execution and walks it, [`races`] finds the
//! reversible races of a complete one and the sequences that reverse them, and [`wakeup`] keeps those
//! sequences in order until it is their turn. [`tree`] is what several workers share of it, behind the
//! lock of [`forest`]; [`bounded`] is for a bound on preemptions, [`walk`] for an estimate.

mod bounded;
mod forest;
mod node;
mod races;
mod tree;
mod wakeup;
mod walk;

pub(crate) use bounded::Bounded;
pub(crate) use forest::{Forest, Save};
pub(crate) use node::Search;
pub(crate) use races::Blocked;
pub(crate) use tree::{Child, Node, Place, Root, Tree};
pub(crate) use walk::Walk;

use crate::op::{ObjId, Tid};

/// What there is to choose from.
pub(crate) struct View {
    /// The threads whose operation is enabled, as a set of bits.
    pub(crate) enabled: u64,
    /// Those of them that have not just yielded.
    pub(crate) patient: u64,
    pub(crate) current: Tid,
    /// Those who stand where the exploration halts.
    pub(crate) halting: u64,
}

/// Where executions halt that only tell how an exploration can be divided: see [`crate::split`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// Behind the fixed steps, where more than one thread is about to do something.
    Here,
    /// Each thread where it is about to do anything but a load to this object.
    Before(ObjId),
}

impl View {
    /// The thread to run when any of `candidates` would do: few switches make short witnesses, and
    /// a thread that yielded waits for the others.
    pub(crate) fn preferred(&self, candidates: u64) -> Tid {
        let patient = candidates & self.patient;
        let from = if patient != 0 { patient } else { candidates };
        if patient != 0 && from & (1 << self.current) != 0 {
            return self.current;
        }
        // Among equals the one after the current thread, so that threads that all spin take turns.
        let later = from & !(2u64 << self.current).wrapping_sub(1);
        let pick = if patient == 0 && later != 0 { later } else { from };
        pick.trailing_zeros() as Tid
    }
}

/// The explorer's decision.
pub(crate) enum Choice {
    Run(Tid),
    /// Every enabled thread is asleep.
    Redundant,
    /// What was to be found out about a spinner has been.
    Probed,
    /// Whoever could go on stands where the exploration halts.
    Halted,
    /// The body did not do what it did before.
    Diverged(String),
}
