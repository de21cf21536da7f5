//! Atomics, as in [`std::sync::atomic`], with loom's `with_mut` and `unsync_load`.
//!
//! Every operation is sequentially consistent; its ordering decides whether it synchronises.

use crate::execution::try_with;
use shuttle_dpor::parts::Moment;
use shuttle_dpor::sync::atomic as model;
use std::fmt;
use std::sync::atomic::Ordering::Relaxed as InPrivate;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use shuttle_dpor::sync::atomic::{Ordering, compiler_fence, fence};

/// Lets others go first: [`yield_now`](crate::thread::yield_now).
#[track_caller]
pub fn spin_loop_hint() {
    crate::thread::yield_now();
}

/// What is watched of an atomic beside the explorer's own: accesses that are no atomic operations, and
/// whether loom may explore more.
#[derive(Default)]
struct Watch {
    accesses: Mutex<Accesses>,
    /// Bits: used with a weaker ordering; shared by threads and written.
    uses: std::sync::atomic::AtomicU8,
}

#[derive(Default)]
struct Accesses {
    /// The last store of each thread that nobody has been ordered behind.
    stores: Vec<Moment>,
    /// The last atomic load of each thread, likewise.
    loads: Vec<Moment>,
    /// The last load of each thread that is not atomic.
    unsync: Vec<Moment>,
    /// The first use.
    first: Option<Moment>,
    several: bool,
    written: bool,
}

const WEAK: u8 = 1;
const SHARED: u8 = 2;

/// Puts an access into a list, from which those go that it is ordered behind.
#[track_caller]
fn put(list: &mut Vec<Moment>) {
    list.retain(|m| !m.is_known());
    list.extend(Moment::now());
}

/// Panics if one of the accesses is not ordered with what happens now.
#[track_caller]
fn no_race(what: &str, with: &str, list: &[Moment]) {
    if let Some(other) = list.iter().find(|m| !m.is_known()) {
        panic!("no-data-race: {what} is not ordered with {with} by {other}");
    }
}

impl Watch {
    fn accesses(&self) -> MutexGuard<'_, Accesses> {
        self.accesses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An atomic operation has been performed.
    #[track_caller]
    fn touched(&self, order: Ordering, writes: bool) {
        if !shuttle_dpor::parts::is_running() {
            return;
        }
        let race = {
            let mut a = self.accesses();
            if writes {
                put(&mut a.stores);
            } else {
                put(&mut a.loads);
            }
            if let Some(now) = Moment::now() {
                a.several |= !a.first.get_or_insert(now).is_of_same_thread(&now);
            }
            a.written |= writes;
            let mut uses = self.uses.load(InPrivate);
            if order != Ordering::SeqCst {
                uses |= WEAK;
            }
            if a.several && a.written {
                if uses & SHARED == 0 {
                    try_with(|e| e.shares());
                }
                uses |= SHARED;
            }
            if uses == WEAK | SHARED {
                try_with(|e| e.weakens());
            }
            self.uses.store(uses, InPrivate);
            writes.then(|| a.unsync.clone())
        };
        if let Some(unsync) = race {
            no_race("an atomic store", "a load that is not atomic", &unsync);
        }
    }

    /// The value is about to be loaded without an atomic operation.
    #[track_caller]
    fn unsync(&self) {
        let stores = {
            let mut a = self.accesses();
            put(&mut a.unsync);
            a.stores.clone()
        };
        no_race("a load that is not atomic", "an atomic store", &stores);
    }

    /// The value is about to be changed by whoever has it alone.
    #[track_caller]
    fn alone(&self) {
        let all = {
            let mut a = self.accesses();
            let all: Vec<_> = a.stores.iter().chain(&a.loads).chain(&a.unsync).copied().collect();
            put(&mut a.stores);
            all
        };
        no_race("a change that is not atomic", "an access", &all);
    }
}

macro_rules! atomic {
    ($name:ident $(<$g:ident>)?, $t:ty, $modify:ident) => {
        #[doc = concat!("As [`std::sync::atomic::", stringify!($name), "`].")]
        pub struct $name $(<$g>)? {
            inner: model::$name $(<$g>)?,
            watch: Watch,
        }

        impl $(<$g>)? $name $(<$g>)? {
            /// An atomic with a value.
            #[track_caller]
            pub fn new(value: $t) -> Self {
                Self { inner: model::$name::new(value), watch: Watch::default() }
            }

            /// Calls `f` with the value, which nobody else can reach: that the program has ordered
            /// all other accesses before this is checked.
            #[track_caller]
            pub fn with_mut<R>(&mut self, f: impl FnOnce(&mut $t) -> R) -> R {
                self.watch.alone();
                f(self.inner.get_mut())
            }

            /// Loads the value without an atomic operation. That no store races is checked.
            ///
            /// # Safety
            ///
            /// No other thread may store meanwhile.
            #[track_caller]
            pub unsafe fn unsync_load(&self) -> $t {
                self.watch.unsync();
                self.inner.unsync_load()
            }

            /// Returns the value.
            #[track_caller]
            pub fn into_inner(self) -> $t {
                self.watch.unsync();
                self.inner.into_inner()
            }

            /// Loads the value.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $t {
                let value = self.inner.load(order);
                self.watch.touched(order, false);
                value
            }

            /// Stores a value.
            #[track_caller]
            pub fn store(&self, value: $t, order: Ordering) {
                self.inner.store(value, order);
                self.watch.touched(order, true);
            }

            /// Stores a value and returns the previous one.
            #[track_caller]
            pub fn swap(&self, value: $t, order: Ordering) -> $t {
                let old = self.inner.swap(value, order);
                self.watch.touched(order, true);
                old
            }

            /// Stores `new` if the value is `current`; returns the previous one.
            #[track_caller]
            pub fn compare_and_swap(&self, current: $t, new: $t, order: Ordering) -> $t {
                let failure = match order {
                    Ordering::Relaxed | Ordering::Release => Ordering::Relaxed,
                    Ordering::Acquire | Ordering::AcqRel => Ordering::Acquire,
                    _ => Ordering::SeqCst,
                };
                self.compare_exchange(current, new, order, failure).unwrap_or_else(|old| old)
            }

            /// Stores `new` if the value is `current`. Returns the previous value, as `Err` if it
            /// was another.
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $t,
                new: $t,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$t, $t> {
                let result = self.inner.compare_exchange(current, new, success, failure);
                let order = if result.is_ok() { success } else { failure };
                self.watch.touched(order, result.is_ok());
                result
            }

            /// Like [`compare_exchange`](Self::compare_exchange): it does not fail spuriously.
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $t,
                new: $t,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$t, $t> {
                self.compare_exchange(current, new, success, failure)
            }

            /// Stores what `f` makes of the value, until that succeeds or `f` returns `None`.
            /// `fetch` is a load's ordering.
            #[track_caller]
            pub fn try_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                mut f: impl FnMut($t) -> Option<$t>,
            ) -> Result<$t, $t> {
                let mut old = self.load(fetch);
                while let Some(new) = f(old) {
                    match self.compare_exchange(old, new, set, fetch) {
                        Ok(_) => return Ok(old),
                        Err(other) => old = other,
                    }
                }
                Err(old)
            }

            /// [`try_update`](Self::try_update) by its older name.
            #[track_caller]
            pub fn fetch_update<F>(&self, set: Ordering, fetch: Ordering, f: F) -> Result<$t, $t>
            where
                F: FnMut($t) -> Option<$t>,
            {
                self.try_update(set, fetch, f)
            }

            /// Stores what `f` makes of the value; returns the previous one.
            #[track_caller]
            pub fn update(
                &self,
                set: Ordering,
                fetch: Ordering,
                mut f: impl FnMut($t) -> $t,
            ) -> $t {
                self.try_update(set, fetch, |old| Some(f(old))).unwrap_or_else(|old| old)
            }
        }

        impl $(<$g>)? fmt::Debug for $name $(<$g>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }

        impl $(<$g>)? From<$t> for $name $(<$g>)? {
            #[track_caller]
            fn from(value: $t) -> Self {
                Self::new(value)
            }
        }

        impl $(<$g>)? Default for $name $(<$g>)? {
            #[track_caller]
            fn default() -> Self {
                Self { inner: Default::default(), watch: Watch::default() }
            }
        }

        atomic!(@$modify $name, $t);
    };
    (@none $name:ident, $t:ty) => {};
    (@logic $name:ident, $t:ty) => {
        atomic!(@operations $name, $t, fetch_and "and" fetch_nand "nand" fetch_or "or" fetch_xor "xor");
    };
    (@number $name:ident, $t:ty) => {
        atomic!(@logic $name, $t);
        atomic!(@operations $name, $t,
            fetch_add "sum" fetch_sub "difference" fetch_max "maximum" fetch_min "minimum");
    };
    (@operations $name:ident, $t:ty, $($f:ident $what:literal)*) => {
        impl $name {
            $(
                #[doc = concat!("Stores the ", $what, " of the value and another; returns the previous one.")]
                #[track_caller]
                pub fn $f(&self, value: $t, order: Ordering) -> $t {
                    let old = self.inner.$f(value, order);
                    self.watch.touched(order, true);
                    old
                }
            )*
        }
    };
}

macro_rules! integers {
    ($($name:ident $t:ty),* $(,)?) => { $(atomic!($name, $t, number);)* };
}

integers! {
    AtomicU8 u8, AtomicU16 u16, AtomicU32 u32, AtomicU64 u64, AtomicUsize usize,
    AtomicI8 i8, AtomicI16 i16, AtomicI32 i32, AtomicI64 i64, AtomicIsize isize,
}

atomic!(AtomicBool, bool, logic);
atomic!(AtomicPtr<T>, *mut T, none);
