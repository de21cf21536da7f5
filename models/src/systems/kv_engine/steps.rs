//! Primitives of the model that the engines do not have: a reader/writer lock
//! that prefers waiting writers, and a gate for scenarios that fix an order. And
//! short forms of the engines' primitives.

use crate::sync::{Condvar, Mutex, MutexGuard, RwLock};
use std::sync::PoisonError;

/// Names a primitive in witnesses, where the engine knows names.
macro_rules! named {
    ($primitive:expr, $($name:tt)+) => {{
        #[cfg(not(loom))]
        $primitive.set_name(format!($($name)+));
        #[cfg(loom)]
        let _ = format_args!($($name)+);
    }};
}
pub(super) use named;

/// Ignores poisoning: the engine reports the panic that caused it.
#[track_caller]
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

macro_rules! guard {
    ($acquired:expr) => {
        $acquired.unwrap_or_else(std::sync::PoisonError::into_inner)
    };
}
pub(super) use guard;

/// Whether this thread is being torn down by the engine: modelled destructors
/// do nothing then.
pub(super) fn unwinding() -> bool {
    #[cfg(loom)]
    return std::thread::panicking();
    #[cfg(not(loom))]
    crate::sync::thread::panicking()
}

/// The state lock of a vBucket. A waiting writer keeps later readers out, which
/// MB-35073 needs ("with a writer queued on it, all three wait"): the writer holds
/// `gate` while it waits for `lock`. Readers pass the gate together, and a reader
/// that has passed never waits for `lock`.
pub(super) struct StateLock {
    gate: RwLock<()>,
    lock: RwLock<()>,
}

impl StateLock {
    pub(super) fn new(_name: &str) -> Self {
        let (gate, lock) = (RwLock::new(()), RwLock::new(()));
        named!(gate, "{_name}'s queue");
        named!(lock, "{_name}");
        StateLock { gate, lock }
    }

    #[track_caller]
    pub(super) fn read(&self) -> impl Sized + '_ {
        let _gate = guard!(self.gate.read());
        guard!(self.lock.read())
    }

    #[track_caller]
    pub(super) fn write(&self) -> impl Sized + '_ {
        let gate = guard!(self.gate.write());
        // The lock is released before the gate.
        (guard!(self.lock.write()), gate)
    }
}

/// A gate that is opened once, for scenarios that fix an order of two threads.
pub(super) struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    pub(super) fn new(_name: &str) -> Self {
        let (open, opened) = (Mutex::new(false), Condvar::new());
        named!(open, "{_name}");
        named!(opened, "{_name}");
        Gate { open, opened }
    }

    pub(super) fn open(&self) {
        *lock(&self.open) = true;
        self.opened.notify_all();
    }

    pub(super) fn pass(&self) {
        let mut open = lock(&self.open);
        while !*open {
            open = self.opened.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
