//! The invariants of the core, read off the results of the calls and the final
//! state. Everything is seen from outside: through the public calls, the
//! reports of ended streams, and the counts of live objects.
//!
//! After the race the system is run on, alone, until it comes to rest. A turn,
//! a slot, a byte or a wake-up that was lost in the race shows there: something
//! is left that nobody will ever do.

use super::calls::request_of;
use super::CoreInstance;
use crate::log::{Log, Performed};
use crate::scenario::{Call, CallId, Conn};
use crate::spec;
use crate::system::Instance;
use crate::systems::vocabulary;
use crate::Invariant;
use connmap::{LiveObjects, Message, ProducerStats, Run, Step};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A bound for the run to rest, far above what any scenario has to do. Hitting
/// it is a violation: a system that never rests.
const REST: usize = 1000;

impl Instance for CoreInstance {
    fn perform(&self, id: CallId, call: &Call, log: &Log) -> String {
        self.call(id, call, log)
    }

    fn finish(self: Arc<Self>, log: &Log) {
        let Some(this) = Arc::into_inner(self) else {
            return log.violated(Invariant::NoLeak, "a thread that ended kept the system");
        };
        // First: what follows reports ends of its own.
        spec::check(&this.scenario, this.limits, log);
        let calls = log.calls();
        let closed = this.closed_connections(&calls);
        this.check_streams(&calls, &closed, log);
        this.check_backfills(log);
        this.check_front_ends(&closed, log);
        this.check_rest(log);
        this.release(&calls, log);
    }
}

impl CoreInstance {
    /// No step may hand out anything for a stream that was reported to have
    /// ended before the step was called.
    pub(super) fn check_not_ended(&self, opaque: u32, since: u64, log: &Log) {
        if log.had_news_before(request_of(opaque), since) {
            log.violated(Invariant::NoDangling, "a message of a stream after its end");
        }
    }

    fn conns(&self) -> impl Iterator<Item = Conn> {
        (0..self.scenario.receivers.len()).map(Conn)
    }

    fn stats(&self, conn: Conn) -> ProducerStats {
        self.producer(conn).map(|producer| producer.stats()).unwrap_or_default()
    }

    fn name(&self, conn: Conn) -> &str {
        &self.scenario.receivers[conn.0]
    }

    /// For each connection that was shut down or disconnected, and not opened
    /// again: when the first call that did so returned.
    fn closed_connections(&self, calls: &BTreeMap<CallId, Performed>) -> BTreeMap<Conn, u64> {
        vocabulary::closed(&self.scenario, calls, |call, answer| {
            match (call.operation, call.receiver, answer) {
                ("shutdown", ..) => self.conns().collect(),
                ("disconnect", Some(conn), "done") if !self.scenario.created.contains(&conn) => {
                    vec![conn]
                }
                _ => Vec::new(),
            }
        })
    }

    /// The accepted requests, with their connections.
    fn accepted(&self, calls: &BTreeMap<CallId, Performed>) -> Vec<(CallId, Conn, u64)> {
        let accepted = |(id, performed): (&CallId, &Performed)| {
            let call = self.scenario.call(*id)?;
            let (_, answer) = performed.end.as_ref()?;
            let accepts = call.operation == "stream_request" && answer == "accepted";
            accepts.then_some((*id, call.receiver?, performed.begin))
        };
        calls.iter().filter_map(accepted).collect()
    }

    fn check_streams(
        &self,
        calls: &BTreeMap<CallId, Performed>,
        closed: &BTreeMap<Conn, u64>,
        log: &Log,
    ) {
        let accepted = self.accepted(calls);
        for conn in self.conns() {
            let requests: Vec<_> = accepted.iter().filter(|(_, of, _)| *of == conn).collect();
            let unreported =
                requests.iter().filter(|(id, ..)| vocabulary::ends_of(log, *id).is_empty()).count();
            let stats = self.stats(conn);
            let held = stats.streams.len() + stats.ends;
            let name = self.name(conn);
            if unreported != held {
                let detail = format!("{name}: {unreported} streams have no end, {held} are there");
                log.violated(Invariant::EndedOnce, detail);
            }
            let Some(end) = closed.get(&conn) else { continue };
            if held > 0 || unreported > 0 {
                let detail = format!("{name} is closed, and {unreported} streams have no end");
                log.violated(Invariant::NoLateStream, detail);
            }
            if requests.iter().any(|(_, _, begin)| begin > end) {
                let detail = format!("{name} accepted a request that came after its close");
                log.violated(Invariant::NoLateStream, detail);
            }
        }
        self.check_ended_once(&accepted, log);
    }

    fn check_ended_once(&self, accepted: &[(CallId, Conn, u64)], log: &Log) {
        for (id, ..) in accepted {
            let ends = vocabulary::ends_of(log, *id);
            if ends.len() > 1 {
                let detail = format!("one stream ended {} times: {}", ends.len(), ends.join(", "));
                log.violated(Invariant::EndedOnce, detail);
            }
        }
    }

    fn check_backfills(&self, log: &Log) {
        let (mut streams, mut backfills, mut in_progress) = (0, 0, 0);
        for conn in self.conns() {
            let stats = self.stats(conn);
            streams += stats.streams.len();
            in_progress += stats.backfills_in_progress;
            backfills += stats.backfills_in_progress + stats.backfills_pending;
            if stats.buffered_bytes != stats.queued_bytes {
                let (name, charged, queued) =
                    (self.name(conn), stats.buffered_bytes, stats.queued_bytes);
                let detail = format!("{name}: {charged} bytes are charged for {queued} queued");
                log.violated(Invariant::BytesBalance, detail);
            }
        }
        let live = self.live.get();
        let map = self.map.stats();
        let orphan = |detail: String| log.violated(Invariant::NoOrphanBackfill, detail);
        if live.backfills != backfills || backfills > streams {
            let alive = live.backfills;
            orphan(format!("{alive} backfills alive, {backfills} queued, {streams} streams"));
        }
        if map.slots_free + in_progress != self.slots {
            let (free, all) = (map.slots_free, self.slots);
            orphan(format!("{free} of {all} slots are free, {in_progress} are in use"));
        }
        if live.managers == 0 && map.queued > 0 {
            orphan(format!("{} places in the queues, and nothing is open", map.queued));
        }
    }

    fn check_front_ends(&self, closed: &BTreeMap<Conn, u64>, log: &Log) {
        for conn in self.conns() {
            let stats = self.stats(conn);
            let owed = stats.ready || closed.contains_key(&conn);
            if owed && (stats.paused || self.front_ends[conn.0].asleep()) {
                let detail = format!("{} sleeps, and there is something for it", self.name(conn));
                log.violated(Invariant::NoLostWakeup, detail);
            }
        }
    }

    /// Runs workers and front ends in turn until neither has anything to do. A
    /// front end that is told to disconnect does: until then its connection has
    /// slots that others may wait for.
    fn check_rest(&self, log: &Log) {
        let worker = self.map.worker();
        for _ in 0..REST {
            let mut moved = worker.run(self.now) == Run::Ran;
            for conn in self.conns() {
                let Some(producer) = self.producer(conn) else { continue };
                let ends = match producer.step() {
                    Step::Idle => continue,
                    Step::Message(Message::StreamEnd(end)) => vec![end],
                    Step::Message(_) => Vec::new(),
                    Step::Disconnect(_) => match self.map.disconnect(producer.id()) {
                        Ok(ends) => ends.deliver(),
                        Err(_) => continue,
                    },
                };
                moved = true;
                for end in ends {
                    vocabulary::stream_ended(log, request_of(end.opaque), "at rest");
                }
            }
            if !moved {
                return self.check_at_rest(log);
            }
        }
        log.violated(Invariant::NoLostWakeup, "the system never comes to rest");
    }

    fn check_at_rest(&self, log: &Log) {
        for conn in self.conns() {
            let stats = self.stats(conn);
            let left = stats.backfills_pending + stats.backfills_in_progress;
            if left > 0 || stats.buffered_bytes > 0 {
                let name = self.name(conn);
                let detail = format!("{name}: {left} backfills are left, and no turn is to come");
                log.violated(Invariant::NoLostWakeup, detail);
            }
        }
    }

    /// Closes everything: now each stream has one end, and nothing is alive.
    fn release(self, calls: &BTreeMap<CallId, Performed>, log: &Log) {
        for closed in self.map.shutdown().deliver() {
            for end in closed.ends {
                vocabulary::stream_ended(log, request_of(end.opaque), "released");
            }
        }
        let accepted = self.accepted(calls);
        if accepted.iter().any(|(id, ..)| vocabulary::ends_of(log, *id).is_empty()) {
            log.violated(Invariant::EndedOnce, "a stream has no end after the shutdown");
        }
        self.check_ended_once(&accepted, log);
        let CoreInstance { map, live, producers, front_ends, .. } = self;
        let left = live.get();
        if left.streams + left.managers + left.backfills > 0 {
            log.violated(Invariant::NoLeak, format!("alive after the shutdown: {left:?}"));
        }
        drop(producers);
        drop(map);
        let left = live.get();
        if left != LiveObjects::default() {
            log.violated(Invariant::NoLeak, format!("alive when the map is gone: {left:?}"));
        }
        if front_ends.iter().any(|front_end| Arc::strong_count(front_end) > 1) {
            log.violated(Invariant::NoLeak, "somebody holds a front end when the map is gone");
        }
    }
}
