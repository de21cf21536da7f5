//! Hints, as [`std::hint`] has them.

use crate::thread::yield_now;

/// Tells that the current thread waits for others by looking again and again: as [`yield_now`].
#[track_caller]
pub fn spin_loop() {
    yield_now();
}
