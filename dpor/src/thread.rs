//! Threads, with the interface of [`std::thread`].
//!
//! A thread runs to its end whether or not somebody joins it, and an execution ends when all its
//! threads have; one that can never end is a deadlock, joined or not.

use crate::object::{State, MAY_END, OVER};
use crate::op::{Kind, ObjId, Op, Tid};
use crate::rt;
use std::io;
use std::marker::PhantomData;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe, Location};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use crate::equal::{spawn_equal, Equal};
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

    /// Whether the thread has ended.
    ///
    /// # Panics
    ///
    /// In an exploration, unless [`Explorer::thread_ends`](crate::Explorer::thread_ends) has been
    /// called: the answer would not be explored.
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        match self.thread.end {
            Some(end) => rt::perform(Op::new(end, Kind::Look, Location::caller())) == Some(OVER),
            None => {
                assert!(rt::is_guest(), "to explore is_finished, call thread_ends on the explorer");
                yield_now();
                self.slot.lock().unwrap_or_else(PoisonError::into_inner).is_some()
            }
        }
    }
}

/// What a thread is told apart by, within one execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ThreadId(Tid);

impl ThreadId {
    pub(crate) fn tid(self) -> Tid {
        self.0
    }
}

/// A handle to a thread.
#[derive(Clone, Debug)]
pub struct Thread {
    id: ThreadId,
    name: Option<Arc<str>>,
    token: ObjId,
    /// Whether it has ended, if that is to be explored.
    end: Option<ObjId>,
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
        rt::perform(Op::new(self.token, Kind::Unpark, at));
    }
}

/// Configures a thread before it is spawned.
#[derive(Debug, Default)]
pub struct Builder {
    name: Option<String>,
    stack_size: Option<usize>,
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

    /// Sets the thread's stack size, in bytes; what [`Explorer::stack_size`] sets otherwise.
    ///
    /// [`Explorer::stack_size`]: crate::Explorer::stack_size
    pub fn stack_size(mut self, size: usize) -> Self {
        self.stack_size = Some(size);
        self
    }

    /// Spawns the thread. Never fails.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Ok(spawn_with(self, Location::caller(), f))
    }

    /// Spawns the thread in a scope. Never fails.
    #[track_caller]
    pub fn spawn_scoped<'scope, F, T>(
        self,
        scope: &'scope Scope<'scope, '_>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        Ok(scope.spawn_named(self.name, Location::caller(), f))
    }
}

/// Spawns a thread.
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    spawn_with(Builder::new(), Location::caller(), f)
}

fn spawn_with<F, T>(with: Builder, at: &'static Location<'static>, f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let (thread, slot) = admit(with.name, at);
    let (tid, result) = (thread.id.0, slot.clone());
    // Boxed, so that what follows is compiled once and not for each closure.
    rt::start(tid, with.stack_size, Box::new(move || run(tid, f, &result)));
    JoinHandle { thread, slot }
}

/// Makes room for a new thread.
fn admit<T>(name: Option<String>, at: &'static Location<'static>) -> (Thread, Slot<T>) {
    rt::unless_making("spawns a thread");
    let (tid, token, end) = rt::with(|rt| {
        let token = rt.create(State::Parker { token: false }, at);
        let end = rt.ends.then(|| rt.create(State::Thread { over: false }, at));
        let tid = rt.spawn(name.clone());
        rt.thread(tid).token = Some(token);
        rt.thread(tid).end = end.map(|end| (end, at));
        (tid, token, end)
    });
    let thread = Thread { id: ThreadId(tid), name: name.map(Into::into), token, end };
    (thread, Arc::new(Mutex::new(None)))
}

/// Runs a thread's function and keeps its result.
fn run<T>(tid: Tid, f: impl FnOnce() -> T, slot: &Slot<T>) {
    let outcome = if rt::fails() { Ok(f()) } else { catch_unwind(AssertUnwindSafe(f)) };
    if let Err(payload) = &outcome {
        if rt::is_given_up(payload.as_ref()) {
            return;
        }
        rt::note_panic(tid, payload.as_ref());
    }
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
}

/// A scope, in which threads may borrow from outside it.
#[derive(Debug)]
pub struct Scope<'scope, 'env: 'scope> {
    /// `None` in an execution that has been given up before it had tasks of shuttle's: nothing is run.
    shuttles: Option<&'scope shuttle::thread::Scope<'scope, 'env>>,
    threads: Mutex<Vec<(Tid, Arc<AtomicBool>)>>,
}

/// An owned permission to wait for a scoped thread's end.
#[derive(Debug)]
pub struct ScopedJoinHandle<'scope, T> {
    handle: JoinHandle<T>,
    waited: Arc<AtomicBool>,
    scope: PhantomData<&'scope ()>,
}

impl<T> ScopedJoinHandle<'_, T> {
    /// Blocks until the thread has ended, and returns its result, or the panic that ended it.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        self.waited.store(true, Relaxed);
        self.handle.join()
    }

    /// The thread itself.
    pub fn thread(&self) -> &Thread {
        self.handle.thread()
    }

    /// Whether the thread has ended. See [`JoinHandle::is_finished`].
    ///
    /// # Panics
    ///
    /// As [`JoinHandle::is_finished`] does.
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }
}

impl<'scope> Scope<'scope, '_> {
    /// Spawns a thread that the scope waits for.
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        self.spawn_named(None, Location::caller(), f)
    }

    fn spawn_named<F, T>(
        &'scope self,
        name: Option<String>,
        at: &'static Location<'static>,
        f: F,
    ) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let (thread, slot) = admit(name, at);
        let (tid, result) = (thread.id.0, slot.clone());
        let waited = Arc::new(AtomicBool::new(false));
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push((tid, waited.clone()));
        let thread_of_shuttles: Box<dyn FnOnce() + Send + 'scope> =
            Box::new(move || rt::run_thread(tid, move || run(tid, f, &result)));
        match self.shuttles {
            Some(shuttles) => drop(shuttles.spawn(thread_of_shuttles)),
            None => rt::with(|rt| rt.finish(tid)),
        }
        ScopedJoinHandle { handle: JoinHandle { thread, slot }, waited, scope: PhantomData }
    }
}

/// Calls `f` with a scope, and waits for the threads that it spawns.
///
/// # Panics
///
/// If a thread of the scope panicked that nobody joined.
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let at = Location::caller();
    if rt::can_borrow() {
        shuttle::thread::scope(|shuttles| scope_in(Some(shuttles), at, f))
    } else {
        scope_in(None, at, f)
    }
}

fn scope_in<'scope, 'env: 'scope, F, T>(
    shuttles: Option<&'scope shuttle::thread::Scope<'scope, 'env>>,
    at: &'static Location<'static>,
    f: F,
) -> T
where
    F: FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    // Threads may refer to the scope for as long as shuttle's lasts, which is longer than this
    // function does. Only a reference that is never freed lasts as long without unsafe code; it
    // costs a few dozen bytes per call.
    let scope: &Scope = Box::leak(Box::new(Scope { shuttles, threads: Mutex::default() }));
    let result = catch_unwind(AssertUnwindSafe(|| f(scope)));
    let mut panicked = false;
    loop {
        let next = scope.threads.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some((tid, waited)) = next else { break };
        rt::join_or_outlive(tid, at);
        panicked |= rt::with(|rt| rt.thread(tid).panicked) && !waited.load(Relaxed);
    }
    *scope.threads.lock().unwrap_or_else(PoisonError::into_inner) = Vec::new();
    match result {
        Ok(value) => {
            rt::unless_given_up();
            assert!(!panicked, "a scoped thread panicked");
            value
        }
        Err(payload) => resume_unwind(payload),
    }
}

/// The current thread.
pub fn current() -> Thread {
    let (me, token, end, name) = rt::with(|rt| {
        let me = rt.current;
        let thread = rt.thread(me);
        (me, thread.token, thread.end.map(|(end, _)| end), thread.name.as_deref().map(Into::into))
    });
    let token = token.unwrap_or_else(|| {
        rt::unless_making("asks for the current thread");
        let token = rt::create(State::Parker { token: false });
        rt::with(|rt| rt.thread(me).token = Some(token));
        token
    });
    Thread { id: ThreadId(me), name, token, end }
}

/// Lets others go first. No operation.
///
/// A loop that yields after each look at something waits for what it looks at: see the crate's
/// documentation. Elsewhere a yield changes no order, only which is tried first.
#[track_caller]
pub fn yield_now() {
    if rt::is_guest() {
        return rt::guest::yield_now();
    }
    let at = Location::caller();
    rt::with(|rt| rt.yielded(at));
    rt::unless_given_up();
}

/// Like [`yield_now`]: time is not modelled.
#[track_caller]
pub fn sleep(_duration: Duration) {
    yield_now();
}

/// Blocks until this thread's token is available, and takes it. It may return without the token where
/// [`Explorer::spurious_wakeups`](crate::Explorer::spurious_wakeups) allows that.
#[track_caller]
pub fn park() {
    let at = Location::caller();
    let obj = current().token;
    let arg = rt::with(|rt| if rt.may_wake_spuriously() { MAY_END } else { 0 });
    if rt::perform(Op::new(obj, Kind::Park, at).with_arg(arg)) == Some(0) {
        rt::with(|rt| rt.woke_spuriously());
    }
}

/// Like [`park`], but may also return without the token.
#[track_caller]
pub fn park_timeout(_timeout: Duration) {
    let at = Location::caller();
    let obj = current().token;
    let arg = rt::with(|rt| rt.timed());
    if rt::perform(Op::new(obj, Kind::Park, at).with_arg(arg)) == Some(0) {
        rt::with(|rt| rt.timed_out());
    }
}

/// Lets chance decide, both ways: it is a race with a thread that does nothing else.
pub(crate) fn toss(at: &'static Location<'static>) -> bool {
    let coin = rt::create(State::Plain);
    rt::set_name(coin, "chance".into());
    let (thread, _): (Thread, Slot<()>) = admit(Some("chance".into()), at);
    let (tid, tossed) = (thread.id.0, Arc::new(AtomicBool::new(false)));
    let toss = tossed.clone();
    let store = Op::new(coin, Kind::Store, at);
    let code = move || rt::perform_with(store, || (toss.store(true, Relaxed), 0, 1, Kind::Store));
    rt::start(tid, None, Box::new(code));
    rt::perform_with(Op::new(coin, Kind::Load, at), || {
        let tossed = tossed.load(Relaxed);
        (tossed, tossed as u64, tossed as u64, Kind::Load)
    })
}

/// Whether this thread is unwinding because of a panic.
pub fn panicking() -> bool {
    rt::panicking()
}
