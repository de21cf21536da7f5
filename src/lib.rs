//! Connections, streams and background backfills of a server that streams
//! changes, and their teardown.

#![forbid(unsafe_code)]
// Locks, atomics and threads come from `sync` alone; see clippy.toml.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod after;
#[cfg(all(test, not(any(loom, shuttle))))]
mod assertions;
mod backfill;
mod config;
mod connection;
mod error;
mod host;
mod index;
mod line;
mod live;
mod map;
mod producer;
mod slab;
mod stream;
#[allow(clippy::disallowed_methods, clippy::disallowed_types)]
mod sync;
mod types;
mod wakeups;
mod worker;

pub use config::{BackfillOrder, Config};
pub use error::{CloseError, NoSuchConnection, OpenError, RequestError};
pub use host::{FrontEnd, ItemSource, Memory, Scan, Scanned, SourceError};
pub use live::{LiveCounts, LiveObjects};
pub use map::{ClosedConnection, ConnMap, MapStats};
pub use producer::Producer;
pub use types::{
    CloseReason, ConnId, EndStatus, Item, Message, Pause, ProducerStats, Seqno, SeqnoRange,
    SnapshotSource, Step, StreamEnd, StreamRequest, StreamState, VbId,
};
pub use wakeups::{Deferred, Wakeups};
pub use worker::{Run, Wait, Worker, WorkerPool};
