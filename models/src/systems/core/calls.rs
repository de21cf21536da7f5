//! The core's operations, and their answers in words.

use super::CoreInstance;
use crate::answers;
use crate::log::Log;
use crate::scenario::{Argument, Call, CallId, Conn};
use crate::spec::rest::STATS;
use crate::systems::vocabulary::stream_ended;
use connmap::{
    CloseError, CloseReason, ClosedConnection, ConnId, EndStatus, Message, NoSuchConnection,
    OpenError, Pause, Producer, RequestError, Run, SnapshotSource, Step, StreamEnd, StreamRequest,
    VbId, Wait, Wakeups,
};
use orderings::sync::belonging_to;
use std::collections::BTreeSet;
use std::sync::Arc;

impl CoreInstance {
    /// Opens `conn` under the name of the connection `name`, which may be its own.
    pub(super) fn open(&self, conn: Conn, name: Conn) -> Result<Producer, OpenError> {
        let front_end = self.front_ends[conn.0].opened() as Arc<dyn connmap::FrontEnd>;
        let opened = belonging_to(
            || self.scenario.receivers[conn.0].clone(),
            || self.map.open(id_of(conn), &self.scenario.receivers[name.0], front_end),
        )?;
        Ok(opened.deliver())
    }

    /// Calls the core with the host's vb state lock held for writing, if the host has
    /// locks. What the call owes is to be delivered afterwards.
    fn holding<T>(&self, call: impl FnOnce() -> T) -> T {
        match &self.host.locks {
            Some(locks) => locks.writing(call),
            None => call(),
        }
    }

    pub(super) fn call(&self, id: CallId, call: &Call, log: &Log) -> String {
        self.host.is_called();
        if let Some(conn) = call.receiver {
            return self.call_on(conn, id, call, log);
        }
        let vb = VbId(call.int(0).unwrap_or(0) as u16);
        match call.operation {
            "shutdown" => {
                let mut closed = BTreeSet::new();
                let report = self.holding(|| self.map.shutdown());
                for ClosedConnection { id, ends } in report.deliver() {
                    let conn = Conn(id.0 as usize);
                    if !closed.insert(id) {
                        return format!("{id} was closed twice");
                    }
                    self.report_ends(conn, &ends, log);
                    if !in_order(&ends) {
                        return OUT_OF_ORDER.into();
                    }
                }
                answers::DONE.into()
            }
            "notify" => {
                self.map.notify(vb, call.int(1).unwrap_or(0)).deliver();
                answers::DONE.into()
            }
            "end_streams" | "set_vb_state" | "delete_vb" => {
                // As a host that has more to do under its lock, and delivers later what
                // several calls owe.
                let mut wakeups = Wakeups::default();
                let end = || {
                    let ended = self.map.end_streams(vb, EndStatus::StateChanged);
                    let (ended, owed) = ended.split();
                    wakeups.append(owed);
                    ended
                };
                let ended = self.holding(end);
                wakeups.deliver();
                format!("{ended} ended")
            }
            "tick" => {
                self.host.tick(call.int(0).unwrap_or(1));
                answers::DONE.into()
            }
            "memory_used" => {
                self.host.uses_memory(call.int(0).unwrap_or(0));
                answers::DONE.into()
            }
            STATS => self.statistics(),
            "run_backfill" => match self.map.worker().run(self.host.now()) {
                Run::Ran => answers::RAN.into(),
                Run::Idle => answers::IDLE.into(),
            },
            "wait" => match self.map.worker().wait(self.host.now()) {
                Wait::Run => answers::RUN.into(),
                Wait::Stop => answers::STOP.into(),
            },
            other => unreachable!("{other} is not one of the core's operations"),
        }
    }

    /// The producer of a connection: that of the start, or the one in the map.
    pub(super) fn producer(&self, conn: Conn) -> Option<Producer> {
        self.producers[conn.0].clone().or_else(|| self.map.get(id_of(conn)))
    }

    fn call_on(&self, conn: Conn, id: CallId, call: &Call, log: &Log) -> String {
        match call.operation {
            "open" => {
                let name = match call.arguments.first() {
                    Some(Argument::Receiver(name)) => *name,
                    _ => conn,
                };
                match self.open(conn, name) {
                    Ok(_) => answers::OPENED.into(),
                    Err(OpenError::MapShutDown) => answers::MAP_SHUT_DOWN.into(),
                    Err(OpenError::IdInUse(id)) if id == id_of(conn) => answers::ID_IN_USE.into(),
                    Err(other) => other.to_string(),
                }
            }
            "lookup" => match self.map.get(id_of(conn)) {
                Some(found) if found.id() == id_of(conn) => answers::FOUND.into(),
                Some(found) => format!("found {}", found.id()),
                None => answers::NOT_FOUND.into(),
            },
            "disconnect" => match self.holding(|| self.map.disconnect(id_of(conn))) {
                Ok(ends) => {
                    let ends = ends.deliver();
                    self.report_ends(conn, &ends, log);
                    if in_order(&ends) { answers::DONE } else { OUT_OF_ORDER }.into()
                }
                Err(NoSuchConnection(id)) if id != id_of(conn) => format!("no {id}"),
                Err(_) => answers::NO_SUCH_CONNECTION.into(),
            },
            _ => match self.producer(conn) {
                Some(producer) => self.call_producer(&producer, conn, id, call, log),
                None => answers::NOT_FOUND.into(),
            },
        }
    }

    fn call_producer(
        &self,
        producer: &Producer,
        conn: Conn,
        id: CallId,
        call: &Call,
        log: &Log,
    ) -> String {
        let vb = VbId(call.int(0).unwrap_or(0) as u16);
        match call.operation {
            "stream_request" => {
                let (start, end) = (call.int(1).unwrap_or(0), call.int(2).unwrap_or(u64::MAX));
                let request = StreamRequest { vb, start, end, opaque: opaque_of(id) };
                let send = || producer.stream_request(request);
                let answer = match &self.host.locks {
                    Some(locks) => locks.reading(send),
                    None => send(),
                };
                match answer {
                    Ok(deferred) => {
                        deferred.deliver();
                        answers::ACCEPTED.into()
                    }
                    Err(error) => refusal(error, request),
                }
            }
            "close_stream" => match self.holding(|| producer.close_stream(vb)) {
                Ok(deferred) => {
                    deferred.deliver();
                    answers::CLOSED.into()
                }
                Err(CloseError::MapShutDown) => answers::MAP_SHUT_DOWN.into(),
                Err(CloseError::ConnectionClosed) => answers::CONNECTION_CLOSED.into(),
                Err(CloseError::NoSuchStream(of)) if of == vb => answers::NO_SUCH_STREAM.into(),
                Err(other) => other.to_string(),
            },
            "step" => {
                let since = log.now();
                let step = match &self.host.locks {
                    Some(locks) => locks.stepping(|| producer.step()),
                    None => producer.step(),
                };
                match step {
                    Step::Idle => self.front_ends[conn.0].sleeps(since),
                    _ => self.front_ends[conn.0].steps_on(log.now()),
                }
                if let Step::Message(message) = &step {
                    log.concerns(id, request_of(opaque_in(message)));
                }
                self.step_answer(conn, step, since, log)
            }
            "pause" => {
                let since = log.now();
                match producer.pause() {
                    Pause::Paused => {
                        self.front_ends[conn.0].sleeps(since);
                        answers::PAUSED.into()
                    }
                    Pause::Ready => answers::READY.into(),
                }
            }
            "seqno_ack" => {
                producer.stats();
                answers::DONE.into()
            }
            "backfills" => {
                let stats = producer.stats();
                answers::backfills(stats.backfills_pending, stats.backfills_in_progress)
            }
            "wake" => {
                producer.wake().deliver();
                answers::DONE.into()
            }
            other => unreachable!("{other} is not an operation of a producer"),
        }
    }

    fn step_answer(&self, conn: Conn, step: Step, since: u64, log: &Log) -> String {
        match step {
            Step::Idle => answers::IDLE.into(),
            Step::Disconnect(reason) => match reason {
                CloseReason::Displaced => "disconnect, displaced".into(),
                CloseReason::Disconnected => "disconnect, disconnected".into(),
                CloseReason::ShutDown => "disconnect, shut down".into(),
                other => format!("disconnect, {other:?}"),
            },
            Step::Message(Message::SnapshotMarker { range, source, opaque, vb }) => {
                self.check_not_ended(opaque, since, log);
                self.check_place(conn, opaque, vb, log);
                let from = match source {
                    SnapshotSource::Disk => "disk",
                    SnapshotSource::Memory => "memory",
                };
                format!("marker {}..{} from {from}", range.after + 1, range.upto)
            }
            Step::Message(Message::Item { item, opaque, vb }) => {
                self.check_not_ended(opaque, since, log);
                self.check_place(conn, opaque, vb, log);
                if item != self.host.item(item.seqno) {
                    return format!("item {} with another payload", item.seqno);
                }
                format!("item {}", item.seqno)
            }
            Step::Message(Message::StreamEnd(end)) => {
                self.report_ends(conn, &[end], log);
                format!("stream end {}", status(end.status))
            }
        }
    }
}

impl CoreInstance {
    pub(super) fn report_ends(&self, conn: Conn, ends: &[StreamEnd], log: &Log) {
        for end in ends {
            self.check_place(conn, end.opaque, end.vb, log);
            stream_ended(log, request_of(end.opaque), status(end.status));
        }
    }
}

/// The answer of a close that reports ends in the wrong order. The specification
/// has no such answer, so no order explains it.
const OUT_OF_ORDER: &str = "done, and reports streams before those that had ended earlier";

/// Whether the ends of streams that had ended before the close come first.
fn in_order(ends: &[StreamEnd]) -> bool {
    ends.is_sorted_by_key(|end| end.status == EndStatus::Disconnected)
}

pub(super) fn id_of(conn: Conn) -> ConnId {
    ConnId(conn.0 as u64)
}

/// A stream's opaque says which call requested it.
fn opaque_of(id: CallId) -> u32 {
    (id.thread as u32) << 16 | id.index as u32
}

fn opaque_in(message: &Message) -> u32 {
    match message {
        Message::SnapshotMarker { opaque, .. } | Message::Item { opaque, .. } => *opaque,
        Message::StreamEnd(end) => end.opaque,
    }
}

pub(super) fn request_of(opaque: u32) -> CallId {
    CallId { thread: (opaque >> 16) as usize, index: (opaque & 0xffff) as usize }
}

fn refusal(error: RequestError, request: StreamRequest) -> String {
    let refused = match error {
        RequestError::MapShutDown => answers::MAP_SHUT_DOWN,
        RequestError::ConnectionClosed => answers::CONNECTION_CLOSED,
        RequestError::OutOfRange { start, end } if (start, end) == (request.start, request.end) => {
            answers::OUT_OF_RANGE
        }
        RequestError::StreamExists(vb) if vb == request.vb => answers::STREAM_EXISTS,
        RequestError::NoMemory => answers::NO_MEMORY,
        other => return other.to_string(),
    };
    refused.into()
}

fn status(status: EndStatus) -> &'static str {
    match status {
        EndStatus::Ok => "ok",
        EndStatus::Closed => answers::CLOSED,
        EndStatus::StateChanged => answers::STATE_CHANGED,
        EndStatus::Disconnected => answers::DISCONNECTED,
        EndStatus::Slow => "slow",
        EndStatus::BackfillFail => answers::BACKFILL_FAIL,
        EndStatus::Rollback => answers::ROLLBACK,
        _ => "a status that the model does not know",
    }
}
