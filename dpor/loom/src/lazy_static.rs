//! What [`lazy_static!`](crate::lazy_static!) makes.

use crate::execution::{GONE, with};
pub use crate::thread::AccessError;
use shuttle_dpor::sync::atomic::Ordering::{AcqRel, Acquire};
use std::fmt;

/// A static of an execution.
pub struct Lazy<T> {
    init: fn() -> T,
}

impl<T: 'static> Lazy<T> {
    #[doc(hidden)]
    pub const fn new(init: fn() -> T) -> Self {
        Lazy { init }
    }

    /// The value, which is made if there is none. It lives as long as the execution.
    ///
    /// # Panics
    ///
    /// If the model's closure has returned: in a process of its own the statics would be gone.
    #[track_caller]
    pub fn get(&'static self) -> &'static T {
        let statics = with(|e| e.statics.clone());
        assert!(
            statics.load(Acquire) < GONE,
            "a lazy static is used after the model's closure has returned"
        );
        if let Some(value) = self.find() {
            return value;
        }
        // Others may run meanwhile, and make the value, too: theirs is taken then.
        let value = Box::new((self.init)());
        statics.fetch_add(1, AcqRel);
        if let Some(other) = self.find() {
            return other;
        }
        with(|e| e.lazies.push((self.key(), value)));
        self.find().expect("it has just been put there")
    }

    fn key(&'static self) -> usize {
        self as *const Self as usize
    }

    fn find(&'static self) -> Option<&'static T> {
        with(|e| {
            let (_, value) = e.lazies.iter().find(|(key, _)| *key == self.key())?;
            let value: *const T = value.downcast_ref::<T>().expect("a static has one type");
            // SAFETY: the value is in a box of its own, which is dropped when the closure has
            // returned and all threads have been joined; nobody gets a reference after that. That
            // nobody keeps one for longer is loom's contract: the type says `'static`, as
            // lazy_static's does, and an execution is a whole process to what it runs.
            Some(unsafe { &*value })
        })
    }
}

impl<T: 'static> fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lazy").finish_non_exhaustive()
    }
}
