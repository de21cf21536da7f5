//! Threads that may wait for ever: a worker that sleeps because there is nothing to do.

use crate::rt::{self, Status};

/// Runs `f`, in which the calling thread may wait for ever: blocked there on a condition variable, on
/// its token or on a message, it is *at rest*. (Who is blocked on a lock is not: somebody has it.)
///
/// An execution at whose end nobody is left but threads at rest is no deadlock. It ends there; its
/// outcome is what the body has returned, and the threads at rest are unwound.
///
/// ```
/// use shuttle_dpor::{may_wait, sync::{Arc, Condvar, Mutex}, thread, Explorer};
///
/// // A worker waits for something to do, and there is nothing.
/// let idle = || {
///     let queue = Arc::new((Mutex::new(Vec::<u32>::new()), Condvar::new()));
///     thread::spawn(move || {
///         let mut jobs = queue.0.lock().unwrap();
///         while jobs.is_empty() {
///             jobs = may_wait(|| queue.1.wait(jobs)).unwrap();
///         }
///     });
/// };
/// Explorer::new().explore(idle).assert_complete();
/// ```
pub fn may_wait<R>(f: impl FnOnce() -> R) -> R {
    let before = rt::with(|rt| {
        let me = rt.current;
        std::mem::replace(&mut rt.thread(me).waits, true)
    });
    let result = f();
    rt::with(|rt| {
        let me = rt.current;
        rt.thread(me).waits = before;
    });
    result
}

/// Blocks until every other thread has ended, or is at rest: blocked within [`may_wait`].
///
/// Then the caller can look whether they wait with reason, and can do what lets them go on. It is for
/// one thread at a time. If a thread is blocked elsewhere, this is a deadlock; so it is in a body that
/// shuttle runs without an [`Explorer`](crate::Explorer), unless all others have ended by then.
pub fn until_rest() {
    rt::wait(Status::Resting);
}
