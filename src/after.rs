//! The work that a critical section leaves for when its lock is released (by
//! rule 3). Owns no lock.

use crate::backfill::Backfill;
use crate::host::{FrontEnd, Hosted};
use crate::stream::Unsent;
use crate::wakeups::Wakeups;
use std::sync::Arc;

/// Front ends to be woken, objects of the host's to be dropped, and unsent
/// messages, which may be 20 MiB. Without any it costs no allocation.
#[must_use = "to be dropped or turned into wake-ups when the lock is released"]
#[derive(Default)]
pub(crate) struct After {
    wakeups: Wakeups,
    unsent: Vec<Unsent>,
}

impl After {
    pub(crate) fn wake(&mut self, front_end: Hosted<Arc<dyn FrontEnd>>) {
        self.wakeups.push(front_end);
    }

    /// Takes the scan of a backfill that is over.
    pub(crate) fn backfill(&mut self, backfill: Backfill) {
        self.wakeups.keep_scan(backfill.scan);
    }

    pub(crate) fn front_end(&mut self, front_end: Hosted<Arc<dyn FrontEnd>>) {
        self.wakeups.keep_front_end(front_end);
    }

    pub(crate) fn unsent(&mut self, unsent: Unsent) {
        if !unsent.is_empty() {
            self.unsent.push(unsent);
        }
    }

    /// Drops the unsent messages here. The host's objects are dropped with the
    /// wake-ups: the caller may hold a lock of its own now, but not when it
    /// delivers. Never to be called under a lock of the core's.
    pub(crate) fn into_wakeups(self) -> Wakeups {
        self.wakeups
    }
}
