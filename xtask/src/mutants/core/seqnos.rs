//! Markers, items and ends: in order, without a gap inside the snapshot, to the last one that was asked for.

use super::super::{mutant, Mutant};
use super::{STREAM, TYPES};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "ok-one-item-short",
        "a stream ends Ok when its last item is still to be sent",
        STREAM,
        &[("self.queue.is_empty() && self.read >= self.request.end", "self.read >= self.request.end && self.queue.len() <= 1"), (r"        match self.queue.pop_front() {
", r"        if self.finished() {
            return Next::Finished;
        }
        match self.queue.pop_front() {
")],
    ),
    mutant(
        "ok-before-it-is-read",
        "a stream ends Ok one seqno before the last",
        STREAM,
        &[("self.queue.is_empty() && self.read >= self.request.end", "self.queue.is_empty() && self.read.saturating_add(1) >= self.request.end")],
    ),
    mutant(
        "never-ok",
        "a stream that was sent to its end never ends",
        STREAM,
        &[("self.queue.is_empty() && self.read >= self.request.end", "self.queue.is_empty() && self.read > self.request.end")],
    ),
    mutant(
        "ok-before-the-queue",
        "the end comes before what is queued",
        STREAM,
        &[("self.queue.is_empty() && self.read >= self.request.end", "self.read >= self.request.end"), (r"        match self.queue.pop_front() {
", r"        if self.finished() {
            return Next::Finished;
        }
        match self.queue.pop_front() {
")],
    ),
    mutant(
        "marker-from-the-start",
        "a marker begins at the start of the stream, whatever was read",
        STREAM,
        &[(r"        let range = self.snapshot();
        if range", r"        let range = SeqnoRange { after: self.request.start, ..self.snapshot() };
        if range")],
    ),
    mutant(
        "marker-beyond-the-end",
        "a marker goes on behind the end that was asked for",
        STREAM,
        &[("        self.snapshot_end = snapshot_end.min(self.request.end);", "        self.snapshot_end = snapshot_end;")],
    ),
    mutant(
        "marker-of-nothing",
        "a marker comes though the snapshot has nothing new",
        STREAM,
        &[(r"        if range.after < range.upto {
            self.queue", r"        if true {
            self.queue")],
    ),
    mutant(
        "no-marker",
        "a snapshot from disk has no marker",
        STREAM,
        &[("            self.queue.push_back(Queued::Marker(range, SnapshotSource::Disk));", "")],
    ),
    mutant(
        "marker-twice",
        "a marker comes twice",
        STREAM,
        &[("            self.queue.push_back(Queued::Marker(range, SnapshotSource::Disk));", r"            self.queue.push_back(Queued::Marker(range, SnapshotSource::Disk));
            self.queue.push_back(Queued::Marker(range, SnapshotSource::Disk));")],
    ),
    mutant(
        "marker-says-memory",
        "a snapshot from disk says that it is from memory",
        STREAM,
        &[("Queued::Marker(range, SnapshotSource::Disk)", "Queued::Marker(range, SnapshotSource::Memory)")],
    ),
    mutant(
        "no-marker-from-memory",
        "a snapshot from memory has no marker",
        STREAM,
        &[("        self.queue.push_back(Queued::Marker(marker, SnapshotSource::Memory));", "        let _ = marker;")],
    ),
    mutant(
        "memory-marker-says-disk",
        "a snapshot from memory says that it is from disk",
        STREAM,
        &[("Queued::Marker(marker, SnapshotSource::Memory)", "Queued::Marker(marker, SnapshotSource::Disk)")],
    ),
    mutant(
        "memory-marker-to-what-was-asked",
        "a marker promises what was asked of memory, and not what came",
        STREAM,
        &[("SeqnoRange { after: self.read, upto: last };", "SeqnoRange { after: self.read, upto: range.upto.max(last) };")],
    ),
    mutant(
        "marker-behind-its-items",
        "the items from memory come before their marker",
        STREAM,
        &[(r"        self.queue.push_back(Queued::Marker(marker, SnapshotSource::Memory));
        self.push(items.drain(..), SnapshotSource::Memory);
", r"        self.push(items.drain(..), SnapshotSource::Memory);
        self.queue.push_back(Queued::Marker(marker, SnapshotSource::Memory));
")],
    ),
    mutant(
        "item-does-not-count-as-read",
        "an item is queued, and read stays where it is",
        STREAM,
        &[(r"            self.read = item.seqno;
", "")],
    ),
    mutant(
        "items-out-of-order",
        "what a scan gives is not looked at",
        STREAM,
        &[(r"        if !rest.contains(item.seqno) {
            return Err(OutOfOrder);
        }
", "")],
    ),
    mutant(
        "batch-of-one-seqno",
        "the items of a batch may all have one seqno",
        STREAM,
        &[("        rest.after = item.seqno;
", "        let _ = &mut rest;
")],
    ),
    mutant(
        "items-beyond-the-snapshot",
        "an item from beyond the snapshot is sent",
        STREAM,
        &[("        in_order(items, self.snapshot())", r"        in_order(items, SeqnoRange { after: self.read, upto: Seqno::MAX })")],
    ),
    mutant(
        "items-beyond-the-range",
        "an item from memory that was not asked for is sent",
        STREAM,
        &[("        in_order(items, range)?;", "        in_order(items, SeqnoRange { upto: Seqno::MAX, ..range })?;")],
    ),
    mutant(
        "last-item-is-refused",
        "the item at the end of its snapshot counts as beyond",
        TYPES,
        &[("self.after < seqno && seqno <= self.upto", "self.after < seqno && seqno < self.upto")],
    ),
    mutant(
        "item-twice-is-taken",
        "the item that was read last is taken again",
        TYPES,
        &[("self.after < seqno && seqno <= self.upto", "self.after <= seqno && seqno <= self.upto")],
    ),
    mutant(
        "items-queued-in-front",
        "an item overtakes what is queued",
        STREAM,
        &[("        self.queue.push_back(Queued::Item(item, source));", "        self.queue.push_front(Queued::Item(item, source));")],
    ),
    mutant(
        "finished-forgets-the-gap",
        "a scan is through, and the seqnos behind its last item are read again",
        STREAM,
        &[("        self.read = self.read.max(self.snapshot_end);", "")],
    ),
    mutant(
        "finished-reads-all",
        "a scan is through, and all that was asked for counts as read",
        STREAM,
        &[("        self.read = self.read.max(self.snapshot_end);", "        self.read = self.read.max(self.request.end);")],
    ),
    mutant(
        "finished-goes-back",
        "a scan whose snapshot ends before the start takes read back",
        STREAM,
        &[("        self.read = self.read.max(self.snapshot_end);", "        self.read = self.snapshot_end;")],
    ),
    mutant(
        "finished-stays-on-disk",
        "a scan is through, and its stream does not read from memory",
        STREAM,
        &[(r"        self.apply(Event::ScanFinished);
", "")],
    ),
    mutant(
        "notify-replaces",
        "a smaller seqno that is notified late replaces the larger",
        STREAM,
        &[("        self.high = self.high.max(seqno);", "        self.high = seqno;")],
    ),
    mutant(
        "notify-is-forgotten",
        "what is notified is not remembered",
        STREAM,
        &[("        self.high = self.high.max(seqno);", "        let _ = seqno;")],
    ),
    mutant(
        "notify-in-memory-only",
        "what is notified while a backfill runs is forgotten (MB-24181)",
        STREAM,
        &[("        self.high = self.high.max(seqno);", r"        if self.state == StreamState::InMemory {
            self.high = self.high.max(seqno);
        }")],
    ),
    mutant(
        "memory-beyond-the-end",
        "memory is read beyond the end that was asked for",
        STREAM,
        &[(r"upto: self.high.min(self.request.end) };
        (self", r"upto: self.high };
        (self")],
    ),
    mutant(
        "memory-before-the-backfill",
        "memory is read while the backfill still runs",
        STREAM,
        &[("(self.state == StreamState::InMemory && range.after < range.upto)", "(range.after < range.upto)")],
    ),
    mutant(
        "memory-again-and-again",
        "what memory does not have is asked for for ever",
        STREAM,
        &[(r"                self.high = self.read;
", "")],
    ),
    mutant(
        "memory-nothing-forgets-a-write",
        "nothing was there, and what was notified meanwhile is forgotten",
        STREAM,
        &[(r"            if self.high.min(self.request.end) == range.upto {
", r"            if true {
")],
    ),
    mutant(
        "unread-from-the-start",
        "a second backfill reads all again",
        STREAM,
        &[("        SeqnoRange { after: self.read, upto: self.request.end }", "        SeqnoRange { after: self.request.start, upto: self.request.end }")],
    ),
    mutant(
        "unread-to-what-was-notified",
        "a backfill reads to what was notified and no further",
        STREAM,
        &[("        SeqnoRange { after: self.read, upto: self.request.end }", "        SeqnoRange { after: self.read, upto: self.high.max(1).min(self.request.end) }")],
    ),
    mutant(
        "starts-at-zero",
        "what the client has is sent again",
        STREAM,
        &[("            read: request.start,", "            read: 0,")],
    ),
    mutant(
        "message-of-another-vb",
        "a message names another vb",
        STREAM,
        &[("Next::Message(Message::Item { vb, opaque, item }, refund)", "Next::Message(Message::Item { vb: VbId(vb.0 ^ 1), opaque, item }, refund)")],
    ),
    mutant(
        "end-of-another-vb",
        "an end names another vb",
        STREAM,
        &[("            end: StreamEnd { vb, opaque, status },", "            end: StreamEnd { vb: VbId(vb.0 ^ 1), opaque, status },")],
    ),
    mutant(
        "end-says-ok",
        "each end says Ok",
        STREAM,
        &[("            end: StreamEnd { vb, opaque, status },", "            end: StreamEnd { vb, opaque, status: if status == EndStatus::Closed { EndStatus::Ok } else { status } },")],
    ),
    mutant(
        "nothing-is-ready-in-memory",
        "a stream that could read from memory is not ready",
        STREAM,
        &[("!self.queue.is_empty() || self.finished() || self.memory_range().is_some()", "!self.queue.is_empty() || self.finished()")],
    ),
    mutant(
        "finished-is-not-ready",
        "a stream whose last item was sent is not ready",
        STREAM,
        &[("!self.queue.is_empty() || self.finished() || self.memory_range().is_some()", "!self.queue.is_empty() || self.memory_range().is_some()")],
    ),
];
