//! Batch: the items that a scan hands over at once. Plain data, no lock.
//!
//! A worker reads into a batch with no lock held, and then takes the connection's
//! lock once for all its items. The batch knows how much the worker may read until
//! then, so the items read ahead are bounded here and not by the scan.

use crate::backfill::manager::ReadAhead;
use crate::{Config, Item};

/// Items that are handed over in one critical section at most: with more, the
/// front end would wait for them, and the lock is cheap by then.
const ITEMS: usize = 64;

/// The items that a scan hands over at once; see [`Scan::read`](crate::Scan::read).
///
/// A batch takes 64 items at most, and fewer if a limit of the
/// [`Config`](crate::Config) is reached first, but at least one. A scan may push
/// one item and return, or go on until [`is_full`](Self::is_full).
#[derive(Debug)]
pub struct Batch {
    items: Vec<Item>,
    /// Items that the run may still read.
    items_left: usize,
    /// Bytes that the run may still read.
    bytes_left: u64,
    /// The connection's buffer as it was when its lock was last held, charged with
    /// the items read since. Only the running backfill fills the buffer, and steps
    /// only drain it: it is full here no later than there.
    buffer: ReadAhead,
    /// Whether an item was pushed that did not fit.
    overfull: bool,
}

impl Batch {
    pub(crate) fn new(config: &Config, buffer: ReadAhead) -> Self {
        Batch {
            items: Vec::new(),
            items_left: config.scan_items,
            bytes_left: config.scan_bytes,
            buffer,
            overfull: false,
        }
    }

    /// Takes the next item. O(1); the batch allocates once for a run of a
    /// backfill.
    ///
    /// An item that is pushed onto a full batch is dropped, and the stream ends
    /// with [`BackfillFail`](crate::EndStatus::BackfillFail), for its scan has
    /// lost an item.
    pub fn push(&mut self, item: Item) {
        if self.is_full() {
            self.overfull = true;
            return;
        }
        if self.items.capacity() == 0 {
            self.items.reserve_exact(ITEMS.min(self.items_left));
        }
        self.items_left -= 1;
        self.bytes_left = self.bytes_left.saturating_sub(item.size());
        self.buffer.charge(item.charge());
        self.items.push(item);
    }

    /// Whether the batch takes no further item: the scan is to return.
    pub fn is_full(&self) -> bool {
        let run_is_over = self.items_left == 0 || self.bytes_left == 0;
        self.items.len() == ITEMS || run_is_over || self.buffer.is_full()
    }

    /// Takes the items out, in their order: for a reader of scans other than the
    /// core.
    ///
    /// ```
    /// use connmap::{Batch, Item};
    /// let mut batch = Batch::default();
    /// batch.push(Item { seqno: 1, payload: b"one".as_slice().into() });
    /// assert_eq!(batch.drain().map(|item| item.seqno).collect::<Vec<_>>(), [1]);
    /// assert_eq!(batch.drain().count(), 0);
    /// ```
    pub fn drain(&mut self) -> impl Iterator<Item = Item> + '_ {
        self.items.drain(..)
    }

    pub(crate) fn items(&self) -> &[Item] {
        &self.items
    }

    pub(crate) fn is_overfull(&self) -> bool {
        self.overfull
    }

    /// Sets the buffer to the connection's, after the items were handed over.
    pub(crate) fn refreshed(&mut self, buffer: ReadAhead) {
        self.buffer = buffer;
    }
}

/// For a reader of scans other than the core: 64 items, of any size.
impl Default for Batch {
    fn default() -> Self {
        Batch {
            items: Vec::new(),
            items_left: usize::MAX,
            bytes_left: u64::MAX,
            buffer: ReadAhead::new(u64::MAX, u64::MAX),
            overfull: false,
        }
    }
}
