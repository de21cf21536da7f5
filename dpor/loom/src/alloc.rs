//! Allocations that must not leak.

use crate::execution::{Leak, try_with};
use std::panic::Location;

#[doc(no_inline)]
pub use std::alloc::Layout;

/// Allocates memory that must be given back to [`dealloc`] before the execution is over.
///
/// # Safety
///
/// As for [`std::alloc::alloc`].
#[track_caller]
pub unsafe fn alloc(layout: Layout) -> *mut u8 {
    // SAFETY: the caller's.
    let pointer = unsafe { std::alloc::alloc(layout) };
    allocated(pointer, Location::caller());
    pointer
}

/// Like [`alloc`], with memory that is zero.
///
/// # Safety
///
/// As for [`std::alloc::alloc_zeroed`].
///
/// ```
/// use loom::alloc::{alloc_zeroed, dealloc, Layout};
///
/// loom::model(|| unsafe {
///     let pointer = alloc_zeroed(Layout::new::<u32>());
///     assert_eq!(*pointer, 0);
///     dealloc(pointer, Layout::new::<u32>());
/// });
/// ```
#[track_caller]
pub unsafe fn alloc_zeroed(layout: Layout) -> *mut u8 {
    // SAFETY: the caller's.
    let pointer = unsafe { std::alloc::alloc_zeroed(layout) };
    allocated(pointer, Location::caller());
    pointer
}

/// Gives memory back.
///
/// # Safety
///
/// As for [`std::alloc::dealloc`].
#[track_caller]
pub unsafe fn dealloc(pointer: *mut u8, layout: Layout) {
    try_with(|e| e.alive.remove(&(pointer as usize, true)));
    // SAFETY: the caller's.
    unsafe { std::alloc::dealloc(pointer, layout) }
}

fn allocated(pointer: *mut u8, made: &'static Location<'static>) {
    if !pointer.is_null() {
        let leak = Leak { what: "an allocation", made };
        try_with(|e| e.alive.insert((pointer as usize, true), leak));
    }
}

/// A value that must be dropped before the execution is over.
///
/// ```should_panic
/// loom::model(|| std::mem::forget(loom::alloc::Track::new(1)));
/// ```
#[derive(Debug)]
pub struct Track<T> {
    value: T,
    mark: Mark,
}

#[derive(Debug)]
struct Mark(usize);

impl Drop for Mark {
    fn drop(&mut self) {
        try_with(|e| e.alive.remove(&(self.0, false)));
    }
}

impl<T> Track<T> {
    /// Keeps track of a value.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let made = Location::caller();
        let number = try_with(|e| {
            e.tracked += 1;
            e.alive.insert((e.tracked, false), Leak { what: "a tracked value", made });
            e.tracked
        });
        Track { value, mark: Mark(number.unwrap_or_default()) }
    }

    /// The value.
    pub fn get_ref(&self) -> &T {
        &self.value
    }

    /// The value, to change it.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// The value, which need not be dropped any more.
    pub fn into_inner(self) -> T {
        let Track { value, mark } = self;
        drop(mark);
        value
    }
}
