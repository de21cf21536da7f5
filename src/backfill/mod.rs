//! Backfills: what reads a stream's past in the background.
//!
//! - [`manager`]: the BackfillManager of one connection: its queues and its
//!   read-ahead buffer. A plain value under the connection's lock.
//! - [`bucket`]: what the managers of a map share: whose turn it is, and the
//!   slots for backfills in progress. Has a lock of its own.
//! - [`run`]: one turn of one manager, on a worker's thread; above the
//!   connection, as the other two are below it.
//!
//! A run has three names: [`Run`](crate::Run) is what a worker is told,
//! [`run::Ran`] how it ended, and [`bucket::Turn`] when the manager wants the
//! next.

pub(crate) mod bucket;
pub(crate) mod manager;
pub(crate) mod run;

use crate::host::{Hosted, Scan};
use crate::live::Token;
use crate::stream::StreamId;
use crate::{SeqnoRange, VbId};
use std::fmt;

/// One backfill. It has no reference to its stream, only its id: whoever
/// holds a backfill asks the connection, under its lock, whether that stream
/// is still there.
pub(crate) struct Backfill {
    pub(crate) stream: StreamId,
    pub(crate) vb: VbId,
    pub(crate) range: SeqnoRange,
    /// The scan, once it was opened.
    pub(crate) scan: Option<Hosted<Box<dyn Scan>>>,
    /// Whether a run of it has ended.
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
