//! Shared pointers whose count the explorer sees.
//!
//! No engine looks inside `Arc` and `Weak`: promoting a weak pointer against
//! the last drop would be one step, and who runs a destructor would not be
//! explored. Here the count is behind a mutex of the engine's, a step of its
//! own; the dropper that brings it to zero drops the value, on its own thread
//! and under whatever locks it holds, as the original does.
//!
//! std's `Arc` inside only keeps the memory: the registry in [`Inner`] holds
//! the value until the modelled count is zero, and each [`Strong`] gives its
//! own reference up before it counts itself out.

use super::steps::{lock, named, unwinding};
use crate::sync::Mutex;
use std::ops::Deref;
use std::sync::{Arc, PoisonError};

struct Inner<T> {
    count: Mutex<usize>,
    value: std::sync::Mutex<Option<Arc<T>>>,
}

impl<T> Inner<T> {
    /// Never held over a step.
    fn value(&self) -> Option<Arc<T>> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// An owner.
pub(super) struct Strong<T> {
    /// There until it is dropped.
    mine: Option<Arc<T>>,
    inner: Arc<Inner<T>>,
}

/// Can be promoted while an owner is left.
pub(super) struct Weak<T>(Arc<Inner<T>>);

/// A bare pointer: it can be followed whether or not anything is there.
pub(super) struct Raw<T>(Arc<Inner<T>>);

impl<T> Strong<T> {
    pub(super) fn new(name: &str, value: T) -> Self {
        let mine = Arc::new(value);
        let value = std::sync::Mutex::new(Some(Arc::clone(&mine)));
        let count = Mutex::new(1);
        named!(count, "{name}'s count");
        Strong { mine: Some(mine), inner: Arc::new(Inner { count, value }) }
    }

    pub(super) fn downgrade(&self) -> Weak<T> {
        Weak(Arc::clone(&self.inner))
    }

    pub(super) fn raw(&self) -> Raw<T> {
        Raw(Arc::clone(&self.inner))
    }
}

impl<T> Deref for Strong<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.mine.as_ref().expect("an owner has its value until it is dropped")
    }
}

impl<T> Clone for Strong<T> {
    fn clone(&self) -> Self {
        *lock(&self.inner.count) += 1;
        Strong { mine: self.mine.clone(), inner: Arc::clone(&self.inner) }
    }
}

impl<T> Drop for Strong<T> {
    fn drop(&mut self) {
        self.mine = None;
        if unwinding() {
            return;
        }
        let last = {
            let mut count = lock(&self.inner.count);
            *count -= 1;
            *count == 0
        };
        if last {
            let value = self.inner.value.lock().unwrap_or_else(PoisonError::into_inner).take();
            drop(value);
        }
    }
}

impl<T> Weak<T> {
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

impl<T> Raw<T> {
    /// What it points to, without owning it; `None`: it was freed.
    pub(super) fn get(&self) -> Option<Arc<T>> {
        let alive = *lock(&self.0.count) > 0;
        alive.then(|| self.0.value()).flatten()
    }

    /// An owner more, as a copy of a shared pointer that is read bare; `None`:
    /// it was freed in between.
    pub(super) fn own(&self) -> Option<Strong<T>> {
        promote(&self.0)
    }
}

fn promote<T>(inner: &Arc<Inner<T>>) -> Option<Strong<T>> {
    let mut count = lock(&inner.count);
    if *count == 0 {
        return None;
    }
    *count += 1;
    Some(Strong { mine: inner.value(), inner: Arc::clone(inner) })
}
