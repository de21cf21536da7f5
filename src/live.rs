//! How many objects of a map are alive, so that a leak can be asserted.
//!
//! Owns no lock: four counters that are reported and never decided upon. Each
//! counted object holds a [`Token`], whose drop is one relaxed atomic.

use crate::sync::Counter;
use std::sync::Arc;

/// The live objects of one [`ConnMap`](crate::ConnMap); it outlives the map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiveObjects {
    /// Connections.
    pub producers: usize,
    /// Streams that have not ended.
    pub streams: usize,
    /// BackfillManagers: one for each connection that is not closed.
    pub managers: usize,
    /// Backfills, queued or running.
    pub backfills: usize,
}

/// Reads the counts of a map, also when the map is gone.
#[derive(Clone, Debug)]
pub struct LiveCounts(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    producers: Counter,
    streams: Counter,
    managers: Counter,
    backfills: Counter,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Producer,
    Stream,
    Manager,
    Backfill,
}

impl LiveCounts {
    pub(crate) fn new() -> Self {
        LiveCounts(Arc::default())
    }

    /// The counts at this moment; each is exact, the four are not one snapshot.
    pub fn get(&self) -> LiveObjects {
        LiveObjects {
            producers: self.0.producers.get(),
            streams: self.0.streams.get(),
            managers: self.0.managers.get(),
            backfills: self.0.backfills.get(),
        }
    }

    pub(crate) fn count(&self, kind: Kind) -> Token {
        self.0.counter(kind).add();
        Token { counters: Arc::clone(&self.0), kind }
    }
}

impl Counters {
    fn counter(&self, kind: Kind) -> &Counter {
        match kind {
            Kind::Producer => &self.producers,
            Kind::Stream => &self.streams,
            Kind::Manager => &self.managers,
            Kind::Backfill => &self.backfills,
        }
    }
}

/// Held by a counted object for as long as it lives.
#[derive(Debug)]
pub(crate) struct Token {
    counters: Arc<Counters>,
    kind: Kind,
}

impl Drop for Token {
    fn drop(&mut self) {
        self.counters.counter(self.kind).sub();
    }
}
