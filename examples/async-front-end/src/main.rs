//! Front ends that are tasks: a hundred connections on a tokio runtime of two
//! threads, each woken through a `tokio::sync::Notify`, and a shutdown.
//!
//! No call here waits for anything but short critical sections, so a task may
//! make it. Two may take as long as the host's own code does: `step`, which asks
//! `read_memory`, and a worker's turn, which scans; the workers have threads of
//! their own, and a `read_memory` that reads a disk belongs into
//! `spawn_blocking`, with the `step` that asks for it.

use connmap::{
    Batch, Config, ConnId, ConnMap, FrontEnd, Item, ItemSource, Memory, Message, Producer, Scan,
    Scanned, Seqno, SeqnoRange, SourceError, Step, StreamRequest, VbId, WorkerPool,
};
use std::sync::Arc;
use tokio::sync::Notify;

const CONNECTIONS: u64 = 100;
const VBS: u16 = 10;
const ITEMS: Seqno = 50;

/// Seqnos 1 to [`ITEMS`] of every vb, on disk.
struct Store;

struct StoreScan(Seqno);

impl ItemSource for Store {
    fn open_scan(&self, _vb: VbId, range: SeqnoRange) -> Result<Box<dyn Scan>, SourceError> {
        Ok(Box::new(StoreScan(range.after)))
    }

    fn read_memory(&self, _vb: VbId, _range: SeqnoRange) -> Result<Memory, SourceError> {
        Ok(Memory::Gone)
    }
}

impl Scan for StoreScan {
    fn snapshot_end(&self) -> Seqno {
        ITEMS
    }

    fn read(&mut self, batch: &mut Batch) -> Result<Scanned, SourceError> {
        while self.0 < ITEMS && !batch.is_full() {
            self.0 += 1;
            batch.push(Item { seqno: self.0, payload: Arc::new([0; 64]) });
        }
        Ok(if self.0 < ITEMS { Scanned::More } else { Scanned::End })
    }
}

/// How a task is woken. `Notify` keeps one permit: a wake that comes before the
/// task waits is not lost, and several count as one, which is what is meant.
#[derive(Default)]
struct Wake(Notify);

impl FrontEnd for Wake {
    fn wake(&self) {
        self.0.notify_one();
    }
}

/// One connection's task: steps until there is nothing, then waits to be woken.
/// Answers how many items came, and how many streams were seen to end.
async fn serve(producer: Producer, wake: Arc<Wake>) -> (u64, u64) {
    let (mut items, mut ends) = (0, 0);
    loop {
        match producer.step() {
            Step::Message(Message::StreamEnd(_)) => ends += 1,
            Step::Message(Message::Item { .. }) => items += 1,
            Step::Message(_) => {}
            Step::Idle => wake.0.notified().await,
            Step::Disconnect(_) => return (items, ends),
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    let map = ConnMap::new(Arc::new(Store), Config::default());
    let workers = WorkerPool::start(&map.worker(), 2);
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|id| {
            let wake = Arc::new(Wake::default());
            let producer = map.open(ConnId(id), &format!("client {id}"), wake.clone())?.deliver();
            for vb in (0..VBS).map(VbId) {
                let request = StreamRequest { vb, start: 0, end: ITEMS, opaque: 0 };
                producer.stream_request(request)?.deliver();
            }
            Ok(runtime.spawn(serve(producer, wake)))
        })
        .collect::<Result<_, Box<dyn std::error::Error>>>()?;

    // The bucket is deleted while they stream. What step handed out and what the
    // shutdown reports are together the end of each stream, once.
    std::thread::yield_now();
    let closed = map.shutdown().deliver();
    let reported: u64 = closed.iter().map(|closed| closed.ends.len() as u64).sum();
    let (mut items, mut ends) = (0, 0);
    for client in clients {
        let (got, ended) = runtime.block_on(client)?;
        (items, ends) = (items + got, ends + ended);
    }
    workers.join();
    println!("{items} items, {ends} streams ended by themselves, {reported} by the shutdown");
    assert_eq!(ends + reported, CONNECTIONS * u64::from(VBS), "each stream ends once");
    Ok(())
}

#[cfg(test)]
#[test]
fn every_stream_ends_once() {
    main().unwrap();
}
