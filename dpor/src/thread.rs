//! Threads, with the interface of [`std::thread`].
//!
//! A thread runs to its end whether or not somebody joins it, and an execution ends when all its
//! threads have; one that can never end is a deadlock, joined or not.

use crate::object::{State, MAY_END};
use crate::op::{Kind, ObjId, Op, Pid};
use crate::rt;
use std::io;
use std::panic::{catch_unwind, AssertUnwindSafe, Location};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use crate::local::{AccessError, LocalKey};
pub use std::thread::Result;

type Slot<T> = Arc<Mutex<Option<Result<T>>>>;

/// An owned permission to wait for a thread's end.
#[derive(Debug)]
pub struct JoinHandle<T> {
    thread: Thread,
    slot: Slot<T>,
}

impl<T> JoinHandle<T> {
    /// Blocks until the thread has ended, and returns its result, or the panic that ended it.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        rt::join(self.thread.id.0, Location::caller());
        let result = self.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        result.unwrap_or_else(|| Err(Box::new("the execution was given up")))
    }

    /// The thread itself.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Whether the thread has ended. No scheduling point: it tells what is so now.
    pub fn is_finished(&self) -> bool {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// What a thread is told apart by, within one execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ThreadId(Pid);

/// A handle to a thread.
#[derive(Clone, Debug)]
pub struct Thread {
    id: ThreadId,
    name: Option<Arc<str>>,
    token: ObjId,
}

impl Thread {
    /// The thread's identifier.
    pub fn id(&self) -> ThreadId {
        self.id
    }

    /// The thread's name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Makes the thread's token available.
    #[track_caller]
    pub fn unpark(&self) {
        let at = Location::caller();
        rt::perform(Op { obj: self.token, kind: Kind::Unpark, arg: 0, at });
    }
}

/// Configures a thread before it is spawned.
#[derive(Debug, Default)]
pub struct Builder {
    name: Option<String>,
}

impl Builder {
    /// A thread without a name.
    pub fn new() -> Self {
        Builder::default()
    }

    /// Names the thread; witnesses show the name.
    pub fn name(mut self, name: String) -> Self {
        self.name = Some(name);
        self
    }

    /// Has no effect: every thread has the stack that [`Explorer::stack_size`] sets.
    ///
    /// [`Explorer::stack_size`]: crate::Explorer::stack_size
    pub fn stack_size(self, _size: usize) -> Self {
        self
    }

    /// Spawns the thread. Never fails.
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Ok(spawn_named(self.name, f))
    }
}

/// Spawns a thread.
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    spawn_named(None, f)
}

fn spawn_named<F, T>(name: Option<String>, f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let slot: Slot<T> = Arc::new(Mutex::new(None));
    let token = rt::create(State::Parker { token: false });
    let pid = rt::with(|rt| {
        let pid = rt.spawn(name.clone());
        rt.task(pid).token = Some(token);
        pid
    });
    let result = slot.clone();
    shuttle::thread::spawn(move || {
        rt::run_thread(pid, move || {
            let outcome = catch_unwind(AssertUnwindSafe(f));
            if let Err(payload) = &outcome {
                if rt::is_given_up(payload.as_ref()) {
                    return;
                }
                rt::note_panic(pid, payload.as_ref());
            }
            *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        })
    });
    JoinHandle { thread: Thread { id: ThreadId(pid), name: name.map(Into::into), token }, slot }
}

/// The current thread.
pub fn current() -> Thread {
    let (me, token, name) = rt::with(|rt| {
        let me = rt.current;
        let task = rt.task(me);
        (me, task.token, task.name.as_deref().map(Into::into))
    });
    let token = token.unwrap_or_else(|| {
        let token = rt::create(State::Parker { token: false });
        rt::with(|rt| rt.task(me).token = Some(token));
        token
    });
    Thread { id: ThreadId(me), name, token }
}

/// Lets others go first. Not an operation: it changes no order, only which is tried first.
pub fn yield_now() {
    rt::with(|rt| rt.yielded());
}

/// Like [`yield_now`]: time is not modelled.
pub fn sleep(_duration: Duration) {
    yield_now();
}

/// Blocks until this thread's token is available, and takes it.
#[track_caller]
pub fn park() {
    let at = Location::caller();
    let obj = current().token;
    rt::perform(Op { obj, kind: Kind::Park, arg: 0, at });
}

/// Like [`park`], but may also return without the token.
#[track_caller]
pub fn park_timeout(_timeout: Duration) {
    let at = Location::caller();
    let obj = current().token;
    rt::perform(Op { obj, kind: Kind::Park, arg: MAY_END, at });
}

/// Whether this thread is unwinding because of a panic.
pub fn panicking() -> bool {
    std::thread::panicking()
}
