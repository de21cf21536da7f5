//! A value that is made when it is first asked for.

use super::OnceLock;
use std::fmt;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

/// A value that is made when it is first asked for, with the interface of [`std::sync::LazyLock`].
///
/// Every access is an operation of its [`OnceLock`].
pub struct LazyLock<T, F = fn() -> T> {
    cell: OnceLock<T>,
    make: Mutex<Option<F>>,
}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// A value that `f` will make. Not `const`: see [`statics!`](crate::statics!).
    #[track_caller]
    pub fn new(f: F) -> Self {
        LazyLock { cell: OnceLock::new(), make: Mutex::new(Some(f)) }
    }

    /// The value, which is made if it has not been; waits while another thread makes it.
    ///
    /// # Panics
    ///
    /// If the closure panics, or has panicked.
    #[track_caller]
    pub fn force(this: &Self) -> &T {
        this.cell.get_or_init_once(|| {
            let make = this.make.lock().unwrap_or_else(PoisonError::into_inner).take();
            make.expect("a closure that panics poisons the cell")()
        })
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[track_caller]
    fn deref(&self) -> &T {
        LazyLock::force(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    #[track_caller]
    fn default() -> Self {
        LazyLock::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LazyLock").field(&self.cell).finish()
    }
}
