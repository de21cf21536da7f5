//! The engine's primitives, for what is modelled here: std's types by default,
//! loom's under `--cfg loom`, shuttle's under `--cfg shuttle`.
//!
//! Whatever two threads of a scenario share must be one of these, or must not
//! change what anybody observes before the threads are joined: an explorer
//! cannot order accesses that it does not see.

#[cfg(all(loom, shuttle))]
compile_error!("choose one engine: --cfg loom or --cfg shuttle, not both");

#[cfg(loom)]
pub use loom::{sync::atomic, sync::Condvar, sync::Mutex, sync::MutexGuard, sync::RwLock, thread};
#[cfg(shuttle)]
pub use shuttle_dpor::{
    sync::atomic, sync::Condvar, sync::Mutex, sync::MutexGuard, sync::RwLock, thread,
};
#[cfg(not(any(loom, shuttle)))]
pub use std::{sync::atomic, sync::Condvar, sync::Mutex, sync::MutexGuard, sync::RwLock, thread};

/// Which engine this build was made for.
pub const ENGINE: &str = if cfg!(loom) {
    "loom"
} else if cfg!(shuttle) {
    "shuttle"
} else {
    "std"
};

/// Writes a line into the witness of the present execution, beside the
/// operations of the calling thread. No scheduling point.
pub fn note(line: impl FnOnce() -> String) {
    #[cfg(shuttle)]
    shuttle_dpor::note_with(line);
    #[cfg(not(shuttle))]
    drop(line);
}
