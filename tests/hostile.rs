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
