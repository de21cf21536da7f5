//! What there is: plain values, compared by the search to know where it has
//! been.

use crate::scenario::{CallId, Conn};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

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
    /// The time, in snoozes since the beginning.
    pub(super) clock: u64,
    /// The share of its memory that the host uses, in per cent.
    pub(super) memory_used: u64,
    /// Requests that a walk can find, and which are not answered: of this
    /// connection, on this vb.
    pub(super) entered: BTreeSet<(CallId, Place, u64)>,
    /// Which connections walks find on which vb, in this order: that of the
    /// requests. Some of them may be gone.
    pub(super) found: Vec<(Place, u64)>,
    /// What the host was asked.
    pub(super) asked: Asked,
}

/// What the host was asked for, in no order: other calls may ask meanwhile.
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

/// One connection. A closed one has nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Connection {
    pub(super) id: Conn,
    pub(super) name: Conn,
    pub(super) phase: Phase,
    /// Whether the front end sleeps until it is woken.
    pub(super) paused: bool,
    /// How often it was woken.
    pub(super) wakes: u64,
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
    pub(super) state: Reads,
    /// The end of the snapshot that is being scanned.
    pub(super) snapshot: u64,
    /// Everything up to here was read.
    pub(super) read: u64,
    /// The highest seqno that was notified.
    pub(super) notified: u64,
    /// What was read and not sent.
    pub(super) queue: VecDeque<Message>,
}

/// Where a stream reads from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reads {
    /// Nowhere yet: no scan was opened for it.
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
    /// And what the read-ahead buffer is charged for it.
    Item {
        seqno: u64,
        charge: u64,
    },
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
    /// With a slot; to go on.
    pub(super) begun: VecDeque<Backfill>,
    /// With a slot; not to go on before this time.
    pub(super) snoozing: Vec<(u64, Backfill)>,
    /// A worker runs one, and whether it never ran before.
    pub(super) running: Option<bool>,
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
    pub(super) scan: Option<Scan>,
}

/// An open scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scan {
    /// The last seqno that it has given.
    pub(super) at: u64,
    /// The last that it can give.
    pub(super) last: u64,
    /// How many items it has given.
    pub(super) given: u64,
    /// Whether it has said "later".
    pub(super) put_off: bool,
}

/// What the connections share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bucket {
    /// Who gets the next turns.
    pub(super) ready: VecDeque<Place>,
    /// Who gets a turn at which time.
    pub(super) resting: Vec<(u64, Place)>,
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
        (self.state == Reads::Memory && self.read < upto).then_some((self.read, upto))
    }

    pub(super) fn has_something(&self) -> bool {
        !self.queue.is_empty() || self.finished() || self.unread_memory().is_some()
    }

    /// Bytes that are charged to the buffer.
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
    /// Those that have a slot.
    pub(super) fn in_progress(&self) -> usize {
        self.in_queues() + usize::from(self.running.is_some())
    }

    /// Those that have a slot and wait.
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

    /// The stream of this request, while it lives.
    pub(super) fn stream(&mut self, vb: u64, request: CallId) -> Option<&mut Stream> {
        self.streams.get_mut(&vb).filter(|stream| stream.request == request)
    }

    /// A stream that has something to send goes to the end of the ring, once.
    pub(super) fn changed(&mut self, vb: u64) {
        let Some(stream) = self.streams.get(&vb) else { return };
        if stream.has_something() && !self.ring.contains(&vb) {
            self.ring.push_back(vb);
        }
        if !self.ring.is_empty() {
            self.wake();
        }
    }

    /// The front end, if it sleeps, is woken.
    pub(super) fn wake(&mut self) {
        if std::mem::take(&mut self.paused) {
            self.wakes += 1;
        }
    }

    /// Whether step has something to hand out.
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

    /// A new connection, under its id.
    pub(super) fn add(&mut self, id: Conn, name: Conn) {
        self.map.ids.insert(id, self.connections.len());
        self.connections.push(Connection::new(id, name));
    }

    pub(super) fn report(&mut self, end: End) {
        let at = self.reported.partition_point(|other| *other <= end);
        self.reported.insert(at, end);
    }
}
