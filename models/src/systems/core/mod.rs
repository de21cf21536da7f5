//! The shipped core as a system: the calls of `connmap`, a host that fails as the
//! scenario's settings say, and the invariants, checked from outside.
//!
//! - `calls`: the operations
//! - `host`: the source, the front ends, the host's own locks
//! - `rest`: the calls after a race, until nothing is left to send
//! - `check`: the invariants, computed from calls, answers, and calls of the host

mod calls;
mod check;
mod host;
mod rest;

use crate::log::{Log, Outcome};
use crate::scenario::{Call, Conn, Scenario};
use crate::spec::{Limits, Memory};
use crate::system::{Instance, Model, Operation, Setting};
use crate::systems::vocabulary::{int, operation, SAME_NAME, VB};
use crate::systems::words;
use crate::universe;
use crate::Invariant;
use connmap::{BackfillOrder, Config, ConnMap, LiveCounts, Producer};
use host::{Fails, FrontEnd, Host, Manners, Source, SNOOZE};
use orderings::generate::Universe;
use std::sync::Arc;

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
    operation(
        "backfills",
        true,
        &[],
        "ask how many backfills of a connection are pending, and how many in progress",
    ),
    operation("run_backfill", false, &[], "a worker takes one turn, if there is one"),
    operation("tick", false, &[int("snoozes", Some(1))], "the clock moves on, in snoozes"),
    operation(
        "memory_used",
        false,
        &[int("percent", Some(0))],
        "the host uses this share of its memory; above 96 requests are refused and backfills \
         snooze",
    ),
    operation("wait", false, &[], "a worker blocks until there is a turn, or the map is shut down")
        .waiting(),
];

const fn setting(name: &'static str, default: u64, meaning: &'static str) -> Setting {
    Setting { name, default, meaning }
}

const SETTINGS: &[Setting] = &[
    setting("items", 1, "items of each vb on disk"),
    setting(
        "gap",
        1,
        "items have the multiples of this as seqnos; a snapshot ends just before the next",
    ),
    setting("bytes", 1, "bytes of each item"),
    setting(
        "memory",
        1,
        "what a read from memory finds: 1: the last item; 0: none, for they are gone; 2: none; \
         3: the next item; 4: all; 5: it fails; 6: it panics; 7: an item outside the range; \
         8: the last item, or none if no larger seqno is ever notified; 9: the last item, or \
         none for a stream that has not read up to the smallest seqno that is ever notified",
    ),
    setting(
        "memory_used",
        0,
        "the share of its memory that the host uses at first, in per cent; 101: it panics \
         when it is asked",
    ),
    setting("buffer", 1 << 20, "bytes read ahead of a client"),
    setting("resume", 25, "the share of a full buffer to send before backfills go on, in per cent"),
    setting("scan", 4096, "items that one run of a backfill reads"),
    setting("scan_bytes", 4 << 20, "bytes that one run of a backfill reads"),
    setting("batch", 1, "items that a scan hands over at once"),
    setting("slots", 4096, "backfills in progress, bucket-wide"),
    setting("cap", 64, "backfills in progress for each connection"),
    setting("sequential", 0, "1: one backfill runs to its end before the next"),
    setting(
        "open",
        0,
        "1: no scan can be opened; 2: to open one panics; 3: to ask for its snapshot's end panics",
    ),
    setting(
        "fail",
        0,
        "1: scans fail; 2: they panic; 3: they give an item outside the range; 4: an item twice; \
         5: one item more than there is room for",
    ),
    setting("fail_at", 1, "the item at which scans fail, from 1"),
    setting("later", 0, "the item before which each scan says \"later\", once, from 1; 0: none"),
    setting(
        "host_locks",
        0,
        "1: the host holds its vb state lock around calls and a front end's lock around steps, \
         and takes both in wake-ups and the first in destructors; where a disconnect or a \
         shutdown races, front ends are dropped at the end only",
    ),
    setting(
        "calls",
        0,
        "1: the host's methods, wake-ups and destructors call into the core; front ends are \
         dropped as with host_locks",
    ),
    setting(
        "panics",
        0,
        "1: the host's wake-ups and destructors panic; front ends are dropped as with host_locks",
    ),
    setting("memory_high", 0, "has a meaning for kv_engine's protocols only"),
    setting("order", 0, "has a meaning for kv_engine's protocols only"),
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
            // Each item is read, and each slot counted, in each execution.
            "items" | "scan" | "slots" | "cap" | "scan_bytes" => 1 << 20,
            "gap" | "bytes" | "fail_at" | "later" | "snoozes" => 1 << 10,
            "host_locks" | "calls" | "panics" | "sequential" => 1,
            "memory" => 9,
            "memory_used" => 101,
            "percent" | "resume" => 100,
            "batch" => 64,
            "open" => 3,
            "fail" => 5,
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
        let notified = |call: &Call| call.int(1).filter(|_| call.operation == "notify");
        let moves = |call: &Call| ["tick", "memory_used"].contains(&call.operation);
        let limits = Limits {
            items: setting("items"),
            gap: setting("gap").max(1),
            bytes: setting("bytes"),
            memory: memory(setting("memory")),
            first_notified: scenario.parts().flatten().filter_map(notified).min().unwrap_or(0),
            notified: scenario.parts().flatten().filter_map(notified).max().unwrap_or(0),
            // A host that panics when it is asked counts as using none.
            memory_used: match setting("memory_used") {
                101 => 0,
                percent => percent,
            },
            buffer: setting("buffer"),
            resume: setting("resume"),
            scan: setting("scan").max(1),
            scan_bytes: setting("scan_bytes").max(1),
            batch: setting("batch").max(1),
            slots: setting("slots").max(1),
            cap: setting("cap").max(1),
            sequential: setting("sequential") == 1,
            open_fails: setting("open") > 0,
            fail_at: if setting("fail") > 0 { setting("fail_at").max(1) } else { 0 },
            later: setting("later"),
            moves: setting("later") > 0
                || setting("memory_used") > 0
                || scenario.parts().flatten().any(moves),
        };
        let config = Config {
            buffer_bytes: limits.buffer,
            resume_drained_percent: limits.resume as u8,
            scan_items: setting("scan") as usize,
            scan_bytes: setting("scan_bytes"),
            backfills_per_bucket: setting("slots") as usize,
            backfills_per_connection: setting("cap") as usize,
            snooze: SNOOZE,
            order: match limits.sequential {
                true => BackfillOrder::Sequential,
                false => BackfillOrder::RoundRobin,
            },
            ..Config::default()
        };
        let manners = Manners {
            open: [Fails::No, Fails::Error, Fails::Panic, Fails::PanicAtTheEnd]
                [setting("open") as usize],
            scan: [
                Fails::No,
                Fails::Error,
                Fails::Panic,
                Fails::Strays,
                Fails::Repeats,
                Fails::Overfills,
            ][setting("fail") as usize],
            memory: if setting("memory") == 6 { Fails::Panic } else { Fails::Error },
            memory_used: if setting("memory_used") == 101 { Fails::Panic } else { Fails::No },
            calls: setting("calls") == 1,
            panics: setting("panics") == 1,
        };
        let host = Host::new(limits, manners, setting("host_locks") == 1, scenario, log);
        let map = Arc::new(ConnMap::new(Arc::new(Source(Arc::clone(&host))), config));
        host.knows(&map);
        let closes = |call: &Call| ["disconnect", "shutdown"].contains(&call.operation);
        let close_in_the_race = scenario.threads.iter().flatten().any(closes);
        let front_end = |_| Arc::new(FrontEnd::new(Arc::clone(&host), close_in_the_race));
        let mut instance = CoreInstance {
            live: map.live(),
            map,
            front_ends: scenario.receivers.iter().map(front_end).collect(),
            producers: Vec::new(),
            scenario: Arc::clone(scenario),
            host,
        };
        for conn in (0..scenario.receivers.len()).map(Conn) {
            let opened = !scenario.created.contains(&conn);
            let producer = opened.then(|| instance.open(conn, conn).ok()).flatten();
            instance.producers.push(producer);
        }
        Arc::new(instance)
    }
}

/// One map and its connections, by [`Conn`]. During a race only the map and the
/// host change: a producer that the scenario opens itself is looked up by its id.
struct CoreInstance {
    map: Arc<ConnMap>,
    live: LiveCounts,
    host: Arc<Host>,
    scenario: Arc<Scenario>,
    front_ends: Vec<Arc<FrontEnd>>,
    /// The producers of the connections that are open from the start.
    producers: Vec<Option<Producer>>,
}

fn memory(setting: u64) -> Memory {
    match setting {
        0 => Memory::Gone,
        2 => Memory::Nothing,
        3 => Memory::Less,
        4 => Memory::All,
        5 | 6 => Memory::Fails,
        7 => Memory::Strays,
        8 => Memory::GoneAtTheEnd,
        9 => Memory::GoneAtTheBeginning,
        _ => Memory::Last,
    }
}
