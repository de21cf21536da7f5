//! Shared pointers whose count the explorer sees.
//!
//! No engine looks inside std's `Arc` and `Weak`: promoting a weak pointer against
//! the last drop would be one step, and on which thread a destructor runs would
//! not be explored. Here a drop and a promotion are steps; the drop that brings
//! the count to zero runs the modelled destructor, on its own thread and under
//! whatever locks that holds, as the original does. A clone is no step: there is
//! an owner to clone, so no drop at the same time can be the last.
//!
//! While the first owner is alive (the one in a container or a pointer, which is
//! moved and never copied), no other drop is the last, and no promotion fails:
//! their order cannot be observed, and each only reads that the first owner is
//! alive. After that owner's drop each drop may be the last, and performs a second
//! step, which conflicts with those of the other drops and of the promotions.
//!
//! std's `Arc` inside only keeps the memory, so that a bare pointer can be
//! followed to an object whose destructor has run.

use super::steps::{named, unwinding};
use crate::sync::atomic::{AtomicUsize, Ordering};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool as Flag, AtomicUsize as Plain, Ordering::Relaxed};
use std::sync::Arc;

/// An object with a modelled destructor.
pub(super) trait Destroy {
    /// The destructor, with those of the objects that this one owns.
    fn destroy(&self);
}

struct Inner<T> {
    /// Written by the drop of the first owner, read by other drops and promotions.
    first: AtomicUsize,
    /// Written by the drops that come after that of the first owner.
    rest: AtomicUsize,
    /// No step: set directly after the step on `first`.
    first_gone: Flag,
    /// The count. No step: changed directly after one, and by clones.
    owners: Plain,
    value: T,
}

impl<T> Inner<T> {
    /// One step: whether the first owner was dropped.
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

/// An owning pointer.
pub(super) struct Strong<T: Destroy> {
    inner: Arc<Inner<T>>,
    first: bool,
}

/// A weak pointer: it can be promoted while there is an owner.
pub(super) struct Weak<T>(Arc<Inner<T>>);

/// A bare pointer: it can be followed also after the object was freed.
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
    /// One more owner; `None`: the last owner was dropped.
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
    /// The object, without owning it; `None`: it was freed.
    pub(super) fn get(&self) -> Option<&T> {
        // The step is the model's: nothing is synchronised by following a pointer.
        self.0.any_owner(Ordering::Relaxed).then_some(&self.0.value)
    }

    /// One more owner: the copy of a shared pointer that is read without
    /// synchronisation; `None`: the object was freed in between.
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
