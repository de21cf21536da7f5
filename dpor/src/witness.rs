//! Witnesses: one ordering, step by step, for people.

use crate::object::{ALIVE, HUNG_UP, NOT_NOW, OVER};
use crate::op::Kind;
use crate::rt::{Note, Runtime};
use crate::trace::Event;
use std::fmt;

/// One ordering, step by step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witness {
    /// The threads' names; the body's own thread comes first.
    pub threads: Vec<String>,
    /// What they did, in order.
    pub steps: Vec<Step>,
}

/// One line of a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The thread, as a place in [`Witness::threads`].
    pub thread: usize,
    /// What it did.
    pub what: What,
    /// Why the thread before this one did not go on, if another did before this step: it has ended,
    /// or what it is blocked on and who holds that; empty if it could have gone on.
    pub switch: Option<String>,
}

/// What a line of a witness tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// An operation.
    Operation {
        /// Its name, such as `lock`.
        operation: &'static str,
        /// Its object's name.
        object: String,
        /// What came of it, if that says anything: a value, `fails`, `times out`.
        value: Option<String>,
        /// The source file of the call.
        file: &'static str,
        /// The line of the call.
        line: u32,
        /// Whether that is not the line of this operation, which a destructor performs, but of what it
        /// undoes: of the lock for an unlock; where what is dropped was made, for a drop. A destructor
        /// is not told where it runs (`#[track_caller]` means nothing there).
        undoes: bool,
    },
    /// A note of the body's.
    Note(String),
}

/// Makes the witness of the execution that has just ended, which was recorded.
pub(crate) fn make(rt: &Runtime) -> Witness {
    let mut witness = Witness {
        threads: rt.live.iter().map(|&p| rt.thread_name(p)).collect(),
        steps: Vec::new(),
    };
    let place = |tid| rt.live.iter().position(|&p| p == tid).unwrap_or(0);
    let events = rt.trace.events();
    // A spawned thread runs up to its first operation before its turn has come: what it notes on the
    // way is told when it has.
    let begins_with = |note: &Note| {
        let first = events.iter().position(|e| e.tid == note.tid);
        first.filter(|&first| note.tid != 0 && first >= note.at)
    };
    let notes: Vec<(&Note, Option<usize>)> =
        rt.notes.iter().map(|note| (note, begins_with(note))).collect();
    let noted = |note: &Note, switch| Step {
        thread: place(note.tid),
        what: What::Note(note.text.clone()),
        switch,
    };
    for i in 0..=events.len() {
        let meanwhile = notes.iter().filter(|(note, begins)| note.at == i && begins.is_none());
        witness.steps.extend(meanwhile.map(|(note, _)| noted(note, None)));
        let Some(event) = events.get(i) else { break };
        // A writer that is let in as soon as it comes has not waited.
        let next = events.get(i + 1).filter(|next| next.tid == event.tid);
        let at_once = event.label.kind == Kind::QueueWrite && next.is_some();
        let mut switch = rt.switches.iter().find(|(at, _)| *at == i).map(|(_, why)| why.clone());
        let begins = notes.iter().filter(|(_, begins)| *begins == Some(i));
        witness.steps.extend(begins.map(|(note, _)| noted(note, switch.take())));
        if at_once && switch.is_none() {
            continue;
        }
        let what = What::Operation {
            operation: name(event),
            object: rt.object_name(event.obj),
            value: value(event),
            file: event.at.file(),
            line: event.at.line(),
            undoes: event.label.kind.is_undone(),
        };
        witness.steps.push(Step { thread: place(event.tid), what, switch });
    }
    witness
}

fn name(event: &Event) -> &'static str {
    match (event.label.kind, event.verb) {
        (Kind::Rmw, Some(verb)) => verb,
        (Kind::NotifyNobody | Kind::SendInVain, _) => event.announced.name(),
        (kind, _) => kind.name(),
    }
}

fn value(event: &Event) -> Option<String> {
    let val = event.val;
    match event.label.kind {
        Kind::Load | Kind::Store | Kind::CompareExchangeFailed => Some(val.to_string()),
        Kind::Rmw => Some(format!("{val}, was {}", event.pre)),
        Kind::TryLock | Kind::TryRead | Kind::TryWrite | Kind::TryUnwrap | Kind::Upgrade
            if val == 0 =>
        {
            Some("fails".into())
        }
        Kind::Unique if val == 0 => Some("fails".into()),
        Kind::SendInVain | Kind::Recv | Kind::TryRecv if val == HUNG_UP => Some("hung up".into()),
        Kind::TrySend | Kind::TryRecv | Kind::Recv if val == NOT_NOW => Some("fails".into()),
        Kind::Look if val == ALIVE => Some("goes on".into()),
        Kind::Look if val == OVER => Some("has ended".into()),
        Kind::Count => Some(val.to_string()),
        Kind::DropRef if val == 1 => Some("the last".into()),
        Kind::Wake if val == 0 => Some("by itself".into()),
        Kind::NotifyNobody => Some("nobody waits".into()),
        _ => None,
    }
}

impl Witness {
    /// How often the thread changes between two operations.
    pub fn switches(&self) -> usize {
        self.steps.iter().filter(|s| s.switch.is_some()).count()
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Operation { operation, object, value, .. } => {
                write!(f, "{operation} {object}")?;
                match value {
                    Some(value) => write!(f, ": {value}"),
                    None => Ok(()),
                }
            }
            What::Note(text) => f.write_str(text),
        }
    }
}
