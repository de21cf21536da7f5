//! webrtc-rs wakes tasks of smol by a list of waiters behind a lock that a notification only tried to
//! take. The first mend left a flag, for those who were about to wait, and still only tried.

use super::{explore, Bug, Form};
use shuttle_dpor::sync::atomic::{AtomicBool, Ordering::SeqCst};
use shuttle_dpor::sync::mpsc::{channel, Sender};
use shuttle_dpor::sync::{Mutex, MutexGuard};
use shuttle_dpor::{name_thread, note, thread};
use std::sync::Arc;

pub(super) const BUG: Bug = Bug {
    name: "webrtc-790",
    url: "https://github.com/webrtc-rs/webrtc/pull/790",
    reported: "if the lock was held by a concurrent `notified()` call registering itself as a waiter, \
               the notification was silently discarded; [proposed:] `notify_*` sets the flag before \
               attempting to acquire the waiter list, `notified()` checks it before and after",
    forms: &[
        Form {
            name: "broken",
            explore: || explore(|| one_notification(How::Tries)),
            orderings: 4,
            violates: Some(("no-deadlock", 1)),
        },
        Form {
            name: "proposed",
            explore: || explore(|| one_notification(How::LeavesFlag)),
            orderings: 7,
            violates: Some(("no-deadlock", 1)),
        },
        Form {
            name: "mended",
            explore: || explore(|| one_notification(How::Locks)),
            orderings: 3,
            violates: None,
        },
    ],
};

#[derive(Clone, Copy, PartialEq)]
enum How {
    Tries,
    LeavesFlag,
    Locks,
}

struct Notify {
    how: How,
    /// For the proposed form alone.
    pending: AtomicBool,
    /// Whether there is a notification that nobody has been there for, and who waits.
    waiters: Mutex<(bool, Vec<Sender<()>>)>,
}

impl Notify {
    fn notify_one(&self) {
        let wake = |mut waiters: MutexGuard<(bool, Vec<Sender<()>>)>| match waiters.1.pop() {
            Some(waiter) => drop(waiter.send(())),
            None => waiters.0 = self.how != How::LeavesFlag,
        };
        if self.how == How::LeavesFlag {
            self.pending.store(true, SeqCst);
        }
        match self.how {
            How::Locks => wake(self.waiters.lock().unwrap()),
            How::Tries | How::LeavesFlag => match self.waiters.try_lock() {
                Ok(waiters) => wake(waiters),
                Err(_) => note("wakes nobody"),
            },
        }
    }

    fn notified(&self) {
        let flagged = || self.how == How::LeavesFlag && self.pending.swap(false, SeqCst);
        if flagged() {
            return;
        }
        let mut waiters = self.waiters.lock().unwrap();
        if std::mem::take(&mut waiters.0) || flagged() {
            return;
        }
        let (sender, receiver) = channel();
        waiters.1.push(sender);
        drop(waiters);
        receiver.recv().unwrap();
    }
}

/// One notification, and one that waits for it.
fn one_notification(how: How) {
    name_thread("notifier");
    let notify = Arc::new(Notify {
        how,
        pending: AtomicBool::named("pending", false),
        waiters: Mutex::named("waiters", (false, Vec::new())),
    });
    let waits = notify.clone();
    let waiter = thread::spawn(move || {
        name_thread("waiter");
        waits.notified();
    });
    notify.notify_one();
    waiter.join().unwrap();
}
