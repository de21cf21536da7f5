//! crossbeam's skip list replaced the value of a key by letting go of the old node and then linking the
//! new one: in between, the key was not there.

use super::{explore, Bug, Form};
use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::{name_thread, report_violation, thread};
use std::sync::Arc;

pub(super) const BUG: Bug = Bug {
    name: "crossbeam-1023",
    url: "https://github.com/crossbeam-rs/crossbeam/issues/1023",
    reported: "insert reduces the refcount of the old value and then sets the new value; a get that \
               occurs between will return None because it sees a deleted value with a refcount of zero",
    forms: &[
        Form {
            name: "broken",
            explore: || explore(|| replace_and_get(false)),
            orderings: 4,
            violates: Some(("a-key-stays", 1)),
        },
        Form {
            name: "mended",
            explore: || explore(|| replace_and_get(true)),
            orderings: 3,
            violates: None,
        },
    ],
};

/// Of a skip list the place of one key: which node is linked there, and the nodes' references.
struct Place {
    linked: AtomicUsize,
    references: [AtomicUsize; 2],
}

impl Place {
    fn insert(&self, mended: bool) {
        let new = 1;
        if mended {
            let old = self.linked.swap(new, SeqCst);
            self.references[old].fetch_sub(1, SeqCst);
        } else {
            let old = self.linked.load(SeqCst);
            self.references[old].fetch_sub(1, SeqCst);
            self.linked.store(new, SeqCst);
        }
    }

    /// The node, if it has not been deleted. Whoever finds one that has looks again: in the mended form
    /// the new one has been linked by then.
    fn get(&self) -> Option<usize> {
        let alive = |node: &usize| self.references[*node].load(SeqCst) > 0;
        let mut look = (0..2).map(|_| self.linked.load(SeqCst));
        look.find(alive)
    }
}

/// One thread replaces the value of a key that another gets.
fn replace_and_get(mended: bool) {
    name_thread("inserter");
    let place = Arc::new(Place {
        linked: AtomicUsize::named("linked", 0),
        references: ["old", "new"].map(|node| AtomicUsize::named(format!("{node} references"), 1)),
    });
    let gets = place.clone();
    let getter = thread::spawn(move || {
        name_thread("getter");
        if gets.get().is_none() {
            report_violation("a-key-stays", "the key was there before, and is replaced");
        }
    });
    place.insert(mended);
    getter.join().unwrap();
}
