//! The types that the core and its host exchange: plain data, no lock. Their names
//! are DCP's.

use std::fmt;
use std::sync::Arc;

/// A place in the history of a vBucket. Seqnos of one vb only grow; 0 is
/// before the first change.
pub type Seqno = u64;

/// A vBucket: one partition of the bucket's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VbId(pub u16);

impl fmt::Display for VbId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vb:{}", self.0)
    }
}

/// Names a connection in its map; the host chooses it (a socket, a cookie).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

impl fmt::Display for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {}", self.0)
    }
}

/// Asks for the changes of `vb` after `start`, up to and including `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamRequest {
    /// The vBucket to stream.
    pub vb: VbId,
    /// The last seqno that the client has. 0 asks for everything.
    pub start: Seqno,
    /// The last seqno that the client wants; the stream ends with
    /// [`EndStatus::Ok`] behind it. `Seqno::MAX` asks for a stream without end.
    pub end: Seqno,
    /// Chosen by the client; every message of the stream carries it.
    pub opaque: u32,
}

/// The seqnos after `after`, up to and including `upto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeqnoRange {
    /// The last seqno that is not wanted any more.
    pub after: Seqno,
    /// The last seqno that is wanted.
    pub upto: Seqno,
}

impl SeqnoRange {
    /// Whether `seqno` lies in the range.
    pub fn contains(self, seqno: Seqno) -> bool {
        self.after < seqno && seqno <= self.upto
    }
}

/// One change of a vBucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its place in the vb's history.
    pub seqno: Seqno,
    /// What is sent; its length in bytes is what the read-ahead buffer
    /// charges, and 1 when it is empty. Shared: a host that keeps its items in
    /// memory hands the same bytes to each stream.
    pub payload: Arc<[u8]>,
}

impl Item {
    /// The payload's size in bytes.
    pub fn size(&self) -> u64 {
        self.payload.len() as u64
    }

    /// What the read-ahead buffer is charged. Never 0: a history of deletions
    /// alone would be read ahead without any limit.
    pub(crate) fn charge(&self) -> u64 {
        self.size().max(1)
    }
}

/// Why a stream ended (DCP's stream-end statuses).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EndStatus {
    /// The requested end was reached.
    Ok,
    /// The client closed the stream.
    Closed,
    /// The vBucket changed its state.
    StateChanged,
    /// The connection was closed. Never sent: the client is gone.
    Disconnected,
    /// The client was too slow.
    Slow,
    /// The source of the items failed, or broke its contract.
    BackfillFail,
    /// The vBucket's history was rolled back.
    Rollback,
}

/// The end of a stream. Each accepted stream has exactly one, either as a message
/// of [`step`](crate::Producer::step) or in the answer of the disconnect or shutdown
/// that closed its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamEnd {
    /// The vBucket that was streamed.
    pub vb: VbId,
    /// The opaque of the request.
    pub opaque: u32,
    /// Why the stream ended.
    pub status: EndStatus,
}

/// Where the items of a snapshot were read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotSource {
    /// A backfill's scan.
    Disk,
    /// The host's memory.
    Memory,
}

/// A message from a producer to its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The items that follow on this stream belong to one snapshot.
    SnapshotMarker {
        /// The stream's vBucket.
        vb: VbId,
        /// The stream's opaque.
        opaque: u32,
        /// The seqnos of the snapshot.
        range: SeqnoRange,
        /// Where the items are read from.
        source: SnapshotSource,
    },
    /// One change.
    Item {
        /// The stream's vBucket.
        vb: VbId,
        /// The stream's opaque.
        opaque: u32,
        /// The change.
        item: Item,
    },
    /// The stream has ended: this is its last message.
    StreamEnd(StreamEnd),
}

/// The answer of [`Producer::step`](crate::Producer::step).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this, then step again.
    Message(Message),
    /// There is nothing to send, and the connection is *paused* now: its front end
    /// is woken when there is something again.
    Idle,
    /// The connection is closed or displaced: call
    /// [`ConnMap::disconnect`](crate::ConnMap::disconnect).
    Disconnect(CloseReason),
}

/// Why a connection is closed or displaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// A producer of the same name was opened. The streams stay until the
    /// owner disconnects.
    Displaced,
    /// The connection was disconnected.
    Disconnected,
    /// The map was shut down.
    ShutDown,
}

/// The answer of [`Producer::pause`](crate::Producer::pause).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "when something is ready the connection is not paused, and no wake-up will come"]
pub enum Pause {
    /// Paused: the front end will be woken.
    Paused,
    /// Not paused: there is something to send; call `step`.
    Ready,
}

/// The state of a stream. The transitions are in `stream.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StreamState {
    /// The stream is accepted, and no scan was opened for it yet.
    Pending,
    /// A backfill reads the stream's items from disk.
    Backfilling,
    /// The backfill is finished: items are read from the host's memory.
    InMemory,
    /// The stream has ended.
    Dead,
}

/// What one connection holds at this moment, for monitoring and for tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProducerStats {
    /// The live streams, in the order of their vbs.
    pub streams: Vec<(VbId, StreamState)>,
    /// Ends of streams that `step` has not handed out.
    pub ends: usize,
    /// Whether the front end sleeps until it is woken.
    pub paused: bool,
    /// Whether `step` has something to hand out.
    pub ready: bool,
    /// Bytes charged to the read-ahead buffer.
    pub buffered_bytes: u64,
    /// Bytes of the items from disk that `step` has not handed out. Always equal to
    /// `buffered_bytes` (`bytes-balance`).
    pub queued_bytes: u64,
    /// Backfills without a slot: they have not begun.
    pub backfills_pending: usize,
    /// Backfills that hold a slot, queued or running.
    pub backfills_in_progress: usize,
}
