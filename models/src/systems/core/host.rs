//! The host of the core, in the models: a source that is a function of what it
//! is asked, front ends that count their wakes, and locks of the host's own.

use crate::log::Log;
use crate::sync::{Mutex, RwLock};
use connmap::{Item, ItemSource, Memory, Scan, Scanned, Seqno, SeqnoRange, SourceError, VbId};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

/// Items 1 to `items` of every vb are on disk, and whatever was notified is in
/// memory. It changes nothing and remembers nothing, so no ordering of its
/// calls is hidden from the explorer.
pub(super) struct Source {
    pub(super) items: Seqno,
    pub(super) in_memory: bool,
    pub(super) fail: u64,
}

struct DiskScan {
    next: Seqno,
    end: Seqno,
    fail: u64,
}

fn item(seqno: Seqno) -> Item {
    Item { seqno, payload: Box::new([0]) }
}

impl ItemSource for Source {
    fn open_scan(&self, _: VbId, range: SeqnoRange) -> Result<Box<dyn Scan>, SourceError> {
        let end = self.items.min(range.upto);
        Ok(Box::new(DiskScan { next: range.after + 1, end, fail: self.fail }))
    }

    fn read_memory(&self, _: VbId, range: SeqnoRange) -> Result<Memory, SourceError> {
        // The last one is enough: a snapshot may skip seqnos.
        Ok(if self.in_memory { Memory::Items(vec![item(range.upto)]) } else { Memory::Gone })
    }
}

impl Scan for DiskScan {
    fn snapshot_end(&self) -> Seqno {
        self.end
    }

    fn next(&mut self) -> Result<Scanned, SourceError> {
        match self.fail {
            1 => return Err("the scan fails".into()),
            // Silent: the hook would print it in each of many executions.
            2 => std::panic::resume_unwind(Box::new("the scan panics")),
            _ => {}
        }
        if self.next > self.end {
            return Ok(Scanned::End);
        }
        self.next += 1;
        Ok(Scanned::Item(item(self.next - 1)))
    }
}

/// The lock that kv_engine's front ends hold when they run, and the vb state
/// lock that is held for reading around a StreamRequest and for writing when
/// a vb changes its state.
#[derive(Default)]
pub(super) struct HostLocks {
    state: RwLock<()>,
    front_end: Mutex<()>,
}

impl HostLocks {
    pub(super) fn reading<T>(&self, call: impl FnOnce() -> T) -> T {
        let _state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        call()
    }

    pub(super) fn writing<T>(&self, call: impl FnOnce() -> T) -> T {
        let _state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        call()
    }
}

/// A front end, as far as sleeping and waking go.
pub(super) struct FrontEnd {
    locks: Option<Arc<HostLocks>>,
    log: Arc<Log>,
    /// When the last call that sent it to sleep began, and when it was last woken.
    slept: AtomicU64,
    woken: AtomicU64,
}

impl FrontEnd {
    pub(super) fn new(locks: Option<Arc<HostLocks>>, log: Arc<Log>) -> Self {
        FrontEnd { locks, log, slept: AtomicU64::new(0), woken: AtomicU64::new(0) }
    }

    /// A call that began at `since` found nothing to send.
    pub(super) fn sleeps(&self, since: u64) {
        self.slept.fetch_max(since, Ordering::Relaxed);
    }

    /// A call found something to send: whoever made it steps on.
    pub(super) fn steps_on(&self, now: u64) {
        self.woken.fetch_max(now, Ordering::Relaxed);
    }

    /// Whether it went to sleep and was not woken since.
    pub(super) fn asleep(&self) -> bool {
        self.slept.load(Ordering::Relaxed) > self.woken.load(Ordering::Relaxed)
    }
}

impl connmap::FrontEnd for FrontEnd {
    fn wake(&self) {
        if let Some(locks) = &self.locks {
            let _front_end = locks.front_end.lock().unwrap_or_else(PoisonError::into_inner);
            locks.reading(|| ());
        }
        self.woken.fetch_max(self.log.now(), Ordering::Relaxed);
    }
}
