//! A cell for data that is shared without synchronisation of its own.

use crate::rt;
use std::fmt;
use std::panic::Location;
use std::sync::{Mutex, PoisonError, TryLockError};

/// A cell that threads access on the strength of other synchronisation, like data behind a raw
/// pointer or an `UnsafeCell`; every access is checked.
///
/// Two accesses of different threads, one of them a write, are a data race unless they are ordered by
/// what the program synchronises, orderings of atomics included. A race is a violation named
/// `no-data-race`, and it is found in every execution in which the accesses are not ordered, however
/// far apart they are. To make a cell is to write it. Accesses are no scheduling points.
pub struct CheckedCell<T> {
    id: usize,
    name: Option<String>,
    value: Mutex<T>,
}

impl<T> CheckedCell<T> {
    /// A cell with a value.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let at = Location::caller();
        CheckedCell { id: rt::with(|rt| rt.create_cell(at)), name: None, value: Mutex::new(value) }
    }

    /// A cell whose name reports show.
    #[track_caller]
    pub fn named(name: impl Into<String>, value: T) -> Self {
        CheckedCell { name: Some(name.into()), ..CheckedCell::new(value) }
    }

    fn access<R>(
        &self,
        writes: bool,
        at: &'static Location<'static>,
        f: impl FnOnce(&mut T) -> R,
    ) -> R {
        if !rt::dying() {
            let name = self.name.as_deref().unwrap_or("a cell");
            rt::with(|rt| rt.access(self.id, name, writes, at));
            rt::guest::complain();
        }
        let mut value = match self.value.try_lock() {
            Ok(value) => value,
            Err(TryLockError::Poisoned(e)) => e.into_inner(),
            Err(TryLockError::WouldBlock) => panic!("a cell is accessed during an access to it"),
        };
        f(&mut value)
    }

    /// Reads the value. `f` must neither access the cell nor perform operations.
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        self.access(false, Location::caller(), |value| f(value))
    }

    /// Writes the value. `f` must neither access the cell nor perform operations.
    #[track_caller]
    pub fn with_mut<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        self.access(true, Location::caller(), f)
    }

    /// Reads the value.
    #[track_caller]
    pub fn get(&self) -> T
    where
        T: Clone,
    {
        self.access(false, Location::caller(), |value| value.clone())
    }

    /// Writes a value.
    #[track_caller]
    pub fn set(&self, value: T) {
        drop(self.replace(value));
    }

    /// Writes a value and returns the previous one.
    #[track_caller]
    pub fn replace(&self, value: T) -> T {
        self.access(true, Location::caller(), |old| std::mem::replace(old, value))
    }

    /// Returns the value, which nobody else can reach.
    pub fn into_inner(self) -> T {
        self.value.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Default> Default for CheckedCell<T> {
    #[track_caller]
    fn default() -> Self {
        CheckedCell::new(T::default())
    }
}

impl<T> fmt::Debug for CheckedCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedCell").finish_non_exhaustive()
    }
}
