//! A mutex.

use super::{LockResult, Poison, PoisonError, TryLockError, TryLockResult};
use crate::object::State;
use crate::op::{Kind, ObjId, Op};
use crate::rt;
use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;

/// A mutex, with the interface of [`std::sync::Mutex`].
pub struct Mutex<T: ?Sized> {
    id: ObjId,
    poison: Poison,
    value: std::sync::Mutex<T>,
}

impl<T> Mutex<T> {
    /// A free mutex. Not `const`: see [`statics!`](crate::statics!).
    #[track_caller]
    pub fn new(value: T) -> Self {
        Mutex {
            id: rt::create(State::Mutex(None)),
            poison: Poison::default(),
            value: std::sync::Mutex::new(value),
        }
    }

    /// A mutex whose name witnesses show.
    #[track_caller]
    pub fn named(name: impl Into<Cow<'static, str>>, value: T) -> Self {
        let mutex = Mutex::new(value);
        mutex.set_name(name);
        mutex
    }

    /// Returns the value.
    pub fn into_inner(self) -> LockResult<T> {
        let value = self.value.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.poison.wrap(value)
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Sets the name that witnesses show.
    pub fn set_name(&self, name: impl Into<Cow<'static, str>>) {
        rt::set_name(self.id, name.into());
    }

    /// Blocks until the mutex is acquired.
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        self.lock_at(Location::caller())
    }

    pub(super) fn lock_at(&self, at: &'static Location<'static>) -> LockResult<MutexGuard<'_, T>> {
        if rt::perform(Op::new(self.id, Kind::Lock, at)).is_none() {
            return self.lock_given_up(at);
        }
        self.poison.wrap(self.guard(at))
    }

    /// Acquires the mutex if it is free. Both results are explored.
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let at = Location::caller();
        match rt::perform(Op::new(self.id, Kind::TryLock, at)) {
            Some(0) => Err(TryLockError::WouldBlock),
            Some(_) => Ok(self.poison.wrap(self.guard(at))?),
            None => Ok(self.lock_given_up(at)?),
        }
    }

    /// A destructor wants the lock while the threads of an execution that has been given up unwind.
    fn lock_given_up(&self, at: &'static Location<'static>) -> LockResult<MutexGuard<'_, T>> {
        loop {
            match self.value.try_lock() {
                Err(TryLockError::WouldBlock) => rt::stuck(),
                Ok(value) => return Ok(self.wrap(value, at)),
                Err(TryLockError::Poisoned(e)) => return Ok(self.wrap(e.into_inner(), at)),
            }
        }
    }

    fn guard(&self, at: &'static Location<'static>) -> MutexGuard<'_, T> {
        match self.value.try_lock() {
            Ok(value) => self.wrap(value, at),
            Err(TryLockError::Poisoned(e)) => self.wrap(e.into_inner(), at),
            Err(TryLockError::WouldBlock) => unreachable!("the model says that the mutex is free"),
        }
    }

    fn wrap<'a>(
        &'a self,
        value: std::sync::MutexGuard<'a, T>,
        at: &'static Location<'static>,
    ) -> MutexGuard<'a, T> {
        MutexGuard { mutex: self, panicking: crate::thread::panicking(), changed: false, value, at }
    }

    /// Whether a thread has panicked while it held the mutex.
    #[track_caller]
    pub fn is_poisoned(&self) -> bool {
        rt::perform(Op::new(self.id, Kind::Look, Location::caller()));
        self.poison.get()
    }

    /// Makes the mutex unpoisoned.
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

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Mutex::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex").field("value", &&self.value).finish()
    }
}

/// Access to a mutex's value; releases the mutex when dropped.
#[must_use = "if unused the mutex is released at once"]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    panicking: bool,
    /// Whether the value may have been changed.
    changed: bool,
    // Dropped after `drop` has run, in which the model is told: nobody else runs in between.
    value: std::sync::MutexGuard<'a, T>,
    at: &'static Location<'static>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    pub(super) fn mutex(&self) -> &'a Mutex<T> {
        self.mutex
    }

    /// Whether a condition of who waits holds. Only one that does not is taken to have changed the value:
    /// a loop around a timed wait would never be awaited if each look were a change.
    pub(super) fn holds(&mut self, condition: &mut impl FnMut(&mut T) -> bool) -> bool {
        let holds = condition(&mut self.value);
        self.changed |= !holds;
        holds
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        let changed = self.changed || crate::thread::panicking();
        let op = Op::new(self.mutex.id, Kind::Unlock, self.at).with_arg(changed as u64);
        rt::release(op, || {
            if !self.panicking && crate::thread::panicking() {
                self.mutex.poison.set(true);
            }
        });
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.changed = true;
        &mut self.value
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
