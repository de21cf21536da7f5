//! Operations, and the one place that says which of them are dependent.
//!
//! Two operations are *dependent* when they name the same object and their classes conflict (see
//! [`Class::conflicts`]); an operation after a yield also reads what its thread looked at before (see
//! [`Label::also`]). Everything else commutes. The whole reduction rests on this relation: too
//! small and orderings are lost, too large and they are counted more than once.
//!
//! # What can be refined
//!
//! What an operation is may depend on the state that it comes in: a compare-exchange that fails has only
//! read, and so has a notification that finds nobody waiting, a call of a `Once` that is done, a send
//! after the receiver has gone. Steps that sleep or wait in a tree carry their labels along over
//! whatever commutes with them. So this is right if of two operations that can both go on in a state and
//! commute by their labels, each leaves the other possible and what it is, and both orders lead to the
//! same state. It holds for these: they leave the state as it is, and what would make them something
//! else is a write, which they do not commute with.
//!
//! It holds for operations that are always the same and whose effects add up. Permits that are given
//! to one thread are one permit, whoever was first; who takes it is ordered with each of them. A sender
//! that goes while another sends is not the last, so no receiver can tell which was first. A message
//! that somebody waits for, in a channel without a limit, is his as soon as it has been sent: nobody
//! else can take it, and no sender can tell that it has been taken, so to receive it is ordered behind
//! the send alone, and commutes with everything.
//!
//! It does not hold for the drops of references that are not the last, nor for arrivals at a barrier that
//! are not the last. With two references left, each drop would be one that is not the last, so both
//! would commute by their labels; but each makes the other the last. Were the label to count, a
//! drop would change the label of the next, which it is to commute with. These stay ordered. (Senders
//! differ: which of them was the last is nobody's to see.) For the same reason an attempt to receive is
//! ordered with each sender that goes, and not with the last alone: with two senders left, either of them is
//! the last if the other goes before it, and they are to commute. To order it with the last alone would take a
//! relation over three operations, and a choice of which two of them came before the third. Nor does it
//! hold for two notifications of which the first wakes somebody: that one goes on after the first, and not
//! after the second.

use crate::object::{DONE, GONE, NOBODY};
use crate::spin::Also;
use std::panic::Location;
use std::sync::LazyLock;

/// A thread, by the dense number that its place in the tree of spawns has been given.
pub(crate) type Tid = u16;

/// A shared object, by the dense number that its creator and its place among the creator's objects
/// have been given.
pub(crate) type ObjId = u32;

/// The object of an operation that is independent of every other.
pub(crate) const NO_OBJECT: ObjId = ObjId::MAX;

/// What an operation does to its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An atomic load.
    Load,
    /// An atomic store.
    Store,
    /// An atomic read-modify-write; a compare-exchange that succeeded is one.
    Rmw,
    /// A compare-exchange that has not run yet.
    CompareExchange,
    /// A compare-exchange that failed: it only read.
    CompareExchangeFailed,
    /// The blocking acquisition of a mutex.
    Lock,
    /// An attempt to acquire a mutex, whatever came of it.
    TryLock,
    /// The release of a mutex.
    Unlock,
    /// The blocking acquisition of an `RwLock` by a reader.
    Read,
    /// An attempt to acquire an `RwLock` as a reader, whatever came of it.
    TryRead,
    /// The release of an `RwLock` by a reader.
    UnlockRead,
    /// A writer comes to an `RwLock` and begins to wait: readers that come after that are not let in
    /// before the writer has been.
    QueueWrite,
    /// The blocking acquisition of an `RwLock` by a writer.
    Write,
    /// An attempt to acquire an `RwLock` as a writer, whatever came of it.
    TryWrite,
    /// The release of an `RwLock` by a writer.
    UnlockWrite,
    /// A writer of an `RwLock` becomes a reader, with nobody in between.
    Downgrade,
    /// A thread joins the waiters of a condition variable.
    Wait,
    /// A waiter stops waiting on its own account: it wins a notification that others compete for,
    /// it times out, or it wakes spuriously.
    Wake,
    /// A waiter that has been notified goes on. It could do nothing else, so this commutes with
    /// everything.
    Woken,
    /// `notify_one`.
    NotifyOne,
    /// `notify_all`.
    NotifyAll,
    /// A notification that found nobody waiting: it only looked.
    NotifyNobody,
    /// A thread consumes its own token, waiting for it.
    Park,
    /// A thread's token is made available.
    Unpark,
    /// A thread comes to a barrier.
    Arrive,
    /// A thread comes to a `Once`, and waits while another runs the closure.
    Enter,
    /// A thread comes to a `Once` that is done: it only looks.
    FindDone,
    /// The closure of a `Once` is over.
    Leave,
    /// A thread waits until a `Once` is done.
    WaitDone,
    /// A lock's poison is looked at, whether a `Once` is done, or whether a thread has ended.
    Look,
    /// A lock's poison is cleared.
    Clear,
    /// A thread ends. No operation unless it is asked for
    /// ([`Explorer::thread_ends`](crate::Explorer::thread_ends)).
    End,
    /// A message is sent, once there is room for it.
    Send,
    /// A message is sent if there is room for it.
    TrySend,
    /// A message is not sent, because the receiver is gone.
    SendInVain,
    /// The receiver comes to a rendezvous.
    Offer,
    /// A message is received, once there is one.
    Recv,
    /// A message is received from a channel without a limit, by who would wait for one. It could be no
    /// other, nor could anything else be done, so this commutes with everything.
    Received,
    /// A message is received if there is one.
    TryRecv,
    /// A sender of a channel goes. Which one is the last is a matter of order.
    DropSender,
    /// The receiver of a channel goes.
    Hangup,
    /// A counted reference is dropped.
    DropRef,
    /// A counted reference is unwrapped, if it is the only one.
    TryUnwrap,
    /// A weak reference is upgraded, or found dangling.
    Upgrade,
    /// A counted reference is found to be the only one, or not.
    Unique,
    /// References are counted.
    Count,
    /// A reference is cloned, or a weak one made.
    CloneRef,
    /// A weak reference is dropped.
    DropWeak,
}

impl Kind {
    /// Whether it is the end of a critical section.
    pub(crate) fn releases(self) -> bool {
        matches!(self, Kind::Unlock | Kind::UnlockRead | Kind::UnlockWrite)
    }

    /// Whether it is an operation of an atomic, whose values are the body's.
    pub(crate) fn is_atomic(self) -> bool {
        let changes = matches!(self, Kind::Store | Kind::Rmw | Kind::CompareExchange);
        changes || matches!(self, Kind::Load | Kind::CompareExchangeFailed)
    }

    /// Whether a destructor performs it, which Rust does not tell where it runs.
    pub(crate) fn is_undone(self) -> bool {
        let unlocks = matches!(self, Kind::Unlock | Kind::UnlockRead | Kind::UnlockWrite);
        let goes = matches!(self, Kind::DropRef | Kind::DropWeak | Kind::DropSender | Kind::Hangup);
        unlocks || goes
    }

    /// What the dependency relation knows of it.
    pub(crate) fn class(self) -> Class {
        match self {
            Kind::Load | Kind::CompareExchangeFailed => Class::Read,
            Kind::Look | Kind::Upgrade | Kind::WaitDone => Class::Read,
            Kind::NotifyNobody | Kind::FindDone | Kind::SendInVain => Class::Read,
            Kind::UnlockRead | Kind::DropSender | Kind::Unpark => Class::Leave,
            Kind::Send | Kind::TrySend => Class::Send,
            Kind::Read | Kind::TryRead => Class::Admission,
            Kind::QueueWrite => Class::Queue,
            Kind::Count => Class::Count,
            Kind::CloneRef => Class::Clone,
            Kind::DropWeak => Class::DropWeak,
            Kind::Unique => Class::Unique,
            _ => Class::Write,
        }
    }

    /// Whether two operations of such kinds, by different threads on one object, commute.
    pub fn commutes(self, other: Kind) -> bool {
        !self.class().conflicts(other.class())
    }

    /// The name that a witness shows.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Load => "load",
            Kind::Store => "store",
            Kind::Rmw => "rmw",
            Kind::CompareExchange => "compare_exchange",
            Kind::CompareExchangeFailed => "compare_exchange fails",
            Kind::Lock => "lock",
            Kind::TryLock => "try_lock",
            Kind::Unlock => "unlock",
            Kind::Read => "read",
            Kind::TryRead => "try_read",
            Kind::UnlockRead => "unlock read",
            Kind::QueueWrite => "wait to write",
            Kind::Write => "write",
            Kind::TryWrite => "try_write",
            Kind::UnlockWrite => "unlock write",
            Kind::Downgrade => "downgrade",
            Kind::Wait => "wait",
            Kind::Wake => "wake",
            Kind::Woken => "woken",
            Kind::NotifyOne => "notify_one",
            Kind::NotifyAll => "notify_all",
            Kind::NotifyNobody => "notify nobody at",
            Kind::Park => "park",
            Kind::Unpark => "unpark",
            Kind::Arrive => "arrive",
            Kind::Enter => "enter",
            Kind::FindDone => "find done",
            Kind::Leave => "leave",
            Kind::WaitDone => "wait for",
            Kind::Look => "look at",
            Kind::Clear => "clear",
            Kind::End => "end",
            Kind::Send => "send",
            Kind::TrySend => "try_send",
            Kind::SendInVain => "send",
            Kind::Offer => "offer to recv",
            Kind::Recv | Kind::Received => "recv",
            Kind::TryRecv => "try_recv",
            Kind::DropSender => "drop a sender of",
            Kind::Hangup => "hang up",
            Kind::DropRef => "drop",
            Kind::TryUnwrap => "try_unwrap",
            Kind::Upgrade => "upgrade",
            Kind::Unique => "have alone",
            Kind::Count => "count references of",
            Kind::CloneRef => "clone",
            Kind::DropWeak => "drop a weak",
        }
    }
}

/// What the dependency relation distinguishes. Operations on one object are dependent if their
/// classes conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Class {
    /// Dependent with everything on its object, but for [`Class::Queue`].
    Write,
    /// Commutes with others of its kind.
    Read,
    /// A reader of an `RwLock` asks to be let in: a read that a writer which waits can turn away.
    Admission,
    /// A writer begins to wait for an `RwLock`, which matters to those alone who ask to be let in.
    Queue,
    /// A read that others may wait for: a reader or a sender goes, or a permit is given that may be
    /// there already.
    Leave,
    /// A message is sent: no sender that goes is the last, nor has been, while another sends.
    Send,
    /// A thread goes on after a yield, and has looked at the object before: a read that may have waited
    /// for those who leave.
    Peek,
    /// References are counted, which all that changes the counts is dependent with; or a thread goes on
    /// after a yield that had counted them before.
    Count,
    /// One more reference: whoever makes it has one, so nobody has the value alone meanwhile.
    Clone,
    /// One weak reference fewer, which matters to those who count and those who have the value alone.
    DropWeak,
    /// Whether a reference is the only one, weak ones included; or a thread goes on after a yield that had
    /// looked at that before.
    Unique,
}

/// How many classes there are.
pub(crate) const CLASSES: usize = 11;

impl Class {
    /// All of them, each at its own index.
    pub(crate) const ALL: [Class; CLASSES] = {
        use Class::*;
        [Write, Read, Admission, Queue, Leave, Send, Peek, Count, Clone, DropWeak, Unique]
    };

    /// Whether the order of two operations of such classes can matter.
    #[inline]
    pub(crate) fn conflicts(self, other: Class) -> bool {
        self.conflicting() & 1 << other as usize != 0
    }

    /// Those that it conflicts with, as a set of bits.
    #[inline]
    pub(crate) fn conflicting(self) -> u16 {
        CONFLICTS[self as usize]
    }

    fn conflict(self, other: Class) -> bool {
        use Class::*;
        match (self, other) {
            (Queue, Admission) | (Admission, Queue) => true,
            (Queue, _) | (_, Queue) => false,
            (Count, Count | Peek) | (Peek, Count) => false,
            (Count, _) | (_, Count) => true,
            (Clone, _) | (_, Clone) => false,
            (DropWeak, other) | (other, DropWeak) => matches!(other, Unique),
            (Write | Unique, _) | (_, Write | Unique) => true,
            (Send, other) | (other, Send) => !matches!(other, Leave),
            (Leave, Peek) | (Peek, Leave) => true,
            (Read | Admission | Leave | Peek, Read | Admission | Leave | Peek) => false,
        }
    }
}

/// For each class those that it conflicts with: this is asked many times for each operation.
static CONFLICTS: LazyLock<[u16; CLASSES]> = LazyLock::new(|| {
    Class::ALL.map(|one| {
        let all = Class::ALL.into_iter().filter(|&other| one.conflict(other));
        all.fold(0, |set, other| set | 1 << other as usize)
    })
});

/// What the dependency relation sees of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) obj: ObjId,
    pub(crate) kind: Kind,
    /// What it is to other objects, because its thread has yielded and had looked at them. See
    /// [`crate::spin`].
    pub(crate) also: Also,
}

impl Label {
    pub(crate) fn new(obj: ObjId, kind: Kind) -> Self {
        Label { obj, kind, also: &[] }
    }

    /// Whether the order of two operations of different threads can matter.
    pub(crate) fn dependent(self, other: Label) -> bool {
        if self.also.is_empty() && other.also.is_empty() {
            return self.obj == other.obj
                && self.obj != NO_OBJECT
                && !self.kind.commutes(other.kind);
        }
        self.uses().any(|(obj, class)| other.conflicts(obj, class))
    }

    /// What it is to each of its objects; one may come twice.
    pub(crate) fn uses(self) -> impl Iterator<Item = (ObjId, Class)> {
        let own = Some((self.obj, self.kind.class())).filter(|(obj, _)| *obj != NO_OBJECT);
        own.into_iter().chain(self.also.iter().copied())
    }

    /// The classes of operations on `obj` that it conflicts with, as a set of bits.
    #[inline]
    pub(crate) fn conflicting(&self, obj: ObjId) -> u16 {
        let own = if self.obj == obj { self.kind.class().conflicting() } else { 0 };
        let also = self.also.iter().filter(|(other, _)| *other == obj);
        also.fold(own, |all, (_, class)| all | class.conflicting())
    }

    /// Whether it conflicts with what is of this class on `obj`.
    #[inline]
    pub(crate) fn conflicts(&self, obj: ObjId, class: Class) -> bool {
        self.conflicting(obj) & 1 << class as usize != 0
    }
}

/// An operation that a thread is about to perform.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Op {
    pub(crate) obj: ObjId,
    pub(crate) kind: Kind,
    /// What a compare-exchange expects; whether a wait or a park may end without a notification.
    pub(crate) arg: u64,
    /// What an atomic operation synchronises.
    pub(crate) order: u8,
    /// What the operation is called, where its kind has several names.
    pub(crate) verb: Option<&'static str>,
    pub(crate) at: &'static Location<'static>,
}

/// A bit of `Op::order`.
pub(crate) const ACQUIRE: u8 = 1;
/// A bit of `Op::order`.
pub(crate) const RELEASE: u8 = 2;
/// A bit of `Op::order`: a compare-exchange acquires even if it fails.
pub(crate) const ACQUIRE_ON_FAILURE: u8 = 4;

impl Op {
    pub(crate) fn new(obj: ObjId, kind: Kind, at: &'static Location<'static>) -> Self {
        Op { obj, kind, arg: 0, order: ACQUIRE | RELEASE | ACQUIRE_ON_FAILURE, verb: None, at }
    }

    pub(crate) fn with_arg(self, arg: u64) -> Self {
        Op { arg, ..self }
    }

    pub(crate) fn with_verb(self, verb: &'static str) -> Self {
        Op { verb: Some(verb), ..self }
    }

    pub(crate) fn with_order(self, order: u8) -> Self {
        Op { order, ..self }
    }
}

/// One element of a wakeup sequence: whose turn it is, and what it will turn out to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transition {
    pub(crate) tid: Tid,
    pub(crate) label: Label,
}

/// The label that `kind` on `obj` has if it is performed with the object in the state that it had
/// before an event with this `pre`.
pub(crate) fn label_if(kind: Kind, obj: ObjId, arg: u64, pre: u64) -> Label {
    debug_assert!(obj != NO_OBJECT);
    match kind {
        Kind::CompareExchange if pre == arg => Label::new(obj, Kind::Rmw),
        Kind::CompareExchange => Label::new(obj, Kind::CompareExchangeFailed),
        Kind::NotifyOne | Kind::NotifyAll if pre == NOBODY => Label::new(obj, Kind::NotifyNobody),
        Kind::Enter if pre & DONE != 0 => Label::new(obj, Kind::FindDone),
        Kind::Send | Kind::TrySend if pre & GONE != 0 => Label::new(obj, Kind::SendInVain),
        kind => Label::new(obj, kind),
    }
}
