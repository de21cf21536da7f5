//! An actor of an earlier stream, connection or turn finds its successor.

use super::super::{mutant, Mutant};
use super::{CONN, INDEX, MAP, STREAM, STREAMS};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "old-id-new-stream",
        "a stream is known by its place: the old backfill feeds the new stream (MB-32107 and others, by name)",
        STREAMS,
        &[("Some(&mut place.stream).filter(|stream| stream.id == id)", "Some(&mut place.stream)")],
    ),
    mutant(
        "old-id-by-place",
        "a stream that ended is removed by its place, whoever is there",
        STREAMS,
        &[("        let vb = self.get(id)?.vb();", "        let vb = self.places.get(id.place)?.stream.vb();")],
    ),
    mutant(
        "serial-stays",
        "two streams at one place have one id",
        STREAMS,
        &[("        self.next_serial += 1;", "")],
    ),
    mutant(
        "stale-read-is-queued",
        "two steps read the same items, and both are sent",
        STREAM,
        &[("if self.state != StreamState::InMemory || self.read != range.after {", "if self.state != StreamState::InMemory {")],
    ),
    mutant(
        "stale-read-while-backfilling",
        "items from memory come to a stream that went back to disk",
        STREAM,
        &[("if self.state != StreamState::InMemory || self.read != range.after {", "if self.read != range.after {")],
    ),
    mutant(
        "stale-gone-schedules-again",
        "two find the memory gone, and two backfills run",
        STREAM,
        &[("self.state == StreamState::InMemory && self.read == range.after;", "self.read == range.after;")],
    ),
    mutant(
        "stale-gone-after-a-read",
        "memory is gone for who asked long ago: what was read since is read again",
        STREAM,
        &[("self.state == StreamState::InMemory && self.read == range.after;", r"self.state == StreamState::InMemory;
        let _ = range;")],
    ),
    mutant(
        "gone-schedules-always",
        "the answer of a stale read schedules a backfill",
        CONN,
        &[(r"                if stream.gone_from_memory(range) {
", r"                stream.gone_from_memory(range);
                {
")],
    ),
    mutant(
        "gone-schedules-nothing",
        "memory is gone, and no backfill reads on",
        CONN,
        &[("                    open.streams.want_backfill(id);\n                    open.settle(&self.shared.bucket, &self.me);\n                }\n                true", "                }\n                true")],
    ),
    mutant(
        "gone-asks-for-nothing",
        "memory is gone, and the backfill gets no slot",
        CONN,
        &[("                    open.streams.want_backfill(id);\n                    open.settle(&self.shared.bucket, &self.me);\n                }\n                true", "                    open.streams.want_backfill(id);\n                }\n                true")],
    ),
    mutant(
        "failed-read-is-ignored",
        "memory could not be read, and the stream waits for ever",
        CONN,
        &[(r"            None => false,
        };
        if read", r"            None => true,
        };
        if read")],
    ),
    mutant(
        "orphan-fails-its-successor",
        "a backfill whose stream is gone fails the stream of its vb",
        CONN,
        &[("            (Some(_), Ran::Orphaned) | (None, _) => {}", r"            (Some(_), Ran::Orphaned) => {}
            (None, _) => {
                if let Some(other) = open.streams.on(backfill.vb) {
                    self.end_stream(open, other, EndStatus::BackfillFail, after);
                }
            }")],
    ),
    mutant(
        "orphan-finishes-its-successor",
        "a backfill whose stream is gone ends the backfill of the stream of its vb",
        CONN,
        &[(r"        let id = backfill.stream;
        let mut gone", r"        let id = open.streams.on(backfill.vb).unwrap_or(backfill.stream);
        let mut gone")],
    ),
    mutant(
        "orphan-reads-on",
        "a backfill whose stream is gone reads to its end",
        CONN,
        &[(r"        let stream = open.streams.get(id).ok_or(Ran::Orphaned)?;
        stream.accepts", r"        let Some(stream) = open.streams.get(id) else { return Ok(()) };
        stream.accepts")],
    ),
    mutant(
        "orphan-runs-on",
        "a backfill whose stream is gone goes back to its queue",
        CONN,
        &[("            (Some(_), Ran::More) => {", "            (_, Ran::More) => {")],
    ),
    mutant(
        "orphan-is-put-off",
        "a backfill whose stream is gone is put off",
        CONN,
        &[("            (Some(_), Ran::Later) => {", "            (_, Ran::Later) => {")],
    ),
    mutant(
        "dead-keeps-its-backfill",
        "a stream ends, and its backfill stays in its queue (MB-24917 left them to run)",
        CONN,
        &[("        let cancelled = open.backfills.cancel(id);", "        let cancelled: Option<Box<Backfill>> = None;")],
    ),
    mutant(
        "dead-stays-in-turn",
        "a stream that ended keeps its turn, which is its successor's then",
        STREAMS,
        &[(r"        self.ready.remove(&mut self.places, id.place);
", "")],
    ),
    mutant(
        "dead-stays-by-vb",
        "a stream that ended holds its vb",
        STREAMS,
        &[(r"        self.by_vb.remove(&vb);
", r"        let _ = &vb;
")],
    ),
    mutant(
        "index-keeps-the-dead",
        "a stream that ended stays in the index",
        CONN,
        &[(r"        if let Some((vb, ticket)) = self.end_but_for_the_index(open, id, status, after) {
            self.shared.index.remove(vb, ticket);
        }", "        self.end_but_for_the_index(open, id, status, after);")],
    ),
    mutant(
        "index-before-the-bucket",
        "a stream leaves the index before the bucket is told of its end: a walk that finds none waits for nothing, and what it finds in the bucket is of before (the core did so for an hour)",
        CONN,
        &[(r"        let ended = stream.end(status);
        open.ends", r"        self.shared.index.remove(entry.0, entry.1);
        let ended = stream.end(status);
        open.ends")],
    ),
    mutant(
        "failed-leaves-the-index-early",
        "the same, of a stream whose backfill fails",
        CONN,
        &[("                gone = self.end_but_for_the_index(open, id, EndStatus::BackfillFail, after);", r"                self.end_stream(open, id, EndStatus::BackfillFail, after);
                gone = None;")],
    ),
    mutant(
        "index-is-behind-the-lock",
        "a stream enters the index when its request has left the lock: what is written meanwhile is missed",
        CONN,
        &[("let ticket = self.shared.index.insert(vb, &self.me);", "let ticket = Ticket::default();"), (r"            open.stream_changed(id, &mut after);
        }
        Ok(after)
", r"            open.stream_changed(id, &mut after);
        }
        drop(phase);
        self.shared.index.insert(vb, &self.me);
        Ok(after)
")],
    ),
    mutant(
        "index-behind-the-bucket",
        "a stream enters the index when its backfill is in the bucket already (the core did so for an hour)",
        CONN,
        &[("let ticket = self.shared.index.insert(vb, &self.me);", "let ticket = Ticket::default();"), (r"            open.stream_changed(id, &mut after);
        }
        Ok(after)
", r"            open.stream_changed(id, &mut after);
        }
        self.shared.index.insert(vb, &self.me);
        Ok(after)
")],
    ),
    mutant(
        "no-index",
        "a stream never enters the index",
        CONN,
        &[("let ticket = self.shared.index.insert(vb, &self.me);", "let ticket = Ticket::default();")],
    ),
    mutant(
        "index-of-one",
        "the first connection of a vb leaves, and takes all others along",
        INDEX,
        &[("        self.live -= 1;", r"        self.live = 0;
        self.slots.clear();")],
    ),
    mutant(
        "walk-visits-one",
        "a walk over a vb visits its first connection only",
        INDEX,
        &[("            for connection in batch.into_iter().flatten() {", "            for connection in batch.into_iter().flatten().take(1) {")],
    ),
    mutant(
        "walk-misses-the-last",
        "a walk over a vb stops before the last",
        INDEX,
        &[("*ticket >= end {", "ticket.0 + 1 >= end.0 {")],
    ),
    mutant(
        "one-ticket-for-all",
        "the streams of a vb have one ticket: the end of one takes out another",
        INDEX,
        &[("        self.next.0 += 1;
", "")],
    ),
    mutant(
        "name-of-the-gone",
        "a name is freed by whoever had it, though another has it now (MB-36451 was about such names)",
        MAP,
        &[(r"        if self.names.get(&entry.name) == Some(&id) {
            self.names.remove(&entry.name);
        }", "        self.names.remove(&entry.name);")],
    ),
    mutant(
        "name-is-never-free",
        "a name stays with an id that is gone",
        MAP,
        &[(r"        if self.names.get(&entry.name) == Some(&id) {
            self.names.remove(&entry.name);
        }", "")],
    ),
    mutant(
        "old-handle-new-connection",
        "index entries of a closed connection stay",
        CONN,
        &[("        let leave = |stream: &ActiveStream| shared.index.remove(stream.vb(), stream.ticket());", "        let leave = |stream: &ActiveStream| drop((stream.vb(), shared));")],
    ),
];
