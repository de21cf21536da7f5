//! A host that breaks its contract, or whose configuration is nonsense: it
//! costs the stream in question, and never a worker, a spin or a byte.
#![cfg(not(any(loom, shuttle)))]

#[path = "support/host.rs"]
mod host;

use connmap::*;
use host::*;
use std::time::{Duration, Instant};

/// Streams vb 0 from `start` to `end` out of one scan, to the last message.
fn stream_of(scan: fn() -> Box<dyn Scan>, start: Seqno, end: Seqno) -> Vec<Message> {
    let map = ConnMap::new(Source::new(move |_, _| Ok(scan())).arc(), Config::default());
    let (producer, _) = open(&map, 1);
    stream(&producer, 0, start, end);
    run_all(&map.worker(), Instant::now());
    let messages = drain(&producer);
    let stats = producer.stats();
    assert_eq!(stats.buffered_bytes, stats.queued_bytes);
    assert_eq!(stats.backfills_in_progress, 0);
    messages
}

fn fails(scan: fn() -> Box<dyn Scan>, start: Seqno, end: Seqno) {
    assert_eq!(ends(&stream_of(scan, start, end)), [(0, EndStatus::BackfillFail)]);
}

#[test]
fn items_must_rise_and_stay_in_the_range() {
    fails(|| seqnos(9, [5, 5]), 0, 9);
    fails(|| seqnos(9, [5, 4]), 0, 9);
    fails(|| seqnos(9, [3]), 3, 9);
    fails(|| seqnos(9, [0]), 0, 9);
    fails(|| seqnos(20, [10]), 0, 9);
}

#[test]
fn an_item_beyond_the_announced_snapshot_fails() {
    // The client was told the snapshot's range by its marker, or that there
    // is nothing in it by the absence of one.
    fails(|| seqnos(4, [3, 5]), 0, 9);
    fails(|| seqnos(0, [1]), 0, 9);
    fails(|| seqnos(2, [5]), 3, 9);
}

#[test]
fn a_snapshot_whose_end_lies_is_cut_to_the_request() {
    // Before the start: nothing to read; the stream waits for memory.
    assert_eq!(stream_of(|| seqnos(1, []), 3, 9), []);
    // Beyond the end of the request.
    let messages = stream_of(|| seqnos(Seqno::MAX, [4, 9]), 3, 9);
    let range = SeqnoRange { after: 3, upto: 9 };
    assert!(matches!(&messages[0], Message::SnapshotMarker { range: r, .. } if *r == range));
    assert_eq!(ends(&messages), [(0, EndStatus::Ok)]);
}

#[test]
fn the_last_seqno_of_all_is_one_like_any_other() {
    let messages = stream_of(|| seqnos(Seqno::MAX, [1, Seqno::MAX]), 0, Seqno::MAX);
    assert_eq!(items(&messages), [1, Seqno::MAX]);
    assert_eq!(ends(&messages), [(0, EndStatus::Ok)]);
    let messages = stream_of(|| seqnos(0, []), Seqno::MAX, Seqno::MAX);
    assert_eq!(ends(&messages), [(0, EndStatus::Ok)]);
}

/// Streams vb 0 without end, from memory after an empty backfill; notifies 9.
fn from_memory(read: fn() -> Result<Memory, SourceError>) -> Vec<Message> {
    let source = Source::new(|_, _| Ok(seqnos(2, []))).memory(move |_, _| read());
    let map = ConnMap::new(source.arc(), Config::default());
    let (producer, _) = open(&map, 1);
    stream(&producer, 0, 2, Seqno::MAX);
    run_all(&map.worker(), Instant::now());
    assert_eq!(drain(&producer), []);
    map.notify(VbId(0), 9).deliver();
    drain(&producer)
}

#[test]
fn items_from_memory_must_rise_and_stay_in_the_range() {
    let failed = [(0, EndStatus::BackfillFail)];
    // What came before the fault is not sent either.
    assert_eq!(items(&from_memory(|| Ok(Memory::Items(vec![item(3, 1), item(3, 1)])))), []);
    for messages in [
        from_memory(|| Ok(Memory::Items(vec![item(3, 1), item(3, 1)]))),
        from_memory(|| Ok(Memory::Items(vec![item(9, 1), item(4, 1)]))),
        from_memory(|| Ok(Memory::Items(vec![item(2, 1)]))),
        from_memory(|| Ok(Memory::Items(vec![item(10, 1)]))),
        from_memory(|| Err("no".into())),
        from_memory(|| panic!("memory")),
    ] {
        assert_eq!(ends(&messages), failed);
    }
}

#[test]
fn memory_that_has_nothing_is_not_asked_again_without_a_notification() {
    assert_eq!(from_memory(|| Ok(Memory::Items(Vec::new()))), []);
}

fn zeros() -> Config {
    Config {
        scan_bytes: 0,
        scan_items: 0,
        buffer_bytes: 0,
        resume_drained_percent: 0,
        backfills_per_connection: 0,
        backfills_per_bucket: 0,
        snooze: Duration::ZERO,
        memory_threshold_percent: 0,
        order: BackfillOrder::RoundRobin,
    }
}

/// Streams three vbs to their ends; a client steps whenever the workers idle.
fn completes(config: Config) {
    let map = ConnMap::new(Source::new(|_, range| Ok(all(6, range))).arc(), config);
    let (producer, _) = open(&map, 1);
    (0..3).for_each(|vb| stream(&producer, vb, 0, 6));
    let mut messages = Vec::new();
    for _ in 0..100 {
        run_all(&map.worker(), Instant::now());
        messages.append(&mut drain(&producer));
    }
    assert_eq!(items(&messages).len(), 18);
    let mut ends = ends(&messages);
    ends.sort();
    assert_eq!(ends, [(0, EndStatus::Ok), (1, EndStatus::Ok), (2, EndStatus::Ok)]);
}

#[test]
fn a_config_of_zeros_works_and_does_not_spin() {
    completes(zeros());
    completes(Config { scan_items: 0, ..Config::default() });
    completes(Config { scan_bytes: 0, ..Config::default() });
    completes(Config { buffer_bytes: 0, ..Config::default() });
    completes(Config { backfills_per_connection: 0, ..Config::default() });
    completes(Config { backfills_per_bucket: 0, ..Config::default() });
}

#[test]
fn a_config_of_maxima_works() {
    completes(Config {
        scan_bytes: u64::MAX,
        scan_items: usize::MAX,
        buffer_bytes: u64::MAX,
        resume_drained_percent: u8::MAX,
        backfills_per_connection: usize::MAX,
        backfills_per_bucket: usize::MAX,
        snooze: Duration::MAX,
        memory_threshold_percent: u8::MAX,
        order: BackfillOrder::Sequential,
    });
    for percent in [100, 101, 255] {
        completes(Config { buffer_bytes: 2, resume_drained_percent: percent, ..zeros() });
    }
}

#[test]
fn a_snooze_of_nothing_rests_all_the_same() {
    let config = Config { snooze: Duration::ZERO, ..Config::default() };
    let map = ConnMap::new(Source::new(|_, _| Ok(later())).arc(), config);
    let (producer, _) = open(&map, 1);
    stream(&producer, 0, 0, 9);
    // A worker that polled would take the processor for as long as the source
    // has nothing.
    assert_eq!(run_all(&map.worker(), Instant::now()), 1);
}

#[test]
fn a_snooze_beyond_the_clock_is_a_long_one() {
    let config = Config { snooze: Duration::MAX, ..Config::default() };
    let source = Source::new(|_, _| Ok(later())).arc();
    let map = ConnMap::new(source.clone(), config);
    let (producer, _) = open(&map, 1);
    stream(&producer, 0, 0, 9);
    let (worker, now) = (map.worker(), Instant::now());
    assert_eq!(run_all(&worker, now), 1);
    // The same for a manager that rests because memory is high.
    stream(&producer, 1, 0, 9);
    source.used.store(97, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(run_all(&worker, now), 1);
    assert_eq!(run_all(&worker, now + Duration::from_secs(3600)), 0);
}

#[test]
fn items_without_a_payload_fill_the_buffer_too() {
    let scan = || sized(10_000, (1..=10_000).map(|seqno| (seqno, 0)));
    let config = Config { buffer_bytes: 10, ..Config::default() };
    let map = ConnMap::new(Source::new(move |_, _| Ok(scan())).arc(), config);
    let (producer, _) = open(&map, 1);
    stream(&producer, 0, 0, 10_000);
    run_all(&map.worker(), Instant::now());
    let stats = producer.stats();
    assert_eq!((stats.buffered_bytes, stats.queued_bytes), (10, 10));
    assert_eq!(items(&drain(&producer)).len(), 10);
    assert_eq!(producer.stats().buffered_bytes, 0);
    assert_eq!(run_all(&map.worker(), Instant::now()), 1);
}
