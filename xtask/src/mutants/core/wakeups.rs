//! Who sleeps is woken when there is something, once, and not before.

use super::super::{mutant, Mutant};
use super::{CONN, OPEN, WAKE};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "close-wakes-nobody",
        "a close leaves its front end asleep (kv_engine notified paused connections at shutdown, and lost some)",
        OPEN,
        &[(r"    if paused {
", r"    if false {
")],
    ),
    mutant(
        "close-wakes-whoever",
        "a close wakes a front end that is awake",
        OPEN,
        &[(r"    if paused {
", r"    if true {
")],
    ),
    mutant(
        "displace-wakes-nobody",
        "who is displaced sleeps on, and its streams stay for ever",
        CONN,
        &[(r"            open.displaced = true;
            open.wake(after);", "            open.displaced = true;")],
    ),
    mutant(
        "end-wakes-nobody",
        "a stream ends, and its end waits for another reason to step",
        CONN,
        &[("after.backfill(*backfill));\n        open.wake(after);", "after.backfill(*backfill));")],
    ),
    mutant(
        "ready-wakes-nobody",
        "a stream has something to send, and nobody is told",
        OPEN,
        &[(r"        if self.streams.any_ready() {
            self.wake(after);
        }", "")],
    ),
    mutant(
        "wake-keeps-paused",
        "a front end that was woken counts as asleep, and is woken again for each item",
        OPEN,
        &[("if std::mem::take(&mut self.paused) {", "if self.paused {")],
    ),
    mutant(
        "wake-of-the-awake",
        "who is awake is woken",
        OPEN,
        &[("if std::mem::take(&mut self.paused) {", r"self.paused = false;
        if true {")],
    ),
    mutant(
        "step-does-not-pause",
        "step finds nothing, and pauses nobody",
        OPEN,
        &[(r"        self.paused = true;
        Found::Nothing", "        Found::Nothing")],
    ),
    mutant(
        "step-pauses-before-it-looks",
        "paused is set before the look, and stays when something was found",
        OPEN,
        &[("        if let Some(end) = self.ends.pop_front() {", r"        self.paused = true;
        if let Some(end) = self.ends.pop_front() {")],
    ),
    mutant(
        "step-pauses-behind-the-lock",
        "two critical sections: nothing was found; paused (the classic lost wake-up)",
        CONN,
        &[("                        Found::Nothing => return Step::Idle,", r"                        Found::Nothing => {
                            open.paused = false;
                            drop(phase);
                            if let Phase::Open(open) = &mut *self.phase.lock() {
                                open.paused = true;
                            }
                            return Step::Idle;
                        }")],
    ),
    mutant(
        "pause-though-ready",
        "pause does not look whether there is something",
        CONN,
        &[("Phase::Open(open) if !open.ready() => {", "Phase::Open(open) => {")],
    ),
    mutant(
        "pause-pauses-nothing",
        "pause says so, and does not",
        CONN,
        &[(r"                open.paused = true;
                Pause::Paused", "                Pause::Paused")],
    ),
    mutant(
        "pause-behind-the-look",
        "pause looks in one critical section and pauses in another",
        CONN,
        &[(r"        match &mut *self.phase.lock() {
            Phase::Open(open) if !open.ready() => {", r"        let ready = match &*self.phase.lock() {
            Phase::Open(open) => open.ready(),
            Phase::Closed(_) => true,
        };
        match &mut *self.phase.lock() {
            Phase::Open(open) if !ready => {")],
    ),
    mutant(
        "pause-forgets-ends",
        "pause sleeps on the end of a stream",
        OPEN,
        &[("self.displaced || !self.ends.is_empty() || self.streams.any_ready()", "self.displaced || self.streams.any_ready()")],
    ),
    mutant(
        "pause-forgets-displaced",
        "pause sleeps though another has the name",
        OPEN,
        &[("self.displaced || !self.ends.is_empty() || self.streams.any_ready()", "!self.ends.is_empty() || self.streams.any_ready()")],
    ),
    mutant(
        "pause-forgets-streams",
        "pause sleeps on a stream with something to send",
        OPEN,
        &[("self.displaced || !self.ends.is_empty() || self.streams.any_ready()", "self.displaced || !self.ends.is_empty()")],
    ),
    mutant(
        "read-keeps-paused",
        "a read from memory comes back to a connection that another step paused, and its items wake nobody",
        CONN,
        &[(r"        open.paused = false;
        let Some(stream)", "        let Some(stream)")],
    ),
    mutant(
        "host-wake-wakes-nobody",
        "wake does nothing",
        CONN,
        &[(r"    pub(crate) fn wake(&self, after: &mut After) {
        if let Phase::Open(open) = &mut *self.phase.lock() {
            open.wake(after);", r"    pub(crate) fn wake(&self, after: &mut After) {
        if let Phase::Open(_) = &mut *self.phase.lock() {
            let _ = after;")],
    ),
    mutant(
        "notify-wakes-nobody",
        "a write is remembered, and wakes nobody",
        CONN,
        &[(r"        stream.notify(seqno);
        open.stream_changed(id, after);", r"        stream.notify(seqno);
        let _ = after;
        open.streams.changed(id);")],
    ),
    mutant(
        "notify-makes-nothing-ready",
        "a write is remembered, and its stream gets no turn",
        CONN,
        &[(r"        stream.notify(seqno);
        open.stream_changed(id, after);", r"        stream.notify(seqno);
        let _ = after;")],
    ),
    mutant(
        "marker-wakes-nobody",
        "a scan is opened, and its marker wakes nobody",
        CONN,
        &[(r"?.scan_opened(end);
        open.stream_changed(id, &mut after);", r"?.scan_opened(end);
        open.streams.changed(id);")],
    ),
    mutant(
        "marker-is-not-ready",
        "a scan is opened, and its marker waits for the first item",
        CONN,
        &[(r"?.scan_opened(end);
        open.stream_changed(id, &mut after);", "?.scan_opened(end);")],
    ),
    mutant(
        "item-wakes-nobody",
        "an item comes to a client that sleeps",
        CONN,
        &[(r"refreshed(open.backfills.buffer());
        open.stream_changed(id, &mut after);", r"refreshed(open.backfills.buffer());
        open.streams.changed(id);")],
    ),
    mutant(
        "item-is-not-ready",
        "an item comes, and its stream gets no turn",
        CONN,
        &[(r"refreshed(open.backfills.buffer());
        open.stream_changed(id, &mut after);", "refreshed(open.backfills.buffer());")],
    ),
    mutant(
        "item-wake-is-dropped",
        "a wake-up is made under the lock and not delivered behind it",
        CONN,
        &[(r"        batch.refreshed(open.backfills.buffer());
        open.stream_changed(id, &mut after);
        drop(phase);
        after.into_wakeups().deliver();", r"        batch.refreshed(open.backfills.buffer());
        open.stream_changed(id, &mut after);
        drop(phase);")],
    ),
    mutant(
        "marker-wake-is-dropped",
        "the same, for a scan that is opened",
        CONN,
        &[(r"?.scan_opened(end);
        open.stream_changed(id, &mut after);
        drop(phase);
        after.into_wakeups().deliver();", r"?.scan_opened(end);
        open.stream_changed(id, &mut after);
        drop(phase);")],
    ),
    mutant(
        "run-wake-is-dropped",
        "the same, for the end of a run",
        CONN,
        &[(r"        // Its destructors run on this worker's thread, which holds no lock of the host's.
        after.into_wakeups().deliver();", "        drop(after);")],
    ),
    mutant(
        "caught-up-wakes-nobody",
        "a stream has caught up with what was notified meanwhile, and nobody is told",
        CONN,
        &[(r"                stream.scan_finished();
                open.stream_changed(id, after);", r"                stream.scan_finished();
                open.streams.changed(id);")],
    ),
    mutant(
        "caught-up-is-not-ready",
        "the same, and it gets no turn (MB-24181 lost the seqnos notified while a backfill completed)",
        CONN,
        &[(r"                stream.scan_finished();
                open.stream_changed(id, after);", "                stream.scan_finished();")],
    ),
    mutant(
        "empty-stream-is-not-ready",
        "a stream of nothing never ends",
        CONN,
        &[(r"            // There is its end to send.
            open.stream_changed(id, &mut after);
", r"            let _ = (id, &mut after);
")],
    ),
    mutant(
        "memory-makes-nothing-ready",
        "items were read from memory, and their stream gets no turn",
        CONN,
        &[(r"        if read {
            open.stream_changed(id, &mut after);", "        if read {")],
    ),
    mutant(
        "sent-has-no-other-turn",
        "a stream that sent one message gets no turn for the next",
        OPEN,
        &[(r"                    self.streams.changed(id);
                    return Found::Message", "                    return Found::Message")],
    ),
    mutant(
        "only-the-first-is-woken",
        "of several front ends that a call owes a wake-up, one gets it",
        WAKE,
        &[("        for owed in &self.owed {", "        for owed in self.owed.iter().take(1) {")],
    ),
    mutant(
        "a-panic-keeps-others-asleep",
        "a wake-up that panics is not contained",
        WAKE,
        &[("            contain(|| front_end.wake());", "            front_end.wake();")],
    ),
    mutant(
        "displaced-is-woken-each-time",
        "who was displaced is paused again by pause, and never woken",
        CONN,
        &[("Phase::Open(open) if !open.ready() => {", "Phase::Open(open) if !open.ready() || open.displaced => {")],
    ),
    mutant(
        "ends-come-last",
        "the ends of streams wait until all else was sent",
        OPEN,
        &[(r"        if let Some(end) = self.ends.pop_front() {
            return Found::Message(Message::StreamEnd(end), false);
        }
", ""), (r"        self.paused = true;
        Found::Nothing", r"        if let Some(end) = self.ends.pop_front() {
            return Found::Message(Message::StreamEnd(end), false);
        }
        self.paused = true;
        Found::Nothing")],
    ),
    mutant(
        "ends-in-the-wrong-order",
        "the last end is reported first",
        OPEN,
        &[(r"self.ends.pop_front() {
            return", r"self.ends.pop_back() {
            return")],
    ),
];
