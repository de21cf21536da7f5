//! bb8's pool looked for an idle connection under its lock, let go of the lock, and took it again to
//! stand in the queue. A connection that came back in between found nobody waiting.

use super::{explore, Bug, Form};
use shuttle_dpor::sync::mpsc::{channel, Sender};
use shuttle_dpor::sync::Mutex;
use shuttle_dpor::{name_thread, note, thread};
use std::collections::VecDeque;
use std::sync::Arc;

pub(super) const BUG: Bug = Bug {
    name: "bb8-122",
    url: "https://github.com/djc/bb8/issues/122",
    reported:
        "not in luck is when `PooledConnection::drop()` runs between part 1 (tries to get an idle \
               connection) and part 2 (stands at the end of the waiting queue)",
    forms: &[
        Form {
            name: "broken",
            explore: || explore(|| one_connection(false)),
            orderings: 4,
            violates: Some(("no-deadlock", 1)),
        },
        Form {
            name: "mended",
            explore: || explore(|| one_connection(true)),
            orderings: 3,
            violates: None,
        },
    ],
};

struct Connection;

#[derive(Default)]
struct Internals {
    idle: Vec<Connection>,
    waiters: VecDeque<Sender<Connection>>,
}

struct Pool(Mutex<Internals>);

impl Pool {
    fn get(&self, mended: bool) -> Connection {
        let mut internals = self.0.lock().unwrap();
        if let Some(connection) = internals.idle.pop() {
            return connection;
        }
        note("finds no connection");
        if !mended {
            drop(internals);
            internals = self.0.lock().unwrap();
        }
        let (sender, receiver) = channel();
        internals.waiters.push_back(sender);
        drop(internals);
        // The original gives up after a time: `RunError::TimedOut`.
        receiver.recv().unwrap()
    }

    fn put(&self, connection: Connection) {
        let mut internals = self.0.lock().unwrap();
        match internals.waiters.pop_front() {
            Some(waiter) => {
                drop(internals);
                let _ = waiter.send(connection);
            }
            None => internals.idle.push(connection),
        }
    }
}

/// The pool's only connection is in use, and somebody else wants it.
fn one_connection(mended: bool) {
    name_thread("holder");
    let pool = Arc::new(Pool(Mutex::named("internals", Internals::default())));
    let others = pool.clone();
    let other = thread::spawn(move || {
        name_thread("other");
        let connection = others.get(mended);
        others.put(connection);
    });
    pool.put(Connection);
    other.join().unwrap();
}
