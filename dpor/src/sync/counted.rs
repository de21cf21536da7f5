//! Reference counts as operations: who drops the last reference is explored.
//!
//! For bodies in which that matters; it multiplies the orderings. To clone an [`Arc`] is no
//! operation even here, as it commutes with everything: whoever clones holds a reference, so no drop
//! elsewhere can be the last. Drops are dependent with each other and with upgrades.

use crate::object::State;
use crate::op::{Kind, ObjId, Op};
use crate::rt;
use std::fmt;
use std::ops::Deref;
use std::panic::Location;
use std::sync;

/// A counted reference, with the interface of [`std::sync::Arc`].
pub struct Arc<T: ?Sized> {
    id: ObjId,
    // `None` only while it is being dropped.
    value: Option<sync::Arc<T>>,
}

/// A reference that keeps nothing alive, with the interface of [`std::sync::Weak`].
pub struct Weak<T: ?Sized> {
    id: Option<ObjId>,
    value: sync::Weak<T>,
}

impl<T> Arc<T> {
    /// The first reference to a value.
    pub fn new(value: T) -> Self {
        Arc { id: rt::create(State::Plain), value: Some(sync::Arc::new(value)) }
    }

    /// The first reference to a value that knows itself.
    pub fn new_cyclic(f: impl FnOnce(&Weak<T>) -> T) -> Self {
        let id = rt::create(State::Plain);
        let value = sync::Arc::new_cyclic(|weak| f(&Weak { id: Some(id), value: weak.clone() }));
        Arc { id, value: Some(value) }
    }

    /// The value, if this is the only reference. Counts as a drop if it is.
    #[track_caller]
    pub fn try_unwrap(mut this: Self) -> Result<T, Self> {
        let at = Location::caller();
        let op = Op::new(this.id, Kind::DropRef, at);
        let value = this.value.take().expect("it is not being dropped");
        let id = this.id;
        rt::perform_with(op, || match sync::Arc::try_unwrap(value) {
            Ok(value) => (Ok(value), 0, 1, Kind::DropRef),
            Err(value) => (Err(Arc { id, value: Some(value) }), 0, 0, Kind::DropRef),
        })
    }
}

impl<T: ?Sized> Arc<T> {
    /// Sets the name that witnesses show.
    pub fn set_name(this: &Self, name: impl Into<String>) {
        rt::set_name(this.id, name.into());
    }

    fn value(&self) -> &sync::Arc<T> {
        self.value.as_ref().expect("it is not being dropped")
    }

    /// A reference that keeps nothing alive.
    pub fn downgrade(this: &Self) -> Weak<T> {
        Weak { id: Some(this.id), value: sync::Arc::downgrade(this.value()) }
    }

    /// Whether both refer to the same value.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        sync::Arc::ptr_eq(this.value(), other.value())
    }

    /// How many references there are. No scheduling point: it tells what is so now.
    pub fn strong_count(this: &Self) -> usize {
        sync::Arc::strong_count(this.value())
    }
}

impl<T> Weak<T> {
    /// A reference to nothing.
    pub fn new() -> Self {
        Weak { id: None, value: sync::Weak::new() }
    }
}

impl<T: ?Sized> Weak<T> {
    /// A reference that keeps the value alive, if it is alive.
    #[track_caller]
    pub fn upgrade(&self) -> Option<Arc<T>> {
        let id = self.id?;
        let op = Op::new(id, Kind::Upgrade, Location::caller());
        rt::perform_with(op, || {
            let value = self.value.upgrade();
            let alive = value.is_some() as u64;
            (value.map(|value| Arc { id, value: Some(value) }), alive, alive, Kind::Upgrade)
        })
    }

    /// Whether both refer to the same value, or both to none.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.value.ptr_eq(&other.value)
    }

    /// How many references keep the value alive. No scheduling point: it tells what is so now.
    pub fn strong_count(&self) -> usize {
        self.value.strong_count()
    }
}

impl<T: ?Sized> Clone for Arc<T> {
    fn clone(&self) -> Self {
        Arc { id: self.id, value: self.value.clone() }
    }
}

impl<T: ?Sized> Clone for Weak<T> {
    fn clone(&self) -> Self {
        Weak { id: self.id, value: self.value.clone() }
    }
}

impl<T> Default for Weak<T> {
    fn default() -> Self {
        Weak::new()
    }
}

impl<T: ?Sized> Drop for Arc<T> {
    fn drop(&mut self) {
        let Some(value) = self.value.take() else { return };
        if rt::dying() {
            return;
        }
        let op = Op::new(self.id, Kind::DropRef, Location::caller());
        rt::perform_with(op, || {
            // Not the count: clones, which are no operations, change that.
            let last = sync::Arc::strong_count(&value) == 1;
            ((), 0, last as u64, Kind::DropRef)
        });
        // Nobody runs between the operation and this, which counts down; what the value's own
        // destructor does, if this was the last reference, comes after that.
        drop(value);
    }
}

impl<T: ?Sized> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value()
    }
}

impl<T: ?Sized> AsRef<T> for Arc<T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T: Default> Default for Arc<T> {
    fn default() -> Self {
        Arc::new(T::default())
    }
}

impl<T> From<T> for Arc<T> {
    fn from(value: T) -> Self {
        Arc::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized> fmt::Debug for Weak<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(Weak)")
    }
}
