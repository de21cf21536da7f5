//! ConnMap: which connections there are, and whether there will be any more.
//!
//! One lock (`Rank::Map`), the first in the order, guards the connections and
//! the map's own end. It is held while a connection is displaced or closed, so
//! that these are one step together with the entry in the map: what a lookup
//! finds is what the calls before it made.
//!
//! To shut down is to change the map's state. Either an open has the lock
//! first, and the shutdown closes what it opened; or the shutdown does, and
//! the open is refused.

use crate::backfill::bucket::Bucket;
use crate::connection::{Connection, Debris, Shared};
use crate::host::{FrontEnd, Hosted, ItemSource};
use crate::live::LiveCounts;
use crate::sync::{Mutex, Rank, Strong};
use crate::wakeups::{Deferred, Wakeups};
use crate::worker::Worker;
use crate::{
    CloseReason, Config, ConnId, EndStatus, NoSuchConnection, OpenError, Producer, Seqno,
    StreamEnd, VbId,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The connections of one bucket. It owns them: when it is dropped, or a
/// connection is disconnected, what belonged to it is gone.
///
/// Put it in an `Arc` to share it. Every method may be called from any thread
/// and from the host's callbacks, and blocks on short critical sections only.
#[derive(Debug)]
pub struct ConnMap {
    state: Mutex<State>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct State {
    shut_down: bool,
    connections: BTreeMap<ConnId, Entry>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    connection: Strong<Connection>,
}

/// A connection that a shutdown closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedConnection {
    /// Which one.
    pub id: ConnId,
    /// Its streams that had not been reported to have ended; those that were
    /// open ended with [`EndStatus::Disconnected`].
    pub ends: Vec<StreamEnd>,
}

/// What a map holds at this moment, for monitoring and for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MapStats {
    /// Connections in the map, closed ones that nobody disconnected included.
    pub connections: usize,
    /// Free slots for backfills in progress.
    pub slots_free: usize,
    /// Places taken in the bucket's queues.
    pub queued: usize,
}

impl ConnMap {
    /// An empty map, whose backfills read from `source`.
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// let map = ConnMap::new(source(), Config { buffer_bytes: 1 << 20, ..Config::default() });
    /// assert_eq!(map.stats().connections, 0);
    /// ```
    pub fn new(source: Arc<dyn ItemSource>, config: Config) -> Self {
        let config = config.clamped();
        let shared = Shared {
            bucket: Bucket::new(config.backfills_per_bucket),
            config: Arc::new(config),
            source: Hosted::new(source),
            live: LiveCounts::new(),
        };
        let state = State { shut_down: false, connections: BTreeMap::new() };
        ConnMap { state: Mutex::new(Rank::Map, state), shared: Arc::new(shared) }
    }

    /// Opens a producer. One of the same name that is open already is
    /// *displaced*: it refuses requests from then on, and its owner is woken
    /// to see [`Step::Disconnect`](crate::Step::Disconnect).
    ///
    /// # Errors
    /// See [`OpenError`]; then nothing was changed, and nobody displaced.
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// # let map = ConnMap::new(source(), Config::default());
    /// let old = map.open(ConnId(1), "replica", front_end()).unwrap().deliver();
    /// let new = map.open(ConnId(2), "replica", front_end()).unwrap().deliver();
    /// assert_eq!(old.step(), Step::Disconnect(CloseReason::Displaced));
    /// let error = map.open(ConnId(2), "other", front_end()).unwrap_err();
    /// assert_eq!(error, OpenError::IdInUse(ConnId(2)));
    /// ```
    pub fn open(
        &self,
        id: ConnId,
        name: &str,
        front_end: Arc<dyn FrontEnd>,
    ) -> Result<Deferred<Producer>, OpenError> {
        let front_end = Hosted::new(front_end);
        let mut wakeups = Wakeups::default();
        let mut state = self.state.lock();
        // The host's front end must not be dropped under the lock, so it is
        // refused before it is moved, and dropped when the guard is gone.
        let refused = if state.shut_down {
            Some(OpenError::MapShutDown)
        } else if state.connections.contains_key(&id) {
            Some(OpenError::IdInUse(id))
        } else {
            None
        };
        if let Some(error) = refused {
            drop(state);
            return Err(error);
        }
        for entry in state.connections.values().filter(|entry| entry.name == name) {
            entry.connection.displace(&mut wakeups);
        }
        let connection = Connection::new(&self.shared, front_end);
        let producer = Producer::new(id, &connection);
        state.connections.insert(id, Entry { name: name.to_owned(), connection });
        Ok(Deferred::new(producer, wakeups))
    }

    /// The producer that is open under `id`, closed ones that nobody
    /// disconnected included.
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// # let map = ConnMap::new(source(), Config::default());
    /// map.open(ConnId(1), "replica", front_end()).unwrap().deliver();
    /// assert!(map.get(ConnId(1)).is_some());
    /// assert!(map.get(ConnId(2)).is_none());
    /// ```
    pub fn get(&self, id: ConnId) -> Option<Producer> {
        let state = self.state.lock();
        state.connections.get(&id).map(|entry| Producer::new(id, &entry.connection))
    }

    /// Closes one connection and takes it out of the map. When this returns,
    /// none of its streams is open and it accepts no other. The answer has the
    /// streams whose end step had not handed out; if the connection was closed
    /// before, whoever closed it has them.
    ///
    /// # Errors
    /// [`NoSuchConnection`]: `id` is not in the map; of two that disconnect at
    /// once, one is told so.
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// # let map = ConnMap::new(source(), Config::default());
    /// let producer = map.open(ConnId(1), "replica", front_end()).unwrap().deliver();
    /// let request = StreamRequest { vb: VbId(0), start: 0, end: 9, opaque: 7 };
    /// producer.stream_request(request).unwrap().deliver();
    /// let ends = map.disconnect(ConnId(1)).unwrap().deliver();
    /// assert_eq!(ends[0].status, EndStatus::Disconnected);
    /// let refused = producer.stream_request(request).unwrap_err();
    /// assert_eq!(refused, RequestError::ConnectionClosed);
    /// ```
    pub fn disconnect(&self, id: ConnId) -> Result<Deferred<Vec<StreamEnd>>, NoSuchConnection> {
        let mut wakeups = Wakeups::default();
        let mut debris = Debris::default();
        let mut state = self.state.lock();
        let entry = state.connections.remove(&id).ok_or(NoSuchConnection(id))?;
        let ends = entry.connection.close(CloseReason::Disconnected, &mut wakeups, &mut debris);
        drop(state);
        drop(entry);
        debris.defer(&mut wakeups);
        Ok(Deferred::new(ends, wakeups))
    }

    /// Tells every producer with a stream on `vb` that items up to `seqno`
    /// can be read. Call it after they can be.
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// # let map = ConnMap::new(source(), Config::default());
    /// map.notify(VbId(0), 12).deliver();
    /// ```
    pub fn notify(&self, vb: VbId, seqno: Seqno) -> Deferred<()> {
        let mut wakeups = Wakeups::default();
        for connection in self.connections() {
            connection.notify(vb, seqno, &mut wakeups);
        }
        Deferred::new((), wakeups)
    }

    /// Ends every stream of `vb` with `status`: the host has changed the vb's
    /// state. The answer says how many. A host that holds its vb state lock
    /// for writing delivers the wake-ups after releasing it.
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// # let map = ConnMap::new(source(), Config::default());
    /// # let producer = map.open(ConnId(1), "replica", front_end()).unwrap().deliver();
    /// let request = StreamRequest { vb: VbId(0), start: 0, end: 9, opaque: 7 };
    /// producer.stream_request(request).unwrap().deliver();
    /// assert_eq!(map.end_streams(VbId(0), EndStatus::StateChanged).deliver(), 1);
    /// ```
    pub fn end_streams(&self, vb: VbId, status: EndStatus) -> Deferred<usize> {
        let mut wakeups = Wakeups::default();
        let ended = self
            .connections()
            .iter()
            .filter(|connection| connection.end_streams_of(vb, status, &mut wakeups))
            .count();
        Deferred::new(ended, wakeups)
    }

    /// Shuts the map down. When this returns, no stream of any connection is
    /// open, none is accepted, no producer can be opened, and workers that
    /// wait for a turn have been told to stop. The connections stay in the
    /// map until their owners disconnect them. A second shutdown, also one at
    /// the same time, returns when this is true, and reports nothing.
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// # let map = ConnMap::new(source(), Config::default());
    /// map.open(ConnId(1), "replica", front_end()).unwrap().deliver();
    /// assert_eq!(map.shutdown().deliver().len(), 1);
    /// let error = map.open(ConnId(2), "other", front_end()).unwrap_err();
    /// assert_eq!(error, OpenError::MapShutDown);
    /// ```
    pub fn shutdown(&self) -> Deferred<Vec<ClosedConnection>> {
        let mut wakeups = Wakeups::default();
        let mut debris = Debris::default();
        let mut closed = Vec::new();
        let mut state = self.state.lock();
        if !std::mem::replace(&mut state.shut_down, true) {
            for (id, entry) in &state.connections {
                let reason = CloseReason::ShutDown;
                let ends = entry.connection.close(reason, &mut wakeups, &mut debris);
                closed.push(ClosedConnection { id: *id, ends });
            }
            self.shared.bucket.stop();
        }
        drop(state);
        debris.defer(&mut wakeups);
        Deferred::new(closed, wakeups)
    }

    /// The entry for a worker's thread; see [`Worker`].
    pub fn worker(&self) -> Worker {
        Worker::new(Arc::clone(&self.shared))
    }

    /// The live objects of this map, readable also after it is gone.
    pub fn live(&self) -> LiveCounts {
        self.shared.live.clone()
    }

    /// What the map holds.
    pub fn stats(&self) -> MapStats {
        let connections = self.state.lock().connections.len();
        let bucket = self.shared.bucket.lock();
        MapStats { connections, slots_free: bucket.slots_free(), queued: bucket.queued() }
    }

    /// The connections of this moment, to be called without the map's lock.
    fn connections(&self) -> Vec<Strong<Connection>> {
        let state = self.state.lock();
        state.connections.values().map(|entry| Strong::clone(&entry.connection)).collect()
    }
}
