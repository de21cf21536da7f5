//! Batch: the items that a scan hands over at once. Plain data, no lock.
//!
//! A worker reads into it with no lock held, and then takes the connection's
//! lock once for all of it. It holds what the worker may read before it has to
//! look again, so what is read ahead is bounded here and not by the scan.

use crate::backfill::manager::ReadAhead;
use crate::{Config, Item};

/// Items that are handed over in one critical section at most: with more, the
/// front end would wait for them, and the lock is cheap by then.
const ITEMS: usize = 64;

/// The items that a scan hands over at once; see [`Scan::read`](crate::Scan::read).
///
/// It takes 64 items at most, and fewer where a limit of the
/// [`Config`](crate::Config) comes first; it always takes one. A scan may push
/// one and return, or go on until [`is_full`](Self::is_full).
#[derive(Debug)]
pub struct Batch {
    items: Vec<Item>,
    /// What one run may still read.
    items_left: usize,
    bytes_left: u64,
    /// The connection's buffer when its lock was last held, and what was read
    /// since. Nobody else fills it meanwhile, and who empties it only makes
    /// room: it is full here at the latest when it is full there.
    buffer: ReadAhead,
    /// Something was pushed that did not fit.
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
    /// One that is pushed onto a full batch is dropped, and the stream ends
    /// with [`BackfillFail`](crate::EndStatus::BackfillFail): its scan has
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

    /// Whether to return before the next item is pushed.
    pub fn is_full(&self) -> bool {
        let run_is_over = self.items_left == 0 || self.bytes_left == 0;
        self.items.len() == ITEMS || run_is_over || self.buffer.is_full()
    }

    /// Takes the items out, in their order, for whoever reads a scan without
    /// the core.
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

    /// The items were handed over, and this is the buffer now.
    pub(crate) fn refreshed(&mut self, buffer: ReadAhead) {
        self.buffer = buffer;
    }
}

/// For whoever reads a scan without the core: 64 items, of any size.
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
