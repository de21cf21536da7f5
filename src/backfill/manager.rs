//! The BackfillManager of one connection: its backfills in their queues, and
//! the bytes read ahead of the client.
//!
//! A plain value, guarded by the connection's lock (`Rank::Connection`), that
//! knows neither its connection nor the bucket: whoever changes it asks it
//! afterwards what it wants ([`BackfillManager::next_turn`]) and settles that
//! with the bucket. It goes
//! away with the connection's open state, in the critical section that closes
//! the connection: nobody can be left with a manager that is gone (MB-37702),
//! because nobody has one who does not hold that lock.
//!
//! A backfill goes from queue to queue:
//!
//! ```text
//! (new) -> running: its first run, with a slot
//! active -> running: another run
//! running -> active: there is more to read
//! running -> snoozing: the scan says later
//! snoozing -> active: the snooze is over
//! ```
//! From each of them it may also go for good: it was finished, it failed, or
//! its stream died. Each of them has a slot of the bucket's. What is to come and
//! has none is no backfill yet, but its stream's wish for one
//! ([`Streams`](crate::connection)). One backfill runs at a time. Its stream's
//! death takes a queued backfill out at once; a running one is given up by its
//! worker at the next item.
//!
//! A stream has at most one backfill in the queues, and its place in the
//! connection is what the queues have: every method is O(1), or O(log n) in
//! the backfills that snooze.

use super::bucket::Turn;
use super::Backfill;
use crate::line::{Line, Link, Links};
use crate::live::Token;
use crate::stream::StreamId;
use crate::{BackfillOrder, Config, Item};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

#[derive(Debug)]
pub(crate) struct BackfillManager {
    config: Arc<Config>,
    queued: Places,
    active: Line,
    snoozing: BTreeSet<(Instant, u64, u32)>,
    /// Tells snoozes that are over at the same time apart: first come, first served.
    next_snooze: u64,
    running: bool,
    /// Slots of backfills that are over: the bucket's.
    slots_over: usize,
    buffer: ReadAhead,
    _live: Token,
}

/// Those in a queue, by the place of their stream.
#[derive(Debug, Default)]
struct Places(Vec<Option<Queued>>);

#[derive(Debug)]
struct Queued {
    queue: Queue,
    /// Its place in one of the lines.
    link: Link,
}

/// Which queue a backfill is in.
#[derive(Debug)]
enum Queue {
    Active(Box<Backfill>),
    /// Until then, and in which order.
    Snoozing(Box<Backfill>, Instant, u64),
}

impl Places {
    fn get(&mut self, place: u32) -> &mut Queued {
        self.0[place as usize].as_mut().expect("who is in a queue is there")
    }

    fn put(&mut self, queue: Queue) -> u32 {
        let place = queue.backfill().stream.place;
        if self.0.len() <= place as usize {
            self.0.resize_with(place as usize + 1, || None);
        }
        self.0[place as usize] = Some(Queued { queue, link: Link::OUT });
        place
    }

    fn take(&mut self, place: u32) -> Option<Queue> {
        self.0.get_mut(place as usize)?.take().map(|queued| queued.queue)
    }
}

impl Queue {
    fn backfill(&self) -> &Backfill {
        match self {
            Queue::Active(backfill) | Queue::Snoozing(backfill, ..) => backfill,
        }
    }

    fn into_backfill(self) -> Box<Backfill> {
        match self {
            Queue::Active(backfill) | Queue::Snoozing(backfill, ..) => backfill,
        }
    }
}

impl Links for Places {
    fn link(&mut self, number: u32) -> &mut Link {
        &mut self.get(number).link
    }
}

/// The read-ahead buffer: bytes that were read and not yet sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadAhead {
    bytes: u64,
    /// At which it is full, and below which it takes backfills again.
    limit: u64,
    resume: u64,
    full: bool,
}

impl ReadAhead {
    pub(crate) fn new(limit: u64, resume: u64) -> Self {
        ReadAhead { bytes: 0, limit, resume, full: false }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// An item was read.
    ///
    /// Full is what held something and has now reached its limit: so one item
    /// larger than the buffer passes.
    pub(crate) fn charge(&mut self, bytes: u64) {
        let held_something = self.bytes > 0;
        self.bytes += bytes;
        if held_something && self.bytes >= self.limit {
            self.full = true;
        }
    }

    /// Bytes were sent, or their stream died. True: the buffer was full, has
    /// drained, and backfills can go on.
    fn refund(&mut self, bytes: u64) -> bool {
        debug_assert!(bytes <= self.bytes, "refunded more than was charged");
        self.bytes = self.bytes.saturating_sub(bytes);
        let drained = self.bytes == 0 || self.bytes <= self.resume;
        let resumes = self.full && drained;
        if resumes {
            self.full = false;
        }
        resumes
    }
}

impl BackfillManager {
    pub(crate) fn new(config: Arc<Config>, live: Token) -> Self {
        BackfillManager {
            buffer: ReadAhead::new(config.buffer_bytes, config.resume_bytes()),
            config,
            queued: Places::default(),
            active: Line::default(),
            snoozing: BTreeSet::new(),
            next_snooze: 0,
            running: false,
            slots_over: 0,
            _live: live,
        }
    }

    /// Backfills that hold a slot.
    pub(crate) fn in_progress(&self) -> usize {
        self.slots_queued() + usize::from(self.running)
    }

    /// Backfills that hold a slot and are not running.
    pub(crate) fn slots_queued(&self) -> usize {
        self.active.len() + self.snoozing.len()
    }

    pub(crate) fn buffered_bytes(&self) -> u64 {
        self.buffer.bytes
    }

    /// Whether another backfill, with a slot, could run now.
    pub(crate) fn has_room(&self) -> bool {
        self.in_progress() < self.config.backfills_per_connection && !self.buffer.is_full()
    }

    /// The slots that are the bucket's again.
    pub(crate) fn take_slots_over(&mut self) -> usize {
        std::mem::take(&mut self.slots_over)
    }

    /// When there is something to run.
    pub(crate) fn next_turn(&self) -> Turn {
        match self.snoozing.first() {
            _ if self.buffer.is_full() => Turn::Never,
            _ if !self.active.is_empty() => Turn::Now,
            Some((at, ..)) => Turn::At(*at),
            None => Turn::Never,
        }
    }

    /// When to ask again, while the host's memory is above its threshold.
    pub(crate) fn rest(&self, now: Instant) -> Turn {
        Turn::At(self.config.snooze_from(now))
    }

    /// The snoozes that are over by now.
    pub(crate) fn end_snoozes(&mut self, now: Instant) {
        while let Some((at, order, place)) = self.snoozing.first().copied() {
            if at > now {
                break;
            }
            self.snoozing.remove(&(at, order, place));
            if let Some(queue) = self.queued.take(place) {
                self.queued.put(Queue::Active(queue.into_backfill()));
                self.active.push_back(&mut self.queued, place);
            }
        }
    }

    /// A new backfill has its first run now, with a slot.
    pub(crate) fn begin(&mut self) {
        self.running = true;
    }

    /// The backfill that has another run now.
    pub(crate) fn go_on(&mut self) -> Option<Box<Backfill>> {
        if self.buffer.is_full() {
            return None;
        }
        let place = self.active.pop_front(&mut self.queued)?;
        let backfill = self.queued.take(place)?.into_backfill();
        self.running = true;
        Some(backfill)
    }

    /// Ends a run: there is more to read.
    pub(crate) fn run_on(&mut self, mut backfill: Box<Backfill>) {
        self.running = false;
        // Only the one that had its turn before this run goes on with it: a
        // new one has opened its scan, and waits in line.
        let had_run = std::mem::replace(&mut backfill.has_run, true);
        let next = self.config.order == BackfillOrder::Sequential && had_run;
        let place = self.queued.put(Queue::Active(backfill));
        if next {
            self.active.push_front(&mut self.queued, place);
        } else {
            self.active.push_back(&mut self.queued, place);
        }
    }

    /// Ends a run: there is nothing to read for the time of a snooze.
    pub(crate) fn snooze(&mut self, mut backfill: Box<Backfill>, now: Instant) {
        self.running = false;
        backfill.has_run = true;
        let (until, order) = (self.config.snooze_from(now), self.next_snooze);
        self.next_snooze += 1;
        let place = self.queued.put(Queue::Snoozing(backfill, until, order));
        self.snoozing.insert((until, order, place));
    }

    /// Ends a run: its backfill is finished, has failed, or has no stream.
    pub(crate) fn run_over(&mut self) {
        self.running = false;
        self.slots_over += 1;
    }

    /// The stream died: its backfill leaves the queues, and its slot is the
    /// bucket's. Its bytes are refunded apart, by [`Self::refund`].
    pub(crate) fn cancel(&mut self, stream: StreamId) -> Option<Box<Backfill>> {
        let place = stream.place;
        match &self.queued.0.get(place as usize)?.as_ref()?.queue {
            Queue::Active(_) => self.active.remove(&mut self.queued, place),
            Queue::Snoozing(_, at, order) => self.snoozing.remove(&(*at, *order, place)),
        };
        self.slots_over += 1;
        self.queued.take(place).map(Queue::into_backfill)
    }

    /// The buffer as it is now.
    pub(crate) fn buffer(&self) -> ReadAhead {
        self.buffer
    }

    /// Items were read.
    pub(crate) fn charge(&mut self, items: &[Item]) {
        items.iter().for_each(|item| self.buffer.charge(item.charge()));
    }

    /// Bytes were sent, or their stream died. True: backfills can go on.
    pub(crate) fn refund(&mut self, bytes: u64) -> bool {
        self.buffer.refund(bytes)
    }

    /// Every backfill in a queue, to be dropped after the lock.
    pub(crate) fn into_backfills(self) -> impl Iterator<Item = Backfill> {
        let queued = self.queued.0.into_iter().flatten();
        queued.map(|queued| *queued.queue.into_backfill())
    }
}
