//! Wake-ups that a call owes, handed to its caller. Owns no lock.
//!
//! A call of the core may make a paused connection ready. It does not wake the
//! front end itself: the caller may hold a lock that the wake-up takes as well (a
//! vb state lock, a front end's thread lock; kv_engine's MB-20751 and MB-35073
//! were such pairs). The caller gets the wake-ups as part of the answer and
//! delivers them when it holds no lock. So it does with the host's objects that
//! the core has released (rule 3), for their destructors may take such a lock,
//! too.

use crate::after::After;
use crate::host::{contain, FrontEnd, Hosted, Scan};
use std::fmt;
use std::sync::Arc;

/// The answer of a call, with the wake-ups that it owes.
///
/// ```
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
/// # use {connmap::*, doc::*};
/// # let map = ConnMap::new(source(), Config::default());
/// // At once:
/// map.notify(VbId(0), 7).deliver();
///
/// // Or after the host let a lock of its own go:
/// let state = std::sync::RwLock::new(());
/// let deferred = {
///     let _held = state.read().unwrap();
///     map.notify(VbId(0), 8)
/// };
/// deferred.deliver();
/// ```
#[must_use = "a wake-up that is not delivered is lost: call deliver()"]
#[derive(Debug)]
pub struct Deferred<T> {
    value: T,
    wakeups: Wakeups,
}

impl<T> Deferred<T> {
    pub(crate) fn new(value: T, after: After) -> Self {
        Deferred { value, wakeups: after.into_wakeups() }
    }

    /// Wakes the front ends that the call owes a wake-up, drops the scans and front
    /// ends that it has released, and returns the answer. Calls the host's
    /// [`FrontEnd::wake`] and destructors: hold no lock that they take. Takes no
    /// lock of the core's; O(1) for each.
    pub fn deliver(self) -> T {
        self.wakeups.deliver();
        self.value
    }

    /// The answer now, the wake-ups for later. O(1); takes no lock.
    pub fn split(self) -> (T, Wakeups) {
        (self.value, self.wakeups)
    }
}

/// Wake-ups that are still to be delivered; see [`Deferred`].
#[must_use = "a wake-up that is not delivered is lost: call deliver()"]
#[derive(Default)]
pub struct Wakeups {
    owed: Vec<Owed>,
    wakes: usize,
}

/// An object of the host's, and what is done with it outside of every lock.
enum Owed {
    Wake(Hosted<Arc<dyn FrontEnd>>),
    /// To be dropped.
    FrontEnd(#[allow(dead_code)] Hosted<Arc<dyn FrontEnd>>),
    /// To be dropped.
    Scan(#[allow(dead_code)] Hosted<Box<dyn Scan>>),
}

impl Wakeups {
    pub(crate) fn push(&mut self, front_end: Hosted<Arc<dyn FrontEnd>>) {
        self.owed.push(Owed::Wake(front_end));
        self.wakes += 1;
    }

    /// Adds a scan, to be dropped with the wake-ups.
    pub(crate) fn keep_scan(&mut self, scan: Option<Hosted<Box<dyn Scan>>>) {
        self.owed.extend(scan.map(Owed::Scan));
    }

    /// Adds a front end, to be dropped with the wake-ups.
    pub(crate) fn keep_front_end(&mut self, front_end: Hosted<Arc<dyn FrontEnd>>) {
        self.owed.push(Owed::FrontEnd(front_end));
    }

    /// Takes over the wake-ups of another call, to deliver them together. O(1)
    /// for each; takes no lock.
    pub fn append(&mut self, other: Wakeups) {
        self.owed.extend(other.owed);
        self.wakes += other.wakes;
    }

    /// How many front ends are to be woken.
    pub fn len(&self) -> usize {
        self.wakes
    }

    /// Whether no front end is to be woken.
    pub fn is_empty(&self) -> bool {
        self.wakes == 0
    }

    /// Wakes the front ends. Calls the host's [`FrontEnd::wake`]: a panic in one
    /// is contained, and the others are still woken. Takes no lock of the core's.
    pub fn deliver(self) {
        for owed in &self.owed {
            if let Owed::Wake(front_end) = owed {
                contain(|| front_end.wake());
            }
        }
    }
}

impl fmt::Debug for Wakeups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wakeups").field(&self.len()).finish()
    }
}
