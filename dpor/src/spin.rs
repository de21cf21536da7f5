//! Spin loops: who waits by looking again and again, and until when.
//!
//! A thread that yields (`yield_now`, `spin_loop`, `sleep`, a timed wait that ends by itself) after
//! operations that changed nothing has looked at something, and had rather look again when that has
//! changed. What it has looked at since it yielded or changed something last is its *round*. If the
//! thread, run alone, does nothing but repeat such rounds ([`ROUNDS`] of them, on the same objects),
//! then it *spins*: its next operation is not enabled until another thread has changed one of the
//! objects of the round since the look at it. A loop that gives up by itself after fewer rounds is
//! none that waits: each of its rounds is explored.
//!
//! # Why that loses nothing
//!
//! Take an execution in which a spinning thread repeats a round before anything that the last round
//! looked at has changed. The repetition sees what the last one saw, and changes nothing, so without
//! it every thread does the same, and the spinning thread is where it was before, at the same place
//! of a loop with the same values. So whatever another thread can come to, and whatever the loop can
//! be left with, there is an execution without such repetitions that comes to it. They are finitely
//! many if the rest of the body is finite: between two rounds something must change. (Not so if two
//! loops try to take what the other takes and gives back: each ends the other's wait for ever. The
//! exploration is cut off then, and incomplete.) When nobody is enabled and somebody spins, nobody
//! will ever change what it waits for.
//!
//! A round that is not like the last one, that waits for something which the last did not, is no
//! repetition: what comes before a loop is often such. The thread does not wait then, and what it does next
//! is explored.
//!
//! What the argument rests on: that a change is seen, so data behind a lock must be changed through
//! the guard's `DerefMut`, and not through a shared reference (a `Mutex<Cell<_>>`); and that a round
//! has no effect but its operations, as the body promises: what it shares it shares through the
//! primitives.
//!
//! # Why each execution is still run once
//!
//! The first operation after a yield counts as a read of everything that the round looked at, beside
//! what it is anyway (`Label::also`), whether or not the thread then turns out to spin. So whether it
//! is enabled follows from the operations that happen before it or conflict with it, as the theory
//! asks for: equivalent executions agree on it. They also agree on whether a change came after the
//! look, for a look waits for nothing that it commutes with: who fails to upgrade a reference waits
//! for none to be left, who fails to unwrap one for one fewer, who fails to have it alone for one
//! fewer of any sort, and who counts for another number. Once enabled it stays so. A race of that operation
//! with a change is reversible if another change that remains lets it go on; otherwise the operation
//! cannot come earlier, and there is nothing to reverse.
//!
//! Whether a thread spins follows from what it knows (its causal past, [`crate::trace`]), so it is
//! found out once for each such past: the execution is given up for a *probe*, in which the thread
//! runs alone, and is then run again as far as it was. Nothing of a probe is counted.

use crate::object::{HUNG_UP, NOT_NOW};
use crate::op::{Class, Kind, ObjId, Tid, NO_OBJECT};
use crate::trace::Event;
use std::collections::{HashMap, HashSet};
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

/// A loop that goes on for so many rounds, with nobody else running, is one that does not end.
pub(crate) const ROUNDS: usize = 128;

/// What an operation did, as far as a thread that looks at the object could tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It is a part of what comes next.
    Begins,
    /// It only looked: what would make the same look see something else, as bits.
    Looks(u8),
    /// It took something that it can give back as if nothing had been.
    Takes {
        /// Whether it would have gone on without, had it not been free.
        tries: bool,
    },
    /// It gave that back.
    Returns {
        /// Whether it changed something meanwhile.
        changed: bool,
    },
    Changes,
}

/// A bit of what an event means to those who look, and of what they wait for: they see something else
/// now. What a look waits for, it conflicts with, so that equivalent executions agree on what came
/// after the look.
pub(crate) const CHANGED: u8 = 1;
/// The same: a lock is free, or there is an owner fewer.
pub(crate) const FREED: u8 = 2;
/// The same: there is a reader fewer, or a sender.
pub(crate) const LEFT: u8 = 4;
/// The same: there is a weak reference fewer.
pub(crate) const DROPPED: u8 = 8;
/// The same: there is another number of references.
pub(crate) const COUNTED: u8 = 16;
/// The same: somebody has tried to send, and might try again when the receiver comes to the rendezvous.
pub(crate) const TRIED: u8 = 32;
/// The same: somebody has a lock, as its only owner, that was there to be had.
pub(crate) const TAKEN: u8 = 64;
/// Nothing shows that, and nobody waits for it. A round that takes something has it, so that one which did no more
/// than look is not taken for the same: whether there is something to take, it does not know.
const TAKES: u8 = 128;

impl Effect {
    /// The effect of an operation that turned out to be `kind`, from the state before it and what
    /// came of it: of an unlock, whether the guard has been used to change the value.
    fn of(kind: Kind, pre: u64, val: u64) -> Effect {
        match kind {
            Kind::Load | Kind::CompareExchangeFailed => Effect::Looks(CHANGED),
            Kind::Look | Kind::WaitDone => Effect::Looks(CHANGED),
            Kind::QueueWrite | Kind::Offer => Effect::Begins,
            Kind::Store | Kind::Rmw if pre == val => Effect::Looks(CHANGED),
            Kind::TryLock | Kind::TryRead if val == 0 => Effect::Looks(CHANGED | FREED),
            Kind::TryWrite if val == 0 => Effect::Looks(CHANGED | FREED | LEFT),
            Kind::TryUnwrap if val == 0 => Effect::Looks(CHANGED | FREED),
            Kind::Unique if val == 0 => Effect::Looks(CHANGED | FREED | DROPPED),
            Kind::Count => Effect::Looks(CHANGED | FREED | COUNTED),
            Kind::Upgrade | Kind::Park if val == 0 => Effect::Looks(CHANGED),
            Kind::FindDone | Kind::SendInVain => Effect::Looks(CHANGED),
            Kind::Recv if val == NOT_NOW => Effect::Looks(CHANGED | LEFT | TRIED),
            Kind::Recv | Kind::TryRecv if val == NOT_NOW || val == HUNG_UP => {
                Effect::Looks(CHANGED | LEFT)
            }
            Kind::TrySend if val == NOT_NOW => Effect::Looks(CHANGED),
            Kind::TryLock | Kind::TryRead | Kind::TryWrite => Effect::Takes { tries: true },
            Kind::Lock | Kind::Read | Kind::Write => Effect::Takes { tries: false },
            Kind::Upgrade | Kind::Wait => Effect::Takes { tries: false },
            Kind::Wake if val == 0 => Effect::Returns { changed: false },
            Kind::Unlock | Kind::UnlockWrite => Effect::Returns { changed: val == 1 },
            Kind::UnlockRead => Effect::Returns { changed: false },
            Kind::DropRef => Effect::Returns { changed: val == 1 },
            _ => Effect::Changes,
        }
    }

    /// What an operation of this `kind` and effect means to those who look.
    fn shows(self, kind: Kind) -> u8 {
        match (kind, self) {
            // While the receiver waits at a rendezvous, an attempt to send succeeds.
            (Kind::Offer, _) => CHANGED,
            (Kind::TrySend, Effect::Looks(_)) => TRIED,
            (_, Effect::Begins | Effect::Looks(_)) => 0,
            // It ends its thread's round, and nobody sees anything of it.
            (Kind::NotifyNobody, _) => 0,
            (Kind::CloneRef | Kind::Upgrade, _) => COUNTED,
            (Kind::DropWeak, _) => DROPPED | COUNTED,
            (Kind::UnlockRead | Kind::DropSender, _) => LEFT,
            (Kind::Lock | Kind::TryLock, Effect::Takes { .. }) => TAKEN,
            (Kind::Write | Kind::TryWrite, Effect::Takes { .. }) => TAKEN,
            (_, Effect::Takes { .. }) => 0,
            (_, Effect::Returns { changed: false }) => FREED,
            (_, Effect::Returns { changed: true } | Effect::Changes) => CHANGED | FREED,
        }
    }
}

impl Event {
    fn effect(&self) -> Effect {
        match self.label.obj {
            // What it takes was certain to be its own: nobody sees that, and it is no look.
            NO_OBJECT => Effect::Changes,
            _ => Effect::of(self.label.kind, self.pre, self.val),
        }
    }

    /// What it means to those who look at its object: [`CHANGED`] and the like.
    pub(crate) fn shows(&self) -> u8 {
        match self.label.obj {
            NO_OBJECT => 0,
            _ => self.effect().shows(self.label.kind),
        }
    }
}

/// A look at an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) obj: ObjId,
    /// The number of the event.
    pub(crate) since: usize,
    /// What the thread waits for, as bits.
    pub(crate) waits_for: u8,
    /// How often the thread has taken the object and not given it back.
    held: u32,
}

impl Look {
    /// What it is to go on after this look: it conflicts with all that the look waits for.
    pub(crate) fn class(&self) -> Class {
        match self.waits_for {
            bits if bits & COUNTED != 0 => Class::Count,
            bits if bits & DROPPED != 0 => Class::Unique,
            _ => Class::Peek,
        }
    }
}

/// What a thread has looked at since it yielded or changed something last.
#[derive(Debug, Default)]
pub(crate) struct Round(Vec<Look>);

impl Round {
    /// The round that a thread's events from number `since` on are, and whether the last of them belongs to
    /// it, or has ended what was one. Most threads never yield, so nobody asks before one does.
    pub(crate) fn of(events: &[Event], since: usize, tid: Tid) -> (Round, bool) {
        let (mut round, mut belongs) = (Round::default(), true);
        let own = events.iter().enumerate().skip(since).filter(|(_, event)| event.tid == tid);
        for (now, event) in own {
            belongs = round.take_in(event.obj, event.effect(), now);
        }
        (round, belongs)
    }

    /// The thread has performed an operation, as event number `now`. Returns whether that belongs to
    /// the round, or else ends what was one.
    fn take_in(&mut self, obj: ObjId, effect: Effect, now: usize) -> bool {
        match effect {
            Effect::Begins => {}
            Effect::Looks(waits_for) => drop(self.look(obj, waits_for, now)),
            Effect::Takes { tries: false } => self.look(obj, CHANGED | TAKES, now).held += 1,
            Effect::Takes { tries: true } => self.look(obj, CHANGED | TAKEN, now).held += 1,
            Effect::Returns { changed: false } => {
                match self.0.iter_mut().find(|look| look.obj == obj && look.held > 0) {
                    Some(look) => look.held -= 1,
                    None => return self.ends(),
                }
            }
            Effect::Returns { changed: true } | Effect::Changes => return self.ends(),
        }
        true
    }

    /// The first look at `obj` that waited for this; if there is none yet, it is event number `now`.
    fn look(&mut self, obj: ObjId, waits_for: u8, now: usize) -> &mut Look {
        let same = |look: &Look| look.obj == obj && look.waits_for == waits_for;
        let known = self.0.iter().position(same).unwrap_or_else(|| {
            self.0.push(Look { obj, since: now, waits_for, held: 0 });
            self.0.len() - 1
        });
        &mut self.0[known]
    }

    fn ends(&mut self) -> bool {
        self.0.clear();
        false
    }

    /// The thread yields: its looks, if it has looked at anything. What it holds it does not wait for.
    pub(crate) fn end(&mut self) -> Vec<Look> {
        let looks = std::mem::take(&mut self.0);
        let held = |obj| looks.iter().any(|look| look.obj == obj && look.held > 0);
        looks.iter().filter(|look| !held(look.obj)).copied().collect()
    }
}

/// What a thread has looked at before it yielded, and has not gone on since.
#[derive(Clone, Debug)]
pub(crate) struct Pause {
    pub(crate) looks: Vec<Look>,
    /// Where it yielded.
    pub(crate) at: &'static Location<'static>,
    /// What it knows, as a number.
    pub(crate) past: u64,
    /// Whether it spins, if that is known.
    pub(crate) spins: Option<bool>,
}

impl Probe {
    /// Whether a thread that waits for what its last round looked at waits for this, too. If not, its rounds
    /// are not alike: it does not wait yet.
    pub(crate) fn covers(&self, next: &[Look]) -> bool {
        let covered =
            |look: &Look, by: &Look| by.obj == look.obj && look.waits_for & !by.waits_for == 0;
        next.iter().all(|look| self.looks.iter().any(|by| covered(look, by)))
    }
}

/// Whether threads spin, by what they know, for all workers of an exploration.
#[derive(Clone, Default)]
pub(crate) struct Verdicts(Arc<Mutex<HashMap<u64, bool>>>);

impl Verdicts {
    /// Whether a thread that knows this spins, if that has been found out.
    pub(crate) fn get(&self, past: u64) -> Option<bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&past).copied()
    }

    pub(crate) fn set(&self, past: u64, spins: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(past).or_insert(spins);
    }
}

/// A thread runs alone, to find out whether it spins.
#[derive(Debug)]
pub(crate) struct Probe {
    pub(crate) tid: Tid,
    pub(crate) past: u64,
    /// What it has looked at before, and so what its rounds may use and wait for.
    pub(crate) looks: Vec<Look>,
    pub(crate) rounds: usize,
    pub(crate) over: bool,
}

/// What a step is to objects beside its own.
pub(crate) type Also = &'static [(ObjId, Class)];

/// The sets of objects that steps carry with them. Steps are copied everywhere, so a set is made
/// once, and never freed: there are as many as there are different rounds.
pub(crate) fn intern(set: &[(ObjId, Class)]) -> Also {
    static SETS: Mutex<Option<HashSet<Also>>> = Mutex::new(None);
    if set.is_empty() {
        return &[];
    }
    let mut sets = SETS.lock().unwrap_or_else(PoisonError::into_inner);
    let sets = sets.get_or_insert_with(HashSet::new);
    match sets.get(set) {
        Some(known) => known,
        None => {
            let new: Also = Box::leak(set.to_vec().into_boxed_slice());
            sets.insert(new);
            new
        }
    }
}
