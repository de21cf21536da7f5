//! Many: ten thousand connections with ten streams each, writers, workers and
//! front ends, and a shutdown in the middle; and one connection with many
//! backfills beside others that have one.
#![cfg(not(any(loom, shuttle)))]

#[path = "support/host.rs"]
mod host;

use connmap::*;
use host::*;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

const CONNECTIONS: u64 = 10_000;
const STREAMS: u16 = 10;
const VBS: u64 = 1024;

struct Silent;

impl FrontEnd for Silent {
    fn wake(&self) {}
}

/// How often the stream of each opaque was accepted and ended.
struct Books(Vec<[AtomicU8; 2]>);

impl Books {
    fn count(&self, opaque: u32, what: usize) {
        self.0[opaque as usize][what].fetch_add(1, Ordering::Relaxed);
    }

    fn end(&self, end: StreamEnd) {
        self.count(end.opaque, 1);
    }
}

/// Opens every `of`-th connection, from `first`, reads a little from each, and
/// then goes round them until each has been told to disconnect.
fn front_end(map: &ConnMap, books: &Books, opened: &AtomicUsize, first: u64, of: u64) {
    let mut producers = Vec::new();
    for id in (first..CONNECTIONS).step_by(of as usize) {
        let Ok(producer) = map.open(ConnId(id), &format!("c{id}"), Arc::new(Silent)) else { break };
        let producer = producer.deliver();
        for n in 0..STREAMS {
            let vb = VbId(((id * 7 + u64::from(n) * 101) % VBS) as u16);
            let opaque = id as u32 * u32::from(STREAMS) + u32::from(n);
            let end = if n % 2 == 0 { Seqno::MAX } else { 4 };
            if let Ok(accepted) =
                producer.stream_request(StreamRequest { vb, start: 0, end, opaque })
            {
                books.count(opaque, 0);
                accepted.deliver();
            }
        }
        producers.push(producer);
        opened.fetch_add(1, Ordering::Relaxed);
    }
    while !producers.is_empty() {
        producers.retain(|producer| {
            for _ in 0..4 {
                match producer.step() {
                    Step::Message(Message::StreamEnd(end)) => books.end(end),
                    Step::Message(_) => {}
                    Step::Idle => return true,
                    Step::Disconnect(_) => {
                        let ends = map.disconnect(producer.id()).unwrap().deliver();
                        ends.into_iter().for_each(|end| books.end(end));
                        return false;
                    }
                }
            }
            true
        });
    }
}

fn shut_down_when(opened_before: usize) {
    let source = Source::new(|_, range| Ok(all(4, range)))
        .memory(|_, range| Ok(Memory::Items(vec![item(range.upto, 1)])));
    let map = ConnMap::new(source.arc(), Config { scan_items: 3, ..Config::default() });
    let live = map.live();
    let streams = CONNECTIONS as usize * usize::from(STREAMS);
    let books = Books((0..streams).map(|_| Default::default()).collect());
    let (opened, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let pool = WorkerPool::start(&map.worker(), 2);
    thread::scope(|scope| {
        let (map, books, opened, over) = (&map, &books, &opened, &over);
        let front_ends =
            [0, 1].map(|first| scope.spawn(move || front_end(map, books, opened, first, 2)));
        for seed in [1, 2] {
            scope.spawn(move || {
                let mut seqno = 4 + seed;
                while !over.load(Ordering::Relaxed) {
                    seqno += 1;
                    map.notify(VbId((seqno * 17 % VBS) as u16), seqno).deliver();
                }
            });
        }
        while opened.load(Ordering::Relaxed) < opened_before
            && !front_ends.iter().any(|thread| thread.is_finished())
        {
            thread::yield_now();
        }
        for closed in map.shutdown().deliver() {
            closed.ends.into_iter().for_each(|end| books.end(end));
        }
        let joined = front_ends.map(|thread| thread.join());
        over.store(true, Ordering::Relaxed);
        joined.into_iter().for_each(|joined| joined.unwrap());
    });
    pool.join();
    let slots = Config::default().backfills_per_bucket;
    let MapStats { connections, slots_free, queued, .. } = map.stats();
    assert_eq!([connections, slots_free, queued], [0, slots, 0]);
    assert_eq!(live.get(), LiveObjects::default(), "nothing is alive");
    let count = |what: usize| {
        books.0.iter().map(|book| usize::from(book[what].load(Ordering::Relaxed))).sum::<usize>()
    };
    assert!(count(0) >= (opened_before / 2) * usize::from(STREAMS));
    assert_eq!(count(0), count(1), "as many ends as streams");
    for [accepted, ended] in &books.0 {
        assert_eq!(accepted.load(Ordering::Relaxed), ended.load(Ordering::Relaxed));
    }
}

#[test]
fn nothing_is_lost_and_nothing_is_alive_ten_times_over() {
    for round in 1..=10 {
        let opened = CONNECTIONS as usize * round / 10;
        within("everybody is told to disconnect", move || shut_down_when(opened));
    }
}

/// One connection with a thousand backfills, ten with one each.
fn each_of_ten_has_its_turn(config: Config) {
    let map = ConnMap::new(Source::new(|_, range| Ok(all(9, range))).arc(), config);
    let (greedy, _) = open(&map, 0);
    (0..1000).for_each(|vb| stream(&greedy, vb, 0, 20));
    let others: Vec<_> = (1..=10).map(|id| open(&map, id).0).collect();
    others.iter().for_each(|other| stream(other, 0, 0, 20));
    let (worker, now) = (map.worker(), Instant::now());
    for _ in 0..11 {
        assert_eq!(worker.run(now), Run::Ran);
    }
    for other in &others {
        assert_eq!(items(&drain(other)).first(), Some(&1), "{} waits", other.id());
    }
}

#[test]
fn a_thousand_backfills_hold_back_nobody() {
    each_of_ten_has_its_turn(Config { scan_items: 1, ..Config::default() });
    each_of_ten_has_its_turn(Config {
        scan_items: 1,
        backfills_per_connection: 1000,
        ..Config::default()
    });
}
