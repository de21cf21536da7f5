//! Keeping the panics of explored executions quiet.
//!
//! A violation may occur in thousands of executions, and shuttle's hook prints several lines for
//! each panic. So the process's panic hook is replaced once, by one that only notes where a panic in
//! an exploration came from, and passes every other panic on: to shuttle's hook inside a shuttle
//! test, to the one that was there before otherwise.

use crate::op::Tid;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic;
use std::sync::Once;

thread_local! {
    static EXPLORING: Cell<bool> = const { Cell::new(false) };
    /// The latest panics on this OS thread, at most [`KEPT`] of each of the body's threads.
    static PANICS: RefCell<Vec<Panic>> = const { RefCell::new(Vec::new()) };
}

/// A destructor's panic and the one before it, and some more.
const KEPT: usize = 4;

/// A panic that the hook has seen. Until it is caught others may panic: it unwinds through destructors
/// that give up their turn.
struct Panic {
    /// The thread of the body's, if it was one.
    thread: Option<Tid>,
    text: String,
    place: String,
}

/// Notes that a panic begins. Returns the thread of the body's that panics, if it is one.
pub(crate) type Panics = fn() -> Option<Tid>;

/// Marks this OS thread as exploring until dropped.
pub(crate) struct Quiet(bool);

impl Quiet {
    pub(crate) fn new(panics: Panics) -> Self {
        install(panics);
        Quiet(EXPLORING.replace(true))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        EXPLORING.set(self.0);
    }
}

/// Puts the hook in place, if it is not; it calls `panics` for each panic in an execution. Not
/// inside of an execution.
pub(crate) fn install(panics: Panics) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // shuttle puts its hook around the one it finds when it runs for the first time. Have that
        // happen now, so that ours ends up outside.
        let before = panic::take_hook();
        let mut config = shuttle::Config::new();
        config.failure_persistence = shuttle::FailurePersistence::None;
        shuttle::Runner::new(shuttle::scheduler::RandomScheduler::new(1), config).run(|| {});
        let shuttles = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if EXPLORING.get() {
                let at = info.location().map(|l| format!("{}:{}", l.file(), l.line()));
                let (thread, text) = (panics(), message(info.payload()));
                PANICS.with_borrow_mut(|all| {
                    if ABORTING.contains(&text.as_str()) {
                        return explain_abort(thread, &text, all);
                    }
                    all.push(Panic { thread, text, place: at.unwrap_or_default() });
                    if all.iter().filter(|panic| panic.thread == thread).count() > KEPT {
                        let oldest = all.iter().position(|panic| panic.thread == thread);
                        oldest.map(|at| all.remove(at));
                    }
                });
            } else if shuttle::current::try_get_current_task().is_some() {
                panics();
                shuttles(info);
            } else {
                before(info);
            }
        }));
    });
}

/// What std panics with before it aborts the process: nobody will catch that, so it must be told now.
const ABORTING: [&str; 2] =
    ["panic in a destructor during cleanup", "panic in a function that cannot unwind"];

fn explain_abort(thread: Option<Tid>, why: &str, panics: &[Panic]) {
    eprintln!("std aborts the process, and the exploration with it: {why}");
    for Panic { text, place, .. } in panics.iter().filter(|panic| panic.thread == thread) {
        eprintln!("  panicked at {place}: {text}");
    }
}

/// What shuttle panics with when one of its primitives, or `shuttle::future`, finds no test of shuttle's
/// around it; it prints a backtrace before.
const NO_TEST_OF_SHUTTLES: &str = "`ExecutionState` is not set";

/// What that means in a body.
const SHUTTLES_OWN: &str =
    "something of shuttle's own was used, which an explorer does not run: use \
    shuttle_dpor's sync, thread and future instead";

/// The message of a panic of this thread's that has been caught, and where it came from. Whose a panic
/// is that began inside of the runtime the hook cannot tell: it is taken for that of whom it reaches.
pub(crate) fn describe(thread: Option<Tid>, payload: &(dyn Any + Send)) -> (String, String) {
    let place = PANICS.with_borrow_mut(|all| {
        let theirs = |panic: &Panic| panic.thread.is_some() && panic.thread != thread;
        let last = all.iter_mut().rev().find(|panic| !theirs(panic));
        let place = last.map(|panic| std::mem::take(&mut panic.place));
        all.retain(theirs);
        place
    });
    let text = match message(payload) {
        text if text.contains(NO_TEST_OF_SHUTTLES) => SHUTTLES_OWN.to_owned(),
        text => text,
    };
    (text, place.unwrap_or_default())
}

fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(s) = payload.downcast_ref::<&str>() {
        (*s).to_owned()
    } else if let Some(s) = payload.downcast_ref::<String>() {
        s.clone()
    } else {
        "a panic without a message".to_owned()
    }
}
