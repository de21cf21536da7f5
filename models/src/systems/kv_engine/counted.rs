//! Shared pointers whose count the explorer sees.
//!
//! No engine looks inside `Arc` and `Weak`: promoting a weak pointer against
//! the last drop would be one step, and who runs a destructor would not be
//! explored. Here a drop and a promotion are steps; the dropper that brings the
//! count to zero runs the modelled destructor, on its own thread and under
//! whatever locks it holds, as the original does. A clone is no step: whoever
//! clones is an owner, so no drop elsewhere can be the last.
//!
//! std's `Arc` inside only keeps the memory, so that a bare pointer can be
//! followed to what was destroyed.

use super::steps::{named, unwinding};
use crate::sync::atomic::{AtomicUsize, Ordering};
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize as Plain, Ordering::Relaxed};
use std::sync::Arc;

/// What happens at the last drop.
pub(super) trait Destroy {
    /// The body of the destructor, and of those of what it owns.
    fn destroy(&self);
}

struct Inner<T> {
    /// What the explorer sees of the count: drops write it, promotions read it.
    step: AtomicUsize,
    /// The count; changed at once after the step, or by a clone.
    owners: Plain,
    value: T,
}

impl<T> Inner<T> {
    fn any_owner(&self) -> bool {
        self.step.load(Ordering::Acquire);
        self.owners.load(Relaxed) > 0
    }
}

/// An owner.
pub(super) struct Strong<T: Destroy>(Arc<Inner<T>>);

/// Can be promoted while an owner is left.
pub(super) struct Weak<T>(Arc<Inner<T>>);

/// A bare pointer: it can be followed whether or not anything is there.
pub(super) struct Raw<T>(Arc<Inner<T>>);

impl<T: Destroy> Strong<T> {
    pub(super) fn new(name: &str, value: T) -> Self {
        let step = AtomicUsize::new(0);
        named!(step, "{name}'s count");
        Strong(Arc::new(Inner { step, owners: Plain::new(1), value }))
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
        self.0.owners.fetch_add(1, Relaxed);
        Strong(Arc::clone(&self.0))
    }
}

impl<T: Destroy> Drop for Strong<T> {
    fn drop(&mut self) {
        if unwinding() {
            return;
        }
        self.0.step.fetch_add(1, Ordering::AcqRel);
        if self.0.owners.fetch_sub(1, Relaxed) == 1 {
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
        self.0.any_owner().then_some(&self.0.value)
    }

    /// An owner more, as a copy of a shared pointer that is read bare; `None`:
    /// it was freed in between.
    pub(super) fn own(&self) -> Option<Strong<T>> {
        promote(&self.0)
    }
}

fn promote<T: Destroy>(inner: &Arc<Inner<T>>) -> Option<Strong<T>> {
    inner.any_owner().then(|| {
        inner.owners.fetch_add(1, Relaxed);
        Strong(Arc::clone(inner))
    })
}
