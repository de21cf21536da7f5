//! Random calls on a whole map, from one thread, against a host that
//! misbehaves at random. After each call the map is checked against its
//! invariants; after the last, that everything came to an end.
#![cfg(not(any(loom, shuttle)))]

#[path = "support/host.rs"]
mod host;

use connmap::*;
use host::*;
use proptest::prelude::*;
use proptest::test_runner::{Config as Runs, RngSeed};
use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

const CONNECTIONS: u64 = 4;
const VBS: u16 = 4;
const HIGH: Seqno = 40;

#[derive(Clone, Debug)]
enum Call {
    Open(u64, u8),
    Disconnect(u64),
    Request(u64, u16, Seqno, Seqno),
    CloseStream(u64, u16),
    Step(u64),
    Drain(u64),
    Pause(u64),
    Wake(u64),
    Notify(u16, Seqno),
    EndStreams(u16),
    Run,
    Sleep(u64),
    Memory(u8),
    Shutdown,
}

fn call() -> impl Strategy<Value = Call> {
    use Call::*;
    let (id, vb) = (|| 0..CONNECTIONS, || 0..VBS);
    prop_oneof![
        4 => (id(), 0..3u8).prop_map(|(id, name)| Open(id, name)),
        1 => id().prop_map(Disconnect),
        8 => (id(), vb(), 0..12u64, prop_oneof![0..30u64, Just(Seqno::MAX)])
            .prop_map(|(id, vb, start, end)| Request(id, vb, start, end)),
        2 => (id(), vb()).prop_map(|(id, vb)| CloseStream(id, vb)),
        8 => id().prop_map(Step),
        3 => id().prop_map(Drain),
        2 => id().prop_map(Pause),
        1 => id().prop_map(Wake),
        4 => (vb(), 0..HIGH).prop_map(|(vb, seqno)| Notify(vb, seqno)),
        1 => vb().prop_map(EndStreams),
        12 => Just(Run),
        3 => (0..2_000u64).prop_map(Sleep),
        1 => prop_oneof![Just(0u8), Just(97), Just(255)].prop_map(Memory),
    ]
}

fn config() -> impl Strategy<Value = Config> {
    (0..40u64, 0..5usize, 0..12u64, 0..=120u8, 0..4usize, 0..4usize, any::<bool>()).prop_map(
        |(scan_bytes, scan_items, buffer_bytes, percent, connection, bucket, sequential)| Config {
            scan_bytes,
            scan_items,
            buffer_bytes,
            resume_drained_percent: percent,
            backfills_per_connection: connection,
            backfills_per_bucket: bucket,
            order: match sequential {
                true => BackfillOrder::Sequential,
                false => BackfillOrder::RoundRobin,
            },
            ..Config::default()
        },
    )
}

/// What the misbehaving host draws its lots from.
struct Lots(AtomicU64);

impl Lots {
    /// True once in `n` times.
    fn one_in(&self, n: u64) -> bool {
        // A linear congruential generator; its high bits are good enough.
        let step =
            |x: u64| Some(x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407));
        (self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).unwrap() >> 33) % n == 0
    }
}

/// Panics without the noise of the panic hook.
fn quiet_panic() -> ! {
    resume_unwind(Box::new("the host"))
}

fn misbehaving(seed: u64) -> Source {
    let lots = Arc::new(Lots(AtomicU64::new(seed)));
    let of_memory = Arc::clone(&lots);
    let scan = move |_, range: SeqnoRange| -> Result<Box<dyn Scan>, SourceError> {
        if lots.one_in(20) {
            quiet_panic()
        }
        if lots.one_in(20) {
            return Err("no scan".into());
        }
        let end =
            if lots.one_in(10) { range.after.saturating_sub(1) } else { HIGH.min(range.upto) };
        let (lots, mut seqno) = (Arc::clone(&lots), range.after);
        Ok(Box::new(FnScan(end, move || match () {
            () if lots.one_in(60) => quiet_panic(),
            () if lots.one_in(60) => Err("no item".into()),
            () if lots.one_in(60) => Ok(One::Item(item(seqno, 1))),
            () if lots.one_in(8) => Ok(One::Later),
            () if seqno >= end => Ok(One::End),
            () => {
                seqno += 1 + u64::from(lots.one_in(3));
                let size = if lots.one_in(6) { 0 } else { (seqno % 7) as usize };
                Ok(One::Item(item(seqno.min(end), size)))
            }
        })))
    };
    Source::new(scan).memory(move |_, range| match () {
        () if of_memory.one_in(30) => quiet_panic(),
        () if of_memory.one_in(30) => Err("no memory".into()),
        () if of_memory.one_in(30) => Ok(Memory::Items(vec![item(range.upto, 1), item(0, 1)])),
        () if of_memory.one_in(6) => Ok(Memory::Gone),
        () if of_memory.one_in(6) => Ok(Memory::Items(Vec::new())),
        () => Ok(Memory::Items(vec![item(range.after + 1, 1)])),
    })
}

/// One connection that was opened, also when it is gone.
struct Client {
    id: u64,
    producer: Producer,
    bell: Arc<Bell>,
    /// How often the bell had rung when the connection was paused, if it is.
    parked: Option<usize>,
}

struct World {
    map: ConnMap,
    source: Arc<Source>,
    slots: usize,
    now: Instant,
    clients: Vec<Client>,
    /// The end that was asked for, and what the client has.
    accepted: BTreeMap<u32, (Seqno, Seqno)>,
    ended: BTreeMap<u32, EndStatus>,
    opaque: u32,
}

impl World {
    fn new(config: Config, seed: u64) -> Self {
        let source = misbehaving(seed).arc();
        World {
            slots: config.backfills_per_bucket.max(1),
            map: ConnMap::new(source.clone(), config),
            source,
            now: Instant::now(),
            clients: Vec::new(),
            accepted: BTreeMap::new(),
            ended: BTreeMap::new(),
            opaque: 0,
        }
    }

    fn client(&self, id: u64) -> Option<usize> {
        self.clients.iter().rposition(|client| client.id == id)
    }

    fn stats(&self) -> (MapStats, LiveObjects, Vec<ProducerStats>) {
        let producers = self.clients.iter().map(|client| client.producer.stats());
        (self.map.stats(), self.map.live().get(), producers.collect())
    }

    fn end(&mut self, end: StreamEnd) {
        let accepted = self.accepted.get(&end.opaque);
        let (asked, has) = *accepted.unwrap_or_else(|| panic!("{end:?} was never accepted"));
        assert!(end.status != EndStatus::Ok || has == asked, "{end:?} at {has} of {asked}");
        let before = self.ended.insert(end.opaque, end.status);
        assert_eq!(before, None, "{end:?} ended twice");
    }

    fn step(&mut self, at: usize) -> Step {
        let step = self.clients[at].producer.step();
        match &step {
            Step::Message(Message::StreamEnd(end)) => self.end(*end),
            Step::Message(Message::Item { opaque, item, .. }) => {
                assert!(!self.ended.contains_key(opaque), "{item:?} after the end");
                let (asked, has) = self.accepted.get_mut(opaque).expect("it was accepted");
                assert!(*has < item.seqno && item.seqno <= *asked, "{item:?} behind {has}");
                *has = item.seqno;
            }
            Step::Idle => self.park(at),
            _ => {}
        }
        if let Step::Message(_) = step {
            self.clients[at].parked = None;
        }
        step
    }

    /// Steps up to idle or disconnect; a client that reads for ever fails.
    fn drain(&mut self, at: usize) {
        let messages = (0..10_000).take_while(|_| matches!(self.step(at), Step::Message(_)));
        assert!(messages.count() < 10_000, "the messages have no end");
    }

    fn park(&mut self, at: usize) {
        self.clients[at].parked = Some(self.clients[at].bell.rung());
    }

    /// Makes one call; true when it was refused.
    fn call(&mut self, call: &Call) -> bool {
        use Call::*;
        match *call {
            Open(id, name) => {
                let bell = Bell::new();
                let opened = self.map.open(ConnId(id), &format!("{name}"), bell.clone());
                let Ok(opened) = opened else { return true };
                let producer = opened.deliver();
                self.clients.push(Client { id, producer, bell, parked: None });
            }
            Disconnect(id) => match self.map.disconnect(ConnId(id)) {
                Ok(ends) => ends.deliver().into_iter().for_each(|end| self.end(end)),
                Err(_) => return true,
            },
            Request(id, vb, start, end) => {
                let Some(at) = self.client(id) else { return false };
                self.opaque += 1;
                let request = StreamRequest { opaque: self.opaque, ..request(vb, start, end) };
                let producer = &self.clients[at].producer;
                let had = producer.has_stream(VbId(vb));
                match producer.stream_request(request) {
                    Ok(deferred) => deferred.deliver(),
                    Err(error) => {
                        assert!(had || error != RequestError::StreamExists(VbId(vb)));
                        return true;
                    }
                }
                assert!(!had && self.clients[at].producer.has_stream(VbId(vb)));
                self.accepted.insert(self.opaque, (end, start));
            }
            CloseStream(id, vb) => {
                let Some(at) = self.client(id) else { return false };
                let producer = &self.clients[at].producer;
                let had = producer.has_stream(VbId(vb));
                let closed = producer.close_stream(VbId(vb));
                assert_eq!(had, closed.is_ok());
                match closed {
                    Ok(deferred) => deferred.deliver(),
                    Err(_) => return true,
                }
            }
            Step(id) => drop(self.client(id).map(|at| self.step(at))),
            Drain(id) => {
                let Some(at) = self.client(id) else { return false };
                self.drain(at);
            }
            Pause(id) => {
                let Some(at) = self.client(id) else { return false };
                if self.clients[at].producer.pause() == connmap::Pause::Paused {
                    self.park(at);
                }
            }
            Wake(id) => {
                let Some(at) = self.client(id) else { return false };
                self.clients[at].producer.wake().deliver();
            }
            Notify(vb, seqno) => self.map.notify(VbId(vb), seqno).deliver(),
            EndStreams(vb) => drop(self.map.end_streams(VbId(vb), EndStatus::Rollback).deliver()),
            Run => drop(self.map.worker().run(self.now)),
            Sleep(millis) => self.now += Duration::from_millis(millis),
            Memory(percent) => self.source.used.store(percent, Ordering::Relaxed),
            Shutdown => {
                let closed = self.map.shutdown().deliver();
                closed.into_iter().flat_map(|c| c.ends).for_each(|end| self.end(end));
            }
        }
        false
    }

    fn check(&self) {
        let (map, live, producers) = self.stats();
        for (stats, client) in producers.iter().zip(&self.clients) {
            assert_eq!(stats.buffered_bytes, stats.queued_bytes, "bytes-balance");
            assert!(!(stats.paused && stats.ready), "paused with something to send");
            if client.parked == Some(client.bell.rung()) {
                assert!(stats.paused, "no-lost-wakeup: {stats:?}");
            }
        }
        let held: usize = producers.iter().map(|stats| stats.backfills_in_progress).sum();
        assert_eq!(map.slots_free + held, self.slots, "slots");
        assert_eq!(live.backfills, held, "no-orphan-backfill");
        let pending: usize = producers.iter().map(|stats| stats.backfills_pending).sum();
        let open: usize = producers.iter().map(|stats| stats.streams.len()).sum();
        assert!(held + pending <= open, "no-orphan-backfill");
        assert_eq!(live.streams, open);
        let unreported: usize = producers.iter().map(|stats| stats.ends).sum();
        assert_eq!(self.accepted.len(), self.ended.len() + open + unreported, "ended-once");
    }

    /// Lets time pass and clients read until nothing moves: then no backfill
    /// may be left, or a turn was lost.
    fn settle(&mut self) {
        self.source.used.store(0, Ordering::Relaxed);
        for id in 0..CONNECTIONS {
            let Some(at) = self.client(id) else { continue };
            let displaced = matches!(self.step(at), Step::Disconnect(_));
            if displaced {
                self.call(&Call::Disconnect(id));
            }
        }
        for _ in 0..100 {
            self.now += Duration::from_secs(1);
            run_all(&self.map.worker(), self.now);
            for at in 0..self.clients.len() {
                self.drain(at);
            }
            self.check();
        }
        let (map, live, _) = self.stats();
        assert_eq!(live.backfills, 0, "a turn was lost: {:#?}", self.map);
        assert_eq!((map.slots_free, map.queued), (self.slots, 0));
    }

    fn finish(mut self) {
        self.call(&Call::Shutdown);
        self.check();
        let live = self.map.live();
        let LiveObjects { producers, streams, managers, backfills, .. } = live.get();
        let connections = self.map.stats().connections;
        assert_eq!([producers, streams, managers, backfills], [connections, 0, 0, 0]);
        assert_eq!(self.accepted.len(), self.ended.len());
        assert_eq!(self.map.worker().wait(self.now), Wait::Stop);
        drop(self.map);
        assert_eq!(live.get(), LiveObjects::default());
    }
}

fn runs() -> Runs {
    Runs {
        cases: 600,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(37702),
        ..Runs::default()
    }
}

proptest! {
    #![proptest_config(runs())]

    #[test]
    fn every_invariant_holds_after_every_call(
        config in config(),
        seed in any::<u64>(),
        calls in proptest::collection::vec(call(), 1..250),
        shut_down_at in 0..400usize,
    ) {
        let mut world = World::new(config, seed);
        for (at, call) in calls.iter().enumerate() {
            let call = if at == shut_down_at { &Call::Shutdown } else { call };
            let before = world.stats();
            if world.call(call) {
                assert_eq!(world.stats(), before, "a refused call changed something");
            }
            world.check();
        }
        world.settle();
        world.finish();
    }
}
