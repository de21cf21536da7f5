//! The newest changes of a vb in memory, up to a number of bytes: what a
//! stream that has caught up reads. Plain data, under the vb's lock.

use connmap::{Item, Memory, Seqno, SeqnoRange};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use crate::record::Record;

/// Bytes of changes that each vb keeps in memory.
pub(crate) const TAIL_BYTES: usize = 128 << 10;
/// Bytes that are read from it at once.
const READ_BYTES: usize = 64 << 10;

/// All changes behind `after`.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    after: Seqno,
    high: Seqno,
    bytes: usize,
    changes: VecDeque<(Seqno, Arc<[u8]>)>,
}

impl Tail {
    /// Of a vb whose history, up to `high`, is on disk alone.
    pub(crate) fn new(high: Seqno) -> Self {
        Tail { after: high, high, ..Tail::default() }
    }

    pub(crate) fn high(&self) -> Seqno {
        self.high
    }

    /// How many changes, and how many bytes of them.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.changes.len(), self.bytes)
    }

    /// A change, the newest one. The oldest make place for it; one that is
    /// larger than all of the place is left to the disk.
    pub(crate) fn push(&mut self, seqno: Seqno, record: Arc<[u8]>) {
        self.high = seqno;
        self.bytes += record.len();
        self.changes.push_back((seqno, record));
        while self.bytes > TAIL_BYTES {
            let Some((seqno, record)) = self.changes.pop_front() else { break };
            self.bytes -= record.len();
            self.after = seqno;
        }
    }

    /// The next changes of `range`, up to where a key comes again: they are
    /// sent as one snapshot, which has each key once.
    pub(crate) fn read(&self, range: SeqnoRange) -> Memory {
        if range.after < self.after {
            return Memory::Gone;
        }
        let begin = self.changes.partition_point(|(seqno, _)| *seqno <= range.after);
        let mut keys = HashSet::new();
        let mut bytes = 0;
        let items = self
            .changes
            .range(begin..)
            .take_while(|(seqno, record)| {
                let fits = bytes < READ_BYTES && *seqno <= range.upto;
                bytes += record.len();
                fits && keys.insert(Record::decode(record).map(|record| record.key))
            })
            .map(|(seqno, record)| Item { seqno: *seqno, payload: Arc::clone(record) })
            .collect();
        Memory::Items(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Meta;

    fn record(key: &str, size: usize) -> Arc<[u8]> {
        Record { meta: Meta::default(), key: key.as_bytes(), value: &vec![0; size] }.encode().into()
    }

    fn read(tail: &Tail, after: Seqno, upto: Seqno) -> Option<Vec<Seqno>> {
        match tail.read(SeqnoRange { after, upto }) {
            Memory::Items(items) => Some(items.iter().map(|item| item.seqno).collect()),
            Memory::Gone => None,
        }
    }

    #[test]
    fn a_read_ends_before_a_key_comes_again() {
        let mut tail = Tail::new(10);
        for (seqno, key) in [(11, "a"), (12, "b"), (13, "a"), (14, "c")] {
            tail.push(seqno, record(key, 1));
        }
        assert_eq!(read(&tail, 9, 14), None, "older than the tail");
        assert_eq!(read(&tail, 10, 14), Some(vec![11, 12]));
        assert_eq!(read(&tail, 12, 14), Some(vec![13, 14]));
        assert_eq!(read(&tail, 12, 13), Some(vec![13]));
        assert_eq!(read(&tail, 14, 14), Some(vec![]));
    }

    #[test]
    fn it_keeps_no_more_than_its_bytes() {
        let mut tail = Tail::new(0);
        for seqno in 1..=1000 {
            tail.push(seqno, record("k", 1000));
            assert!(tail.size().1 <= TAIL_BYTES);
        }
        assert_eq!(read(&tail, 0, 1000), None);
        assert_eq!(read(&tail, 999, 1000), Some(vec![1000]));
        tail.push(1001, record("k", TAIL_BYTES));
        assert_eq!(tail.size(), (0, 0));
        assert_eq!(read(&tail, 1000, 1001), None, "left to the disk");
        assert_eq!(read(&tail, 1001, 1001), Some(vec![]));
    }
}
