//! gax-java's batcher waits until no batch is outstanding. It looked at the count, then took the
//! monitor, then waited; the last batch could complete and notify before it waited. The same in any
//! language with condition variables: what is waited for has to be looked at under the lock.

use super::{explore, Bug, Form};
use shuttle_dpor::sync::atomic::{AtomicU32, Ordering::SeqCst};
use shuttle_dpor::sync::{Condvar, Mutex};
use shuttle_dpor::{name_thread, note, thread};
use std::sync::Arc;

pub(super) const BUG: Bug = Bug {
    name: "gax-java-1200",
    url: "https://github.com/googleapis/gax-java/pull/1200",
    reported:
        "T1 checks numOfOutstandingBatches > 0; T2 decrements it, and calls notifyAll(); T1 calls \
               wait(): T1 will wait indefinitely",
    forms: &[
        Form {
            name: "broken",
            explore: || explore(|| await_two(false)),
            orderings: 10,
            violates: Some(("no-deadlock", 4)),
        },
        Form {
            name: "mended",
            explore: || explore(|| await_two(true)),
            orderings: 16,
            violates: None,
        },
    ],
};

struct Batcher {
    outstanding: AtomicU32,
    flush: Mutex<()>,
    flushed: Condvar,
}

impl Batcher {
    fn complete(&self) {
        if self.outstanding.fetch_sub(1, SeqCst) == 1 {
            let _flush = self.flush.lock().unwrap();
            self.flushed.notify_all();
        }
    }

    fn await_all(&self, mended: bool) {
        while self.outstanding.load(SeqCst) > 0 {
            note("a batch is outstanding");
            let flush = self.flush.lock().unwrap();
            if mended && self.outstanding.load(SeqCst) == 0 {
                break;
            }
            drop(self.flushed.wait(flush).unwrap());
        }
    }
}

fn await_two(mended: bool) {
    name_thread("flush");
    let batcher = Arc::new(Batcher {
        outstanding: AtomicU32::named("outstanding", 2),
        flush: Mutex::named("flush lock", ()),
        flushed: Condvar::named("flushed"),
    });
    let batches = ["batch 1", "batch 2"].map(|name| {
        let batcher = batcher.clone();
        thread::spawn(move || {
            name_thread(name);
            batcher.complete();
        })
    });
    batcher.await_all(mended);
    for batch in batches {
        batch.join().unwrap();
    }
}
