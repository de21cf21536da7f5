//! Statics that each execution makes anew.

use crate::rt;
use crate::sync::LazyLock;
use std::any::Any;
use std::fmt;
use std::ops::Deref;

/// A static of the execution; made by [`statics!`](crate::statics!).
pub struct Static<T: 'static> {
    name: &'static str,
    make: fn() -> T,
}

impl<T: Sync + 'static> Static<T> {
    #[doc(hidden)]
    pub const fn new(name: &'static str, make: fn() -> T) -> Self {
        Static { name, make }
    }
}

impl<T: 'static> Deref for Static<T> {
    type Target = T;

    /// The value, which this execution makes if it has not. No operation: it is as if it had been there
    /// from the beginning.
    fn deref(&self) -> &T {
        let address = self as *const Self as usize;
        // Whoever has the reference may keep it beyond the execution, as it is one to a static. So what
        // it refers to is never freed.
        let make = || Box::leak(Box::new((self.make)())) as &'static dyn Any;
        let value = rt::of_static(address, self.name, make);
        value.downcast_ref().expect("a static has one type")
    }
}

impl<T: fmt::Debug + 'static> fmt::Debug for Static<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A static of the execution that is made when it is first needed; made by
/// [`lazy_static!`](crate::lazy_static!).
pub struct Lazy<T: 'static> {
    cell: Static<LazyLock<T>>,
}

impl<T: Send + Sync + 'static> Lazy<T> {
    #[doc(hidden)]
    pub const fn new(name: &'static str, make: fn() -> LazyLock<T>) -> Self {
        Lazy { cell: Static::new(name, make) }
    }
}

impl<T: 'static> Deref for Lazy<T> {
    type Target = T;

    /// The value, as of a [`LazyLock`]: each access is an operation.
    #[track_caller]
    fn deref(&self) -> &T {
        LazyLock::force(&self.cell)
    }
}

impl<T: fmt::Debug + 'static> fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cell.fmt(f)
    }
}

/// Declares statics of these primitives, which each execution makes anew.
///
/// ```
/// use shuttle_dpor::sync::{atomic::{AtomicU32, Ordering::SeqCst}, Mutex, OnceLock};
/// use shuttle_dpor::{statics, thread, Explorer};
///
/// statics! {
///     static CALLS: AtomicU32 = AtomicU32::new(0);
///     static NAMES: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
///     static FIRST: OnceLock<u32> = OnceLock::new();
/// }
///
/// fn call(name: &'static str) {
///     FIRST.get_or_init(|| CALLS.fetch_add(1, SeqCst));
///     NAMES.lock().unwrap().push(name);
/// }
///
/// let report = Explorer::new().explore(|| {
///     let other = thread::spawn(|| call("other"));
///     call("main");
///     other.join().unwrap();
///     (CALLS.load(SeqCst), NAMES.lock().unwrap().clone())
/// });
/// report.assert_complete();
/// assert!(report.outcomes.keys().eq(&[(1, vec!["main", "other"]), (1, vec!["other", "main"])]));
/// ```
///
/// The initialiser is an expression as std wants one; it need not be constant, but it must not perform
/// operations, which one of [`lazy_static!`](crate::lazy_static!) or a
/// [`LazyLock`](crate::sync::LazyLock) may. The name that witnesses show of the first object in it is
/// the static's.
///
/// A crate that is built for std as well needs no more than a macro of its own there:
///
/// ```
/// macro_rules! statics {
///     ($($statics:tt)*) => { $($statics)* };
/// }
/// statics! { static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0); }
/// # assert_eq!(CALLS.load(std::sync::atomic::Ordering::SeqCst), 0);
/// ```
///
/// # Why a macro
///
/// What stands in a static has to be made by a `const fn`, which can do nothing when it runs; and the
/// value that it made cannot be had once more when the next execution begins. An object here is named
/// by the thread that makes it, in the order in which that thread makes objects, so that it is the same
/// object in every ordering: constructors have to take note of that, and are not `const`. (By the
/// thread that first uses it, it would be another object in another ordering.) loom's are not either.
///
/// # What it costs
///
/// A static is never dropped, as in std; and because anybody may keep a reference to it, what one
/// execution has made is not freed when the next begins. Each execution leaks what it makes of each
/// static that it comes to.
#[macro_export]
macro_rules! statics {
    () => {};
    ($(#[$attr:meta])* $vis:vis static $name:ident: $t:ty = $init:expr $(; $($rest:tt)*)?) => {
        $(#[$attr])* $vis static $name: $crate::statics::Static<$t> =
            $crate::statics::Static::new(stringify!($name), || $init);
        $($crate::statics!($($rest)*);)?
    };
}

/// Declares statics that are made when they are first needed, anew in each execution, with the syntax
/// of the crate `lazy_static`, and of shuttle's and loom's macros.
///
/// Who makes it is explored: it is a [`LazyLock`](crate::sync::LazyLock) in a static (see
/// [`statics!`](crate::statics!), also for what it costs).
///
/// ```
/// use shuttle_dpor::sync::{atomic::{AtomicU32, Ordering::SeqCst}, Mutex};
/// use shuttle_dpor::{thread, Explorer};
///
/// shuttle_dpor::lazy_static! {
///     /// What is there, from the beginning.
///     static ref NAMES: Mutex<Vec<&'static str>> = Mutex::new(vec!["first"]);
/// }
/// let report = Explorer::new().explore(|| {
///     let other = thread::spawn(|| NAMES.lock().unwrap().push("other"));
///     let seen = NAMES.lock().unwrap().len();
///     other.join().unwrap();
///     seen
/// });
/// assert!(report.outcomes.keys().eq(&[1, 2]));
/// ```
#[macro_export]
macro_rules! lazy_static {
    () => {};
    ($(#[$attr:meta])* $vis:vis static ref $name:ident: $t:ty = $init:expr $(; $($rest:tt)*)?) => {
        $(#[$attr])* $vis static $name: $crate::statics::Lazy<$t> =
            $crate::statics::Lazy::new(stringify!($name), || $crate::sync::LazyLock::new(|| $init));
        $($crate::lazy_static!($($rest)*);)?
    };
}
