//! The objects that outlive every connection: the vBuckets, the bucket's backfill
//! slots, and the log of the execution.
//!
//! - a vb's *state lock* guards changes of its state; streamRequest reads the
//!   state and the failover table without it where the original does, so both
//!   are atomics
//! - the slots have a mutex of their own, a leaf
//!
//! A crash ends a call: it is recorded, and its thread performs no further step,
//! not even those of destructors. The other threads run on, for a thread learns
//! of the crash by no step of the model; what they do after it is not checked at
//! the end.

use super::era::Protocol;
use super::steps::{lock, named, Gate, StateLock};
use crate::log::Log;
use crate::scenario::Conn;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicU8, Ordering};
use crate::sync::{note, thread, Mutex};
use crate::Invariant;
use std::sync::atomic::{AtomicU64 as Plain, AtomicUsize as Counter, Ordering as Relaxed};
use std::sync::{Arc, PoisonError};

/// The error of a call that would have crashed the process.
#[derive(Debug)]
#[must_use]
pub(super) struct Crash(());

/// The states of a vBucket in this model.
pub(super) const DEAD: u8 = 0;
pub(super) const REPLICA: u8 = 1;
pub(super) const ACTIVE: u8 = 2;

/// One vBucket.
pub(super) struct VBucket {
    pub(super) state_lock: StateLock,
    pub(super) state: AtomicU8,
    /// Whether the map of vbs has it.
    pub(super) exists: AtomicBool,
    /// Entries of the failover table that no client of the scenario knows.
    pub(super) failover: AtomicU64,
    /// The last seqno.
    pub(super) high: AtomicU64,
}

impl VBucket {
    fn new(vb: usize, items: u64) -> Self {
        let new = VBucket {
            state_lock: StateLock::new(&format!("vb {vb} state lock")),
            state: AtomicU8::new(ACTIVE),
            exists: AtomicBool::new(true),
            failover: AtomicU64::new(0),
            high: AtomicU64::new(items),
        };
        named!(new.state, "vb {vb} state");
        named!(new.exists, "vb {vb} in the vb map");
        named!(new.failover, "vb {vb} failover table");
        named!(new.high, "vb {vb} high seqno");
        new
    }

    pub(super) fn is_dead(&self) -> bool {
        self.state.load(Ordering::Acquire) == DEAD
    }
}

/// Live objects. Plain counts: nothing reads them before the end.
#[derive(Debug, Default)]
pub(super) struct Live {
    pub(super) producers: Counter,
    pub(super) streams: Counter,
    pub(super) managers: Counter,
}

/// When a front end went to sleep, and when it was last woken.
#[derive(Debug, Default)]
pub(super) struct Sleep {
    slept: Plain,
    woken: Plain,
}

/// The settings of the scenario.
pub(super) struct Settings {
    pub(super) items: u64,
    pub(super) buffer: u64,
    pub(super) scan: u64,
    pub(super) slots: u64,
    pub(super) memory_high: bool,
    /// 1: requests wait until shutdown is where it flags; 2: shutdown waits
    /// until a request has scheduled its backfill; 3: requests wait until
    /// shutdown has ended the streams, and are answered before its reset.
    pub(super) order: u64,
    /// Whether a call of the scenario walks the vbs' lists of connections.
    pub(super) notified: bool,
}

/// The objects and settings that all others refer to.
pub(super) struct World {
    pub(super) protocol: Protocol,
    pub(super) settings: Settings,
    pub(super) vbuckets: Vec<VBucket>,
    pub(super) slots: Mutex<u64>,
    pub(super) log: Arc<Log>,
    pub(super) live: Live,
    pub(super) sleeps: Vec<Sleep>,
    pub(super) flagging: Gate,
    pub(super) scheduled: Gate,
    crashed: std::sync::Mutex<Vec<thread::ThreadId>>,
}

impl World {
    pub(super) fn new(
        protocol: Protocol,
        settings: Settings,
        vbs: usize,
        connections: usize,
        log: &Arc<Log>,
    ) -> Self {
        let slots = Mutex::new(settings.slots);
        named!(slots, "bucket's slots");
        World {
            protocol,
            vbuckets: (0..vbs).map(|vb| VBucket::new(vb, settings.items)).collect(),
            slots,
            settings,
            log: Arc::clone(log),
            live: Live::default(),
            sleeps: (0..connections).map(|_| Sleep::default()).collect(),
            flagging: Gate::new("the request may come"),
            scheduled: Gate::new("the shutdown may go on"),
            crashed: std::sync::Mutex::default(),
        }
    }

    /// Records a crash of this thread.
    pub(super) fn crash(&self, detail: &str) -> Crash {
        note(|| format!("CRASH: {detail}"));
        self.log.violated(Invariant::NoDangling, detail);
        self.crashed.lock().unwrap_or_else(PoisonError::into_inner).push(thread::current().id());
        Crash(())
    }

    /// Whether this thread has crashed.
    pub(super) fn crashed(&self) -> bool {
        let crashed = self.crashed.lock().unwrap_or_else(PoisonError::into_inner);
        !crashed.is_empty() && crashed.contains(&thread::current().id())
    }

    /// Whether any thread has crashed: for the end of the execution only.
    pub(super) fn anyone_crashed(&self) -> bool {
        !self.crashed.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Records a data race.
    pub(super) fn raced(&self, detail: &str) {
        note(|| format!("DATA RACE: {detail}"));
        self.log.violated(Invariant::NoDataRace, detail);
    }

    pub(super) fn take_slot(&self) -> bool {
        let mut free = lock(&self.slots);
        let taken = *free > 0;
        *free -= u64::from(taken);
        taken
    }

    pub(super) fn give_slots(&self, slots: u64) {
        if slots > 0 {
            *lock(&self.slots) += slots;
        }
    }

    /// A call of a front end, which began at `since`, found nothing to send.
    pub(super) fn sleeps(&self, conn: Conn, since: u64) {
        self.sleeps[conn.0].slept.fetch_max(since, Relaxed::Relaxed);
    }

    /// Wakes a front end.
    pub(super) fn wake(&self, conn: Conn) {
        self.sleeps[conn.0].woken.fetch_max(self.log.now(), Relaxed::Relaxed);
    }

    pub(super) fn asleep(&self, conn: Conn) -> bool {
        let Sleep { slept, woken } = &self.sleeps[conn.0];
        slept.load(Relaxed::Relaxed) > woken.load(Relaxed::Relaxed)
    }
}

/// Changes a count of live objects.
pub(super) fn count(live: &Counter, by: isize) {
    live.fetch_add(by as usize, Relaxed::Relaxed);
}
