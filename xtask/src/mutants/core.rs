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
                let fresh = Connection::new(&self.shared, u64::MAX, Hosted::new(nobody));
                *phase = std::mem::replace(&mut *fresh.phase.lock(), Phase::Closed(CloseReason::ShutDown));
                match &mut *phase {
                    Phase::Open(open) => open,
                    Phase::Closed(_) => return Err(RequestError::ConnectionClosed),
                }
            }
            Phase::Open(open) if open.displaced";

const CONNECTION: &str = "src/connection/mod.rs";
const OPEN: &str = "src/connection/open.rs";
const STREAMS: &str = "src/connection/streams.rs";
const INDEX: &str = "src/index.rs";
const MAP: &str = "src/map.rs";
const MANAGER: &str = "src/backfill/manager.rs";
const BUCKET: &str = "src/backfill/bucket.rs";

pub(super) const MUTANTS: &[Mutant] = &[
    mutant("no-closed-test", "no-late-stream", CONNECTION, &[(REFUSE, REOPEN)]),
    mutant(
        "closed-test-outside-lock",
        "no-late-stream",
        CONNECTION,
        &[
            (
                "        let mut phase = self.phase.lock();
        let open = match &mut *phase {
            Phase::Closed(CloseReason::ShutDown) => return Err(RequestError::MapShutDown),",
                "        match &*self.phase.lock() {
            Phase::Closed(CloseReason::ShutDown) => return Err(RequestError::MapShutDown),
            Phase::Closed(_) => return Err(RequestError::ConnectionClosed),
            Phase::Open(_) => {}
        }
        let mut phase = self.phase.lock();
        let open = match &mut *phase {
            Phase::Closed(CloseReason::Displaced) => return Err(RequestError::MapShutDown),",
            ),
            (
                "            Phase::Closed(CloseReason::Displaced) => return Err(RequestError::MapShutDown),
            Phase::Closed(_) => return Err(RequestError::ConnectionClosed),
            Phase::Open(open) if open.displaced",
                REOPEN,
            ),
        ],
    ),
    mutant(
        "shutdown-is-no-state",
        "no-late-stream",
        MAP,
        &[("            state.shut_down = true;\n", "")],
    ),
    mutant(
        "shutdown-closes-a-copy",
        "no-late-stream",
        MAP,
        &[
            (
                "        let mut from = Bound::Unbounded;
        loop {
            let mut state = self.state.lock();
            state.shut_down = true;
            let next = state.connections.range((from, Bound::Unbounded)).next();",
                "        let mut from = Bound::Unbounded;
        let copy: BTreeMap<_, _> = {
            let state = self.state.lock();
            state.connections.iter().map(|(id, entry)| (*id, entry.connection.clone())).collect()
        };
        loop {
            let mut state = self.state.lock();
            state.shut_down = true;
            let next = copy.range((from, Bound::Unbounded)).next();",
            ),
            ("(*id, entry.connection.close(CloseReason::ShutDown))", "(*id, entry.close(CloseReason::ShutDown))"),
        ],
    ),
    mutant(
        "disconnect-does-not-close",
        "no-late-stream, ended-once",
        MAP,
        &[(
            "        let remains = entry.connection.close(CloseReason::Disconnected);\n",
            "        let remains: Option<crate::connection::Remains> = None;\n",
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
        OPEN,
        &[("let mut report = Vec::from(ends);", "drop(ends);\n    let mut report = Vec::new();")],
    ),
    mutant(
        "close-wakes-nobody",
        "no-lost-wakeup",
        OPEN,
        &[("    if paused {\n", "    if paused && false {\n")],
    ),
    mutant(
        "ready-wakes-nobody",
        "no-lost-wakeup",
        OPEN,
        &[("        if self.streams.any_ready() {\n            self.wake(after);\n        }", "        let _ = after;")],
    ),
    mutant(
        "end-wakes-nobody",
        "no-lost-wakeup",
        CONNECTION,
        &[("after.backfill(backfill));\n        open.wake(after);", "after.backfill(backfill));")],
    ),
    mutant(
        "paused-after-the-lock",
        "no-lost-wakeup",
        CONNECTION,
        &[(
            "                    Found::Nothing => return Step::Idle,",
            "                    Found::Nothing => {
                        open.paused = false;
                        drop(phase);
                        if let Phase::Open(open) = &mut *self.phase.lock() {
                            open.paused = true;
                        }
                        return Step::Idle;
                    }",
        )],
    ),
    mutant(
        "slot-before-buffer",
        "linearizable",
        CONNECTION,
        &[(
            "        let resumes = open.backfills.refund(ended.refund);
        // In one critical section of the bucket's too: between the slot that is
        // free and the turn that the buffer gives, a worker would find the one
        // and not the other.
        if cancelled.is_some() {
            open.settle(&mut self.shared.bucket.lock(), &self.me);
        } else if resumes {",
            "        if cancelled.is_some() {
            open.settle(&mut self.shared.bucket.lock(), &self.me);
        }
        if open.backfills.refund(ended.refund) {",
        )],
    ),
    mutant(
        "no-refund-at-death",
        "bytes-balance",
        CONNECTION,
        &[("open.backfills.refund(ended.refund);", "ended.refund == u64::MAX;")],
    ),
    mutant(
        "no-refund-when-sent",
        "bytes-balance",
        OPEN,
        &[("self.backfills.refund(refund));", "refund == u64::MAX);")],
    ),
    mutant(
        "drained-asks-no-turn",
        "no-lost-wakeup",
        CONNECTION,
        &[("                        if resumes {\n", "                        if resumes && false {\n")],
    ),
    mutant(
        "dead-keeps-its-backfill",
        "no-orphan-backfill",
        CONNECTION,
        &[(
            "        let cancelled = open.backfills.cancel(id);",
            "        let _ = id;\n        let cancelled: Option<Backfill> = None;",
        )],
    ),
    mutant(
        "dead-keeps-its-slot",
        "no-orphan-backfill",
        MANAGER,
        &[("        if held_slot {\n            self.slots_over += 1;", "        if held_slot {")],
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
        CONNECTION,
        &[("                bucket.return_slots(1);\n", "")],
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
        &[("        self.ask(seat, next);", "        if next != Turn::Now {\n            self.ask(seat, next);\n        }")],
    ),
    mutant(
        "new-stream-takes-old-items",
        "ended-once, no-orphan-backfill",
        STREAMS,
        &[("filter(|stream| stream.id == id)", "filter(|stream| stream.id == id || true)")],
    ),
    mutant(
        "wakes-under-its-lock",
        "no-deadlock (a lock held across a call of the host)",
        OPEN,
        &[("            after.wake(self.front_end.clone());\n        }", "            let _ = after;\n            self.front_end.wake();\n        }")],
    ),
    mutant(
        "locks-in-the-wrong-order",
        "the rank check, in one execution",
        CONNECTION,
        &[(
            "        let mut phase = self.phase.lock();
        let Phase::Open(open) = std::mem::replace",
            "        let _early = self.shared.bucket.lock();
        let mut phase = self.phase.lock();
        let Phase::Open(open) = std::mem::replace",
        )],
    ),
    mutant(
        "indexed-after-the-lock",
        "linearizable (stream-is-indexed)",
        CONNECTION,
        &[
            ("        self.shared.index.insert(vb, self.number, &self.me);\n", ""),
            (
                "        open.stream_changed(id, &mut after);\n        Ok(after)",
                "        open.stream_changed(id, &mut after);
        drop(phase);
        self.shared.index.insert(vb, self.number, &self.me);
        Ok(after)",
            ),
        ],
    ),
    mutant(
        "never-indexed",
        "linearizable",
        CONNECTION,
        &[("        self.shared.index.insert(vb, self.number, &self.me);\n", "")],
    ),
    mutant(
        "index-forgets-the-others",
        "linearizable (one-vb-of-two)",
        INDEX,
        &[("        if connections.is_empty() {\n", "        {\n")],
    ),
    mutant(
        "name-of-another-is-dropped",
        "linearizable (name-index)",
        MAP,
        &[("        if self.names.get(&entry.name) == Some(&id) {\n", "        {\n")],
    ),
    mutant(
        "name-is-looked-up-too-early",
        "linearizable (two-displace-one)",
        MAP,
        &[
            (
                "        let front_end = Hosted::new(front_end);\n",
                "        let front_end = Hosted::new(front_end);
        let early = self.state.lock().names.get(name).copied();\n",
            ),
            (
                "        let holder = state.names.insert(Arc::clone(&name), id);\n",
                "        state.names.insert(Arc::clone(&name), id);
        let holder = early;\n",
            ),
        ],
    ),
    mutant(
        "the-second-shutdown-leaves-the-rest",
        "no-late-stream (two-shutdowns-two-connections)",
        MAP,
        &[(
            "            state.shut_down = true;\n",
            "            if std::mem::replace(&mut state.shut_down, true) && from == Bound::Unbounded {
                break;
            }\n",
        )],
    ),
];
