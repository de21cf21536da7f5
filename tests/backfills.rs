//! The BackfillManager and the bucket, as a host sees them: limits, the
//! read-ahead buffer, snoozes, the memory threshold, slots and the end.
#![cfg(not(any(loom, shuttle)))]

#[path = "support/host.rs"]
mod host;

use connmap::*;
use host::*;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

fn map_of(scan: fn(SeqnoRange) -> Box<dyn Scan>, config: Config) -> ConnMap {
    ConnMap::new(Source::new(move |_, range| Ok(scan(range))).arc(), config)
}

/// Ten items of ten bytes each.
fn tens(_: SeqnoRange) -> Box<dyn Scan> {
    sized(10, (1..=10).map(|seqno| (seqno, 10)))
}

#[test]
fn a_run_stops_at_its_limits() {
    let queued_by_one_run = |config| {
        let map = map_of(tens, config);
        let (producer, _) = open(&map, 1);
        stream(&producer, 0, 0, 20);
        assert_eq!(map.worker().run(Instant::now()), Run::Ran);
        producer.stats().queued_bytes
    };
    assert_eq!(queued_by_one_run(Config { scan_items: 3, ..Config::default() }), 30);
    // The item that reaches the limit is still read.
    assert_eq!(queued_by_one_run(Config { scan_bytes: 30, ..Config::default() }), 30);
    assert_eq!(queued_by_one_run(Config { scan_bytes: 31, ..Config::default() }), 40);
    assert_eq!(queued_by_one_run(Config::default()), 100);
}

#[test]
fn a_full_buffer_resumes_when_it_has_drained_far_enough() {
    let config = Config { buffer_bytes: 40, ..Config::default() };
    let map = map_of(tens, config);
    let (producer, _) = open(&map, 1);
    let (worker, now) = (map.worker(), Instant::now());
    stream(&producer, 0, 0, 20);
    assert_eq!(run_all(&worker, now), 1);
    assert_eq!(producer.stats().buffered_bytes, 40);
    assert!(matches!(producer.step(), Step::Message(Message::SnapshotMarker { .. })));
    assert_eq!(run_all(&worker, now), 0, "a marker drains nothing");
    // 25 % of 40 are 10: one item.
    assert_eq!(items(&[message(&producer)]), [1]);
    assert_eq!(run_all(&worker, now), 1);
    assert_eq!(producer.stats().buffered_bytes, 40);
}

fn message(producer: &Producer) -> Message {
    match producer.step() {
        Step::Message(message) => message,
        step => panic!("{step:?}"),
    }
}

#[test]
fn how_far_a_buffer_drains_is_configured() {
    for (percent, sent) in [(0, 0), (1, 1), (25, 1), (28, 2), (50, 2), (100, 4), (200, 4)] {
        let config =
            Config { buffer_bytes: 40, resume_drained_percent: percent, ..Config::default() };
        let map = map_of(tens, config);
        let (producer, _) = open(&map, 1);
        let (worker, now) = (map.worker(), Instant::now());
        stream(&producer, 0, 0, 20);
        run_all(&worker, now);
        message(&producer);
        let needed = (1..=4).find(|_| {
            message(&producer);
            run_all(&worker, now) > 0
        });
        // It was at its limit exactly: the first byte sent is below it.
        assert_eq!(needed, Some(sent.max(1)), "{percent} %");
    }
}

#[test]
fn an_item_larger_than_the_buffer_passes_when_it_is_empty() {
    let scan = |_| sized(3, [(1, 100), (2, 100), (3, 1)]);
    let map = map_of(scan, Config { buffer_bytes: 10, ..Config::default() });
    let (producer, _) = open(&map, 1);
    let (worker, now) = (map.worker(), Instant::now());
    stream(&producer, 0, 0, 20);
    run_all(&worker, now);
    assert_eq!(producer.stats().buffered_bytes, 200, "the second found something there");
    let mut sent = Vec::new();
    for _ in 0..4 {
        run_all(&worker, now);
        assert!(producer.stats().buffered_bytes <= 200);
        sent.extend(items(&drain(&producer)));
    }
    assert_eq!(sent, [1, 2, 3]);
}

#[test]
fn the_death_of_a_stream_refunds_and_resumes_the_others() {
    let map = map_of(tens, Config { buffer_bytes: 40, ..Config::default() });
    let (producer, _) = open(&map, 1);
    let (worker, now) = (map.worker(), Instant::now());
    stream(&producer, 0, 0, 20);
    stream(&producer, 1, 0, 20);
    run_all(&worker, now);
    assert_eq!(producer.stats().buffered_bytes, 40);
    producer.close_stream(VbId(0)).unwrap().deliver();
    assert_eq!(producer.stats().buffered_bytes, 0);
    assert_eq!(run_all(&worker, now), 1, "nobody gave the other a turn");
    assert_eq!(producer.stats().buffered_bytes, 40);
}

#[test]
fn a_snooze_lasts_as_long_as_it_says() {
    let map = map_of(|_| later(), Config::default());
    let (producer, _) = open(&map, 1);
    let (worker, now) = (map.worker(), Instant::now());
    stream(&producer, 0, 0, 20);
    assert_eq!(run_all(&worker, now), 1);
    assert_eq!(run_all(&worker, now + SECOND - Duration::from_nanos(1)), 0);
    assert_eq!(run_all(&worker, now + SECOND), 1);
    assert_eq!(run_all(&worker, now + SECOND), 0);
    // Another backfill does not wait with it, and does not make it forgotten.
    stream(&producer, 1, 0, 20);
    assert_eq!(run_all(&worker, now + SECOND), 1);
    assert_eq!(run_all(&worker, now + 2 * SECOND), 2);
}

#[test]
fn above_the_memory_threshold_nothing_begins() {
    let source = Source::new(|_, range| Ok(tens(range))).arc();
    let map = ConnMap::new(source.clone(), Config::default());
    let (producer, _) = open(&map, 1);
    let (worker, now) = (map.worker(), Instant::now());
    stream(&producer, 0, 0, 20);
    source.used.store(97, Ordering::Relaxed);
    let before = producer.stats();
    let refused = producer.stream_request(request(1, 0, 20)).unwrap_err();
    assert_eq!((refused, producer.stats()), (RequestError::NoMemory, before));
    assert_eq!(run_all(&worker, now), 1);
    assert_eq!(producer.stats().buffered_bytes, 0);
    source.used.store(96, Ordering::Relaxed);
    assert_eq!(run_all(&worker, now), 0);
    assert_eq!(run_all(&worker, now + SECOND), 1);
    assert_eq!(producer.stats().buffered_bytes, 100);
    // A stream that dies while its manager rests leaves the queues there and
    // then (MB-57772), and needs no run for it.
    stream(&producer, 1, 0, 20);
    source.used.store(97, Ordering::Relaxed);
    run_all(&worker, now + SECOND);
    producer.close_stream(VbId(1)).unwrap().deliver();
    assert_eq!((map.live().get().backfills, producer.stats().backfills_pending), (0, 0));
}

#[test]
fn a_connection_has_its_own_cap() {
    let config = Config { backfills_per_connection: 2, ..Config::default() };
    let map = map_of(|_| later(), config);
    let (producer, _) = open(&map, 1);
    (0..5).for_each(|vb| stream(&producer, vb, 0, 20));
    let held = || (producer.stats().backfills_in_progress, producer.stats().backfills_pending);
    let (worker, now) = (map.worker(), Instant::now());
    // Each has a slot from its first run on.
    assert_eq!(held(), (0, 5));
    run_all(&worker, now);
    assert_eq!(held(), (2, 3));
    // One that holds a slot, and one that waits.
    producer.close_stream(VbId(0)).unwrap().deliver();
    assert_eq!(held(), (1, 3));
    run_all(&worker, now);
    assert_eq!(held(), (2, 2));
    producer.close_stream(VbId(4)).unwrap().deliver();
    assert_eq!(held(), (2, 1));
}

#[test]
fn slots_go_around_among_those_who_wait() {
    // Each of four connections wants four backfills; there are two slots.
    let config = Config { backfills_per_bucket: 2, ..Config::default() };
    let map = map_of(|_| seqnos(9, [9]), config);
    let producers: Vec<_> = (0..4).map(|id| open(&map, id).0).collect();
    let (worker, now) = (map.worker(), Instant::now());
    for producer in &producers {
        (0..4).for_each(|vb| stream(producer, vb, 0, 20));
    }
    // After so many turns each has had its share: nobody is overtaken.
    let mut turns = 0;
    while worker.run(now) == Run::Ran {
        turns += 1;
        let done: Vec<_> = producers.iter().map(|p| items(&peek(p)).len()).collect();
        let most = done.iter().max().unwrap();
        let least = done.iter().min().unwrap();
        assert!(most - least <= 1, "{done:?} after {turns} turns");
    }
    assert_eq!(totals(&map), [4, 2, 0]);
}

/// The connections, the free slots and the places taken in the bucket's queues.
fn totals(map: &ConnMap) -> [usize; 3] {
    let MapStats { connections, slots_free, queued, .. } = map.stats();
    [connections, slots_free, queued]
}

/// The items that one stream each has read, told by its bytes.
fn peek(producer: &Producer) -> Vec<Message> {
    let bytes = producer.stats().queued_bytes;
    (0..bytes).map(|n| Message::Item { vb: VbId(0), opaque: 0, item: item(n, 1) }).collect()
}

#[test]
fn no_way_to_end_leaks_a_slot() {
    type End = fn(&ConnMap, &Producer);
    let close: End = |_, producer| {
        (0..5).for_each(|vb| producer.close_stream(VbId(vb)).unwrap().deliver());
    };
    let end_streams: End = |map, _| {
        for vb in 0..5 {
            map.end_streams(VbId(vb), EndStatus::Rollback).deliver();
        }
    };
    let disconnect: End = |map, _| drop(map.disconnect(ConnId(1)).unwrap().deliver());
    let shutdown: End = |map, _| drop(map.shutdown().deliver());
    // All are pending; two; none is: some are active, and some snooze.
    for runs in [0, 3, 5] {
        for end in [close, end_streams, disconnect, shutdown] {
            let config = Config { backfills_per_bucket: 5, scan_items: 1, ..Config::default() };
            let source =
                Source::new(|vb, range| Ok(if vb.0 % 2 == 0 { later() } else { all(9, range) }));
            let map = ConnMap::new(source.arc(), config);
            let (producer, _) = open(&map, 1);
            (0..5).for_each(|vb| stream(&producer, vb, 0, 20));
            for _ in 0..runs {
                map.worker().run(Instant::now());
            }
            assert_eq!(map.stats().slots_free, 5 - runs);
            end(&map, &producer);
            assert_eq!(map.stats().slots_free, 5);
            assert_eq!(map.live().get().backfills, 0);
        }
    }
}

#[test]
fn a_freed_slot_gives_the_next_connection_its_turn() {
    // MB-40052: at the cap, every further backfill stayed pending.
    let config = Config { backfills_per_bucket: 1, ..Config::default() };
    let map = map_of(|_| later(), config);
    let (first, _) = open(&map, 1);
    let (second, _) = open(&map, 2);
    let (third, _) = open(&map, 3);
    [&first, &second, &third].iter().for_each(|producer| stream(producer, 0, 0, 20));
    let (worker, now) = (map.worker(), Instant::now());
    run_all(&worker, now);
    assert_eq!(second.stats().backfills_pending, 1);
    map.disconnect(ConnId(1)).unwrap().deliver();
    run_all(&worker, now);
    assert_eq!(second.stats().backfills_in_progress, 1);
    // Who leaves the line lets the next one move up.
    second.close_stream(VbId(0)).unwrap().deliver();
    run_all(&worker, now);
    assert_eq!(third.stats().backfills_in_progress, 1);
}

#[test]
fn a_shutdown_ends_every_wait() {
    within("the workers that wait", || {
        let map = map_of(|_| later(), Config { snooze: 1000 * SECOND, ..Config::default() });
        let (producer, _) = open(&map, 1);
        let (worker, now) = (map.worker(), Instant::now());
        thread::scope(|scope| {
            let waits = || scope.spawn(|| worker.wait(now));
            let without_end = waits();
            thread::sleep(Duration::from_millis(20));
            stream(&producer, 0, 0, 20);
            assert_eq!(without_end.join().unwrap(), Wait::Run);
            run_all(&worker, now);
            let sleepers = [waits(), waits(), waits()];
            thread::sleep(Duration::from_millis(20));
            map.shutdown().deliver();
            for sleeper in sleepers {
                assert_eq!(sleeper.join().unwrap(), Wait::Stop);
            }
        });
        assert_eq!(worker.wait(now), Wait::Stop);
        assert_eq!(worker.run(now), Run::Idle);
    });
}

#[test]
fn who_leaves_the_line_before_its_turn_passes_it_on() {
    let config = Config { backfills_per_bucket: 1, ..Config::default() };
    let map = map_of(|_| later(), config);
    let producers = [1, 2, 3].map(|id| open(&map, id).0);
    producers.iter().for_each(|producer| stream(producer, 0, 0, 20));
    let [first, second, third] = &producers;
    // The second is called for the slot, and has gone when its turn comes.
    first.close_stream(VbId(0)).unwrap().deliver();
    second.close_stream(VbId(0)).unwrap().deliver();
    run_all(&map.worker(), Instant::now());
    assert_eq!(third.stats().backfills_in_progress, 1);
}

#[test]
fn a_connection_that_is_closed_while_it_runs_gives_its_slot_back() {
    // The host calls back into the core from inside a scan.
    let map = Arc::new_cyclic(|me: &Weak<ConnMap>| {
        let me = Weak::clone(me);
        let scan = move |_, _| -> Result<Box<dyn Scan>, SourceError> {
            let me = Weak::clone(&me);
            Ok(Box::new(FnScan(9, move || {
                me.upgrade().map(|map| map.disconnect(ConnId(1)).map(Deferred::deliver));
                Ok(One::Item(item(1, 1)))
            })))
        };
        let config = Config { backfills_per_bucket: 2, ..Config::default() };
        ConnMap::new(Source::new(scan).arc(), config)
    });
    let (producer, _) = open(&map, 1);
    (0..3).for_each(|vb| stream(&producer, vb, 0, 20));
    run_all(&map.worker(), Instant::now());
    assert_eq!(totals(&map), [0, 2, 0]);
    assert_eq!(map.live().get(), LiveObjects::default());
}

#[test]
fn an_item_that_comes_after_its_streams_death_is_not_charged() {
    let map = Arc::new_cyclic(|me: &Weak<ConnMap>| {
        let me = Weak::clone(me);
        let scan = move |vb, _| -> Result<Box<dyn Scan>, SourceError> {
            let me = Weak::clone(&me);
            Ok(Box::new(FnScan(9, move || {
                let map = me.upgrade().unwrap();
                map.end_streams(vb, EndStatus::StateChanged).deliver();
                Ok(One::Item(item(1, 1)))
            })))
        };
        ConnMap::new(Source::new(scan).arc(), Config::default())
    });
    let (producer, _) = open(&map, 1);
    stream(&producer, 0, 0, 20);
    run_all(&map.worker(), Instant::now());
    let stats = producer.stats();
    assert!(stats.streams.is_empty() && stats.ready && !stats.paused, "{stats:?}");
    assert_eq!((stats.ends, stats.buffered_bytes, stats.queued_bytes), (1, 0, 0));
    assert_eq!((stats.backfills_pending, stats.backfills_in_progress), (0, 0));
}

#[test]
fn refusals_come_in_their_order() {
    let source = Source::new(|_, range| Ok(tens(range))).arc();
    let map = ConnMap::new(source.clone(), Config::default());
    let refusal = |producer: &Producer, start, end| {
        producer.stream_request(request(0, start, end)).map(drop).unwrap_err()
    };
    let (producer, _) = open(&map, 1);
    stream(&producer, 0, 0, 20);
    source.used.store(255, Ordering::Relaxed);
    // Each of these has every later reason, too.
    let out_of_range = RequestError::OutOfRange { start: 2, end: 1 };
    assert_eq!(refusal(&producer, 2, 1), out_of_range);
    assert_eq!(refusal(&producer, 1, 2), RequestError::StreamExists(VbId(0)));
    let new = map.open(ConnId(2), "c1", Bell::new()).unwrap().deliver();
    assert_eq!(refusal(&producer, 2, 1), RequestError::ConnectionClosed, "displaced");
    assert_eq!(refusal(&new, 1, 2), RequestError::NoMemory);
    map.disconnect(ConnId(1)).unwrap().deliver();
    assert_eq!(refusal(&producer, 2, 1), RequestError::ConnectionClosed);
    map.shutdown().deliver();
    assert_eq!(refusal(&new, 2, 1), RequestError::MapShutDown);
}

#[test]
fn an_item_does_not_go_to_a_later_stream_of_the_same_vb() {
    let map = Arc::new_cyclic(|me: &Weak<ConnMap>| {
        let me = Weak::clone(me);
        let scan = move |_, range: SeqnoRange| -> Result<Box<dyn Scan>, SourceError> {
            let producer = me.upgrade().unwrap().get(ConnId(1)).unwrap();
            if range.after > 0 {
                return Ok(seqnos(9, [9]));
            }
            Ok(Box::new(FnScan(9, move || {
                producer.close_stream(VbId(0))?.deliver();
                stream(&producer, 0, 5, 20);
                Ok(One::Item(item(8, 1)))
            })))
        };
        ConnMap::new(Source::new(scan).arc(), Config::default())
    });
    let (producer, _) = open(&map, 1);
    stream(&producer, 0, 0, 20);
    run_all(&map.worker(), Instant::now());
    let messages = drain(&producer);
    assert_eq!((items(&messages), ends(&messages)), (vec![9], vec![(0, EndStatus::Closed)]));
}

#[test]
fn a_second_shutdown_reports_nothing() {
    let map = map_of(|_| later(), Config::default());
    let (producer, _) = open(&map, 1);
    stream(&producer, 0, 0, 20);
    let closed = map.shutdown().deliver();
    assert_eq!((closed.len(), closed[0].ends.len()), (1, 1));
    assert_eq!(map.shutdown().deliver(), []);
}

/// A scan whose `read` is a closure.
struct Reads<F>(F);

impl<F: FnMut(&mut Batch) -> Scanned + Send> Scan for Reads<F> {
    fn snapshot_end(&self) -> Seqno {
        1000
    }

    fn read(&mut self, batch: &mut Batch) -> Result<Scanned, SourceError> {
        Ok((self.0)(batch))
    }
}

fn reads<F>(read: impl Fn() -> F + Send + Sync + 'static, config: Config) -> (ConnMap, Producer)
where
    F: FnMut(&mut Batch) -> Scanned + Send + 'static,
{
    let source = Source::new(move |_, _| Ok(Box::new(Reads(read()))));
    let map = ConnMap::new(source.arc(), config);
    let (producer, _) = open(&map, 1);
    stream(&producer, 0, 0, 1000);
    (map, producer)
}

/// How many items a scan hands over at once that stops where it is told to.
fn batches(config: Config, size: usize) -> Vec<usize> {
    let (tells, told) = channel();
    let read = move || {
        let (tells, mut seqno) = (tells.clone(), 0);
        move |batch: &mut Batch| {
            let before = seqno;
            while !batch.is_full() && seqno < 200 {
                seqno += 1;
                batch.push(item(seqno, size));
            }
            tells.send((seqno - before) as usize).unwrap();
            if seqno < 200 {
                Scanned::More
            } else {
                Scanned::Later
            }
        }
    };
    let (map, producer) = reads(read, config);
    assert_eq!(map.worker().run(Instant::now()), Run::Ran);
    let batches: Vec<_> = told.try_iter().collect();
    assert_eq!(items(&drain(&producer)).len(), batches.iter().sum::<usize>());
    batches
}

#[test]
fn a_batch_ends_at_each_limit() {
    assert_eq!(batches(Config::default(), 1), [64, 64, 64, 8]);
    assert_eq!(batches(Config { scan_items: 70, ..Config::default() }, 1), [64, 6]);
    assert_eq!(batches(Config { scan_bytes: 130, ..Config::default() }, 2), [64, 1]);
    assert_eq!(batches(Config { buffer_bytes: 100, ..Config::default() }, 1), [64, 36]);
    assert_eq!(batches(Config { buffer_bytes: 100, ..Config::default() }, 0), [64, 36]);
    assert_eq!(batches(Config { buffer_bytes: 100, ..Config::default() }, 1000), [2]);
}

#[test]
fn what_does_not_fit_into_a_batch_fails_its_stream() {
    let read = || {
        |batch: &mut Batch| {
            (1..=65).for_each(|seqno| batch.push(item(seqno, 1)));
            Scanned::More
        }
    };
    let (map, producer) = reads(read, Config::default());
    run_all(&map.worker(), Instant::now());
    let messages = drain(&producer);
    assert_eq!((items(&messages), ends(&messages)), (vec![], vec![(0, EndStatus::BackfillFail)]));
}

#[test]
fn a_scan_that_has_more_and_brings_nothing_rests() {
    let (map, producer) = reads(|| |_: &mut Batch| Scanned::More, Config::default());
    let now = Instant::now();
    assert_eq!(run_all(&map.worker(), now), 1);
    assert_eq!(producer.stats().backfills_in_progress, 1);
    assert_eq!(run_all(&map.worker(), now + Config::default().snooze), 1);
}

/// For who looks at a core that hangs, in a debugger or a log.
#[test]
fn debug_shows_what_is_open_and_what_is_to_come() {
    let map = ConnMap::new(Source::new(|_, _| Ok(later())).arc(), Config::default());
    let (producer, _) = open(&map, 1);
    stream(&producer, 5, 0, 9);
    run_all(&map.worker(), Instant::now());
    let shown = format!("{map:?} {:?}", map.worker());
    for part in [
        "State { shut_down: false, connections: ",
        "Open { displaced: false, paused: false, streams: ",
        "Backfill { stream: ",
        "vb: VbId(5), range: SeqnoRange { after: 0, upto: 9 }, ..",
        "Worker { ..",
    ] {
        assert!(shown.contains(part), "{part:?} in {shown}");
    }
}
