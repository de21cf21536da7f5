//! The locks that each public call takes, counted: they are those of the table in
//! the crate's documentation, however many other connections there are.

use crate::backfill::bucket::Bucket;
use crate::connection::Connection;
use crate::index::Index;
use crate::sync::{taken, Rank};
use crate::*;
use std::sync::Arc;
use std::time::Instant;

struct Disk;

struct DiskScan(Seqno, Seqno);

impl ItemSource for Disk {
    fn open_scan(&self, _: VbId, range: SeqnoRange) -> Result<Box<dyn Scan>, SourceError> {
        Ok(Box::new(DiskScan(range.after, 3.min(range.upto))))
    }
    fn read_memory(&self, _: VbId, range: SeqnoRange) -> Result<Memory, SourceError> {
        Ok(Memory::Items(vec![Item { seqno: range.upto, payload: Arc::new([]) }]))
    }
}

impl Scan for DiskScan {
    fn snapshot_end(&self) -> Seqno {
        self.1
    }
    fn read(&mut self, batch: &mut Batch) -> Result<Scanned, SourceError> {
        while self.0 < self.1 && !batch.is_full() {
            self.0 += 1;
            batch.push(Item { seqno: self.0, payload: Arc::new([]) });
        }
        Ok(if self.0 < self.1 { Scanned::More } else { Scanned::End })
    }
}

struct Nobody;

impl FrontEnd for Nobody {
    fn wake(&self) {}
}

fn open(map: &ConnMap, id: u64, name: &str) -> Producer {
    map.open(ConnId(id), name, Arc::new(Nobody)).unwrap().deliver()
}

fn request(vb: u16) -> StreamRequest {
    StreamRequest { vb: VbId(vb), start: 0, end: Seqno::MAX, opaque: 0 }
}

/// The locks that a call takes: of the map, of connections, of the index, of
/// the bucket.
fn locks<T>(call: impl FnOnce() -> T) -> ([usize; 4], T) {
    let ranks = [Rank::Map, Rank::Connection, Rank::Index, Rank::Bucket];
    let before = ranks.map(taken);
    let answer = call();
    let after = ranks.map(taken);
    (std::array::from_fn(|at| after[at] - before[at]), answer)
}

/// Connection 0 makes each call in a map with this many others, each with a stream
/// on each of vbs 100 to 109.
fn costs(others: u64) -> Vec<(&'static str, [usize; 4])> {
    let map = ConnMap::new(Arc::new(Disk), Config::default());
    for id in 1..=others {
        let producer = open(&map, id, &format!("other {id}"));
        (100..110).for_each(|vb| producer.stream_request(request(vb)).unwrap().deliver());
    }
    let now = Instant::now();
    // The others' backfills are finished: the next turns are those of connection 0.
    while map.worker().run(now) == Run::Ran {}
    let mut table = Vec::new();
    let (cost, producer) = locks(|| open(&map, 0, "this"));
    table.push(("open", cost));
    table.push(("get", locks(|| map.get(ConnId(0)).unwrap()).0));
    table.push(("step, idle", locks(|| assert_eq!(producer.step(), Step::Idle)).0));
    table.push((
        "stream_request",
        locks(|| producer.stream_request(request(0)).unwrap().deliver()).0,
    ));
    let another = || producer.stream_request(request(9)).unwrap().deliver();
    table.push(("stream_request, a turn is to come", locks(another).0));
    producer.close_stream(VbId(9)).unwrap().deliver();
    table.push(("run, three items", locks(|| assert_eq!(map.worker().run(now), Run::Ran)).0));
    table.push(("run, idle", locks(|| assert_eq!(map.worker().run(now), Run::Idle)).0));
    table.push((
        "step, a message",
        locks(|| assert!(matches!(producer.step(), Step::Message(_)))).0,
    ));
    while producer.step() != Step::Idle {}
    table.push(("notify, no stream", locks(|| map.notify(VbId(7), 9).deliver()).0));
    table.push(("notify, one stream", locks(|| map.notify(VbId(0), 9).deliver()).0));
    table.push(("notify, nothing new", locks(|| map.notify(VbId(0), 9).deliver()).0));
    table.push((
        "step, from memory",
        locks(|| assert!(matches!(producer.step(), Step::Message(_)))).0,
    ));
    table.push(("pause", locks(|| assert_eq!(producer.pause(), Pause::Ready)).0));
    table.push(("wake", locks(|| producer.wake().deliver()).0));
    table.push(("close_stream", locks(|| producer.close_stream(VbId(0)).unwrap().deliver()).0));
    producer.stream_request(request(1)).unwrap().deliver();
    table.push((
        "close_stream, pending",
        locks(|| producer.close_stream(VbId(1)).unwrap().deliver()).0,
    ));
    producer.stream_request(request(2)).unwrap().deliver();
    let end = || map.end_streams(VbId(2), EndStatus::StateChanged).deliver();
    table.push(("end_streams, one", locks(|| assert_eq!(end(), 1)).0));
    table.push(("open, displacing", locks(|| open(&map, u64::MAX, "this")).0));
    let refused = |vb| producer.stream_request(request(vb)).unwrap_err();
    table.push(("stream_request, refused", locks(|| refused(3)).0));
    table.push(("disconnect", locks(|| map.disconnect(ConnId(0)).unwrap().deliver()).0));
    let absent = || map.disconnect(ConnId(0)).unwrap_err();
    table.push(("disconnect, nobody", locks(absent).0));
    assert_eq!(map.stats().connections as u64, others + 1);
    table
}

#[test]
fn each_call_takes_its_locks_whatever_else_there_is() {
    let table = costs(0);
    // of the map, of connections, of the index, of the bucket
    let expected = [
        ("open", [1, 0, 0, 0]),
        ("get", [1, 0, 0, 0]),
        ("step, idle", [0, 1, 0, 0]),
        ("stream_request", [0, 1, 1, 1]),
        ("stream_request, a turn is to come", [0, 1, 1, 0]),
        ("run, three items", [0, 4, 0, 3]),
        ("run, idle", [0, 0, 0, 1]),
        ("step, a message", [0, 1, 0, 0]),
        ("notify, no stream", [0, 0, 1, 0]),
        ("notify, one stream", [0, 1, 1, 0]),
        ("notify, nothing new", [0, 1, 1, 0]),
        ("step, from memory", [0, 3, 0, 0]),
        ("pause", [0, 1, 0, 0]),
        ("wake", [0, 1, 0, 0]),
        ("close_stream", [0, 1, 1, 0]),
        ("close_stream, pending", [0, 1, 1, 0]),
        ("end_streams, one", [0, 1, 2, 0]),
        ("open, displacing", [1, 1, 0, 0]),
        ("stream_request, refused", [0, 1, 0, 0]),
        ("disconnect", [1, 1, 0, 1]),
        ("disconnect, nobody", [1, 0, 0, 0]),
    ];
    assert_eq!(table, expected);
    assert_eq!(costs(300), expected);
}

#[test]
fn a_walk_and_a_shutdown_cost_what_they_go_through() {
    for connections in [1, 16, 17, 100] {
        let map = ConnMap::new(Arc::new(Disk), Config::default());
        for id in 0..connections {
            let producer = open(&map, id as u64, &format!("{id}"));
            (0..10).for_each(|vb| producer.stream_request(request(vb)).unwrap().deliver());
        }
        // Handles are copied by sixteen.
        let (cost, ()) = locks(|| map.notify(VbId(3), 1).deliver());
        assert_eq!(cost, [0, connections, connections / 16 + 1, 0]);
        let (cost, _) = locks(|| map.shutdown().deliver());
        assert_eq!(cost, [connections + 1, connections, 10 * connections, connections + 1]);
        let (cost, _) = locks(|| map.shutdown().deliver());
        assert_eq!(cost, [connections + 1, connections, 0, 1], "a second one looks again");
    }
}

#[test]
fn the_index_has_what_is_open_and_nothing_else() {
    let index: Index<usize> = Index::new();
    let connections: Vec<_> = (0..40).map(crate::sync::Strong::new).collect();
    let weak = |at: usize| crate::sync::Strong::downgrade(&connections[at]);
    let insert = |vb, at| index.insert(VbId(vb), &weak(at));
    let visited = |vb| {
        let mut visited = Vec::new();
        index.visit(VbId(vb), |connection| visited.push(*connection));
        visited
    };
    let tickets: Vec<_> = (0..40).map(|at| [0, 16, 7].map(|vb| insert(vb, at))).collect();
    assert_eq!(index.len(), 120);
    let all: Vec<_> = (0..40).collect();
    assert_eq!([0, 16, 7, 1, 32].map(visited), [&all[..], &all, &all, &[], &[]]);
    // Gaps are left, and closed: the other entries are found, in the order of requests.
    let kept = |at: &usize| at % 7 == 3;
    for at in all.iter().filter(|at| !kept(at)) {
        index.remove(VbId(16), tickets[*at][1]);
        index.remove(VbId(16), tickets[*at][1]);
    }
    assert_eq!(visited(16), [3, 10, 17, 24, 31, 38]);
    let again = insert(16, 5);
    index.remove(VbId(16), tickets[17][1]);
    assert_eq!(visited(16), [3, 10, 24, 31, 38, 5]);
    index.remove(VbId(16), again);
    all.iter().filter(|at| kept(at)).for_each(|at| index.remove(VbId(16), tickets[*at][1]));
    assert_eq!(([0, 16, 7].map(visited), index.len()), ([all.clone(), vec![], all], 80));
    // A stream that is requested during a walk is not visited: there might be no end.
    let mut count = 0;
    index.visit(VbId(7), |_| {
        count += 1;
        insert(7, 0);
    });
    assert_eq!((count, index.len()), (40, 120));
}

/// The sizes of a connection and of the bucket, in bytes, on 64 bit.
#[cfg(target_pointer_width = "64")]
#[test]
fn sizes() {
    use std::mem::size_of;
    assert_eq!(size_of::<Connection>(), 56);
    assert!(size_of::<Bucket<Connection>>() <= 256);
}

/// A scan that is put off once, and asks for another stream when it goes on.
struct Asks(Arc<Asked>);

#[derive(Default)]
struct Asked {
    producer: std::sync::OnceLock<Producer>,
    reads: std::sync::atomic::AtomicUsize,
    taken: std::sync::OnceLock<[usize; 4]>,
}

impl ItemSource for Asks {
    fn open_scan(&self, _: VbId, _: SeqnoRange) -> Result<Box<dyn Scan>, SourceError> {
        Ok(Box::new(Asks(Arc::clone(&self.0))))
    }
    fn read_memory(&self, _: VbId, _: SeqnoRange) -> Result<Memory, SourceError> {
        Ok(Memory::Gone)
    }
}

impl Scan for Asks {
    fn snapshot_end(&self) -> Seqno {
        1
    }
    fn read(&mut self, _: &mut Batch) -> Result<Scanned, SourceError> {
        if self.0.reads.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
            return Ok(Scanned::Later);
        }
        let producer = self.0.producer.get().expect("it is opened first");
        let (taken, answer) = locks(|| producer.stream_request(request(1)));
        answer?.deliver();
        let _ = self.0.taken.set(taken);
        Ok(Scanned::Later)
    }
}

#[test]
fn a_request_during_a_run_asks_for_no_turn() {
    let asked = Arc::new(Asked::default());
    let config = Config { backfills_per_connection: 1, ..Config::default() };
    let snooze = config.snooze;
    let map = ConnMap::new(Arc::new(Asks(Arc::clone(&asked))), config);
    let producer = open(&map, 1, "one");
    producer.stream_request(request(0)).unwrap().deliver();
    let _ = asked.producer.set(producer);
    let now = Instant::now();
    assert_eq!(map.worker().run(now), Run::Ran);
    assert_eq!(map.worker().run(now + snooze), Run::Ran);
    // The connection has one backfill, which runs: no other can begin.
    assert_eq!(asked.taken.get(), Some(&[0, 1, 1, 0]));
}
