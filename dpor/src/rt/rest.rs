//! Threads that wait where they may wait for ever, and the one that waits for all others to do so.
//!
//! Which threads are at rest is told from the state in which nobody can go on, and that state is the
//! same at the end of every schedule of an ordering. So it is no choice and no event when the one that
//! has waited for it goes on, and what that one does then happens after all that was done until then:
//! it races with nothing before it.

use super::state::Runtime;
use super::thread::Status;
use crate::op::{Kind, Tid};
use crate::trace::join;

impl Runtime {
    /// Whether `tid` has ended, or is blocked where it may wait for ever. Asked when nobody can go on.
    /// The body's own thread has to return.
    fn is_at_rest(&self, tid: Tid) -> bool {
        let thread = &self.threads[tid as usize];
        match thread.status {
            Status::Finished => true,
            // Whoever is blocked on a lock waits for somebody who has it.
            Status::At(op) => {
                tid != 0 && thread.waits && matches!(op.kind, Kind::Wake | Kind::Park | Kind::Recv)
            }
            _ => false,
        }
    }

    /// Nobody can go on: the thread that has waited until all others are at rest, if they are. It
    /// knows then what they have done.
    pub(super) fn rests(&mut self) -> Option<Tid> {
        let resting = |&tid: &Tid| matches!(self.threads[tid as usize].status, Status::Resting);
        let me = self.live.iter().copied().find(resting)?;
        if !self.live.iter().all(|&tid| tid == me || self.is_at_rest(tid)) {
            return None;
        }
        for i in 0..self.live.len() {
            let other = self.live[i] as usize;
            if other == me as usize {
                continue;
            }
            let past = self.threads[other].past;
            self.knows(me, past);
            let clock = std::mem::take(&mut self.threads[other].clock);
            join(&mut self.threads[me as usize].clock, &clock);
            self.threads[other].clock = clock;
            if self.tracking {
                let known = self.threads[other].known.now.clone();
                join(&mut self.threads[me as usize].known.now, &known);
            }
        }
        self.joins = true;
        Some(me)
    }

    /// Whether nobody is left but those who may wait for ever.
    pub(super) fn all_at_rest(&self) -> bool {
        self.live.iter().all(|&tid| self.is_at_rest(tid))
    }
}
