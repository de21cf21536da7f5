//! Backfills, which read the past of streams from disk, in the background.
//!
//! - [`manager`]: the BackfillManager of one connection: its queues and its
//!   read-ahead buffer. A plain value under the connection's lock.
//! - [`bucket`]: what the managers of a map share: their turns, and the slots for
//!   backfills in progress. Has a lock of its own.
//! - [`run`]: one turn of one manager, on a worker's thread; above the
//!   connection, as the other two are below it.
//!
//! Three types are about a run: [`Run`](crate::Run) is the answer to a worker,
//! [`run::Ran`] how the run ended, and [`bucket::Turn`] when the manager wants its
//! next turn.

pub(crate) mod bucket;
pub(crate) mod manager;
pub(crate) mod run;

use crate::host::{Hosted, Scan};
use crate::live::Token;
use crate::stream::StreamId;
use crate::{SeqnoRange, VbId};
use std::fmt;

/// One backfill. It has its stream's id and no reference to the stream: the holder
/// of a backfill asks the connection, under its lock, for the stream (rule 7).
pub(crate) struct Backfill {
    pub(crate) stream: StreamId,
    pub(crate) vb: VbId,
    pub(crate) range: SeqnoRange,
    /// The scan, from the first run on.
    pub(crate) scan: Option<Hosted<Box<dyn Scan>>>,
    /// Whether a run of the backfill has ended.
    pub(crate) has_run: bool,
    pub(crate) _live: Token,
}

impl fmt::Debug for Backfill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backfill")
            .field("stream", &self.stream)
            .field("vb", &self.vb)
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}
