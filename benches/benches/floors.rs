//! What the core's two busiest paths cost beside the least that would do, and
//! two threads beside one. `cargo bench -p connmap-benches --bench floors`
#![allow(missing_docs)]

use connmap::*;
use connmap_benches::*;
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

/// Two threads that have nothing in common, not even a lock; and with a lock each.
const ALONE: &str = "nothing but computing";
const BARE: &str = "a Mutex<HashMap> each";
const MAPS: u64 = 1000;
const STREAMS: u64 = 10;

fn vb_of(n: u64) -> u16 {
    (n * 101) as u16
}

/// A stream that is accepted: a check that there is none, and an insertion. Ten
/// for each of a thousand connections that have none.
fn requests(bench: &mut Bench) {
    let rounds = |n: u64| n.div_ceil(MAPS * STREAMS);
    let share = |n: u64| n as f64 / (rounds(n) * MAPS * STREAMS) as f64;
    bench.run("stream_request", "floor", |n| {
        let mut took = Duration::ZERO;
        for _ in 0..rounds(n) {
            let maps: Vec<Mutex<HashMap<VbId, StreamRequest>>> =
                (0..MAPS).map(|_| Mutex::default()).collect();
            took += time(|| {
                for map in &maps {
                    for n in 0..STREAMS {
                        let request = request(vb_of(n));
                        let mut map = map.lock().unwrap();
                        map.entry(request.vb).or_insert(request);
                    }
                }
            });
        }
        took.mul_f64(share(n))
    });
    let map = ConnMap::new(Arc::new(Disk), Config::default());
    bench.run("stream_request", "core", |n| {
        let mut took = Duration::ZERO;
        for _ in 0..rounds(n) {
            let all: Vec<_> = (0..MAPS).map(|id| open(&map, id, &format!("name {id}"))).collect();
            took += time(|| {
                for producer in &all {
                    for n in 0..STREAMS {
                        producer.stream_request(request(vb_of(n))).unwrap().deliver();
                    }
                }
            });
            (0..MAPS).for_each(|id| drop(map.disconnect(ConnId(id)).unwrap().deliver()));
        }
        took.mul_f64(share(n))
    });
}

/// An item from the source to the client, through a channel and through the
/// core: a stream of a thousand, from its request to its end.
fn items(bench: &mut Bench) {
    let rounds = |n: u64| n.div_ceil(ITEMS);
    let share = |n: u64| n as f64 / (rounds(n) * ITEMS) as f64;
    let (send, receive) = sync_channel(ITEMS as usize);
    bench.run("an item, from source to client", "floor", |n| {
        let all = || {
            for _ in 0..rounds(n) {
                let mut scan: Box<dyn Scan> = Box::new(DiskScan::new(0));
                let mut batch = Batch::default();
                let mut scanned = Scanned::More;
                while scanned == Scanned::More {
                    scanned = scan.read(&mut batch).unwrap();
                    batch.drain().for_each(|item| send.send(item).unwrap());
                }
                receive.try_iter().for_each(|item| drop(black_box(item)));
            }
        };
        time(all).mul_f64(share(n))
    });
    let map = ConnMap::new(Arc::new(Disk), Config::default());
    let producer = open(&map, 0, "one");
    let worker = map.worker();
    bench.run("an item, from source to client", "core", |n| {
        let all = || {
            for _ in 0..rounds(n) {
                let request = StreamRequest { end: ITEMS, ..request(0) };
                producer.stream_request(request).unwrap().deliver();
                while worker.run(Instant::now()) == Run::Ran {}
                while let Step::Message(message) = producer.step() {
                    drop(black_box(message));
                }
            }
        };
        time(all).mul_f64(share(n))
    });
}

/// Each thread does `calls` of its own; how long that takes for each.
fn on_threads(threads: u64, calls: u64, call: impl Fn(u64, u64) + Sync) -> Duration {
    let begin = Barrier::new(threads as usize);
    let one = |thread| {
        begin.wait();
        time(|| (0..calls).for_each(|n| call(thread, n)))
    };
    let took: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || one(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    took.into_iter().max().unwrap_or_default()
}

/// Two threads on two connections, each with a vb of its own.
fn threads(bench: &mut Bench) {
    let map = ConnMap::new(Arc::new(Disk), Config::default());
    let both = [open(&map, 0, "one"), open(&map, 1, "two")];
    for (vb, producer) in (0..).zip(&both) {
        let request = StreamRequest { start: ITEMS, ..request(vb) };
        producer.stream_request(request).unwrap().deliver();
    }
    let now = Instant::now();
    while map.worker().run(now) == Run::Ran {}
    // A write, and its way to the client from memory: a marker, an item.
    // As the host's vb has it: a lock of its own, and a cache line.
    #[repr(align(128))]
    struct Vb(Mutex<Seqno>);
    let vbs = [Vb(Mutex::new(ITEMS)), Vb(Mutex::new(ITEMS))];
    let written = |thread: u64, _| {
        let producer = &both[thread as usize];
        let mut seqno = vbs[thread as usize].0.lock().unwrap();
        *seqno += 1;
        map.notify(VbId(thread as u16), *seqno).deliver();
        while let Step::Message(message) = producer.step() {
            drop(black_box(message));
        }
    };
    let requested = |thread: u64, _| {
        let vb = 100 + thread as u16;
        both[thread as usize].stream_request(request(vb)).unwrap().deliver();
        both[thread as usize].close_stream(VbId(vb)).unwrap().deliver();
        drop(black_box(both[thread as usize].step()));
    };
    // What the machine gives: two threads that have nothing in common.
    let alone = |_, n: u64| {
        (0..100).for_each(|i| {
            black_box(i ^ n);
        });
    };
    #[repr(align(128))]
    struct Bare(Mutex<HashMap<VbId, StreamRequest>>);
    let bare = [0, 1].map(|_| Bare(Mutex::default()));
    let inserted = |thread: u64, n| {
        let request = request(vb_of(n % STREAMS));
        let mut map = bare[thread as usize].0.lock().unwrap();
        if map.insert(request.vb, request).is_some() {
            map.remove(&request.vb);
        }
    };
    let mut run = |what, call: &(dyn Fn(u64, u64) + Sync)| {
        bench.run(what, "one thread", |n| on_threads(1, n, call));
        bench.run(what, "two threads", |n| on_threads(2, n, call));
    };
    run(ALONE, &alone);
    run(BARE, &inserted);
    run("notify, step until idle", &written);
    run("request, close, step", &requested);
}

fn main() {
    let mut bench = Bench::default();
    requests(&mut bench);
    items(&mut bench);
    threads(&mut bench);

    println!("\n{:<32} {:>12} {:>12} {:>6}", "", "floor", "core", "ratio");
    bench.line("stream_request", ["floor", "core"], Some(3.0));
    bench.line("an item, from source to client", ["floor", "core"], Some(1.5));
    println!("\n{:<32} {:>12} {:>12} {:>6}", "for each thread", "one", "two", "ratio");
    bench.line(ALONE, ["one thread", "two threads"], None);
    bench.line(BARE, ["one thread", "two threads"], None);
    for what in ["notify, step until idle", "request, close, step"] {
        // 1.8 times as much in the same time.
        bench.line(what, ["one thread", "two threads"], Some(2.0 / 1.8));
    }
}
