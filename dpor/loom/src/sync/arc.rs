//! A counted reference whose drops are operations, and which must not leak.

use crate::execution::{try_with, with};
use shuttle_dpor::parts::RefCount;
use std::borrow::Borrow;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{self, atomic::AtomicBool, atomic::Ordering::Relaxed};

/// What is known of a value: its count's operations, and whether it is alive.
#[derive(Debug)]
pub(crate) struct Count {
    operations: RefCount,
    pub(crate) made: &'static Location<'static>,
    alive: AtomicBool,
}

impl Count {
    pub(crate) fn is_alive(&self) -> bool {
        self.alive.load(Relaxed)
    }
}

/// A counted reference, as [`std::sync::Arc`]. What is alive when an execution is over has leaked.
///
/// ```should_panic
/// loom::model(|| std::mem::forget(loom::sync::Arc::new(1)));
/// ```
pub struct Arc<T: ?Sized> {
    value: ManuallyDrop<sync::Arc<T>>,
    count: sync::Arc<Count>,
}

/// The address by which a value is known.
fn address<T: ?Sized>(pointer: *const T) -> usize {
    pointer.cast::<()>() as usize
}

impl<T> Arc<T> {
    /// The first reference to a value.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Arc::from_std(sync::Arc::new(value))
    }

    /// The first reference to a value that does not move.
    #[track_caller]
    pub fn pin(value: T) -> Pin<Self> {
        // SAFETY: as for std's: the value is in an allocation of its own, and no reference to an
        // `Arc` gives it away to be moved, but `get_mut` and `try_unwrap`, which need the `Arc`
        // itself and not the `Pin`.
        unsafe { Pin::new_unchecked(Arc::new(value)) }
    }

    /// The value, if this is the only reference. Counts as a drop if it is.
    #[track_caller]
    pub fn try_unwrap(this: Self) -> Result<T, Self> {
        let (value, count) = this.into_parts();
        let result = count.operations.try_unwrap(|| match sync::Arc::try_unwrap(value) {
            Ok(value) => {
                count.alive.store(false, Relaxed);
                (Ok(value), true)
            }
            Err(value) => (Err(value), false),
        });
        result.map_err(|value| Arc { value: ManuallyDrop::new(value), count })
    }
}

impl<T: ?Sized> Arc<T> {
    /// Takes over a reference of std's: for values without a size, to which an `Arc` of this type
    /// cannot be coerced.
    ///
    /// # Panics
    ///
    /// If there are other references.
    ///
    /// ```
    /// loom::model(|| {
    ///     let f: std::sync::Arc<dyn Fn() -> u32> = std::sync::Arc::new(|| 1);
    ///     assert_eq!(loom::sync::Arc::from_std(f)(), 1);
    /// });
    /// ```
    #[track_caller]
    pub fn from_std(mut value: sync::Arc<T>) -> Self {
        assert!(sync::Arc::get_mut(&mut value).is_some(), "there are other references");
        let count = sync::Arc::new(Count {
            operations: RefCount::new(),
            made: Location::caller(),
            alive: AtomicBool::new(true),
        });
        // What was there before is dead.
        with(|e| e.arcs.insert(address(sync::Arc::as_ptr(&value)), count.clone()));
        Arc { value: ManuallyDrop::new(value), count }
    }

    fn into_parts(self) -> (sync::Arc<T>, sync::Arc<Count>) {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is never dropped nor used again, so each field is moved out once.
        unsafe { (ManuallyDrop::take(&mut this.value), std::ptr::read(&this.count)) }
    }

    /// How many references there are. In every order with drops elsewhere; clones are no operations,
    /// so what clones elsewhere make of it is not explored in every order.
    #[track_caller]
    pub fn strong_count(this: &Self) -> usize {
        this.count.operations.count(|| {
            let n = sync::Arc::strong_count(&this.value);
            (n, n as u64)
        })
    }

    /// The value, if this is the only reference.
    #[track_caller]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        let Arc { value, count } = this;
        count.operations.unique(|| {
            let value = sync::Arc::get_mut(value);
            let only = value.is_some();
            (value, only)
        })
    }

    /// Whether both refer to the same value.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        sync::Arc::ptr_eq(&this.value, &other.value)
    }

    /// Makes a pointer of a reference, which counts on.
    pub fn into_raw(this: Self) -> *const T {
        let (value, _) = this.into_parts();
        sync::Arc::into_raw(value)
    }

    /// A pointer to the value.
    pub fn as_ptr(this: &Self) -> *const T {
        sync::Arc::as_ptr(&this.value)
    }

    /// Makes a reference of a pointer.
    ///
    /// # Safety
    ///
    /// As for [`std::sync::Arc::from_raw`], with a pointer from [`into_raw`](Self::into_raw) or
    /// [`as_ptr`](Self::as_ptr) of this type.
    ///
    /// # Panics
    ///
    /// If the pointer is from another execution.
    pub unsafe fn from_raw(pointer: *const T) -> Self {
        let count = with(|e| e.arcs.get(&address(pointer)).cloned());
        let count = count.expect("the pointer is one of an Arc's of this execution");
        // SAFETY: the caller's.
        let value = unsafe { sync::Arc::from_raw(pointer) };
        Arc { value: ManuallyDrop::new(value), count }
    }

    /// Counts a reference more.
    ///
    /// # Safety
    ///
    /// As for [`std::sync::Arc::increment_strong_count`].
    pub unsafe fn increment_strong_count(pointer: *const T) {
        // SAFETY: the caller's; the reference that it is about is not dropped here.
        let this = ManuallyDrop::new(unsafe { Arc::from_raw(pointer) });
        std::mem::forget(sync::Arc::clone(&this.value));
    }

    /// Drops a reference.
    ///
    /// # Safety
    ///
    /// As for [`std::sync::Arc::decrement_strong_count`].
    #[track_caller]
    pub unsafe fn decrement_strong_count(pointer: *const T) {
        // SAFETY: the caller's.
        drop(unsafe { Arc::from_raw(pointer) });
    }
}

impl<T: ?Sized> Drop for Arc<T> {
    #[track_caller]
    fn drop(&mut self) {
        // SAFETY: `self.value` is not used after this.
        let value = unsafe { ManuallyDrop::take(&mut self.value) };
        let alive = &self.count.alive;
        let last = self.count.operations.drop_ref(|| {
            let last = sync::Arc::strong_count(&value) == 1;
            if last {
                alive.store(false, Relaxed);
            }
            (last, last)
        });
        if last && shuttle_dpor::parts::is_running() {
            let address = address(sync::Arc::as_ptr(&value));
            try_with(|e| e.arcs.remove(&address));
        }
        // Nobody runs between the operation and this, which counts down; what the value's destructor
        // does comes after the operation.
        drop(value);
    }
}

impl<T: ?Sized> Clone for Arc<T> {
    fn clone(&self) -> Self {
        Arc { value: self.value.clone(), count: self.count.clone() }
    }
}

impl<T: ?Sized> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> AsRef<T> for Arc<T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T: ?Sized> Borrow<T> for Arc<T> {
    fn borrow(&self) -> &T {
        self
    }
}

impl<T: Default> Default for Arc<T> {
    #[track_caller]
    fn default() -> Self {
        Arc::new(T::default())
    }
}

impl<T> From<T> for Arc<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Arc::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
