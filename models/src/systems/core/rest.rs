//! The calls after a race, made by one thread, until nothing is left to send.
//! They are part of the history that the specification has to explain.
//!
//! Backfills are run; a front end steps while it is awake, and disconnects when
//! it is told to. A front end that sleeps makes no call until it is woken. When no
//! call does anything any more, the sleeping front ends step all the same: a
//! message that one finds then is a lost wake-up.

use super::calls::id_of;
use super::CoreInstance;
use crate::log::Log;
use crate::scenario::{Argument, Call, CallId, Conn};
use crate::spec::rest::{line, OfConnection, OfMap, STATS};
use crate::{answers, Invariant};
use connmap::StreamState;
use orderings::linear::Rested;

/// The rounds that a scenario may take beside one for each message: each round
/// has a call that does something. A system that takes more never comes to rest.
const ROUNDS: usize = 200;

/// The calls after the race, and their answers.
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
            log.violated(Invariant::NoDeadlock, restless(&rest.calls));
            return Vec::new();
        }
        core.check_bytes(log);
        rest.call("shutdown", None, None);
        rest.call(STATS, None, None);
        rest.calls
    }

    fn call(&mut self, operation: &'static str, conn: Option<Conn>, argument: Option<u64>) -> &str {
        // Put together by hand: each execution makes several of these calls.
        let mut text = String::with_capacity(32);
        if let Some(conn) = conn {
            text += self.core.name(conn);
            text += ".";
        }
        text += operation;
        if let Some(value) = argument {
            text += &format!("({value})");
        }
        text += " at rest";
        let arguments = argument.map(Argument::Int).into_iter().collect();
        let call = Call { operation, receiver: conn, arguments, text, waits: false };
        let id = CallId { thread: usize::MAX, index: self.calls.len() };
        let answer = self.core.call(id, &call, self.log);
        let subject = self.log.subject_of(id);
        self.calls.push(Rested { call, answer, subject });
        &self.calls[id.index].answer
    }

    /// Makes calls until none does anything. False: the rounds did not suffice.
    fn comes_to_rest(&mut self) -> bool {
        let limits = &self.core.host.limits;
        let time = limits.moves;
        if time {
            self.call("memory_used", None, Some(0));
        }
        let mut later = !time;
        for _ in 0..self.rounds() {
            let mut moved = self.call("run_backfill", None, None) == answers::RAN;
            for conn in self.core.conns() {
                moved |= self.core.front_ends[conn.0].asleep().is_none() && self.step(conn);
            }
            if moved {
                later = !time;
            } else if later {
                return true;
            } else {
                // Snoozing backfills get their turns when time passes.
                self.call("tick", None, Some(1));
                later = true;
            }
        }
        false
    }

    /// More rounds than a correct core needs: each stream has the items on disk and
    /// those that were notified, which may come one by one.
    fn rounds(&self) -> usize {
        let limits = &self.core.host.limits;
        let requests = self.core.scenario.parts().flatten();
        let requests = requests.filter(|call| call.operation == "stream_request").count();
        let items = limits.items.saturating_add(limits.notified).min(1 << 20) as usize;
        ROUNDS + 2 * requests * items
    }

    /// One `step`. False: there was nothing to send.
    fn step(&mut self, conn: Conn) -> bool {
        if self.core.producer(conn).is_none() {
            return false;
        }
        let answer = self.call("step", Some(conn), None);
        if answer.starts_with("disconnect, ") {
            return self.call("disconnect", Some(conn), None) == answers::DONE;
        }
        answer != answers::IDLE
    }

    fn look_for_sleepers(&mut self) {
        for conn in self.core.conns() {
            let Some(since) = self.core.front_ends[conn.0].asleep() else { continue };
            let before = self.calls.len();
            while self.step(conn) && self.calls.len() < before + self.rounds() {}
            let Some(found) = self.calls.get(before) else { continue };
            if found.answer != answers::IDLE {
                self.lost(conn, since, before);
            }
        }
    }

    /// Reports a lost wake-up: the connection has slept since `since`, and its call
    /// `found` found a message. Names the call that should have woken it.
    fn lost(&self, conn: Conn, since: u64, found: usize) {
        let found = &self.calls[found];
        let scenario = &self.core.scenario;
        let of = found.subject.and_then(|request| scenario.call(request));
        let wakers = wakers(&found.answer);
        let calls = self.log.calls();
        let should = calls.iter().filter_map(|(id, performed)| {
            let (end, _) = performed.end.as_ref()?;
            let call = scenario.call(*id)?;
            let meant = *end > since && wakers.contains(&call.operation);
            meant.then_some((*end, call.text.as_str()))
        });
        let should = should.max().map(|(_, text)| text);
        let of = of.map(|request| request.text.as_str());
        let detail = lost(self.core.name(conn), &found.answer, of, should);
        self.log.violated(Invariant::NoLostWakeup, detail);
    }
}

/// The operations after which `step` finds this.
fn wakers(found: &str) -> &'static [&'static str] {
    match found {
        "disconnect, shut down" => &["shutdown"],
        "disconnect, displaced" => &["open"],
        "disconnect, disconnected" => &["disconnect"],
        "stream end closed" => &["close_stream"],
        "stream end state-changed" => &["end_streams", "set_vb_state", "delete_vb"],
        text if text.ends_with("from memory") => &["notify", "run_backfill"],
        _ => &["run_backfill", "stream_request", "notify"],
    }
}

/// Says which connection sleeps, which message there is for it, and which call
/// should have woken it.
fn lost(sleeper: &str, found: &str, of: Option<&str>, should: Option<&str>) -> String {
    let of = of.map_or(String::new(), |request| format!(" of {request}"));
    let should = should.unwrap_or("a call at rest");
    format!("{sleeper} sleeps, and there is \"{found}\"{of} for it: {should} should have woken it")
}

/// Says which of the last calls did something, and what.
fn restless(calls: &[Rested]) -> String {
    let mut still: Vec<String> = Vec::new();
    for Rested { call, answer, .. } in calls.iter().rev().take(8) {
        let said = format!("{call}: {answer}");
        let moves = ![answers::IDLE, answers::DONE].contains(&&**answer);
        if moves && !still.contains(&said) {
            still.push(said);
        }
    }
    still.reverse();
    let rounds = calls.iter().filter(|rested| rested.call.operation == "run_backfill").count();
    format!("the system never comes to rest: after {rounds} rounds still {}", still.join("; "))
}

impl CoreInstance {
    /// The statistics of the core and of the host, in the words of the
    /// specification.
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
            _ => "a state that the model does not know",
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

#[cfg(test)]
mod tests {
    use super::*;

    fn rested(operation: &'static str, text: &str, answer: &str) -> Rested {
        let (arguments, text) = (Vec::new(), text.to_owned());
        let call = Call { operation, receiver: None, arguments, text, waits: false };
        Rested { call, answer: answer.to_owned(), subject: None }
    }

    #[test]
    fn a_call_that_repeats_for_ever_is_named() {
        let round = [
            rested("run_backfill", "run_backfill at rest", "ran"),
            rested("step", "a.step at rest", "idle"),
            rested("step", "b.step at rest", "item 1"),
        ];
        let calls: Vec<Rested> = (0..4).flat_map(|_| round.clone()).collect();
        assert_eq!(
            restless(&calls),
            "the system never comes to rest: after 4 rounds still \
             run_backfill at rest: ran; b.step at rest: item 1"
        );
    }

    #[test]
    fn a_lost_wake_up_names_the_sleeper_the_message_and_the_call() {
        assert_eq!(
            lost("b", "marker 1..1 from disk", Some("b.stream_request(0)"), Some("run_backfill")),
            "b sleeps, and there is \"marker 1..1 from disk\" of b.stream_request(0) for it: \
             run_backfill should have woken it"
        );
        assert!(lost("b", "stream end closed", None, None)
            .ends_with("a call at rest should have woken it"));
        assert_eq!(wakers("stream end closed"), ["close_stream"]);
        assert_eq!(wakers("marker 2..5 from memory"), ["notify", "run_backfill"]);
    }
}
