//! A thread that is alone: the body's own before it spawns one, and after it has joined them all.
//!
//! Whoever is alone knows all that has been done, and whoever it spawns knows all that it does. So its operations
//! race with nothing, and there is nothing to choose: they have no node in the exploration tree, their objects
//! need not be asked what they know, and nor need the objects be told. The history of an object and the trace
//! have them as any others. (A detour ends where two threads race, so nobody is alone there. An execution that is
//! to halt before a change of an object does not halt for whoever is alone: that change is no choice, and nothing
//! can be divided by it.)
//!
//! Whether a thread is alone before one of its events follows from what happens before the event: equivalent
//! executions agree on it.

use super::state::{Mode, Runtime};
use crate::object::Applied;
use crate::op::{Op, Tid, NO_OBJECT};
use crate::trace::Event;

impl Runtime {
    /// Whether all but the current thread have ended, and it knows what they have done.
    #[inline]
    pub(super) fn is_alone(&mut self) -> bool {
        if std::mem::take(&mut self.joins) {
            let me = self.current;
            let events = |of: Tid, by: Tid| {
                self.threads[by as usize].clock.get(of as usize).copied().unwrap_or_default()
            };
            let over = |other| !self.unfinished(other) && events(other, other) <= events(other, me);
            self.alone = self.live.iter().all(|&other| other == me || over(other));
        }
        self.alone
    }

    /// Whether the current thread, which is alone, performs `op` at once: there is nobody to choose, and nothing
    /// to find out.
    pub(super) fn goes_on_alone(&self, op: &Op) -> bool {
        let me = self.current;
        matches!(self.mode, Mode::Explore(_))
            && self.probe.is_none()
            && self.threads[me as usize].pause.is_none()
            && self.threads[me as usize].equal.is_none()
            && self.trace.len() < self.max_steps
            && (op.obj == NO_OBJECT || self.objects[op.obj as usize].enabled(op, me))
    }

    /// Records what the current thread has performed, if it is alone. Returns whether it is.
    pub(super) fn add_alone(&mut self, op: &Op, done: &Applied) -> bool {
        if !self.alone {
            return false;
        }
        let (me, past) = (self.current as usize, self.knows_by(op, done));
        if let Some(own) = self.objects.get_mut(done.label.obj as usize) {
            own.history.push(self.trace.len() as u32);
        }
        let thread = &mut self.threads[me];
        thread.past = past;
        if thread.clock.len() <= me {
            thread.clock.resize(me + 1, 0);
        }
        thread.clock[me] += 1;
        self.trace.push_alone(Event::of(self.current, op, done, past, true), &thread.clock);
        self.committed();
        true
    }
}
