//! The core in a server, as small as it gets: one connection, one stream, the
//! built-in workers, and a shutdown. The README shows this file.

use connmap::{
    Batch, Config, ConnId, ConnMap, FrontEnd, Item, ItemSource, Memory, Message, Scan, Scanned,
    Seqno, SeqnoRange, SourceError, Step, StreamRequest, VbId, WorkerPool,
};
use std::sync::Arc;
use std::thread::Thread;

/// Where items come from: here, seqnos 1 to 3 of every vb, on disk.
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
        3
    }

    fn read(&mut self, batch: &mut Batch) -> Result<Scanned, SourceError> {
        while self.0 < 3 && !batch.is_full() {
            self.0 += 1;
            batch.push(Item { seqno: self.0, payload: Arc::new([0; 16]) });
        }
        Ok(if self.0 < 3 { Scanned::More } else { Scanned::End })
    }
}

/// How a front end is woken: here, by unparking its thread.
struct Unpark(Thread);

impl FrontEnd for Unpark {
    fn wake(&self) {
        self.0.unpark();
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let map = ConnMap::new(Arc::new(Store), Config::default());
    let workers = WorkerPool::start(&map.worker(), 2);

    let wake = Arc::new(Unpark(std::thread::current()));
    let producer = map.open(ConnId(1), "replica", wake)?.deliver();
    producer.stream_request(StreamRequest { vb: VbId(0), start: 0, end: 3, opaque: 7 })?.deliver();

    // The front end's loop: step until there is nothing, then sleep.
    loop {
        match producer.step() {
            Step::Message(Message::StreamEnd(end)) => {
                println!("stream end: {:?}", end.status);
                break;
            }
            Step::Message(message) => println!("{message:?}"),
            Step::Idle => std::thread::park(),
            Step::Disconnect(reason) => {
                println!("disconnected: {reason:?}");
                break;
            }
        }
    }

    // The bucket is deleted. From here on everything is refused, and what was
    // open is reported, once.
    for closed in map.shutdown().deliver() {
        println!("{} closed, with {} streams", closed.id, closed.ends.len());
    }
    workers.join();
    Ok(())
}
