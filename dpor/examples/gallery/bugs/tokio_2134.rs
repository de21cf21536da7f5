//! tokio's first broadcast channel: a sender that comes round to a slot still being read waits on a
//! condition variable of the tail's mutex. A reader that was done notified it without that mutex.

use super::{explore, Bug, Form};
use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::{Condvar, Mutex};
use shuttle_dpor::{name_thread, note, thread};
use std::sync::Arc;

pub(super) const BUG: Bug = Bug {
    name: "tokio-2134",
    url: "https://github.com/tokio-rs/tokio/pull/2134",
    reported: "`condvar.notify_one()` is called without holding the tail mutex, causing the \
               notification to be lost and leaving the sender waiting",
    forms: &[
        Form {
            name: "broken",
            explore: || explore(|| send_and_read(false)),
            orderings: 3,
            violates: Some(("no-deadlock", 1)),
        },
        Form {
            name: "mended",
            explore: || explore(|| send_and_read(true)),
            orderings: 3,
            violates: None,
        },
    ],
};

struct Channel {
    /// The position of the next value.
    tail: Mutex<usize>,
    unlocked: Condvar,
    /// How many read the only slot.
    readers: AtomicUsize,
}

impl Channel {
    fn send(&self) {
        let mut tail = self.tail.lock().unwrap();
        while self.readers.load(SeqCst) != 0 {
            note("the slot is being read");
            tail = self.unlocked.wait(tail).unwrap();
        }
        *tail += 1;
    }

    fn done_reading(&self, mended: bool) {
        self.readers.fetch_sub(1, SeqCst);
        // Holding the mutex, a sender has either not looked yet or waits already.
        let _tail = mended.then(|| self.tail.lock().unwrap());
        self.unlocked.notify_one();
    }
}

fn send_and_read(mended: bool) {
    name_thread("sender");
    let channel = Arc::new(Channel {
        tail: Mutex::named("tail", 0),
        unlocked: Condvar::named("unlocked"),
        readers: AtomicUsize::named("readers", 1),
    });
    let readers = channel.clone();
    let reader = thread::spawn(move || {
        name_thread("reader");
        readers.done_reading(mended);
    });
    channel.send();
    reader.join().unwrap();
}
