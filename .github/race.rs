//! Two threads add to one number. With an argument both hold a lock, without one
//! of them does not: a data race, which ThreadSanitizer has to see.

use std::cell::UnsafeCell;
use std::sync::{Barrier, Mutex};

struct Number(UnsafeCell<u64>);

// The race is what this program is for.
unsafe impl Sync for Number {}

static NUMBER: Number = Number(UnsafeCell::new(0));
static LOCK: Mutex<()> = Mutex::new(());

fn add(locked: bool) {
    for _ in 0..100_000 {
        let _guard = locked.then(|| LOCK.lock().unwrap());
        unsafe { *NUMBER.0.get() += 1 };
    }
}

fn main() {
    let both = std::env::args().nth(1).is_some();
    // They are to run at the same time: of threads that run one after the other
    // the sanitizer sees the race now and then.
    let begin = Barrier::new(2);
    std::thread::scope(|scope| {
        for locked in [true, both] {
            let begin = &begin;
            scope.spawn(move || {
                begin.wait();
                add(locked);
            });
        }
    });
}
