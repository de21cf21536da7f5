//! Keeping the panics of explored executions quiet.
//!
//! A violation may occur in thousands of executions, and shuttle's hook prints several lines for
//! each panic. So the process's panic hook is replaced once, by one that only notes where a panic in
//! an exploration came from, and passes every other panic on: to shuttle's hook inside a shuttle
//! test, to the one that was there before otherwise.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic;
use std::sync::Once;

thread_local! {
    static EXPLORING: Cell<bool> = const { Cell::new(false) };
    /// The latest panics of this thread, at most [`KEPT`]: message and place.
    static PANICS: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
}

/// A destructor's panic and the one before it, and some more.
const KEPT: usize = 4;

/// Marks this OS thread as exploring until dropped.
pub(crate) struct Quiet(bool);

impl Quiet {
    pub(crate) fn new(panics: fn()) -> Self {
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
pub(crate) fn install(panics: fn()) {
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
                let text = message(info.payload());
                PANICS.with_borrow_mut(|all| {
                    if ABORTING.contains(&text.as_str()) {
                        return explain_abort(&text, all);
                    }
                    all.truncate(KEPT - 1);
                    all.insert(0, (text, at.unwrap_or_default()));
                });
                panics();
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

fn explain_abort(why: &str, panics: &[(String, String)]) {
    eprintln!("std aborts the process, and the exploration with it: {why}");
    for (text, place) in panics.iter().rev() {
        eprintln!("  panicked at {place}: {text}");
    }
}

/// The message of a panic that has been caught, and where it came from.
pub(crate) fn describe(payload: &(dyn Any + Send)) -> (String, String) {
    let last = PANICS.take().into_iter().next();
    (message(payload), last.map(|(_, place)| place).unwrap_or_default())
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
