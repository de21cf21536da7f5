//! Threads that yield: what they have looked at, and until when they wait. See [`crate::spin`].

use super::state::{Ending, Mode, Runtime};
use super::thread::Status;
use crate::object::{Applied, State, MAY_END, NOT_NOW, TIMED};
use crate::op::{Class, Kind, Label, Op, Tid, NO_OBJECT};
use crate::spin::{intern, Also, Look, Pause, Probe, Round, ROUNDS};
use crate::trace::{join, mix, Clock};
use std::panic::Location;

impl Runtime {
    /// The current thread has nothing better to do than to let others run.
    pub(crate) fn yielded(&mut self, at: &'static Location<'static>) {
        self.idle += 1;
        if self.idle > self.max_steps && self.ending.is_none() {
            self.ending = Some(Ending::TooLong);
        }
        let me = self.current;
        self.pause(me, at);
    }

    fn pause(&mut self, tid: Tid, at: &'static Location<'static>) {
        self.yields = true;
        self.needs_events();
        if self.astray {
            // Nobody is tried, and whoever does not wait for others comes again.
            self.threads[tid as usize].yielded = true;
            return;
        }
        let looks = self.round(tid).0.end();
        let thread = &mut self.threads[tid as usize];
        thread.yielded = true;
        thread.since = self.trace.len();
        if matches!(self.mode, Mode::Guest(_)) {
            return;
        }
        let past = thread.past;
        if looks.is_empty() {
            // It waits for nothing, or it has yielded already.
            thread.pause.get_or_insert(Pause { looks, at, past, spins: Some(false) });
            return;
        }
        let spins = self.spinners.get(past);
        self.unknown |= spins.is_none();
        if let Some(probe) = &mut self.probe {
            probe.rounds += 1;
            match (probe.covers(&looks), probe.rounds >= ROUNDS) {
                (true, true) => self.tried(true),
                (true, false) => {}
                (false, _) => self.tried(false),
            }
        }
        self.threads[tid as usize].pause = Some(Pause { looks, at, past, spins });
    }

    /// The current thread does what others may notice.
    pub(crate) fn changes(&mut self) {
        self.threads[self.current as usize].since = self.trace.len();
        self.tried(false);
    }

    /// The round of a thread, and whether the last event belongs to it, which is the thread's own.
    fn round(&self, tid: Tid) -> (Round, bool) {
        Round::of(self.trace.events(), self.threads[tid as usize].since, tid)
    }

    /// An event has been added. A thread that is being tried does not spin if that ends its round.
    #[inline]
    pub(super) fn look(&mut self) {
        if self.probe.is_some() && !self.round(self.current).1 {
            self.tried(false);
        }
    }

    /// A wait that has ended by itself is a yield.
    pub(super) fn after_timeout(&mut self, op: &Op, done: &Applied) {
        if is_timed(op) && done.label.obj != NO_OBJECT && done.val == NOT_NOW {
            let me = self.current;
            self.pause(me, op.at);
        }
    }

    /// `Op::arg` of a wait with a timeout.
    pub(crate) fn timed(&self) -> u64 {
        let timeouts = self.threads[self.current as usize].timeouts;
        match timeouts < self.timeouts {
            true => TIMED | MAY_END,
            false => TIMED,
        }
    }

    /// A wait of the current thread has timed out.
    pub(crate) fn timed_out(&mut self) {
        self.threads[self.current as usize].timeouts += 1;
    }

    /// Nothing can go on: time passes, and each wait with a timeout may end. Returns whether there is
    /// one. What comes now comes after all that has been, in whatever order that was: the state is the
    /// same in all equivalent executions, so this is no choice, and there is nothing to reverse. But who is
    /// blocked here might have come before what blocks it, as in a deadlock: that is noted, for what it
    /// knows now.
    pub(super) fn pass_time(&mut self) -> bool {
        let timed = |op: &Op| is_timed(op) && op.arg & MAY_END == 0;
        let status = |&tid: &Tid| self.threads[tid as usize].status;
        if !self.live.iter().any(|tid| matches!(status(tid), Status::At(op) if timed(&op))) {
            return false;
        }
        self.stall(true);
        let mut all = Clock::new();
        self.live.iter().for_each(|&tid| join(&mut all, &self.threads[tid as usize].clock));
        for &tid in &self.live {
            let thread = &mut self.threads[tid as usize];
            if let Status::At(op) = &mut thread.status {
                op.arg |= if timed(op) { MAY_END } else { 0 };
            }
            join(&mut thread.clock, &all);
        }
        true
    }

    /// What an operation after a yield counts as a read of, beside what it is anyway.
    pub(super) fn also(&self, looks: &[Look], label: Label) -> Also {
        let mut set = Vec::new();
        for look in looks {
            let state = &self.objects[look.obj as usize].state;
            let class = label.kind.class();
            // On its own object that makes no difference if it conflicts with all the same anyway.
            let left = matches!(state, State::RwLock(_) | State::Channel(_) | State::Parker { .. });
            let anyway = match look.class() {
                Class::Count => class == Class::Count,
                Class::Unique => matches!(class, Class::Count | Class::Unique),
                _ if left => class == Class::Write,
                _ => class.conflicts(Class::Write),
            };
            if look.obj != label.obj || !anyway {
                set.push((look.obj, look.class()));
            }
        }
        set.sort_unstable();
        set.dedup();
        intern(&set)
    }

    /// Whether something has changed that `tid` waits for.
    fn changed(&self, tid: Tid, looks: &[Look]) -> bool {
        looks.iter().any(|look| {
            let history = self.objects[look.obj as usize].history.iter().rev();
            let mut since = history.take_while(|&&i| i as usize > look.since);
            since.any(|&i| {
                let event = &self.trace.events()[i as usize];
                event.obj == look.obj && event.tid != tid && event.shows() & look.waits_for != 0
            })
        })
    }

    /// Whether `tid` has yielded and waits for a change.
    #[inline]
    pub(crate) fn pauses(&self, tid: Tid) -> bool {
        let pause = self.threads[tid as usize].pause.as_ref();
        pause.is_some_and(|p| p.spins != Some(false) && !self.changed(tid, &p.looks))
    }

    /// A thread of which it is not known whether it spins, and which matters now: it begins to run
    /// alone.
    #[inline]
    pub(super) fn begin_probe(&mut self) -> Option<Tid> {
        if self.unknown {
            self.probe_somebody()
        } else {
            None
        }
    }

    fn probe_somebody(&mut self) -> Option<Tid> {
        let unknown = |&&tid: &&Tid| {
            let pause = self.threads[tid as usize].pause.as_ref();
            pause.is_some_and(|p| p.spins.is_none()) && self.possible(tid) && self.pauses(tid)
        };
        let tid = *self.live.iter().find(unknown)?;
        let pause = self.threads[tid as usize].pause.as_ref().expect("it has yielded");
        let (past, looks) = (pause.past, pause.looks.clone());
        self.probe = Some(Probe { tid, past, looks, rounds: 0, over: false });
        Some(tid)
    }

    /// The next step of a probe. `None` if it is over.
    pub(super) fn probing(&mut self) -> Option<Tid> {
        let probe = self.probe.as_ref().expect("there is a probe");
        if probe.over {
            return None;
        }
        let tid = probe.tid;
        if let Status::At(op) = &mut self.threads[tid as usize].status {
            // It runs alone: nothing else can go on.
            if is_timed(op) {
                op.arg |= MAY_END;
            }
        }
        let goes_on = match self.threads[tid as usize].status {
            Status::At(op) => {
                probe.looks.iter().any(|look| look.obj == op.obj) && self.possible(tid)
            }
            _ => false,
        };
        if !goes_on {
            self.tried(false);
        }
        goes_on.then_some(tid)
    }

    /// A thread has waited for something that is no operation, and knows what was known there.
    pub(super) fn knows(&mut self, tid: Tid, past: u64) {
        let thread = &mut self.threads[tid as usize];
        thread.past = mix(thread.past, past);
    }

    /// If there is a probe it is over.
    #[inline]
    pub(super) fn tried(&mut self, spins: bool) {
        if let Some(probe) = self.probe.as_mut().filter(|probe| !probe.over) {
            probe.over = true;
            self.spinners.set(probe.past, spins);
        }
    }
}

/// Whether it is a wait with a timeout.
fn is_timed(op: &Op) -> bool {
    matches!(op.kind, Kind::Wake | Kind::Park | Kind::Recv) && op.arg & TIMED != 0
}
