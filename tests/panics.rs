//! A host that panics, in each method and destructor that the core calls:
//! only the stream in question ends, and the worker and its manager live on.
#![cfg(not(any(loom, shuttle)))]

#[path = "support/host.rs"]
mod host;

use connmap::*;
use host::*;
use std::panic::panic_any;
use std::sync::Arc;
use std::time::Instant;

/// Its destructor panics, so that dropping it while another panic unwinds
/// would abort the process.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("a destructor of the host's");
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    SnapshotEnd,
    Next,
    Payload,
    Error,
    Drop,
}

/// A scan with one fault; its destructor panics in any case.
struct BadScan(Fault, Grenade);

impl Scan for BadScan {
    fn snapshot_end(&self) -> Seqno {
        assert!(self.0 != Fault::SnapshotEnd, "snapshot_end");
        9
    }

    fn read(&mut self, _: &mut Batch) -> Result<Scanned, SourceError> {
        match self.0 {
            Fault::Next => panic!("next"),
            Fault::Payload => panic_any(Grenade),
            Fault::Error => Err(Box::new(BadError(Grenade))),
            _ => Ok(Scanned::End),
        }
    }
}

struct BadError(#[allow(dead_code)] Grenade);

impl std::error::Error for BadError {}

impl std::fmt::Debug for BadError {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("an error is dropped, not shown")
    }
}

impl std::fmt::Display for BadError {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("an error is dropped, not shown")
    }
}

fn bad(fault: Fault) -> Result<Box<dyn Scan>, SourceError> {
    Ok(Box::new(BadScan(fault, Grenade)))
}

/// vb 0 is bad, vb 1 is good; a map with both, run until nothing is left.
fn only_vb_0_ends(open_bad: fn() -> Result<Box<dyn Scan>, SourceError>, status: EndStatus) {
    let source =
        Source::new(move |vb, range| if vb == VbId(0) { open_bad() } else { Ok(all(9, range)) });
    let map = ConnMap::new(source.arc(), Config::default());
    let (producer, _) = open(&map, 1);
    stream(&producer, 0, 0, 9);
    stream(&producer, 1, 0, 9);
    let worker = map.worker();
    run_all(&worker, Instant::now());
    let messages = drain(&producer);
    let mut ends = ends(&messages);
    ends.sort();
    assert_eq!(ends, [(0, status), (1, EndStatus::Ok)]);
    assert_eq!(items(&messages), (1..=9).collect::<Vec<_>>());
    let stats = producer.stats();
    assert_eq!((stats.backfills_in_progress, stats.buffered_bytes), (0, 0));
    assert_eq!(map.stats().slots_free, Config::default().backfills_per_bucket);
    assert_eq!(map.live().get().backfills, 0);
    // The manager lives on.
    stream(&producer, 2, 0, 9);
    run_all(&worker, Instant::now());
    assert_eq!(items(&drain(&producer)).len(), 9);
}

#[test]
fn a_panic_while_a_scan_is_opened() {
    only_vb_0_ends(|| panic!("open_scan"), EndStatus::BackfillFail);
    only_vb_0_ends(|| panic_any(Grenade), EndStatus::BackfillFail);
    only_vb_0_ends(|| Err(Box::new(BadError(Grenade))), EndStatus::BackfillFail);
}

#[test]
fn a_panic_of_an_open_scan() {
    only_vb_0_ends(|| bad(Fault::SnapshotEnd), EndStatus::BackfillFail);
    only_vb_0_ends(|| bad(Fault::Next), EndStatus::BackfillFail);
    only_vb_0_ends(|| bad(Fault::Payload), EndStatus::BackfillFail);
    only_vb_0_ends(|| bad(Fault::Error), EndStatus::BackfillFail);
    // Nothing but its destructor fails, and that comes after its work.
    only_vb_0_ends(|| bad(Fault::Drop), EndStatus::Ok);
}

#[test]
fn a_scan_that_panics_when_it_is_dropped_by_somebody_else() {
    let open_bad = |end: fn(&ConnMap, &Producer)| {
        let source = Source::new(|_, _| {
            let grenade = Grenade;
            Ok(Box::new(FnScan(9, move || {
                let _held = &grenade;
                Ok(One::Later)
            })))
        });
        let map = ConnMap::new(source.arc(), Config::default());
        let (producer, _) = open(&map, 1);
        (0..3).for_each(|vb| stream(&producer, vb, 0, 9));
        run_all(&map.worker(), Instant::now());
        end(&map, &producer);
        map.live()
    };
    let count = |live: LiveCounts| live.get().backfills;
    let close = |_: &ConnMap, producer: &Producer| {
        (0..3).for_each(|vb| producer.close_stream(VbId(vb)).unwrap().deliver());
    };
    assert_eq!(count(open_bad(close)), 0);
    let end_streams = |map: &ConnMap, _: &Producer| {
        (0..3).for_each(|vb| drop(map.end_streams(VbId(vb), EndStatus::StateChanged)));
    };
    assert_eq!(count(open_bad(end_streams)), 0);
    assert_eq!(count(open_bad(|map, _| drop(map.disconnect(ConnId(1))))), 0);
    assert_eq!(count(open_bad(|map, _| drop(map.shutdown().deliver()))), 0);
    // A map that is dropped without a shutdown takes everything with it.
    assert_eq!(count(open_bad(|_, _| {})), 0);
}

/// A front end that panics when it is woken, and when it is dropped.
struct BadFrontEnd(Grenade);

impl FrontEnd for BadFrontEnd {
    fn wake(&self) {
        let _held = &self.0;
        panic!("wake");
    }
}

fn bad_front_end() -> Arc<dyn FrontEnd> {
    Arc::new(BadFrontEnd(Grenade))
}

#[test]
fn a_front_end_that_panics_costs_its_own_wake() {
    let map = ConnMap::new(Source::new(|_, range| Ok(all(9, range))).arc(), Config::default());
    let bad = map.open(ConnId(0), "bad", bad_front_end()).unwrap().deliver();
    let (good, bell) = open(&map, 1);
    for producer in [&bad, &good] {
        stream(producer, 0, 0, 20);
        assert_eq!(producer.step(), Step::Idle);
    }
    // Woken by a worker.
    run_all(&map.worker(), Instant::now());
    assert_eq!(bell.rung(), 1);
    assert_eq!([items(&drain(&bad)).len(), items(&drain(&good)).len()], [9, 9]);
    // Woken by a caller, before another; the wake is the last to hold it.
    let (ends, wakeups) = map.disconnect(ConnId(0)).unwrap().split();
    assert_eq!((ends.len(), wakeups.len()), (1, 1));
    let mut all = wakeups;
    all.append(map.shutdown().split().1);
    all.deliver();
    assert_eq!(bell.rung(), 2);
}

#[test]
fn a_front_end_that_panics_when_it_is_dropped() {
    let map = ConnMap::new(Source::new(|_, range| Ok(all(9, range))).arc(), Config::default());
    // Refused, by either error.
    let (_producer, _) = open(&map, 1);
    let refused = map.open(ConnId(1), "bad", bad_front_end()).unwrap_err();
    assert_eq!(refused, OpenError::IdInUse(ConnId(1)));
    // With a wake that nobody delivers.
    let bad = map.open(ConnId(0), "bad", bad_front_end()).unwrap().deliver();
    assert_eq!(bad.step(), Step::Idle);
    drop(map.disconnect(ConnId(0)));
    // With the map.
    map.open(ConnId(0), "bad", bad_front_end()).unwrap().deliver();
    map.open(ConnId(2), "worse", bad_front_end()).unwrap().deliver();
    drop(map);

    let map = ConnMap::new(Source::new(|_, range| Ok(all(9, range))).arc(), Config::default());
    map.shutdown().deliver();
    let refused = map.open(ConnId(1), "bad", bad_front_end()).unwrap_err();
    assert_eq!(refused, OpenError::MapShutDown);
}

#[test]
fn a_source_that_panics_in_every_method() {
    struct Bad(#[allow(dead_code)] Grenade);
    impl ItemSource for Bad {
        fn open_scan(&self, vb: VbId, range: SeqnoRange) -> Result<Box<dyn Scan>, SourceError> {
            assert!(vb == VbId(0), "open_scan");
            Ok(all(3, range))
        }
        fn read_memory(&self, _: VbId, _: SeqnoRange) -> Result<Memory, SourceError> {
            panic_any(Grenade)
        }
        fn memory_used_percent(&self) -> u8 {
            panic_any(Grenade)
        }
    }
    let map = ConnMap::new(Arc::new(Bad(Grenade)), Config::default());
    let (producer, _) = open(&map, 1);
    stream(&producer, 0, 0, 9);
    stream(&producer, 1, 0, 9);
    run_all(&map.worker(), Instant::now());
    let messages = drain(&producer);
    assert_eq!(items(&messages), [1, 2, 3]);
    assert_eq!(ends(&messages), [(1, EndStatus::BackfillFail)]);
    map.notify(VbId(0), 4).deliver();
    assert_eq!(ends(&drain(&producer)), [(0, EndStatus::BackfillFail)]);
}

#[test]
fn a_pool_outlives_the_panics_of_its_host() {
    within("the workers of the pool", || {
        let source = Source::new(|vb, range| match vb.0 % 4 {
            0 => panic_any(Grenade),
            1 => bad(Fault::SnapshotEnd),
            2 => bad(Fault::Next),
            _ => Ok(all(9, range)),
        });
        let map = ConnMap::new(source.arc(), Config::default());
        let pool = WorkerPool::start(&map.worker(), 2);
        let (producer, bell) = open(&map, 1);
        (0..40).for_each(|vb| stream(&producer, vb, 0, 9));
        let mut messages = Vec::new();
        for wake in 1.. {
            messages.append(&mut drain(&producer));
            if ends(&messages).len() == 40 {
                break;
            }
            assert!(bell.wait_for(wake), "a wake is lost");
        }
        assert_eq!(items(&messages).len(), 90);
        map.shutdown().deliver();
        pool.join();
    });
}
