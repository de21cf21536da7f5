//! Synchronisation primitives with the interface of [`std::sync`].
//!
//! Each operation is announced before it is performed, so the explorer knows what every thread is
//! about to do. The values live in std's own types: when the model says that a lock is acquired,
//! std's is free.

pub mod arc;
pub mod atomic;
mod barrier;
mod condvar;
pub mod counted;
mod lazy_lock;
pub mod mpsc;
mod mutex;
mod once;
mod once_lock;
mod rwlock;

pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use lazy_lock::LazyLock;
pub use mutex::{Mutex, MutexGuard};
pub use once::{Once, OnceState};
pub use once_lock::OnceLock;
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

/// A counted reference, with the interface of [`std::sync::Arc`]. What is done with it is no operation
/// unless [`Explorer::reference_counts`](crate::Explorer::reference_counts) asks for that.
pub type Arc<T> = arc::Arc<T, false>;

/// A reference that keeps nothing alive, with the interface of [`std::sync::Weak`].
pub type Weak<T> = arc::Weak<T, false>;

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a lock is poisoned, kept apart from std's: threads of an execution share an OS thread,
/// and so std's idea of who is panicking.
#[derive(Debug, Default)]
struct Poison(AtomicBool);

impl Poison {
    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, to: bool) {
        self.0.store(to, Ordering::Relaxed);
    }

    fn wrap<G>(&self, guard: G) -> LockResult<G> {
        if self.get() {
            Err(PoisonError::new(guard))
        } else {
            Ok(guard)
        }
    }
}
