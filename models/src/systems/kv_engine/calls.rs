//! Calls of a scenario as calls of the engine, and their answers in words: those
//! of the core, wherever the call is the same.

use super::front_end::Request;
use super::manager::Turn;
use super::map::{Engine, FrontEnd};
use super::steps::lock;
use super::world::Crash;
use crate::scenario::{Argument, Call, CallId, Conn};
use crate::system::Instance;
use crate::{answers, log::Log};

impl Instance for Engine {
    fn perform(&self, id: CallId, call: &Call, _: &Log) -> String {
        if self.world.crashed() {
            return answers::NEVER_CAME.into();
        }
        let (request, order) = (call.operation == "stream_request", self.world.settings.order);
        // Before the thread lock is taken: the client sends its request late.
        if request && matches!(order, 1 | 3) {
            self.world.flagging.pass();
        }
        let answer = self.call(id, call).unwrap_or_else(|_: Crash| answers::CRASH.into());
        if request && order == 3 {
            self.world.scheduled.open();
        }
        answer
    }

    fn finish(self: std::sync::Arc<Self>, log: &Log) {
        match std::sync::Arc::into_inner(self) {
            Some(engine) => engine.check(),
            None => log.violated(crate::Invariant::NoLeak, "a thread that ended kept the system"),
        }
    }
}

impl Engine {
    /// Opens a connection before the first call.
    pub(super) fn open_at_start(&self, conn: Conn) {
        let mut front_end = lock(&self.front_ends[conn.0]);
        let _ = self.open(conn, conn, &mut front_end);
    }

    fn call(&self, id: CallId, call: &Call) -> Result<String, Crash> {
        let vb = call.int(0).unwrap_or(0) as usize;
        if let Some(conn) = call.receiver {
            if call.operation == "lookup" {
                return self.statistics(conn).map(Into::into);
            }
            let mut front_end = lock(&self.front_ends[conn.0]);
            return self.call_on(&mut front_end, conn, id, call, vb);
        }
        let answer = match call.operation {
            "shutdown" => self.shutdown()?,
            "end_streams" => self.change_state(vb, super::world::REPLICA)?,
            "set_vb_state" => self.change_state(vb, call.int(1).unwrap_or(0) as u8)?,
            "delete_vb" => self.delete_vb(vb)?,
            "notify" => self.write(vb),
            "run_backfill" => self.run_backfill()?,
            other => unreachable!("{other} is not one of the engine's operations"),
        };
        Ok(answer.into())
    }

    fn call_on(
        &self,
        front_end: &mut FrontEnd,
        conn: Conn,
        id: CallId,
        call: &Call,
        vb: usize,
    ) -> Result<String, Crash> {
        let answer = match (call.operation, &front_end) {
            ("open", _) => {
                let name = match call.arguments.first() {
                    Some(Argument::Receiver(name)) => *name,
                    _ => conn,
                };
                self.open(conn, name, front_end)?
            }
            ("disconnect", _) => self.disconnect(front_end)?,
            ("step", _) => return self.step(front_end, conn),
            (_, None) => answers::NOT_FOUND,
            ("stream_request", Some(producer)) => {
                let (start, end) = (call.int(1).unwrap_or(0), call.int(2).unwrap_or(u64::MAX));
                self.stream_request(producer, &Request { id, vb, start, end })?
            }
            ("close_stream", Some(producer)) => self.close_stream(producer, vb)?,
            ("seqno_ack", Some(producer)) => self.seqno_ack(producer, vb)?,
            (other, _) => unreachable!("{other} is not an operation of a connection"),
        };
        Ok(answer.into())
    }

    /// BT: runs the first manager's task that is alive and has something to do.
    fn run_backfill(&self) -> Result<&'static str, Crash> {
        for task in self.tasks() {
            // Owned during the run: the drop at the end may be the last one.
            let Some(manager) = task.promote() else { continue };
            match manager.run()? {
                Turn::Idle => {}
                Turn::Snoozed => return Ok(answers::SNOOZED),
                Turn::Full => return Ok(answers::BUFFER_FULL),
                Turn::Ran => return Ok(answers::RAN),
            }
        }
        Ok(answers::IDLE)
    }
}
