//! A thread that is alone: the body's own before it spawns one, and after it has joined them all.
//!
//! Whoever is alone knows all that has been done, and whoever it spawns knows all that it does. So its operations
//! race with nothing, and there is nothing to choose: they have no node in the exploration tree, their objects
//! need not be asked what they know, and nor need the objects be told. The history of an object and the trace
//! have them as any others, but that those in a row share a clock. (A detour ends where two threads race, so
//! nobody is alone there. An execution that is to halt before a change of an object does not halt for whoever is
//! alone: that change is no choice, and nothing can be divided by it.)
//!
//! Whether a thread is alone before one of its events follows from what happens before the event: equivalent
//! executions agree on it.

use super::state::{Mode, Runtime};
use crate::object::Applied;
use crate::op::{Op, Tid, NO_OBJECT};
use crate::trace::Event;

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
        self.add_alone(op, &done);
        self.after_timeout(op, &done);
        Some(done.val)
    }

    /// Whether the current thread is alone, and there is nothing to ask before it performs `op`.
    #[inline(always)]
    pub(super) fn goes_on_alone(&mut self, op: &Op) -> bool {
        let goes_on = self.is_alone()
            && self.is_ordinary()
            && self.ending.is_none()
            && self.making.is_none()
            && self.threads[self.current as usize].contested.is_none()
            && self.trace.len() < self.max_steps
            && matches!(self.mode, Mode::Explore(_))
            && (op.obj == NO_OBJECT || self.objects[op.obj as usize].enabled(op, self.current));
        if goes_on {
            self.check_owner(op);
        }
        goes_on
    }

    /// Whether the current thread is neither one that has yielded, nor tried, nor one of several equal ones.
    #[inline(always)]
    fn is_ordinary(&self) -> bool {
        let thread = &self.threads[self.current as usize];
        self.probe.is_none() && thread.pause.is_none() && thread.equal.is_none()
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
    }
}
