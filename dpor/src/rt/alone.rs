//! A thread that is alone: the body's own before it spawns one, and after it has joined them all.
//!
//! Whoever is alone knows all that has been done, and whoever it spawns knows all that it does. So its operations
//! race with nothing, and there is nothing to choose: they have no node in the exploration tree, their objects
//! need not be asked what they know, and nor need the objects be told. The history of an object and the trace
//! have them as any others, but that those in a row share a clock. (A detour ends where two threads race, so
//! nobody is alone there. An execution that is to halt before a change of an object does not halt for whoever is
//! alone: that change is no choice, and nothing can be divided by it.)
//!
//! Equivalent executions need not agree on who is alone: which of those goes on first whom a barrier has let go, and
//! so has the others before it when they have ended, is no choice. So no two executions may be compared by what a
//! clock says of its own thread, which for events in a row is the first one's.
//!
//! # What comes last
//!
//! A body that has joined its threads mostly goes on to look at what they have left, and returns. Nothing is
//! reversed there, and in each order of the execution it comes last. So behind the first of these events nothing is
//! recorded: the operations are performed, and counted ([`Trace::count`](crate::trace::Trace::count)).
//!
//! Who needs the events, because it spawns, yields or goes on for too long, has the execution run again, and all
//! recorded from then on by its worker. Until then the execution goes *astray*: it comes to its end in some order,
//! with nothing recorded, for to unwind its threads would be to run destructors in an order in which the body does
//! not. Whoever looks at the orderings, replays one or divides the tree has all recorded from the first. (Who never
//! returns, because it waits for what cannot come, races with nothing, since it knows all; and since when somebody
//! holds what it waits for is told by running the ordering again.)

use super::state::{Mode, Runtime};
use crate::object::Applied;
use crate::op::{Op, Tid, NO_OBJECT};
use crate::trace::{mix, Event};

impl Runtime {
    /// Whether all but the current thread have ended, and it knows what they have done.
    #[inline(always)]
    pub(super) fn is_alone(&mut self) -> bool {
        if self.joins {
            self.look_who_is_left();
        }
        self.alone
    }

    /// A thread has ended that the current one waited for.
    fn look_who_is_left(&mut self) {
        self.joins = false;
        let me = self.current;
        let events = |of: Tid, by: Tid| {
            self.threads[by as usize].clock.get(of as usize).copied().unwrap_or_default()
        };
        let over = |other| !self.unfinished(other) && events(other, other) <= events(other, me);
        self.alone = self.live.iter().all(|&other| other == me || over(other));
        if self.alone {
            // What comes does not ask the objects what was done to them. In which order the others were spawned is
            // no matter.
            let others = self.live.iter().filter(|&&other| other != me);
            let known = others.map(|&other| mix(self.threads[other as usize].past, other.into()));
            let known = known.fold(0, u64::wrapping_add);
            self.knows(me, known);
        }
    }

    /// Performs `op` at once, if the current thread is alone, and returns what came of it. `None` if it is not, or
    /// if there is more to ask than the object, or more to tell than the trace.
    #[inline(always)]
    pub(super) fn perform_alone(&mut self, op: &Op) -> Option<u64> {
        match self.is_alone() {
            true => self.perform_quietly(op),
            false => None,
        }
    }

    fn perform_quietly(&mut self, op: &Op) -> Option<u64> {
        if self.tracking || !self.goes_on_alone(op) {
            return None;
        }
        let done = self.objects[op.obj as usize].apply(op, self.current, self.trace.len());
        self.beat(op);
        match self.counting {
            true => self.trace.count(),
            false => self.add_alone(op, &done),
        }
        self.after_timeout(op, &done);
        Some(done.val)
    }

    /// Whether the current thread is alone, and there is nothing to ask before it performs `op`.
    #[inline(always)]
    pub(super) fn goes_on_alone(&mut self, op: &Op) -> bool {
        let alone = self.counting && !self.astray
            || self.is_alone() && self.is_ordinary() && matches!(self.mode, Mode::Explore(_));
        let goes_on = alone && self.is_possible(op);
        if goes_on {
            self.check_owner(op);
        }
        goes_on
    }

    /// Whether `op` is possible, if it is the current thread's turn.
    #[inline(always)]
    fn is_possible(&self, op: &Op) -> bool {
        self.ending.is_none()
            && self.making.is_none()
            && self.threads[self.current as usize].contested.is_none()
            && self.trace.performed() < self.max_steps
            && (op.obj == NO_OBJECT || self.objects[op.obj as usize].enabled(op, self.current))
    }

    /// Whether the current thread is neither one that has yielded, nor tried, nor one of several equal ones.
    #[inline(always)]
    fn is_ordinary(&self) -> bool {
        let thread = &self.threads[self.current as usize];
        self.probe.is_none() && thread.pause.is_none() && thread.equal.is_none()
    }

    /// The current thread does something that needs the events before it. If some have only been counted the
    /// execution goes astray.
    pub(super) fn needs_events(&mut self) {
        self.astray = self.trace.counted() > 0;
        self.counting &= self.astray;
        self.brief &= !self.astray;
    }

    /// Records what the current thread, which is alone, has performed.
    #[inline(always)]
    pub(super) fn add_alone(&mut self, op: &Op, done: &Applied) {
        let (tid, now) = (self.current, self.trace.len());
        let me = tid as usize;
        if let Some(own) = self.objects.get_mut(done.label.obj as usize) {
            own.history.push(now as u32);
        }
        self.threads[me].clock[me] += 1;
        match self.trace.recall(tid, op, done) {
            Some(past) => self.threads[me].past = past,
            None => {
                let past = self.knows_by(op, done);
                self.threads[me].past = past;
                self.trace
                    .push_alone(Event::of(tid, op, done, past, true), &self.threads[me].clock);
                self.committed();
            }
        }
        self.counting = self.brief && self.live.len() > 1 && !self.tracking && self.is_ordinary();
    }
}
