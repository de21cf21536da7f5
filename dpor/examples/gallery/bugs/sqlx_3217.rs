//! sqlx's `Pool::close` is to return when every connection has been closed. It took one permit of
//! the pool's semaphore, then two, and so on, each time giving back what it had taken; and a
//! connection closed while idle gave back a permit that it had not held.

use super::{explore, Bug, Form};
use shuttle_dpor::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::{Condvar, Mutex};
use shuttle_dpor::{name_thread, note, report_violation, thread};
use std::sync::Arc;

const CONNECTIONS: usize = 2;

pub(super) const BUG: Bug = Bug {
    name: "sqlx-3217",
    url: "https://github.com/transact-rs/sqlx/issues/3217",
    reported:
        "calling `Pool::close` does not actually always wait for all the connections to close \
               before returning",
    forms: &[
        Form {
            name: "broken",
            explore: || explore(|| teardown(false)),
            orderings: 24,
            violates: Some(("closed-means-closed", 4)),
        },
        Form {
            name: "mended",
            explore: || explore(|| teardown(true)),
            orderings: 4,
            violates: None,
        },
    ],
};

struct Pool {
    permits: Mutex<usize>,
    released: Condvar,
    /// How many connections lie idle.
    idle: Mutex<usize>,
    /// How many are open, idle or in use.
    size: AtomicUsize,
    closed: AtomicBool,
}

impl Pool {
    fn acquire(&self, n: usize) {
        let permits = self.permits.lock().unwrap();
        *self.released.wait_while(permits, |permits| *permits < n).unwrap() -= n;
    }

    fn release(&self, n: usize) {
        *self.permits.lock().unwrap() += n;
        self.released.notify_all();
    }

    /// Gives a connection back that was in use.
    fn put(&self) {
        if self.closed.load(SeqCst) {
            self.size.fetch_sub(1, SeqCst);
            note("closes its connection");
        } else {
            *self.idle.lock().unwrap() += 1;
            note("puts its connection back");
        }
        self.release(1);
    }

    fn pop_idle(&self) -> bool {
        let mut idle = self.idle.lock().unwrap();
        let some = *idle > 0;
        *idle -= usize::from(some);
        some
    }

    fn close(&self) {
        self.closed.store(true, SeqCst);
        for n in 1..=CONNECTIONS {
            while self.pop_idle() {
                self.size.fetch_sub(1, SeqCst);
                self.release(1);
            }
            if self.size.load(SeqCst) == 0 {
                break;
            }
            self.acquire(n);
            self.release(n);
        }
    }

    /// With all permits, no connection is in use; and whoever comes later sees `closed`.
    fn close_mended(&self) {
        self.closed.store(true, SeqCst);
        self.acquire(CONNECTIONS);
        while self.pop_idle() {
            self.size.fetch_sub(1, SeqCst);
        }
        self.release(CONNECTIONS);
    }
}

fn teardown(mended: bool) {
    name_thread("close");
    let pool = Arc::new(Pool {
        permits: Mutex::named("permits", CONNECTIONS - 1),
        released: Condvar::named("released"),
        idle: Mutex::named("idle", CONNECTIONS - 1),
        size: AtomicUsize::named("size", CONNECTIONS),
        closed: AtomicBool::named("closed", false),
    });
    let users = pool.clone();
    let user = thread::spawn(move || {
        name_thread("user");
        users.put();
    });
    if mended {
        pool.close_mended();
    } else {
        pool.close();
    }
    let open = pool.size.load(SeqCst);
    if open != 0 {
        report_violation("closed-means-closed", format!("{open} still open"));
    }
    user.join().unwrap();
}
