//! ActiveStream.
//!
//! Owned by its container; a worker or a call in progress owns it, too. It has a
//! weak reference to its producer (before MB-26470, a strong one). `streamMutex`
//! guards everything in [`Inside`], and the writes of the state; the state is
//! read without it where the original asks "is it dead?". Under `streamMutex` the
//! manager is called through the producer's pointer: to schedule, to charge and
//! to refund.

use super::counted::{Destroy, Strong, Weak};
use super::era::{Era, Variant};
use super::producer::Producer;
use super::steps::{lock, named};
use super::world::{count, Crash, World};
use crate::scenario::CallId;
use crate::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use crate::sync::{note, Mutex};
use crate::systems::vocabulary;
use std::collections::VecDeque;
use std::sync::Arc;

const PENDING: u8 = 0;
const BACKFILLING: u8 = 1;
const IN_MEMORY: u8 = 2;
const DEAD: u8 = 3;

/// A stream's reference to its producer.
enum Up {
    Weak(std::sync::Weak<Producer>),
    /// MB-26470.
    Strong(Arc<Producer>),
}

pub(super) struct Stream {
    world: Arc<World>,
    producer: Up,
    pub(super) request: CallId,
    pub(super) vb: usize,
    end: u64,
    /// The length of the failover table against which the request was checked.
    pub(super) failover: u64,
    state: AtomicU8,
    /// Whether the front end was told of an item, and has not looked since.
    notified: AtomicBool,
    inside: Mutex<Inside>,
}

struct Inside {
    /// Items that were read from disk and not sent, of one byte each.
    queue: VecDeque<u64>,
    /// The bytes charged for `queue`.
    buffered: u64,
    sent: u64,
    /// Whether the backfill has more items to read.
    running: bool,
    /// The id of the stream's backfill, 0 for none (since MB-57772).
    backfill_id: u64,
}

/// What a worker does after it has handed an item over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Received {
    GoOn,
    BufferFull,
    /// The stream is not backfilling any more.
    Stop,
}

/// A message that the front end sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    Item(u64),
    End,
}

impl Stream {
    pub(super) fn new(
        world: &Arc<World>,
        producer: &Arc<Producer>,
        request: CallId,
        vb: usize,
        end: u64,
        failover: u64,
    ) -> Strong<Stream> {
        count(&world.live.streams, 1);
        let inside =
            Inside { queue: VecDeque::new(), buffered: 0, sent: 0, running: false, backfill_id: 0 };
        let stream = Stream {
            world: Arc::clone(world),
            producer: match world.protocol.revives(Variant::Mb26470) {
                true => Up::Strong(Arc::clone(producer)),
                false => Up::Weak(Arc::downgrade(producer)),
            },
            request,
            vb,
            end,
            failover,
            state: AtomicU8::new(PENDING),
            notified: AtomicBool::new(false),
            inside: Mutex::new(inside),
        };
        named!(stream.state, "stream {vb} state");
        named!(stream.notified, "stream {vb} notified");
        named!(stream.inside, "stream {vb} streamMutex");
        Strong::new(&format!("stream {vb}"), stream)
    }

    /// Never `None` during the race: the map or the list of dead connections owns
    /// each producer until after it.
    fn producer(&self) -> Option<Arc<Producer>> {
        match &self.producer {
            Up::Weak(producer) => producer.upgrade(),
            Up::Strong(producer) => Some(Arc::clone(producer)),
        }
    }

    pub(super) fn is_dead(&self) -> bool {
        self.state.load(Ordering::Acquire) == DEAD
    }

    fn to(&self, state: u8) {
        self.state.swap(state, Ordering::AcqRel);
    }

    /// Pending -> Backfilling: schedules a backfill through the producer's
    /// manager pointer. Since MB-69075 a null pointer schedules nothing, and
    /// the stream goes to Backfilling all the same.
    pub(super) fn set_active(&self, this: Weak<Stream>) -> Result<(), Crash> {
        let Some(producer) = self.producer() else { return Ok(()) };
        let mut inside = lock(&self.inside);
        let id = match producer.manager()? {
            Some(manager) => manager.with(&self.world, |manager| manager.schedule(this))?,
            None if self.world.protocol.since(Era::Mb69075) => 0,
            None => return Err(self.world.crash("schedule through the null manager pointer")),
        };
        if self.world.protocol.since(Era::Mb57772) {
            inside.backfill_id = id;
        }
        inside.running = true;
        self.to(BACKFILLING);
        note(|| format!("stream {}: Pending -> Backfilling, scheduled", self.vb));
        Ok(())
    }

    /// Ends the stream, once, and refunds its bytes if it was Backfilling. After
    /// that, the acks of sync replication (2019) take the vb state lock for
    /// reading, unless the caller says that it holds this lock.
    pub(super) fn set_dead(&self, status: &str, state_lock_held: bool) -> Result<(), Crash> {
        if !self.die()? {
            return Ok(());
        }
        vocabulary::stream_ended(&self.world.log, self.request, status);
        note(|| format!("stream {}: dead, {status}", self.vb));
        if self.world.protocol.since(Era::Mb32084) && !state_lock_held {
            let _acks = self.world.vbuckets[self.vb].state_lock.read();
        }
        Ok(())
    }

    /// Makes the stream Dead. Returns whether it was alive.
    fn die(&self) -> Result<bool, Crash> {
        let mut inside = lock(&self.inside);
        let was = self.state.load(Ordering::Acquire);
        if was == DEAD {
            return Ok(false);
        }
        self.to(DEAD);
        inside.queue.clear();
        if was == BACKFILLING {
            let refund = std::mem::take(&mut inside.buffered);
            if let Some(producer) = self.producer() {
                producer.bytes_sent(refund)?;
            }
        }
        Ok(true)
    }

    /// A worker hands an item over.
    pub(super) fn backfill_received(&self, seqno: u64) -> Result<Received, Crash> {
        let go_on = {
            let mut inside = lock(&self.inside);
            if self.state.load(Ordering::Acquire) != BACKFILLING {
                return Ok(Received::Stop);
            }
            let Some(producer) = self.producer() else { return Ok(Received::Stop) };
            let go_on = producer.bytes_read(1)?;
            inside.buffered += 1;
            inside.queue.push_back(seqno);
            go_on
        };
        self.notify();
        Ok(if go_on { Received::GoOn } else { Received::BufferFull })
    }

    /// A worker has read the last item.
    pub(super) fn complete_backfill(&self) {
        let early = self.world.protocol.revives(Variant::Mb37468);
        let told = early && self.notified.load(Ordering::Acquire);
        {
            let mut inside = lock(&self.inside);
            inside.running = false;
            inside.backfill_id = 0;
        }
        if !told {
            self.notify();
        }
    }

    /// Wakes the front end, unless the notified flag is set already.
    pub(super) fn notify(&self) {
        if !self.notified.swap(true, Ordering::AcqRel) {
            if let Some(producer) = self.producer() {
                self.world.wake(producer.conn);
            }
        }
    }

    /// The next message. The notified flag is cleared before the queue is read, so
    /// that a later item sets it again (MB-54591: it is cleared after the read).
    pub(super) fn next(&self) -> Result<Option<Message>, Crash> {
        let late = self.world.protocol.revives(Variant::Mb54591);
        if !late {
            self.notified.swap(false, Ordering::AcqRel);
        }
        let message = self.take()?;
        if message.is_some() != late {
            self.notified.swap(message.is_some(), Ordering::AcqRel);
        }
        Ok(message)
    }

    fn take(&self) -> Result<Option<Message>, Crash> {
        let mut inside = lock(&self.inside);
        if self.state.load(Ordering::Acquire) == BACKFILLING {
            if let Some(seqno) = inside.queue.pop_front() {
                inside.buffered -= 1;
                inside.sent = seqno;
                if let Some(producer) = self.producer() {
                    producer.bytes_sent(1)?;
                }
                return Ok(Some(Message::Item(seqno)));
            }
            if inside.running {
                return Ok(None);
            }
            self.to(IN_MEMORY);
        }
        if self.state.load(Ordering::Acquire) != IN_MEMORY {
            return Ok(None);
        }
        if inside.sent >= self.end {
            self.to(DEAD);
            vocabulary::stream_ended(&self.world.log, self.request, "ok");
            return Ok(Some(Message::End));
        }
        if inside.sent >= self.world.vbuckets[self.vb].high.load(Ordering::Acquire) {
            return Ok(None);
        }
        inside.sent += 1;
        Ok(Some(Message::Item(inside.sent)))
    }

    /// The client has acknowledged a seqno.
    pub(super) fn ack(&self) {
        let _inside = lock(&self.inside);
    }

    /// Takes the id of the stream's backfill.
    pub(super) fn take_backfill_id(&self) -> Option<u64> {
        let id = std::mem::take(&mut lock(&self.inside).backfill_id);
        (id != 0).then_some(id)
    }

    /// At the end of an execution: the bytes that the stream has charged.
    pub(super) fn buffered(&self) -> u64 {
        lock(&self.inside).buffered
    }

    /// At the end of an execution: whether a step would have an effect.
    pub(super) fn is_ready(&self) -> bool {
        let inside = lock(&self.inside);
        match self.state.load(Ordering::Acquire) {
            BACKFILLING => !inside.queue.is_empty() || !inside.running,
            IN_MEMORY => {
                let high = self.world.vbuckets[self.vb].high.load(Ordering::Acquire);
                inside.sent >= self.end || inside.sent < high
            }
            _ => false,
        }
    }
}

impl Destroy for Stream {
    /// Since MB-57772: if it still has its backfill's id and its producer is
    /// alive, `closeAllStreamsLock { manager's mutex { erase } }`.
    fn destroy(&self) {
        note(|| format!("stream {}: its last reference is gone", self.vb));
        count(&self.world.live.streams, -1);
        if self.world.crashed() || !self.world.protocol.since(Era::Mb57772) {
            return;
        }
        if let (Some(id), Some(producer)) = (self.take_backfill_id(), self.producer()) {
            note(|| format!("stream {}: destructor erases its backfill", self.vb));
            producer.remove_backfill(id);
        }
    }
}

/// Whether the stream of a backfill is dead or destroyed.
pub(super) fn is_gone(stream: &Weak<Stream>) -> bool {
    // Promoted and dropped at once, under the manager's mutex.
    stream.promote().is_none_or(|stream| stream.is_dead())
}
