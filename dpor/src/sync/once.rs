//! One-time initialisation.

use crate::object::{State, MAY_END};
use crate::op::{Kind, ObjId, Op};
use crate::rt;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// One-time initialisation, with the interface of [`std::sync::Once`].
///
/// A call of `call_once` that finds the closure done only looks: such calls commute.
pub struct Once {
    id: ObjId,
    done: AtomicBool,
    poisoned: AtomicBool,
}

/// What a closure that runs although an earlier one panicked is told.
#[derive(Debug)]
pub struct OnceState(bool);

impl OnceState {
    /// Whether an earlier closure panicked.
    pub fn is_poisoned(&self) -> bool {
        self.0
    }
}

/// Tells the model that the closure is over, however it ended.
struct Leave<'a> {
    once: &'a Once,
    done: bool,
    at: &'static Location<'static>,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if !rt::dying() {
            let op = Op::new(self.once.id, Kind::Leave, self.at).with_arg(self.done as u64);
            rt::perform(op);
            self.once.done.store(self.done, Relaxed);
            self.once.poisoned.store(!self.done, Relaxed);
        }
    }
}

impl Once {
    /// One that has not run. Not `const`: see [`statics!`](crate::statics!).
    #[track_caller]
    pub fn new() -> Self {
        Once {
            id: rt::create(State::Once(Default::default())),
            done: AtomicBool::new(false),
            poisoned: AtomicBool::new(false),
        }
    }

    /// Runs `f` unless a call has done so before; waits while another call does.
    ///
    /// # Panics
    ///
    /// If an earlier closure panicked.
    #[track_caller]
    pub fn call_once(&self, f: impl FnOnce()) {
        let at = Location::caller();
        self.call(at, |state| {
            assert!(!state.is_poisoned(), "Once instance has previously been poisoned");
            f();
        });
    }

    /// Like [`call_once`](Self::call_once), but runs `f` also if an earlier closure panicked.
    #[track_caller]
    pub fn call_once_force(&self, f: impl FnOnce(&OnceState)) {
        self.call(Location::caller(), f);
    }

    fn call(&self, at: &'static Location<'static>, f: impl FnOnce(&OnceState)) {
        match rt::perform(Op::new(self.id, Kind::Enter, at)) {
            Some(0) => {}
            Some(_) => {
                let mut leave = Leave { once: self, done: false, at };
                f(&OnceState(self.poisoned.load(Relaxed)));
                leave.done = true;
            }
            None => rt::stuck_for_good(),
        }
    }

    /// Blocks until a closure has run to its end.
    ///
    /// # Panics
    ///
    /// If the last closure panicked.
    #[track_caller]
    pub fn wait(&self) {
        let done = self.wait_until_done(MAY_END, Location::caller());
        assert!(done, "Once instance has previously been poisoned");
    }

    /// Like [`wait`](Self::wait), but waits on if the last closure panicked.
    #[track_caller]
    pub fn wait_force(&self) {
        self.wait_until_done(0, Location::caller());
    }

    /// Returns whether a closure has run to its end.
    fn wait_until_done(&self, arg: u64, at: &'static Location<'static>) -> bool {
        match rt::perform(Op::new(self.id, Kind::WaitDone, at).with_arg(arg)) {
            Some(done) => done == 1,
            None => rt::stuck_for_good(),
        }
    }

    /// Whether a closure has run to its end.
    #[track_caller]
    pub fn is_completed(&self) -> bool {
        rt::perform(Op::new(self.id, Kind::Look, Location::caller()));
        self.done.load(Relaxed)
    }
}

impl Default for Once {
    #[track_caller]
    fn default() -> Self {
        Once::new()
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").finish_non_exhaustive()
    }
}
