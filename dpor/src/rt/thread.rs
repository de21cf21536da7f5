//! The threads of an execution.

use crate::memory::Known;
use crate::op::{ObjId, Op, Tid};
use crate::spin::Pause;
use crate::trace::Clock;
use std::any::Any;
use std::panic::Location;
use std::rc::Rc;

/// Where a thread is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Status {
    /// Not in this execution.
    Absent,
    /// Spawned, and has not run.
    Starting,
    /// Between two operations.
    Running,
    /// About to perform an operation.
    At(Op),
    /// Waiting for a thread to end.
    Joining(Tid, &'static Location<'static>),
    /// Waiting at a barrier for the end of a generation.
    Gathering(ObjId, u64),
    /// Waiting for the message with this number to be received.
    Meeting(ObjId, u64, &'static Location<'static>),
    /// Waiting until all others have ended or are at rest.
    Resting,
    /// Over.
    Finished,
}

/// What a thread has of a thread-local.
pub(crate) enum Local {
    /// Nothing yet.
    None,
    Made(Rc<dyn Any>),
    Gone,
}

/// A thread of the current execution.
pub(crate) struct Thread {
    pub(crate) status: Status,
    /// What it knows: the happens-before of its next event, but for that event's object.
    pub(crate) clock: Clock,
    /// The same for the detection of data races.
    pub(crate) known: Known,
    pub(crate) name: Option<String>,
    /// Whose the objects are that it makes now.
    pub(crate) makes_for: Option<std::sync::Arc<str>>,
    /// Its parent, and its place among the parent's children.
    pub(crate) parent: Tid,
    pub(crate) nth: u32,
    /// Its class and its place there, if it is one of equal threads: see [`crate::symmetry`].
    pub(crate) equal: Option<(u16, u16)>,
    /// The number of its first operation that tells it from its equals.
    pub(crate) mark: Option<u32>,
    /// Its thread-locals by their keys; none is made again once it has gone.
    pub(crate) locals: Vec<(usize, Option<Rc<dyn Any>>)>,
    pub(crate) panicked: bool,
    /// Whether it has panicked and the panic has not been caught by its end.
    pub(crate) panics: bool,
    /// The object that holds its park token, once somebody needs it.
    pub(crate) token: Option<ObjId>,
    /// The object that says whether it has ended, if that is to be explored, and where the thread
    /// was spawned.
    pub(crate) end: Option<(ObjId, &'static Location<'static>)>,
    pub(super) children: u32,
    pub(super) objects: u32,
    pub(super) yielded: bool,
    /// Where it is blocked now, it may be for ever.
    pub(crate) waits: bool,
    /// How many events there were when it yielded last, or changed what is no object.
    pub(super) since: usize,
    /// It has yielded after such a round, and has performed nothing since.
    pub(crate) pause: Option<Pause>,
    /// What it knows, as a number.
    pub(crate) past: u64,
    /// How often it has woken spuriously.
    pub(super) spurious: u32,
    /// How many of its waits have timed out.
    pub(super) timeouts: u32,
    pub(super) stuck: bool,
    /// How many of its weak compare-exchanges have failed spuriously.
    pub(super) failures: u32,
    /// The number of its last event, if there is a watchdog.
    pub(super) last: Option<usize>,
    /// Which thread has joined it.
    pub(super) joined: Option<Tid>,
    /// It runs a destructor that another thread might run instead: where the reference was made.
    pub(super) contested: Option<&'static Location<'static>>,
}

impl Thread {
    pub(super) fn absent() -> Self {
        Thread {
            status: Status::Absent,
            clock: Clock::new(),
            known: Known::default(),
            name: None,
            makes_for: None,
            parent: 0,
            nth: 0,
            equal: None,
            mark: None,
            locals: Vec::new(),
            panicked: false,
            panics: false,
            token: None,
            end: None,
            children: 0,
            objects: 0,
            yielded: false,
            waits: false,
            since: 0,
            pause: None,
            past: 0,
            spurious: 0,
            timeouts: 0,
            stuck: false,
            failures: 0,
            last: None,
            joined: None,
            contested: None,
        }
    }

    /// Whether something is done at its end.
    pub(super) fn leaves(&self) -> bool {
        !self.locals.is_empty() || self.end.is_some()
    }

    /// What it has of the thread-local with this key.
    #[inline]
    pub(super) fn local(&self, key: usize) -> Local {
        match self.locals.iter().find(|(known, _)| *known == key) {
            Some((_, Some(value))) => Local::Made(value.clone()),
            Some((_, None)) => Local::Gone,
            None => Local::None,
        }
    }

    /// Takes out the thread-local that was made last.
    pub(super) fn last_local(&mut self) -> Option<Rc<dyn Any>> {
        self.locals.iter_mut().rev().find_map(|(_, value)| value.take())
    }

    pub(super) fn reset(&mut self) {
        self.status = Status::Absent;
        self.clock.clear();
        self.known.clear();
        self.name = None;
        self.makes_for = None;
        self.equal = None;
        self.mark = None;
        self.locals.clear();
        self.panicked = false;
        self.panics = false;
        self.token = None;
        self.end = None;
        self.children = 0;
        self.objects = 0;
        self.yielded = false;
        self.waits = false;
        self.since = 0;
        self.pause = None;
        self.past = 0;
        self.spurious = 0;
        self.timeouts = 0;
        self.stuck = false;
        self.failures = 0;
        self.last = None;
        self.joined = None;
        self.contested = None;
    }
}
