//! The BackfillManager of one connection: its backfills in their queues, and
//! the bytes read ahead of the client.
//!
//! A plain value, guarded by the connection's lock (`Rank::Connection`). It
//! goes away with the connection's open state, in the critical section that
//! closes the connection: nobody can be left with a manager that is gone
//! (MB-37702), because nobody has one who does not hold that lock.
//!
//! ```text
//!             slot         first run          scan says later
//!   pending ------> initializing ----> active ----------------> snoozing
//!                                      |  ^  ^                    |
//!                              one run +--+  +--------------------+
//!                                                  snooze over
//! ```
//! A backfill in `pending` has no slot; every other has one. One backfill runs
//! at a time, and is in no queue meanwhile. Its stream's death takes a queued
//! backfill out at once; a running one is given up by its worker at the next
//! item.

use super::bucket::{Locked, Turn};
use super::Backfill;
use crate::connection::Connection;
use crate::live::Token;
use crate::stream::StreamId;
use crate::sync::Weak;
use crate::{BackfillOrder, Config};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

#[derive(Debug)]
pub(crate) struct BackfillManager {
    config: Arc<Config>,
    pending: VecDeque<Backfill>,
    initializing: VecDeque<Backfill>,
    active: VecDeque<Backfill>,
    snoozing: VecDeque<(Instant, Backfill)>,
    running: Option<Running>,
    buffer: ReadAhead,
    _live: Token,
}

/// Which run of its backfill this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Running {
    First,
    Another,
}

/// Bytes that were read and not yet sent.
#[derive(Debug, Default)]
struct ReadAhead {
    bytes: u64,
    full: bool,
}

/// What a run says about its backfill.
#[derive(Debug)]
pub(crate) enum Ran {
    /// There is more to read.
    More(Backfill),
    /// There is nothing to read before this time.
    Snooze(Instant, Backfill),
    /// It is finished, failed, or its stream is gone.
    Over,
}

impl BackfillManager {
    pub(crate) fn new(config: Arc<Config>, live: Token) -> Self {
        BackfillManager {
            config,
            pending: VecDeque::new(),
            initializing: VecDeque::new(),
            active: VecDeque::new(),
            snoozing: VecDeque::new(),
            running: None,
            buffer: ReadAhead::default(),
            _live: live,
        }
    }

    /// Backfills that hold a slot.
    pub(crate) fn in_progress(&self) -> usize {
        self.slots_queued() + usize::from(self.running.is_some())
    }

    /// Backfills that hold a slot and are not running.
    pub(crate) fn slots_queued(&self) -> usize {
        self.initializing.len() + self.active.len() + self.snoozing.len()
    }

    pub(crate) fn pending(&self) -> usize {
        self.pending.len()
    }

    pub(crate) fn buffered_bytes(&self) -> u64 {
        self.buffer.bytes
    }

    /// Queues a new backfill.
    pub(crate) fn schedule(
        &mut self,
        backfill: Backfill,
        me: &Weak<Connection>,
        bucket: &mut Locked<'_>,
    ) {
        self.pending.push_back(backfill);
        self.promote(me, bucket);
        self.ask_for_turn(me, bucket);
    }

    /// Gives slots to pending backfills while there are any.
    fn promote(&mut self, me: &Weak<Connection>, bucket: &mut Locked<'_>) {
        while !self.pending.is_empty()
            && self.in_progress() < self.config.backfills_per_connection
            && bucket.take_slot(me)
        {
            self.initializing.extend(self.pending.pop_front());
        }
    }

    fn can_run(&self) -> bool {
        let queued = !self.initializing.is_empty() || !self.active.is_empty();
        queued && !self.buffer.full
    }

    fn ask_for_turn(&self, me: &Weak<Connection>, bucket: &mut Locked<'_>) {
        if self.can_run() {
            bucket.make_ready(me);
        }
    }

    /// Begins a turn: the backfill to run, or when to ask again.
    pub(crate) fn begin_run(
        &mut self,
        now: Instant,
        memory_high: bool,
        me: &Weak<Connection>,
        bucket: &mut Locked<'_>,
    ) -> Result<Backfill, Turn> {
        if memory_high {
            return Err(Turn::At(self.config.snooze_from(now)));
        }
        self.promote(me, bucket);
        let (due, snoozing): (VecDeque<_>, VecDeque<_>) =
            self.snoozing.drain(..).partition(|(at, _)| *at <= now);
        self.snoozing = snoozing;
        self.active.extend(due.into_iter().map(|(_, backfill)| backfill));
        if self.buffer.full {
            return Err(Turn::Never);
        }
        let first = self.initializing.pop_front().map(|backfill| (Running::First, backfill));
        let next = || self.active.pop_front().map(|backfill| (Running::Another, backfill));
        let (running, backfill) = first.or_else(next).ok_or_else(|| self.next_turn())?;
        self.running = Some(running);
        Ok(backfill)
    }

    /// Puts a backfill back where its run says; the manager's next turn.
    pub(crate) fn end_run(
        &mut self,
        ran: Ran,
        me: &Weak<Connection>,
        bucket: &mut Locked<'_>,
    ) -> Turn {
        let running = self.running.take();
        match ran {
            Ran::More(backfill) => match (self.config.order, running) {
                // Only the one that had its turn before this run goes on with
                // it: a new one has opened its scan, and waits in line.
                (BackfillOrder::Sequential, Some(Running::Another)) => {
                    self.active.push_front(backfill);
                }
                _ => self.active.push_back(backfill),
            },
            Ran::Snooze(until, backfill) => self.snoozing.push_back((until, backfill)),
            Ran::Over => bucket.return_slots(1),
        }
        self.promote(me, bucket);
        self.next_turn()
    }

    fn next_turn(&self) -> Turn {
        if self.can_run() {
            Turn::Now
        } else if self.buffer.full {
            Turn::Never
        } else {
            self.snoozing.iter().map(|(at, _)| *at).min().map_or(Turn::Never, Turn::At)
        }
    }

    /// The stream died: its backfill leaves the queues and gives its slot
    /// back. Its bytes are refunded apart, by [`Self::refund`].
    pub(crate) fn cancel(
        &mut self,
        stream: StreamId,
        me: &Weak<Connection>,
        bucket: &mut Locked<'_>,
    ) -> Option<Backfill> {
        if let Some(at) = self.pending.iter().position(|backfill| backfill.stream == stream) {
            let backfill = self.pending.remove(at);
            if self.pending.is_empty() {
                bucket.leave_line(me);
            }
            return backfill;
        }
        let mut cancelled = None;
        for queue in [&mut self.initializing, &mut self.active] {
            if let Some(at) = queue.iter().position(|backfill| backfill.stream == stream) {
                cancelled = queue.remove(at);
            }
        }
        if let Some(at) = self.snoozing.iter().position(|(_, b)| b.stream == stream) {
            cancelled = self.snoozing.remove(at).map(|(_, backfill)| backfill);
        }
        if cancelled.is_some() {
            bucket.return_slots(1);
            self.promote(me, bucket);
            self.ask_for_turn(me, bucket);
        }
        cancelled
    }

    /// An item was read. False: the buffer is full, read no further.
    ///
    /// Full is what held something and has now reached its limit: so one item
    /// larger than the buffer passes.
    pub(crate) fn charge(&mut self, bytes: u64) -> bool {
        let held_something = self.buffer.bytes > 0;
        self.buffer.bytes += bytes;
        if held_something && self.buffer.bytes >= self.config.buffer_bytes {
            self.buffer.full = true;
        }
        !self.buffer.full
    }

    /// Bytes were sent, or their stream died. True: the buffer was full, has
    /// drained, and backfills can go on.
    pub(crate) fn refund(&mut self, bytes: u64) -> bool {
        debug_assert!(bytes <= self.buffer.bytes, "refunded more than was charged");
        self.buffer.bytes = self.buffer.bytes.saturating_sub(bytes);
        let drained = self.buffer.bytes == 0 || self.buffer.bytes <= self.config.resume_bytes();
        let resumes = self.buffer.full && drained;
        if resumes {
            self.buffer.full = false;
        }
        resumes
    }

    /// After a [`Self::refund`] that lets backfills go on.
    pub(crate) fn resume(&self, me: &Weak<Connection>, bucket: &mut Locked<'_>) {
        match self.next_turn() {
            Turn::Never => {}
            Turn::Now => bucket.make_ready(me),
            Turn::At(time) => bucket.make_ready_at(me, time),
        }
    }

    /// Every backfill in a queue, to be dropped after the lock.
    pub(crate) fn into_backfills(self) -> impl Iterator<Item = Backfill> {
        let snoozing = self.snoozing.into_iter().map(|(_, backfill)| backfill);
        self.pending.into_iter().chain(self.initializing).chain(self.active).chain(snoozing)
    }
}
