//! Threads of std's that use the primitives of an exploration, which does not know of them: when they run
//! is explored by nobody. Such a thread is stopped by a panic, which who joins it may see; whether or not
//! somebody does, it is a violation of the execution whose object it used.
//!
//! Which exploration that is cannot be asked of a thread of std's. If one alone is under way in the process it
//! is that one, and of its executions the first in which, when one of its threads ends, there is such an
//! object. If there are several, nobody is blamed, and the panic is all that there is to see.

use super::{with, Runtime};
use crate::names::ExplorationId;
use crate::op::{ObjId, Op, NO_OBJECT};
use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// An operation that a thread of std's was about to perform.
struct Stray {
    of: ExplorationId,
    obj: ObjId,
    what: &'static str,
    at: &'static Location<'static>,
}

struct Strays {
    /// The explorations that are under way, each with the number of its runtimes.
    running: BTreeMap<ExplorationId, usize>,
    /// What has not been reported yet, the oldest first.
    seen: Vec<Stray>,
}

static STRAYS: Mutex<Strays> = Mutex::new(Strays { running: BTreeMap::new(), seen: Vec::new() });
/// How many there are to report.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// In an exploration that goes on for days nobody may ever come for them.
const KEPT: usize = 64;

fn strays() -> MutexGuard<'static, Strays> {
    STRAYS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A runtime of an exploration is there.
pub(crate) struct Running(ExplorationId);

impl Running {
    pub(crate) fn new(of: ExplorationId) -> Self {
        *strays().running.entry(of).or_default() += 1;
        Running(of)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut strays = strays();
        let left = strays.running.get_mut(&self.0).map_or(0, |count| {
            *count -= 1;
            *count
        });
        if left == 0 {
            strays.running.remove(&self.0);
            strays.seen.retain(|stray| stray.of != self.0);
            COUNT.store(strays.seen.len(), Relaxed);
        }
    }
}

/// The current OS thread is no explorer's, and performs an operation.
pub(super) fn refuse(op: &Op) -> ! {
    let what = op.verb.unwrap_or(op.kind.name());
    let mut strays = strays();
    let mut running = strays.running.keys();
    if let (Some(&of), None, true) = (running.next(), running.next(), op.obj != NO_OBJECT) {
        if strays.seen.len() < KEPT {
            strays.seen.push(Stray { of, obj: op.obj, what, at: op.at });
        }
        COUNT.store(strays.seen.len(), Relaxed);
    }
    drop(strays);
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
        let mine = |stray: &Stray| stray.of == self.running.0 && alive(stray.obj);
        let all = std::mem::take(&mut strays.seen).into_iter();
        let (found, rest): (Vec<Stray>, _) = all.partition(mine);
        strays.seen = rest;
        COUNT.store(strays.seen.len(), Relaxed);
        drop(strays);
        for Stray { obj, what, at, .. } in found {
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
