//! What a call costs beside how many others: 100 connections against 100,000,
//! each with ten streams, and beside two floors. Ratios within one run; the
//! times are of this machine. `cargo bench --bench scale`
#![allow(missing_docs)]

use connmap::*;
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::Instant;

const VBS: u64 = 1024;
const ITEMS: u64 = 1000;

struct Disk;

struct DiskScan(Seqno, Seqno);

fn item(seqno: Seqno) -> Item {
    Item { seqno, payload: Arc::new([0; 16]) }
}

impl ItemSource for Disk {
    fn open_scan(&self, _: VbId, range: SeqnoRange) -> Result<Box<dyn Scan>, SourceError> {
        Ok(Box::new(DiskScan(range.after, ITEMS.min(range.upto))))
    }
    fn read_memory(&self, _: VbId, _: SeqnoRange) -> Result<Memory, SourceError> {
        Ok(Memory::Items(Vec::new()))
    }
}

impl Scan for DiskScan {
    fn snapshot_end(&self) -> Seqno {
        self.1
    }
    fn read(&mut self, batch: &mut Batch) -> Result<Scanned, SourceError> {
        while self.0 < self.1 && !batch.is_full() {
            self.0 += 1;
            batch.push(item(self.0));
        }
        Ok(if self.0 < self.1 { Scanned::More } else { Scanned::End })
    }
}

struct Nobody;

impl FrontEnd for Nobody {
    fn wake(&self) {}
}

/// Nanoseconds for one of `n`. A machine that does something else as well
/// makes them worthless, and their ratios, too.
fn each(n: u64, call: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    call();
    begin.elapsed().as_nanos() as f64 / n as f64
}

fn request(vb: u64) -> StreamRequest {
    StreamRequest { vb: VbId(vb as u16), start: 0, end: Seqno::MAX, opaque: 0 }
}

/// Each call in a map of so many connections, by name.
fn costs(connections: u64) -> Vec<(&'static str, f64)> {
    let map = ConnMap::new(Arc::new(Disk), Config { scan_items: 1, ..Config::default() });
    let open =
        |id: u64| map.open(ConnId(id), &format!("name {id}"), Arc::new(Nobody)).unwrap().deliver();
    let vb_of = |id: u64, n: u64| (id * 7 + n * 101) % VBS;
    let ask = |producer: &Producer, id: u64| {
        (0..10).for_each(|n| producer.stream_request(request(vb_of(id, n))).unwrap().deliver());
    };
    (0..connections).for_each(|id| ask(&open(id), id));
    let more = 1000;
    let ids = || connections..connections + more;
    let mut producers = Vec::new();
    let mut costs = vec![("open", each(more, || producers.extend(ids().map(open))))];
    let all = || producers.iter().zip(ids());
    costs.push((
        "stream_request",
        each(10 * more, || all().for_each(|(producer, id)| ask(producer, id))),
    ));
    let now = Instant::now();
    let worker = map.worker();
    costs.push((
        "Worker::run, one item",
        each(more, || {
            (0..more).for_each(|_| assert_eq!(worker.run(now), Run::Ran));
        }),
    ));
    costs.push((
        "step, idle or a message",
        each(more, || {
            all().for_each(|(producer, _)| drop(black_box(producer.step())));
        }),
    ));
    costs.push((
        "notify, no stream",
        each(100_000, || {
            (0..100_000).for_each(|n| map.notify(VbId((VBS + n % VBS) as u16), n).deliver());
        }),
    ));
    let streams = 10 * (connections + more);
    costs.push((
        "notify, for each stream",
        each(streams, || {
            (0..VBS).for_each(|vb| map.notify(VbId(vb as u16), 9).deliver());
        }),
    ));
    costs.push((
        "close_stream",
        each(more, || {
            let close =
                |(producer, id): (&Producer, u64)| producer.close_stream(VbId(vb_of(id, 0) as u16));
            all().for_each(|of| close(of).unwrap().deliver());
        }),
    ));
    costs.push((
        "disconnect, nine streams",
        each(more, || {
            ids().for_each(|id| drop(map.disconnect(ConnId(id)).unwrap().deliver()));
        }),
    ));
    costs.push((
        "shutdown, each connection",
        each(connections, || {
            drop(map.shutdown().deliver());
        }),
    ));
    costs
}

/// A bare check-and-insert, ten for each of a thousand maps.
fn floor_of_requests() -> f64 {
    let maps: Vec<Mutex<HashMap<VbId, StreamRequest>>> =
        (0..1000).map(|_| Mutex::default()).collect();
    each(10_000, || {
        for map in &maps {
            for n in 0..10 {
                let request = request(n * 101);
                let mut map = map.lock().unwrap();
                map.entry(request.vb).or_insert(request);
            }
        }
    })
}

/// Items from the source through a bounded channel, and through the core.
fn items() -> (f64, f64) {
    let rounds = 200;
    let (send, receive) = sync_channel(ITEMS as usize);
    let channel = each(rounds * ITEMS, || {
        for _ in 0..rounds {
            let mut scan: Box<dyn Scan> = Box::new(DiskScan(0, ITEMS));
            let mut batch = Batch::default();
            let mut scanned = Scanned::More;
            while scanned == Scanned::More {
                scanned = scan.read(&mut batch).unwrap();
                batch.drain().for_each(|item| send.send(item).unwrap());
            }
            receive.try_iter().for_each(|item| drop(black_box(item)));
        }
    });
    let map = ConnMap::new(Arc::new(Disk), Config::default());
    let producer = map.open(ConnId(0), "one", Arc::new(Nobody)).unwrap().deliver();
    let worker = map.worker();
    let core = each(rounds * ITEMS, || {
        for _ in 0..rounds {
            producer.stream_request(StreamRequest { end: ITEMS, ..request(0) }).unwrap().deliver();
            while worker.run(Instant::now()) == Run::Ran {}
            while let Step::Message(message) = producer.step() {
                drop(black_box(message));
            }
        }
    });
    (channel, core)
}

fn main() {
    let (few, many) = (costs(100), costs(100_000));
    println!("{:28} {:>12} {:>12} {:>8}", "", "100", "100,000", "ratio");
    for ((name, few), (_, many)) in few.iter().zip(&many) {
        println!("{name:28} {few:>9.0} ns {many:>9.0} ns {:>8.2}", many / few);
    }
    let floor = floor_of_requests();
    let request = few.iter().find(|(name, _)| *name == "stream_request").unwrap().1;
    println!("\n{:28} {:>12} {:>12} {:>8}", "", "floor", "core", "ratio");
    println!("{:28} {floor:>9.0} ns {request:>9.0} ns {:>8.2}", "stream_request", request / floor);
    let (channel, core) = items();
    println!(
        "{:28} {channel:>9.0} ns {core:>9.0} ns {:>8.2}",
        "an item, out again",
        core / channel
    );
}
