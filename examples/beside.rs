//! Everything that one connection does, again and again, beside others that do nothing: `cargo xtask
//! instructions` counts what that takes, which must not depend on how many others there are.
//!
//! `cargo run --example beside -- OTHERS TIMES`

use connmap::{
    Batch, Config, ConnId, ConnMap, FrontEnd, Item, ItemSource, Memory, Producer, Run, Scan,
    Scanned, Seqno, SeqnoRange, SourceError, Step, StreamRequest, VbId, Worker,
};
use std::sync::Arc;
use std::time::Instant;

/// One item is on disk; memory has what was written last.
struct Store;

struct First(bool);

fn item(seqno: Seqno) -> Item {
    Item { seqno, payload: Arc::new([0; 16]) }
}

impl ItemSource for Store {
    fn open_scan(&self, _: VbId, _: SeqnoRange) -> Result<Box<dyn Scan>, SourceError> {
        Ok(Box::new(First(false)))
    }

    fn read_memory(&self, _: VbId, range: SeqnoRange) -> Result<Memory, SourceError> {
        Ok(Memory::Items(vec![item(range.upto)]))
    }
}

impl Scan for First {
    fn snapshot_end(&self) -> Seqno {
        1
    }

    fn read(&mut self, batch: &mut Batch) -> Result<Scanned, SourceError> {
        if !std::mem::replace(&mut self.0, true) {
            batch.push(item(1));
        }
        Ok(Scanned::End)
    }
}

struct Nobody;

impl FrontEnd for Nobody {
    fn wake(&self) {}
}

/// A connection with one stream, which has caught up.
fn connect(map: &ConnMap, worker: &Worker, id: u64, vb: VbId) -> Producer {
    let name = format!("connection {id:09}");
    let producer = map.open(ConnId(id), &name, Arc::new(Nobody)).expect("a new one").deliver();
    let request = StreamRequest { vb, start: 0, end: Seqno::MAX, opaque: 0 };
    producer.stream_request(request).expect("a new one").deliver();
    while worker.run(Instant::now()) == Run::Ran {}
    assert_eq!(messages(&producer), 2);
    producer
}

/// How many messages there are for the client.
fn messages(producer: &Producer) -> usize {
    std::iter::from_fn(|| matches!(producer.step(), Step::Message(_)).then_some(())).count()
}

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|n| n.parse().ok()).collect();
    let &[others, times] = &numbers[..] else { panic!("usage: beside OTHERS TIMES") };
    let map = ConnMap::new(Arc::new(Store), Config::default());
    let worker = map.worker();
    let vb_of = |id: u64| VbId(1 + (id % 1000) as u16);
    let _others: Vec<_> = (0..others).map(|id| connect(&map, &worker, id, vb_of(id))).collect();
    for id in others..others + times {
        let producer = connect(&map, &worker, id, VbId(0));
        map.notify(VbId(0), 2).deliver();
        map.notify(VbId(2000), 2).deliver();
        assert_eq!(messages(&producer), 2);
        producer.close_stream(VbId(0)).expect("it is open").deliver();
        assert_eq!(messages(&producer), 1);
        map.disconnect(ConnId(id)).expect("it is open").deliver();
    }
}
