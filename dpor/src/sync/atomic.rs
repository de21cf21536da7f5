//! Atomics, with the interface of [`std::sync::atomic`].
//!
//! Every operation is sequentially consistent, whatever ordering it asks for: what weaker orderings
//! allow beyond that is not explored. The ordering that it asks for decides whether it synchronises,
//! and so whether accesses to a [`CheckedCell`](crate::cell::CheckedCell) race.

use crate::object::State;
use crate::op::{Kind, ObjId, Op, ACQUIRE, ACQUIRE_ON_FAILURE, RELEASE};
use crate::rt;
use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::Ordering::SeqCst;

pub use std::sync::atomic::{compiler_fence, Ordering};

/// A fence, which matters for the detection of data races alone: all operations are sequentially
/// consistent.
#[track_caller]
pub fn fence(order: Ordering) {
    assert!(order != Ordering::Relaxed, "there is no such thing as a relaxed fence");
    let bits = bits_of(order);
    rt::with(|rt| rt.fence(bits & ACQUIRE != 0, bits & RELEASE != 0));
}

fn bits_of(order: Ordering) -> u8 {
    match order {
        Ordering::Relaxed => 0,
        Ordering::Acquire => ACQUIRE,
        Ordering::Release => RELEASE,
        _ => ACQUIRE | RELEASE,
    }
}

/// What a load synchronises. Like std's, it panics if that is none of its business.
#[track_caller]
fn of_load(order: Ordering) -> u8 {
    match order {
        Ordering::Release => panic!("there is no such thing as a release load"),
        Ordering::AcqRel => panic!("there is no such thing as an acquire-release load"),
        _ => bits_of(order),
    }
}

/// What a store synchronises. Like std's, it panics if that is none of its business.
#[track_caller]
fn of_store(order: Ordering) -> u8 {
    match order {
        Ordering::Acquire => panic!("there is no such thing as an acquire store"),
        Ordering::AcqRel => panic!("there is no such thing as an acquire-release store"),
        _ => bits_of(order),
    }
}

/// What a compare-exchange synchronises if it fails: it is a load then.
#[track_caller]
fn of_failure(order: Ordering) -> u8 {
    if of_load(order) & ACQUIRE != 0 {
        ACQUIRE_ON_FAILURE
    } else {
        0
    }
}

/// What explorer and witness know of a value.
trait Bits: Copy {
    fn bits(self) -> u64;
}

macro_rules! bits {
    ($($t:ty),*) => { $(impl Bits for $t {
        fn bits(self) -> u64 {
            self as u64
        }
    })* };
}

bits!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, bool);

impl<T> Bits for *mut T {
    fn bits(self) -> u64 {
        self as usize as u64
    }
}

macro_rules! atomic {
    ($(#[$doc:meta])* $name:ident $(<$g:ident>)?, $t:ty, $std:ty, $nand:ident) => {
        $(#[$doc])*
        pub struct $name $(<$g>)? {
            id: ObjId,
            value: $std,
        }

        impl $(<$g>)? $name $(<$g>)? {
            /// An atomic with a value. Not `const`: see [`statics!`](crate::statics!).
            #[track_caller]
            pub fn new(value: $t) -> Self {
                Self { id: rt::create(State::Plain), value: <$std>::new(value) }
            }

            /// An atomic whose name witnesses show.
            #[track_caller]
            pub fn named(name: impl Into<Cow<'static, str>>, value: $t) -> Self {
                let atomic = Self::new(value);
                atomic.set_name(name);
                atomic
            }

            /// Sets the name that witnesses show.
            pub fn set_name(&self, name: impl Into<Cow<'static, str>>) {
                rt::set_name(self.id, name.into());
            }

            /// Loads the value.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $t {
                let at = Location::caller();
                let op = Op::new(self.id, Kind::Load, at).with_order(of_load(order));
                rt::perform_with(op, || {
                    let value = self.value.load(SeqCst);
                    (value, value.bits(), value.bits(), Kind::Load)
                })
            }

            /// Stores a value.
            #[track_caller]
            pub fn store(&self, value: $t, order: Ordering) {
                let at = Location::caller();
                let op = Op::new(self.id, Kind::Store, at).with_order(of_store(order));
                rt::perform_with(op, || {
                    let old = self.value.swap(value, SeqCst);
                    ((), old.bits(), value.bits(), Kind::Store)
                })
            }

            #[track_caller]
            fn modify(
                &self,
                verb: &'static str,
                order: Ordering,
                f: impl FnOnce($t) -> $t,
            ) -> $t {
                let at = Location::caller();
                let op = Op::new(self.id, Kind::Rmw, at).with_order(bits_of(order)).with_verb(verb);
                rt::perform_with(op, || {
                    let old = self.value.load(SeqCst);
                    let new = f(old);
                    self.value.store(new, SeqCst);
                    (old, old.bits(), new.bits(), Kind::Rmw)
                })
            }

            /// Stores a value and returns the previous one.
            #[track_caller]
            pub fn swap(&self, value: $t, order: Ordering) -> $t {
                self.modify("swap", order, |_| value)
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
                let at = Location::caller();
                let arg = current.bits();
                let op = Op::new(self.id, Kind::CompareExchange, at)
                    .with_arg(arg)
                    .with_verb("compare_exchange")
                    .with_order(bits_of(success) | of_failure(failure));
                rt::perform_with(op, || {
                    let result = self.value.compare_exchange(current, new, SeqCst, SeqCst);
                    match result {
                        Ok(old) => (result, old.bits(), new.bits(), Kind::Rmw),
                        Err(old) => (result, old.bits(), old.bits(), Kind::CompareExchangeFailed),
                    }
                })
            }

            /// Like [`compare_exchange`](Self::compare_exchange), but may fail though the value is
            /// `current`, where [`Explorer::spurious_failures`](crate::Explorer::spurious_failures)
            /// allows that.
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $t,
                new: $t,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$t, $t> {
                let at = Location::caller();
                if !(rt::may_fail_spuriously() && crate::thread::toss(at)) {
                    return self.compare_exchange(current, new, success, failure);
                }
                rt::with(|rt| rt.failed_spuriously());
                let order = of_failure(failure);
                let op = Op::new(self.id, Kind::CompareExchangeFailed, at).with_order(order);
                rt::perform_with(op, || {
                    let old = self.value.load(SeqCst);
                    (Err(old), old.bits(), old.bits(), Kind::CompareExchangeFailed)
                })
            }

            /// Stores what `f` makes of the value, until that succeeds or `f` returns `None`. `fetch`
            /// is a load's ordering.
            #[track_caller]
            pub fn fetch_update<F>(&self, set: Ordering, fetch: Ordering, mut f: F) -> Result<$t, $t>
            where
                F: FnMut($t) -> Option<$t>,
            {
                let mut old = self.load(fetch);
                while let Some(new) = f(old) {
                    match self.compare_exchange_weak(old, new, set, fetch) {
                        Ok(_) => return Ok(old),
                        Err(other) => old = other,
                    }
                }
                Err(old)
            }

            /// Like [`fetch_update`](Self::fetch_update), by its newer name.
            #[track_caller]
            pub fn try_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                f: impl FnMut($t) -> Option<$t>,
            ) -> Result<$t, $t> {
                self.fetch_update(set, fetch, f)
            }

            /// Stores what `f` makes of the value, until that succeeds. Returns the previous value.
            #[track_caller]
            pub fn update(
                &self,
                set: Ordering,
                fetch: Ordering,
                mut f: impl FnMut($t) -> $t,
            ) -> $t {
                match self.fetch_update(set, fetch, |old| Some(f(old))) {
                    Ok(old) | Err(old) => old,
                }
            }

            /// Returns the value.
            pub fn into_inner(self) -> $t {
                self.value.into_inner()
            }

            /// The value as it is now. No operation, and none that others are ordered with: for those
            /// who know that nobody writes meanwhile.
            pub fn unsync_load(&self) -> $t {
                self.value.load(SeqCst)
            }

            /// The value, which nobody else can reach.
            pub fn get_mut(&mut self) -> &mut $t {
                self.value.get_mut()
            }
        }

        impl $(<$g>)? fmt::Debug for $name $(<$g>)? {
            /// Loads the value, as std's does: an operation.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let value = if rt::dying() {
                    self.value.load(SeqCst)
                } else {
                    self.load(Ordering::Relaxed)
                };
                value.fmt(f)
            }
        }

        impl $(<$g>)? From<$t> for $name $(<$g>)? {
            #[track_caller]
            fn from(value: $t) -> Self {
                Self::new(value)
            }
        }

        atomic!(@$nand $name, $t);
    };
    (@logic $name:ident, $t:ty) => {
        impl Default for $name {
            #[track_caller]
            fn default() -> Self {
                Self::new(Default::default())
            }
        }

        impl $name {
            /// Replaces the value by its bitwise "and" with `value`; returns the previous one.
            #[track_caller]
            pub fn fetch_and(&self, value: $t, order: Ordering) -> $t {
                self.modify("fetch_and", order, |old| old & value)
            }

            /// Replaces the value by its bitwise "nand" with `value`; returns the previous one.
            #[track_caller]
            pub fn fetch_nand(&self, value: $t, order: Ordering) -> $t {
                self.modify("fetch_nand", order, |old| !(old & value))
            }

            /// Replaces the value by its bitwise "or" with `value`; returns the previous one.
            #[track_caller]
            pub fn fetch_or(&self, value: $t, order: Ordering) -> $t {
                self.modify("fetch_or", order, |old| old | value)
            }

            /// Replaces the value by its bitwise "xor" with `value`; returns the previous one.
            #[track_caller]
            pub fn fetch_xor(&self, value: $t, order: Ordering) -> $t {
                self.modify("fetch_xor", order, |old| old ^ value)
            }
        }
    };
    (@number $name:ident, $t:ty) => {
        atomic!(@logic $name, $t);

        impl $name {
            /// Adds `value`, wrapping around; returns the previous value.
            #[track_caller]
            pub fn fetch_add(&self, value: $t, order: Ordering) -> $t {
                self.modify("fetch_add", order, |old| old.wrapping_add(value))
            }

            /// Subtracts `value`, wrapping around; returns the previous value.
            #[track_caller]
            pub fn fetch_sub(&self, value: $t, order: Ordering) -> $t {
                self.modify("fetch_sub", order, |old| old.wrapping_sub(value))
            }

            /// Replaces the value by the larger of it and `value`; returns the previous one.
            #[track_caller]
            pub fn fetch_max(&self, value: $t, order: Ordering) -> $t {
                self.modify("fetch_max", order, |old| old.max(value))
            }

            /// Replaces the value by the smaller of it and `value`; returns the previous one.
            #[track_caller]
            pub fn fetch_min(&self, value: $t, order: Ordering) -> $t {
                self.modify("fetch_min", order, |old| old.min(value))
            }
        }
    };
    (@pointer $name:ident, $t:ty) => {
        impl<T> Default for $name<T> {
            #[track_caller]
            fn default() -> Self {
                Self::new(std::ptr::null_mut())
            }
        }

        impl<T> $name<T> {
            /// Adds `value` times the size of a `T`; returns the previous pointer.
            #[track_caller]
            pub fn fetch_ptr_add(&self, value: usize, order: Ordering) -> $t {
                self.modify("fetch_ptr_add", order, |old| old.wrapping_add(value))
            }

            /// Subtracts `value` times the size of a `T`; returns the previous pointer.
            #[track_caller]
            pub fn fetch_ptr_sub(&self, value: usize, order: Ordering) -> $t {
                self.modify("fetch_ptr_sub", order, |old| old.wrapping_sub(value))
            }

            /// Adds `value` bytes; returns the previous pointer.
            #[track_caller]
            pub fn fetch_byte_add(&self, value: usize, order: Ordering) -> $t {
                self.modify("fetch_byte_add", order, |old| old.wrapping_byte_add(value))
            }

            /// Subtracts `value` bytes; returns the previous pointer.
            #[track_caller]
            pub fn fetch_byte_sub(&self, value: usize, order: Ordering) -> $t {
                self.modify("fetch_byte_sub", order, |old| old.wrapping_byte_sub(value))
            }

            /// Sets bits of the address; returns the previous pointer.
            #[track_caller]
            pub fn fetch_or(&self, value: usize, order: Ordering) -> $t {
                self.modify("fetch_or", order, |old| old.map_addr(|addr| addr | value))
            }

            /// Keeps those bits of the address; returns the previous pointer.
            #[track_caller]
            pub fn fetch_and(&self, value: usize, order: Ordering) -> $t {
                self.modify("fetch_and", order, |old| old.map_addr(|addr| addr & value))
            }

            /// Flips bits of the address; returns the previous pointer.
            #[track_caller]
            pub fn fetch_xor(&self, value: usize, order: Ordering) -> $t {
                self.modify("fetch_xor", order, |old| old.map_addr(|addr| addr ^ value))
            }
        }
    };
}

macro_rules! integers {
    ($($name:ident $t:ty),* $(,)?) => { $(
        atomic!(
            #[doc = concat!("An atomic `", stringify!($t), "`, with the interface of std's.")]
            $name, $t, std::sync::atomic::$name, number
        );
    )* };
}

integers! {
    AtomicU8 u8, AtomicU16 u16, AtomicU32 u32, AtomicU64 u64, AtomicUsize usize,
    AtomicI8 i8, AtomicI16 i16, AtomicI32 i32, AtomicI64 i64, AtomicIsize isize,
}

atomic!(
    /// An atomic `bool`, with the interface of std's.
    AtomicBool, bool, std::sync::atomic::AtomicBool, logic
);

impl AtomicBool {
    /// Negates the value; returns the previous one.
    #[track_caller]
    pub fn fetch_not(&self, order: Ordering) -> bool {
        self.modify("fetch_not", order, |old| !old)
    }
}

atomic!(
    /// An atomic pointer, with the interface of std's.
    AtomicPtr<T>, *mut T, std::sync::atomic::AtomicPtr<T>, pointer
);
