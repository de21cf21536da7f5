//! Real threads: hundreds of connections, thousands of streams, a pool of
//! workers, front ends that step and sleep and are woken, writers, closers,
//! displacements, state changes, and a shutdown in the middle. At the end
//! nothing is alive, and nothing was lost.
//!
//! A front end that waits for ever fails the test, by [`SOON`], and whatever else
//! does, by its source: see there. The seeds are fixed.
#![cfg(not(any(loom, shuttle)))]

#[path = "support/host.rs"]
mod host;

use connmap::*;
use host::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const THREADS: u64 = 6;
/// Connections that each thread opens, one after another, a few at a time.
const CONNECTIONS: u64 = 60;
const STREAMS: u16 = 12;
const VBS: u16 = 64;

/// A small generator, so that a run is repeatable as far as threads are.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % n
    }
}

/// The seqnos that are written so far, the same for every vb; up to half of
/// them are on disk only.
fn source(high: &Arc<AtomicU64>) -> Arc<Source> {
    let (disk, memory) = (Arc::clone(high), Arc::clone(high));
    Source::new(move |vb, range| {
        if vb.0 % 16 == 15 {
            return Err("no such file".into());
        }
        Ok(all(disk.load(Ordering::SeqCst), range))
    })
    .memory(move |_, range| {
        let high = memory.load(Ordering::SeqCst).min(range.upto);
        if high - range.after > 200 {
            return Ok(Memory::Gone);
        }
        Ok(Memory::Items((range.after + 1..=high).map(|seqno| item(seqno, 1)).collect()))
    })
    .arc()
}

/// What became of every stream that was accepted, by its opaque.
#[derive(Default)]
struct Books {
    accepted: AtomicUsize,
    ended: Mutex<BTreeMap<u32, EndStatus>>,
}

impl Books {
    fn end(&self, end: StreamEnd) {
        let before = self.ended.lock().unwrap().insert(end.opaque, end.status);
        assert_eq!(before, None, "{end:?} ended twice");
    }
}

struct World {
    map: ConnMap,
    high: Arc<AtomicU64>,
    books: Books,
    opaque: AtomicUsize,
    over: AtomicBool,
}

/// One front end: asks for streams, reads them, sleeps when there is nothing,
/// and disconnects when it is told to or has read enough.
fn front_end(world: &World, id: u64, random: &mut Random) {
    let bell = Bell::new();
    // Few names, so that many are displaced.
    let name = format!("name {}", random.below(60));
    let Ok(opened) = world.map.open(ConnId(id), &name, bell.clone()) else { return };
    let producer = opened.deliver();
    for _ in 0..STREAMS {
        let start = random.below(50);
        let end = if random.below(4) == 0 { Seqno::MAX } else { start + random.below(400) };
        let opaque = world.opaque.fetch_add(1, Ordering::SeqCst) as u32;
        let request = request(random.below(u64::from(VBS)) as u16, start, end);
        if let Ok(deferred) = producer.stream_request(StreamRequest { opaque, ..request }) {
            world.books.accepted.fetch_add(1, Ordering::SeqCst);
            deferred.deliver();
        }
        read(world, &producer, random.below(40));
        if random.below(4) == 0 {
            if let Ok(deferred) = producer.close_stream(request.vb) {
                deferred.deliver();
            }
        }
    }
    // Until told to disconnect, or for some wakes only.
    let mut wakes = random.below(8);
    loop {
        let heard = bell.rung();
        match read(world, &producer, u64::MAX) {
            Step::Disconnect(_) => break,
            _ if wakes == 0 || producer.stats().streams.is_empty() => break,
            _ => wakes -= 1,
        }
        // It is woken by writers, by the shutdown, or by whom it is displaced.
        assert!(bell.wait_for(heard + 1), "{id} waits for ever: {:?}", producer.stats());
    }
    let ends = world.map.disconnect(ConnId(id)).unwrap().deliver();
    ends.into_iter().for_each(|end| world.books.end(end));
    assert_eq!(
        producer.stream_request(request(0, 0, 9)).unwrap_err(),
        RequestError::ConnectionClosed
    );
}

/// Steps until idle or told to disconnect, or for so many messages.
fn read(world: &World, producer: &Producer, messages: u64) -> Step {
    for _ in 0..messages {
        match producer.step() {
            Step::Message(Message::StreamEnd(end)) => world.books.end(end),
            Step::Message(_) => {}
            step => return step,
        }
    }
    match producer.pause() {
        Pause::Paused | Pause::Ready => Step::Idle,
    }
}

/// Writes, and changes the state of a vb now and then, until all is over.
fn writer(world: &World, seed: u64) {
    let mut random = Random(seed);
    while !world.over.load(Ordering::SeqCst) {
        let seqno = world.high.fetch_add(1, Ordering::SeqCst) + 1;
        let vb = VbId(random.below(u64::from(VBS)) as u16);
        world.map.notify(vb, seqno).deliver();
        if random.below(20) == 0 {
            world.map.end_streams(vb, EndStatus::StateChanged).deliver();
        }
        if random.below(8) == 0 {
            thread::sleep(Duration::from_micros(200));
        }
    }
}

/// Runs it all; the shutdown comes when `shut_down_at` connections were opened.
fn run(shut_down_at: u64, config: Config) -> (usize, BTreeMap<u32, EndStatus>) {
    let high = Arc::new(AtomicU64::new(100));
    let world = World {
        map: ConnMap::new(source(&high), config),
        high,
        books: Books::default(),
        opaque: AtomicUsize::new(0),
        over: AtomicBool::new(false),
    };
    let live = world.map.live();
    let pool = WorkerPool::start(&world.map.worker(), 3);
    let opened = AtomicU64::new(0);
    thread::scope(|scope| {
        let (world, opened) = (&world, &opened);
        let writers = [1, 2].map(|seed| scope.spawn(move || writer(world, seed)));
        let front_ends: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    let mut random = Random(37702 + thread);
                    for n in 0..CONNECTIONS {
                        opened.fetch_add(1, Ordering::SeqCst);
                        front_end(world, thread * CONNECTIONS + n, &mut random);
                    }
                })
            })
            .collect();
        // A front end that failed does not open the rest.
        while opened.load(Ordering::SeqCst) < shut_down_at
            && !front_ends.iter().any(|thread| thread.is_finished())
        {
            thread::yield_now();
        }
        for closed in world.map.shutdown().deliver() {
            closed.ends.into_iter().for_each(|end| world.books.end(end));
        }
        let failed: Vec<_> = front_ends.into_iter().map(|thread| thread.join()).collect();
        world.over.store(true, Ordering::SeqCst);
        failed.into_iter().for_each(|joined| joined.unwrap());
        writers.into_iter().for_each(|thread| thread.join().unwrap());
    });
    pool.join();
    assert_eq!(live.get(), LiveObjects::default(), "no-leak");
    assert_eq!(world.map.stats().connections, 0);
    let books = world.books;
    (books.accepted.into_inner(), books.ended.into_inner().unwrap())
}

fn small() -> Config {
    Config {
        scan_items: 16,
        buffer_bytes: 40,
        backfills_per_connection: 3,
        backfills_per_bucket: 5,
        snooze: Duration::from_millis(2),
        ..Config::default()
    }
}

#[test]
fn a_shutdown_in_the_middle_loses_nothing() {
    for (shut_down_at, config) in [(300, Config::default()), (300, small()), (30, small())] {
        let (accepted, ended) = run(shut_down_at, config);
        assert_eq!(ended.len(), accepted, "every accepted stream ends, once");
        assert!(accepted > 100, "only {accepted} streams");
        let seen = |status| ended.values().any(|other| *other == status);
        for status in [EndStatus::Ok, EndStatus::Closed, EndStatus::Disconnected] {
            assert!(seen(status), "{status:?} never happened");
        }
    }
}

#[test]
fn handles_outlive_everything() {
    let source = Source::new(|_, range| Ok(all(9, range))).arc();
    let map = ConnMap::new(source.clone(), Config::default());
    let (producer, bell) = open(&map, 1);
    stream(&producer, 0, 0, 20);
    let (worker, live) = (map.worker(), map.live());
    let (source, bell) = {
        let weak = (Arc::downgrade(&source), Arc::downgrade(&bell));
        drop((source, bell));
        weak
    };
    map.shutdown().deliver();
    assert!(bell.upgrade().is_none(), "the front end goes with the close");
    drop(map);
    assert_eq!(live.get(), LiveObjects::default());
    assert_eq!(producer.step(), Step::Disconnect(CloseReason::Disconnected));
    assert_eq!(producer.pause(), Pause::Ready);
    assert!(matches!(producer.close_stream(VbId(0)), Err(CloseError::ConnectionClosed)));
    assert!(source.upgrade().is_some(), "the worker has it");
    assert_eq!(worker.run(std::time::Instant::now()), Run::Idle);
    drop(worker);
    assert!(source.upgrade().is_none());
}
