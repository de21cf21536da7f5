//! rust-lightning read a readers-writer lock in a thread that read it already. Whether the second
//! reader gets in while a writer waits is up to the platform; if not, each waits for the other.

use super::{explore, Bug, Form};
use shuttle_dpor::sync::{RwLock, RwLockReadGuard};
use shuttle_dpor::{name_thread, thread};
use std::sync::Arc;

pub(super) const BUG: Bug = Bug {
    name: "rust-lightning-2006",
    url: "https://github.com/lightningdevkit/rust-lightning/pull/2006",
    reported: "one thread trying to take a write lock may deadlock with another thread that both \
               already has, and is attempting to take again, a read lock",
    forms: &[
        Form {
            name: "broken",
            explore: || explore(|| events_and_persist(false)),
            orderings: 3,
            violates: Some(("no-deadlock", 1)),
        },
        Form {
            name: "mended",
            explore: || explore(|| events_and_persist(true)),
            orderings: 2,
            violates: None,
        },
    ],
};

struct Manager {
    /// Readers change the parts, each under its own lock; the writer stores the whole.
    consistency: RwLock<u32>,
}

impl Manager {
    /// Holds the lock, and calls what takes it.
    fn pending_events(&self, mended: bool) {
        let held = self.consistency.read().unwrap();
        if mended {
            Manager::monitor_updated(&held);
        } else {
            Manager::monitor_updated(&self.consistency.read().unwrap());
        }
    }

    fn monitor_updated(consistency: &RwLockReadGuard<'_, u32>) {
        assert_eq!(**consistency % 2, 0, "read in the middle of a write");
    }

    fn persist(&self) {
        let mut consistency = self.consistency.write().unwrap();
        *consistency += 1;
        *consistency += 1;
    }
}

fn events_and_persist(mended: bool) {
    name_thread("events");
    let manager = Arc::new(Manager { consistency: RwLock::named("consistency", 0) });
    let persisters = manager.clone();
    let persister = thread::spawn(move || {
        name_thread("persister");
        persisters.persist();
    });
    manager.pending_events(mended);
    persister.join().unwrap();
}
