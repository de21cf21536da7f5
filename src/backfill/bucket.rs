//! What the backfill managers of a map share, under one lock (`Rank::Bucket`):
//! their turns, and the slots for backfills in progress.
//!
//! The bucket has weak handles of connections only (rule 6), one for each
//! [`Seat`]: a connection takes a seat with its first backfill, and leaves it when
//! it closes. The bucket's lock is a leaf and is held for a few steps of
//! bookkeeping, mostly inside a connection's lock, so that a manager's slots are
//! always the same to the manager and to the bucket. Every method is O(1), or
//! O(log n) in the connections that rest or wait.
//!
//! **Slots.** A turn takes a slot for the backfill that it runs, if that is new.
//! A manager that finds none waits in line. While anybody waits, only the first
//! in line may take one, so nobody is overtaken for ever: each freed slot gives
//! the first a turn, in which it takes one slot; if it wants more it looks in
//! its next turn, behind all who wait. A manager that is running keeps its
//! place and is passed over meanwhile: its scan may block, and what it runs has
//! a slot. When its turn ends, the first in line is called again.
//!
//! **Turns.** `ready` has the managers that can run, `resting` those that can run
//! at a known time, and a worker has each that is [`Whereabouts::Running`]. A
//! running manager is never put into `ready`: when its turn ends, its connection
//! says under its own lock when the next is wanted. Either a change comes before
//! that moment, and the connection sees it; or it comes after, and finds the
//! manager no longer running.

use crate::line::{Line, Link};
use crate::slab::Slab;
use crate::sync::{Condvar, Mutex, MutexGuard, Rank, Strong, Weak};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// In cache lines of its own: it lies among what every call reads.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Bucket<T> {
    state: Mutex<State<T>>,
    /// Signalled when `ready` grows, `resting` changes or `stopped` is set.
    work: Condvar,
}

/// The place of one connection in its bucket, until it is closed and has no turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seat(u32);

#[derive(Debug)]
struct State<T> {
    stopped: bool,
    members: Slab<Member<T>>,
    ready: Line,
    resting: BTreeSet<(Instant, u64, Seat)>,
    /// The managers that wait for a slot and are not running, by ticket: first come,
    /// first served.
    waiting: BTreeMap<u64, Seat>,
    /// The number of managers that wait for a slot and are running.
    passed_over: usize,
    /// The last ticket that was given: for `waiting`, and for managers that are due
    /// at the same time.
    next_ticket: u64,
    slots_free: usize,
    /// Threads in [`Bucket::wait`].
    sleepers: usize,
}

#[derive(Debug)]
struct Member<T> {
    connection: Weak<T>,
    whereabouts: Whereabouts,
    /// The manager's place in the line for slots, which it keeps while it runs.
    ticket: Option<u64>,
    /// Whether the connection has closed during a turn: the seat is left when the
    /// turn ends.
    left: bool,
    /// The manager's link in `ready`.
    ready: Link,
}

impl<T> AsMut<Link> for Member<T> {
    fn as_mut(&mut self) -> &mut Link {
        &mut self.ready
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whereabouts {
    /// The manager has nothing to run.
    Idle,
    Ready,
    Resting(Instant, u64),
    Running,
}

/// When a manager wants its next turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Now,
    At(Instant),
    /// Not until something changes.
    Never,
}

/// The bucket, locked.
#[derive(Debug)]
pub(crate) struct Locked<'a, T> {
    state: MutexGuard<'a, State<T>>,
    work: &'a Condvar,
}

impl<T> State<T> {
    /// The member of a seat that is taken.
    fn member(&mut self, seat: Seat) -> &mut Member<T> {
        self.members.get_mut(seat.0).expect("a seat has its member")
    }

    fn ticket(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }

    /// Takes a manager out of `ready` and `resting`.
    fn leave_turns(&mut self, seat: Seat) {
        match self.member(seat).whereabouts {
            Whereabouts::Ready => {
                self.ready.remove(&mut self.members, seat.0);
            }
            Whereabouts::Resting(at, ticket) => {
                self.resting.remove(&(at, ticket, seat));
            }
            Whereabouts::Idle | Whereabouts::Running => return,
        }
        self.member(seat).whereabouts = Whereabouts::Idle;
    }

    /// Takes a manager out of the line for slots. False: it was not in it.
    fn leave_line(&mut self, seat: Seat) -> bool {
        let member = self.member(seat);
        let running = member.whereabouts == Whereabouts::Running;
        match member.ticket.take() {
            None => return false,
            Some(_) if running => self.passed_over -= 1,
            Some(ticket) => drop(self.waiting.remove(&ticket)),
        }
        true
    }

    /// Begins a manager's turn: its place in the line for slots is passed over.
    fn run(&mut self, seat: Seat) {
        let member = self.member(seat);
        member.whereabouts = Whereabouts::Running;
        if let Some(ticket) = member.ticket {
            self.waiting.remove(&ticket);
            self.passed_over += 1;
        }
    }

    /// Ends a manager's turn: its place in the line for slots counts again.
    fn rest(&mut self, seat: Seat) {
        let member = self.member(seat);
        member.whereabouts = Whereabouts::Idle;
        if let Some(ticket) = member.ticket {
            self.waiting.insert(ticket, seat);
            self.passed_over -= 1;
        }
    }
}

impl<T> Bucket<T> {
    pub(crate) fn new(slots: usize) -> Self {
        let state = State {
            stopped: false,
            members: Slab::default(),
            ready: Line::default(),
            resting: BTreeSet::new(),
            waiting: BTreeMap::new(),
            passed_over: 0,
            next_ticket: 0,
            slots_free: slots,
            sleepers: 0,
        };
        Bucket { state: Mutex::new(Rank::Bucket, state), work: Condvar::new() }
    }

    #[track_caller]
    pub(crate) fn lock(&self) -> Locked<'_, T> {
        Locked { state: self.state.lock(), work: &self.work }
    }

    /// Gives the next turn to a worker, which must end it by [`Locked::end_turn`].
    pub(crate) fn take(&self, now: Instant) -> Option<(Seat, Strong<T>)> {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        while let Some((at, ticket, seat)) = state.resting.first().copied() {
            if at > now {
                break;
            }
            state.resting.remove(&(at, ticket, seat));
            state.member(seat).whereabouts = Whereabouts::Ready;
            state.ready.push_back(&mut state.members, seat.0);
        }
        while let Some(seat) = state.ready.pop_front(&mut state.members).map(Seat) {
            if let Some(connection) = state.member(seat).connection.upgrade() {
                state.run(seat);
                // Several may have become due at once, which woke no worker.
                if !state.ready.is_empty() && state.sleepers > 0 {
                    self.work.notify_one();
                }
                return Some((seat, connection));
            }
            // A connection closes before it is dropped, and leaves its seat
            // when it does; only a map that is dropped without a shutdown
            // leaves handles that lead nowhere.
            state.member(seat).whereabouts = Whereabouts::Idle;
        }
        None
    }

    /// Blocks until a manager is ready, until a resting one is due, counted from
    /// `now`, or until the bucket is stopped. May wake spuriously. False: stopped.
    pub(crate) fn wait(&self, now: Instant) -> bool {
        let mut state = self.state.lock();
        while !state.stopped && state.ready.is_empty() {
            let due = state.resting.first().map(|(at, ..)| *at);
            let timeout = due.map(|due| due.saturating_duration_since(now));
            if timeout == Some(Duration::ZERO) {
                break;
            }
            state.sleepers += 1;
            state = self.work.wait(state, timeout);
            state.sleepers -= 1;
            // To wait on for the rest of the time would take a clock: the caller's.
            if timeout.is_some() {
                break;
            }
        }
        !state.stopped
    }

    /// Seats that are taken.
    #[cfg(all(test, not(any(loom, shuttle))))]
    pub(crate) fn seats(&self) -> usize {
        self.state.lock().members.len()
    }

    /// Ends every present and future [`Bucket::wait`].
    pub(crate) fn stop(&self) {
        self.state.lock().stopped = true;
        self.work.notify_all();
    }
}

impl<T> Locked<'_, T> {
    /// A seat for a connection that has its first backfill.
    pub(crate) fn sit(&mut self, connection: &Weak<T>) -> Seat {
        let connection = Weak::clone(connection);
        let whereabouts = Whereabouts::Idle;
        Seat(self.state.members.insert(Member {
            connection,
            whereabouts,
            ticket: None,
            left: false,
            ready: Link::OUT,
        }))
    }

    /// Takes a slot, in a turn, unless there is none or somebody was first; then
    /// the manager waits in line.
    pub(crate) fn take_slot(&mut self, seat: Seat) -> bool {
        let state = &mut *self.state;
        let first = state.waiting.first_key_value().map(|(first, _)| *first);
        let ticket = state.member(seat).ticket;
        let overtakes = first.is_some_and(|first| ticket.is_none_or(|ticket| first < ticket));
        if state.slots_free == 0 || overtakes {
            if ticket.is_none() {
                let ticket = state.ticket();
                state.member(seat).ticket = Some(ticket);
                state.passed_over += 1;
            }
            return false;
        }
        state.slots_free -= 1;
        state.leave_line(seat);
        self.call_first_waiter();
        true
    }

    /// Gives slots back, and the first in line a turn to take one.
    pub(crate) fn return_slots(&mut self, slots: usize) {
        if slots > 0 {
            self.state.slots_free += slots;
            self.call_first_waiter();
        }
    }

    /// The first in line gets a turn, if there is a slot to take.
    pub(crate) fn call_first_waiter(&mut self) {
        if self.state.slots_free > 0 {
            if let Some((_, first)) = self.state.waiting.first_key_value() {
                let first = *first;
                self.make_ready(first);
            }
        }
    }

    /// Asks for a manager's next turn. Nothing changes for a manager that is ready,
    /// or that runs: the end of its turn asks again.
    pub(crate) fn ask(&mut self, seat: Seat, turn: Turn) {
        match turn {
            Turn::Now => self.make_ready(seat),
            Turn::At(time) => self.make_ready_at(seat, time),
            Turn::Never => {}
        }
    }

    fn make_ready(&mut self, seat: Seat) {
        let state = &mut *self.state;
        match state.member(seat).whereabouts {
            Whereabouts::Ready | Whereabouts::Running => return,
            Whereabouts::Idle | Whereabouts::Resting(..) => state.leave_turns(seat),
        }
        state.member(seat).whereabouts = Whereabouts::Ready;
        state.ready.push_back(&mut state.members, seat.0);
        self.call_sleeper();
    }

    fn make_ready_at(&mut self, seat: Seat, time: Instant) {
        let state = &mut *self.state;
        match state.member(seat).whereabouts {
            Whereabouts::Ready | Whereabouts::Running => return,
            Whereabouts::Idle | Whereabouts::Resting(..) => state.leave_turns(seat),
        }
        let ticket = state.ticket();
        state.member(seat).whereabouts = Whereabouts::Resting(time, ticket);
        state.resting.insert((time, ticket, seat));
        // A sleeper may have gone to sleep for longer than that.
        self.call_sleeper();
    }

    fn call_sleeper(&self) {
        if self.state.sleepers > 0 {
            self.work.notify_one();
        }
    }

    /// Ends a manager's turn, and asks for the next.
    pub(crate) fn end_turn(&mut self, seat: Seat, next: Turn) {
        self.state.rest(seat);
        if self.state.member(seat).left {
            self.state.members.remove(seat.0);
            return;
        }
        self.ask(seat, next);
    }

    /// The manager wants no slot any more.
    pub(crate) fn leave_line(&mut self, seat: Seat) {
        self.state.leave_line(seat);
        self.call_first_waiter();
    }

    /// A connection is closed: it leaves every queue and returns `slots`. Its
    /// running backfill, if it has one, returns its own slot.
    pub(crate) fn leave(&mut self, seat: Seat, slots: usize) {
        let state = &mut *self.state;
        state.leave_turns(seat);
        state.leave_line(seat);
        if state.member(seat).whereabouts == Whereabouts::Running {
            state.member(seat).left = true;
        } else {
            state.members.remove(seat.0);
        }
        state.slots_free += slots;
        self.call_first_waiter();
    }

    pub(crate) fn slots_free(&self) -> usize {
        self.state.slots_free
    }

    /// Entries in the queues, with those of connections that wait for a slot.
    pub(crate) fn queued(&self) -> usize {
        let state = &*self.state;
        state.ready.len() + state.resting.len() + state.waiting.len() + state.passed_over
    }
}
