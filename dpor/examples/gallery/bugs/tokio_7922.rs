//! tokio's blocking pool: a thread that goes to sleep counts itself as idle, and whoever gives it a
//! task counts it out again before waking it. A shutdown can come between the two.
//!
//! Threads idle at shutdown were counted twice first (#6439); the mend of that (#7910) counted out
//! once too often a thread that had been given a task (#7922).

use super::{explore, Bug, Form};
use shuttle_dpor::sync::{Condvar, Mutex};
use shuttle_dpor::{name_thread, note, report_violation, thread};
use std::sync::Arc;

pub(super) const BUG: Bug = Bug {
    name: "tokio-7922",
    url: "https://github.com/tokio-rs/tokio/pull/7922",
    reported:
        "a thread sleeps; a task is queued, the idle count decreased, the thread notified; the \
               pool is shut down; the thread wakes, leaves, and decreases the count again: panic",
    forms: &[
        Form {
            name: "before #7910",
            explore: || explore(|| pool(Counting::CountedTwice)),
            orderings: 10,
            violates: Some(("idle-at-the-end", 9)),
        },
        Form {
            name: "#7910",
            explore: || explore(|| pool(Counting::NeverCountedAgain)),
            orderings: 10,
            violates: Some(("panic", 1)),
        },
        Form {
            name: "mended",
            explore: || explore(|| pool(Counting::Mended)),
            orderings: 10,
            violates: None,
        },
    ],
};

#[derive(Clone, Copy, PartialEq)]
enum Counting {
    CountedTwice,
    NeverCountedAgain,
    Mended,
}

#[derive(Default)]
struct Shared {
    tasks: u32,
    notified: u32,
    idle: u32,
    shutdown: bool,
}

struct Pool {
    shared: Mutex<Shared>,
    wake: Condvar,
}

impl Pool {
    fn spawn(&self) {
        let mut shared = self.shared.lock().unwrap();
        if shared.shutdown {
            return;
        }
        shared.tasks += 1;
        if shared.idle > 0 {
            shared.idle -= 1;
            shared.notified += 1;
            note("counts the thread out");
            self.wake.notify_one();
        }
    }

    fn shut_down(&self) {
        self.shared.lock().unwrap().shutdown = true;
        self.wake.notify_all();
    }

    fn work(&self, form: Counting) {
        let mut shared = self.shared.lock().unwrap();
        loop {
            shared.tasks = 0;
            shared.idle += 1;
            note("counts itself as idle");
            let mut counted_out = false;
            while !shared.shutdown && !counted_out {
                shared = self.wake.wait(shared).unwrap();
                if shared.notified > 0 {
                    shared.notified -= 1;
                    counted_out = true;
                }
            }
            if shared.shutdown {
                let again = match form {
                    Counting::CountedTwice => true,
                    Counting::NeverCountedAgain => false,
                    Counting::Mended => counted_out,
                };
                shared.idle += u32::from(again);
                break;
            }
        }
        let left = shared.idle.checked_sub(1);
        note("leaves");
        drop(shared);
        let left = left.expect("an idle thread is counted");
        self.shared.lock().unwrap().idle = left;
    }
}

fn pool(form: Counting) {
    let pool = Arc::new(Pool {
        shared: Mutex::named("shared", Shared::default()),
        wake: Condvar::named("workers"),
    });
    let (for_worker, for_spawner) = (pool.clone(), pool.clone());
    let worker = thread::spawn(move || {
        name_thread("worker");
        for_worker.work(form);
    });
    let spawner = thread::spawn(move || {
        name_thread("spawner");
        for_spawner.spawn();
    });
    name_thread("shutdown");
    pool.shut_down();
    spawner.join().unwrap();
    if worker.join().is_ok() {
        let idle = pool.shared.lock().unwrap().idle;
        if idle != 0 {
            report_violation("idle-at-the-end", format!("{idle} of no threads are idle"));
        }
    }
}
