//! Bytes are charged when they are read and refunded when they are sent or dropped, once.

use super::super::{mutant, Mutant};
use super::{BATCH, CONFIG, CONN, MANAGER, OPEN, STREAM, TYPES};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "no-charge",
        "an item is not charged",
        MANAGER,
        &[(
            r"        self.bytes += bytes;
        if held",
            "        if held",
        )],
    ),
    mutant(
        "no-refund-when-sent",
        "what was sent stays charged (MB-18452 stalled on such bytes)",
        OPEN,
        &[(
            "return Found::Message(message, self.backfills.refund(refund));",
            r"let _ = refund;
                    return Found::Message(message, false);",
        )],
    ),
    mutant(
        "no-refund-at-death",
        "what a dead stream had unsent stays charged",
        CONN,
        &[("let resumes = open.backfills.refund(ended.refund);", "let resumes = false;")],
    ),
    mutant(
        "refund-of-markers",
        "a marker gives back a byte",
        STREAM,
        &[(
            "Next::Message(Message::SnapshotMarker { vb, opaque, range, source }, 0)",
            "Next::Message(Message::SnapshotMarker { vb, opaque, range, source }, 1)",
        )],
    ),
    mutant(
        "refund-of-memory",
        "an item from memory, which was not charged, is refunded",
        STREAM,
        &[(
            "            Queued::Item(item, SnapshotSource::Disk) => item.charge(),",
            "            Queued::Item(item, _) => item.charge(),",
        )],
    ),
    mutant(
        "refund-of-size",
        "a deletion is charged as one byte and refunded as none",
        STREAM,
        &[(
            "            Queued::Item(item, SnapshotSource::Disk) => item.charge(),",
            "            Queued::Item(item, SnapshotSource::Disk) => item.size(),",
        )],
    ),
    mutant(
        "charge-of-size",
        "a deletion is charged as nothing: a history of them is read ahead without limit",
        MANAGER,
        &[("self.buffer.charge(item.charge())", "self.buffer.charge(item.size())")],
    ),
    mutant(
        "deletions-are-free",
        "the same, on both sides",
        TYPES,
        &[("        self.size().max(1)", "        self.size()")],
    ),
    mutant(
        "buffer-never-full",
        "the read-ahead buffer has no limit",
        MANAGER,
        &[(
            r"            self.full = true;
",
            "",
        )],
    ),
    mutant(
        "buffer-full-by-one-more",
        "a buffer at its limit is not full",
        MANAGER,
        &[(
            "if held_something && self.bytes >= self.limit",
            "if held_something && self.bytes > self.limit",
        )],
    ),
    mutant(
        "large-item-fills-an-empty-buffer",
        "one item larger than the buffer fills it",
        MANAGER,
        &[("if held_something && self.bytes", "if self.bytes")],
    ),
    mutant(
        "full-reads-on",
        "a full buffer does not end the run",
        BATCH,
        &[(" || self.buffer.is_full()", "")],
    ),
    mutant(
        "full-has-turns",
        "a manager with a full buffer asks for turns, and spins (MB-61257)",
        MANAGER,
        &[(
            r"            _ if self.buffer.is_full() => Turn::Never,
",
            "",
        )],
    ),
    mutant(
        "drained-asks-for-no-turn",
        "a buffer has drained, and its backfills get no turn (MB-18452)",
        CONN,
        &[("                            if resumes {\n                                open.settle(&self.shared.bucket, &self.me);\n                            }\n", "                            let _ = resumes;\n")],
    ),
    mutant(
        "death-drains-and-asks-for-no-turn",
        "the same, when a stream ends that had filled it",
        CONN,
        &[("        if cancelled.is_some() || resumes || open.waiting {", "        let _ = resumes;\n        if cancelled.is_some() || open.waiting {")],
    ),
    mutant(
        "drained-stays-full",
        "a buffer has drained, and counts as full",
        MANAGER,
        &[(
            r"        if resumes {
            self.full = false;
        }
",
            "",
        )],
    ),
    mutant(
        "resumes-when-not-full",
        "each message that is sent asks for a turn",
        MANAGER,
        &[("let resumes = self.full && drained;", "let resumes = drained;")],
    ),
    mutant(
        "resumes-at-once",
        "a full buffer is filled again when anything was sent",
        MANAGER,
        &[(
            "let resumes = self.full && drained;",
            r"let resumes = self.full;
        let _ = drained;",
        )],
    ),
    mutant(
        "resumes-when-empty-only",
        "a full buffer drains to the last byte before it is filled again",
        MANAGER,
        &[("self.bytes == 0 || self.bytes <= self.resume", "self.bytes == 0")],
    ),
    mutant(
        "resumes-not-when-empty",
        "a buffer of one byte that is empty is not filled again",
        MANAGER,
        &[(
            "self.bytes == 0 || self.bytes <= self.resume",
            "self.bytes > 0 && self.bytes <= self.resume",
        )],
    ),
    mutant(
        "resumes-below-the-limit",
        "one byte less than enough must be sent",
        MANAGER,
        &[("self.bytes <= self.resume", "self.bytes < self.resume")],
    ),
    mutant(
        "drained-percent-of-the-rest",
        "the percentage is of what is left, not of what is drained",
        CONFIG,
        &[(
            "        self.buffer_bytes.saturating_sub((drained as u64).max(1))",
            "        (drained as u64).max(1)",
        )],
    ),
    mutant(
        "scan-without-limit-of-items",
        "a run reads on past its limit of items",
        BATCH,
        &[(
            "        self.items_left -= 1;
",
            "",
        )],
    ),
    mutant(
        "scan-without-limit-of-bytes",
        "a run reads on past its limit of bytes",
        BATCH,
        &[("self.items_left == 0 || self.bytes_left == 0", "self.items_left == 0")],
    ),
    mutant(
        "scan-of-one-item-more",
        "a run reads one item more than it may",
        BATCH,
        &[("items_left: config.scan_items,", "items_left: config.scan_items + 1,")],
    ),
    mutant(
        "scan-bytes-of-charge",
        "a run counts a deletion as a byte",
        BATCH,
        &[("saturating_sub(item.size())", "saturating_sub(item.charge())")],
    ),
    mutant(
        "batch-beyond-the-buffer",
        "what is in a batch counts when it is handed over, and not before",
        BATCH,
        &[(
            "        self.buffer.charge(item.charge());
",
            "",
        )],
    ),
    mutant(
        "batch-of-an-old-buffer",
        "a worker does not learn of what was sent while it ran",
        BATCH,
        &[(
            "        self.buffer = buffer;
",
            "        let _ = buffer;
",
        )],
    ),
    mutant(
        "batch-is-charged-in-part",
        "of the items of a batch the first is charged",
        MANAGER,
        &[("items.iter().for_each(", "items.iter().take(1).for_each(")],
    ),
];
