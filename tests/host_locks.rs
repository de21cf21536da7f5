//! A host with a lock of its own: its vb state lock, held for reading around
//! stream_request and for writing around end_streams, and taken by whatever
//! the core calls of the host's. It delivers wake-ups after releasing.
//!
//! A deadlock shows as a test that fails after [`SOON`].
#![cfg(not(any(loom, shuttle)))]

#[path = "support/host.rs"]
mod host;

use connmap::*;
use host::*;
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::Instant;

type StateLock = Arc<RwLock<()>>;

/// Takes the state lock whenever the core calls it.
struct Locking(StateLock, Arc<Bell>);

impl FrontEnd for Locking {
    fn wake(&self) {
        let _state = self.0.read().unwrap();
        self.1.wake();
    }
}

impl Drop for Locking {
    fn drop(&mut self) {
        let _state = self.0.write().unwrap();
    }
}

struct LockingScan(StateLock, Box<dyn Scan>);

impl Scan for LockingScan {
    fn snapshot_end(&self) -> Seqno {
        let _state = self.0.read().unwrap();
        self.1.snapshot_end()
    }

    fn read(&mut self, batch: &mut Batch) -> Result<Scanned, SourceError> {
        let _state = self.0.read().unwrap();
        self.1.read(batch)
    }
}

impl Drop for LockingScan {
    fn drop(&mut self) {
        let _state = self.0.write().unwrap();
    }
}

/// A map whose source takes the lock, and one paused connection whose front
/// end does.
fn locking(scan: fn(SeqnoRange) -> Box<dyn Scan>) -> (StateLock, ConnMap, Producer, Arc<Bell>) {
    let lock = StateLock::default();
    let (opens, reads) = (Arc::clone(&lock), Arc::clone(&lock));
    let source = Source::new(move |_, range| {
        let _state = opens.read().unwrap();
        Ok(Box::new(LockingScan(Arc::clone(&opens), scan(range))))
    })
    .memory(move |_, range| {
        let _state = reads.read().unwrap();
        Ok(Memory::Items((range.after + 1..=range.upto).map(|seqno| item(seqno, 1)).collect()))
    });
    let map = ConnMap::new(source.arc(), Config::default());
    let bell = Bell::new();
    let front_end = Arc::new(Locking(Arc::clone(&lock), Arc::clone(&bell)));
    let producer = map.open(ConnId(1), "locking", front_end).unwrap().deliver();
    (lock, map, producer, bell)
}

/// Ends a stream whose scan is open, by `end`, which is called with the host's
/// lock held for writing; what it returns is delivered after that.
fn ends_under_the_lock<T>(end: impl FnOnce(&ConnMap, &Producer) -> Deferred<T> + Send + 'static) {
    within("a thread that holds a lock of the host's", move || {
        let (lock, map, producer, bell) = locking(|_| later());
        stream(&producer, 0, 0, 9);
        run_all(&map.worker(), Instant::now());
        assert_eq!(drain(&producer).len(), 1);
        let deferred = {
            let _state = lock.write().unwrap();
            end(&map, &producer)
        };
        deferred.deliver();
        assert_eq!(bell.rung(), 1);
        assert_eq!(map.live().get().backfills, 0);
    });
}

#[test]
fn nothing_of_the_hosts_is_called_before_deliver() {
    ends_under_the_lock(|map, _| map.end_streams(VbId(0), EndStatus::StateChanged));
    ends_under_the_lock(|_, producer| producer.close_stream(VbId(0)).unwrap());
    ends_under_the_lock(|map, _| map.disconnect(ConnId(1)).unwrap());
    ends_under_the_lock(|map, _| map.shutdown());
}

/// A front end's loop: requests under the lock, delivers after it, steps.
fn front_end(lock: &StateLock, producer: &Producer, vb: u16) -> usize {
    let mut accepted = 0;
    let mut ended = 0;
    for round in 0..150 {
        let requested = {
            let _state = lock.read().unwrap();
            producer.stream_request(request(vb, 0, 3 + round % 4))
        };
        if let Ok(deferred) = requested {
            accepted += 1;
            deferred.deliver();
        }
        ended += ends(&drain(producer)).len();
    }
    accepted - ended
}

#[test]
fn requests_and_state_changes_under_the_hosts_lock() {
    within("a thread that holds a lock of the host's", || {
        let (lock, map, first, _bell) = locking(|range| all(4, range));
        let second = Arc::new(Locking(Arc::clone(&lock), Bell::new()));
        let second = map.open(ConnId(2), "second", second).unwrap().deliver();
        let pool = WorkerPool::start(&map.worker(), 2);
        let open = thread::scope(|scope| {
            let lock = &lock;
            let front_ends = [(first, 0), (second, 1)]
                .map(|(producer, vb)| scope.spawn(move || front_end(lock, &producer, vb)));
            for round in 0..200 {
                let vb = VbId(round % 2);
                let deferred = {
                    let _state = lock.write().unwrap();
                    map.end_streams(vb, EndStatus::StateChanged)
                };
                deferred.deliver();
                map.notify(vb, u64::from(round)).deliver();
            }
            front_ends.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        let closed = map.shutdown().deliver();
        assert_eq!(closed.iter().map(|closed| closed.ends.len()).sum::<usize>(), open);
        pool.join();
        assert_eq!(map.live().get().backfills, 0);
    });
}
