//! The BackfillManager of one connection: its backfills in their queues, and
//! the bytes read ahead of the client.
//!
//! A plain value, guarded by the connection's lock (`Rank::Connection`). It knows
//! neither its connection nor the bucket: after each change the connection asks
//! for the next turn ([`BackfillManager::next_turn`]) and settles that with the
//! bucket. The manager goes away with the connection's open state, in the critical
//! section that closes the connection: no thread can be left with a manager that
//! is gone (MB-37702), because only a holder of that lock reaches one (rule 1).
//!
//! The states of a backfill (a test compares these lines with the code):
//!
//! ```text
//! (pending) -> running: it has a slot, and its first run
//! active -> running: another run
//! running -> active: there is more to read
//! running -> snoozing: the scan says later
//! snoozing -> active: the snooze is over
//! running -> (over): it is finished, has failed, or has no stream
//! active -> (over): its stream has died
//! snoozing -> (over): its stream has died
//! ```
//!
//! A backfill has a slot of the bucket's from its first run until it is over. A
//! pending one is not the manager's yet: it is its stream's wish for a backfill
//! ([`Streams`](crate::connection)). One backfill runs at a time. When its stream
//! dies, a queued backfill is over at once; a running one is given up by its worker
//! when that next takes the connection's lock (rule 7).
//!
//! A stream has at most one backfill at a time, and the queues refer to it by the
//! stream's place in the connection: every method is O(1), or O(log n) in the
//! backfills that snooze.

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
    /// The order of snoozes that are over at the same time: first come, first served.
    next_snooze: u64,
    running: bool,
    /// Slots of backfills that are over, to be returned to the bucket.
    slots_over: usize,
    buffer: ReadAhead,
    _live: Token,
}

/// The queued backfills, by the places of their streams.
#[derive(Debug, Default)]
struct Places(Vec<Option<Queued>>);

#[derive(Debug)]
struct Queued {
    queue: Queue,
    /// Its link in `active`.
    link: Link,
}

/// A backfill in its queue.
#[derive(Debug)]
enum Queue {
    Active(Box<Backfill>),
    /// With the end of the snooze, and its order among those of one time.
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
    /// The bytes at which the buffer is full.
    limit: u64,
    /// The bytes down to which a full buffer drains before backfills go on.
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

    /// Charges the bytes of an item that was read.
    ///
    /// The buffer is full when it reaches its limit, unless it was empty before: so
    /// one item larger than the buffer passes.
    pub(crate) fn charge(&mut self, bytes: u64) {
        let held_something = self.bytes > 0;
        self.bytes += bytes;
        if held_something && self.bytes >= self.limit {
            self.full = true;
        }
    }

    /// Refunds bytes that were sent, or whose stream died. True: the buffer was
    /// full, has drained, and backfills can go on.
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

    /// Takes the number of slots that are to be returned to the bucket.
    pub(crate) fn take_slots_over(&mut self) -> usize {
        std::mem::take(&mut self.slots_over)
    }

    /// When there is a backfill to run.
    pub(crate) fn next_turn(&self) -> Turn {
        match self.snoozing.first() {
            _ if self.buffer.is_full() => Turn::Never,
            _ if !self.active.is_empty() => Turn::Now,
            Some((at, ..)) => Turn::At(*at),
            None => Turn::Never,
        }
    }

    /// The next turn while the host's memory is above its threshold.
    pub(crate) fn rest(&self, now: Instant) -> Turn {
        Turn::At(self.config.snooze_from(now))
    }

    /// Ends the snoozes that are over by now.
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

    /// Begins the first run of a backfill, which has a slot now.
    pub(crate) fn begin(&mut self) {
        self.running = true;
    }

    /// Begins another run of the first active backfill; None: there is none.
    ///
    /// A turn begins with room in the buffer: only a run fills it, and the end of a
    /// turn that leaves it full asks for no other.
    pub(crate) fn go_on(&mut self) -> Option<Box<Backfill>> {
        debug_assert!(!self.buffer.is_full(), "a turn begins with a full buffer");
        let place = self.active.pop_front(&mut self.queued)?;
        let backfill = self.queued.take(place)?.into_backfill();
        self.running = true;
        Some(backfill)
    }

    /// Ends a run: there is more to read.
    pub(crate) fn run_on(&mut self, mut backfill: Box<Backfill>) {
        self.running = false;
        // Only a backfill that has run before stays the first: a new one has opened
        // its scan, and waits in line.
        let had_run = std::mem::replace(&mut backfill.has_run, true);
        let next = self.config.order == BackfillOrder::Sequential && had_run;
        let place = self.queued.put(Queue::Active(backfill));
        if next {
            self.active.push_front(&mut self.queued, place);
        } else {
            self.active.push_back(&mut self.queued, place);
        }
    }

    /// Ends a run: the scan has nothing to read for the time of a snooze.
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

    /// Ends the queued backfill of a stream that died; its slot is to be returned to
    /// the bucket. The stream's bytes are refunded apart, by [`Self::refund`].
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

    /// Charges the bytes of items that were read.
    pub(crate) fn charge(&mut self, items: &[Item]) {
        items.iter().for_each(|item| self.buffer.charge(item.charge()));
    }

    /// Refunds bytes that were sent, or whose stream died. True: the buffer was full,
    /// and backfills can go on.
    pub(crate) fn refund(&mut self, bytes: u64) -> bool {
        self.buffer.refund(bytes)
    }

    /// Every backfill in a queue, to be dropped after the lock.
    pub(crate) fn into_backfills(self) -> impl Iterator<Item = Backfill> {
        let queued = self.queued.0.into_iter().flatten();
        queued.map(|queued| *queued.queue.into_backfill())
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;
