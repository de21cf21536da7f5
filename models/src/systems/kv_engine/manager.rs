//! BackfillManager: the queues of one connection's backfills, the bytes charged
//! to its buffer, and one run of its background task.
//!
//! One mutex guards the queues and the bytes. It is released while a backfill
//! runs. The producer's pointer owns the manager; the task has a weak reference,
//! which it promotes for one run, so either may be the last to drop the manager.
//! A backfill has a weak reference to its stream.
//!
//! Time is not modelled: there is no queue of snoozing backfills, and a task
//! that snoozes because memory is high answers so.

use super::counted::{Destroy, Strong, Weak};
use super::era::Variant;
use super::steps::{lock, named};
use super::stream::{is_gone, Received, Stream};
use super::world::{count, Crash, World};
use crate::sync::{note, Mutex};
use crate::Invariant;
use std::collections::VecDeque;
use std::sync::Arc;

pub(super) struct Manager {
    world: Arc<World>,
    queues: Mutex<Queues>,
}

#[derive(Default)]
struct Queues {
    /// Those without a slot of the bucket.
    pending: VecDeque<Backfill>,
    /// Those with a slot that never ran: they run first.
    initializing: VecDeque<Backfill>,
    /// Those that have run, and have more to read.
    active: VecDeque<Backfill>,
    last_id: u64,
    buffered: u64,
    full: bool,
}

struct Backfill {
    id: u64,
    stream: Weak<Stream>,
    next: u64,
    slot: bool,
}

/// The result of one run of the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing is queued.
    Idle,
    /// Memory is high: the queues were not read.
    Snoozed,
    /// The buffer was full: only the backfills of dead streams were dropped.
    Full,
    Ran,
}

/// What a manager holds at the end of an execution.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) queued: usize,
    pub(super) dead: usize,
    pub(super) slots: u64,
    pub(super) buffered: u64,
}

impl Queues {
    fn all(&mut self) -> [&mut VecDeque<Backfill>; 3] {
        [&mut self.pending, &mut self.initializing, &mut self.active]
    }

    /// Takes the backfills for which `gone` is true out of all queues.
    fn take_if(&mut self, gone: impl Fn(&Backfill) -> bool) -> Vec<Backfill> {
        let mut taken = Vec::new();
        for queue in self.all() {
            for backfill in std::mem::take(queue) {
                if gone(&backfill) {
                    taken.push(backfill);
                } else {
                    queue.push_back(backfill);
                }
            }
        }
        taken
    }
}

impl Manager {
    pub(super) fn new(world: &Arc<World>, name: &str) -> Strong<Manager> {
        count(&world.live.managers, 1);
        let queues = Mutex::new(Queues::default());
        named!(queues, "{name}'s manager mutex");
        Strong::new(&format!("{name}'s manager"), Manager { world: Arc::clone(world), queues })
    }

    /// Queues a backfill, and returns its id.
    pub(super) fn schedule(&self, stream: Weak<Stream>) -> u64 {
        let mut queues = lock(&self.queues);
        queues.last_id += 1;
        let (id, slot) = (queues.last_id, self.world.take_slot());
        let backfill = Backfill { id, stream, next: 1, slot };
        if slot {
            queues.initializing.push_back(backfill);
        } else {
            queues.pending.push_back(backfill);
        }
        id
    }

    /// Since MB-57772: takes a backfill out of its queue. A running backfill is in
    /// no queue.
    pub(super) fn erase(&self, id: u64) {
        let mut queues = lock(&self.queues);
        let erased = queues.take_if(|backfill| backfill.id == id);
        self.cancel(erased);
    }

    fn cancel(&self, backfills: Vec<Backfill>) {
        self.world.give_slots(backfills.iter().filter(|backfill| backfill.slot).count() as u64);
    }

    /// Charges an item that was read. Returns whether the backfill goes on.
    pub(super) fn bytes_read(&self, bytes: u64) -> bool {
        let mut queues = lock(&self.queues);
        let held = queues.buffered > 0;
        queues.buffered += bytes;
        let limit = self.world.settings.buffer;
        queues.full |= held && queues.buffered >= limit;
        !queues.full
    }

    /// Refunds bytes that were sent or dropped.
    pub(super) fn bytes_sent(&self, bytes: u64) {
        let mut queues = lock(&self.queues);
        let Some(left) = queues.buffered.checked_sub(bytes) else {
            let detail = format!("bytes sent: {bytes}, charged: {}", queues.buffered);
            return self.world.log.violated(Invariant::BytesBalance, detail);
        };
        queues.buffered = left;
        // The buffer takes backfills again when a quarter of it is free.
        if left == 0 || left <= self.world.settings.buffer / 4 * 3 {
            queues.full = false;
        }
    }

    /// One run of the task.
    pub(super) fn run(&self) -> Result<Turn, Crash> {
        // MB-14205, MB-57772: before any queue is read.
        if self.world.settings.memory_high {
            return Ok(Turn::Snoozed);
        }
        let mut backfill = {
            let mut queues = lock(&self.queues);
            while !queues.pending.is_empty() && self.world.take_slot() {
                let mut backfill = queues.pending.pop_front().expect("it is not empty");
                backfill.slot = true;
                queues.initializing.push_back(backfill);
            }
            if queues.full {
                let dead = queues.take_if(|backfill| is_gone(&backfill.stream));
                drop(queues);
                self.cancel(dead);
                return Ok(Turn::Full);
            }
            let first = queues.initializing.pop_front();
            match first.or_else(|| queues.active.pop_front()) {
                Some(backfill) => backfill,
                None => return Ok(Turn::Idle),
            }
        };
        if self.scan(&mut backfill)? {
            lock(&self.queues).active.push_back(backfill);
        } else {
            self.cancel(vec![backfill]);
        }
        Ok(Turn::Ran)
    }

    /// Runs a backfill, unlocked. Returns whether it has more to read.
    fn scan(&self, backfill: &mut Backfill) -> Result<bool, Crash> {
        let Some(stream) = backfill.stream.promote() else { return Ok(false) };
        note(|| format!("runs the backfill of vb {}", stream.vb));
        for _ in 0..self.world.settings.scan {
            if backfill.next > self.world.settings.items {
                stream.complete_backfill();
                return Ok(false);
            }
            match stream.backfill_received(backfill.next)? {
                Received::Stop => return Ok(false),
                Received::GoOn => backfill.next += 1,
                Received::BufferFull => {
                    backfill.next += 1;
                    return Ok(true);
                }
            }
        }
        Ok(true)
    }

    /// The statistics read the queues.
    pub(super) fn look(&self) {
        let _queues = lock(&self.queues);
    }

    /// At the end of an execution, when no call races any more.
    pub(super) fn held(&self) -> Held {
        let mut queues = lock(&self.queues);
        let buffered = queues.buffered;
        let mut held = Held { buffered, ..Held::default() };
        for backfill in queues.all().into_iter().flatten() {
            held.queued += 1;
            held.slots += u64::from(backfill.slot);
            held.dead += usize::from(is_gone(&backfill.stream));
        }
        held
    }
}

impl Destroy for Manager {
    /// Returns the slots of the backfills (MB-40052: but for those of one queue).
    /// The lock is the model's: the original's destructor takes none, and only a
    /// thread that follows a freed pointer could observe the lock.
    fn destroy(&self) {
        note(|| "the manager's last reference is gone".to_owned());
        count(&self.world.live.managers, -1);
        if self.world.crashed() {
            return;
        }
        let queues = lock(&self.queues);
        let mut slots = queues.initializing.len();
        if !self.world.protocol.revives(Variant::Mb40052) {
            slots += queues.active.len();
        }
        drop(queues);
        self.world.give_slots(slots as u64);
    }
}
