//! What each shared object remembers during one execution, which operations that makes possible,
//! and what they do.
//!
//! The values themselves live in the primitives. Here is only what decides whether an operation is
//! enabled, and the state before each operation, from which a race reversal can tell whether the
//! later operation would have been enabled before the earlier one.

mod synchronise;

use crate::memory::Released;
use crate::op::{label_if, Class, Kind, Label, Op, Tid, CLASSES, NO_OBJECT};
use crate::trace::{join, mix, Clock};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::panic::Location;

/// A bit of `Op::arg`: the wait may end now without what it waits for.
pub(crate) const MAY_END: u64 = 1;
/// A bit of `Op::arg`: the wait has a timeout, so it may end when nothing else can go on.
pub(crate) const TIMED: u64 = 2;

/// What came of a wait: it was notified.
pub(crate) const NOTIFIED: u64 = 1;

/// A waiter of a condition variable, and how many `notify_one` it has outlived.
#[derive(Clone, Copy, Debug)]
struct Waiter {
    tid: Tid,
    since: u32,
}

/// A condition variable's waiters and its notifications.
///
/// Whom `notify_one` wakes is decided when it is certain, not when it is called: a notification for
/// which several waiters are eligible stays in `tokens`, and the waiters race to take it, as threads
/// race for a lock. So the choice is one of ordering, and needs nothing else from the explorer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiters {
    waiting: Vec<Waiter>,
    /// For each notification that has not been taken, its number; waiters that are older compete.
    tokens: Vec<u32>,
    notifications: u32,
    /// Waiters that are certain to be woken, with the number of the event that made it so.
    woken: Vec<(Tid, usize)>,
}

impl Waiters {
    fn eligible(&self, tid: Tid) -> bool {
        let since = self.waiting.iter().find(|w| w.tid == tid).map(|w| w.since);
        since.is_some_and(|since| self.tokens.iter().any(|&t| since <= t))
    }

    /// The waiters that could take a notification, as a set of bits; [`NOBODY`] if nobody waits.
    fn takers(&self) -> u64 {
        if self.waiting.is_empty() {
            return NOBODY;
        }
        let mut mask = 0;
        for w in &self.waiting {
            if self.tokens.iter().any(|&t| w.since <= t) {
                mask |= bit(w.tid);
            }
        }
        mask
    }

    fn wait(&mut self, tid: Tid) {
        self.waiting.push(Waiter { tid, since: self.notifications });
    }

    /// Takes `tid` out of the waiters, with the oldest notification that it is eligible for.
    fn leave(&mut self, tid: Tid) -> bool {
        let i = self.waiting.iter().position(|w| w.tid == tid).expect("a waiter waits");
        let since = self.waiting.remove(i).since;
        let token = self.tokens.iter().position(|&t| since <= t);
        if let Some(t) = token {
            self.tokens.remove(t);
        }
        token.is_some()
    }

    /// Wakes all if each finds a notification, and nobody while they have to compete.
    ///
    /// There is nothing between. A waiter that leaves takes the oldest notification that it could have, and
    /// those who competed for as many as there were, or more, still do. One that comes can take none that is
    /// there. So what begins to be certain does so with a notification, and that is one for all who wait.
    fn notify_one(&mut self, by: usize) {
        self.tokens.push(self.notifications);
        self.notifications += 1;
        if self.waiting.len() <= self.tokens.len() {
            self.notify_all(by);
        }
    }

    fn notify_all(&mut self, by: usize) {
        self.tokens.clear();
        self.woken.extend(self.waiting.drain(..).map(|w| (w.tid, by)));
    }

    fn wake_event(&self, tid: Tid) -> Option<usize> {
        self.woken.iter().find(|&&(p, _)| p == tid).map(|&(_, by)| by)
    }
}

/// A condition variable's `pre` if nobody waits. As a set of bits it is all threads, and one that
/// notified does not wait.
pub(crate) const NOBODY: u64 = u64::MAX;

/// Whether `tid` is among the waiters that could take a notification.
pub(crate) fn takes(tid: Tid, takers: u64) -> bool {
    takers != NOBODY && takers & bit(tid) != 0
}

/// Who has an `RwLock`, and who waits to write.
///
/// std says that a reader may be let in while a writer waits, and may not. So it is an operation that
/// a writer begins to wait, and readers that come after that wait for the writer. A reader that is let
/// in although the writer has come is one that comes before: nobody could tell, since the writer does
/// nothing else meanwhile.
#[derive(Clone, Debug, Default)]
pub(crate) struct Readers {
    writer: Option<Tid>,
    readers: Vec<Tid>,
    waiting: Vec<Tid>,
}

/// A bit of what [`Readers::shuts_out`] says: a writer has the lock.
pub(crate) const WRITTEN: u64 = 1;
/// See [`WRITTEN`]: a writer waits for the lock.
pub(crate) const AWAITED: u64 = 2;

impl Readers {
    fn is_free(&self) -> bool {
        self.writer.is_none() && self.readers.is_empty()
    }

    /// Whether a reader is let in.
    fn admits(&self) -> bool {
        self.shuts_out() == 0
    }

    /// What shuts readers out, as bits.
    fn shuts_out(&self) -> u64 {
        self.writer.is_some() as u64 * WRITTEN + !self.waiting.is_empty() as u64 * AWAITED
    }
}

/// The state of an object.
#[derive(Clone, Debug, Default)]
pub(crate) enum State {
    /// Nothing blocks on it.
    #[default]
    Plain,
    Mutex(Option<Tid>),
    RwLock(Readers),
    Condvar(Waiters),
    Parker {
        token: bool,
    },
    Barrier {
        parties: usize,
        arrived: usize,
        generation: u64,
    },
    Once(Initialisation),
    Channel(Channel),
    /// What counted references refer to, and which threads have dropped one where that is no operation.
    References {
        dropped: u64,
    },
    Thread {
        over: bool,
    },
}

/// How far a `Once` has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Initialisation {
    running: bool,
    done: bool,
    /// Whether the last closure has panicked.
    poisoned: bool,
}

/// A bit of an event's `pre` on a `Once`: a closure runs.
pub(crate) const RUNNING: u64 = 1;
/// The same: it is done, and stays so.
pub(crate) const DONE: u64 = 2;
const POISONED: u64 = 4;

impl Initialisation {
    fn bits(&self) -> u64 {
        self.running as u64 * RUNNING + self.done as u64 * DONE + self.poisoned as u64 * POISONED
    }
}

/// Whether who waits for a `Once` in this state goes on: because it is done, or, if `arg` is
/// [`MAY_END`], because it is poisoned.
pub(crate) fn waits_no_more(arg: u64, bits: u64) -> bool {
    bits & DONE != 0 || arg == MAY_END && bits & (POISONED | RUNNING) == POISONED
}

/// A channel, but for its messages.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) messages: usize,
    /// Without room, sender and receiver meet: a message is sent as if there were room, and then the
    /// sender waits until it has been received.
    pub(crate) room: Option<usize>,
    pub(crate) senders: usize,
    pub(crate) receiver: bool,
    /// Whether the receiver waits at a rendezvous, which is where a message can be sent to without
    /// waiting.
    pub(crate) offers: bool,
    /// How many messages have been sent and received.
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// The events that sent the messages that are there.
    pub(crate) sent_by: VecDeque<usize>,
}

/// What came of an operation on a channel, other than success.
pub(crate) const NOT_NOW: u64 = 0;
/// See [`NOT_NOW`].
pub(crate) const HUNG_UP: u64 = 2;

/// What a look at a thread saw.
pub(crate) const ALIVE: u64 = 1;
/// See [`ALIVE`].
pub(crate) const OVER: u64 = 2;

/// Bits of `Applied::pre`: what a channel's state allowed.
pub(crate) const CAN_RECV: u64 = 1;
/// See [`CAN_RECV`].
pub(crate) const CAN_SEND: u64 = 2;
/// See [`CAN_RECV`]: the receiver is gone, and stays so.
pub(crate) const GONE: u64 = 4;

impl Channel {
    /// Whether who receives with this `Op::arg` could receive nothing but the message that is there: it
    /// would have waited for one, and no sender notices that it has been taken.
    fn certain(&self, arg: u64) -> bool {
        self.room.is_none() && self.messages > 0 && arg & MAY_END == 0
    }

    fn can(&self) -> u64 {
        let recv = self.messages > 0 || self.senders == 0;
        let send = !self.receiver || self.room.is_none_or(|room| room == 0 || self.messages < room);
        recv as u64 * CAN_RECV + send as u64 * CAN_SEND + !self.receiver as u64 * GONE
    }

    fn send(&mut self, kind: Kind) -> u64 {
        if !self.receiver {
            return HUNG_UP;
        }
        let room = match (kind, self.room) {
            (Kind::TrySend, Some(0)) => Some(self.offers as usize),
            (_, Some(0)) => None,
            (_, room) => room,
        };
        if room.is_some_and(|room| self.messages >= room) {
            return NOT_NOW;
        }
        self.messages += 1;
        self.sent += 1;
        1
    }

    fn recv(&mut self) -> u64 {
        self.offers = false;
        if self.messages > 0 {
            self.messages -= 1;
            self.received += 1;
            1
        } else if self.senders == 0 {
            HUNG_UP
        } else {
            NOT_NOW
        }
    }
}

/// An object of the current execution.
#[derive(Default)]
pub(crate) struct Object {
    pub(crate) state: State,
    /// What the operations of each class knew, and of which classes there were some, as a set of bits.
    knew: [Clock; CLASSES],
    classes: u16,
    /// What it hands on to those who acquire it.
    pub(crate) released: Released,
    /// The events on it, in order, those that are only also on it among them.
    pub(crate) history: Vec<u32>,
    /// What the last operation that is not read-like knew, as a number.
    pub(crate) version: u64,
    /// What those knew who have left since, in whatever order.
    pub(crate) left: u64,
    /// What the last knew who has sent since, if anybody has. It is no version: who leaves does not
    /// see it.
    pub(crate) sent: u64,
    pub(crate) name: Option<Cow<'static, str>>,
    pub(crate) alive: bool,
    /// Its creator, and its place among the creator's objects. `None` if it is a static's.
    pub(crate) made: Option<(Tid, u32)>,
    /// Where it was made.
    pub(crate) at: Option<&'static Location<'static>>,
}

impl Object {
    pub(crate) fn reset(&mut self) {
        self.state = State::Plain;
        while self.classes != 0 {
            self.knew[self.classes.trailing_zeros() as usize].clear();
            self.classes &= self.classes - 1;
        }
        self.released.clear();
        self.history.clear();
        self.version = 0;
        self.left = 0;
        self.sent = 0;
        self.name = None;
        self.at = None;
        self.alive = false;
    }

    /// Adds to `clock` what those knew whom an operation of this class conflicts with, and to `past` the
    /// same as a number, which is returned.
    pub(crate) fn learn(&self, class: Class, clock: &mut Clock, mut past: u64) -> u64 {
        let mut conflicting = class.conflicting() & self.classes;
        while conflicting != 0 {
            join(clock, &self.knew[conflicting.trailing_zeros() as usize]);
            conflicting &= conflicting - 1;
        }
        // What commutes with all changes has seen none.
        if class.conflicts(Class::Write) {
            past = mix(past, self.version);
        }
        if class.conflicts(Class::Leave) && self.left != 0 {
            past = mix(past, self.left);
        }
        if class.conflicts(Class::Send) && self.sent != 0 {
            past = mix(past, self.sent);
        }
        past
    }

    /// An operation of this class, which is event number `now`, knows that.
    pub(crate) fn teach(&mut self, class: Class, clock: &[u32], past: u64, now: u32) {
        self.classes |= 1 << class as usize;
        let knew = &mut self.knew[class as usize];
        match class.conflicts(class) {
            // It has learnt what those before it knew.
            true => {
                knew.clear();
                knew.extend_from_slice(clock);
            }
            false => join(knew, clock),
        }
        if matches!(class, Class::Write | Class::Unique) {
            self.version = past;
            (self.left, self.sent) = (0, 0);
        }
        match class {
            Class::Leave => self.left = self.left.wrapping_add(mix(past, 1)),
            Class::Send => self.sent = past,
            _ => {}
        }
        if self.history.last() != Some(&now) {
            self.history.push(now);
        }
    }

    /// What those knew who changed it.
    pub(crate) fn changed_by(&self) -> &Clock {
        &self.knew[Class::Write as usize]
    }

    /// Whether `tid` could perform `op` now.
    #[inline(always)]
    pub(crate) fn enabled(&self, op: &Op, tid: Tid) -> bool {
        match (op.kind, &self.state) {
            (Kind::Lock, State::Mutex(holder)) => holder.is_none(),
            (Kind::Read, State::RwLock(lock)) => lock.admits(),
            (Kind::Write, State::RwLock(lock)) => lock.is_free(),
            (Kind::Wake, State::Condvar(w)) => {
                op.arg & MAY_END != 0 || w.wake_event(tid).is_some() || w.eligible(tid)
            }
            (Kind::Park, State::Parker { token }) => *token || op.arg & MAY_END != 0,
            (Kind::Enter, State::Once(once)) => !once.running,
            (Kind::WaitDone, State::Once(once)) => waits_no_more(op.arg, once.bits()),
            (Kind::Send, State::Channel(c)) => c.can() & CAN_SEND != 0,
            (Kind::Recv, State::Channel(c)) => c.can() & CAN_RECV != 0 || op.arg & MAY_END != 0,
            _ => true,
        }
    }

    /// Performs `op`, which is enabled, as event number `now`.
    #[inline(always)]
    pub(crate) fn apply(&mut self, op: &Op, tid: Tid, now: usize) -> Applied {
        let mut done = Applied { label: Label::new(op.obj, op.kind), pre: 0, val: 0, after: None };
        match (op.kind, &mut self.state) {
            (Kind::Lock | Kind::TryLock, State::Mutex(holder)) => {
                done.pre = holder.is_some() as u64;
                if holder.is_none() {
                    *holder = Some(tid);
                    done.val = 1;
                }
            }
            (Kind::Look | Kind::Clear, State::Mutex(holder)) => done.pre = holder.is_some() as u64,
            (Kind::Look, State::Once(once)) => done.pre = once.bits(),
            (Kind::WaitDone, State::Once(once)) => {
                done.pre = once.bits();
                done.val = once.done as u64;
            }
            (Kind::Look | Kind::Clear, State::RwLock(lock)) => done.pre = lock.shuts_out(),
            (Kind::Look, State::Thread { over }) => done.val = if *over { OVER } else { ALIVE },
            (Kind::End, State::Thread { over }) => *over = true,
            (Kind::CloneRef, State::References { .. }) => {}
            (Kind::Unlock, State::Mutex(holder)) => {
                done.pre = 1;
                done.val = op.arg;
                *holder = None;
            }
            (Kind::Read | Kind::TryRead, State::RwLock(lock)) => {
                done.pre = lock.shuts_out();
                if lock.admits() {
                    lock.readers.push(tid);
                    done.val = 1;
                }
            }
            (Kind::QueueWrite, State::RwLock(lock)) => {
                done.pre = lock.shuts_out();
                lock.waiting.push(tid);
            }
            (Kind::Write | Kind::TryWrite, State::RwLock(lock)) => {
                done.pre = lock.shuts_out();
                if lock.is_free() {
                    lock.writer = Some(tid);
                    lock.waiting.retain(|&w| w != tid);
                    done.val = 1;
                }
            }
            (Kind::UnlockRead, State::RwLock(lock)) => {
                let i = lock.readers.iter().position(|&p| p == tid).expect("a reader reads");
                lock.readers.swap_remove(i);
            }
            (Kind::UnlockWrite, State::RwLock(lock)) => {
                done.pre = lock.shuts_out();
                done.val = op.arg;
                lock.writer = None;
            }
            (Kind::Downgrade, State::RwLock(lock)) => {
                done.pre = lock.shuts_out();
                lock.writer = None;
                lock.readers.push(tid);
            }
            (Kind::Wait, State::Condvar(w)) => {
                done.pre = w.takers();
                w.wait(tid);
            }
            (Kind::NotifyOne | Kind::NotifyAll, State::Condvar(w)) if w.waiting.is_empty() => {
                done.pre = NOBODY;
            }
            (Kind::NotifyOne, State::Condvar(w)) => {
                done.pre = w.takers();
                w.notify_one(now);
            }
            (Kind::NotifyAll, State::Condvar(w)) => {
                done.pre = w.takers();
                w.notify_all(now);
            }
            (Kind::Wake, State::Condvar(w)) => {
                if let Some(by) = w.wake_event(tid) {
                    w.woken.retain(|&(p, _)| p != tid);
                    done.label = Label::new(NO_OBJECT, Kind::Woken);
                    done.val = NOTIFIED;
                    done.pre = by as u64;
                    done.after = Some(by);
                } else {
                    done.pre = w.takers();
                    done.val = w.leave(tid) as u64;
                }
            }
            (Kind::Park, State::Parker { token }) => {
                done.pre = *token as u64;
                done.val = *token as u64;
                *token = false;
            }
            (Kind::Unpark, State::Parker { token }) => {
                done.pre = *token as u64;
                *token = true;
            }
            (Kind::Arrive, State::Barrier { parties, arrived, generation }) => {
                *arrived += 1;
                if *arrived >= *parties {
                    *arrived = 0;
                    *generation += 1;
                    done.val = 1;
                }
            }
            (Kind::Enter, State::Once(once)) => {
                done.pre = once.bits();
                once.running = !once.done;
                done.val = once.running as u64;
            }
            (Kind::Leave, State::Once(once)) => {
                done.pre = once.bits();
                let over = op.arg == 1;
                *once = Initialisation { running: false, done: over, poisoned: !over };
            }
            (Kind::Send | Kind::TrySend, State::Channel(c)) => {
                done.pre = c.can();
                done.val = c.send(op.kind);
                if done.val == 1 {
                    c.sent_by.push_back(now);
                }
            }
            (Kind::Offer, State::Channel(c)) => {
                done.pre = c.can();
                c.offers = true;
            }
            (Kind::Recv, State::Channel(c)) if c.certain(op.arg) => {
                let by = c.sent_by.pop_front().expect("there is a message");
                done.label = Label::new(NO_OBJECT, Kind::Received);
                done.pre = by as u64;
                done.val = c.recv();
                done.after = Some(by);
            }
            (Kind::Recv | Kind::TryRecv, State::Channel(c)) => {
                done.pre = c.can();
                done.val = c.recv();
                if done.val == 1 {
                    c.sent_by.pop_front();
                }
            }
            (Kind::Hangup, State::Channel(c)) => {
                done.pre = c.can();
                c.receiver = false;
            }
            (Kind::DropSender, State::Channel(c)) => {
                done.pre = c.can();
                c.senders -= 1;
            }
            (kind, state) => unreachable!("{kind:?} on {state:?}"),
        }
        if done.label.obj != NO_OBJECT {
            done.label = label_if(op.kind, op.obj, op.arg, done.pre);
        }
        done
    }

    /// Whether it is a channel without a limit.
    pub(crate) fn is_unlimited(&self) -> bool {
        matches!(&self.state, State::Channel(c) if c.room.is_none())
    }

    /// What it is, for people.
    pub(crate) fn sort(&self) -> &'static str {
        match &self.state {
            State::Mutex(_) => "mutex",
            State::RwLock(_) => "rwlock",
            State::Condvar(_) => "condvar",
            State::Parker { .. } => "permit",
            State::Barrier { .. } => "barrier",
            State::Once(_) => "once",
            State::Channel(_) => "channel",
            State::References { .. } => "reference",
            State::Plain | State::Thread { .. } => "atomic",
        }
    }

    /// Who holds the object, for the report of a deadlock.
    pub(crate) fn holders(&self) -> Vec<Tid> {
        match &self.state {
            State::Mutex(Some(p)) => vec![*p],
            State::RwLock(Readers { writer: Some(p), .. }) => vec![*p],
            State::RwLock(lock) => lock.readers.clone(),
            _ => Vec::new(),
        }
    }

    /// Which writers wait for it, whom readers let go first.
    pub(crate) fn waiting_writers(&self) -> &[Tid] {
        match &self.state {
            State::RwLock(lock) => &lock.waiting,
            _ => &[],
        }
    }
}

/// What came of an operation.
pub(crate) struct Applied {
    pub(crate) label: Label,
    pub(crate) pre: u64,
    pub(crate) val: u64,
    /// The event without which this one would not have been enabled, where the object's order does
    /// not say so.
    pub(crate) after: Option<usize>,
}

/// `tid` as a set of bits; the runtime refuses to start more threads than a set has room for.
pub(crate) fn bit(tid: Tid) -> u64 {
    1 << (tid % 64)
}
