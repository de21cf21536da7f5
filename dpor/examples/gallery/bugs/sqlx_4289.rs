//! sqlx's pool counts its idle connections beside the queue that holds them. One that comes back was
//! queued first and counted then; who took it in between counted it out, below zero.

use super::{explore, Bug, Form};
use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::Mutex;
use shuttle_dpor::{name_thread, report_violation, thread};
use std::sync::Arc;

pub(super) const BUG: Bug = Bug {
    name: "sqlx-4289",
    url: "https://github.com/transact-rs/sqlx/pull/4289",
    reported: "`release` made a returned connection acquirable before incrementing `num_idle`; a \
               concurrent `pop_idle` could run its `fetch_sub(1)` in the window: it wrapped",
    forms: &[
        Form {
            name: "broken",
            explore: || explore(|| put_and_take(false)),
            orderings: 8,
            violates: Some(("no-underflow", 1)),
        },
        Form {
            name: "mended",
            explore: || explore(|| put_and_take(true)),
            orderings: 5,
            violates: None,
        },
    ],
};

struct Pool {
    idle: Mutex<Vec<u32>>,
    num_idle: AtomicUsize,
}

impl Pool {
    fn release(&self, connection: u32, mended: bool) {
        if mended {
            self.num_idle.fetch_add(1, SeqCst);
        }
        self.idle.lock().unwrap().push(connection);
        if !mended {
            self.num_idle.fetch_add(1, SeqCst);
        }
    }

    fn pop_idle(&self) -> Option<u32> {
        let connection = self.idle.lock().unwrap().pop()?;
        self.num_idle.fetch_sub(1, SeqCst);
        Some(connection)
    }
}

fn put_and_take(mended: bool) {
    let pool = Arc::new(Pool {
        idle: Mutex::named("idle", Vec::new()),
        num_idle: AtomicUsize::named("num_idle", 0),
    });
    let (for_user, for_other) = (pool.clone(), pool.clone());
    let user = thread::spawn(move || {
        name_thread("user");
        for_user.release(7, mended);
    });
    let other = thread::spawn(move || {
        name_thread("other");
        for_other.pop_idle();
    });
    // What the maintenance task takes as the length of its loop.
    name_thread("maintenance");
    let idle = pool.num_idle.load(SeqCst);
    if idle > 1 {
        report_violation("no-underflow", format!("{idle} idle connections, of one"));
    }
    user.join().unwrap();
    other.join().unwrap();
}
