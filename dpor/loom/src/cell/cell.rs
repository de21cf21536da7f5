//! A cell whose value is moved in and out.

use super::UnsafeCell;
use std::cmp::Ordering;

/// As [`std::cell::Cell`], with checked accesses.
///
/// ```
/// loom::model(|| {
///     let cell = loom::cell::Cell::new(1);
///     assert_eq!(cell.replace(2) + cell.get(), 3);
/// });
/// ```
#[derive(Debug)]
pub struct Cell<T> {
    value: UnsafeCell<T>,
}

impl<T> Cell<T> {
    /// A cell with a value.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Cell { value: UnsafeCell::new(value) }
    }

    /// Writes a value.
    #[track_caller]
    pub fn set(&self, value: T) {
        drop(self.replace(value));
    }

    /// Exchanges the values of two cells.
    #[track_caller]
    pub fn swap(&self, other: &Self) {
        if !std::ptr::eq(self, other) {
            self.value.with_mut(|a| {
                other.value.with_mut(|b| {
                    // SAFETY: two cells' values, in spans in which nobody else accesses them.
                    unsafe { std::ptr::swap(a, b) }
                })
            });
        }
    }

    /// Writes a value and returns the previous one.
    #[track_caller]
    pub fn replace(&self, value: T) -> T {
        // SAFETY: nobody else accesses the value in this span, and no reference to it gets out.
        self.value.with_mut(|old| unsafe { std::mem::replace(&mut *old, value) })
    }

    /// Reads the value.
    #[track_caller]
    pub fn get(&self) -> T
    where
        T: Copy,
    {
        // SAFETY: nobody writes the value in this span.
        self.value.with(|value| unsafe { *value })
    }

    /// Takes the value and leaves the default.
    #[track_caller]
    pub fn take(&self) -> T
    where
        T: Default,
    {
        self.replace(T::default())
    }

    /// Returns the value.
    #[track_caller]
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: Default> Default for Cell<T> {
    #[track_caller]
    fn default() -> Self {
        Cell::new(T::default())
    }
}

impl<T: Copy> Clone for Cell<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Cell::new(self.get())
    }
}

impl<T> From<T> for Cell<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Cell::new(value)
    }
}

impl<T: PartialEq + Copy> PartialEq for Cell<T> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq + Copy> Eq for Cell<T> {}

impl<T: PartialOrd + Copy> PartialOrd for Cell<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.get().partial_cmp(&other.get())
    }
}

impl<T: Ord + Copy> Ord for Cell<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.get().cmp(&other.get())
    }
}
