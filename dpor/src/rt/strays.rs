//! Threads of std's that use the primitives of an exploration, which does not know of them: when they run
//! is explored by nobody. Such a thread is stopped by a panic, which who joins it may see; whether or not
//! somebody does, it is a violation of the execution whose object it used.
//!
//! It cannot be known for certain which execution that is, as a thread of std's has no part in any: it is
//! the first in which, when one of its threads ends, there is such an object.

use super::{with, Runtime};
use crate::op::{ObjId, Op, NO_OBJECT};
use std::panic::Location;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// An operation that a thread of std's was about to perform.
struct Stray {
    obj: ObjId,
    what: &'static str,
    at: &'static Location<'static>,
}

/// What nobody has reported yet, the oldest first, and how many there are.
static STRAYS: Mutex<Vec<Stray>> = Mutex::new(Vec::new());
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// In a process that explores for days nobody may ever come for them.
const KEPT: usize = 64;

fn strays() -> MutexGuard<'static, Vec<Stray>> {
    STRAYS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The current OS thread is no explorer's, and performs an operation.
pub(super) fn refuse(op: Op) -> ! {
    let stray = Stray { obj: op.obj, what: op.verb.unwrap_or(op.kind.name()), at: op.at };
    let what = stray.what;
    if op.obj != NO_OBJECT {
        let mut strays = strays();
        if strays.len() < KEPT {
            strays.push(stray);
        }
        COUNT.store(strays.len(), Relaxed);
    }
    panic!(
        "shuttle-dpor's primitives work only inside the body of an `Explorer` or of a shuttle test, on \
         threads of `shuttle_dpor::thread`: {what} at {}:{}",
        op.at.file(),
        op.at.line()
    );
}

/// Reports what threads of std's have done with the objects of the current execution.
pub(super) fn report() {
    if COUNT.load(Relaxed) > 0 {
        with(Runtime::report_strays);
    }
}

impl Runtime {
    fn report_strays(&mut self) {
        let mut strays = strays();
        let alive = |obj: ObjId| self.objects.get(obj as usize).is_some_and(|object| object.alive);
        let all = std::mem::take(&mut *strays).into_iter();
        let (found, rest): (Vec<Stray>, _) = all.partition(|stray| alive(stray.obj));
        *strays = rest;
        COUNT.store(strays.len(), Relaxed);
        drop(strays);
        for Stray { obj, what, at } in found {
            let place = format!("{}:{}", at.file(), at.line());
            let detail = format!(
                "a thread that is not explored performs {what} {} at {place}: spawn it by \
                 shuttle_dpor::thread",
                self.object_name(obj)
            );
            self.note(format!("a thread that is not explored: {what} {}", self.object_name(obj)));
            self.violation("no-foreign-thread".into(), place, detail);
        }
    }
}
