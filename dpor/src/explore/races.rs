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
//!
//! Where what makes a blocking operation possible comes in any order, the state before an event does not
//! tell whether the operation would be possible without it: two permits are given, and each makes the
//! other superfluous. So who takes a permit races with each that was given since one was taken last, if
//! another remains without it and what comes after it; and who receives a message races with each sender
//! that has gone, if the message remains. To go before several of them is reached one by one, each time
//! with one left that makes it possible. What waits for a message of a channel without a limit has no
//! race: without what was sent, or without one of the senders that went, it would wait.
//!
//! An operation after a yield races with what has changed the objects that its thread had looked at,
//! too (see [`crate::spin`]). If the thread spins, the race is reversible only if some change remains
//! that lets it go on. If it is not known whether it spins, there is a detour to find out: the
//! sequence without that operation.

use crate::object::{takes, waits_no_more, Object, CAN_RECV, CAN_SEND, MAY_END, RUNNING, WRITTEN};
use crate::op::{label_if, Class, Kind, Label, ObjId, Op, Tid, Transition, NO_OBJECT};
use crate::spin::{Also, Pause};
use crate::trace::{Clock, Event, Trace};
use std::ops::Range;

/// An operation that was still blocked when the execution ended, or when nothing could go on and time passed.
pub(crate) struct Blocked {
    pub(crate) tid: Tid,
    pub(crate) op: Op,
    pub(crate) also: Also,
    /// Its thread has yielded before.
    pub(crate) pause: Option<Pause>,
    /// Whether its object would allow it.
    pub(crate) possible: bool,
    /// What its thread knew.
    pub(crate) base: Clock,
    /// If it is a mark: its class, and its thread's place there.
    pub(crate) mark: Option<(u16, u16)>,
    /// How many events there were.
    pub(crate) after: usize,
    /// Time passed then.
    pub(crate) passes: bool,
}

/// The second operation of a race: an event, or one that was blocked to the end.
#[derive(Clone, Copy)]
struct Second<'a> {
    tid: Tid,
    kind: Kind,
    obj: u32,
    arg: u64,
    also: Also,
    pause: Option<&'a Pause>,
    /// Whether its object allows it where it comes.
    possible: bool,
    /// The state of its object before it, if it is an event.
    pre: Option<u64>,
    base: &'a [u32],
    /// Its number among the events; their number, if it is none.
    index: usize,
    /// The events on its object that may have come before it: those up to this number.
    limit: usize,
    /// What it turned out to be.
    class: Class,
    /// The event without which it could not have been, if it is one that has no place among those of its
    /// object.
    received: Option<usize>,
    /// What came of it, if it is an event.
    val: Option<u64>,
}

/// A turn at reading an `RwLock`, or at writing it from when the writer waits; a look at it is one that
/// is over at once.
#[derive(Clone, Copy)]
struct Session {
    tid: Tid,
    acquired: usize,
    released: Option<usize>,
}

/// A race of an event: what it has to go before, and what it is there.
struct Race {
    first: usize,
    /// All of them, if there are several.
    firsts: Vec<usize>,
    second: usize,
    label: Label,
    /// Its reversal is explored, or waits to be, through steps that it shares with that of every later execution
    /// which begins with the same events up to `second`. What comes behind these makes no difference: it is
    /// dependent with `second` only if it happens after that, and so has no part in the reversal. (If `second`
    /// is something else there, the first event has changed the object; what comes behind on the object happens
    /// after the first then, and has no part either.)
    settled: bool,
}

/// The search, with its buffers.
#[derive(Default)]
pub(crate) struct Races {
    /// The races of the last execution, in the order of their second events. An event's races follow
    /// from what precedes it, so those in what two executions have in common need not be found again;
    /// only what reverses them is another sequence. Those of events after a yield are not here: they
    /// depend on what has been found out about it.
    known: Vec<Race>,
    sequence: Vec<Transition>,
    firsts: Vec<usize>,
    sessions: Vec<Session>,
    detour: Option<Vec<Tid>>,
}

impl Races {
    /// Calls `reversal` with the event number and the wakeup sequence of each race's reversal, and with how many
    /// of its steps come before the second event; it returns whether all sequences with these and the same last
    /// step are seen to. If a reversal depends on whether a thread spins and nobody knows, returns the threads
    /// of the events of an execution that tells. The first `kept` events are those of the last call.
    pub(crate) fn each(
        &mut self,
        trace: &Trace,
        objects: &[Object],
        blocked: &[Blocked],
        kept: usize,
        mut reversal: impl FnMut(usize, &mut Vec<Transition>, usize) -> bool,
    ) -> Option<Vec<Tid>> {
        self.known.truncate(self.known.partition_point(|race| race.second < kept));
        let known = self.known.len();
        let mut next = 0;
        // What comes after a yield is looked at again.
        let from = if trace.yields() { 0 } else { kept };
        for (index, event) in trace.events().iter().enumerate().skip(from) {
            if event.alone || index < kept && !event.yielded() {
                continue;
            }
            next = self.again(trace, next..known, index, &mut reversal);
            let woken = event.label.kind == Kind::Woken;
            let second = Second {
                tid: event.tid,
                kind: event.announced,
                obj: event.obj,
                arg: event.arg,
                also: event.label.also,
                pause: trace.pause(index),
                possible: true,
                pre: Some(event.pre),
                base: trace.base(index),
                index,
                limit: if woken { event.pre as usize + 1 } else { index },
                class: event.label.kind.class(),
                received: (event.label.kind == Kind::Received).then_some(event.pre as usize),
                val: Some(event.val),
            };
            self.each_with(trace, objects, second, &mut reversal);
        }
        self.again(trace, next..known, trace.len(), &mut reversal);
        for b in blocked {
            let second = Second {
                tid: b.tid,
                kind: b.op.kind,
                obj: b.op.obj,
                arg: b.op.arg,
                also: b.also,
                pause: b.pause.as_ref(),
                possible: b.possible,
                pre: None,
                base: &b.base,
                index: trace.len(),
                limit: b.after,
                class: b.op.kind.class(),
                received: None,
                val: None,
            };
            self.each_with(trace, objects, second, &mut reversal);
        }
        self.detour.take()
    }

    /// Reverses those of the races that are known whose second event comes before event `end`. Returns which is
    /// the next.
    fn again(
        &mut self,
        trace: &Trace,
        known: Range<usize>,
        end: usize,
        reversal: &mut impl FnMut(usize, &mut Vec<Transition>, usize) -> bool,
    ) -> usize {
        let (start, over) = (known.start, known.end);
        for (n, race) in self.known[known].iter_mut().enumerate() {
            if race.second >= end {
                return start + n;
            }
            if race.settled {
                continue;
            }
            let event = &trace.events()[race.second];
            let firsts = match &race.firsts[..] {
                [] => std::slice::from_ref(&race.first),
                firsts => firsts,
            };
            let (start, sure) = without(trace, firsts, race.second, &mut self.sequence);
            self.sequence.push(Transition { tid: event.tid, label: race.label });
            race.settled = reversal(start, &mut self.sequence, sure);
        }
        over
    }

    /// The races of an operation on its object, and on those that its thread has looked at before.
    fn each_with(
        &mut self,
        trace: &Trace,
        objects: &[Object],
        second: Second,
        reversal: &mut impl FnMut(usize, &mut Vec<Transition>, usize) -> bool,
    ) {
        self.with_second(trace, objects, second, reversal);
        for &(obj, class) in second.also {
            let history = &objects[obj as usize].history;
            let end = history.partition_point(|&i| (i as usize) < second.limit);
            let at = At { trace, objects, obj, history: &history[..end], peeks: true };
            self.always_enabled(&at, Second { class, ..second }, reversal);
        }
    }

    fn with_second(
        &mut self,
        trace: &Trace,
        objects: &[Object],
        second: Second,
        reversal: &mut impl FnMut(usize, &mut Vec<Transition>, usize) -> bool,
    ) {
        let history = &objects[second.obj as usize].history;
        let end = history.partition_point(|&i| (i as usize) < second.limit);
        let history = &history[..end];
        if history.is_empty() {
            return;
        }
        let at = &At { trace, objects, obj: second.obj, history, peeks: false };
        match second.kind {
            Kind::Write => self.before_readers(at, second, reversal),
            Kind::Read => self.before_writers(at, second, reversal),
            Kind::Lock => self.when_enabled(at, second, |pre| pre == 0, reversal),
            Kind::Enter => self.when_enabled(at, second, |pre| pre & RUNNING == 0, reversal),
            Kind::WaitDone => {
                let enabled = |pre| waits_no_more(second.arg, pre);
                self.when_enabled(at, second, enabled, reversal)
            }
            Kind::Park if second.arg & MAY_END == 0 => self.before_permits(at, second, reversal),
            Kind::Wake if second.arg & MAY_END == 0 => {
                self.when_enabled(at, second, |pre| takes(second.tid, pre), reversal)
            }
            Kind::Send => self.when_enabled(at, second, |pre| pre & CAN_SEND != 0, reversal),
            Kind::Recv if second.arg & MAY_END == 0 => self.before_messages(at, second, reversal),
            _ => self.always_enabled(at, second, reversal),
        }
    }

    /// The races of an operation that cannot block: with each operation that it is dependent with,
    /// unless one in between that it is dependent with, too, comes after that.
    fn always_enabled(
        &mut self,
        at: &At,
        second: Second,
        reversal: &mut impl FnMut(usize, &mut Vec<Transition>, usize) -> bool,
    ) {
        let At { trace, history, .. } = *at;
        for (n, &first) in history.iter().enumerate().rev() {
            let i = first as usize;
            let conflicting = trace.events()[i].label.conflicting(at.obj);
            if conflicting & 1 << second.class as usize == 0 {
                continue;
            }
            if !trace.known(i, second.base) {
                let mut later = history[n + 1..].iter().filter(|&&l| at.conflicts(l, second.class));
                if !later.any(|&l| trace.before(i, l as usize)) {
                    self.reverse(at, &[i], second, reversal);
                }
            }
            // What is before that, and dependent with the second operation, comes before it.
            if second.class.conflicting() & !conflicting == 0 {
                return;
            }
        }
    }

    /// The races of a blocking operation, where all events that matter on the object are ordered but
    /// for looks: with the latest event that it could have preceded, or with each of the looks that
    /// came after that.
    fn when_enabled(
        &mut self,
        at: &At,
        second: Second,
        enabled: impl Fn(u64) -> bool,
        reversal: &mut impl FnMut(usize, &mut Vec<Transition>, usize) -> bool,
    ) {
        let At { trace, history, .. } = *at;
        let mut looked = false;
        for (n, &first) in history.iter().enumerate().rev() {
            let first = first as usize;
            if !at.conflicts(first as u32, second.class) {
                continue;
            }
            let read = !at.conflicts(first as u32, Class::Read);
            let known = trace.known(first, second.base);
            if known && !read {
                return;
            }
            let possible = match at.state_before(n) {
                Some(pre) => enabled(pre),
                // Nothing has changed it since.
                None => second.possible,
            };
            if known || !possible {
                continue;
            }
            let forced = match read {
                true => history[n + 1..].iter().any(|&later| {
                    at.conflicts(later, second.class) && trace.before(first, later as usize)
                }),
                false => looked,
            };
            if !forced {
                self.reverse(at, &[first], second, reversal);
            }
            if !read {
                return;
            }
            looked = true;
        }
    }

    /// The races of who waits for a permit: with each that was given since one was taken last, if
    /// another remains without that; or else as if none had been given since.
    fn before_permits(
        &mut self,
        at: &At,
        second: Second,
        reversal: &mut impl FnMut(usize, &mut Vec<Transition>, usize) -> bool,
    ) {
        let At { trace, history, .. } = *at;
        let kind = |i: u32| at.own(i).map(|event| event.label.kind);
        let taken = history.iter().rposition(|&i| kind(i) == Some(Kind::Park));
        let since = &history[taken.map_or(0, |place| place + 1)..];
        let mut reversed = false;
        for (n, &first) in since.iter().enumerate().rev() {
            let first = first as usize;
            let goes = |&i: &u32| i as usize == first || trace.before(first, i as usize);
            let remains = since.iter().any(|i| kind(*i) == Some(Kind::Unpark) && !goes(i));
            if remains && !trace.known(first, second.base) && !since[n + 1..].iter().any(goes) {
                self.reverse(at, &[first], second, reversal);
                reversed = true;
            }
        }
        if let (false, Some(taken)) = (reversed, taken) {
            let before = At { history: &history[..=taken], ..*at };
            self.when_enabled(&before, second, |pre| pre == 1, reversal);
        }
    }

    /// The races of who waits for a message: with the latest message, or attempt, before which there was
    /// one; and with each sender that has gone, if there is a message without that.
    fn before_messages(
        &mut self,
        at: &At,
        second: Second,
        reversal: &mut impl FnMut(usize, &mut Vec<Transition>, usize) -> bool,
    ) {
        let At { trace, objects, history, .. } = *at;
        if objects[second.obj as usize].is_unlimited() {
            // If there is a message it is the only one that it could be, and if there is none all
            // senders are gone: neither can be had without what made it so.
            return;
        }
        let (mut looks, mut over) = (Vec::new(), false);
        for (n, &first) in history.iter().enumerate().rev() {
            let i = first as usize;
            let known = trace.known(i, second.base);
            let goodbye = at.own(first).is_some_and(|e| e.label.kind == Kind::DropSender);
            let read = !at.conflicts(first, Class::Read);
            if known && !read {
                if at.conflicts(first, Class::Leave) {
                    return;
                }
                over = true;
            }
            let possible = match (goodbye, at.state_before(n)) {
                (true, _) => second.val == Some(1),
                (false, Some(pre)) => pre & CAN_RECV != 0,
                (false, None) => second.possible,
            };
            if known || !possible || over && !goodbye {
                continue;
            }
            let forced = match read {
                true => history[n + 1..].iter().any(|&later| trace.before(i, later as usize)),
                false => looks.iter().any(|&look| trace.before(i, look)),
            };
            if !forced {
                self.reverse(at, &[i], second, reversal);
            }
            match read {
                true => looks.push(i),
                false => over = true,
            }
        }
    }

    /// The races of a writer with the readers before it, which commute among themselves. To go
    /// before one reader it must also go before every other that could not have finished by then.
    fn before_readers(
        &mut self,
        at: &At,
        second: Second,
        reversal: &mut impl FnMut(usize, &mut Vec<Transition>, usize) -> bool,
    ) {
        let At { trace, history, .. } = *at;
        let mut writer = None;
        let mut written = false;
        self.sessions.clear();
        for &i in history {
            let event = &trace.events()[i as usize];
            let peeks = event.label.also.iter().any(|(obj, _)| *obj == second.obj);
            if event.label.obj != second.obj || event.label.kind == Kind::QueueWrite && peeks {
                // A look by a thread that has yielded, maybe one that begins to wait itself.
                let (tid, acquired) = (event.tid, i as usize);
                if !written {
                    self.sessions.push(Session { tid, acquired, released: Some(acquired) });
                }
                continue;
            }
            match event.label.kind {
                Kind::Write | Kind::TryWrite if event.val == 1 => written = true,
                Kind::UnlockWrite | Kind::Downgrade => written = false,
                _ => {}
            }
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
                // An attempt that fails is a look; with a writer there, who goes before a look goes before
                // the writer.
                Kind::Look | Kind::Clear | Kind::TryRead | Kind::TryWrite
                    if event.val == 0 && event.pre & WRITTEN == 0 =>
                {
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
                self.reverse(at, &[first], second, reversal);
            }
            return;
        }
        self.before_sessions(at, second, reversal);
    }

    /// The races of a reader with the writers before it, from when each began to wait: to go before
    /// one it must also go before every other that could not have finished by then.
    fn before_writers(
        &mut self,
        at: &At,
        second: Second,
        reversal: &mut impl FnMut(usize, &mut Vec<Transition>, usize) -> bool,
    ) {
        let At { trace, history, .. } = *at;
        self.sessions.clear();
        for &i in history {
            let event = &trace.events()[i as usize];
            if event.label.obj != second.obj {
                // A peek: that and a reader commute.
                continue;
            }
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
        self.before_sessions(at, second, reversal);
    }

    /// The races with the beginnings of the sessions.
    fn before_sessions(
        &mut self,
        at: &At,
        second: Second,
        reversal: &mut impl FnMut(usize, &mut Vec<Transition>, usize) -> bool,
    ) {
        for n in 0..self.sessions.len() {
            let mut firsts = std::mem::take(&mut self.firsts);
            firsts.clear();
            firsts.push(self.sessions[n].acquired);
            if self.close(at.trace, &mut firsts, second) {
                self.reverse(at, &firsts, second, reversal);
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

    /// Reverses a race, if `second` can go on without `firsts` and what comes after them.
    fn reverse(
        &mut self,
        at: &At,
        firsts: &[usize],
        second: Second,
        reversal: &mut impl FnMut(usize, &mut Vec<Transition>, usize) -> bool,
    ) {
        let trace = at.trace;
        let goes = |i: usize| firsts.iter().any(|&f| f == i || trace.before(f, i));
        if at.peeks && !possible(at, second, goes) {
            return;
        }
        let waits = second.pause.filter(|p| p.spins != Some(false));
        let waits = waits.filter(|pause| !changes(at, pause, second, goes));
        if waits.is_some_and(|pause| pause.spins == Some(true)) {
            return;
        }
        let (start, sure) = without(trace, firsts, second.index, &mut self.sequence);
        if waits.is_some() {
            let before = trace.events()[..start].iter().map(|event| event.tid);
            let detour = before.chain(self.sequence.iter().map(|step| step.tid)).collect();
            self.detour.get_or_insert(detour);
            return;
        }
        let label = match second.received {
            Some(_) => Label::new(NO_OBJECT, Kind::Received),
            None => {
                let pre = state_without(at, second, goes).or(second.pre).unwrap_or(0);
                label_if(second.kind, second.obj, second.arg, pre)
            }
        };
        let label = Label { also: second.also, ..label };
        self.sequence.push(Transition { tid: second.tid, label });
        let settled = reversal(start, &mut self.sequence, sure);
        if second.pause.is_none() && second.index < trace.len() {
            let (first, second) = (firsts[0], second.index);
            let firsts = if firsts.len() > 1 { firsts.to_vec() } else { Vec::new() };
            self.known.push(Race { first, firsts, second, label, settled });
        }
    }
}

/// Makes `sequence` what remains, from the first of `firsts` on, without these, what comes after them, and
/// `second`. Returns where it starts, and how much of it comes before `second`.
fn without(
    trace: &Trace,
    firsts: &[usize],
    second: usize,
    sequence: &mut Vec<Transition>,
) -> (usize, usize) {
    let start = *firsts.iter().min().expect("there is a first event");
    sequence.clear();
    let sure = match firsts {
        // Mostly there is one.
        [first] => {
            let first = &trace.events()[*first];
            remaining(trace, start, second, sequence, |event| trace.knows(event, first))
        }
        _ => remaining(trace, start, second, sequence, |event| {
            firsts.iter().any(|&first| trace.knows(event, &trace.events()[first]))
        }),
    };
    (start, sure)
}

/// Adds to `sequence` the events from `start` on that do not go, without `second`. Returns how many come before
/// that.
#[inline]
fn remaining(
    trace: &Trace,
    start: usize,
    second: usize,
    sequence: &mut Vec<Transition>,
    goes: impl Fn(&Event) -> bool,
) -> usize {
    let (before, behind) = trace.events()[start..].split_at(second - start);
    sequence.extend(before.iter().filter(|event| !goes(event)).map(Event::transition));
    let sure = sequence.len();
    // Whoever is alone there comes after all that was done before, and before all that is done then.
    let behind = behind.iter().skip(1).take_while(|event| !event.alone);
    sequence.extend(behind.filter(|event| !goes(event)).map(Event::transition));
    sure
}

/// The state of the object of `second` without what `goes`: what it was before the first operation on
/// it that does and is not of those that `second` commutes with. `None` if none does.
fn state_without(at: &At, second: Second, goes: impl Fn(usize) -> bool) -> Option<u64> {
    let history = at.objects[second.obj as usize].history.iter().map(|&i| i as usize);
    let events = history.take_while(|&i| i < second.limit).filter(|&i| goes(i));
    let on_it = events.map(|i| &at.trace.events()[i]).filter(|e| e.label.obj == second.obj);
    let mut counts = on_it.filter(|e| !e.label.kind.commutes(second.kind));
    counts.next().map(|event| event.pre)
}

/// Whether the object of `second` allows it without what `goes`, none of which is on the object
/// because of `second` itself.
fn possible(at: &At, second: Second, goes: impl Fn(usize) -> bool) -> bool {
    let history = at.objects[second.obj as usize].history.iter().map(|&i| i as usize);
    let stays = history.take_while(|&i| i < second.limit).filter(|&i| !goes(i));
    let own = stays.map(|i| &at.trace.events()[i]).filter(|e| e.label.obj == second.obj);
    match (second.kind, state_without(at, second, &goes)) {
        (_, None) => second.possible,
        (Kind::Lock, Some(pre)) => pre == 0,
        (Kind::Enter, Some(pre)) => pre & RUNNING == 0,
        (Kind::WaitDone, Some(pre)) => waits_no_more(second.arg, pre),
        (Kind::Park | Kind::Recv, _) if second.arg & MAY_END != 0 => true,
        // Others may give the permit, and leave the channel, beside what goes.
        (Kind::Park, _) => own.last().is_some_and(|event| event.label.kind == Kind::Unpark),
        (Kind::Send, Some(pre)) => pre & CAN_SEND != 0,
        (Kind::Recv, _) => match (second.received, second.val) {
            (Some(sent), _) => !goes(sent),
            (None, Some(1)) => {
                let messages = own.map(|event| match event.label.kind {
                    Kind::Send | Kind::TrySend => (event.val == 1) as i64,
                    Kind::Recv | Kind::TryRecv => -((event.val == 1) as i64),
                    _ => 0,
                });
                messages.sum::<i64>() > 0
            }
            _ => second.possible && !left_without(at, second, &goes),
        },
        // Readers, and writers that wait, come and go beside what goes: they are counted.
        (Kind::Read, _) => {
            let writers = own.map(|event| match event.label.kind {
                Kind::QueueWrite => 1,
                Kind::TryWrite => event.val as i64,
                Kind::UnlockWrite | Kind::Downgrade => -1,
                _ => 0,
            });
            writers.sum::<i64>() == 0
        }
        (Kind::Write, _) => {
            let holders = own.map(|event| match event.label.kind {
                Kind::Read | Kind::TryRead | Kind::Write | Kind::TryWrite => event.val as i64,
                Kind::UnlockRead | Kind::UnlockWrite => -1,
                _ => 0,
            });
            holders.sum::<i64>() == 0
        }
        _ => true,
    }
}

/// Whether a sender of the channel of `second` is among what `goes`: one remains then.
fn left_without(at: &At, second: Second, goes: impl Fn(usize) -> bool) -> bool {
    let history = at.objects[second.obj as usize].history.iter().map(|&i| i as usize);
    let mut gone = history.take_while(|&i| i < second.limit).filter(|&i| goes(i));
    gone.any(|i| at.trace.events()[i].label.kind == Kind::DropSender)
}

/// Whether something that `pause` waits for has changed before `second`, if what `goes` is gone.
fn changes(at: &At, pause: &Pause, second: Second, goes: impl Fn(usize) -> bool) -> bool {
    pause.looks.iter().any(|look| {
        let history = at.objects[look.obj as usize].history.iter().map(|&i| i as usize);
        let mut since = history.filter(|&i| i > look.since && i < second.limit);
        since.any(|i| {
            let event = &at.trace.events()[i];
            let shows = event.shows() & look.waits_for != 0;
            shows && event.obj == look.obj && event.tid != second.tid && !goes(i)
        })
    })
}

/// The events on one object, up to some point.
#[derive(Clone, Copy)]
struct At<'a> {
    trace: &'a Trace,
    objects: &'a [Object],
    obj: ObjId,
    history: &'a [u32],
    /// Whether the second operation only peeks at it.
    peeks: bool,
}

impl At<'_> {
    /// Whether an event of the history conflicts on the object with what is of this class.
    fn conflicts(&self, event: u32, class: Class) -> bool {
        self.trace.events()[event as usize].label.conflicts(self.obj, class)
    }

    /// The event, if it is an operation on the object.
    fn own(&self, event: u32) -> Option<&Event> {
        let event = &self.trace.events()[event as usize];
        (event.label.obj == self.obj).then_some(event)
    }

    /// The object's state before the event at that place of the history; `None` if it is that of the
    /// history's end. An event of another object that counts as a look changes nothing.
    fn state_before(&self, place: usize) -> Option<u64> {
        let events = self.history[place..].iter().map(|&i| &self.trace.events()[i as usize]);
        let mut own = events.filter(|event| event.label.obj == self.obj);
        own.next().map(|event| event.pre)
    }
}
