//! A readers-writer lock.

use super::{LockResult, Poison, PoisonError, TryLockError, TryLockResult};
use crate::object::State;
use crate::op::{Kind, ObjId, Op};
use crate::rt;
use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;

/// A readers-writer lock, with the interface of [`std::sync::RwLock`].
///
/// As std leaves it, a reader may go ahead while a writer waits, and it may not: both are explored.
/// So a thread that reads while it reads, beside one that writes, may be a deadlock.
pub struct RwLock<T: ?Sized> {
    id: ObjId,
    poison: Poison,
    value: std::sync::RwLock<T>,
}

impl<T> RwLock<T> {
    /// A free lock. Not `const`: see [`statics!`](crate::statics!).
    #[track_caller]
    pub fn new(value: T) -> Self {
        RwLock {
            id: rt::create(State::RwLock(Default::default())),
            poison: Poison::default(),
            value: std::sync::RwLock::new(value),
        }
    }

    /// A lock whose name witnesses show.
    #[track_caller]
    pub fn named(name: impl Into<Cow<'static, str>>, value: T) -> Self {
        let lock = RwLock::new(value);
        lock.set_name(name);
        lock
    }

    /// Returns the value.
    pub fn into_inner(self) -> LockResult<T> {
        let value = self.value.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.poison.wrap(value)
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Sets the name that witnesses show.
    pub fn set_name(&self, name: impl Into<Cow<'static, str>>) {
        rt::set_name(self.id, name.into());
    }

    /// Blocks until the lock is acquired for reading.
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let at = Location::caller();
        let done = rt::perform(Op::new(self.id, Kind::Read, at));
        self.poison.wrap(self.read_guard(done.is_none(), at))
    }

    /// Acquires the lock for reading if no writer holds it or waits for it. Both results are explored.
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let at = Location::caller();
        match rt::perform(Op::new(self.id, Kind::TryRead, at)) {
            Some(0) => Err(TryLockError::WouldBlock),
            done => Ok(self.poison.wrap(self.read_guard(done.is_none(), at))?),
        }
    }

    /// Blocks until the lock is acquired for writing.
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let at = Location::caller();
        rt::perform(Op::new(self.id, Kind::QueueWrite, at));
        let done = rt::perform(Op::new(self.id, Kind::Write, at));
        self.poison.wrap(self.write_guard(done.is_none(), at))
    }

    /// Acquires the lock for writing if nobody holds it. Both results are explored.
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let at = Location::caller();
        match rt::perform(Op::new(self.id, Kind::TryWrite, at)) {
            Some(0) => Err(TryLockError::WouldBlock),
            done => Ok(self.poison.wrap(self.write_guard(done.is_none(), at))?),
        }
    }

    fn read_guard(&self, given_up: bool, at: &'static Location<'static>) -> RwLockReadGuard<'_, T> {
        let value = loop {
            match self.value.try_read() {
                Ok(value) => break value,
                Err(TryLockError::Poisoned(e)) => break e.into_inner(),
                Err(TryLockError::WouldBlock) => wait_or_fail(given_up),
            }
        };
        RwLockReadGuard { lock: self, value, at }
    }

    fn write_guard(
        &self,
        given_up: bool,
        at: &'static Location<'static>,
    ) -> RwLockWriteGuard<'_, T> {
        let value = loop {
            match self.value.try_write() {
                Ok(value) => break value,
                Err(TryLockError::Poisoned(e)) => break e.into_inner(),
                Err(TryLockError::WouldBlock) => wait_or_fail(given_up),
            }
        };
        RwLockWriteGuard {
            lock: self,
            panicking: crate::thread::panicking(),
            downgraded: false,
            changed: false,
            value,
            at,
        }
    }

    /// Whether a thread has panicked while it held the lock for writing.
    #[track_caller]
    pub fn is_poisoned(&self) -> bool {
        rt::perform(Op::new(self.id, Kind::Look, Location::caller()));
        self.poison.get()
    }

    /// Makes the lock unpoisoned.
    #[track_caller]
    pub fn clear_poison(&self) {
        rt::perform(Op::new(self.id, Kind::Clear, Location::caller()));
        self.poison.set(false);
    }

    /// The value, which nobody else can reach.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let value = self.value.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.poison.wrap(value)
    }
}

/// std's lock is not free: only a destructor in an execution that has been given up may find it so.
fn wait_or_fail(given_up: bool) {
    assert!(given_up, "the model says that the lock is free");
    rt::stuck();
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        RwLock::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        RwLock::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RwLock").field("value", &&self.value).finish()
    }
}

/// Shared access to an `RwLock`'s value; releases the lock when dropped.
#[must_use = "if unused the lock is released at once"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    value: std::sync::RwLockReadGuard<'a, T>,
    at: &'static Location<'static>,
}

/// Exclusive access to an `RwLock`'s value; releases the lock when dropped.
#[must_use = "if unused the lock is released at once"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    panicking: bool,
    /// Whether it has become a reader's: it releases nothing then.
    downgraded: bool,
    /// Whether the value may have been changed.
    changed: bool,
    value: std::sync::RwLockWriteGuard<'a, T>,
    at: &'static Location<'static>,
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Makes shared access of exclusive access, with no writer in between; readers that wait behind no
    /// writer are let in.
    #[track_caller]
    pub fn downgrade(mut this: Self) -> RwLockReadGuard<'a, T> {
        let (lock, at) = (this.lock, Location::caller());
        let done = rt::perform(Op::new(lock.id, Kind::Downgrade, at));
        this.downgraded = true;
        // Nobody runs between the operation and this.
        drop(this);
        lock.read_guard(done.is_none(), at)
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        if !rt::dying() {
            rt::perform(Op::new(self.lock.id, Kind::UnlockRead, self.at));
        }
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        let changed = self.changed || crate::thread::panicking();
        let op = Op::new(self.lock.id, Kind::UnlockWrite, self.at).with_arg(changed as u64);
        if self.downgraded {
            return;
        }
        rt::release(op, || {
            if !self.panicking && crate::thread::panicking() {
                self.lock.poison.set(true);
            }
        });
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.changed = true;
        &mut self.value
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
