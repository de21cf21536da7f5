//! What an execution has beside the explorer's own: its lazy statics, what must not leak, the threads
//! that nobody has joined.
//!
//! All threads of an execution run on one OS thread, so this is a thread-local of that.

use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::AcqRel};
use shuttle_dpor::thread::JoinHandle;
use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::Location;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

/// A thread that may have to be joined.
pub(crate) type Joinable = Arc<Mutex<Option<JoinHandle<()>>>>;

/// What must be gone when an execution is over.
pub(crate) struct Leak {
    /// What it is, for the report.
    pub(crate) what: &'static str,
    pub(crate) made: &'static Location<'static>,
}

pub(crate) struct Execution {
    /// Counts the lazy statics, and says when they are gone: an operation for whoever needs one.
    pub(crate) statics: Rc<AtomicUsize>,
    pub(crate) lazies: Vec<(usize, Box<dyn Any>)>,
    threads: Vec<Joinable>,
    /// By a number, or the address of what was allocated.
    pub(crate) alive: HashMap<(usize, bool), Leak>,
    pub(crate) tracked: usize,
    /// What is known of the values of `Arc`s, by their addresses.
    pub(crate) arcs: HashMap<usize, Arc<crate::sync::Count>>,
    yields: usize,
    most_yields: usize,
    /// How many atomics are written by somebody, and used by more than one thread.
    shared: usize,
    /// Whether one of these has been used with an ordering weaker than `SeqCst`.
    weak: bool,
}

/// What `statics` holds once the closure has returned.
pub(crate) const GONE: usize = 1 << 32;

thread_local! {
    static EXECUTION: RefCell<Option<Execution>> = const { RefCell::new(None) };
}

/// Runs `f` on the execution. It must not perform operations.
pub(crate) fn with<R>(f: impl FnOnce(&mut Execution) -> R) -> R {
    try_with(f).expect("loom's primitives work only inside of a model")
}

/// Like [`with`], for those who may come when there is none any more.
pub(crate) fn try_with<R>(f: impl FnOnce(&mut Execution) -> R) -> Option<R> {
    EXECUTION.try_with(|e| e.borrow_mut().as_mut().map(f)).ok().flatten()
}

/// Runs a model's closure as an execution. Returns whether loom may explore more of it.
pub(crate) fn run(f: &dyn Fn(), most_yields: usize) -> bool {
    let statics = AtomicUsize::named("lazy statics", 0);
    let execution = Execution {
        statics: Rc::new(statics),
        lazies: Vec::new(),
        threads: Vec::new(),
        alive: HashMap::new(),
        tracked: 0,
        arcs: HashMap::new(),
        yields: 0,
        most_yields,
        shared: 0,
        weak: false,
    };
    EXECUTION.set(Some(execution));
    let _over = Over;
    f();
    with(|e| e.statics.clone()).fetch_add(GONE, AcqRel);
    // Those included that they spawn themselves.
    while let Some(thread) = with(|e| e.next_thread()) {
        let handle = thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(handle) = handle {
            // If it has panicked, that has been recorded.
            let _ = handle.join();
        }
    }
    // Only now: somebody may have a reference to one from before.
    let lazies = with(|e| std::mem::take(&mut e.lazies));
    drop(lazies);
    // What this thread's locals hold has not leaked.
    shuttle_dpor::parts::drop_locals();
    let leaks = with(|e| e.leaks());
    if !leaks.is_empty() {
        shuttle_dpor::report_violation("no-leak", leaks.join("; "));
    }
    with(|e| e.weak && e.shared > 1)
}

/// Takes the execution down, also if the closure panics or the execution is given up.
struct Over;

impl Drop for Over {
    fn drop(&mut self) {
        // The values' destructors may look for the execution.
        while let Some(lazy) = try_with(|e| e.lazies.pop()).flatten() {
            drop(lazy);
        }
        let execution = EXECUTION.take();
        drop(execution);
    }
}

impl Execution {
    pub(crate) fn spawned(&mut self, thread: Joinable) {
        self.threads.push(thread);
    }

    /// A thread to join: first those that nobody else has a handle of, as another thread may be
    /// about to join with the one that it has.
    fn next_thread(&mut self) -> Option<Joinable> {
        let detached = self.threads.iter().position(|thread| Arc::strong_count(thread) == 1);
        (!self.threads.is_empty()).then(|| self.threads.remove(detached.unwrap_or(0)))
    }

    fn leaks(&self) -> Vec<String> {
        let arcs = self
            .arcs
            .values()
            .filter(|count| count.is_alive())
            .map(|count| Leak { what: "an Arc", made: count.made });
        let others = self.alive.values().map(|l| Leak { what: l.what, made: l.made });
        let mut leaks: Vec<_> = arcs
            .chain(others)
            .map(|l| format!("{}, made at {}:{}, has leaked", l.what, l.made.file(), l.made.line()))
            .collect();
        leaks.sort();
        leaks
    }

    /// Somebody yields.
    pub(crate) fn yields(&mut self) -> bool {
        self.yields += 1;
        self.yields <= self.most_yields
    }

    /// An atomic turns out to be shared and written.
    pub(crate) fn shares(&mut self) {
        self.shared += 1;
    }

    /// An atomic that is shared and written has been used with a weaker ordering.
    pub(crate) fn weakens(&mut self) {
        self.weak = true;
    }
}
