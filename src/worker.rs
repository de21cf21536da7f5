//! Workers: the threads that run backfills, the host's or the built-in pool's.
//!
//! Owns no lock of its own; all state is under the bucket's lock and those of the
//! connections. A worker holds what the connections share, and no connection
//! except during a run (rule 6).

use crate::backfill::run::run;
use crate::connection::Shared;
use crate::sync::{spawn, JoinHandle};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// The calls of a worker's thread: [`run`](Self::run) until that answers
/// [`Run::Idle`], then [`wait`](Self::wait), and again.
///
/// ```
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
/// # use {connmap::*, doc::*};
/// # let map = ConnMap::new(source(), Config::default());
/// # let producer = map.open(ConnId(1), "replica", front_end()).unwrap().deliver();
/// let request = StreamRequest { vb: VbId(0), start: 0, end: 9, opaque: 7 };
/// producer.stream_request(request).unwrap().deliver();
/// let worker = map.worker();
/// assert_eq!(worker.run(std::time::Instant::now()), Run::Ran);
/// assert_eq!(worker.run(std::time::Instant::now()), Run::Idle);
/// ```
#[derive(Clone)]
pub struct Worker {
    shared: Arc<Shared>,
}

/// The answer of [`Worker::run`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// A turn was taken: a backfill ran, or none of the connection's could.
    Ran,
    /// No backfill can run now.
    Idle,
}

/// The answer of [`Worker::wait`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a worker that is told to stop and waits again spins"]
pub enum Wait {
    /// Call [`Worker::run`]: there may be a backfill to run.
    Run,
    /// The map was shut down: end the thread.
    Stop,
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Worker { shared }
    }

    /// Runs one backfill of the connection whose turn comes next, up to the limits
    /// of one scan. Calls the host's source, and wakes the front end when there is
    /// something to send; hold no lock of yours that these take. `now` decides
    /// which snoozes are over. Blocks as long as the scan does.
    ///
    /// Locks: the bucket's, and then, once to begin, once for a scan that is
    /// opened, once for each batch of items and once to end, the connection's;
    /// under it the bucket's, to begin and to end, and one of the index's if the
    /// stream fails. O(log n) in the connections that rest or wait for a slot,
    /// O(log b) in the connection's backfills that snooze, and O(1) for each
    /// item, with one allocation for all of them.
    pub fn run(&self, now: Instant) -> Run {
        match self.shared.bucket.take(now) {
            Some((seat, connection)) => {
                run(&connection, seat, now);
                Run::Ran
            }
            None => Run::Idle,
        }
    }

    /// Blocks until a backfill can run, counting snoozes from `now`, or until
    /// the map is shut down. May wake spuriously.
    ///
    /// Locks: the bucket's, which it does not hold while it waits. O(log n) in
    /// the connections that rest.
    pub fn wait(&self, now: Instant) -> Wait {
        if self.shared.bucket.wait(now) {
            Wait::Run
        } else {
            Wait::Stop
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

/// The embedded default: a fixed number of threads that run backfills until
/// the map is shut down.
///
/// ```
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
/// # use {connmap::*, doc::*};
/// # let map = ConnMap::new(source(), Config::default());
/// let pool = WorkerPool::start(&map.worker(), 2);
/// map.shutdown().deliver();
/// pool.join();
/// ```
#[derive(Debug)]
#[must_use = "a pool that is not joined leaves its threads to end on their own"]
pub struct WorkerPool {
    threads: Vec<JoinHandle<()>>,
}

impl WorkerPool {
    /// Starts `threads` threads; with 0, nothing runs. Takes no lock.
    ///
    /// # Panics
    /// If the operating system refuses a thread, as [`std::thread::spawn`].
    pub fn start(worker: &Worker, threads: usize) -> Self {
        let threads = (0..threads)
            .map(|_| {
                let worker = worker.clone();
                spawn(move || worker.work())
            })
            .collect();
        WorkerPool { threads }
    }

    /// Blocks until every thread has ended. A thread ends after
    /// [`ConnMap::shutdown`](crate::ConnMap::shutdown), when the run of its
    /// backfill is over; without a shutdown this blocks for ever. Takes no lock.
    pub fn join(self) {
        for thread in self.threads {
            // Always Ok: a worker contains the panics of the host.
            let _ = thread.join();
        }
    }
}

impl Worker {
    fn work(&self) {
        loop {
            while self.run(Instant::now()) == Run::Ran {}
            if self.wait(Instant::now()) == Wait::Stop {
                return;
            }
        }
    }
}
