//! What the calls allocate, counted: nothing for an item, and what does not
//! depend on how many others there are; and the bytes of who is idle.
#![cfg(not(any(loom, shuttle)))]

use allocation_counter::{measure, AllocationInfo};
use connmap::*;
use std::sync::Arc;
use std::time::Instant;

/// A host that allocates nothing for an item: all have one payload.
struct Disk(Arc<[u8]>);

struct DiskScan(Seqno, Arc<[u8]>);

impl ItemSource for Disk {
    fn open_scan(&self, _: VbId, range: SeqnoRange) -> Result<Box<dyn Scan>, SourceError> {
        Ok(Box::new(DiskScan(range.after, Arc::clone(&self.0))))
    }

    fn read_memory(&self, _: VbId, _: SeqnoRange) -> Result<Memory, SourceError> {
        Ok(Memory::Items(Vec::new()))
    }
}

impl Scan for DiskScan {
    fn snapshot_end(&self) -> Seqno {
        if self.0 < LAST {
            Seqno::MAX
        } else {
            LAST
        }
    }

    fn read(&mut self, batch: &mut Batch) -> Result<Scanned, SourceError> {
        if self.0 >= LAST {
            return Ok(Scanned::End);
        }
        while !batch.is_full() {
            self.0 += 1;
            batch.push(Item { seqno: self.0, payload: Arc::clone(&self.1) });
        }
        Ok(Scanned::More)
    }
}

/// Nothing is on disk behind it.
const LAST: Seqno = 1 << 40;

struct Nobody;

impl FrontEnd for Nobody {
    fn wake(&self) {}
}

fn map(config: Config) -> ConnMap {
    ConnMap::new(Arc::new(Disk([7; 16].into())), config)
}

fn open(map: &ConnMap, id: u64) -> Producer {
    map.open(ConnId(id), &format!("{id}"), Arc::new(Nobody)).unwrap().deliver()
}

fn request(producer: &Producer, vb: u16) {
    let request = StreamRequest { vb: VbId(vb), start: 0, end: Seqno::MAX, opaque: 0 };
    producer.stream_request(request).unwrap().deliver();
}

/// How often `call` allocates.
fn allocations(call: impl FnOnce()) -> u64 {
    measure(call).count_total
}

/// The bytes that `call` allocates and does not give back.
fn bytes(call: impl FnOnce()) -> i64 {
    let AllocationInfo { bytes_current, .. } = measure(call);
    bytes_current
}

#[test]
fn an_item_costs_no_allocation() {
    for items in [64, 640] {
        let map = map(Config { scan_items: items, ..Config::default() });
        let producer = open(&map, 0);
        request(&producer, 0);
        let (worker, now) = (map.worker(), Instant::now());
        let run = || assert_eq!(worker.run(now), Run::Ran);
        let step = || assert!(matches!(producer.step(), Step::Message(_)));
        // The scan and the queue come with the first run, and its marker.
        run();
        (0..=items).for_each(|_| step());
        for _ in 0..3 {
            // A run has one, for its batches.
            assert_eq!(allocations(run), 1);
            assert_eq!(allocations(|| (0..items).for_each(|_| step())), 0);
        }
        // To be told that there is nothing costs none, nor does a write of
        // which the client has heard, or that is nobody's.
        assert_eq!(allocations(|| assert_eq!(producer.step(), Step::Idle)), 0);
        assert_eq!(allocations(|| map.notify(VbId(0), 1).deliver()), 0);
        assert_eq!(allocations(|| map.notify(VbId(7), 1).deliver()), 0);
    }
}

/// The allocations of each call on connection 0, which has a stream on vb 0, in
/// a map with so many others.
fn costs(others: u64) -> Vec<(&'static str, u64)> {
    let map = map(Config::default());
    for id in 1..=others {
        let producer = open(&map, id);
        (0..10).for_each(|vb| request(&producer, vb));
    }
    let producer = open(&map, 0);
    (0..3).for_each(|vb| request(&producer, vb));
    // What was allocated for those that have gone is there.
    producer.close_stream(VbId(1)).unwrap().deliver();
    let _ = producer.step();
    let mut table = Vec::new();
    let mut count = |what, call: &dyn Fn()| table.push((what, allocations(call)));
    count("stream_request", &|| request(&producer, 1));
    count("close_stream", &|| producer.close_stream(VbId(1)).unwrap().deliver());
    count("step, an end", &|| assert!(matches!(producer.step(), Step::Message(_))));
    count("step, idle", &|| assert_eq!(producer.step(), Step::Idle));
    count("wake", &|| producer.wake().deliver());
    count("pause", &|| assert_eq!(producer.pause(), Pause::Paused));
    count("end_streams, one, paused", &|| {
        assert_eq!(map.end_streams(VbId(100), EndStatus::StateChanged).deliver(), 0);
    });
    count("get", &|| drop(map.get(ConnId(0)).unwrap()));
    count("stats", &|| assert_eq!(map.stats().connections as u64, others + 1));
    count("has_stream", &|| assert!(producer.has_stream(VbId(0))));
    table
}

#[test]
fn a_call_allocates_the_same_whatever_else_there_is() {
    let table = costs(0);
    let expected = [
        ("stream_request", 0),
        ("close_stream", 0),
        ("step, an end", 0),
        ("step, idle", 0),
        // The list of whom to wake.
        ("wake", 1),
        ("pause", 0),
        ("end_streams, one, paused", 0),
        ("get", 0),
        ("stats", 0),
        ("has_stream", 0),
    ];
    assert_eq!(table, expected);
    assert_eq!(costs(300), expected);
}

/// What is in the README, measured on many: bytes of the heap, with what the
/// tables of the map keep for each, and without what the allocator adds.
#[cfg(target_pointer_width = "64")]
#[test]
fn what_is_idle_is_small() {
    const MANY: u64 = 1024;
    let map = map(Config::default());
    let mut producers = Vec::with_capacity(MANY as usize);
    // The name is ours until the map has copied it.
    let connection =
        bytes(|| (0..MANY).for_each(|id| producers.push(open(&map, id)))) / MANY as i64;
    // Their clients have everything that there is.
    let request = |vb| StreamRequest { vb: VbId(vb), start: LAST, end: Seqno::MAX, opaque: 0 };
    let (worker, now) = (map.worker(), Instant::now());
    let caught_up = |producer: &Producer| {
        (0..16).for_each(|vb| producer.stream_request(request(vb)).unwrap().deliver());
        (0..16).for_each(|_| assert_eq!(worker.run(now), Run::Ran));
    };
    let stream = bytes(|| producers.iter().for_each(caught_up)) / (16 * MANY as i64);
    assert_eq!((connection, stream), (561, 177));
}
