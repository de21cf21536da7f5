//! The shipped core as a system: the calls of `connmap`, a host that has no
//! state of its own, and the invariants, checked from outside.
//!
//! - `calls`: the operations
//! - `host`: the source, the front ends, the host's own locks
//! - `check`: the invariants that are read off the final state

mod calls;
mod check;
mod host;

use crate::log::{Log, Outcome};
use crate::scenario::{Call, Conn, Scenario};
use crate::spec::Limits;
use crate::system::{Instance, Model, Operation, Setting};
use crate::systems::vocabulary::{int, operation, SAME_NAME, VB};
use crate::systems::words;
use crate::universe;
use crate::Invariant;
use connmap::{Config, ConnMap, LiveCounts, Producer};
use host::{FrontEnd, HostLocks, Source};
use orderings::generate::Universe;
use std::sync::Arc;
use std::time::Instant;

/// The package `connmap`, as it ships.
#[derive(Debug)]
pub struct Core;

const OPERATIONS: &[Operation] = &[
    operation("shutdown", false, &[], "shut the map down"),
    operation(
        "open",
        true,
        &[SAME_NAME],
        "open a producer; with a second connection, under that one's name",
    )
    .creating(),
    operation("lookup", true, &[], "look a producer up by its id"),
    operation("disconnect", true, &[], "close a connection and take it out of the map"),
    operation(
        "stream_request",
        true,
        &[VB, int("start", Some(0)), int("end", Some(u64::MAX))],
        "ask for the changes of a vb",
    ),
    operation("close_stream", true, &[VB], "end one stream"),
    operation("step", true, &[], "take the next message, or pause"),
    operation("pause", true, &[], "pause, unless there is something to send"),
    operation("wake", true, &[], "wake the front end, if it is paused"),
    operation("notify", false, &[VB, int("seqno", Some(100))], "a vb has a new seqno"),
    operation("end_streams", false, &[VB], "a vb changed its state: end its streams"),
    operation(
        "set_vb_state",
        false,
        &[VB, int("state", Some(0))],
        "end_streams, in kv_engine's words",
    ),
    operation("delete_vb", false, &[VB], "end_streams, in kv_engine's words"),
    operation(
        "seqno_ack",
        true,
        &[VB],
        "an acknowledgement; the core only looks at the connection",
    ),
    operation("run_backfill", false, &[], "a worker runs one backfill, if one can run"),
    operation("wait", false, &[], "a worker blocks until one can run, or the map is shut down"),
];

const SETTINGS: &[Setting] = &[
    Setting { name: "items", default: 1, meaning: "items of each vb on disk, of one byte each" },
    Setting { name: "memory", default: 1, meaning: "0: notified items have left the memory" },
    Setting { name: "buffer", default: 1 << 20, meaning: "bytes read ahead of a client" },
    Setting { name: "scan", default: 4096, meaning: "items that one run of a backfill reads" },
    Setting { name: "slots", default: 4096, meaning: "backfills in progress, bucket-wide" },
    Setting { name: "host_locks", default: 0, meaning: "1: the host's vb state lock around calls" },
    Setting { name: "fail", default: 0, meaning: "1: scans fail; 2: scans panic" },
    Setting { name: "memory_high", default: 0, meaning: "of kv_engine's protocols; nothing here" },
    Setting { name: "order", default: 0, meaning: "of kv_engine's protocols; nothing here" },
];

const INVARIANTS: &[Invariant] = &[
    Invariant::NoLateStream,
    Invariant::EndedOnce,
    Invariant::NoDangling,
    Invariant::NoOrphanBackfill,
    Invariant::BytesBalance,
    Invariant::NoLostWakeup,
    Invariant::NoDeadlock,
    Invariant::NoLeak,
    Invariant::Linearizable,
];

impl Model for Core {
    fn name(&self) -> String {
        "core".into()
    }

    fn meaning(&self) -> String {
        "the shipped core, package connmap".into()
    }

    fn receiver(&self) -> &str {
        "connection"
    }

    fn operations(&self) -> &[Operation] {
        OPERATIONS
    }

    fn settings(&self) -> &[Setting] {
        SETTINGS
    }

    fn invariants(&self) -> Vec<orderings::Invariant> {
        INVARIANTS.iter().map(|invariant| (*invariant).into()).collect()
    }

    fn limit(&self, name: &str) -> u64 {
        match name {
            "vb" => u64::from(u16::MAX),
            // What a scan reads, an execution does.
            "items" | "scan" | "slots" => 1 << 20,
            "memory" | "host_locks" => 1,
            "fail" => 2,
            "buffer" => 1 << 40,
            "start" | "seqno" => 1 << 62,
            _ => u64::MAX,
        }
    }

    fn scenarios(&self) -> &str {
        include_str!("../../../scenarios.txt")
    }

    fn primitives(&self) -> &'static str {
        crate::sync::ENGINE
    }

    fn universe(&self, threads: usize, calls: usize) -> Option<Universe> {
        Some(universe::core(threads, calls))
    }

    fn explain(&self, scenario: &Scenario, outcome: &Outcome) -> Option<String> {
        words::explain(scenario, outcome, |call, answer| words::phrase(scenario, call, answer))
    }

    fn did_nothing(&self, call: &Call, answer: &str) -> bool {
        words::did_nothing(call, answer)
    }

    fn build(&self, scenario: &Arc<Scenario>, log: &Arc<Log>) -> Arc<dyn Instance> {
        let setting = |name: &str| {
            let default = SETTINGS.iter().find(|setting| setting.name == name);
            scenario.setting(name, default.map_or(0, |setting| setting.default))
        };
        let config = Config {
            buffer_bytes: setting("buffer"),
            scan_items: setting("scan") as usize,
            backfills_per_bucket: setting("slots") as usize,
            ..Config::default()
        };
        let source = Source {
            items: setting("items"),
            in_memory: setting("memory") == 1,
            fail: setting("fail"),
        };
        let limits = Limits {
            items: source.items,
            in_memory: source.in_memory,
            buffer: config.buffer_bytes,
            scan: config.scan_items.max(1) as u64,
            slots: config.backfills_per_bucket.max(1) as u64,
            failing: source.fail != 0,
        };
        let locks = (setting("host_locks") == 1).then(|| Arc::new(HostLocks::default()));
        let slots = config.backfills_per_bucket.max(1);
        let map = ConnMap::new(Arc::new(source), config);
        let front_end = |_| Arc::new(FrontEnd::new(locks.clone(), Arc::clone(log)));
        let mut instance = CoreInstance {
            live: map.live(),
            map,
            slots,
            limits,
            now: Instant::now(),
            front_ends: scenario.receivers.iter().map(front_end).collect(),
            producers: Vec::new(),
            scenario: Arc::clone(scenario),
            locks,
        };
        for conn in (0..scenario.receivers.len()).map(Conn) {
            let opened = !scenario.created.contains(&conn);
            let producer = opened.then(|| instance.open(conn, conn).ok()).flatten();
            instance.producers.push(producer);
        }
        Arc::new(instance)
    }
}

/// One map and its connections, by [`Conn`]. Nothing in it changes during a
/// race but the map: a producer that the scenario opens itself is looked up.
struct CoreInstance {
    map: ConnMap,
    live: LiveCounts,
    slots: usize,
    limits: Limits,
    now: Instant,
    locks: Option<Arc<HostLocks>>,
    scenario: Arc<Scenario>,
    front_ends: Vec<Arc<FrontEnd>>,
    /// Those that are open from the start.
    producers: Vec<Option<Producer>>,
}
