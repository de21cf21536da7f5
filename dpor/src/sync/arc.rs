//! Reference counts.
//!
//! There are two of each type. Those of [`sync`](crate::sync) are no operations: to clone and to drop
//! them costs no ordering. They still order accesses as std's do (a drop releases, the last drop and
//! whatever finds a reference to be the only one acquires), so what one owner writes and the
//! destructor of the last reads is no data race. What a body could tell apart by the count is refused
//! there unless it is certain: [`Explorer::reference_counts`](crate::Explorer::reference_counts) makes
//! everything that is done with a reference an operation, and explores it. Those of
//! [`sync::counted`](crate::sync::counted) have it always explored who drops the last reference, and
//! whether an upgrade succeeds.

use crate::object::State;
use crate::op::{Kind, ObjId, Op};
use crate::rt;
use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::panic::Location;
use std::pin::Pin;
use std::sync;

/// A counted reference, with the interface of [`std::sync::Arc`]. `EXPLORED`: whether it is an
/// operation to drop it, whoever asks.
pub struct Arc<T: ?Sized, const EXPLORED: bool> {
    /// `None` outside of an execution, where there is nothing to order.
    id: Option<ObjId>,
    /// `None` only while it is being dropped.
    value: Option<sync::Arc<T>>,
    /// Where it was made: for want of a better place, that of its drop.
    at: &'static Location<'static>,
}

/// A reference that keeps nothing alive, with the interface of [`std::sync::Weak`].
pub struct Weak<T: ?Sized, const EXPLORED: bool> {
    id: Option<ObjId>,
    /// `None` only while it is being dropped.
    value: Option<sync::Weak<T>>,
    at: &'static Location<'static>,
}

#[track_caller]
fn create() -> Option<ObjId> {
    let (dropped, at) = (0, Location::caller());
    rt::try_with(|rt| rt.create(State::References { dropped }, at))
}

impl<T, const EXPLORED: bool> Arc<T, EXPLORED> {
    /// The first reference to a value.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Arc::of(sync::Arc::new(value))
    }

    /// The first reference to a value that knows itself.
    #[track_caller]
    pub fn new_cyclic(f: impl FnOnce(&Weak<T, EXPLORED>) -> T) -> Self {
        let (id, at) = (create(), Location::caller());
        let value = sync::Arc::new_cyclic(|weak| f(&Weak { id, value: Some(weak.clone()), at }));
        Arc { id, value: Some(value), at }
    }

    /// The first reference to a value, pinned. A value that must not be moved (`T: !Unpin`, which std
    /// takes, too) can be pinned only in a box, as safe code has no other promise that it stays:
    ///
    /// ```
    /// # use shuttle_dpor::{sync::Arc, Explorer};
    /// # use std::{future::Future, pin::Pin};
    /// # let _ = Explorer::new().check(|| {
    /// let pinned: Pin<Arc<u32>> = Arc::pin(7);
    /// assert_eq!(*pinned, 7);
    /// let future: Arc<Pin<Box<dyn Future<Output = u32>>>> = Arc::new(Box::pin(async { 7 }));
    /// # });
    /// ```
    #[track_caller]
    pub fn pin(value: T) -> Pin<Self>
    where
        T: Unpin,
    {
        Pin::new(Arc::new(value))
    }

    /// The value, if this is the only reference.
    #[track_caller]
    pub fn try_unwrap(mut this: Self) -> Result<T, Self> {
        let (id, at, made) = (this.id, Location::caller(), this.at);
        let value = this.value.take().expect("it is not being dropped");
        let unwrap = || match sync::Arc::try_unwrap(value) {
            Ok(value) => (Ok(value), 1, 1, Kind::TryUnwrap),
            Err(value) => (Err(Arc { id, value: Some(value), at: made }), 0, 0, Kind::TryUnwrap),
        };
        rt::references(id, Kind::TryUnwrap, EXPLORED, "Arc::try_unwrap", at, unwrap)
    }

    /// Drops the reference, and returns the value if it was the last.
    #[track_caller]
    pub fn into_inner(mut this: Self) -> Option<T> {
        let (id, at) = (this.id, Location::caller());
        let value = this.value.take().expect("it is not being dropped");
        let unwrap = || {
            let value = sync::Arc::into_inner(value);
            let last = value.is_some() as u64;
            (value, last, last, Kind::DropRef)
        };
        rt::references(id, Kind::DropRef, EXPLORED, "Arc::into_inner", at, unwrap)
    }

    /// The value, or a clone of it if this is not the only reference.
    #[track_caller]
    pub fn unwrap_or_clone(this: Self) -> T
    where
        T: Clone,
    {
        Arc::try_unwrap(this).unwrap_or_else(|shared| (*shared).clone())
    }
}

impl<T: Clone, const EXPLORED: bool> Arc<T, EXPLORED> {
    /// The value, which is cloned first if there are other references. If there are only weak ones,
    /// it is moved away from them.
    #[track_caller]
    pub fn make_mut(this: &mut Self) -> &mut T {
        const SHARED: u64 = 0;
        const UNIQUE: u64 = 1;
        let (id, at) = (this.id, Location::caller());
        let value = this.value.as_mut().expect("it is not being dropped");
        let is_unique = || {
            if sync::Arc::strong_count(value) > 1 {
                return (SHARED, 0, SHARED, Kind::Unique);
            }
            let alone = sync::Arc::get_mut(value).is_some();
            // Leaves the weak ones behind.
            sync::Arc::make_mut(value);
            (UNIQUE + !alone as u64, 0, UNIQUE, Kind::Unique)
        };
        match rt::references(id, Kind::Unique, false, "Arc::make_mut", at, is_unique) {
            SHARED => {
                let copy = (**this).clone();
                *this = Arc::new(copy);
            }
            UNIQUE => {}
            _ => this.id = create(),
        }
        let value = this.value.as_mut().expect("it is not being dropped");
        sync::Arc::get_mut(value).expect("it is the only reference")
    }
}

impl<T: ?Sized, const EXPLORED: bool> Arc<T, EXPLORED> {
    #[track_caller]
    fn of(value: sync::Arc<T>) -> Self {
        Arc { id: create(), value: Some(value), at: Location::caller() }
    }

    /// Sets the name that witnesses show.
    pub fn set_name(this: &Self, name: impl Into<Cow<'static, str>>) {
        if let Some(id) = this.id {
            rt::set_name(id, name.into());
        }
    }

    fn value(&self) -> &sync::Arc<T> {
        self.value.as_ref().expect("it is not being dropped")
    }

    /// The value, if there is no other reference, not even a weak one.
    #[track_caller]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        let (id, at) = (this.id, Location::caller());
        let value = this.value.as_mut().expect("it is not being dropped");
        let unique = || {
            let unique = sync::Arc::get_mut(value).is_some();
            (unique, 0, unique as u64, Kind::Unique)
        };
        let unique = rt::references(id, Kind::Unique, false, "Arc::get_mut", at, unique);
        this.value.as_mut().filter(|_| unique).and_then(sync::Arc::get_mut)
    }

    /// A reference that keeps nothing alive.
    #[track_caller]
    pub fn downgrade(this: &Self) -> Weak<T, EXPLORED> {
        let at = Location::caller();
        rt::reference_cloned(this.id, at);
        Weak { id: this.id, value: Some(sync::Arc::downgrade(this.value())), at }
    }

    /// Whether both refer to the same value.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        sync::Arc::ptr_eq(this.value(), other.value())
    }

    /// Where the value is.
    pub fn as_ptr(this: &Self) -> *const T {
        sync::Arc::as_ptr(this.value())
    }

    /// How many references there are.
    #[track_caller]
    pub fn strong_count(this: &Self) -> usize {
        count(this.id, "Arc::strong_count", Location::caller(), || {
            sync::Arc::strong_count(this.value())
        })
    }

    /// How many references there are that keep nothing alive.
    #[track_caller]
    pub fn weak_count(this: &Self) -> usize {
        count(this.id, "Arc::weak_count", Location::caller(), || {
            sync::Arc::weak_count(this.value())
        })
    }

    /// Takes over a reference of std's that is the only one: for values without a size, to which std's
    /// coerces by itself.
    ///
    /// # Panics
    ///
    /// If there are other references, weak ones included.
    #[track_caller]
    pub fn from_std(mut value: sync::Arc<T>) -> Self {
        assert!(sync::Arc::get_mut(&mut value).is_some(), "there are other references");
        Arc::of(value)
    }

    /// The same reference, to a trait object or a slice: what `f` turns std's into. std's coerces by
    /// itself, which no other type can in stable Rust; nor can a method take `self: Arc<Self>` of
    /// another type: let it take the reference as a parameter.
    ///
    /// ```
    /// # use shuttle_dpor::{sync::Arc, thread, Explorer};
    /// # use std::fmt::Debug;
    /// struct Job(u32);
    ///
    /// impl Job {
    ///     fn start(this: Arc<Self>) -> thread::JoinHandle<u32> { // not `self: Arc<Self>`
    ///         thread::spawn(move || this.0)
    ///     }
    /// }
    ///
    /// # let _ = Explorer::new().explore(|| {
    /// assert_eq!(Job::start(Arc::new(Job(7))).join().unwrap(), 7);
    /// let boxed: Arc<dyn Debug> = Arc::from(Box::new(7) as Box<dyn Debug>);
    /// let anew: Arc<dyn Debug> = Arc::from_std(std::sync::Arc::new(7));
    /// let same: Arc<dyn Debug> = Arc::unsize(Arc::new(7), |arc| arc as std::sync::Arc<dyn Debug>);
    /// # assert_eq!(format!("{boxed:?} {anew:?} {same:?}"), "7 7 7");
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// If `f` keeps the reference, or returns another.
    pub fn unsize<U: ?Sized>(
        mut this: Self,
        f: impl FnOnce(sync::Arc<T>) -> sync::Arc<U>,
    ) -> Arc<U, EXPLORED> {
        let (id, at) = (this.id, this.at);
        let value = this.value.take().expect("it is not being dropped");
        let (before, count) =
            (sync::Arc::as_ptr(&value) as *const (), sync::Arc::strong_count(&value));
        let value = f(value);
        let same = sync::Arc::as_ptr(&value) as *const () == before;
        assert!(same && sync::Arc::strong_count(&value) == count, "`f` returns what it is given");
        Arc { id, value: Some(value), at }
    }
}

fn count(
    id: Option<ObjId>,
    what: &str,
    at: &'static Location<'static>,
    f: impl FnOnce() -> usize,
) -> usize {
    rt::references(id, Kind::Count, false, what, at, || {
        let n = f();
        (n, 0, n as u64, Kind::Count)
    })
}

impl<T, const EXPLORED: bool> Weak<T, EXPLORED> {
    /// A reference to nothing.
    #[track_caller]
    pub fn new() -> Self {
        Weak { id: None, value: Some(sync::Weak::new()), at: Location::caller() }
    }
}

impl<T: ?Sized, const EXPLORED: bool> Weak<T, EXPLORED> {
    fn value(&self) -> &sync::Weak<T> {
        self.value.as_ref().expect("it is not being dropped")
    }

    /// A reference that keeps the value alive, if it is alive.
    #[track_caller]
    pub fn upgrade(&self) -> Option<Arc<T, EXPLORED>> {
        let (id, at) = (self.id, Location::caller());
        rt::references(id, Kind::Upgrade, EXPLORED, "Weak::upgrade", at, || {
            let value = self.value().upgrade();
            let alive = value.is_some() as u64;
            (value.map(|value| Arc { id, value: Some(value), at }), alive, alive, Kind::Upgrade)
        })
    }

    /// Whether both refer to the same value, or both to none.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.value().ptr_eq(other.value())
    }

    /// How many references keep the value alive.
    #[track_caller]
    pub fn strong_count(&self) -> usize {
        count(self.id, "Weak::strong_count", Location::caller(), || self.value().strong_count())
    }

    /// How many references there are that keep nothing alive; none if the value is gone.
    #[track_caller]
    pub fn weak_count(&self) -> usize {
        count(self.id, "Weak::weak_count", Location::caller(), || self.value().weak_count())
    }
}

impl<T: ?Sized, const EXPLORED: bool> Clone for Arc<T, EXPLORED> {
    #[track_caller]
    fn clone(&self) -> Self {
        let at = Location::caller();
        rt::reference_cloned(self.id, at);
        Arc { id: self.id, value: self.value.clone(), at }
    }
}

impl<T: ?Sized, const EXPLORED: bool> Clone for Weak<T, EXPLORED> {
    #[track_caller]
    fn clone(&self) -> Self {
        let at = Location::caller();
        rt::reference_cloned(self.id, at);
        Weak { id: self.id, value: self.value.clone(), at }
    }
}

impl<T, const EXPLORED: bool> Default for Weak<T, EXPLORED> {
    fn default() -> Self {
        Weak::new()
    }
}

impl<T: ?Sized, const EXPLORED: bool> Drop for Arc<T, EXPLORED> {
    fn drop(&mut self) {
        let Some(value) = self.value.take() else { return };
        let (Some(id), Some(counted)) = (self.id, rt::counted(EXPLORED)) else { return };
        // Not the count: clones, which may be no operations, change that.
        let last = || sync::Arc::strong_count(&value) == 1;
        if counted {
            let op = Op::new(id, Kind::DropRef, self.at);
            rt::perform_with(op, || ((), 0, last() as u64, Kind::DropRef));
            // Nobody runs between the operation and this, which counts down; what the value's own
            // destructor does, if this was the last reference, comes after that.
            drop(value);
        } else {
            let last = last();
            rt::note_reference(id, Kind::DropRef, last, self.at);
            let _contested = last.then(|| rt::destroying(id, self.at));
            drop(value);
        }
    }
}

impl<T: ?Sized, const EXPLORED: bool> Drop for Weak<T, EXPLORED> {
    fn drop(&mut self) {
        let (Some(id), Some(counted)) = (self.id, rt::counted(false)) else { return };
        if counted {
            let op = Op::new(id, Kind::DropWeak, self.at);
            // Nobody runs between the operation and this, which counts down.
            rt::perform_with(op, || ((), 0, 0, Kind::DropWeak));
        } else {
            rt::note_reference(id, Kind::DropWeak, false, self.at);
        }
    }
}

impl<T: ?Sized, const EXPLORED: bool> Deref for Arc<T, EXPLORED> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value()
    }
}

impl<T: ?Sized, const EXPLORED: bool> AsRef<T> for Arc<T, EXPLORED> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T: ?Sized, const EXPLORED: bool> Borrow<T> for Arc<T, EXPLORED> {
    fn borrow(&self) -> &T {
        self
    }
}

impl<T: Default, const EXPLORED: bool> Default for Arc<T, EXPLORED> {
    #[track_caller]
    fn default() -> Self {
        Arc::new(T::default())
    }
}

impl<T, const EXPLORED: bool> From<T> for Arc<T, EXPLORED> {
    #[track_caller]
    fn from(value: T) -> Self {
        Arc::new(value)
    }
}

impl<T: ?Sized, const EXPLORED: bool> From<Box<T>> for Arc<T, EXPLORED> {
    #[track_caller]
    fn from(value: Box<T>) -> Self {
        Arc::of(value.into())
    }
}

impl<T, const EXPLORED: bool> From<Vec<T>> for Arc<[T], EXPLORED> {
    #[track_caller]
    fn from(value: Vec<T>) -> Self {
        Arc::of(value.into())
    }
}

impl<const EXPLORED: bool> From<&str> for Arc<str, EXPLORED> {
    #[track_caller]
    fn from(value: &str) -> Self {
        Arc::of(value.into())
    }
}

impl<const EXPLORED: bool> From<String> for Arc<str, EXPLORED> {
    #[track_caller]
    fn from(value: String) -> Self {
        Arc::of(value.into())
    }
}

impl<T, const EXPLORED: bool> FromIterator<T> for Arc<[T], EXPLORED> {
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Arc::of(values.into_iter().collect())
    }
}

impl<T: ?Sized + PartialEq, const EXPLORED: bool> PartialEq for Arc<T, EXPLORED> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: ?Sized + Eq, const EXPLORED: bool> Eq for Arc<T, EXPLORED> {}

impl<T: ?Sized + PartialOrd, const EXPLORED: bool> PartialOrd for Arc<T, EXPLORED> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (**self).partial_cmp(&**other)
    }
}

impl<T: ?Sized + Ord, const EXPLORED: bool> Ord for Arc<T, EXPLORED> {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl<T: ?Sized + Hash, const EXPLORED: bool> Hash for Arc<T, EXPLORED> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl<T: ?Sized, const EXPLORED: bool> Unpin for Arc<T, EXPLORED> {}

impl<T: ?Sized + fmt::Debug, const EXPLORED: bool> fmt::Debug for Arc<T, EXPLORED> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display, const EXPLORED: bool> fmt::Display for Arc<T, EXPLORED> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized, const EXPLORED: bool> fmt::Pointer for Arc<T, EXPLORED> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

impl<T: ?Sized, const EXPLORED: bool> fmt::Debug for Weak<T, EXPLORED> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(Weak)")
    }
}
