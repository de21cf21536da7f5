//! The invariants of the core, computed from calls and their answers, from the
//! messages to the clients, and from what the host counts: never from what the
//! core says of itself. (The core's statistics are answers like any other, which
//! the specification predicts.)
//!
//! After the race one thread makes calls until the system comes to rest; see
//! `rest`. A turn, a slot, a byte or a wake-up that was lost in the race shows
//! there, as a message that is never sent.

use super::calls::request_of;
use super::rest::Rest;
use super::CoreInstance;
use crate::log::{Log, Performed};
use crate::scenario::{Call, CallId, Conn};
use crate::spec;
use crate::system::Instance;
use crate::systems::vocabulary::{self, ends_of};
use crate::{answers, Invariant};
use connmap::{LiveObjects, ProducerStats, Run, VbId};
use orderings::render::layout::plural;
use orderings::sync::until_rest;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::Arc;

/// Said of a worker that no shutdown lets go.
const WAITS_FOR_EVER: &str = "a worker waits, and the map is shut down";

/// Beyond every time that something is put off to.
const SNOOZES: u64 = 2;

impl Instance for CoreInstance {
    fn perform(&self, id: CallId, call: &Call, log: &Log) -> String {
        self.call(id, call, log)
    }

    fn finish(self: Arc<Self>, log: &Log) {
        let calls = log.calls();
        self.check_closed(&calls, log);
        self.check_wakes(&calls, log);
        let waiting = log.waiting();
        if !waiting.is_empty() {
            self.let_workers_go(&calls, log);
        }
        let Some(this) = Arc::into_inner(self) else {
            return log.violated(Invariant::NoLeak, "a thread that ended kept the system");
        };
        // The answers of workers that only the shutdown of `let_workers_go` woke
        // are no part of the race.
        if waiting.is_empty() {
            let rest = Rest::run(&this, log);
            match rest.is_empty() {
                true => this.shut_down(log),
                false => spec::check(&this.scenario, this.host.limits, log, rest),
            }
        }
        this.release(&calls, log);
    }
}

impl CoreInstance {
    /// The race is over, and workers still wait. They may, if there is nothing to run,
    /// neither now nor when the clock moves on; or if another worker has run a backfill
    /// in the race or was told to. A shutdown must make each of them return.
    fn let_workers_go(&self, calls: &BTreeMap<CallId, Performed>, log: &Log) {
        let returned = |operations: &[&str], id: &CallId, performed: &Performed| {
            let call = self.scenario.call(*id);
            performed.end.is_some() && call.is_some_and(|c| operations.contains(&c.operation))
        };
        if calls.iter().any(|(id, performed)| returned(&["shutdown"], id, performed)) {
            log.violated(Invariant::NoDeadlock, WAITS_FOR_EVER);
        }
        let others = calls.iter().any(|(id, performed)| {
            // What came before the race was over before anybody waited.
            id.thread > 0 && returned(&["run_backfill", "wait"], id, performed)
        });
        if !others && self.runs() {
            let detail = "a worker waits, and there was a backfill to run";
            log.violated(Invariant::NoLostWakeup, detail);
        }
        // Whatever was put off is due then: who waits has to come back for it.
        self.host.tick(SNOOZES);
        if !others && self.runs() {
            let detail = "a worker waits, and sleeps past the time of what was put off";
            log.violated(Invariant::NoLostWakeup, detail);
        }
        self.shut_down(log);
        until_rest();
        if !log.waiting().is_empty() {
            log.violated(Invariant::NoDeadlock, WAITS_FOR_EVER);
        }
    }

    /// Whether a worker that came now had something to run.
    fn runs(&self) -> bool {
        self.map.worker().run(self.host.now()) == Run::Ran
    }

    /// No step may hand out anything for a stream that was reported to have
    /// ended before the step was called.
    pub(super) fn check_not_ended(&self, opaque: u32, since: u64, log: &Log) {
        if log.had_news_before(request_of(opaque), since) {
            log.violated(Invariant::NoDangling, "a message of a stream after its end");
        }
    }

    /// A message to a client must be about a stream that was requested on this
    /// connection, and on this vb.
    pub(super) fn check_place(&self, conn: Conn, opaque: u32, vb: VbId, log: &Log) {
        let request = self.scenario.call(request_of(opaque));
        let right = request.is_some_and(|request| {
            request.receiver == Some(conn) && request.int(0).unwrap_or(0) == u64::from(vb.0)
        });
        if !right {
            let detail = format!("{} is told of a stream that is not its own", self.name(conn));
            log.violated(Invariant::NoDangling, detail);
        }
    }

    pub(super) fn conns(&self) -> impl Iterator<Item = Conn> {
        (0..self.scenario.receivers.len()).map(Conn)
    }

    pub(super) fn stats(&self, conn: Conn) -> ProducerStats {
        self.producer(conn).map(|producer| producer.stats()).unwrap_or_default()
    }

    pub(super) fn name(&self, conn: Conn) -> &str {
        &self.scenario.receivers[conn.0]
    }

    /// For each connection that was closed, and not opened again: when the first
    /// call that closed it returned.
    fn closed_connections(&self, calls: &BTreeMap<CallId, Performed>) -> BTreeMap<Conn, u64> {
        vocabulary::closed(&self.scenario, calls, |call, answer| {
            match (call.operation, call.receiver, answer) {
                ("shutdown", ..) => self.conns().collect(),
                ("disconnect", Some(conn), answers::DONE)
                    if !self.scenario.created.contains(&conn) =>
                {
                    vec![conn]
                }
                _ => Vec::new(),
            }
        })
    }

    /// The accepted requests, each with its connection and the time of its call.
    fn accepted(&self, calls: &BTreeMap<CallId, Performed>) -> Vec<(CallId, Conn, u64)> {
        let accepted = |(id, performed): (&CallId, &Performed)| {
            let call = self.scenario.call(*id)?;
            let (_, answer) = performed.end.as_ref()?;
            let accepts = call.operation == "stream_request" && answer == answers::ACCEPTED;
            accepts.then_some((*id, call.receiver?, performed.begin))
        };
        calls.iter().filter_map(accepted).collect()
    }

    /// Of a closed connection the end of each stream must have been reported, and
    /// no request may be accepted after the close.
    fn check_closed(&self, calls: &BTreeMap<CallId, Performed>, log: &Log) {
        let accepted = self.accepted(calls);
        for (conn, end) in self.closed_connections(calls) {
            let requests = || accepted.iter().filter(|(_, of, _)| *of == conn);
            let unreported = requests().filter(|(id, ..)| ends_of(log, *id).is_empty()).count();
            let name = self.name(conn);
            if unreported > 0 {
                let streams = plural(unreported as u64, "stream");
                let detail = format!("{name} is closed, and without an end: {streams}");
                log.violated(Invariant::NoLateStream, detail);
            }
            if requests().any(|(_, _, begin)| *begin > end) {
                let detail = format!("{name} accepted a request that came after its close");
                log.violated(Invariant::NoLateStream, detail);
            }
        }
    }

    /// A call delivers its wake-ups before it returns: after a disconnect has
    /// returned, only a call that began before may still wake the front end.
    fn check_wakes(&self, calls: &BTreeMap<CallId, Performed>, log: &Log) {
        let opened = &self.scenario.created;
        for (id, performed) in calls {
            let (Some(call), Some((end, answer))) = (self.scenario.call(*id), &performed.end)
            else {
                continue;
            };
            let Some(conn) = call.receiver.filter(|conn| !opened.contains(conn)) else { continue };
            let woken = self.front_ends[conn.0].last_wake();
            if call.operation != "disconnect" || answer != answers::DONE || woken < *end {
                continue;
            }
            let under_way = calls.values().any(|other| {
                let ended = other.end.as_ref().map_or(u64::MAX, |(end, _)| *end);
                other.begin < *end && ended > woken
            });
            if !under_way {
                let name = self.name(conn);
                let detail = format!("{name} is woken by a call that came after its disconnect");
                log.violated(Invariant::NoDangling, detail);
            }
        }
    }

    /// To be called when the clients have every message: then no item is read
    /// ahead, and no byte may be charged. (Before that the bytes charged are an
    /// answer that the specification predicts, from the sizes of the items that
    /// scans have given and `step` has handed out.)
    pub(super) fn check_bytes(&self, log: &Log) {
        for conn in self.conns() {
            let charged = self.stats(conn).buffered_bytes;
            if charged > 0 {
                let name = self.name(conn);
                let charged = plural(charged, "byte");
                let detail = format!("{name}: its client has all, and still charged: {charged}");
                log.violated(Invariant::BytesBalance, detail);
            }
        }
    }

    fn check_ended_once(&self, accepted: &[(CallId, Conn, u64)], log: &Log) {
        for (id, ..) in accepted {
            let ends = ends_of(log, *id);
            let detail = match ends.len() {
                0 => "a stream has no end after the shutdown".to_owned(),
                1 => continue,
                times => format!("one stream ended {times} times: {}", ends.join(", ")),
            };
            log.violated(Invariant::EndedOnce, detail);
        }
    }

    /// Shuts the map down, where no call at rest has.
    fn shut_down(&self, log: &Log) {
        for closed in self.map.shutdown().deliver() {
            self.report_ends(Conn(closed.id.0 as usize), &closed.ends, log);
        }
    }

    /// The map is shut down: each stream must have had one end, and no object of
    /// the core may be alive.
    fn release(self, calls: &BTreeMap<CallId, Performed>, log: &Log) {
        self.check_ended_once(&self.accepted(calls), log);
        let CoreInstance { map, live, producers, front_ends, host, .. } = self;
        if host.lost.load(Ordering::Relaxed) > 0 {
            let detail = "a method or destructor of the host's ran under a lock of the core";
            log.violated(Invariant::NoDeadlock, detail);
        }
        let left = live.get();
        if left.backfills > 0 || host.asked().scans > 0 {
            let scans = host.asked().scans;
            let detail =
                format!("after the shutdown: backfills: {}, scans: {scans}", left.backfills);
            log.violated(Invariant::NoOrphanBackfill, detail);
        }
        if left.streams + left.managers > 0 {
            log.violated(Invariant::NoLeak, format!("alive after the shutdown: {left:?}"));
        }
        drop(producers);
        drop(map);
        let left = live.get();
        if left != LiveObjects::default() {
            log.violated(Invariant::NoLeak, format!("alive when the map is gone: {left:?}"));
        }
        if front_ends.iter().any(|front_end| front_end.held() > 0) {
            log.violated(Invariant::NoLeak, "somebody holds a front end when the map is gone");
        }
        front_ends.iter().for_each(|front_end| front_end.let_go());
    }
}
