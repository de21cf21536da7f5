//! The configuration, and how the host behaves: constants of a scenario.

/// The settings of a scenario, as the specification needs them. Time is counted
/// in snoozes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Items of each vb on disk.
    pub items: u64,
    /// The items' seqnos are the multiples of this; a snapshot ends at the last
    /// seqno before the multiple that would be next.
    pub gap: u64,
    /// Bytes of each item.
    pub bytes: u64,
    /// Which of the notified items a read from memory finds.
    pub memory: Memory,
    /// The lowest seqno that is ever notified.
    pub first_notified: u64,
    /// The highest seqno that is ever notified.
    pub notified: u64,
    /// The share of its memory that the host uses at first, in per cent.
    pub memory_used: u64,
    /// Bytes read ahead of a client.
    pub buffer: u64,
    /// The share of a full buffer that must be sent before backfills go on, in
    /// per cent.
    pub resume: u64,
    /// Items that one run of a backfill reads.
    pub scan: u64,
    /// Bytes that one run of a backfill reads.
    pub scan_bytes: u64,
    /// Items that a scan hands over at once.
    pub batch: u64,
    /// Backfills in progress, bucket-wide.
    pub slots: u64,
    /// Backfills in progress for each connection.
    pub cap: u64,
    /// Whether one backfill runs to its end before the next.
    pub sequential: bool,
    /// Whether no scan can be opened.
    pub open_fails: bool,
    /// The item at which each scan fails, counted from 1; 0 for none.
    pub fail_at: u64,
    /// The item before which each scan says "later", once, counted from 1; 0 for
    /// none.
    pub later: u64,
    /// Whether the time or the memory in use may change: then a call asks the
    /// host in an atomic step of its own.
    pub moves: bool,
}

/// Which of the notified items a read from memory finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// None: they are not in memory any more.
    Gone,
    /// The last item alone.
    Last,
    /// None: there are no such items.
    Nothing,
    /// The next item alone.
    Less,
    /// Every item.
    All,
    /// None: the read fails, or panics.
    Fails,
    /// An item outside the range that was asked for.
    Strays,
    /// The last item, unless that is the last of all that is ever notified: then it
    /// is gone.
    GoneAtTheEnd,
    /// The last item, for who has read up to the first that is ever notified; for who
    /// has not that one is gone.
    GoneAtTheBeginning,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            items: 1,
            gap: 1,
            bytes: 1,
            memory: Memory::Last,
            first_notified: 0,
            notified: 0,
            memory_used: 0,
            buffer: 1 << 20,
            resume: 25,
            scan: 4096,
            scan_bytes: 4 << 20,
            batch: 1,
            slots: 4096,
            cap: 64,
            sequential: false,
            open_fails: false,
            fail_at: 0,
            later: 0,
            moves: false,
        }
    }
}

impl Limits {
    /// Above this share of its memory, in per cent, the host refuses requests and
    /// puts backfills off.
    pub const THRESHOLD: u64 = 96;

    /// The bytes to which a full buffer drains before backfills go on.
    pub(super) fn resume_bytes(&self) -> u64 {
        self.buffer.saturating_sub((self.buffer * self.resume / 100).max(1))
    }

    /// What a read from memory of the seqnos after one, up to another, finds.
    pub fn in_memory(&self, after: u64, upto: u64) -> Memory {
        match self.memory {
            Memory::GoneAtTheBeginning if after < self.first_notified => Memory::Gone,
            Memory::GoneAtTheBeginning => Memory::Last,
            Memory::GoneAtTheEnd if upto < self.notified => Memory::Last,
            Memory::GoneAtTheEnd => Memory::Gone,
            memory => memory,
        }
    }

    /// The last item that a scan after the seqno `after` finds, and the end of its
    /// snapshot. Items that were notified and left the memory are on disk by then.
    pub fn snapshot(&self, after: u64) -> (u64, u64) {
        let last = self.items * self.gap;
        let left = match self.memory {
            Memory::Gone | Memory::GoneAtTheEnd => self.notified,
            Memory::GoneAtTheBeginning => self.first_notified,
            _ => 0,
        };
        match after >= last && left > last {
            true => (left - left % self.gap, left),
            false => (last, last + self.gap - 1),
        }
    }
}
