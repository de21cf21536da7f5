//! Parts for those who build primitives of their own on the explorer, as the package named `loom` does.
//!
//! A primitive that mirrors std's is in [`sync`](crate::sync); what is here is below that: the
//! operation of a reference count without the count, a permit to go on that is no thread's, and what a thread knows
//! of what others did.

use crate::object::{State, MAY_END};
use crate::op::{Kind, ObjId, Op, Tid};
use crate::rt;
use std::fmt;
use std::panic::Location;

/// Drops what the current thread's thread-locals hold, the latest first, as its end does: for those
/// who look at what is left when the body has returned.
pub fn drop_locals() {
    rt::guest::drop_locals();
}

/// The operations of a reference count that is kept elsewhere.
///
/// Drops are dependent with each other and with looks. To clone a reference is no operation: whoever
/// clones holds one, so no drop elsewhere can be the last.
#[derive(Debug)]
pub struct RefCount {
    id: ObjId,
}

impl RefCount {
    /// The operations of a new count.
    #[allow(clippy::new_without_default)]
    #[track_caller]
    pub fn new() -> Self {
        RefCount { id: rt::create(State::References { dropped: 0 }) }
    }

    /// Drops a reference: `f` counts down and says whether it was the last. It must not perform
    /// operations.
    #[track_caller]
    pub fn drop_ref<R>(&self, f: impl FnOnce() -> (R, bool)) -> R {
        if rt::dying() {
            return f().0;
        }
        let op = Op::new(self.id, Kind::DropRef, Location::caller());
        rt::perform_with(op, || {
            let (result, last) = f();
            (result, 0, last as u64, Kind::DropRef)
        })
    }

    /// Takes the value out if this is the only reference: `f` does, and says whether it was. It must
    /// not perform operations. A reference that is not the only one stays, and hands on nothing.
    #[track_caller]
    pub fn try_unwrap<R>(&self, f: impl FnOnce() -> (R, bool)) -> R {
        if rt::dying() {
            return f().0;
        }
        let op = Op::new(self.id, Kind::TryUnwrap, Location::caller());
        rt::perform_with(op, || {
            let (result, only) = f();
            (result, only as u64, only as u64, Kind::TryUnwrap)
        })
    }

    /// Looks whether this is the only reference: `f` does; who finds that learns what those knew who
    /// dropped theirs. It must not perform operations.
    #[track_caller]
    pub fn unique<R>(&self, f: impl FnOnce() -> (R, bool)) -> R {
        if rt::dying() {
            return f().0;
        }
        let op = Op::new(self.id, Kind::Unique, Location::caller());
        rt::perform_with(op, || {
            let (result, only) = f();
            (result, only as u64, only as u64, Kind::Unique)
        })
    }

    /// Counts the references: `f` returns what it sees, and learns nothing by that. It must not perform
    /// operations.
    #[track_caller]
    pub fn count<R>(&self, f: impl FnOnce() -> (R, u64)) -> R {
        if rt::dying() {
            return f().0;
        }
        let op = Op::new(self.id, Kind::Count, Location::caller());
        rt::perform_with(op, || {
            let (result, seen) = f();
            (result, seen, seen, Kind::Count)
        })
    }
}

/// A permit to go on, which one thread waits for and takes, and others give: what
/// [`park`](crate::thread::park) and `unpark` do, with a permit that belongs to no thread.
///
/// Who gives it hands on what it knows, also if it was there already.
#[derive(Debug)]
pub struct Permit {
    id: ObjId,
}

impl Permit {
    /// A permit that has not been given.
    #[allow(clippy::new_without_default)]
    #[track_caller]
    pub fn new() -> Self {
        Permit { id: rt::create(State::Parker { token: false }) }
    }

    /// Gives the permit.
    #[track_caller]
    pub fn give(&self) {
        rt::perform(Op::new(self.id, Kind::Unpark, Location::caller()));
    }

    /// Blocks until the permit has been given, and takes it. If `spuriously`, it may also return
    /// without it. Returns whether it was taken.
    #[track_caller]
    pub fn take(&self, spuriously: bool) -> bool {
        let arg = if spuriously { MAY_END } else { 0 };
        let op = Op::new(self.id, Kind::Park, Location::caller()).with_arg(arg);
        rt::perform(op).is_none_or(|taken| taken != 0)
    }
}

/// Whether the execution has been given up, at a deadlock or because it is not needed any further: its threads
/// unwind. A destructor that takes a lock may wait for its own thread then, which holds that lock in a
/// frame further out, and the process would have to be aborted: it had better do nothing.
pub fn given_up() -> bool {
    rt::try_with(|rt| rt.ending.is_some()).unwrap_or(false)
}

/// A point in a thread's past, of which others may know by what the program synchronises, orderings
/// of atomics included.
///
/// Two accesses race if neither thread knows of the other's.
#[derive(Clone, Copy)]
pub struct Moment {
    tid: Tid,
    number: u32,
    at: &'static Location<'static>,
}

impl Moment {
    /// Now. `None` where there is no execution, or one that has been given up.
    #[track_caller]
    pub fn now() -> Option<Moment> {
        let at = Location::caller();
        if rt::dying() {
            return None;
        }
        rt::with(|rt| {
            rt.tracking = true;
            let tid = rt.current;
            let number = rt.thread(tid).known.tick(tid);
            Some(Moment { tid, number, at })
        })
    }

    /// Whether both are of one thread.
    pub fn is_of_same_thread(&self, other: &Moment) -> bool {
        self.tid == other.tid
    }

    /// Whether the current thread knows of it: it is this thread's own, or happens before now.
    pub fn is_known(&self) -> bool {
        rt::dying()
            || rt::with(|rt| {
                let me = rt.current;
                let now = &rt.thread(me).known.now;
                me == self.tid || now.get(self.tid as usize).is_some_and(|&n| n >= self.number)
            })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = rt::try_with(|rt| rt.thread_name(self.tid)).unwrap_or_default();
        write!(f, "{name} at {}:{}", self.at.file(), self.at.line())
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether there is an execution that has not been given up: what is shared may be touched.
pub fn is_running() -> bool {
    !rt::dying()
}
