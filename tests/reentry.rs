//! Whatever the core calls of the host's may call the core back: no lock of
//! the core is held then. Were one held, the rank check would panic, and be
//! contained; so the test counts who came in and who came out.
#![cfg(not(any(loom, shuttle)))]

#[path = "support/host.rs"]
mod host;

use connmap::*;
use host::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

/// Calls back into the map; on its destruction, too.
#[derive(Clone)]
struct Probe(Weak<ConnMap>, Arc<[AtomicUsize; 2]>);

impl Probe {
    fn call_back(&self) {
        self.1[0].fetch_add(1, Ordering::SeqCst);
        if let Some(map) = self.0.upgrade() {
            map.stats();
            map.get(ConnId(1)).map(|producer| producer.stats());
        }
        self.1[1].fetch_add(1, Ordering::SeqCst);
    }
}

struct Dropped(Probe);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.call_back();
    }
}

struct Caller(Dropped);

impl FrontEnd for Caller {
    fn wake(&self) {
        self.0 .0.call_back();
    }
}

#[test]
fn every_callback_may_call_the_core() {
    let counts: Arc<[AtomicUsize; 2]> = Arc::default();
    let map = Arc::new_cyclic(|me| {
        let probe = Probe(Weak::clone(me), Arc::clone(&counts));
        let reads = probe.clone();
        let source = Source::new(move |_, range| {
            probe.call_back();
            let (dropped, mut seqno) = (Dropped(probe.clone()), range.after);
            Ok(Box::new(FnScan(5, move || {
                dropped.0.call_back();
                seqno += 1;
                Ok(if seqno <= 5 { One::Item(item(seqno, 1)) } else { One::End })
            })))
        })
        .memory(move |_, range| {
            reads.call_back();
            Ok(Memory::Items(vec![item(range.upto, 1)]))
        });
        ConnMap::new(source.arc(), Config { scan_items: 2, ..Config::default() })
    });
    let probe = Probe(Arc::downgrade(&map), Arc::clone(&counts));
    let open = |id, name: &str| {
        map.open(ConnId(id), name, Arc::new(Caller(Dropped(probe.clone())))).unwrap().deliver()
    };
    let (worker, now) = (map.worker(), Instant::now());
    let producer = open(1, "one");
    for vb in 0..4 {
        stream(&producer, vb, 0, 20);
        drain(&producer);
    }
    for _ in 0..20 {
        worker.run(now);
        drain(&producer);
    }
    map.notify(VbId(0), 9).deliver();
    drain(&producer);
    stream(&producer, 4, 0, 20);
    worker.run(now);
    producer.close_stream(VbId(4)).unwrap().deliver();
    map.end_streams(VbId(1), EndStatus::Rollback).deliver();
    drain(&producer);
    producer.wake().deliver();
    // A stream that is sent to its end in step, whose scan is dropped there.
    stream(&producer, 5, 0, 2);
    worker.run(now);
    assert_eq!(ends(&drain(&producer)), [(5, EndStatus::Ok)]);
    // A front end that is refused is dropped by the refusal.
    let refused = Arc::new(Caller(Dropped(probe.clone())));
    let before = counts[0].load(Ordering::SeqCst);
    assert_eq!(map.open(ConnId(1), "one", refused).unwrap_err(), OpenError::IdInUse(ConnId(1)));
    assert_eq!(counts[0].load(Ordering::SeqCst), before + 1, "it calls back");
    open(2, "one");
    map.disconnect(ConnId(1)).unwrap().deliver();
    map.shutdown().deliver();
    let [came_in, came_out] = [0, 1].map(|at: usize| counts[at].load(Ordering::SeqCst));
    assert!(came_in > 50, "{came_in}");
    assert_eq!(came_in, came_out);
}
