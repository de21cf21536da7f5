//! What the compiler is asked to promise: what may cross threads, what is
//! object safe, and how large the things are that there are many of.

use crate::backfill::Backfill;
use crate::connection::{Connection, Shared};
use crate::stream::ActiveStream;
use crate::sync::{Mutex, MutexGuard};
use crate::*;
use static_assertions::{
    assert_impl_all, assert_not_impl_all, assert_not_impl_any, assert_obj_safe,
};

assert_impl_all!(ConnMap: Send, Sync);
assert_impl_all!(Producer: Send, Sync, Clone);
assert_impl_all!(Worker: Send, Sync, Clone);
assert_impl_all!(WorkerPool: Send, Sync);
assert_impl_all!(LiveCounts: Send, Sync, Clone);
assert_impl_all!(Config: Send, Sync, Clone);
assert_impl_all!(Step: Send, Sync);
assert_impl_all!(Connection: Send, Sync);
assert_impl_all!(Shared: Send, Sync);
// Answers go to whichever thread may deliver them. They may hold a scan of the
// host's, which is of one thread at a time.
assert_impl_all!(Deferred<()>: Send);
assert_impl_all!(Deferred<Producer>: Send);
assert_impl_all!(Deferred<Vec<StreamEnd>>: Send);
assert_impl_all!(Wakeups: Send, Default);
assert_not_impl_any!(Wakeups: Sync, Clone);
assert_not_impl_any!(Deferred<()>: Clone);

// The errors can be boxed and sent.
assert_impl_all!(OpenError: std::error::Error, Send, Sync);
assert_impl_all!(RequestError: std::error::Error, Send, Sync);
assert_impl_all!(CloseError: std::error::Error, Send, Sync);
assert_impl_all!(NoSuchConnection: std::error::Error, Send, Sync);

// A guard stays on the thread whose ranks it counts in.
assert_not_impl_any!(MutexGuard<'static, ()>: Send);
assert_impl_all!(Mutex<()>: Send, Sync);
assert_not_impl_all!(Mutex<std::cell::Cell<*const ()>>: Send, Sync);
// A stream ends once: nothing copies it.
assert_not_impl_any!(ActiveStream: Clone);
assert_not_impl_any!(Backfill: Clone);

assert_obj_safe!(ItemSource, Scan, FrontEnd);

/// In bytes, on 64 bit, with std's locks. A size that grows is to be noticed
/// here, and paid knowingly: each is there once for a stream, for a backfill,
/// for a handle or for a message.
#[cfg(target_pointer_width = "64")]
mod sizes {
    use super::*;
    use static_assertions::const_assert_eq;
    use std::mem::size_of;

    const_assert_eq!(size_of::<ActiveStream>(), 120);
    const_assert_eq!(size_of::<Backfill>(), 72);
    const_assert_eq!(size_of::<Producer>(), 16);
    const_assert_eq!(size_of::<StreamEnd>(), 8);
    const_assert_eq!(size_of::<StreamRequest>(), 24);
    const_assert_eq!(size_of::<Item>(), 24);
}
