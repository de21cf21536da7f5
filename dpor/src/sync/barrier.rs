//! A barrier.

use crate::object::State;
use crate::op::{Kind, ObjId, Op};
use crate::rt::{self, Status};
use std::borrow::Cow;
use std::fmt;
use std::panic::Location;

/// A barrier, with the interface of [`std::sync::Barrier`].
pub struct Barrier {
    id: ObjId,
}

/// Whether this thread was the last to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// Whether this thread was the last to come.
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl Barrier {
    /// A barrier for `parties` threads.
    #[track_caller]
    pub fn new(parties: usize) -> Self {
        Barrier { id: rt::create(State::Barrier { parties, arrived: 0, generation: 0 }) }
    }

    /// Sets the name that witnesses show.
    pub fn set_name(&self, name: impl Into<Cow<'static, str>>) {
        rt::set_name(self.id, name.into());
    }

    /// Blocks until all threads have come.
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        let generation = rt::announced(Op::new(self.id, Kind::Arrive, Location::caller()), |rt| {
            match rt.objects[self.id as usize].state {
                State::Barrier { generation, .. } => generation,
                _ => unreachable!("a barrier has a barrier's state"),
            }
        });
        match generation {
            Some((_, 1)) => BarrierWaitResult(true),
            Some((generation, _)) => {
                rt::wait(Status::Gathering(self.id, generation));
                BarrierWaitResult(false)
            }
            None => rt::stuck_for_good(),
        }
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").finish_non_exhaustive()
    }
}
