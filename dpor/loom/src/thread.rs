//! Threads, as in [`std::thread`].

use crate::execution::{Joinable, with};
use std::fmt;
use std::io;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

pub use shuttle_dpor::thread::{AccessError, LocalKey, Thread, ThreadId, current, panicking, park};

/// An owned permission to wait for a thread's end.
pub struct JoinHandle<T> {
    inner: Joinable,
    result: Arc<Mutex<Option<T>>>,
    thread: Thread,
}

/// A value that goes to another thread of the same execution.
struct Anywhere<T>(T);

// SAFETY: all threads of an execution run on one OS thread, by turns: the value never gets to another
// OS thread while the execution lasts. loom takes closures that are not `Send` for the same reason.
// Whether that is right for the code under test is for the compiler of the code's own build to say.
unsafe impl<T> Send for Anywhere<T> {}

impl<T> Anywhere<T> {
    fn into_inner(self) -> T {
        self.0
    }
}

/// Spawns a thread.
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    spawn_by(shuttle_dpor::thread::Builder::new(), f)
}

#[track_caller]
fn spawn_by<F, T>(builder: shuttle_dpor::thread::Builder, f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    let result = Arc::new(Mutex::new(None));
    let job = Anywhere((f, result.clone()));
    let body = move || {
        let (f, result) = job.into_inner();
        let value = f();
        *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
    };
    let handle = builder.spawn(body).expect("a thread of an execution can always be spawned");
    let thread = handle.thread().clone();
    let inner = Arc::new(Mutex::new(Some(handle)));
    with(|e| e.spawned(inner.clone()));
    JoinHandle { inner, result, thread }
}

impl<T> JoinHandle<T> {
    /// Blocks until the thread has ended, and returns its result, or the panic that ended it.
    #[track_caller]
    pub fn join(self) -> std::thread::Result<T> {
        let handle = self.inner.lock().unwrap_or_else(PoisonError::into_inner).take();
        match handle {
            Some(handle) => handle.join()?,
            // The closure has returned and the end of the execution has begun to join.
            None => panic!("{} joins at the end of the execution", Location::caller()),
        }
        let value = self.result.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(value.expect("a thread that has not panicked has a result"))
    }

    /// The thread itself.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("thread", &self.thread).finish_non_exhaustive()
    }
}

/// Configures a thread before it is spawned.
#[derive(Debug, Default)]
pub struct Builder {
    inner: shuttle_dpor::thread::Builder,
}

impl Builder {
    /// A thread without a name.
    pub fn new() -> Self {
        Builder::default()
    }

    /// Names the thread; witnesses show the name.
    pub fn name(self, name: String) -> Self {
        Builder { inner: self.inner.name(name) }
    }

    /// Has no effect: every thread has a stack of [`STACK`](crate::model::STACK) bytes.
    pub fn stack_size(self, _size: usize) -> Self {
        self
    }

    /// Spawns the thread. Never fails.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Ok(spawn_by(self.inner, f))
    }
}

/// Lets others go first.
///
/// # Panics
///
/// If the threads of an execution yield more often than
/// [`max_branches`](crate::model::Builder::max_branches).
#[track_caller]
pub fn yield_now() {
    if shuttle_dpor::parts::is_running() && !with(|e| e.yields()) {
        panic!("an execution yields more often than max_branches allows");
    }
    shuttle_dpor::thread::yield_now();
}

/// Whether a panic unwinds some thread of this OS thread: another panic would end the process.
pub(crate) fn panicking_anywhere() -> bool {
    std::thread::panicking()
}
