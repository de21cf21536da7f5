//! The host of the core, in the models: a source whose answers are functions of
//! their arguments, front ends that count their wake-ups, and the host's own locks.
//!
//! The host fails as the scenario's settings say. What it records is for the
//! checks: no answer to the core depends on it, except on the clock and the
//! memory in use, which are the engine's atomics.

use crate::log::Log;
use crate::scenario::Scenario;
use crate::spec::{Limits, Memory as InMemory};
use crate::sync::atomic::AtomicU64 as Shared;
use crate::sync::{Mutex, RwLock};
use crate::Invariant;
use connmap::{
    Batch, ConnId, ConnMap, Item, ItemSource, Memory, Scan, Scanned, Seqno, SeqnoRange,
    SourceError, VbId,
};
use orderings::sync::given_up;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How the host fails, and what else it does when it is called.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Manners {
    pub(super) open: Fails,
    pub(super) scan: Fails,
    pub(super) memory: Fails,
    pub(super) memory_used: Fails,
    /// Every method and destructor calls into the core.
    pub(super) calls: bool,
    /// Wake-ups and destructors panic.
    pub(super) panics: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fails {
    #[default]
    No,
    Error,
    Panic,
    /// The scan panics when it is asked for the end of its snapshot.
    PanicAtTheEnd,
    /// The scan gives an item outside its range.
    Strays,
    /// The scan gives an item twice.
    Repeats,
    /// The scan gives one item more than there is room for.
    Overfills,
}

/// What the host's objects share.
pub(super) struct Host {
    pub(super) limits: Limits,
    manners: Manners,
    pub(super) locks: Option<HostLocks>,
    scenario: Arc<Scenario>,
    log: Arc<Log>,
    /// For the methods and destructors that call into the core.
    map: OnceLock<Weak<ConnMap>>,
    began: Instant,
    /// Snoozes since `began`.
    clock: Shared,
    /// In per cent.
    memory_used: Shared,
    /// Calls into the core that did not return: the core's assertion on its locks
    /// panicked in them, and the core catches a panic of the host's methods.
    pub(super) lost: AtomicU64,
    /// For the statistics.
    asked: std::sync::Mutex<Asked>,
    /// Reads from memory since the last call of the scenario began.
    reads: AtomicU64,
}

/// What the host was asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) opened: Vec<(u64, u64, u64)>,
    pub(super) read: Vec<(u64, u64, u64)>,
    pub(super) items: u64,
    /// Scans that were opened and not dropped.
    pub(super) scans: usize,
}

/// A step reads from memory once for each of its streams, and once more for each
/// notification meanwhile. A step that has read so often never returns.
const READS: u64 = 100;

/// A snooze of the core's configuration.
pub(super) const SNOOZE: Duration = Duration::from_secs(1);

impl Host {
    pub(super) fn new(
        limits: Limits,
        manners: Manners,
        locks: bool,
        scenario: &Arc<Scenario>,
        log: &Arc<Log>,
    ) -> Arc<Self> {
        Arc::new(Host {
            limits,
            manners,
            locks: locks.then(HostLocks::default),
            scenario: Arc::clone(scenario),
            log: Arc::clone(log),
            map: OnceLock::new(),
            began: Instant::now(),
            clock: Shared::new(0),
            memory_used: Shared::new(limits.memory_used),
            lost: AtomicU64::new(0),
            asked: std::sync::Mutex::default(),
            reads: AtomicU64::new(0),
        })
    }

    pub(super) fn knows(&self, map: &Arc<ConnMap>) {
        let _ = self.map.set(Arc::downgrade(map));
    }

    pub(super) fn asked(&self) -> std::sync::MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time. Where the scenario never moves the clock, no atomic is read: an
    /// engine would have to order it. Where it does, the clock is read by a
    /// read-modify-write, as the memory in use is: under loom a load may find a
    /// value from before a call that has returned, and a clock never goes back.
    pub(super) fn now(&self) -> Instant {
        let clock = if self.limits.moves { self.clock.fetch_add(0, Ordering::SeqCst) } else { 0 };
        self.began + SNOOZE * clock as u32
    }

    pub(super) fn tick(&self, snoozes: u64) {
        self.clock.fetch_add(snoozes, Ordering::SeqCst);
    }

    pub(super) fn uses_memory(&self, percent: u64) {
        self.memory_used.swap(percent, Ordering::SeqCst);
    }

    /// Counts a read from memory. When a call has read too often to return, that is
    /// a violation, and its further reads panic, so that the execution ends.
    fn reads_on(&self, vb: VbId, range: SeqnoRange) {
        let reads = self.reads.fetch_add(1, Ordering::Relaxed) + 1;
        if reads < READS {
            return;
        }
        if reads == READS {
            let calls = self.log.calls();
            let under_way = calls.iter().filter(|(_, performed)| performed.end.is_none());
            let under_way =
                under_way.filter_map(|(id, _)| Some(self.scenario.call(*id)?.text.clone()));
            let detail = never_returns(&under_way.collect::<Vec<_>>(), vb.0, range);
            self.log.violated(Invariant::NoDeadlock, detail);
        }
        panics();
    }

    /// A call of the scenario begins.
    pub(super) fn is_called(&self) {
        self.reads.store(0, Ordering::Relaxed);
    }

    /// Calls into the core from a method or a destructor of the host, where the
    /// scenario says so.
    fn calls_back(&self) {
        let map = self.map.get().filter(|_| self.manners.calls).and_then(Weak::upgrade);
        let Some(map) = map else { return };
        self.lost.fetch_add(1, Ordering::Relaxed);
        map.stats();
        if let Some(producer) = map.get(ConnId(0)) {
            producer.stats();
        }
        self.lost.fetch_sub(1, Ordering::Relaxed);
    }

    /// What each destructor of the host does.
    fn dropped(&self) {
        // Its own thread may hold the lock, in a call that never returns.
        if given_up() {
            return;
        }
        if let Some(locks) = &self.locks {
            locks.writing(|| ());
        }
        self.calls_back();
        if self.manners.panics {
            panics();
        }
    }
}

/// Says which calls read for ever, and what.
fn never_returns(under_way: &[String], vb: u16, range: SeqnoRange) -> String {
    let who = match under_way {
        [] => "a step at rest".to_owned(),
        calls => calls.join(", or "),
    };
    format!(
        "the system never comes to rest: {who} has read seqnos {}..{} of vb {vb} from memory \
         {READS} times, and goes on",
        range.after + 1,
        range.upto
    )
}

/// Panics without the panic hook, which would print in each of many executions.
fn panics() -> ! {
    std::panic::resume_unwind(Box::new("the host panics"))
}

/// The source: the same items of every vb on disk, and in memory what the setting
/// `memory` says.
pub(super) struct Source(pub(super) Arc<Host>);

struct DiskScan {
    host: Arc<Host>,
    at: Seqno,
    last: Seqno,
    /// The end of the snapshot, which may be after the last item.
    end: Seqno,
    given: u64,
    put_off: bool,
    /// Whether the scan has failed: it does so once, and a further read finds the
    /// rest.
    failed: bool,
}

impl Host {
    /// The item with this seqno.
    pub(super) fn item(&self, seqno: Seqno) -> Item {
        Item { seqno, payload: vec![seqno as u8; self.limits.bytes as usize].into() }
    }
}

impl ItemSource for Source {
    fn open_scan(&self, vb: VbId, range: SeqnoRange) -> Result<Box<dyn Scan>, SourceError> {
        let host = &self.0;
        host.asked().opened.push((vb.0.into(), range.after, range.upto));
        host.calls_back();
        match host.manners.open {
            Fails::Error => return Err("no scan can be opened".into()),
            Fails::Panic => panics(),
            _ => {}
        }
        host.asked().scans += 1;
        let (last, end) = host.limits.snapshot(range.after);
        let (host, last) = (Arc::clone(host), last.min(range.upto));
        let (at, put_off, failed) = (range.after, false, false);
        Ok(Box::new(DiskScan { host, at, last, end, given: 0, put_off, failed }))
    }

    fn read_memory(&self, vb: VbId, range: SeqnoRange) -> Result<Memory, SourceError> {
        let host = &self.0;
        host.asked().read.push((vb.0.into(), range.after, range.upto));
        host.reads_on(vb, range);
        host.calls_back();
        let seqnos = match host.limits.in_memory(range.after, range.upto) {
            InMemory::Gone | InMemory::GoneAtTheEnd | InMemory::GoneAtTheBeginning => {
                return Ok(Memory::Gone);
            }
            InMemory::Fails if host.manners.memory == Fails::Panic => panics(),
            InMemory::Fails => return Err("the memory cannot be read".into()),
            // The last one is enough: a snapshot may skip seqnos.
            InMemory::Last => range.upto..range.upto + 1,
            InMemory::Nothing => 1..1,
            InMemory::Less => range.after + 1..range.after + 2,
            InMemory::All => range.after + 1..range.upto + 1,
            InMemory::Strays => range.upto + 1..range.upto + 2,
        };
        Ok(Memory::Items(seqnos.map(|seqno| host.item(seqno)).collect()))
    }

    fn memory_used_percent(&self) -> u8 {
        let host = &self.0;
        host.calls_back();
        if host.manners.memory_used == Fails::Panic {
            panics();
        }
        match host.limits.moves {
            true => host.memory_used.fetch_add(0, Ordering::SeqCst) as u8,
            false => host.limits.memory_used as u8,
        }
    }
}

impl Scan for DiskScan {
    fn snapshot_end(&self) -> Seqno {
        self.host.calls_back();
        if self.host.manners.open == Fails::PanicAtTheEnd {
            panics();
        }
        self.end
    }

    fn read(&mut self, batch: &mut Batch) -> Result<Scanned, SourceError> {
        for _ in 0..self.host.limits.batch {
            if batch.is_full() {
                break;
            }
            match self.next()? {
                Found::Item(seqno) => batch.push(self.host.item(seqno)),
                Found::TooMuch => {
                    self.overfill(batch);
                    break;
                }
                Found::Nothing(answer) => return Ok(answer),
            }
        }
        Ok(Scanned::More)
    }
}

enum Found {
    Item(Seqno),
    TooMuch,
    Nothing(Scanned),
}

impl DiskScan {
    fn next(&mut self) -> Result<Found, SourceError> {
        let host = &self.host;
        let limits = &host.limits;
        host.asked().items += 1;
        host.calls_back();
        let nth = self.given + 1;
        if nth == limits.later && !std::mem::replace(&mut self.put_off, true) {
            return Ok(Found::Nothing(Scanned::Later));
        }
        if nth == limits.fail_at && !std::mem::replace(&mut self.failed, true) {
            return match host.manners.scan {
                Fails::Panic => panics(),
                Fails::Strays => Ok(Found::Item(self.end + 1)),
                Fails::Repeats => Ok(Found::Item(self.at)),
                Fails::Overfills => Ok(Found::TooMuch),
                _ => Err("the scan fails".into()),
            };
        }
        let next = self.at - self.at % limits.gap + limits.gap;
        if next > self.last {
            return Ok(Found::Nothing(Scanned::End));
        }
        (self.at, self.given) = (next, nth);
        Ok(Found::Item(next))
    }

    /// Items as they follow, until the batch is full, and one more.
    fn overfill(&mut self, batch: &mut Batch) {
        let mut full = false;
        while !full {
            full = batch.is_full();
            self.at += 1;
            batch.push(self.host.item(self.at));
        }
    }
}

impl Drop for DiskScan {
    fn drop(&mut self) {
        self.host.asked().scans -= 1;
        self.host.dropped();
    }
}

/// The lock that kv_engine's front ends hold when they run, and the vb state
/// lock, which is held for reading around a StreamRequest and for writing when
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

    /// On a front end's thread.
    pub(super) fn stepping<T>(&self, call: impl FnOnce() -> T) -> T {
        let _front_end = self.front_end.lock().unwrap_or_else(PoisonError::into_inner);
        call()
    }
}

/// A front end: whether it sleeps, and how often it was woken.
pub(super) struct FrontEnd {
    host: Arc<Host>,
    /// The handles that the core was given, where connections close in the race.
    /// A call that wakes a front end holds a handle meanwhile, and no engine sees
    /// which thread drops the last of two std `Arc`s: so the host keeps one, and
    /// drops it at the end.
    kept: Option<std::sync::Mutex<Vec<Arc<Opened>>>>,
    /// When the last call that found nothing to send began.
    slept: AtomicU64,
    /// When the front end was last woken, or last found something to send.
    woken: AtomicU64,
    /// How often the front end was woken.
    wakes: AtomicU64,
    /// When the front end was last woken; 0 for never.
    last_wake: AtomicU64,
    /// How many handles of the front end are alive.
    held: AtomicU64,
}

/// The core's handle of a front end: a new one for each `open`.
pub(super) struct Opened(pub(super) Arc<FrontEnd>);

impl FrontEnd {
    /// `kept`: whether connections close in the race.
    pub(super) fn new(host: Arc<Host>, kept: bool) -> Self {
        FrontEnd {
            host,
            kept: kept.then(std::sync::Mutex::default),
            slept: AtomicU64::new(0),
            woken: AtomicU64::new(0),
            wakes: AtomicU64::new(0),
            last_wake: AtomicU64::new(0),
            held: AtomicU64::new(0),
        }
    }

    /// A handle for the core.
    pub(super) fn opened(self: &Arc<Self>) -> Arc<Opened> {
        self.held.fetch_add(1, Ordering::Relaxed);
        let opened = Arc::new(Opened(Arc::clone(self)));
        if let Some(mut kept) = self.kept() {
            kept.push(Arc::clone(&opened));
        }
        opened
    }

    /// Drops the handles that the host has kept.
    pub(super) fn let_go(&self) {
        drop(self.kept().map(|mut kept| std::mem::take(&mut *kept)));
    }

    fn kept(&self) -> Option<std::sync::MutexGuard<'_, Vec<Arc<Opened>>>> {
        self.kept.as_ref().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A call that began at `since` found nothing to send.
    pub(super) fn sleeps(&self, since: u64) {
        self.slept.fetch_max(since, Ordering::Relaxed);
    }

    /// A call found something to send: the front end does not sleep.
    pub(super) fn steps_on(&self, now: u64) {
        self.woken.fetch_max(now, Ordering::Relaxed);
    }

    /// When the call began that sent the front end to sleep, if it still sleeps.
    pub(super) fn asleep(&self) -> Option<u64> {
        let slept = self.slept.load(Ordering::Relaxed);
        (slept > self.woken.load(Ordering::Relaxed)).then_some(slept)
    }

    /// How often the front end was woken.
    pub(super) fn wakes(&self) -> u64 {
        self.wakes.load(Ordering::Relaxed)
    }

    /// When the front end was last woken; 0 for never.
    pub(super) fn last_wake(&self) -> u64 {
        self.last_wake.load(Ordering::Relaxed)
    }

    /// How many handles of the front end the core has.
    pub(super) fn held(&self) -> u64 {
        match self.kept() {
            Some(kept) => kept.iter().filter(|opened| Arc::strong_count(opened) > 1).count() as u64,
            None => self.held.load(Ordering::Relaxed),
        }
    }
}

impl connmap::FrontEnd for Opened {
    fn wake(&self) {
        let (front_end, host) = (&self.0, &self.0.host);
        if let Some(locks) = &host.locks {
            locks.stepping(|| locks.reading(|| ()));
        }
        let now = host.log.now();
        front_end.woken.fetch_max(now, Ordering::Relaxed);
        front_end.last_wake.fetch_max(now, Ordering::Relaxed);
        front_end.wakes.fetch_add(1, Ordering::Relaxed);
        host.calls_back();
        if host.manners.panics {
            panics();
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.held.fetch_sub(1, Ordering::Relaxed);
        if self.0.kept.is_none() {
            self.0.host.dropped();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_reads_for_ever_is_named() {
        let range = SeqnoRange { after: 3, upto: 5 };
        let said = never_returns(&["step".into()], 7, range);
        let expected = "the system never comes to rest: step has read seqnos 4..5 of vb 7 from \
                        memory 100 times, and goes on";
        assert_eq!(said, expected);
        assert!(never_returns(&[], 7, range).contains("a step at rest has read"));
    }
}
