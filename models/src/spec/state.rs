//! What there is: plain values, compared by the search to know where it has
//! been.

use crate::scenario::{CallId, Conn};
use std::collections::{BTreeMap, VecDeque};

/// A connection, by its place in [`World::connections`].
pub(super) type Place = usize;

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct World {
    pub(super) map: Map,
    /// All that were ever opened: who found one keeps it, also when its id is
    /// another's by now.
    pub(super) connections: Vec<Connection>,
    pub(super) bucket: Bucket,
    /// The streams that were reported to have ended, sorted.
    pub(super) reported: Vec<End>,
}

/// Which connection is open under which id, and whether more can be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Map {
    pub(super) state: MapState,
    pub(super) ids: BTreeMap<Conn, Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MapState {
    Open,
    /// A shutdown goes from connection to connection; nobody can open one any more.
    ShuttingDown,
    ShutDown,
}

/// One connection. A closed one has nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Connection {
    pub(super) name: Conn,
    pub(super) phase: Phase,
    /// By vb.
    pub(super) streams: BTreeMap<u64, Stream>,
    /// The vbs whose streams were seen to have something to send, in turn.
    pub(super) ring: VecDeque<u64>,
    /// Streams that ended and were not reported.
    pub(super) ends: VecDeque<End>,
    pub(super) backfills: Backfills,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Open,
    /// Another was opened under its name: it keeps its streams until its owner
    /// disconnects it, and accepts and hands out nothing.
    Displaced,
    /// And why, as step says it.
    Closed(&'static str),
}

/// The stream of a request that ended, and how.
pub(super) type End = (CallId, &'static str);

/// One stream, known by the call that requested it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stream {
    pub(super) request: CallId,
    pub(super) end: u64,
    /// Whether its backfill is through, and it reads from memory.
    pub(super) in_memory: bool,
    /// Everything up to here was read.
    pub(super) read: u64,
    /// The highest seqno that was notified.
    pub(super) notified: u64,
    /// What was read and not sent.
    pub(super) queue: VecDeque<Message>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Message {
    Marker { from: u64, upto: u64, source: Source },
    Item { seqno: u64, source: Source },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Disk,
    Memory,
}

/// The backfills of a connection that are not running, and its read-ahead
/// buffer.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Backfills {
    /// Without a slot.
    pub(super) pending: VecDeque<Backfill>,
    /// With a slot; never ran.
    pub(super) fresh: VecDeque<Backfill>,
    /// With a slot; to go on.
    pub(super) begun: VecDeque<Backfill>,
    /// Bytes of the items from disk that wait in the queues.
    pub(super) bytes: u64,
    /// The limit was reached, and not enough was sent since.
    pub(super) full: bool,
}

/// What reads a stream's past.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Backfill {
    pub(super) request: CallId,
    pub(super) vb: u64,
    /// The seqnos after the first, up to the second.
    pub(super) range: (u64, u64),
    /// The next seqno and the last, once the scan is open.
    pub(super) scan: Option<(u64, u64)>,
}

/// What the connections share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bucket {
    /// Who gets the next turns.
    pub(super) ready: VecDeque<Place>,
    /// Who has a worker at this moment.
    pub(super) running: Vec<Place>,
    /// Who waits for a slot, in line.
    pub(super) waiting: VecDeque<Place>,
    pub(super) slots: u64,
}

impl Stream {
    /// Everything that was asked for has been sent.
    pub(super) fn finished(&self) -> bool {
        self.queue.is_empty() && self.read >= self.end
    }

    /// What can be read from memory: the seqnos after the first, up to the second.
    pub(super) fn unread_memory(&self) -> Option<(u64, u64)> {
        let upto = self.notified.min(self.end);
        (self.in_memory && self.read < upto).then_some((self.read, upto))
    }

    pub(super) fn has_something(&self) -> bool {
        !self.queue.is_empty() || self.finished() || self.unread_memory().is_some()
    }

    /// Bytes that are charged to the buffer.
    pub(super) fn bytes(&self) -> u64 {
        let disk =
            |message: &&Message| matches!(message, Message::Item { source: Source::Disk, .. });
        self.queue.iter().filter(disk).count() as u64
    }
}

impl Connection {
    pub(super) fn new(name: Conn) -> Self {
        Connection {
            name,
            phase: Phase::Open,
            streams: BTreeMap::new(),
            ring: VecDeque::new(),
            ends: VecDeque::new(),
            backfills: Backfills::default(),
        }
    }

    /// The stream of this request, while it lives.
    pub(super) fn stream(&mut self, vb: u64, request: CallId) -> Option<&mut Stream> {
        self.streams.get_mut(&vb).filter(|stream| stream.request == request)
    }

    /// A stream that has something to send goes to the end of the ring, once.
    pub(super) fn changed(&mut self, vb: u64) {
        let ready = self.streams.get(&vb).is_some_and(Stream::has_something);
        if ready && !self.ring.contains(&vb) {
            self.ring.push_back(vb);
        }
    }
}

impl World {
    pub(super) fn new(slots: u64) -> Self {
        World {
            map: Map { state: MapState::Open, ids: BTreeMap::new() },
            connections: Vec::new(),
            bucket: Bucket {
                ready: VecDeque::new(),
                running: Vec::new(),
                waiting: VecDeque::new(),
                slots,
            },
            reported: Vec::new(),
        }
    }

    /// A new connection, under its id.
    pub(super) fn add(&mut self, id: Conn, name: Conn) {
        self.map.ids.insert(id, self.connections.len());
        self.connections.push(Connection::new(name));
    }

    pub(super) fn report(&mut self, end: End) {
        let at = self.reported.partition_point(|other| *other <= end);
        self.reported.insert(at, end);
    }
}
