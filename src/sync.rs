//! The only module that names an engine: std's types by default, loom's under
//! `--cfg loom`, shuttle's under `--cfg shuttle`.
//!
//! It owns no lock, but every lock of the crate is one of its types. A [`Mutex`]
//! has a [`Rank`], and in debug builds and under both engines each acquisition
//! checks that the thread holds only locks of lower rank (rule 5). So an
//! inversion is found in the first execution that nests two locks the wrong
//! way round, even where no schedule happens to deadlock.
//!
//! | rank | lock | guards |
//! |---|---|---|
//! | 1 [`Rank::Map`] | `ConnMap` | the connections by id and by name, whether the map is shut down |
//! | 2 [`Rank::Connection`] | `Connection` | all state of one connection: streams, manager, paused |
//! | 3 [`Rank::Index`] | `Index`, a lock for each of 16 shards | the connections with a stream on each vb |
//! | 4 [`Rank::Bucket`] | `Bucket` | the turns of managers, the bucket's slots |
//!
//! A thread may go from a lower rank to a higher one, never back, and never
//! takes two locks of one rank. The last two are leaves, and never nested.
//!
//! `Strong` and `Weak`, the references to a connection, are std's by default
//! and under loom, which therefore does not see an upgrade race with the last
//! drop; under shuttle they are shuttle-dpor's, which counts the references
//! itself, so that each upgrade is explored against each drop. Every other
//! `Arc` is std's under every engine: no decision depends on which thread drops
//! its last reference, because no destructor of the core takes a lock (rule 4),
//! and panics of the host's destructors are contained.

#[cfg(all(loom, shuttle))]
compile_error!("choose one engine: --cfg loom or --cfg shuttle, not both");

#[cfg(loom)]
use loom::{sync as imp, thread, thread_local};
#[cfg(shuttle)]
use shuttle_dpor::{sync as imp, thread, thread_local};
#[cfg(not(any(loom, shuttle)))]
use std::{sync as imp, thread, thread_local};

#[cfg(shuttle)]
pub(crate) use shuttle_dpor::sync::counted::{Arc as Strong, Weak};
#[cfg(not(shuttle))]
pub(crate) use std::sync::{Arc as Strong, Weak};

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;
use std::time::Duration;

/// The place of a lock in the order; see the table above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Rank {
    Map = 1 << 0,
    Connection = 1 << 1,
    Index = 1 << 2,
    Bucket = 1 << 3,
}

const CHECK_RANKS: bool = cfg!(any(debug_assertions, loom, shuttle));

thread_local! {
    /// The ranks of the locks that this thread holds, one bit each.
    // loom's macro does not take a `const` block.
    #[allow(clippy::missing_const_for_thread_local)]
    static HELD: Cell<u8> = Cell::new(0);
}

#[cfg(all(test, not(any(loom, shuttle))))]
thread_local! {
    /// How many locks of each rank this thread has taken, by the rank's bit.
    static TAKEN: Cell<[usize; 4]> = const { Cell::new([0; 4]) };
}

/// How many locks of this rank the thread has taken so far.
#[cfg(all(test, not(any(loom, shuttle))))]
pub(crate) fn taken(rank: Rank) -> usize {
    TAKEN.get()[(rank as u8).trailing_zeros() as usize]
}

impl Rank {
    #[cfg(shuttle)]
    fn name(self) -> &'static str {
        match self {
            Rank::Map => "map",
            Rank::Connection => "connection",
            Rank::Index => "index",
            Rank::Bucket => "bucket",
        }
    }

    fn acquire(self) {
        #[cfg(all(test, not(any(loom, shuttle))))]
        TAKEN.with(|taken| {
            let mut counts = taken.get();
            counts[(self as u8).trailing_zeros() as usize] += 1;
            taken.set(counts);
        });
        if CHECK_RANKS {
            HELD.with(|held| {
                assert!(
                    held.get() < self as u8,
                    "lock order: {self:?} is wanted by a thread that holds ranks {:#06b}",
                    held.get()
                );
                held.set(held.get() | self as u8);
            });
        }
    }

    fn release(self) {
        if CHECK_RANKS {
            // An engine that tears an execution down may have taken the thread-local already.
            let _ = HELD.try_with(|held| held.set(held.get() & !(self as u8)));
        }
    }
}

/// A mutex with a rank. It ignores poisoning: by rule 3 no code of a host runs
/// under a lock of this crate, so a panic under one is a defect of the crate, and a
/// second panic at every later call would only hide the first.
#[derive(Debug)]
pub(crate) struct Mutex<T> {
    rank: Rank,
    inner: imp::Mutex<T>,
}

impl<T> Mutex<T> {
    pub(crate) fn new(rank: Rank, value: T) -> Self {
        let inner = imp::Mutex::new(value);
        // The name in witnesses.
        #[cfg(shuttle)]
        inner.set_name(rank.name());
        Mutex { rank, inner }
    }

    #[track_caller]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.rank.acquire();
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        MutexGuard { inner, rank: Held(self.rank) }
    }
}

/// Releases the rank when dropped. A field of its own, declared after the guard, so
/// that the lock is released first.
#[derive(Debug)]
struct Held(Rank);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.release();
    }
}

#[derive(Debug)]
pub(crate) struct MutexGuard<'a, T> {
    inner: imp::MutexGuard<'a, T>,
    rank: Held,
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

#[derive(Debug)]
pub(crate) struct Condvar(imp::Condvar);

impl Condvar {
    pub(crate) fn new() -> Self {
        Condvar(imp::Condvar::new())
    }

    /// Waits for a notification, for at most `timeout` when there is one.
    /// May wake spuriously: the caller loops.
    #[track_caller]
    pub(crate) fn wait<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Option<Duration>,
    ) -> MutexGuard<'a, T> {
        let MutexGuard { inner, rank } = guard;
        let inner = match timeout {
            None => self.0.wait(inner).unwrap_or_else(PoisonError::into_inner),
            // loom's own never times out: there, the time is over at once.
            #[cfg(loom)]
            Some(_) => inner,
            #[cfg(not(loom))]
            Some(timeout) => {
                self.0.wait_timeout(inner, timeout).unwrap_or_else(PoisonError::into_inner).0
            }
        };
        MutexGuard { inner, rank }
    }

    #[track_caller]
    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    #[track_caller]
    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

pub(crate) use thread::JoinHandle;

/// A function and no re-export: the lint forbids std's by its path.
pub(crate) fn spawn(body: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    thread::spawn(body)
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "lock order: Map is wanted")]
    fn an_inversion_panics_without_any_deadlock() {
        let map = Mutex::new(Rank::Map, ());
        let connection = Mutex::new(Rank::Connection, ());
        let _inner = connection.lock();
        let _outer = map.lock();
    }

    #[test]
    #[should_panic(expected = "lock order: Connection is wanted")]
    fn two_locks_of_one_rank_panic() {
        let (one, two) = (Mutex::new(Rank::Connection, ()), Mutex::new(Rank::Connection, ()));
        let _one = one.lock();
        let _two = two.lock();
    }

    #[test]
    fn a_rank_is_given_back_with_its_lock() {
        let map = Mutex::new(Rank::Map, ());
        let bucket = Mutex::new(Rank::Bucket, ());
        drop(bucket.lock());
        let _map = map.lock();
        let _bucket = bucket.lock();
    }

    #[test]
    fn ascending_ranks_nest() {
        let map = Mutex::new(Rank::Map, ());
        let connection = Mutex::new(Rank::Connection, ());
        let bucket = Mutex::new(Rank::Bucket, ());
        let _map = map.lock();
        for _ in 0..2 {
            let _connection = connection.lock();
            let _bucket = bucket.lock();
        }
    }

    #[test]
    #[should_panic(expected = "lock order: Connection is wanted")]
    fn a_rank_that_was_skipped_is_not_gone_back_to() {
        let map = Mutex::new(Rank::Map, ());
        let connection = Mutex::new(Rank::Connection, ());
        let bucket = Mutex::new(Rank::Bucket, ());
        let _map = map.lock();
        let _bucket = bucket.lock();
        let _connection = connection.lock();
    }

    #[test]
    fn a_panic_gives_its_ranks_back() {
        let bucket = Mutex::new(Rank::Bucket, ());
        let panics = || {
            let _bucket = bucket.lock();
            std::panic::resume_unwind(Box::new(()));
        };
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics));
        assert!(caught.is_err());
        drop(bucket.lock());
    }

    #[test]
    fn a_wait_on_a_condvar_keeps_the_rank_and_releases_the_lock() {
        let bucket = Mutex::new(Rank::Bucket, false);
        let changed = Condvar::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                *bucket.lock() = true;
                changed.notify_all();
            });
            let mut guard = bucket.lock();
            while !*guard {
                guard = changed.wait(guard, Some(Duration::from_secs(20)));
            }
            assert_eq!(HELD.with(Cell::get), Rank::Bucket as u8);
            drop(guard);
            assert_eq!(HELD.with(Cell::get), 0);
        });
    }
}
