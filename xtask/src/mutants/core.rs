//! The core's mutants, and the invariants that they break.

use super::{mutant, Mutant};

const REFUSE: &str =
    "            Phase::Closed(CloseReason::ShutDown) => return Err(RequestError::MapShutDown),
            Phase::Closed(_) => return Err(RequestError::ConnectionClosed),
            Phase::Open(open) if open.displaced";

/// Without the refusal there is nothing to act on, and nothing that compiles:
/// the mutant has to make an open connection out of a closed one.
const REOPEN: &str = "            Phase::Closed(_) => {
                struct Nobody;
                impl FrontEnd for Nobody {
                    fn wake(&self) {}
                }
                let nobody: Arc<dyn FrontEnd> = Arc::new(Nobody);
                let fresh = Connection::new(&self.shared, Hosted::new(nobody));
                *phase = std::mem::replace(&mut *fresh.lock(), Phase::Closed(CloseReason::ShutDown));
                match &mut *phase {
                    Phase::Open(open) => open,
                    Phase::Closed(_) => return Err(RequestError::ConnectionClosed),
                }
            }
            Phase::Open(open) if open.displaced";

const CONNECTION: &str = "src/connection.rs";
const PRODUCER: &str = "src/producer.rs";
const MAP: &str = "src/map.rs";
const MANAGER: &str = "src/backfill/manager.rs";
const BUCKET: &str = "src/backfill/bucket.rs";
const RUN: &str = "src/backfill/run.rs";

pub(super) const MUTANTS: &[Mutant] = &[
    mutant("no-closed-test", "no-late-stream", CONNECTION, &[(REFUSE, REOPEN)]),
    mutant(
        "closed-test-outside-lock",
        "no-late-stream",
        CONNECTION,
        &[
            (REFUSE, REOPEN),
            (
                "        let mut phase = self.lock();\n        let open = match &mut *phase {",
                "        match &*self.lock() {
            Phase::Closed(CloseReason::ShutDown) => return Err(RequestError::MapShutDown),
            Phase::Closed(_) => return Err(RequestError::ConnectionClosed),
            Phase::Open(_) => {}
        }
        let mut phase = self.lock();\n        let open = match &mut *phase {",
            ),
        ],
    ),
    mutant(
        "shutdown-is-no-state",
        "no-late-stream",
        MAP,
        &[("!std::mem::replace(&mut state.shut_down, true)", "!state.shut_down")],
    ),
    mutant(
        "shutdown-closes-a-copy",
        "no-late-stream",
        MAP,
        &[
            (
                "        let mut state = self.state.lock();
        if !std::mem::replace(&mut state.shut_down, true) {",
                "        let copy: Vec<_> = {
            let state = self.state.lock();
            state.connections.iter().map(|(id, entry)| (*id, entry.connection.clone())).collect()
        };
        let mut state = self.state.lock();
        if !std::mem::replace(&mut state.shut_down, true) {",
            ),
            ("for (id, entry) in &state.connections {", "for (id, connection) in &copy {"),
            ("let ends = entry.connection.close(reason,", "let ends = connection.close(reason,"),
        ],
    ),
    mutant(
        "disconnect-does-not-close",
        "no-late-stream, ended-once",
        MAP,
        &[(
            "entry.connection.close(CloseReason::Disconnected, &mut wakeups, &mut debris)",
            "Vec::new()",
        )],
    ),
    mutant(
        "displaced-not-flagged",
        "same-name (a required outcome)",
        CONNECTION,
        &[("open.displaced = true;", "")],
    ),
    mutant(
        "close-forgets-unsent-ends",
        "ended-once",
        CONNECTION,
        &[("let mut report = Vec::from(ends);", "drop(ends);\n        let mut report = Vec::new();")],
    ),
    mutant(
        "close-wakes-nobody",
        "no-lost-wakeup",
        CONNECTION,
        &[("        if paused {\n", "        if paused && false {\n")],
    ),
    mutant(
        "ready-wakes-nobody",
        "no-lost-wakeup",
        CONNECTION,
        &[("        if !self.ring.is_empty() {\n            self.wake(wakeups);\n        }", "")],
    ),
    mutant(
        "end-wakes-nobody",
        "no-lost-wakeup",
        CONNECTION,
        &[("debris.backfill(backfill));\n        open.wake(wakeups);", "debris.backfill(backfill));")],
    ),
    mutant(
        "paused-after-the-lock",
        "no-lost-wakeup",
        PRODUCER,
        &[
            ("                open.paused = true;\n                return Found::Step(Step::Idle);", "                return Found::Step(Step::Idle);"),
            (
                "                Found::Step(step) => return step,",
                "                Found::Step(Step::Idle) => {
                    if let Phase::Open(open) = &mut *connection.lock() {
                        open.paused = true;
                    }
                    return Step::Idle;
                }
                Found::Step(step) => return step,",
            ),
        ],
    ),
    mutant(
        "slot-before-buffer",
        "linearizable",
        CONNECTION,
        &[(
            "        if open.backfills.refund(refund) {
            open.backfills.resume(&self.me, &mut bucket);
        }
        drop(bucket);",
            "        drop(bucket);
        self.refund(open, refund);",
        )],
    ),
    mutant(
        "no-refund-at-death",
        "bytes-balance",
        CONNECTION,
        &[("if open.backfills.refund(refund) {", "if refund == u64::MAX {")],
    ),
    mutant(
        "no-refund-when-sent",
        "bytes-balance",
        PRODUCER,
        &[("                    self.refund(open, refund);\n", "                    let _ = refund;\n")],
    ),
    mutant(
        "drained-asks-no-turn",
        "no-lost-wakeup",
        CONNECTION,
        &[("            open.backfills.resume(&self.me, &mut self.shared.bucket.lock());\n", "")],
    ),
    mutant(
        "dead-keeps-its-backfill",
        "no-orphan-backfill",
        CONNECTION,
        &[(
            "        let cancelled = open.backfills.cancel(id, &self.me, &mut bucket);",
            "        let _ = id;\n        let cancelled: Option<Backfill> = None;",
        )],
    ),
    mutant(
        "dead-keeps-its-slot",
        "no-orphan-backfill",
        MANAGER,
        &[("        if cancelled.is_some() {\n            bucket.return_slots(1);", "        if cancelled.is_some() {")],
    ),
    mutant(
        "close-keeps-the-slots",
        "no-orphan-backfill",
        BUCKET,
        &[("        state.slots_free += slots;\n        self.call_first_waiter();", "        let _ = slots;\n        self.call_first_waiter();")],
    ),
    mutant(
        "closed-run-keeps-its-slot",
        "no-orphan-backfill",
        RUN,
        &[("            bucket.return_slots(1);\n", "")],
    ),
    mutant(
        "free-slot-calls-nobody",
        "no-lost-wakeup",
        BUCKET,
        &[("            self.state.slots_free += slots;\n            self.call_first_waiter();", "            self.state.slots_free += slots;")],
    ),
    mutant(
        "turn-is-forgotten",
        "no-lost-wakeup",
        BUCKET,
        &[("            Turn::Now => self.make_ready(me),", "            Turn::Now => {}")],
    ),
    mutant(
        "new-stream-takes-old-items",
        "ended-once, no-orphan-backfill",
        CONNECTION,
        &[("self.streams.get_mut(&vb).filter(|stream| stream.id == id)", "self.streams.get_mut(&vb).filter(|stream| stream.id == id || true)")],
    ),
    mutant(
        "wakes-under-its-lock",
        "no-deadlock (a lock held across a call of the host)",
        CONNECTION,
        &[("            wakeups.push(self.front_end.clone());\n        }", "            let _ = wakeups;\n            self.front_end.wake();\n        }")],
    ),
    mutant(
        "locks-in-the-wrong-order",
        "the rank check, in one execution",
        CONNECTION,
        &[(
            "        let mut phase = self.lock();
        let Phase::Open(open) = std::mem::replace",
            "        let _early = self.shared.bucket.lock();
        let mut phase = self.lock();
        let Phase::Open(open) = std::mem::replace",
        )],
    ),
];
