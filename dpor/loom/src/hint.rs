//! Hints, as in [`std::hint`].

/// Lets others go first: [`yield_now`](crate::thread::yield_now).
///
/// ```
/// loom::model(loom::hint::spin_loop);
/// ```
#[track_caller]
pub fn spin_loop() {
    crate::thread::yield_now();
}

/// Panics, as it should not be reached.
///
/// # Safety
///
/// None is needed: it is unsafe because std's is.
#[track_caller]
pub unsafe fn unreachable_unchecked() -> ! {
    unreachable!("unreachable_unchecked was reached")
}
