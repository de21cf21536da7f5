//! kv_engine's teardown of its DCP connections, era by era: a model, written
//! from the public history of that project. Nothing of kv_engine is run.
//!
//! The protocol is written once. What a commit changed stands behind a test for
//! its era: `since(Era::...)`. A ticket that no era shows is revived by a switch:
//! `revives(Variant::...)`.
//!
//! - `era`: the eras and the switches
//! - `world`: vBuckets, slots, crashes
//! - `map`, `producer`, `stream`, `manager`: the objects, their owners, and
//!   their locks
//! - `teardown`: closeAllStreams, shutdown, disconnect, a vb's state change
//! - `front_end`: streamRequest, step, closeStream, seqnoAck
//! - `counted`, `bare`, `steps`: pointers, accesses and locks as steps of the
//!   explorer
//! - `check`: the invariants of the final state
//! - `tickets`: which scenario shows which ticket on which era
//! - `rules`: the core's rules, and the tickets that each prevents
//! - `forms`: every scenario up to a size
//!
//! Threads are those of a scenario. The bucket's deletion (BD) calls `shutdown`,
//! a state change (SV) `end_streams` and the like, a background task (BT)
//! `run_backfill`. All other calls are a front end's (FE): its thread lock
//! serialises those of one connection, whichever thread of the scenario calls.

mod bare;
mod calls;
mod check;
mod counted;
pub mod era;
pub mod forms;
mod front_end;
mod manager;
mod map;
mod producer;
pub mod rules;
mod steps;
mod stream;
mod teardown;
pub mod tickets;
mod words;
mod world;

use crate::log::{Log, Outcome};
use crate::scenario::{Call, Conn, Scenario};
use crate::system::{Instance, Model, Operation, Setting};
use crate::systems::vocabulary::{int, operation, SAME_NAME, VB};
use crate::Invariant;
use era::{Protocol, ERAS, VARIANTS};
use map::Engine;
use std::sync::Arc;
use world::{Settings, World};

/// Where the names of these systems begin.
pub const PREFIX: &str = "kv-engine@";

/// One protocol, under the name by which it was found.
#[derive(Clone, Debug)]
pub struct KvEngine {
    protocol: Protocol,
    name: String,
}

impl KvEngine {
    /// The protocol of a name: [`PREFIX`], and a name that [`Protocol::parse`]
    /// takes.
    pub fn find(name: &str) -> Option<KvEngine> {
        let protocol = Protocol::parse(name.strip_prefix(PREFIX)?)?;
        Some(KvEngine { protocol, name: name.to_owned() })
    }

    /// The eras, oldest first.
    pub fn eras() -> impl Iterator<Item = KvEngine> {
        ERAS.iter().map(|(era, ..)| Protocol { era: *era, variant: None }.into())
    }

    /// The variants, each on its era.
    pub fn variants() -> impl Iterator<Item = KvEngine> {
        VARIANTS
            .iter()
            .map(|(variant, era, ..)| Protocol { era: *era, variant: Some(*variant) }.into())
    }

    /// The era and the switch.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }
}

impl From<Protocol> for KvEngine {
    fn from(protocol: Protocol) -> Self {
        KvEngine { protocol, name: format!("{PREFIX}{}", protocol.describe().0) }
    }
}

/// The protocol just before the ticket that this project began with.
pub const SEED: &str = "kv-engine@before-mb-37702";

const OPERATIONS: &[Operation] = &[
    operation("shutdown", false, &[], "BD: close all connections, the bucket is deleted"),
    operation(
        "open",
        true,
        &[SAME_NAME],
        "FE: open a producer; with a second connection, under that one's name",
    )
    .creating(),
    operation("lookup", true, &[], "any thread: read a connection's statistics, through the map"),
    operation("disconnect", true, &[], "FE: take the connection out of the map and close it"),
    operation(
        "stream_request",
        true,
        &[VB, int("start", Some(0)), int("end", Some(u64::MAX))],
        "FE: ask for the changes of a vb",
    ),
    operation("close_stream", true, &[VB], "FE: the client closes one stream"),
    operation("step", true, &[], "FE: send the next message; disconnect if flagged"),
    operation("seqno_ack", true, &[VB], "FE: the client acknowledges a seqno"),
    operation("notify", false, &[VB], "a write: the vb has a new seqno"),
    operation("end_streams", false, &[VB], "SV: a vb becomes a replica: end its streams"),
    operation(
        "set_vb_state",
        false,
        &[VB, int("state", Some(0))],
        "SV: a vb becomes dead (0), replica (1), or active with a new failover entry (2)",
    ),
    operation("delete_vb", false, &[VB], "SV: a vb becomes dead and is deleted"),
    operation("run_backfill", false, &[], "BT: one run of a manager's task"),
];

const SETTINGS: &[Setting] = &[
    Setting { name: "items", default: 1, meaning: "items of each vb on disk, of one byte each" },
    Setting { name: "buffer", default: 1 << 20, meaning: "bytes read ahead of a client" },
    Setting { name: "scan", default: 4096, meaning: "items that one run of a backfill reads" },
    Setting { name: "slots", default: 4096, meaning: "backfills in progress, bucket-wide" },
    Setting { name: "memory_high", default: 0, meaning: "1: the manager's task snoozes" },
    Setting {
        name: "order",
        default: 0,
        meaning: "1: requests come when shutdown is where MB-37702 flags; \
                  2: shutdown comes when a request has scheduled; \
                  3: a request comes when shutdown has ended the streams, \
                  and is answered before the reset",
    },
];

/// Of `linearizable` one thing is checked: that no request is accepted against a
/// failover table from before a state change that does not end the stream.
const INVARIANTS: &[Invariant] = &[
    Invariant::NoLateStream,
    Invariant::EndedOnce,
    Invariant::NoDangling,
    Invariant::NoOrphanBackfill,
    Invariant::BytesBalance,
    Invariant::NoLostWakeup,
    Invariant::NoDeadlock,
    Invariant::NoLeak,
    Invariant::NoDataRace,
    Invariant::Linearizable,
];

impl Model for KvEngine {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn meaning(&self) -> String {
        format!("a model of kv_engine, {}", self.protocol.describe().1)
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
            // Each vb has a container of its own, with a lock that teardown takes.
            "vb" => 63,
            // Each item is read, and each slot counted, in each execution.
            "items" | "scan" | "slots" => 1 << 20,
            "buffer" => 1 << 40,
            "memory_high" => 1,
            "order" => 3,
            "state" => 2,
            "start" => 1 << 62,
            _ => u64::MAX,
        }
    }

    /// References are counted in atomics of the engine.
    fn loom_sees_all(&self) -> bool {
        true
    }

    fn scenarios(&self) -> &str {
        match self.name == SEED {
            true => include_str!("../../../scenarios-seed.txt"),
            false => "",
        }
    }

    fn build(&self, scenario: &Arc<Scenario>, log: &Arc<Log>) -> Arc<dyn Instance> {
        let setting = |name: &str| {
            let default = SETTINGS.iter().find(|setting| setting.name == name);
            scenario.setting(name, default.map_or(0, |setting| setting.default))
        };
        let calls = || scenario.parts().flatten();
        let settings = Settings {
            items: setting("items"),
            buffer: setting("buffer"),
            scan: setting("scan"),
            slots: setting("slots"),
            memory_high: setting("memory_high") == 1,
            order: setting("order"),
            notified: calls().any(|call| call.operation == "notify"),
        };
        // Only the vbs that are named: each has a container, which teardown locks.
        let on_vb = |name: &str| {
            OPERATIONS.iter().any(|op| op.name == name && op.arguments.first() == Some(&VB))
        };
        let named = calls().filter(|call| on_vb(call.operation)).filter_map(|call| call.int(0));
        let vbs = named.max().unwrap_or(0) as usize + 1;
        let world = World::new(self.protocol, settings, vbs, scenario.receivers.len(), log);
        let engine = Engine::new(world, scenario);
        for conn in (0..scenario.receivers.len()).map(Conn) {
            if !scenario.created.contains(&conn) {
                engine.open_at_start(conn);
            }
        }
        Arc::new(engine)
    }

    fn explain(&self, scenario: &Scenario, outcome: &Outcome) -> Option<String> {
        words::explain(scenario, outcome)
    }

    fn did_nothing(&self, call: &Call, answer: &str) -> bool {
        words::did_nothing(call, answer)
    }
}
