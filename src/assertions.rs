//! Assertions at compile time: which types may cross threads, which traits are
//! object safe, and the sizes of the objects of which there are many.

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
// Any thread may deliver an answer. It may hold a scan of the host's, which is used
// by one thread at a time.
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

// A guard stays on the thread whose held ranks it is part of.
assert_not_impl_any!(MutexGuard<'static, ()>: Send);
assert_impl_all!(Mutex<()>: Send, Sync);
assert_not_impl_all!(Mutex<std::cell::Cell<*const ()>>: Send, Sync);
// A stream ends once: it cannot be copied.
assert_not_impl_any!(ActiveStream: Clone);
assert_not_impl_any!(Backfill: Clone);

assert_obj_safe!(ItemSource, Scan, FrontEnd);

/// In bytes, on 64 bit, with std's locks. A size that grows fails here, so that it
/// is a decision: there is one of these for each stream, backfill, handle or
/// message.
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
