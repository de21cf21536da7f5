//! `thread_local!` and `lazy_static!`.

/// Declares thread-locals of an execution's threads, as [`std::thread_local!`] does.
///
/// ```
/// loom::thread_local! {
///     static N: std::cell::Cell<u32> = std::cell::Cell::new(1);
/// }
/// loom::model(|| {
///     N.with(|n| n.set(2));
///     loom::thread::spawn(|| N.with(|n| assert_eq!(n.get(), 1)));
/// });
/// ```
#[macro_export]
macro_rules! thread_local {
    () => {};
    ($(#[$attr:meta])* $vis:vis static $name:ident: $t:ty = $init:expr; $($rest:tt)*) => {
        $crate::thread_local!($(#[$attr])* $vis static $name: $t = $init);
        $crate::thread_local!($($rest)*);
    };
    ($(#[$attr:meta])* $vis:vis static $name:ident: $t:ty = $init:expr) => {
        $(#[$attr])* $vis static $name: $crate::thread::LocalKey<$t> =
            $crate::thread::LocalKey::new(|| $init);
    };
}

/// Declares statics that each execution makes anew when it first needs them, as the crate
/// `lazy_static` does once for a process.
///
/// ```
/// use loom::sync::atomic::{AtomicU32, Ordering::SeqCst};
///
/// loom::lazy_static! {
///     static ref N: AtomicU32 = AtomicU32::new(1);
/// }
/// loom::model(|| assert_eq!(N.fetch_add(1, SeqCst), 1));
/// ```
#[macro_export]
macro_rules! lazy_static {
    () => {};
    ($(#[$attr:meta])* $vis:vis static ref $name:ident: $t:ty = $init:expr; $($rest:tt)*) => {
        #[allow(missing_copy_implementations, non_camel_case_types, dead_code)]
        $(#[$attr])*
        $vis struct $name {
            __private: (),
        }
        #[doc(hidden)]
        $vis static $name: $name = $name { __private: () };
        impl ::core::ops::Deref for $name {
            type Target = $t;

            fn deref(&self) -> &$t {
                static LAZY: $crate::lazy_static::Lazy<$t> =
                    $crate::lazy_static::Lazy::new(|| $init);
                LAZY.get()
            }
        }
        $crate::lazy_static!($($rest)*);
    };
}
