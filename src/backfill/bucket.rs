//! What the backfill managers of a map share, under one lock (`Rank::Bucket`):
//! whose turn comes next, and the slots for backfills in progress.
//!
//! It knows connections by weak handles only, each at most once in each
//! queue, and a connection that closes takes itself out of all of them.
//! Its lock is the last in the order and is held for a few steps of
//! bookkeeping, mostly inside a connection's lock, so that what a manager has
//! and what the bucket believes it has never differ.
//!
//! **Slots.** A manager that finds no slot waits in line. While anybody waits,
//! only the first in line may take one, so nobody is overtaken for ever: each
//! freed slot gives the first a turn, and it takes one slot and goes to the
//! back of the line if it wants more. A manager that is running keeps its
//! place and is passed over meanwhile: its scan may block, and it has at least
//! the slot that it runs on. It asks again when its turn ends.
//!
//! **Turns.** `ready` has the managers that can run, `resting` those that can
//! at a known time, `running` those that a worker has at this moment. A
//! manager in `running` is never put into `ready`: when its turn ends it says
//! itself, under its own lock, whether it wants another. Either a change comes
//! before that moment, and the manager sees it; or it comes after, and finds
//! the manager no longer running.

use crate::connection::Connection;
use crate::sync::{Condvar, Mutex, MutexGuard, Rank, Strong, Weak};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Bucket {
    state: Mutex<State>,
    /// Signalled when `ready` grows, `resting` changes or `stopped` is set.
    work: Condvar,
}

#[derive(Debug)]
struct State {
    stopped: bool,
    ready: VecDeque<Weak<Connection>>,
    resting: Vec<(Instant, Weak<Connection>)>,
    running: Vec<Weak<Connection>>,
    slots_free: usize,
    /// Who waits for a slot, first come first served.
    waiting: VecDeque<Weak<Connection>>,
    /// Threads in [`Bucket::wait`].
    sleepers: usize,
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
pub(crate) struct Locked<'a> {
    state: MutexGuard<'a, State>,
    work: &'a Condvar,
}

impl State {
    fn is_running(&self, connection: &Weak<Connection>) -> bool {
        self.running.iter().any(|other| other.ptr_eq(connection))
    }

    /// Who may take the next slot: the first in line that is not running, or
    /// is `asking` now.
    fn first_waiter(&self, asking: Option<&Weak<Connection>>) -> Option<&Weak<Connection>> {
        let asks = |other: &Weak<Connection>| asking.is_some_and(|asking| asking.ptr_eq(other));
        self.waiting.iter().find(|other| asks(other) || !self.is_running(other))
    }
}

impl Bucket {
    pub(crate) fn new(slots: usize) -> Self {
        let state = State {
            stopped: false,
            ready: VecDeque::new(),
            resting: Vec::new(),
            running: Vec::new(),
            slots_free: slots,
            waiting: VecDeque::new(),
            sleepers: 0,
        };
        Bucket { state: Mutex::new(Rank::Bucket, state), work: Condvar::new() }
    }

    #[track_caller]
    pub(crate) fn lock(&self) -> Locked<'_> {
        Locked { state: self.state.lock(), work: &self.work }
    }

    /// Gives a turn to a worker; it owes an [`Locked::end_turn`].
    pub(crate) fn take(&self, now: Instant) -> Option<Strong<Connection>> {
        let mut state = self.state.lock();
        let State { ready, resting, running, .. } = &mut *state;
        resting.retain(|(at, connection)| {
            let rests = *at > now;
            if !rests {
                ready.push_back(Weak::clone(connection));
            }
            rests
        });
        // A connection closes before it is dropped, and takes itself out of
        // `ready` when it does; only a map that is dropped without a shutdown
        // leaves handles that lead nowhere.
        while let Some(handle) = ready.pop_front() {
            if let Some(connection) = handle.upgrade() {
                running.push(handle);
                // Several may have become due at once, of which nobody was told.
                if !ready.is_empty() && state.sleepers > 0 {
                    self.work.notify_one();
                }
                return Some(connection);
            }
        }
        None
    }

    /// Blocks until a manager is ready or the bucket is stopped; or until a
    /// resting one is due, as seen from `now`; or for no reason. False: stopped.
    pub(crate) fn wait(&self, now: Instant) -> bool {
        let mut state = self.state.lock();
        while !state.stopped && state.ready.is_empty() {
            let due = state.resting.iter().map(|(at, _)| *at).min();
            let timeout = due.map(|due| due.saturating_duration_since(now));
            if timeout == Some(Duration::ZERO) {
                break;
            }
            state.sleepers += 1;
            state = self.work.wait(state, timeout);
            state.sleepers -= 1;
            // To count on from here would need a clock, and the caller has it.
            if timeout.is_some() {
                break;
            }
        }
        !state.stopped
    }

    /// Ends every present and future [`Bucket::wait`].
    pub(crate) fn stop(&self) {
        self.state.lock().stopped = true;
        self.work.notify_all();
    }
}

impl Locked<'_> {
    /// Takes a slot, unless there is none or somebody was first; then `me`
    /// waits in line.
    pub(crate) fn take_slot(&mut self, me: &Weak<Connection>) -> bool {
        let first = self.state.first_waiter(Some(me)).is_none_or(|first| first.ptr_eq(me));
        if self.state.slots_free == 0 || !first {
            if !contains(&self.state.waiting, me) {
                self.state.waiting.push_back(Weak::clone(me));
            }
            return false;
        }
        self.state.slots_free -= 1;
        self.state.waiting.retain(|other| !other.ptr_eq(me));
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

    fn call_first_waiter(&mut self) {
        if self.state.slots_free > 0 {
            if let Some(first) = self.state.first_waiter(None).cloned() {
                self.make_ready(&first);
            }
        }
    }

    /// `me` can run. When it is running already, it sees to that itself.
    pub(crate) fn make_ready(&mut self, me: &Weak<Connection>) {
        let state = &mut *self.state;
        if contains(&state.ready, me) || state.is_running(me) {
            return;
        }
        state.resting.retain(|(_, other)| !other.ptr_eq(me));
        state.ready.push_back(Weak::clone(me));
        if state.sleepers > 0 {
            self.work.notify_one();
        }
    }

    /// The turn of `me` is over.
    pub(crate) fn end_turn(&mut self, me: &Weak<Connection>, next: Turn) {
        self.state.running.retain(|other| !other.ptr_eq(me));
        match next {
            Turn::Now => self.make_ready(me),
            Turn::At(time) => self.make_ready_at(me, time),
            Turn::Never => {}
        }
    }

    /// `me` can run, but not before `time`.
    pub(crate) fn make_ready_at(&mut self, me: &Weak<Connection>, time: Instant) {
        let state = &mut *self.state;
        if contains(&state.ready, me) || state.is_running(me) {
            return;
        }
        state.resting.retain(|(_, other)| !other.ptr_eq(me));
        state.resting.push((time, Weak::clone(me)));
        // A sleeper may have gone to sleep for longer than that.
        if state.sleepers > 0 {
            self.work.notify_one();
        }
    }

    /// `me` no longer wants a slot: it has nothing pending.
    pub(crate) fn leave_line(&mut self, me: &Weak<Connection>) {
        self.state.waiting.retain(|other| !other.ptr_eq(me));
        self.call_first_waiter();
    }

    /// `me` is closed: it leaves every queue and gives back `slots`. Its
    /// running backfill, if it has one, gives its own slot back.
    pub(crate) fn forget(&mut self, me: &Weak<Connection>, slots: usize) {
        let state = &mut *self.state;
        state.ready.retain(|other| !other.ptr_eq(me));
        state.resting.retain(|(_, other)| !other.ptr_eq(me));
        state.waiting.retain(|other| !other.ptr_eq(me));
        state.slots_free += slots;
        self.call_first_waiter();
    }

    pub(crate) fn slots_free(&self) -> usize {
        self.state.slots_free
    }

    /// Connections in any queue, and those that wait for a slot.
    pub(crate) fn queued(&self) -> usize {
        let state = &*self.state;
        state.ready.len() + state.resting.len() + state.waiting.len()
    }
}

fn contains(queue: &VecDeque<Weak<Connection>>, me: &Weak<Connection>) -> bool {
    queue.iter().any(|other| other.ptr_eq(me))
}
