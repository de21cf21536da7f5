//! The execution so far, as a sequence of events with their happens-before relation.
//!
//! Happens-before here is the trace's: program order, spawn and join, and the order of dependent
//! operations. It is kept as one vector clock for each event; all clocks share one arena, which the
//! next execution reuses.

use crate::object::Applied;
use crate::op::{Kind, Label, ObjId, Op, Tid, Transition};
use crate::spin::Pause;
use std::panic::Location;

/// A vector clock: how many events of each thread, by its number, are known.
pub(crate) type Clock = Vec<u32>;

/// Makes `into` know what `from` knows.
#[inline]
pub(crate) fn join(into: &mut Clock, from: &[u32]) {
    if into.len() < from.len() {
        into.resize(from.len(), 0);
    }
    for (a, &b) in into.iter_mut().zip(from) {
        *a = (*a).max(b);
    }
}

/// A number for what was known, and something else.
pub(crate) fn mix(past: u64, with: u64) -> u64 {
    let x = (past ^ with.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(0x632b_e59b_d9b4_e019);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
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
    /// What the operation is called, where its kind has several names.
    pub(crate) verb: Option<&'static str>,
    pub(crate) at: &'static Location<'static>,
    /// What its thread knows by it, as a number.
    pub(crate) past: u64,
    /// Before it, its thread has yielded: a place among the pauses.
    pause: Option<u32>,
    /// There was no other thread: it races with nothing.
    pub(crate) alone: bool,
    base: (u32, u16),
    clock: (u32, u16),
}

impl Event {
    /// Whether its thread has yielded before it, and had looked at something.
    pub(crate) fn yielded(&self) -> bool {
        self.pause.is_some()
    }

    pub(crate) fn transition(&self) -> Transition {
        Transition { tid: self.tid, label: self.label }
    }

    /// What `tid` has performed, and knows by it, as a number; the rest follows from its place in the trace.
    pub(crate) fn of(tid: Tid, op: &Op, done: &Applied, past: u64, alone: bool) -> Self {
        Event {
            tid,
            seq: 0,
            label: done.label,
            obj: op.obj,
            announced: op.kind,
            arg: op.arg,
            pre: done.pre,
            val: done.val,
            verb: op.verb,
            at: op.at,
            past,
            pause: None,
            alone,
            base: (0, 0),
            clock: (0, 0),
        }
    }
}

/// The events of one execution.
///
/// The next execution mostly begins with the same events. They stay here behind those that there have
/// been, and need not be worked out again when they come.
#[derive(Default)]
pub(crate) struct Trace {
    /// Those that there have been, and those that are remembered.
    events: Vec<Event>,
    len: usize,
    /// The number of this execution, and how many of its events are those of the last.
    execution: u64,
    same: usize,
    arena: Vec<u32>,
    pauses: Vec<Pause>,
    /// How many operations come behind the events: see [`crate::rt`]'s module `alone`.
    counted: usize,
}

/// Puts a clock behind those in the arena. Returns where it begins, and its length.
fn keep(arena: &mut Vec<u32>, clock: &[u32]) -> (u32, u16) {
    let at = arena.len() as u32;
    arena.extend_from_slice(clock);
    (at, clock.len() as u16)
}

impl Trace {
    /// Begins again. The first `kept` events may come again.
    pub(crate) fn begin(&mut self, kept: usize) {
        self.truncate(kept);
        if !self.pauses.is_empty() {
            // What a yield meant may have been found out meanwhile.
            self.pauses.clear();
            self.truncate(0);
        }
        self.len = 0;
        self.counted = 0;
        self.execution += 1;
        self.same = 0;
    }

    fn truncate(&mut self, len: usize) {
        self.events.truncate(len);
        let end = self.events.last().map_or(0, |last| last.clock.0 + u32::from(last.clock.1));
        self.arena.truncate(end as usize);
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// How many operations have been performed: the events, and those behind them that are only counted.
    #[inline(always)]
    pub(crate) fn performed(&self) -> usize {
        self.len + self.counted
    }

    /// How many operations are only counted.
    #[inline(always)]
    pub(crate) fn counted(&self) -> usize {
        self.counted
    }

    /// The thread that the last event is of has performed one more, which is only counted.
    #[inline(always)]
    pub(crate) fn count(&mut self) {
        self.counted += 1;
    }

    /// How many events are those of execution number `last` of this trace, as far as that is known.
    pub(crate) fn same_as(&self, last: u64) -> usize {
        match self.execution - last {
            0 => self.len,
            1 => self.same,
            _ => 0,
        }
    }

    /// The number of this execution, from 1.
    pub(crate) fn execution(&self) -> u64 {
        self.execution
    }

    /// The next event of the last execution, if that is remembered.
    pub(crate) fn remembered(&self) -> Option<&Event> {
        self.events.get(self.len)
    }

    /// Whether some thread has yielded before one of the events.
    pub(crate) fn yields(&self) -> bool {
        !self.pauses.is_empty()
    }

    pub(crate) fn events(&self) -> &[Event] {
        &self.events[..self.len]
    }

    /// Appends the event that is remembered as the next, if that is what a thread has performed, and
    /// returns what the thread knows by it, as a number. An atomic may hold another value: addresses are
    /// others in each execution.
    #[inline(always)]
    pub(crate) fn recall(&mut self, tid: Tid, op: &Op, done: &Applied) -> Option<u64> {
        let next = self.events.get_mut(self.len)?;
        let same = (next.tid, next.obj, next.announced) == (tid, op.obj, op.kind)
            && next.label == done.label
            && (op.kind.is_atomic() || (next.pre, next.val) == (done.pre, done.val));
        if !same {
            return None;
        }
        (next.arg, next.pre, next.val) = (op.arg, done.pre, done.val);
        (next.verb, next.at) = (op.verb, op.at);
        self.len += 1;
        self.same = self.len;
        Some(next.past)
    }

    /// Appends an event. `base` is what its thread knew before it, `clock` what it knows by it.
    pub(crate) fn push(
        &mut self,
        mut event: Event,
        pause: Option<Pause>,
        base: &[u32],
        clock: &[u32],
    ) {
        self.forget();
        event.base = keep(&mut self.arena, base);
        event.pause = pause.map(|pause| {
            self.pauses.push(pause);
            self.pauses.len() as u32 - 1
        });
        event.clock = keep(&mut self.arena, clock);
        self.add(event, clock);
    }

    /// Appends an event of a thread that is alone, and knows no more by it but that. Those that follow one another
    /// share one clock, in which the thread's own place is that of the first: nobody knows some of them only.
    #[inline(always)]
    pub(crate) fn push_alone(&mut self, mut event: Event, clock: &[u32]) {
        self.forget();
        let shared = self.events.last().filter(|last| last.alone && last.tid == event.tid);
        event.clock = match shared {
            Some(last) => last.clock,
            None => keep(&mut self.arena, clock),
        };
        event.base = event.clock;
        self.add(event, clock);
    }

    #[inline(always)]
    fn add(&mut self, mut event: Event, clock: &[u32]) {
        debug_assert!(self.counted == 0, "what comes last has been only counted");
        event.seq = clock[event.tid as usize];
        self.events.push(event);
        self.len += 1;
    }

    /// What is remembered is not what comes.
    fn forget(&mut self) {
        if self.len < self.events.len() {
            self.truncate(self.len);
        }
    }

    /// Lets each event know more: `f` is given its number, its thread, and what that knew before it and
    /// knows by it.
    pub(crate) fn extend(&mut self, mut f: impl FnMut(usize, Tid, &mut Clock, &mut Clock)) {
        self.forget();
        let mut arena = Vec::with_capacity(self.arena.len());
        let (mut base, mut clock) = (Clock::new(), Clock::new());
        for i in 0..self.events.len() {
            base.clear();
            base.extend_from_slice(self.base(i));
            clock.clear();
            clock.extend_from_slice(self.clock(i));
            f(i, self.events[i].tid, &mut base, &mut clock);
            let event = &mut self.events[i];
            event.base = keep(&mut arena, &base);
            event.clock = keep(&mut arena, &clock);
        }
        self.arena = arena;
    }

    /// The yield before event `i`, if its thread has looked at something before.
    pub(crate) fn pause(&self, i: usize) -> Option<&Pause> {
        self.events[i].pause.map(|at| &self.pauses[at as usize])
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

    /// Whether event `i` is that of a thread which is alone, and was so at the event before: it knows no more
    /// than that.
    pub(crate) fn is_still_alone(&self, i: usize) -> bool {
        let event = &self.events[i];
        let before = i.checked_sub(1).map(|before| &self.events[before]);
        event.alone && before.is_some_and(|before| before.alone && before.tid == event.tid)
    }

    /// Whether event `i` is among those that `clock` knows.
    pub(crate) fn known(&self, i: usize, clock: &[u32]) -> bool {
        let e = &self.events[i];
        clock.get(e.tid as usize).is_some_and(|&seen| seen >= e.seq)
    }

    /// Whether `event` is `first`, or that happens before it.
    #[inline]
    pub(crate) fn knows(&self, event: &Event, first: &Event) -> bool {
        let (at, len) = event.clock;
        let place = usize::from(first.tid);
        place < usize::from(len) && self.arena[at as usize + place] >= first.seq
    }

    /// Whether event `i` happens before event `j`.
    pub(crate) fn before(&self, i: usize, j: usize) -> bool {
        i < j && self.known(i, self.clock(j))
    }
}
