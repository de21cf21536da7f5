//! A cell that is written once.

use super::Once;
use std::fmt;
use std::panic::RefUnwindSafe;

/// A cell that can be written once, with the interface of [`std::sync::OnceLock`].
///
/// It is a [`Once`] and a value: two that initialise it race, and those that find it initialised are
/// ordered with each other, too, unless they only [`get`](Self::get).
pub struct OnceLock<T> {
    once: Once,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    /// An empty cell. Not `const`: see [`statics!`](crate::statics!).
    #[track_caller]
    pub fn new() -> Self {
        OnceLock { once: Once::new(), value: std::sync::OnceLock::new() }
    }

    /// The value, if there is one by now.
    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        if self.once.is_completed() {
            self.value.get()
        } else {
            None
        }
    }

    /// Blocks until there is a value.
    #[track_caller]
    pub fn wait(&self) -> &T {
        self.once.wait_force();
        self.value.get().expect("the closure has run to its end")
    }

    /// The value, which nobody else can reach.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// Writes the value, or gives it back if there is one; waits while another thread makes one.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.once.call_once_force(|_| {
            if let Some(value) = value.take() {
                let _ = self.value.set(value);
            }
        });
        value.map_or(Ok(()), Err)
    }

    /// The value, which `f` makes if there is none; waits while another thread makes one. If `f`
    /// panics, the next to call makes it.
    #[track_caller]
    pub fn get_or_init(&self, f: impl FnOnce() -> T) -> &T {
        self.once.call_once_force(|_| {
            let _ = self.value.set(f());
        });
        self.value.get().expect("the closure has run to its end")
    }

    /// Like [`get_or_init`](Self::get_or_init), but a closure that has panicked is the last: those
    /// who come later panic, too.
    #[track_caller]
    pub(super) fn get_or_init_once(&self, f: impl FnOnce() -> T) -> &T {
        self.once.call_once(|| {
            let _ = self.value.set(f());
        });
        self.value.get().expect("the closure has run to its end")
    }

    /// Returns the value.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Takes the value out and leaves an empty cell.
    #[track_caller]
    pub fn take(&mut self) -> Option<T> {
        let empty = OnceLock::new();
        std::mem::replace(self, empty).into_inner()
    }
}

impl<T> Default for OnceLock<T> {
    #[track_caller]
    fn default() -> Self {
        OnceLock::new()
    }
}

impl<T> From<T> for OnceLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        let cell = OnceLock::new();
        let _ = cell.set(value);
        cell
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnceLock").field(&self.value.get()).finish()
    }
}

impl<T: RefUnwindSafe> RefUnwindSafe for OnceLock<T> {}
