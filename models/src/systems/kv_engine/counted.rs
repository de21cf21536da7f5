//! Shared pointers whose count the explorer sees.
//!
//! No engine looks inside `Arc` and `Weak`: promoting a weak pointer against
//! the last drop would be one step, and who runs a destructor would not be
//! explored. Here the count is behind a mutex of the engine's, a step of its
//! own; the dropper that brings it to zero runs the modelled destructor, on its
//! own thread and under whatever locks it holds, as the original does.
//!
//! std's `Arc` inside only keeps the memory, so that a bare pointer can be
//! followed to what was destroyed.

use super::steps::{lock, named, unwinding};
use crate::sync::Mutex;
use std::ops::Deref;
use std::sync::Arc;

/// What happens at the last drop.
pub(super) trait Destroy {
    /// The body of the destructor, and of those of what it owns.
    fn destroy(&self);
}

struct Inner<T> {
    count: Mutex<usize>,
    value: T,
}

/// An owner.
pub(super) struct Strong<T: Destroy>(Arc<Inner<T>>);

/// Can be promoted while an owner is left.
pub(super) struct Weak<T>(Arc<Inner<T>>);

/// A bare pointer: it can be followed whether or not anything is there.
pub(super) struct Raw<T>(Arc<Inner<T>>);

impl<T: Destroy> Strong<T> {
    pub(super) fn new(name: &str, value: T) -> Self {
        let count = Mutex::new(1);
        named!(count, "{name}'s count");
        Strong(Arc::new(Inner { count, value }))
    }

    pub(super) fn downgrade(&self) -> Weak<T> {
        Weak(Arc::clone(&self.0))
    }

    pub(super) fn raw(&self) -> Raw<T> {
        Raw(Arc::clone(&self.0))
    }
}

impl<T: Destroy> Deref for Strong<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: Destroy> Clone for Strong<T> {
    fn clone(&self) -> Self {
        *lock(&self.0.count) += 1;
        Strong(Arc::clone(&self.0))
    }
}

impl<T: Destroy> Drop for Strong<T> {
    fn drop(&mut self) {
        if unwinding() {
            return;
        }
        let last = {
            let mut count = lock(&self.0.count);
            *count -= 1;
            *count == 0
        };
        if last {
            self.0.value.destroy();
        }
    }
}

impl<T: Destroy> Weak<T> {
    /// An owner more, unless the last one is gone.
    pub(super) fn promote(&self) -> Option<Strong<T>> {
        promote(&self.0)
    }
}

impl<T> Clone for Weak<T> {
    fn clone(&self) -> Self {
        Weak(Arc::clone(&self.0))
    }
}

impl<T: Destroy> Raw<T> {
    /// What it points to, without owning it; `None`: it was freed.
    pub(super) fn get(&self) -> Option<&T> {
        let alive = *lock(&self.0.count) > 0;
        alive.then_some(&self.0.value)
    }

    /// An owner more, as a copy of a shared pointer that is read bare; `None`:
    /// it was freed in between.
    pub(super) fn own(&self) -> Option<Strong<T>> {
        promote(&self.0)
    }
}

fn promote<T: Destroy>(inner: &Arc<Inner<T>>) -> Option<Strong<T>> {
    let mut count = lock(&inner.count);
    if *count == 0 {
        return None;
    }
    *count += 1;
    Some(Strong(Arc::clone(inner)))
}
