//! A host made of closures, for the native tests: each test says in place how
//! its source, its scans and its front ends behave.

// Each test binary uses some of it.
#![allow(dead_code, unreachable_pub)]

use connmap::*;
use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{channel, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for what must happen before it fails.
pub const SOON: Duration = Duration::from_secs(30);

/// Runs `body` on a thread of its own, and fails when it does not return: by the
/// deadline, which no machine is too busy for, it never will.
pub fn within(waits_for: &str, body: impl FnOnce() + Send + 'static) {
    let (done, result) = channel();
    let thread = thread::spawn(move || {
        body();
        let _ = done.send(());
    });
    if result.recv_timeout(2 * SOON) == Err(RecvTimeoutError::Timeout) {
        panic!("waited in vain: {waits_for}");
    }
    if let Err(panic) = thread.join() {
        resume_unwind(panic);
    }
}

/// No test takes so long; one that does will never end.
pub const NEVER: Duration = Duration::from_secs(300);

/// Watches the thread that has it: a test that waits for ever, or goes round in
/// circles in a call of the core, ends its process and is named.
struct Watched(Sender<()>);

impl Watched {
    fn new() -> Self {
        let (ends, ended) = channel();
        let name = thread::current().name().unwrap_or("a thread").to_owned();
        thread::spawn(move || {
            if ended.recv_timeout(NEVER) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{name} does not end: it was given {NEVER:?}");
                std::process::exit(101);
            }
        });
        Watched(ends)
    }
}

thread_local! {
    static WATCHED: Watched = Watched::new();
}

type OpenScan = dyn Fn(VbId, SeqnoRange) -> Result<Box<dyn Scan>, SourceError> + Send + Sync;
type ReadMemory = dyn Fn(VbId, SeqnoRange) -> Result<Memory, SourceError> + Send + Sync;

/// A source whose methods are closures.
pub struct Source {
    open_scan: Box<OpenScan>,
    read_memory: Box<ReadMemory>,
    pub used: AtomicU8,
}

impl Source {
    /// Memory is empty unless [`Source::memory`] says something else. The test
    /// that makes one is watched from here on.
    pub fn new(
        open_scan: impl Fn(VbId, SeqnoRange) -> Result<Box<dyn Scan>, SourceError>
            + Send
            + Sync
            + 'static,
    ) -> Self {
        WATCHED.with(|_| ());
        Source {
            open_scan: Box::new(open_scan),
            read_memory: Box::new(|_, _| Ok(Memory::Items(Vec::new()))),
            used: AtomicU8::new(0),
        }
    }

    pub fn memory(
        mut self,
        read: impl Fn(VbId, SeqnoRange) -> Result<Memory, SourceError> + Send + Sync + 'static,
    ) -> Self {
        self.read_memory = Box::new(read);
        self
    }

    pub fn arc(self) -> Arc<Self> {
        Arc::new(self)
    }
}

impl ItemSource for Source {
    fn open_scan(&self, vb: VbId, range: SeqnoRange) -> Result<Box<dyn Scan>, SourceError> {
        (self.open_scan)(vb, range)
    }

    fn read_memory(&self, vb: VbId, range: SeqnoRange) -> Result<Memory, SourceError> {
        (self.read_memory)(vb, range)
    }

    fn memory_used_percent(&self) -> u8 {
        self.used.load(Ordering::Relaxed)
    }
}

/// What a scan finds that reads one item at a time.
pub enum One {
    Item(Item),
    Later,
    End,
}

/// A scan that reads one item at a time, by a closure.
pub struct FnScan<F>(pub Seqno, pub F);

impl<F: FnMut() -> Result<One, SourceError> + Send> Scan for FnScan<F> {
    fn snapshot_end(&self) -> Seqno {
        self.0
    }

    fn read(&mut self, batch: &mut Batch) -> Result<Scanned, SourceError> {
        Ok(match (self.1)()? {
            One::Item(item) => {
                batch.push(item);
                Scanned::More
            }
            One::Later => Scanned::Later,
            One::End => Scanned::End,
        })
    }
}

/// A scan that reads these items, each of one byte, and then answers `End`.
pub fn seqnos(end: Seqno, seqnos: impl IntoIterator<Item = Seqno>) -> Box<dyn Scan> {
    sized(end, seqnos.into_iter().map(|seqno| (seqno, 1)))
}

/// The same, with the size of each.
pub fn sized(end: Seqno, items: impl IntoIterator<Item = (Seqno, usize)>) -> Box<dyn Scan> {
    let mut items: VecDeque<_> = items.into_iter().collect();
    Box::new(FnScan(end, move || {
        Ok(items.pop_front().map_or(One::End, |(seqno, size)| One::Item(item(seqno, size))))
    }))
}

/// Every seqno of the range, up to `high`.
pub fn all(high: Seqno, range: SeqnoRange) -> Box<dyn Scan> {
    let end = high.min(range.upto);
    let mut seqno = range.after;
    Box::new(FnScan(end, move || {
        seqno += 1;
        Ok(if seqno <= end { One::Item(item(seqno, 1)) } else { One::End })
    }))
}

pub fn later() -> Box<dyn Scan> {
    Box::new(FnScan(Seqno::MAX, || Ok(One::Later)))
}

pub fn item(seqno: Seqno, size: usize) -> Item {
    Item { seqno, payload: vec![0; size].into() }
}

/// A front end that counts its wakes and can be waited for.
#[derive(Default)]
pub struct Bell {
    rung: Mutex<usize>,
    changed: Condvar,
}

impl Bell {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    pub fn rung(&self) -> usize {
        *self.rung.lock().unwrap()
    }

    /// Waits until it was rung `times` times in all. False: it was not, soon.
    pub fn wait_for(&self, times: usize) -> bool {
        let rung = self.rung.lock().unwrap();
        let wait = self.changed.wait_timeout_while(rung, SOON, |rung| *rung < times);
        !wait.unwrap().1.timed_out()
    }
}

impl FrontEnd for Bell {
    fn wake(&self) {
        *self.rung.lock().unwrap() += 1;
        self.changed.notify_all();
    }
}

pub fn request(vb: u16, start: Seqno, end: Seqno) -> StreamRequest {
    StreamRequest { vb: VbId(vb), start, end, opaque: u32::from(vb) }
}

/// Opens connection `id`, with a bell.
pub fn open(map: &ConnMap, id: u64) -> (Producer, Arc<Bell>) {
    let bell = Bell::new();
    let front_end = Arc::clone(&bell) as Arc<dyn FrontEnd>;
    (map.open(ConnId(id), &format!("c{id}"), front_end).unwrap().deliver(), bell)
}

/// Opens a stream that must be accepted.
pub fn stream(producer: &Producer, vb: u16, start: Seqno, end: Seqno) {
    producer.stream_request(request(vb, start, end)).unwrap().deliver();
}

/// Runs backfills until there is none to run; how many turns that took. Fails
/// rather than spin for ever.
pub fn run_all(worker: &Worker, now: Instant) -> usize {
    for turns in 0..10_000 {
        if worker.run(now) == Run::Idle {
            return turns;
        }
    }
    panic!("the backfills run without end");
}

/// The messages up to the next idle or disconnect.
pub fn drain(producer: &Producer) -> Vec<Message> {
    std::iter::from_fn(|| match producer.step() {
        Step::Message(message) => Some(message),
        Step::Idle | Step::Disconnect(_) => None,
    })
    .collect()
}

/// The ends among messages, by vb and status.
pub fn ends(messages: &[Message]) -> Vec<(u16, EndStatus)> {
    let end = |message: &Message| match message {
        Message::StreamEnd(end) => Some((end.vb.0, end.status)),
        _ => None,
    };
    messages.iter().filter_map(end).collect()
}

/// The seqnos of the items among messages.
pub fn items(messages: &[Message]) -> Vec<Seqno> {
    let seqno = |message: &Message| match message {
        Message::Item { item, .. } => Some(item.seqno),
        _ => None,
    };
    messages.iter().filter_map(seqno).collect()
}
