//! The core's operations, and the words for their answers.

use super::CoreInstance;
use crate::log::Log;
use crate::scenario::{Argument, Call, CallId, Conn};
use crate::spec::rest::STATS;
use crate::systems::vocabulary::stream_ended;
use connmap::{
    CloseError, CloseReason, ClosedConnection, ConnId, EndStatus, Message, NoSuchConnection,
    OpenError, Pause, Producer, RequestError, Run, SnapshotSource, Step, StreamEnd, StreamRequest,
    VbId, Wait,
};
use orderings::sync::belonging_to;
use std::collections::BTreeSet;
use std::sync::Arc;

impl CoreInstance {
    /// Opens `conn` under its own name, or under that of another.
    pub(super) fn open(&self, conn: Conn, name: Conn) -> Result<Producer, OpenError> {
        let front_end = self.front_ends[conn.0].opened() as Arc<dyn connmap::FrontEnd>;
        let opened = belonging_to(
            || self.scenario.receivers[conn.0].clone(),
            || self.map.open(id_of(conn), &self.scenario.receivers[name.0], front_end),
        )?;
        Ok(opened.deliver())
    }

    pub(super) fn call(&self, id: CallId, call: &Call, log: &Log) -> String {
        if let Some(conn) = call.receiver {
            return self.call_on(conn, id, call, log);
        }
        let vb = VbId(call.int(0).unwrap_or(0) as u16);
        match call.operation {
            "shutdown" => {
                let mut closed = BTreeSet::new();
                for ClosedConnection { id, ends } in self.map.shutdown().deliver() {
                    let conn = Conn(id.0 as usize);
                    if !closed.insert(id) {
                        return format!("{id} was closed twice");
                    }
                    self.report_ends(conn, &ends, log);
                }
                "done".into()
            }
            "notify" => {
                self.map.notify(vb, call.int(1).unwrap_or(0)).deliver();
                "done".into()
            }
            "end_streams" | "set_vb_state" | "delete_vb" => {
                let end = || self.map.end_streams(vb, EndStatus::StateChanged);
                let ended = match &self.host.locks {
                    Some(locks) => locks.writing(end),
                    None => end(),
                };
                format!("{} ended", ended.deliver())
            }
            "tick" => {
                self.host.tick(call.int(0).unwrap_or(1));
                "done".into()
            }
            "memory_used" => {
                self.host.uses_memory(call.int(0).unwrap_or(0));
                "done".into()
            }
            STATS => self.statistics(),
            "run_backfill" => match self.map.worker().run(self.host.now()) {
                Run::Ran => "ran".into(),
                Run::Idle => "idle".into(),
            },
            "wait" => match self.map.worker().wait(self.host.now()) {
                Wait::Run => "run".into(),
                Wait::Stop => "stop".into(),
            },
            other => unreachable!("{other} is not one of the core's operations"),
        }
    }

    /// The producer of a connection: known from the start, or looked up.
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
                    Ok(_) => "opened".into(),
                    Err(OpenError::MapShutDown) => "map shut down".into(),
                    Err(OpenError::IdInUse(id)) if id == id_of(conn) => "id in use".into(),
                    Err(other) => other.to_string(),
                }
            }
            "lookup" => match self.map.get(id_of(conn)) {
                Some(found) if found.id() == id_of(conn) => "found".into(),
                Some(found) => format!("found {}", found.id()),
                None => "not found".into(),
            },
            "disconnect" => match self.map.disconnect(id_of(conn)) {
                Ok(ends) => {
                    self.report_ends(conn, &ends.deliver(), log);
                    "done".into()
                }
                Err(NoSuchConnection(id)) if id != id_of(conn) => format!("no {id}"),
                Err(_) => "no such connection".into(),
            },
            _ => match self.producer(conn) {
                Some(producer) => self.call_producer(&producer, conn, id, call, log),
                None => "not found".into(),
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
                        "accepted".into()
                    }
                    Err(error) => refusal(error, request),
                }
            }
            "close_stream" => match producer.close_stream(vb) {
                Ok(deferred) => {
                    deferred.deliver();
                    "closed".into()
                }
                Err(CloseError::MapShutDown) => "map shut down".into(),
                Err(CloseError::ConnectionClosed) => "connection closed".into(),
                Err(CloseError::NoSuchStream(of)) if of == vb => "no such stream".into(),
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
                        "paused".into()
                    }
                    Pause::Ready => "ready".into(),
                }
            }
            "seqno_ack" => {
                producer.stats();
                "done".into()
            }
            "wake" => {
                producer.wake().deliver();
                "done".into()
            }
            other => unreachable!("{other} is not an operation of a producer"),
        }
    }

    fn step_answer(&self, conn: Conn, step: Step, since: u64, log: &Log) -> String {
        match step {
            Step::Idle => "idle".into(),
            Step::Disconnect(reason) => match reason {
                CloseReason::Displaced => "disconnect, displaced".into(),
                CloseReason::Disconnected => "disconnect, disconnected".into(),
                CloseReason::ShutDown => "disconnect, shut down".into(),
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
        RequestError::MapShutDown => "map shut down",
        RequestError::ConnectionClosed => "connection closed",
        RequestError::OutOfRange { start, end } if (start, end) == (request.start, request.end) => {
            "out of range"
        }
        RequestError::StreamExists(vb) if vb == request.vb => "stream exists",
        RequestError::NoMemory => "no memory",
        other => return other.to_string(),
    };
    refused.into()
}

fn status(status: EndStatus) -> &'static str {
    match status {
        EndStatus::Ok => "ok",
        EndStatus::Closed => "closed",
        EndStatus::StateChanged => "state-changed",
        EndStatus::Disconnected => "disconnected",
        EndStatus::Slow => "slow",
        EndStatus::BackfillFail => "backfill-fail",
        EndStatus::Rollback => "rollback",
    }
}
