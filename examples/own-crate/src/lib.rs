//! A connection pool whose `close` races with its `checkout`, which looks at a
//! flag before it takes the lock.

use orderings::sync::{atomic::AtomicBool, atomic::Ordering::SeqCst, Mutex};
use orderings::System;

/// Closed or not, and how many connections are checked out.
#[derive(Default)]
pub struct Pool {
    closed: AtomicBool,
    open: Mutex<u64>,
}

impl Pool {
    fn close(&self) -> &'static str {
        self.closed.store(true, SeqCst);
        *self.open.lock().unwrap() = 0;
        "closed"
    }

    fn checkout(&self, n: u64) -> &'static str {
        if self.closed.load(SeqCst) {
            return "refused";
        }
        *self.open.lock().unwrap() += n;
        "checked out"
    }

    fn count(&self) -> u64 {
        *self.open.lock().unwrap()
    }
}

/// The calls that can race, and what must hold.
pub fn pool() -> System<Pool> {
    System::new("pool", Pool::default)
        .call("close", |pool, _| pool.close())
        .call("checkout(n=1)", |pool, args| pool.checkout(args.int("n")))
        .call("count", |pool, _| pool.count())
        .invariant("closed-is-empty", "a closed pool has no connection", |pool| {
            !pool.closed.load(SeqCst) || pool.count() == 0
        })
        .linearizable()
        .scenarios(include_str!("pool.txt"))
}
