//! Turns, slots and wake-ups: nobody waits behind somebody who is blocked.
#![cfg(not(any(loom, shuttle)))]

#[path = "support/host.rs"]
mod host;

use connmap::*;
use host::*;
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A scan that says when it is asked for an item, and blocks until it is told
/// which one to give.
struct Gate {
    asked: Mutex<Receiver<VbId>>,
    answer: Sender<Option<Item>>,
}

/// A source whose scans of the vbs below `gated` share one gate; all others
/// have one item, and `Later` behind it.
fn gate(gated: u16) -> (Arc<Source>, Gate) {
    let (asks, asked) = channel();
    let (answer, answers) = channel();
    let answers = Arc::new(Mutex::new(answers));
    let source = Source::new(move |vb, range| {
        if vb.0 >= gated {
            let mut items = vec![item(range.after + 1, 1)];
            let scan = move || Ok(items.pop().map_or(One::Later, One::Item));
            return Ok(Box::new(FnScan(range.upto, scan)));
        }
        let (asks, answers) = (asks.clone(), Arc::clone(&answers));
        Ok(Box::new(FnScan(range.upto, move || {
            asks.send(vb)?;
            let answer: Option<Item> = answers.lock().unwrap().recv()?;
            Ok(answer.map_or(One::End, One::Item))
        })))
    });
    (source.arc(), Gate { asked: Mutex::new(asked), answer })
}

impl Gate {
    fn asked(&self) -> VbId {
        self.asked.lock().unwrap().recv_timeout(SOON).expect("the scan is not asked")
    }
}

#[test]
fn a_scan_that_blocks_holds_back_no_wake() {
    let (source, gate) = gate(1);
    let map = ConnMap::new(source, Config::default());
    let (producer, bell) = open(&map, 1);
    stream(&producer, 0, 0, 9);
    stream(&producer, 1, 9, 9);
    assert_eq!(drain(&producer).len(), 1);
    let worker = map.worker();
    thread::scope(|scope| {
        // Moved in, so that a failure frees the scan that it blocks.
        let gate = gate;
        scope.spawn(|| worker.run(Instant::now()));
        gate.asked();
        // The marker is there to be sent; the first item is not.
        assert!(bell.wait_for(1), "no wake while the scan blocks");
        assert_eq!(drain(&producer).len(), 1);
        gate.answer.send(Some(item(1, 1))).unwrap();
        gate.asked();
        assert!(bell.wait_for(2), "no wake while the scan blocks");
        assert_eq!(items(&drain(&producer)), [1]);
        gate.answer.send(None).unwrap();
    });
    assert_eq!(bell.rung(), 3, "and one for the end");
}

#[test]
fn an_idle_worker_takes_what_became_due_with_another() {
    within("the idle worker", || {
        // Vb 0 blocks in its second run; vb 1 must not wait for it.
        let (asks, asked) = channel();
        let (answer, answers) = channel::<()>();
        let answers = Arc::new(Mutex::new(answers));
        let source = Source::new(move |vb, _| {
            let (asks, answers) = (asks.clone(), Arc::clone(&answers));
            let mut runs = 0;
            Ok(Box::new(FnScan(9, move || {
                runs += 1;
                if runs > 1 {
                    asks.send(vb)?;
                    if vb == VbId(0) {
                        answers.lock().unwrap().recv()?;
                    }
                }
                Ok(One::Later)
            })))
        });
        let hour = Duration::from_secs(3600);
        let map = ConnMap::new(source.arc(), Config { snooze: hour, ..Config::default() });
        let (one, _) = open(&map, 1);
        let (two, _) = open(&map, 2);
        stream(&one, 0, 0, 9);
        stream(&two, 1, 0, 9);
        let (worker, now) = (map.worker(), Instant::now());
        assert_eq!(run_all(&worker, now), 2);
        thread::scope(|scope| {
            // Moved in, so that a failure frees the scan that it blocks.
            let answer = answer;
            let idle = scope.spawn(|| {
                let waited = worker.wait(now);
                (waited, worker.run(now + hour))
            });
            // Give it the time to fall asleep: for an hour, as far as it knows.
            thread::sleep(Duration::from_millis(50));
            scope.spawn(|| worker.run(now + hour));
            let both = [asked.recv_timeout(SOON), asked.recv_timeout(SOON)];
            answer.send(()).unwrap();
            map.shutdown().deliver();
            assert!(both.iter().all(Result::is_ok), "the idle worker sleeps on");
            assert_eq!(idle.join().unwrap(), (Wait::Run, Run::Ran));
        });
    });
}

#[test]
fn a_sleeper_hears_of_what_will_be_due() {
    within("the worker that sleeps", || {
        let (asks, asked) = channel();
        let (answer, answers) = channel::<()>();
        let answers = Arc::new(Mutex::new(answers));
        let source = Source::new(move |vb, _| {
            let (asks, answers) = (asks.clone(), Arc::clone(&answers));
            Ok(Box::new(FnScan(9, move || {
                asks.send(vb)?;
                answers.lock().unwrap().recv()?;
                Ok(One::Later)
            })))
        });
        let config = Config { snooze: Duration::from_millis(50), ..Config::default() };
        let map = ConnMap::new(source.arc(), config);
        let (producer, _) = open(&map, 1);
        stream(&producer, 0, 0, 9);
        let (worker, now) = (map.worker(), Instant::now());
        let (woken, wakes) = channel();
        thread::scope(|scope| {
            // Moved in, so that a failure frees the scan that it blocks.
            let answer = answer;
            let runs = scope.spawn(|| worker.run(now));
            asked.recv_timeout(SOON).expect("the scan is asked");
            scope.spawn(|| woken.send(worker.wait(now)).unwrap());
            // Give it the time to fall asleep: nothing is due, nor will be.
            thread::sleep(Duration::from_millis(50));
            answer.send(()).unwrap();
            assert_eq!(runs.join().unwrap(), Run::Ran);
            let waited = wakes.recv_timeout(SOON);
            map.shutdown().deliver();
            assert_eq!(waited, Ok(Wait::Run), "it sleeps on");
        });
    });
}

#[test]
fn a_free_slot_does_not_wait_for_a_manager_that_is_blocked() {
    let (source, gate) = gate(1);
    let config = Config { backfills_per_bucket: 2, scan_items: 1, ..Config::default() };
    let map = ConnMap::new(source, config);
    let (first, _) = open(&map, 1);
    let (second, _) = open(&map, 2);
    let (third, _) = open(&map, 3);
    let (worker, now) = (map.worker(), Instant::now());
    // The second has a slot, and the first has the other one.
    stream(&second, 1, 0, 9);
    run_all(&worker, now);
    stream(&first, 0, 0, 9);
    gate.answer.send(Some(item(1, 1))).unwrap();
    assert_eq!(worker.run(now), Run::Ran);
    gate.asked();
    stream(&first, 2, 0, 9);
    thread::scope(|scope| {
        let gate = gate;
        // It finds no slot for another, waits in line, and goes on with what it has.
        scope.spawn(|| worker.run(now));
        gate.asked();
        stream(&third, 3, 0, 9);
        run_all(&worker, now);
        assert_eq!((map.stats().slots_free, third.stats().backfills_pending), (0, 1));
        second.close_stream(VbId(1)).unwrap().deliver();
        run_all(&worker, now);
        let third_ran = items(&drain(&third));
        gate.answer.send(None).unwrap();
        assert_eq!(third_ran, [1], "a slot is free and nobody takes it");
    });
    // What the first had is over, and it was the first in line all the time.
    run_all(&worker, now);
    assert_eq!(items(&drain(&first)), [1, 1]);
    assert_eq!(map.stats().slots_free, 0);
}

#[test]
fn who_rests_asks_at_once_for_what_is_new() {
    let map = ConnMap::new(Source::new(|_, _| Ok(later())).arc(), Config::default());
    let (producer, _) = open(&map, 1);
    let (worker, now) = (map.worker(), Instant::now());
    (0..2).for_each(|vb| stream(&producer, vb, 0, 9));
    run_all(&worker, now);
    // What changes leaves it at rest until the other one is due.
    producer.close_stream(VbId(1)).unwrap().deliver();
    assert_eq!(worker.run(now), Run::Idle);
    stream(&producer, 2, 0, 9);
    assert_eq!(worker.run(now), Run::Ran);
    assert_eq!(producer.stats().backfills_in_progress, 2);
}

#[test]
fn sequential_order_finishes_one_before_the_next() {
    let order = BackfillOrder::Sequential;
    let config = Config { scan_items: 1, order, ..Config::default() };
    let map = ConnMap::new(Source::new(|_, range| Ok(all(4, range))).arc(), config);
    let (producer, _) = open(&map, 1);
    let (worker, now) = (map.worker(), Instant::now());
    let reads = || {
        worker.run(now);
        let messages = drain(&producer);
        messages.iter().find_map(|message| match message {
            Message::Item { vb, .. } => Some(vb.0),
            _ => None,
        })
    };
    stream(&producer, 0, 0, 9);
    assert_eq!(reads(), Some(0));
    // Those that come later open their scans, and then wait their turn.
    stream(&producer, 1, 0, 9);
    stream(&producer, 2, 0, 9);
    let order: Vec<_> = (0..20).filter_map(|_| reads()).collect();
    assert_eq!(order, [1, 2, 0, 0, 0, 1, 1, 1, 2, 2, 2]);
}

#[test]
fn round_robin_order_takes_each_in_turn() {
    let config = Config { scan_items: 1, ..Config::default() };
    let map = ConnMap::new(Source::new(|_, range| Ok(all(3, range))).arc(), config);
    let (producer, _) = open(&map, 1);
    (0..3).for_each(|vb| stream(&producer, vb, 0, 9));
    let (worker, now) = (map.worker(), Instant::now());
    let mut order = Vec::new();
    for _ in 0..20 {
        worker.run(now);
        order.extend(drain(&producer).iter().filter_map(|message| match message {
            Message::Item { vb, .. } => Some(vb.0),
            _ => None,
        }));
    }
    assert_eq!(order, [0, 1, 2, 0, 1, 2, 0, 1, 2]);
}

#[test]
fn one_manager_has_one_turn_at_a_time() {
    let (source, gate) = gate(1);
    let map = ConnMap::new(source, Config::default());
    let (producer, _) = open(&map, 1);
    let (worker, now) = (map.worker(), Instant::now());
    stream(&producer, 0, 0, 9);
    thread::scope(|scope| {
        let gate = gate;
        scope.spawn(|| worker.run(now));
        gate.asked();
        stream(&producer, 1, 0, 9);
        assert_eq!(worker.run(now), Run::Idle);
        gate.answer.send(None).unwrap();
    });
    assert_eq!(worker.run(now), Run::Ran, "it sees to its next turn itself");
}
