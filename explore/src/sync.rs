//! The engine's primitives, for explored systems: shuttle-dpor's, or loom's
//! under `--cfg loom`.
//!
//! Whatever two threads of a scenario share must be one of these, or must not
//! change what a thread observes before the threads are joined: an explorer does
//! not reorder accesses that it does not see.

#[cfg(loom)]
pub use loom::{sync::atomic, sync::Condvar, sync::Mutex, sync::MutexGuard, sync::RwLock, thread};
#[cfg(not(loom))]
pub use shuttle_dpor::{
    cell, sync::atomic, sync::Condvar, sync::Mutex, sync::MutexGuard, sync::RwLock, thread,
};

/// The engine of these primitives: `loom` or `dpor`.
pub const ENGINE: &str = if cfg!(loom) { "loom" } else { "dpor" };

/// Writes a line into the witness of the present execution, beside the
/// operations of the calling thread. No scheduling point.
pub fn note(line: impl FnOnce() -> String) {
    #[cfg(not(loom))]
    shuttle_dpor::note_with(line);
    #[cfg(loom)]
    drop(line);
}

/// Runs `f`, in which the calling thread may wait for ever: that is no deadlock,
/// except under loom, which has no such notion.
pub fn may_wait<R>(f: impl FnOnce() -> R) -> R {
    #[cfg(not(loom))]
    {
        shuttle_dpor::may_wait(f)
    }
    #[cfg(loom)]
    {
        f()
    }
}

/// Whether the execution has been given up, so that its threads unwind: a destructor that takes a
/// lock may wait for its own thread then, and had better do nothing. Never under loom.
pub fn given_up() -> bool {
    #[cfg(not(loom))]
    {
        shuttle_dpor::parts::given_up()
    }
    #[cfg(loom)]
    {
        false
    }
}

/// Spawns `n` threads that do the same, each with a number from 0: an engine need not tell them apart.
pub fn spawn_equal(n: usize, f: impl Fn(usize) + Send + Sync + 'static) -> Equal {
    #[cfg(not(loom))]
    let threads = thread::spawn_equal(n, f);
    #[cfg(loom)]
    let threads = {
        let f = std::sync::Arc::new(f);
        let spawn = |number| {
            let f = std::sync::Arc::clone(&f);
            thread::spawn(move || f(number))
        };
        (0..n).map(spawn).collect()
    };
    Equal(threads)
}

/// Threads that [`spawn_equal`] has spawned.
#[cfg(not(loom))]
#[derive(Debug)]
pub struct Equal(thread::Equal<()>);

/// Threads that [`spawn_equal`] has spawned.
#[cfg(loom)]
#[derive(Debug)]
pub struct Equal(Vec<thread::JoinHandle<()>>);

impl Equal {
    /// Blocks until all have ended.
    ///
    /// # Panics
    ///
    /// If one of them has: an engine reports that in its own words.
    #[track_caller]
    pub fn join(self) {
        #[cfg(not(loom))]
        self.0.join().map(drop).unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        #[cfg(loom)]
        for thread in self.0 {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    }
}

/// Waits until every other thread has ended or [may wait](may_wait) for ever. Returns
/// at once under loom, which cannot tell.
pub fn until_rest() {
    #[cfg(not(loom))]
    shuttle_dpor::until_rest();
}

/// Runs `f`. In witnesses the objects that the calling thread creates there have the
/// owner in front of their names: `a's lock`, when `a` is the owner.
pub fn belonging_to<R>(owner: impl FnOnce() -> String, f: impl FnOnce() -> R) -> R {
    #[cfg(not(loom))]
    {
        shuttle_dpor::belonging_to(owner, f)
    }
    #[cfg(loom)]
    {
        drop(owner);
        f()
    }
}

/// Names the calling thread in the witness of the present execution.
pub fn name_thread(name: impl FnOnce() -> String) {
    #[cfg(not(loom))]
    shuttle_dpor::name_thread(name());
    #[cfg(loom)]
    drop(name);
}
