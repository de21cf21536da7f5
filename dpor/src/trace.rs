//! The execution so far, as a sequence of events with their happens-before relation.
//!
//! Happens-before here is the trace's: program order, spawn and join, and the order of dependent
//! operations. It is kept as one vector clock for each event; all clocks share one arena, which the
//! next execution reuses.

use crate::op::{Kind, Label, ObjId, Tid, Transition};
use std::panic::Location;

/// A vector clock: how many events of each thread, by its number, are known.
pub(crate) type Clock = Vec<u32>;

/// Makes `into` know what `from` knows.
pub(crate) fn join(into: &mut Clock, from: &[u32]) {
    if into.len() < from.len() {
        into.resize(from.len(), 0);
    }
    for (a, &b) in into.iter_mut().zip(from) {
        *a = (*a).max(b);
    }
}

/// An operation that has been performed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) tid: Tid,
    /// The number of this event among its thread's, from 1.
    pub(crate) seq: u32,
    pub(crate) label: Label,
    /// The object that the operation named, which the label may leave out.
    pub(crate) obj: ObjId,
    /// What was announced: the label's kind, unless the outcome decided it.
    pub(crate) announced: Kind,
    /// What a compare-exchange expected; whether a wait might end by itself.
    pub(crate) arg: u64,
    /// The object's state before the operation, as far as a reversal needs it.
    pub(crate) pre: u64,
    /// What came of it: the value read, or whether it succeeded.
    pub(crate) val: u64,
    pub(crate) at: &'static Location<'static>,
    base: (u32, u16),
    clock: (u32, u16),
}

impl Event {
    pub(crate) fn transition(&self) -> Transition {
        Transition { tid: self.tid, label: self.label }
    }
}

/// What the runtime knows of an event, beside its place in the trace.
pub(crate) struct Performed {
    pub(crate) tid: Tid,
    pub(crate) label: Label,
    pub(crate) obj: ObjId,
    pub(crate) announced: Kind,
    pub(crate) arg: u64,
    pub(crate) pre: u64,
    pub(crate) val: u64,
    pub(crate) at: &'static Location<'static>,
}

/// The events of one execution.
#[derive(Default)]
pub(crate) struct Trace {
    events: Vec<Event>,
    arena: Vec<u32>,
}

impl Trace {
    pub(crate) fn clear(&mut self) {
        self.events.clear();
        self.arena.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// Appends an event. `base` is what its thread knew before it, `clock` what it knows by it.
    pub(crate) fn push(&mut self, p: Performed, base: &[u32], clock: &[u32]) {
        let keep = |arena: &mut Vec<u32>, c: &[u32]| {
            let at = arena.len() as u32;
            arena.extend_from_slice(c);
            (at, c.len() as u16)
        };
        let base = keep(&mut self.arena, base);
        let clock_at = keep(&mut self.arena, clock);
        self.events.push(Event {
            tid: p.tid,
            seq: clock[p.tid as usize],
            label: p.label,
            obj: p.obj,
            announced: p.announced,
            arg: p.arg,
            pre: p.pre,
            val: p.val,
            at: p.at,
            base,
            clock: clock_at,
        });
    }

    fn slice(&self, (at, len): (u32, u16)) -> &[u32] {
        &self.arena[at as usize..at as usize + len as usize]
    }

    /// What the thread of event `i` knew before it, other than through the event's own object.
    pub(crate) fn base(&self, i: usize) -> &[u32] {
        self.slice(self.events[i].base)
    }

    /// What the thread of event `i` knows by it.
    pub(crate) fn clock(&self, i: usize) -> &[u32] {
        self.slice(self.events[i].clock)
    }

    /// Whether event `i` is among those that `clock` knows.
    pub(crate) fn known(&self, i: usize, clock: &[u32]) -> bool {
        let e = &self.events[i];
        clock.get(e.tid as usize).is_some_and(|&seen| seen >= e.seq)
    }

    /// Whether event `i` happens before event `j`.
    pub(crate) fn before(&self, i: usize, j: usize) -> bool {
        i < j && self.known(i, self.clock(j))
    }
}
