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
//! many if the rest of the body is finite: between two rounds something must change. When nobody is
//! enabled and somebody spins, nobody will ever change what it waits for.
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
//! asks for: equivalent executions agree on it. Once enabled it stays so. A race of that operation
//! with a change is reversible if another change that remains lets it go on; otherwise the operation
//! cannot come earlier, and there is nothing to reverse.
//!
//! Whether a thread spins follows from what it knows (its causal past, [`crate::trace`]), so it is
//! found out once for each such past: the execution is given up for a *probe*, in which the thread
//! runs alone, and is then run again as far as it was. Nothing of a probe is counted.

use crate::object::{HUNG_UP, NOT_NOW};
use crate::op::{Class, Kind, ObjId, Tid};
use std::collections::{HashMap, HashSet};
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

/// A loop that goes on for so many rounds, with nobody else running, is one that does not end.
pub(crate) const ROUNDS: usize = 128;

/// What an operation did, as far as a thread that looks at the object could tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It only looked.
    Looks,
    /// The same, and it has found the way barred.
    Barred,
    /// It looked how many there are.
    Counts,
    /// It took something that it can give back as if nothing had been.
    Takes,
    /// It gave that back.
    Returns {
        /// Whether it changed something meanwhile.
        changed: bool,
    },
    /// It changed how many there are, and nothing that those could tell who do not count.
    Recounts,
    Changes,
}

/// A bit of what an event means to those who look: they see something else now.
pub(crate) const CHANGED: u8 = 1;
/// The same: the way may be free.
pub(crate) const FREED: u8 = 2;
/// The same: there are more, or fewer.
pub(crate) const COUNTED: u8 = 4;

impl Effect {
    /// The effect of an operation that turned out to be `kind`, from the state before it and what
    /// came of it: of an unlock, whether the guard has been used to change the value.
    pub(crate) fn of(kind: Kind, pre: u64, val: u64) -> Effect {
        match kind {
            Kind::Load | Kind::CompareExchangeFailed | Kind::Look => Effect::Looks,
            Kind::QueueWrite => Effect::Looks,
            Kind::Store | Kind::Rmw if pre == val => Effect::Looks,
            Kind::TryLock | Kind::TryRead | Kind::TryWrite if val == 0 => Effect::Barred,
            Kind::Upgrade if val == 0 => Effect::Looks,
            // It waits for fewer references.
            Kind::TryUnwrap if val == 0 => Effect::Barred,
            // They may wait for any number of references, weak ones included.
            Kind::Count => Effect::Counts,
            Kind::Unique if val == 0 => Effect::Counts,
            Kind::CloneRef | Kind::DropWeak => Effect::Recounts,
            Kind::Enter if val == 0 => Effect::Looks,
            Kind::Park if val == 0 => Effect::Looks,
            Kind::Recv | Kind::TryRecv | Kind::TrySend if val == NOT_NOW || val == HUNG_UP => {
                Effect::Looks
            }
            Kind::Lock | Kind::TryLock | Kind::Read | Kind::TryRead => Effect::Takes,
            Kind::Write | Kind::TryWrite | Kind::Upgrade | Kind::Wait => Effect::Takes,
            Kind::Wake if val == 0 => Effect::Returns { changed: false },
            Kind::Unlock | Kind::UnlockWrite => Effect::Returns { changed: val == 1 },
            Kind::UnlockRead => Effect::Returns { changed: false },
            Kind::DropRef => Effect::Returns { changed: val == 1 },
            _ => Effect::Changes,
        }
    }

    /// What it means to those who look.
    pub(crate) fn shows(self) -> u8 {
        match self {
            Effect::Looks | Effect::Barred | Effect::Counts => 0,
            Effect::Takes | Effect::Recounts => COUNTED,
            Effect::Returns { changed: false } => FREED | COUNTED,
            Effect::Returns { changed: true } | Effect::Changes => CHANGED | FREED | COUNTED,
        }
    }
}

/// A look at an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) obj: ObjId,
    /// The number of the event.
    pub(crate) since: usize,
    /// Whether it found the way barred.
    barred: bool,
    /// Whether it looked how many there are.
    pub(crate) counts: bool,
    /// How often the thread has taken the object and not given it back.
    held: u32,
}

impl Look {
    /// Which of [`CHANGED`], [`FREED`] and [`COUNTED`] the thread waits for.
    pub(crate) fn waits_for(&self) -> u8 {
        match (self.counts, self.barred) {
            (true, _) => CHANGED | FREED | COUNTED,
            (false, true) => CHANGED | FREED,
            (false, false) => CHANGED,
        }
    }
}

/// What a thread has looked at since it yielded or changed something last.
#[derive(Debug, Default)]
pub(crate) struct Round(Vec<Look>);

impl Round {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The thread has performed an operation, as event number `now`. Returns whether that belongs to
    /// the round, or else ends what was one.
    pub(crate) fn take_in(&mut self, obj: ObjId, effect: Effect, now: usize) -> bool {
        let known = self.0.iter().position(|look| look.obj == obj);
        let look = match (effect, known) {
            (Effect::Changes | Effect::Recounts | Effect::Returns { changed: true }, _)
            | (Effect::Returns { .. }, None) => {
                self.clear();
                return false;
            }
            (_, Some(known)) => &mut self.0[known],
            (_, None) => {
                self.0.push(Look { obj, since: now, barred: false, counts: false, held: 0 });
                self.0.last_mut().expect("just pushed")
            }
        };
        match effect {
            Effect::Takes => look.held += 1,
            Effect::Returns { .. } if look.held == 0 => {
                self.clear();
                return false;
            }
            Effect::Returns { .. } => look.held -= 1,
            Effect::Barred => look.barred = true,
            Effect::Counts => look.counts = true,
            Effect::Looks | Effect::Recounts | Effect::Changes => {}
        }
        true
    }

    /// The thread yields: its looks, if it has looked at anything. What it holds it does not wait for.
    pub(crate) fn end(&mut self) -> Vec<Look> {
        let mut looks = std::mem::take(&mut self.0);
        looks.retain(|look| look.held == 0);
        looks
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
    /// The objects that its rounds may use.
    pub(crate) objects: Vec<ObjId>,
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
