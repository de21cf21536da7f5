//! The calls after a race, made by one thread, until nothing is left to do.
//! They are part of the history that the specification has to explain.
//!
//! Workers run what there is to run; a front end steps while it is awake, and
//! disconnects when it is told to. A front end that sleeps is left alone until
//! it is woken. When nothing moves any more, it is asked all the same: what
//! there is for it then is what it should have been woken for.

use super::calls::id_of;
use super::CoreInstance;
use crate::log::Log;
use crate::scenario::{Argument, Call, CallId, Conn};
use crate::spec::rest::{line, OfConnection, OfMap, STATS};
use crate::Invariant;
use connmap::StreamState;
use orderings::linear::Rested;

/// A bound on the rounds, far above what any scenario has to do: in each,
/// somebody moves. Hitting it is a violation.
const ROUNDS: usize = 200;

/// The run, and what its calls answered.
pub(super) struct Rest<'a> {
    core: &'a CoreInstance,
    log: &'a Log,
    pub(super) calls: Vec<Rested>,
}

impl<'a> Rest<'a> {
    pub(super) fn run(core: &'a CoreInstance, log: &'a Log) -> Vec<Rested> {
        let mut rest = Rest { core, log, calls: Vec::new() };
        rest.call(STATS, None, None);
        if rest.comes_to_rest() {
            rest.look_for_sleepers();
        } else {
            let last: Vec<String> = rest.calls.iter().rev().take(4).map(said).collect();
            let detail = format!("the system never comes to rest: ... {}", last.join("; "));
            log.violated(Invariant::NoDeadlock, detail);
            return Vec::new();
        }
        rest.call("shutdown", None, None);
        rest.call(STATS, None, None);
        rest.calls
    }

    fn call(
        &mut self,
        operation: &'static str,
        conn: Option<Conn>,
        argument: Option<u64>,
    ) -> String {
        let name = conn.map_or(String::new(), |conn| format!("{}.", self.core.name(conn)));
        let argument_text = argument.map_or(String::new(), |value| format!("({value})"));
        let call = Call {
            operation,
            receiver: conn,
            arguments: argument.map(Argument::Int).into_iter().collect(),
            text: format!("{name}{operation}{argument_text} at rest"),
            waits: false,
        };
        let id = CallId { thread: usize::MAX, index: self.calls.len() };
        let answer = self.core.call(id, &call, self.log);
        let subject = self.log.subject_of(id);
        self.calls.push(Rested { call, answer: answer.clone(), subject });
        answer
    }

    /// Runs until nothing moves. False: it always does.
    fn comes_to_rest(&mut self) -> bool {
        let limits = &self.core.host.limits;
        let time = limits.moves;
        if time {
            self.call("memory_used", None, Some(0));
        }
        let mut later = !time;
        for _ in 0..ROUNDS {
            let mut moved = self.call("run_backfill", None, None) == "ran";
            for conn in self.core.conns() {
                moved |= self.core.front_ends[conn.0].asleep().is_none() && self.step(conn);
            }
            if moved {
                later = !time;
            } else if later {
                return true;
            } else {
                // What was put off has its turn, by and by.
                self.call("tick", None, Some(1));
                later = true;
            }
        }
        false
    }

    /// One step. False: there was nothing to send.
    fn step(&mut self, conn: Conn) -> bool {
        if self.core.producer(conn).is_none() {
            return false;
        }
        let answer = self.call("step", Some(conn), None);
        if answer.starts_with("disconnect, ") {
            return self.call("disconnect", Some(conn), None) == "done";
        }
        answer != "idle"
    }

    fn look_for_sleepers(&mut self) {
        for conn in self.core.conns() {
            let Some(since) = self.core.front_ends[conn.0].asleep() else { continue };
            let before = self.calls.len();
            while self.step(conn) && self.calls.len() < before + ROUNDS {}
            let Some(found) = self.calls.get(before) else { continue };
            if found.answer != "idle" {
                self.lost(conn, since, before);
            }
        }
    }

    /// Says who sleeps, what there is for it, and which call should have woken it.
    fn lost(&self, conn: Conn, since: u64, found: usize) {
        let found = &self.calls[found];
        let scenario = &self.core.scenario;
        let of = found.subject.and_then(|request| scenario.call(request));
        let of = of.map_or(String::new(), |request| format!(" of {request}"));
        let wakers: &[&str] = match &*found.answer {
            "disconnect, shut down" => &["shutdown"],
            "disconnect, displaced" => &["open"],
            "disconnect, disconnected" => &["disconnect"],
            "stream end closed" => &["close_stream"],
            "stream end state-changed" => &["end_streams", "set_vb_state", "delete_vb"],
            text if text.ends_with("from memory") => &["notify", "run_backfill"],
            _ => &["run_backfill", "stream_request", "notify"],
        };
        let calls = self.log.calls();
        let should = calls.iter().filter_map(|(id, performed)| {
            let (end, _) = performed.end.as_ref()?;
            let call = scenario.call(*id)?;
            let meant = *end > since && wakers.contains(&call.operation);
            meant.then_some((*end, call.text.as_str()))
        });
        let should = should.max().map_or("a call at rest", |(_, text)| text);
        let name = self.core.name(conn);
        let detail = format!(
            "{name} sleeps, and there is \"{}\"{of} for it: {should} should have woken it",
            found.answer
        );
        self.log.violated(Invariant::NoLostWakeup, detail);
    }
}

fn said(rested: &Rested) -> String {
    format!("{}: {}", rested.call, rested.answer)
}

impl CoreInstance {
    /// What the core and the host say of themselves, as the specification says it.
    pub(super) fn statistics(&self) -> String {
        let connections: Vec<_> = self.conns().map(|conn| self.of(conn)).collect();
        let (stats, live) = (self.map.stats(), self.live.get());
        let mut asked = self.host.asked().clone();
        asked.opened.sort();
        asked.read.sort();
        let map = OfMap {
            connections: stats.connections,
            bucket: (stats.slots_free as u64, stats.queued),
            alive: [live.producers, live.managers, live.streams, live.backfills],
            scans: asked.scans,
            opened: asked.opened,
            read: asked.read,
            items: asked.items,
        };
        line(&self.scenario, &connections, &map)
    }

    fn of(&self, conn: Conn) -> OfConnection {
        let known = self.map.get(id_of(conn)).is_some();
        let stats = match known {
            true => self.stats(conn),
            false => Default::default(),
        };
        let state = |state| match state {
            StreamState::Pending => "pending",
            StreamState::Backfilling => "backfilling",
            StreamState::InMemory => "in memory",
            StreamState::Dead => "dead",
        };
        let streams = stats.streams.iter();
        let front_end = &self.front_ends[conn.0];
        OfConnection {
            streams: streams.map(|(vb, of)| (vb.0.into(), state(*of))).collect(),
            ends: stats.ends,
            paused: stats.paused,
            ready: stats.ready,
            bytes: (stats.buffered_bytes, stats.queued_bytes),
            backfills: (stats.backfills_pending, stats.backfills_in_progress),
            wakes: front_end.wakes(),
            front_ends: front_end.held(),
        }
    }
}
