//! Counts of a map's live objects, so that a test can assert that none leaks.
//!
//! Owns no lock: counts that are reported and never decided upon. Each
//! counted object holds a [`Token`], a reference whose target knows how many
//! there are: one atomic when the object comes, and one when it goes. Streams
//! come and go the most, and those of one vb have a count of their own with few
//! others, so that two front ends seldom change the same.

use crate::VbId;
use std::fmt;
use std::sync::Arc;

/// The live objects of one [`ConnMap`](crate::ConnMap); it outlives the map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveObjects {
    /// Connections.
    pub producers: usize,
    /// Streams that have not ended.
    pub streams: usize,
    /// BackfillManagers: one for each connection that is not closed.
    pub managers: usize,
    /// Backfills that have begun, queued or running.
    pub backfills: usize,
}

/// Reads the counts of a map, also when the map is gone.
#[derive(Clone, Debug)]
pub struct LiveCounts(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    producers: Token,
    streams: [Token; SHARDS],
    managers: Token,
    backfills: Token,
}

/// As many as the index has; see there.
const SHARDS: usize = 16;

/// Held by a counted object for as long as it lives.
#[derive(Default)]
pub(crate) struct Token(Arc<Count>);

/// What the tokens of a kind refer to. It is so large that two threads that count
/// different things do not share a cache line.
#[derive(Default)]
struct Count {
    /// With an `Arc`'s own counts, 128 bytes.
    _apart: [u64; 14],
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Producer,
    /// Of this vb.
    Stream(VbId),
    Manager,
    Backfill,
}

impl LiveCounts {
    pub(crate) fn new() -> Self {
        LiveCounts(Arc::default())
    }

    /// The counts at this moment; each is exact, the four are not one snapshot.
    pub fn get(&self) -> LiveObjects {
        // One of the references is that of `Counts`.
        let others = |token: &Token| Arc::strong_count(&token.0) - 1;
        LiveObjects {
            producers: others(&self.0.producers),
            streams: self.0.streams.iter().map(others).sum(),
            managers: others(&self.0.managers),
            backfills: others(&self.0.backfills),
        }
    }

    pub(crate) fn count(&self, kind: Kind) -> Token {
        let token = match kind {
            Kind::Producer => &self.0.producers,
            Kind::Stream(vb) => &self.0.streams[usize::from(vb.0) % SHARDS],
            Kind::Manager => &self.0.managers,
            Kind::Backfill => &self.0.backfills,
        };
        Token(Arc::clone(&token.0))
    }
}
