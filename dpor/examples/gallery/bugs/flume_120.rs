//! flume's asynchronous receiver looked for a message first and for the sender's end then. A sender
//! that sent and went away in between had its message lost.

use super::{explore, Bug, Form};
use shuttle_dpor::sync::atomic::{AtomicBool, Ordering::SeqCst};
use shuttle_dpor::sync::{Condvar, Mutex};
use shuttle_dpor::{name_thread, note, report_violation, thread};
use std::sync::Arc;

pub(super) const BUG: Bug = Bug {
    name: "flume-120",
    url: "https://github.com/zesterer/flume/issues/120",
    reported:
        "the receiver checks whether something was sent: not yet; the sender sends a value and is \
               dropped; the receiver finds it gone and returns Disconnected, never the value",
    forms: &[
        Form {
            name: "broken",
            explore: || explore(|| send_once(false)),
            orderings: 6,
            violates: Some(("sent-is-received", 1)),
        },
        Form {
            name: "mended",
            explore: || explore(|| send_once(true)),
            orderings: 6,
            violates: None,
        },
    ],
};

struct Channel {
    queue: Mutex<Vec<u32>>,
    disconnected: AtomicBool,
    /// Stands for the task's waker: whether it has been woken.
    woken: Mutex<bool>,
    wake: Condvar,
}

impl Channel {
    fn wake(&self) {
        *self.woken.lock().unwrap() = true;
        self.wake.notify_one();
    }

    fn send(&self, value: u32) {
        self.queue.lock().unwrap().push(value);
        self.wake();
    }

    fn drop_sender(&self) {
        self.disconnected.store(true, SeqCst);
        self.wake();
    }

    /// One poll: a value, the end, or neither.
    fn poll(&self, mended: bool) -> Option<Result<u32, ()>> {
        if let Some(value) = self.queue.lock().unwrap().pop() {
            return Some(Ok(value));
        }
        note("nothing there");
        if self.disconnected.load(SeqCst) {
            // What was sent before the end is there now, if the receiver looks again.
            let late = if mended { self.queue.lock().unwrap().pop() } else { None };
            return Some(late.ok_or(()));
        }
        None
    }

    fn recv(&self, mended: bool) -> Result<u32, ()> {
        loop {
            if let Some(ready) = self.poll(mended) {
                return ready;
            }
            let woken = self.woken.lock().unwrap();
            *self.wake.wait_while(woken, |woken| !*woken).unwrap() = false;
        }
    }
}

fn send_once(mended: bool) {
    name_thread("receiver");
    let channel = Arc::new(Channel {
        queue: Mutex::named("queue", Vec::new()),
        disconnected: AtomicBool::named("disconnected", false),
        woken: Mutex::named("woken", false),
        wake: Condvar::named("wake"),
    });
    let senders = channel.clone();
    let sender = thread::spawn(move || {
        name_thread("sender");
        senders.send(7);
        senders.drop_sender();
    });
    if channel.recv(mended) != Ok(7) {
        report_violation("sent-is-received", "Disconnected, and 7 was sent before");
    }
    sender.join().unwrap();
}
