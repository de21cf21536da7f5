//! The words that cross the border between the core and its host: plain data,
//! no lock. Their names are DCP's.

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
pub enum EndStatus {
    /// The requested end was reached.
    Ok,
    /// The client closed the stream.
    Closed,
    /// The vBucket changed its state.
    StateChanged,
    /// The connection ended. Never put on the wire: there is no one to read it.
    Disconnected,
    /// The client was too slow.
    Slow,
    /// The source of the items failed, or broke its contract.
    BackfillFail,
    /// The vBucket's history was rolled back.
    Rollback,
}

/// A stream that ended: which one, and why. Each accepted stream is reported
/// by exactly one of these, either as a message of
/// [`step`](crate::Producer::step) or in the answer of the disconnect or
/// shutdown that closed its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamEnd {
    /// The vBucket that was streamed.
    pub vb: VbId,
    /// The opaque of the request.
    pub opaque: u32,
    /// Why it ended.
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

/// What a producer sends to its client.
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
        /// Where they were read.
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
    /// The stream has ended; nothing more of it follows.
    StreamEnd(StreamEnd),
}

/// The answer of [`Producer::step`](crate::Producer::step).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this, then step again.
    Message(Message),
    /// Nothing to send, and the connection is *paused* by that: its front end
    /// is woken when there is something again.
    Idle,
    /// The connection is over: call [`ConnMap::disconnect`](crate::ConnMap::disconnect).
    Disconnect(CloseReason),
}

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloseReason {
    /// A producer of the same name was opened. The streams stay until the
    /// owner disconnects.
    Displaced,
    /// It was disconnected.
    Disconnected,
    /// The map was shut down.
    ShutDown,
}

/// The answer of [`Producer::pause`](crate::Producer::pause).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "when something is ready the connection was not paused, and no wake will come"]
pub enum Pause {
    /// Paused: the front end will be woken.
    Paused,
    /// Not paused: there is something to send, so go on stepping.
    Ready,
}

/// The state of a stream. Its transitions are in `stream.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamState {
    /// Accepted; its backfill has not opened its scan yet.
    Pending,
    /// Its backfill is under way.
    Backfilling,
    /// It has caught up with the scan and reads from the host's memory.
    InMemory,
    /// It has ended.
    Dead,
}

/// What one connection holds at this moment, for monitoring and for tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProducerStats {
    /// Its live streams, by vb.
    pub streams: Vec<(VbId, StreamState)>,
    /// Stream ends that step has yet to hand out.
    pub ends: usize,
    /// Whether it waits for a wake.
    pub paused: bool,
    /// Whether step has something to hand out.
    pub ready: bool,
    /// Bytes charged to the read-ahead buffer.
    pub buffered_bytes: u64,
    /// Bytes of the backfilled items that wait for step. Equal to
    /// `buffered_bytes` at every moment (`bytes-balance`).
    pub queued_bytes: u64,
    /// Backfills without a slot: they have not begun.
    pub backfills_pending: usize,
    /// Backfills that hold a slot, queued or running.
    pub backfills_in_progress: usize,
}
