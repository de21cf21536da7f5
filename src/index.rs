//! Index: which connections have a stream on which vb, so that a write costs
//! what its vb's streams cost.
//!
//! A vb belongs to one of [`SHARDS`] shards, and each shard's lock
//! (`Rank::Index`) guards the entries of its vbs. It is held for one lookup,
//! inside a connection's lock or inside none, and nothing is locked under it.
//!
//! A stream's entry is made and removed in the critical section of the
//! connection's lock in which the stream comes and goes; only a connection
//! that is closed removes its entries after that section. So a walk over a vb
//! may be wrong in two ways, and neither matters:
//!
//! - **It misses a stream that is open now.** Then the shard's lock was taken
//!   before the stream's entry was made. For `notify`: the item was there to
//!   be read before that, and the stream's scan, which cannot open before the
//!   request has left the connection's lock, reads it. For `end_streams`: the
//!   stream is accepted later, and the host's vb state lock, which is held
//!   around both calls, has told that request of the new state.
//! - **It finds a stream that is gone.** The handle does not upgrade; or the
//!   connection is locked, and is closed or has no stream on the vb; or it has
//!   another stream on the vb by now, which is told what is true of the vb
//!   whichever stream asks.

use crate::sync::{Mutex, Rank, Strong, Weak};
use crate::VbId;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Sixteen: writers of different vbs and front ends seldom meet, and a map
/// that is empty stays small.
const SHARDS: usize = 16;

/// Handles that are copied in one critical section.
const BATCH: usize = 16;

#[derive(Debug)]
pub(crate) struct Index<T> {
    shards: Box<[Mutex<Shard<T>>]>,
}

/// The connections with a stream on a vb, by their numbers: in the order in
/// which they were opened. A vb without streams has no entry.
type Shard<T> = BTreeMap<VbId, BTreeMap<u64, Weak<T>>>;

impl<T> Index<T> {
    pub(crate) fn new() -> Self {
        let shard = |_| Mutex::new(Rank::Index, Shard::new());
        Index { shards: (0..SHARDS).map(shard).collect() }
    }

    fn shard(&self, vb: VbId) -> &Mutex<Shard<T>> {
        &self.shards[usize::from(vb.0) % SHARDS]
    }

    /// Connection `number` has a stream on `vb`.
    #[track_caller]
    pub(crate) fn insert(&self, vb: VbId, number: u64, connection: &Weak<T>) {
        let mut shard = self.shard(vb).lock();
        shard.entry(vb).or_default().insert(number, Weak::clone(connection));
    }

    /// It has none any more.
    #[track_caller]
    pub(crate) fn remove(&self, vb: VbId, number: u64) {
        let mut shard = self.shard(vb).lock();
        let Some(connections) = shard.get_mut(&vb) else { return };
        connections.remove(&number);
        if connections.is_empty() {
            shard.remove(&vb);
        }
    }

    /// Calls `visit`, with no lock held, for each connection that has a stream
    /// on `vb` from now until it is visited, in the order in which they were
    /// opened. O(log vbs) when there is none, and then O(1) for each.
    #[track_caller]
    pub(crate) fn visit(&self, vb: VbId, mut visit: impl FnMut(&T)) {
        let mut from = Bound::Unbounded;
        // The last one of those that are there now: what comes later is
        // nothing that this walk owes, and might be without end.
        let mut upto = None;
        loop {
            let mut batch = [const { None::<Weak<T>> }; BATCH];
            let shard = self.shard(vb).lock();
            let Some(connections) = shard.get(&vb) else { return };
            let Some(last) = upto.or_else(|| connections.keys().next_back().copied()) else {
                return;
            };
            upto = Some(last);
            let mut copied = 0;
            for (number, connection) in connections.range((from, Bound::Unbounded)).take(BATCH) {
                from = Bound::Excluded(*number);
                if *number > last {
                    break;
                }
                batch[copied] = Some(Weak::clone(connection));
                copied += 1;
            }
            drop(shard);
            for connection in batch.into_iter().flatten() {
                if let Some(connection) = connection.upgrade() {
                    let connection: &Strong<T> = &connection;
                    visit(connection);
                }
            }
            if copied < BATCH {
                return;
            }
        }
    }

    /// Streams that have an entry.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.lock().values().map(BTreeMap::len).sum::<usize>())
            .sum()
    }
}
