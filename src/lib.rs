//! Connections, streams and background backfills of a server that streams
//! changes, and their teardown.
//!
//! # States
//!
//! | what | states | in |
//! |---|---|---|
//! | the map | open; shut down, for good: nothing can be opened | `map` |
//! | a connection | open, with its streams, manager and front end (displaced: it refuses requests); closed, with nothing | `connection` |
//! | a stream | Pending, Backfilling, InMemory, Dead ([`StreamState`]) | `stream` |
//! | a backfill | pending, which is its stream's wish and has no slot | `connection::streams` |
//! | | running, active, snoozing | `backfill::manager` |
//! | a manager | idle, ready, resting, running | `backfill::bucket` |
//!
//! # Locks
//!
//! A thread that holds a lock takes only locks of higher rank; debug builds
//! and the engines check it at each acquisition.
//!
//! | rank | lock | guards | held for |
//! |--:|---|---|---|
//! | 1 | the map's | connections by id and by name, whether the map is shut down | one connection that is opened, looked up, displaced or closed |
//! | 2 | a connection's, one each | its phase, and all its state while it is open | one request, batch of items, message or end |
//! | 3 | the index's, one for each of 16 shards of vbs | the connections with a stream on each vb | one entry, or sixteen handles; when half of a vb's streams have ended, all its entries |
//! | 4 | the bucket's | the turns of managers, slots for backfills | a few steps of bookkeeping |
//!
//! # Calls
//!
//! The locks that each call takes, and its cost. n is the number of connections, s
//! that of the connection's streams; the growth of vectors is amortised. Except
//! where the table says so, no call blocks on anything but these locks, and none is
//! held for longer than the table above says: no call on one connection waits for
//! the teardown of another. A test counts the locks.
//!
//! | call | map | connection | index | bucket | cost | calls the host |
//! |---|--:|--:|--:|--:|---|---|
//! | [`ConnMap::open`] | 1 | 1 if it displaces | | | O(log n) | |
//! | [`ConnMap::get`] | 1 | | | | O(log n) | |
//! | [`ConnMap::connections`] | 1 a connection | | | | O(log n) a connection | |
//! | [`ConnMap::disconnect`] | 1 | 1 | 1 a stream | 1 | O(log n + s) | |
//! | [`ConnMap::notify`] | | 1 a stream of the vb | 1 for 16 | | O(1), and O(log s) a stream of the vb | |
//! | [`ConnMap::end_streams`] | | 1 a stream of the vb | 1 for 16, 1 a stream | 1 a stream whose backfill had begun | O(1), and O(log s) a stream of the vb | |
//! | [`ConnMap::shutdown`] | 1 a connection | 1 a connection | 1 a stream | 1 a connection | O(log n) a connection, O(1) a stream | |
//! | [`ConnMap::stats`] | 1 | | | 1 | O(1) | |
//! | [`Producer::stream_request`] | | 1 | 1 | 1 if no turn is to come | O(log s) | `memory_used_percent` |
//! | [`Producer::close_stream`] | | 1 | 1 | 1 if its backfill had begun | O(log s) | |
//! | [`Producer::has_stream`] | | 1 | | | O(log s) | |
//! | [`Producer::step`] | | 1 | 1 if a stream ends | 1 if backfills go on | O(1) | `read_memory`, which may block |
//! | [`Producer::pause`], [`Producer::wake`] | | 1 | | | O(1) | |
//! | [`Producer::stats`] | | 1 | | | O(s) and what is queued | |
//! | [`Worker::run`] | | 3, and 1 a batch of items | 1 if the stream fails | 3 | O(log n), and O(1) an item | the source and its scan, which may block, and `wake` |
//! | [`Worker::wait`] | | | | 1 | O(log n) | blocks until there is something to run |
//! | [`Deferred::deliver`] | | | | | | `wake`, and the host's destructors |
//!
//! # Rules
//!
//! The code cites them by number.
//!
//! 1. Check and act under one lock. The closed state is the absence of
//!    everything else, never a flag beside it.
//! 2. Refuse before any side effect.
//! 3. No code of the host runs under a lock, destructors included: its objects are
//!    moved out, and called or dropped when the lock is released.
//! 4. No destructor takes a lock.
//! 5. Locks are taken in the order of their ranks.
//! 6. One owner: the map owns the connections, a connection its streams and its
//!    manager. All others have a weak handle, or a strong one for the length of one
//!    call.
//! 7. A handle or an id that was copied out of a lock may be stale: its holder asks
//!    the connection, under the lock, whether the object is still there.

#![forbid(unsafe_code)]
// Locks, atomics and threads come from `sync` alone; see clippy.toml.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod after;
#[cfg(all(test, not(any(loom, shuttle))))]
mod assertions;
mod backfill;
mod batch;
mod config;
mod connection;
#[cfg(all(test, not(any(loom, shuttle))))]
// Its host is native, and shares nothing with the core.
#[allow(clippy::disallowed_types)]
mod costs;
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

pub use batch::Batch;
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
