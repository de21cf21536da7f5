//! Shared pointers whose count the explorer sees.
//!
//! No engine looks inside `Arc` and `Weak`: promoting a weak pointer against
//! the last drop would be one step, and who runs a destructor would not be
//! explored. Here a drop and a promotion are steps; the dropper that brings the
//! count to zero runs the modelled destructor, on its own thread and under
//! whatever locks it holds, as the original does. A clone is no step: whoever
//! clones is an owner, so no drop elsewhere can be the last.
//!
//! While the first owner is there (what a container or a pointer holds, moved
//! and never copied), no other drop is the last, and no promotion fails: their
//! order among each other is nobody's to see, and they only read that the first
//! owner is there. Once it has gone, each drop may be the last, and each is a
//! second step that all of them and the promotions can tell apart.
//!
//! std's `Arc` inside only keeps the memory, so that a bare pointer can be
//! followed to what was destroyed.

use super::steps::{named, unwinding};
use crate::sync::atomic::{AtomicUsize, Ordering};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool as Flag, AtomicUsize as Plain, Ordering::Relaxed};
use std::sync::Arc;

/// What happens at the last drop.
pub(super) trait Destroy {
    /// The body of the destructor, and of those of what it owns.
    fn destroy(&self);
}

struct Inner<T> {
    /// Written when the first owner goes, read by the others.
    first: AtomicUsize,
    /// Written by the drops that come after that one.
    rest: AtomicUsize,
    /// Changed at once after the step, as what follows.
    first_gone: Flag,
    /// The count; changed by a clone too.
    owners: Plain,
    value: T,
}

impl<T> Inner<T> {
    /// A step that tells whether the first owner has gone.
    fn look(&self, order: Ordering) -> bool {
        self.first.load(order);
        self.first_gone.load(Relaxed)
    }

    fn any_owner(&self, order: Ordering) -> bool {
        if self.look(order) {
            self.rest.load(order);
        }
        self.owners.load(Relaxed) > 0
    }
}

/// An owner.
pub(super) struct Strong<T: Destroy> {
    inner: Arc<Inner<T>>,
    first: bool,
}

/// Can be promoted while an owner is left.
pub(super) struct Weak<T>(Arc<Inner<T>>);

/// A bare pointer: it can be followed whether or not anything is there.
pub(super) struct Raw<T>(Arc<Inner<T>>);

impl<T: Destroy> Strong<T> {
    pub(super) fn new(name: &str, value: T) -> Self {
        let (first, rest) = (AtomicUsize::new(0), AtomicUsize::new(0));
        named!(first, "{name}: first owner");
        named!(rest, "{name}: other owners");
        let (first_gone, owners) = (Flag::new(false), Plain::new(1));
        Strong { inner: Arc::new(Inner { first, rest, first_gone, owners, value }), first: true }
    }

    pub(super) fn downgrade(&self) -> Weak<T> {
        Weak(Arc::clone(&self.inner))
    }

    pub(super) fn raw(&self) -> Raw<T> {
        Raw(Arc::clone(&self.inner))
    }
}

impl<T: Destroy> Deref for Strong<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.inner.value
    }
}

impl<T: Destroy> Clone for Strong<T> {
    fn clone(&self) -> Self {
        another(&self.inner)
    }
}

impl<T: Destroy> Drop for Strong<T> {
    fn drop(&mut self) {
        if unwinding() {
            return;
        }
        let inner = &self.inner;
        if self.first {
            inner.first.fetch_add(1, Ordering::AcqRel);
            inner.first_gone.store(true, Relaxed);
        } else if inner.look(Ordering::Acquire) {
            inner.rest.fetch_add(1, Ordering::AcqRel);
        }
        if inner.owners.fetch_sub(1, Relaxed) == 1 {
            inner.value.destroy();
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
        // The step is the model's: nothing is synchronised by following a pointer.
        self.0.any_owner(Ordering::Relaxed).then_some(&self.0.value)
    }

    /// An owner more, as a copy of a shared pointer that is read bare; `None`:
    /// it was freed in between.
    pub(super) fn own(&self) -> Option<Strong<T>> {
        promote(&self.0)
    }
}

fn promote<T: Destroy>(inner: &Arc<Inner<T>>) -> Option<Strong<T>> {
    inner.any_owner(Ordering::Acquire).then(|| another(inner))
}

fn another<T: Destroy>(inner: &Arc<Inner<T>>) -> Strong<T> {
    inner.owners.fetch_add(1, Relaxed);
    Strong { inner: Arc::clone(inner), first: false }
}
