//! What a call costs beside how many others: 100 connections against 100,000,
//! each with ten streams that have caught up. The calls are made on a thousand
//! connections more, which come and go. `cargo bench -p connmap-benches`
#![allow(missing_docs)]

use connmap::*;
use connmap_benches::*;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

const VBS: u64 = 1024;
const STREAMS: u64 = 10;
/// Connections that the calls are made on.
const MORE: u64 = 1000;

const FEW: &str = "100";
const MANY: &str = "100,000";

/// A map with so many connections, each with its streams.
struct World {
    map: ConnMap,
    connections: u64,
}

fn vb_of(id: u64, n: u64) -> u16 {
    ((id * 7 + n * 101) % VBS) as u16
}

/// Streams that have everything already, but for what is to come.
fn ask(producer: &Producer) {
    let request = |n| StreamRequest { start: ITEMS, ..request(vb_of(producer.id().0, n)) };
    (0..STREAMS).for_each(|n| producer.stream_request(request(n)).unwrap().deliver());
}

impl World {
    fn new(connections: u64) -> Self {
        let map = ConnMap::new(Arc::new(Disk), Config::default());
        (0..connections).for_each(|id| ask(&open(&map, id, &format!("name {id}"))));
        World { map, connections }
    }

    /// Runs every backfill that there is.
    fn run_all(&self) {
        let (worker, now) = (self.map.worker(), Instant::now());
        while worker.run(now) == Run::Ran {}
    }

    fn ids(&self, n: u64) -> std::ops::Range<u64> {
        self.connections..self.connections + n
    }

    fn open(&self, n: u64) -> Vec<Producer> {
        self.ids(n).map(|id| open(&self.map, id, &format!("name {id}"))).collect()
    }

    fn disconnect(&self, n: u64) {
        self.ids(n).for_each(|id| drop(self.map.disconnect(ConnId(id)).unwrap().deliver()));
    }

    /// Does something with a thousand new connections, as often as it takes to
    /// have done `calls` of what each of them does `each` of.
    fn on_more(&self, calls: u64, each: u64, what: impl Fn(&[Producer]) -> Duration) -> Duration {
        let (mut took, mut left) = (Duration::ZERO, calls);
        while left > 0 {
            let n = MORE.min(left.div_ceil(each));
            let all = self.open(n);
            let part = what(&all);
            self.disconnect(n);
            let done = left.min(n * each);
            // The last one may have done some more.
            took += part.mul_f64(done as f64 / (n * each) as f64);
            left -= done;
        }
        took
    }
}

fn measure(bench: &mut Bench, few: &World, many: &World) {
    let mut both = |what: &str, call: &dyn Fn(&World, u64) -> Duration| {
        bench.run(what, FEW, |n| call(few, n));
        bench.run(what, MANY, |n| call(many, n));
    };
    both("open", &|world, n| {
        let (mut took, mut left) = (Duration::ZERO, n);
        while left > 0 {
            let n = MORE.min(left);
            let names: Vec<_> = world.ids(n).map(|id| (id, format!("name {id}"))).collect();
            took += time(|| {
                names.iter().for_each(|(id, name)| drop(black_box(open(&world.map, *id, name))));
            });
            world.disconnect(n);
            left -= n;
        }
        took
    });
    both("disconnect, ten streams", &|world, n| {
        let (mut took, mut left) = (Duration::ZERO, n);
        while left > 0 {
            let n = MORE.min(left);
            world.open(n).iter().for_each(ask);
            took += time(|| world.disconnect(n));
            left -= n;
        }
        took
    });
    both("stream_request", &|world, n| {
        world.on_more(n, STREAMS, |all| time(|| all.iter().for_each(ask)))
    });
    both("close_stream", &|world, n| {
        let close = |producer: &Producer, n| {
            producer.close_stream(VbId(vb_of(producer.id().0, n))).unwrap().deliver();
        };
        world.on_more(n, STREAMS, |all| {
            all.iter().for_each(ask);
            time(|| {
                all.iter().for_each(|producer| (0..STREAMS).for_each(|n| close(producer, n)));
            })
        })
    });
    both("Worker::run, an empty scan", &|world, n| {
        let (worker, now) = (world.map.worker(), Instant::now());
        world.on_more(n, STREAMS, |all| {
            all.iter().for_each(ask);
            let runs = all.len() as u64 * STREAMS;
            time(|| (0..runs).for_each(|_| assert_eq!(worker.run(now), Run::Ran)))
        })
    });
    both("step, from memory", &|world, n| {
        // On a vb that none of the others has.
        let vb_of = |producer: &Producer| (VBS + producer.id().0 % VBS) as u16;
        let ask = |producer: &Producer| {
            let request = StreamRequest { start: ITEMS, ..request(vb_of(producer)) };
            producer.stream_request(request).unwrap().deliver();
        };
        // A marker and an item.
        world.on_more(n, 2, |all| {
            all.iter().for_each(ask);
            world.run_all();
            all.iter().for_each(|of| world.map.notify(VbId(vb_of(of)), ITEMS + 1).deliver());
            let step = |producer: &Producer| match producer.step() {
                Step::Message(message) => drop(black_box(message)),
                other => panic!("{other:?}"),
            };
            time(|| all.iter().for_each(|producer| (0..2).for_each(|_| step(producer))))
        })
    });
    both("notify, no stream on the vb", &|world, n| {
        time(|| {
            (0..n).for_each(|n| world.map.notify(VbId((2 * VBS + n % VBS) as u16), n).deliver());
        })
    });
}

/// Each vb is written to: a call for each of its streams.
fn notify(bench: &mut Bench, world: &World, beside: &str) {
    bench.run("notify, for each stream", beside, |n| {
        let streams = world.connections * STREAMS;
        let all = || (0..VBS).for_each(|vb| world.map.notify(VbId(vb as u16), 1).deliver());
        let rounds = n.div_ceil(streams);
        time(|| (0..rounds).for_each(|_| all())).mul_f64(n as f64 / (rounds * streams) as f64)
    });
}

/// Of connections whose backfills are all to come: there is more to drop.
fn shutdown(bench: &mut Bench, connections: u64, beside: &str) {
    bench.run("shutdown, for each connection", beside, |n| {
        let rounds = n.div_ceil(connections);
        let mut took = Duration::ZERO;
        for _ in 0..rounds {
            let world = World::new(connections);
            took += time(|| drop(world.map.shutdown().deliver()));
        }
        took.mul_f64(n as f64 / (rounds * connections) as f64)
    });
}

fn main() {
    let mut bench = Bench::default();
    let (few, many) = (World::new(100), World::new(100_000));
    few.run_all();
    many.run_all();
    measure(&mut bench, &few, &many);
    notify(&mut bench, &few, FEW);
    notify(&mut bench, &many, MANY);
    drop((few, many));
    shutdown(&mut bench, 100, FEW);
    shutdown(&mut bench, 100_000, MANY);

    println!("\n{:<32} {FEW:>12} {MANY:>12} {:>6}", "", "ratio");
    let line = |what, limit| bench.line(what, [FEW, MANY], limit);
    line("open", Some(2.0));
    line("disconnect, ten streams", Some(2.0));
    line("stream_request", Some(2.0));
    line("close_stream", Some(2.0));
    line("Worker::run, an empty scan", Some(2.0));
    line("step, from memory", Some(2.0));
    line("notify, no stream on the vb", Some(2.0));
    line("notify, for each stream", None);
    line("shutdown, for each connection", None);
}
