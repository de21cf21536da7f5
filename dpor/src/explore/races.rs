//! Finding the reversible races of an execution, and what reverses them.
//!
//! A race is a pair of dependent events of different threads with nothing in between that forces
//! their order. Reversing it means to run, from the state before the first event, everything that
//! does not happen after that event, and then the second.
//!
//! For operations that can block, a pair that is next to each other need not be the one to reverse:
//! between two acquisitions of a mutex lies the release that made the second possible. So for a
//! blocking operation the search goes back, over the events on its object that it could not have
//! preceded, to the latest before which it was enabled. And an operation that is blocked when the
//! execution ends races too, though it never became an event.

use crate::object::{bit, waits_no_more, Object, CAN_RECV, CAN_SEND, MAY_END, RUNNING, WRITTEN};
use crate::op::{label_if, Class, Kind, Op, Tid, Transition};
use crate::trace::{Clock, Trace};

/// An operation that was still blocked when the execution ended.
pub(crate) struct Blocked {
    pub(crate) tid: Tid,
    pub(crate) op: Op,
    /// What its thread knew.
    pub(crate) base: Clock,
}

/// The second operation of a race: an event, or one that was blocked to the end.
#[derive(Clone, Copy)]
struct Second<'a> {
    tid: Tid,
    kind: Kind,
    obj: u32,
    arg: u64,
    base: &'a [u32],
    /// Its number among the events; their number, if it is none.
    index: usize,
    /// The events on its object that may have come before it: those up to this number.
    limit: usize,
    /// What it turned out to be.
    class: Class,
}

/// A turn at reading an `RwLock`, or at writing it from when the writer waits; a look at it is one that
/// is over at once.
#[derive(Clone, Copy)]
struct Session {
    tid: Tid,
    acquired: usize,
    released: Option<usize>,
}

/// The search, with its buffers.
#[derive(Default)]
pub(crate) struct Races {
    sequence: Vec<Transition>,
    firsts: Vec<usize>,
    sessions: Vec<Session>,
}

impl Races {
    /// Calls `reversal` with the event number and the wakeup sequence of each race's reversal.
    pub(crate) fn each(
        &mut self,
        trace: &Trace,
        objects: &[Object],
        blocked: &[Blocked],
        mut reversal: impl FnMut(usize, &mut Vec<Transition>),
    ) {
        for (index, event) in trace.events().iter().enumerate() {
            let woken = event.label.kind == Kind::Woken;
            let second = Second {
                tid: event.tid,
                kind: event.announced,
                obj: event.obj,
                arg: event.arg,
                base: trace.base(index),
                index,
                limit: if woken { event.pre as usize + 1 } else { index },
                class: event.label.kind.class(),
            };
            self.with_second(trace, objects, second, &mut reversal);
        }
        for b in blocked {
            let second = Second {
                tid: b.tid,
                kind: b.op.kind,
                obj: b.op.obj,
                arg: b.op.arg,
                base: &b.base,
                index: trace.len(),
                limit: trace.len(),
                class: b.op.kind.class(),
            };
            self.with_second(trace, objects, second, &mut reversal);
        }
    }

    fn with_second(
        &mut self,
        trace: &Trace,
        objects: &[Object],
        second: Second,
        reversal: &mut impl FnMut(usize, &mut Vec<Transition>),
    ) {
        let history = &objects[second.obj as usize].history;
        let end = history.partition_point(|&i| (i as usize) < second.limit);
        let history = &history[..end];
        if history.is_empty() {
            return;
        }
        match second.kind {
            Kind::Write => self.before_readers(trace, history, second, reversal),
            Kind::Read => self.before_writers(trace, history, second, reversal),
            Kind::Lock => self.when_enabled(trace, history, second, |pre| pre == 0, reversal),
            Kind::Enter => {
                self.when_enabled(trace, history, second, |pre| pre & RUNNING == 0, reversal)
            }
            Kind::WaitDone => {
                let enabled = |pre| waits_no_more(second.arg, pre);
                self.when_enabled(trace, history, second, enabled, reversal)
            }
            Kind::Park if second.arg != MAY_END => {
                self.when_enabled(trace, history, second, |pre| pre == 1, reversal)
            }
            Kind::Wake if second.arg != MAY_END => {
                let me = bit(second.tid);
                self.when_enabled(trace, history, second, |pre| pre & me != 0, reversal)
            }
            Kind::Send => {
                self.when_enabled(trace, history, second, |pre| pre & CAN_SEND != 0, reversal)
            }
            Kind::Recv if second.arg != MAY_END => {
                self.when_enabled(trace, history, second, |pre| pre & CAN_RECV != 0, reversal)
            }
            _ => self.always_enabled(trace, history, second, reversal),
        }
    }

    /// The races of an operation that cannot block: with each operation that it is dependent with,
    /// unless one in between that it is dependent with, too, comes after that.
    fn always_enabled(
        &mut self,
        trace: &Trace,
        history: &[u32],
        second: Second,
        reversal: &mut impl FnMut(usize, &mut Vec<Transition>),
    ) {
        let class = |i: u32| trace.events()[i as usize].label.kind.class();
        for (n, &first) in history.iter().enumerate().rev() {
            let i = first as usize;
            if !class(first).conflicts(second.class) {
                continue;
            }
            if !trace.known(i, second.base) {
                let mut later =
                    history[n + 1..].iter().filter(|&&l| class(l).conflicts(second.class));
                if !later.any(|&l| trace.before(i, l as usize)) {
                    self.reverse(trace, &[i], second, reversal);
                }
            }
            // What is before that, and dependent with the second operation, comes before it.
            let all = Class::ALL.into_iter().filter(|c| c.conflicts(second.class));
            if all.into_iter().all(|c| c.conflicts(class(first))) {
                return;
            }
        }
    }

    /// The races of a blocking operation, where all events that matter on the object are ordered but
    /// for looks: with the latest event that it could have preceded, or with each of the looks that
    /// came after that.
    fn when_enabled(
        &mut self,
        trace: &Trace,
        history: &[u32],
        second: Second,
        enabled: impl Fn(u64) -> bool,
        reversal: &mut impl FnMut(usize, &mut Vec<Transition>),
    ) {
        let mut looked = false;
        for (n, &first) in history.iter().enumerate().rev() {
            let first = first as usize;
            let event = &trace.events()[first];
            if !event.label.kind.class().conflicts(second.class) {
                continue;
            }
            let read = event.label.kind.class() == Class::Read;
            let known = trace.known(first, second.base);
            if known && !read {
                return;
            }
            if known || !enabled(event.pre) {
                continue;
            }
            let forced = match read {
                true => history[n + 1..].iter().any(|&later| trace.before(first, later as usize)),
                false => looked,
            };
            if !forced {
                self.reverse(trace, &[first], second, reversal);
            }
            if !read {
                return;
            }
            looked = true;
        }
    }

    /// The races of a writer with the readers before it, which commute among themselves. To go
    /// before one reader it must also go before every other that could not have finished by then.
    fn before_readers(
        &mut self,
        trace: &Trace,
        history: &[u32],
        second: Second,
        reversal: &mut impl FnMut(usize, &mut Vec<Transition>),
    ) {
        let mut writer = None;
        self.sessions.clear();
        for &i in history {
            let event = &trace.events()[i as usize];
            match event.label.kind {
                Kind::Read | Kind::TryRead if event.val == 1 => self.sessions.push(Session {
                    tid: event.tid,
                    acquired: i as usize,
                    released: None,
                }),
                Kind::UnlockRead => {
                    let mut open = self.sessions.iter_mut().rev();
                    if let Some(s) = open.find(|s| s.tid == event.tid && s.released.is_none()) {
                        s.released = Some(i as usize);
                    }
                }
                // With a writer there, who goes before this goes before the writer.
                Kind::Look | Kind::Clear if event.pre & WRITTEN == 0 => {
                    self.sessions.push(Session {
                        tid: event.tid,
                        acquired: i as usize,
                        released: Some(i as usize),
                    })
                }
                Kind::Write | Kind::TryWrite if event.val == 1 => {
                    self.sessions.clear();
                    writer = Some(i as usize);
                }
                // It reads on from when it began to write.
                Kind::Downgrade => self.sessions.extend(writer.map(|acquired| Session {
                    tid: event.tid,
                    acquired,
                    released: None,
                })),
                _ => {}
            }
        }
        if self.sessions.is_empty() {
            if let Some(first) = writer.filter(|&w| !trace.known(w, second.base)) {
                self.reverse(trace, &[first], second, reversal);
            }
            return;
        }
        self.before_sessions(trace, second, reversal);
    }

    /// The races of a reader with the writers before it, from when each began to wait: to go before
    /// one it must also go before every other that could not have finished by then.
    fn before_writers(
        &mut self,
        trace: &Trace,
        history: &[u32],
        second: Second,
        reversal: &mut impl FnMut(usize, &mut Vec<Transition>),
    ) {
        self.sessions.clear();
        for &i in history {
            let event = &trace.events()[i as usize];
            let tid = event.tid;
            let session = |released| Session { tid, acquired: i as usize, released };
            match event.label.kind {
                Kind::QueueWrite => self.sessions.push(session(None)),
                Kind::TryWrite if event.val == 1 => self.sessions.push(session(None)),
                Kind::UnlockWrite | Kind::Downgrade => {
                    let mut open = self.sessions.iter_mut().rev();
                    if let Some(s) = open.find(|s| s.tid == tid && s.released.is_none()) {
                        s.released = Some(i as usize);
                    }
                }
                // With a writer there, who goes before this goes before the writer.
                Kind::TryWrite | Kind::Clear if event.pre == 0 => {
                    self.sessions.push(session(Some(i as usize)));
                }
                _ => {}
            }
        }
        self.before_sessions(trace, second, reversal);
    }

    /// The races with the beginnings of the sessions.
    fn before_sessions(
        &mut self,
        trace: &Trace,
        second: Second,
        reversal: &mut impl FnMut(usize, &mut Vec<Transition>),
    ) {
        for n in 0..self.sessions.len() {
            let mut firsts = std::mem::take(&mut self.firsts);
            firsts.clear();
            firsts.push(self.sessions[n].acquired);
            if self.close(trace, &mut firsts, second) {
                self.reverse(trace, &firsts, second, reversal);
            }
            self.firsts = firsts;
        }
    }

    /// Adds to `firsts` the sessions that would not be over after everything that does not happen after
    /// `firsts`. Returns false if the second operation must come after one of them.
    fn close(&self, trace: &Trace, firsts: &mut Vec<usize>, second: Second) -> bool {
        loop {
            if firsts.iter().any(|&f| trace.known(f, second.base)) {
                return false;
            }
            let start = *firsts.iter().min().expect("there is a first event");
            let stays =
                |i: usize| i < start || !firsts.iter().any(|&f| f == i || trace.before(f, i));
            let holding =
                self.sessions.iter().find(|s| stays(s.acquired) && !s.released.is_some_and(stays));
            match holding {
                Some(s) => firsts.push(s.acquired),
                None => return true,
            }
        }
    }

    fn reverse(
        &mut self,
        trace: &Trace,
        firsts: &[usize],
        second: Second,
        reversal: &mut impl FnMut(usize, &mut Vec<Transition>),
    ) {
        let start = *firsts.iter().min().expect("there is a first event");
        self.sequence.clear();
        for (i, event) in trace.events().iter().enumerate().skip(start) {
            let after = firsts.iter().any(|&f| f == i || trace.before(f, i));
            if !after && i != second.index {
                self.sequence.push(event.transition());
            }
        }
        let pre = trace.events()[start].pre;
        let label = label_if(second.kind, second.obj, second.arg, pre);
        self.sequence.push(Transition { tid: second.tid, label });
        reversal(start, &mut self.sequence);
    }
}
