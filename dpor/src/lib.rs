//! Optimal dynamic partial-order reduction for shuttle.

mod adapter;
pub mod cell;
mod driver;
mod explore;
mod hook;
mod local;
mod names;
mod object;
mod op;
mod ordering;
mod report;
mod rt;
mod schedule;
pub mod sync;
mod table;
mod tally;
pub mod thread;
mod trace;
mod witness;

pub use driver::{Explorer, Replay, Strategy};
pub use op::Kind;
pub use ordering::{ObjectId, Operation, Ordering};
pub use report::{Outcome, Progress, Report, Verdict, Violation};
pub use schedule::{Token, TokenError};
pub use witness::{Step, What, Witness};

use std::borrow::Cow;

/// Records that the current execution violates what is called `name`, and goes on. Each name is
/// counted once for an execution.
pub fn report_violation(name: impl Into<Cow<'static, str>>, detail: impl Into<String>) {
    let (name, detail) = (name.into(), detail.into());
    rt::with(|rt| rt.violation(name, detail));
}

/// Adds a line to the current thread's column of the witness. No operation: it has no influence on
/// the exploration.
pub fn note(text: impl Into<String>) {
    note_with(|| text.into());
}

/// Like [`note`], with a text that is made only when a witness is.
pub fn note_with(text: impl FnOnce() -> String) {
    if rt::with(|rt| rt.recording) {
        let text = text();
        rt::with(|rt| {
            let (pid, at) = (rt.current, rt.trace.len());
            rt.notes.push(rt::Note { pid, at, text });
        });
    }
}

/// Names the current thread, for the witness.
pub fn name_thread(name: impl Into<String>) {
    let name = name.into();
    rt::with(|rt| {
        let me = rt.current;
        rt.task(me).name = Some(name);
    });
}

fn set_object_name(id: op::ObjId, name: String) {
    rt::with(|rt| rt.objects[id as usize].name = Some(name));
}
