//! The state of the specification: plain values, which the search compares to
//! recognise a state that it has visited.

use crate::scenario::{CallId, Conn};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A connection, by its place in [`World::connections`].
pub(super) type Place = usize;

/// The whole state: the map, its connections, what they share, and the host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct World {
    pub(super) map: Map,
    /// All connections that were ever opened: a handle stays that of its
    /// connection, also when another has the id by now.
    pub(super) connections: Vec<Connection>,
    pub(super) bucket: Bucket,
    /// The streams that were reported to have ended, sorted.
    pub(super) reported: Vec<End>,
    /// The time, in snoozes since the beginning.
    pub(super) clock: u64,
    /// The share of its memory that the host uses, in per cent.
    pub(super) memory_used: u64,
    /// Requests that a walk can find, and which are not answered yet, with their
    /// connection and vb.
    pub(super) entered: BTreeSet<(CallId, Place, u64)>,
    /// The connections that walks find on each vb, in the order of the requests.
    /// Some of these connections may be closed by now.
    pub(super) found: Vec<(Place, u64)>,
    /// What the host was asked.
    pub(super) asked: Asked,
}

/// What the host was asked for, sorted: the order in which calls at the same
/// time ask is not predicted.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    /// The scans that were opened: of which vb, after and up to which seqno.
    pub(super) scans: Vec<(u64, u64, u64)>,
    /// The same, read from memory.
    pub(super) memory: Vec<(u64, u64, u64)>,
    /// Calls of `next` on any scan.
    pub(super) items: u64,
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

/// One connection. A closed one has no streams, ends or backfills.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Connection {
    pub(super) id: Conn,
    pub(super) name: Conn,
    pub(super) phase: Phase,
    /// Whether the front end sleeps until it is woken.
    pub(super) paused: bool,
    /// How often it was woken.
    pub(super) wakes: u64,
    /// The live streams, by vb.
    pub(super) streams: BTreeMap<u64, Stream>,
    /// The vbs whose streams may have something to send; `step` takes the first.
    pub(super) ring: VecDeque<u64>,
    /// The ends of streams that `step` has not handed out yet.
    pub(super) ends: VecDeque<End>,
    pub(super) backfills: Backfills,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Open,
    /// Another connection was opened under the name of this one, which keeps its
    /// streams until its owner disconnects it, but accepts and hands out nothing.
    Displaced,
    /// Closed, for this reason (in the words of `step`).
    Closed(&'static str),
}

/// The request of a stream that ended, and the stream's status.
pub(super) type End = (CallId, &'static str);

/// One stream, known by the call that requested it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stream {
    pub(super) request: CallId,
    pub(super) end: u64,
    pub(super) state: Reads,
    /// The end of the snapshot that is being scanned.
    pub(super) snapshot: u64,
    /// Every item up to this seqno was read.
    pub(super) read: u64,
    /// The highest seqno that was notified.
    pub(super) notified: u64,
    /// The messages that were read and not sent yet.
    pub(super) queue: VecDeque<Message>,
}

/// Where a stream reads from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reads {
    /// From neither yet: no scan was opened for the stream.
    Pending,
    Disk,
    Memory,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Message {
    Marker {
        from: u64,
        upto: u64,
        source: Source,
    },
    Item {
        seqno: u64,
        /// Bytes that the read-ahead buffer is charged for the item.
        charge: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Disk,
    Memory,
}

/// The backfills of a connection, and its read-ahead buffer.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Backfills {
    /// Those without a slot.
    pub(super) pending: VecDeque<Backfill>,
    /// Those with a slot that ran and go on.
    pub(super) begun: VecDeque<Backfill>,
    /// Those with a slot that go on at this time at the earliest.
    pub(super) snoozing: Vec<(u64, Backfill)>,
    /// Whether a worker runs a backfill, and then whether that is its first run.
    pub(super) running: Option<bool>,
    /// Bytes that the buffer is charged: of the items from disk in the queues.
    pub(super) bytes: u64,
    /// Whether the buffer's limit was reached, and not enough was sent since.
    pub(super) full: bool,
}

/// The backfill of a stream, which reads from disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Backfill {
    pub(super) request: CallId,
    pub(super) vb: u64,
    /// The seqnos after the first, up to the second.
    pub(super) range: (u64, u64),
    pub(super) scan: Option<Scan>,
}

/// An open scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scan {
    /// The seqno of the last item that was read.
    pub(super) at: u64,
    /// The last seqno that can be read.
    pub(super) last: u64,
    /// How many items were read.
    pub(super) given: u64,
    /// Whether the scan has said "later".
    pub(super) put_off: bool,
}

/// What the connections share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bucket {
    /// The connections that get the next turns, in this order.
    pub(super) ready: VecDeque<Place>,
    /// The connections that get a turn at this time.
    pub(super) resting: Vec<(u64, Place)>,
    /// The connections whose turn a worker has.
    pub(super) running: Vec<Place>,
    /// The connections that wait for a slot, first come first served.
    pub(super) waiting: VecDeque<Place>,
    /// Free slots.
    pub(super) slots: u64,
}

impl Stream {
    /// Whether every item that was requested has been sent.
    pub(super) fn finished(&self) -> bool {
        self.queue.is_empty() && self.read >= self.end
    }

    /// What `step` would read from memory: the seqnos after the first, up to the
    /// second.
    pub(super) fn unread_memory(&self) -> Option<(u64, u64)> {
        let upto = self.notified.min(self.end);
        (self.state == Reads::Memory && self.read < upto).then_some((self.read, upto))
    }

    pub(super) fn has_something(&self) -> bool {
        !self.queue.is_empty() || self.finished() || self.unread_memory().is_some()
    }

    /// Bytes that the buffer is charged for the queue.
    pub(super) fn bytes(&self) -> u64 {
        self.queue.iter().map(Message::charge).sum()
    }
}

impl Message {
    pub(super) fn charge(&self) -> u64 {
        match self {
            Message::Item { charge, .. } => *charge,
            Message::Marker { .. } => 0,
        }
    }
}

impl Backfills {
    /// How many backfills have a slot.
    pub(super) fn in_progress(&self) -> usize {
        self.in_queues() + usize::from(self.running.is_some())
    }

    /// How many backfills have a slot and are not running.
    pub(super) fn in_queues(&self) -> usize {
        self.begun.len() + self.snoozing.len()
    }
}

impl Connection {
    pub(super) fn new(id: Conn, name: Conn) -> Self {
        Connection {
            id,
            name,
            phase: Phase::Open,
            paused: false,
            wakes: 0,
            streams: BTreeMap::new(),
            ring: VecDeque::new(),
            ends: VecDeque::new(),
            backfills: Backfills::default(),
        }
    }

    /// The stream of this request, if it is alive.
    pub(super) fn stream(&mut self, vb: u64, request: CallId) -> Option<&mut Stream> {
        self.streams.get_mut(&vb).filter(|stream| stream.request == request)
    }

    /// Puts a stream that has something to send at the end of the ring, unless it
    /// is in the ring, and wakes the front end if the ring is not empty.
    pub(super) fn changed(&mut self, vb: u64) {
        let Some(stream) = self.streams.get(&vb) else { return };
        if stream.has_something() && !self.ring.contains(&vb) {
            self.ring.push_back(vb);
        }
        if !self.ring.is_empty() {
            self.wake();
        }
    }

    /// Wakes the front end if it sleeps.
    pub(super) fn wake(&mut self) {
        if std::mem::take(&mut self.paused) {
            self.wakes += 1;
        }
    }

    /// Whether `step` has something to hand out.
    pub(super) fn ready(&self) -> bool {
        self.phase == Phase::Displaced || !self.ends.is_empty() || !self.ring.is_empty()
    }

    pub(super) fn closed(&self) -> bool {
        matches!(self.phase, Phase::Closed(_))
    }
}

impl World {
    pub(super) fn new(slots: u64, memory_used: u64) -> Self {
        World {
            map: Map { state: MapState::Open, ids: BTreeMap::new() },
            connections: Vec::new(),
            bucket: Bucket {
                ready: VecDeque::new(),
                resting: Vec::new(),
                running: Vec::new(),
                waiting: VecDeque::new(),
                slots,
            },
            reported: Vec::new(),
            clock: 0,
            memory_used,
            entered: BTreeSet::new(),
            found: Vec::new(),
            asked: Asked::default(),
        }
    }

    /// Opens a connection.
    pub(super) fn add(&mut self, id: Conn, name: Conn) {
        self.map.ids.insert(id, self.connections.len());
        self.connections.push(Connection::new(id, name));
    }

    pub(super) fn report(&mut self, end: End) {
        let at = self.reported.partition_point(|other| *other <= end);
        self.reported.insert(at, end);
    }
}
