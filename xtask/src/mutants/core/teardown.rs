//! What a close, a displacement and a shutdown leave behind, and when.

use super::super::{mutant, Mutant};
use super::{BUCKET, CONN, MAP, OPEN};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "shutdown-is-no-state",
        "a shutdown closes what is there, and lets open what comes",
        MAP,
        &[("            state.shut_down = true;", "")],
    ),
    mutant(
        "shutdown-closes-a-copy",
        "a shutdown walks a copy, and lets open meanwhile",
        MAP,
        &[(r"            state.shut_down = true;
            let next", "            let next"), (r"        self.shared.bucket.stop();
        Deferred::new(closed", r"        self.state.lock().shut_down = true;
        self.shared.bucket.stop();
        Deferred::new(closed")],
    ),
    mutant(
        "shutdown-skips-one",
        "a shutdown closes every other connection",
        MAP,
        &[("            from = Bound::Excluded(id);", "            from = Bound::Excluded(ConnId(id.0 + 1));")],
    ),
    mutant(
        "shutdown-closes-the-first",
        "a shutdown closes the first connection only",
        MAP,
        &[("            from = Bound::Excluded(id);", r"            from = Bound::Excluded(id);
            break;")],
    ),
    mutant(
        "second-shutdown-returns-at-once",
        "a second shutdown returns before the first is through",
        MAP,
        &[(r"            let mut state = self.state.lock();
            state.shut_down = true;", r"            let mut state = self.state.lock();
            if std::mem::replace(&mut state.shut_down, true) && from == Bound::Unbounded {
                break;
            }")],
    ),
    mutant(
        "shutdown-stops-nobody",
        "a shutdown leaves the workers waiting",
        MAP,
        &[(r"        self.shared.bucket.stop();
        Deferred::new(closed", "        Deferred::new(closed")],
    ),
    mutant(
        "shutdown-stops-before-it-closes",
        "workers are told to stop first",
        MAP,
        &[(r"        let mut from = Bound::Unbounded;
        loop {
            let mut state = self.state.lock();
            state.shut_down", r"        let mut from = Bound::Unbounded;
        self.shared.bucket.stop();
        loop {
            let mut state = self.state.lock();
            state.shut_down")],
    ),
    mutant(
        "shutdown-reports-nothing",
        "a shutdown ends streams and reports none",
        MAP,
        &[("                closed.push(ClosedConnection { id, ends: remains.end(&self.shared, &mut after) });", r"                remains.end(&self.shared, &mut after);
                closed.push(ClosedConnection { id, ends: Vec::new() });")],
    ),
    mutant(
        "shutdown-reports-for-another",
        "a shutdown reports the ends of one under the id of another",
        MAP,
        &[("closed.push(ClosedConnection { id, ends:", "closed.push(ClosedConnection { id: ConnId(id.0 ^ 1), ends:")],
    ),
    mutant(
        "disconnect-says-shut-down",
        "a disconnect closes for another reason",
        MAP,
        &[("entry.connection.close(CloseReason::Disconnected)", "entry.connection.close(CloseReason::ShutDown)")],
    ),
    mutant(
        "disconnect-reports-nothing",
        "a disconnect ends streams and reports none",
        MAP,
        &[("Ok(Deferred::new(ends.unwrap_or_default(), after))", r"let _ = ends;
        Ok(Deferred::new(Vec::new(), after))")],
    ),
    mutant(
        "close-forgets-unsent-ends",
        "ends that step had not handed out are not reported",
        OPEN,
        &[("    let mut report = Vec::from(ends);", r"    drop(ends);
    let mut report = Vec::new();")],
    ),
    mutant(
        "close-reports-twice",
        "streams are reported twice by the close",
        OPEN,
        &[("    report.extend(streams.map(|stream| {", "    report.extend(streams.flat_map(|stream| {"),
          ("        stream.end(EndStatus::Disconnected).end
", "        [stream.end(EndStatus::Disconnected).end; 2]
")],
    ),
    mutant(
        "close-forgets-streams",
        "a close reports the ends that were there, and not the streams",
        OPEN,
        &[("        stream.end(EndStatus::Disconnected).end
    }));", "        stream.end(EndStatus::Disconnected).end
    }).take(0));")],
    ),
    mutant(
        "close-says-closed",
        "a close ends its streams as if the client had",
        OPEN,
        &[("stream.end(EndStatus::Disconnected)", "stream.end(EndStatus::Closed)")],
    ),
    mutant(
        "first-reason-stays",
        "the first reason to close is the one that is told",
        CONN,
        &[(r"        let Phase::Open(open) = std::mem::replace(&mut *phase, Phase::Closed(reason)) else {
            return None;", r"        if let Phase::Closed(_) = &*phase {
            return None;
        }
        let Phase::Open(open) = std::mem::replace(&mut *phase, Phase::Closed(reason)) else {
            return None;")],
    ),
    mutant(
        "close-stays-ready",
        "a connection that closed keeps its turn",
        BUCKET,
        &[(r"        state.leave_turns(seat);
        state.leave_line(seat);
        if", r"        state.leave_line(seat);
        if")],
    ),
    mutant(
        "leave-in-two-sections",
        "a close leaves the bucket in a critical section of its own",
        CONN,
        &[(r"        if let Some(seat) = open.seat {
            self.shared.bucket.lock().leave(seat, open.backfills.slots_queued());
        }
", r"        drop(phase);
        if let Some(seat) = open.seat {
            self.shared.bucket.lock().leave(seat, open.backfills.slots_queued());
        }
")],
    ),
    mutant(
        "end-twice",
        "an end is reported by step, and again by the close",
        OPEN,
        &[(r"        if let Some(end) = self.ends.pop_front() {
            return", r"        if let Some(end) = self.ends.front().copied() {
            if self.displaced {
                self.ends.pop_front();
            }
            return")],
    ),
    mutant(
        "end-is-lost",
        "a stream ends, and nobody reports it",
        CONN,
        &[(r"        open.ends.push_back(ended.end);
", "")],
    ),
    mutant(
        "finished-stream-stays",
        "a stream that was sent to its end is not ended",
        CONN,
        &[("                            self.end_stream(open, id, EndStatus::Ok, &mut after);", r"                            let _ = (id, &mut after);
                            open.paused = true;
                            return Step::Idle;")],
    ),
    mutant(
        "failed-stream-stays",
        "a backfill fails, and its stream waits for ever",
        CONN,
        &[(r"            (Some(_), Ran::Failed) => {
                gone = self.end_but_for_the_index(open, id, EndStatus::BackfillFail, after);
            }", "            (Some(_), Ran::Failed) => {}")],
    ),
    mutant(
        "failed-says-ok",
        "a backfill fails, and its stream ends Ok",
        CONN,
        &[("gone = self.end_but_for_the_index(open, id, EndStatus::BackfillFail, after);", "gone = self.end_but_for_the_index(open, id, EndStatus::Ok, after);")],
    ),
    mutant(
        "end-streams-says-closed",
        "end_streams ends with another status",
        CONN,
        &[(r"        self.end_stream(open, id, status, after);
        true", r"        let _ = status;
        self.end_stream(open, id, EndStatus::Closed, after);
        true")],
    ),
    mutant(
        "displaces-nobody",
        "a second connection takes a name, and the first goes on (MB-34687)",
        CONN,
        &[(r"            open.displaced = true;
            open.wake(after);", "            open.wake(after);")],
    ),
    mutant(
        "displaces-itself",
        "who takes a name that it has had is displaced by itself",
        MAP,
        &[("        let holder = state.names.insert(Arc::clone(&name), id);", r"        state.names.insert(Arc::clone(&name), id);
        let holder = state.connections.iter().find(|(_, entry)| *entry.name == *name).map(|(id, _)| *id);")],
    ),
    mutant(
        "displaces-all",
        "whoever is opened displaces everybody",
        MAP,
        &[(r"        if let Some(entry) = holder.and_then(|holder| state.connections.get(&holder)) {
            entry.connection.displace(&mut after);
        }", r"        let _ = holder;
        for entry in state.connections.values() {
            entry.connection.displace(&mut after);
        }")],
    ),
    mutant(
        "displace-in-two-sections",
        "a name is taken in one critical section, and its holder displaced in another",
        MAP,
        &[(r"        if let Some(entry) = holder.and_then(|holder| state.connections.get(&holder)) {
            entry.connection.displace(&mut after);
        }
", ""), (r"        state.connections.insert(id, Entry { name, connection });
        drop(guard);", r"        state.connections.insert(id, Entry { name, connection });
        drop(guard);
        let guard = self.state.lock();
        if let Some(entry) = holder.and_then(|holder| guard.connections.get(&holder)) {
            entry.connection.displace(&mut after);
        }
        drop(guard);")],
    ),
];
