//! The engine's primitives, for what is explored: shuttle-dpor's, or loom's
//! under `--cfg loom`.
//!
//! Whatever two threads of a scenario share must be one of these, or must not
//! change what anybody observes before the threads are joined: an explorer
//! cannot order accesses that it does not see.

#[cfg(loom)]
pub use loom::{sync::atomic, sync::Condvar, sync::Mutex, sync::MutexGuard, sync::RwLock, thread};
#[cfg(not(loom))]
pub use shuttle_dpor::{
    cell, sync::atomic, sync::Condvar, sync::Mutex, sync::MutexGuard, sync::RwLock, thread,
};

/// Which engine's primitives these are: `loom` or `dpor`.
pub const ENGINE: &str = if cfg!(loom) { "loom" } else { "dpor" };

/// Writes a line into the witness of the present execution, beside the
/// operations of the calling thread. No scheduling point.
pub fn note(line: impl FnOnce() -> String) {
    #[cfg(not(loom))]
    shuttle_dpor::note_with(line);
    #[cfg(loom)]
    drop(line);
}

/// Names the calling thread in the witness of the present execution.
pub fn name_thread(name: impl FnOnce() -> String) {
    #[cfg(not(loom))]
    shuttle_dpor::name_thread(name());
    #[cfg(loom)]
    drop(name);
}
