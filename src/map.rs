//! ConnMap: the connections of a bucket, by id and by name, and its shutdown.
//!
//! One lock (`Rank::Map`), the first in the order, guards the connections,
//! their names and whether the map is shut down. It is held while one
//! connection is displaced or closed, so that this is one step together with
//! the change of the map (rule 1). To close a connection is to move everything
//! out of it, in O(log n); its streams are ended outside of the lock.
//!
//! A shutdown changes the map's state first. Either an open has the lock
//! first, and the shutdown closes the new connection; or the shutdown does, and
//! the open is refused. The connections are then closed one by one, in a
//! critical section each: none is opened any more, and one that is disconnected
//! meanwhile is closed by that disconnect.
//!
//! A name belongs to the connection that was opened last under it. Of two opens
//! under one name, the one that has the lock later displaces the other's
//! connection. Of an open and the disconnect of the name's holder, either the
//! open has the lock first, and the disconnect finds that the name has another
//! holder; or the disconnect does, and the name is free.

use crate::after::After;
use crate::backfill::bucket::Bucket;
use crate::connection::{Connection, Shared};
use crate::host::{FrontEnd, Hosted, ItemSource};
use crate::index::Index;
use crate::live::LiveCounts;
use crate::sync::{Mutex, Rank, Strong};
use crate::wakeups::Deferred;
use crate::worker::Worker;
use crate::{
    CloseReason, Config, ConnId, EndStatus, NoSuchConnection, OpenError, Producer, Seqno,
    StreamEnd, VbId,
};
use std::collections::BTreeMap;
#[allow(clippy::disallowed_types)]
use std::collections::HashMap;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

/// The connections of one bucket. The map owns them (rule 6): a connection that
/// is disconnected, or whose map is dropped, is gone with all that it has.
///
/// Put the map in an `Arc` to share it. Every method may be called from any
/// thread and from the host's callbacks, and blocks on short critical sections
/// only.
#[derive(Debug)]
pub struct ConnMap {
    state: Mutex<State>,
    shared: Arc<Shared>,
}

struct State {
    shut_down: bool,
    connections: BTreeMap<ConnId, Entry>,
    /// For each name the connection that was opened last under it, if that is
    /// still in the map. Names come from clients, so the hasher is std's, which
    /// has a secret; its order differs from run to run, and nothing iterates
    /// over it.
    #[allow(clippy::disallowed_types)]
    names: HashMap<Arc<str>, ConnId>,
}

#[derive(Debug)]
struct Entry {
    name: Arc<str>,
    connection: Strong<Connection>,
}

/// A connection that a shutdown closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedConnection {
    /// The connection.
    pub id: ConnId,
    /// The ends that `step` had not handed out, and then those of the streams
    /// that the shutdown has ended, with [`EndStatus::Disconnected`].
    pub ends: Vec<StreamEnd>,
}

/// What a map holds at this moment, for monitoring and for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MapStats {
    /// Connections in the map, closed ones that nobody disconnected included.
    pub connections: usize,
    /// Free slots for backfills in progress.
    pub slots_free: usize,
    /// Places taken in the bucket's queues.
    pub queued: usize,
}

impl ConnMap {
    /// An empty map, whose backfills read from `source`. O(1); takes no lock.
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
            index: Index::new(),
            config: Arc::new(config),
            source: Hosted::new(source),
            live: LiveCounts::new(),
        };
        let state =
            State { shut_down: false, connections: BTreeMap::new(), names: Default::default() };
        ConnMap { state: Mutex::new(Rank::Map, state), shared: Arc::new(shared) }
    }

    /// Opens a producer. A connection that is open under the same name is
    /// *displaced*: it refuses requests from then on, and its front end is woken
    /// to see [`Step::Disconnect`](crate::Step::Disconnect).
    ///
    /// Locks: the map's, and under it that of the connection which is
    /// displaced. O(log n) in the connections.
    ///
    /// # Errors
    /// See [`OpenError`]; a refused open has changed and displaced nothing.
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
        let mut after = After::default();
        let mut guard = self.state.lock();
        let state = &mut *guard;
        // By rule 3 the front end must not be dropped under the lock: a refusal
        // comes before it is moved, and it is dropped after the guard.
        let refused = if state.shut_down {
            Some(OpenError::MapShutDown)
        } else if state.connections.contains_key(&id) {
            Some(OpenError::IdInUse(id))
        } else {
            None
        };
        if let Some(error) = refused {
            drop(guard);
            return Err(error);
        }
        let name: Arc<str> = Arc::from(name);
        let holder = state.names.insert(Arc::clone(&name), id);
        if let Some(entry) = holder.and_then(|holder| state.connections.get(&holder)) {
            entry.connection.displace(&mut after);
        }
        let connection = Connection::new(&self.shared, front_end);
        let producer = Producer::new(id, &connection);
        state.connections.insert(id, Entry { name, connection });
        drop(guard);
        Ok(Deferred::new(producer, after))
    }

    /// The producer that is open under `id`, closed ones that nobody
    /// disconnected included.
    ///
    /// Locks: the map's. O(log n) in the connections.
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

    /// Each connection with its name, in the order of their ids, closed ones
    /// that nobody disconnected included: for monitoring.
    ///
    /// This is no snapshot: a connection that is opened or disconnected meanwhile
    /// may be among them or not. Locks: the map's, once for each connection, for
    /// O(log n).
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// # let map = ConnMap::new(source(), Config::default());
    /// map.open(ConnId(1), "replica", front_end()).unwrap().deliver();
    /// let (producer, name) = map.connections().next().unwrap();
    /// assert_eq!((producer.id(), &*name), (ConnId(1), "replica"));
    /// ```
    pub fn connections(&self) -> impl Iterator<Item = (Producer, Arc<str>)> + '_ {
        let mut from = Bound::Unbounded;
        std::iter::from_fn(move || {
            let state = self.state.lock();
            let (id, entry) = state.connections.range((from, Bound::Unbounded)).next()?;
            from = Bound::Excluded(*id);
            Some((Producer::new(*id, &entry.connection), Arc::clone(&entry.name)))
        })
    }

    /// Closes one connection and takes it out of the map. When this returns,
    /// none of its streams is open and it accepts no other. The answer has the
    /// ends of the streams that `step` had not handed out; if the connection was
    /// closed before, the answer of the call that closed it has them.
    ///
    /// Locks: the map's, and under it the connection's and the bucket's, while
    /// everything is moved out of the connection, in O(log n) in the
    /// connections; then one of the index's for each stream, which is ended
    /// under no other lock.
    ///
    /// # Errors
    /// [`NoSuchConnection`]: `id` is not in the map. Of two disconnects at the
    /// same time one has this error.
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
        let mut after = After::default();
        let mut state = self.state.lock();
        let entry = state.remove(id).ok_or(NoSuchConnection(id))?;
        let remains = entry.connection.close(CloseReason::Disconnected);
        drop(state);
        let ends = remains.map(|remains| remains.end(&self.shared, &mut after));
        drop(entry);
        Ok(Deferred::new(ends.unwrap_or_default(), after))
    }

    /// Tells every producer with a stream on `vb` that items up to `seqno`
    /// can be read. Call it after they can be.
    ///
    /// Locks: one of the index's, once for sixteen streams of the vb, and then
    /// each such stream's connection's. O(1), and O(log s) for each stream of
    /// this vb, in the streams of its connection; no allocation unless a front
    /// end is to be woken.
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// # let map = ConnMap::new(source(), Config::default());
    /// map.notify(VbId(0), 12).deliver();
    /// ```
    pub fn notify(&self, vb: VbId, seqno: Seqno) -> Deferred<()> {
        let mut after = After::default();
        self.shared.index.visit(vb, |connection| connection.notify(vb, seqno, &mut after));
        Deferred::new((), after)
    }

    /// Ends every stream of `vb` with `status`: the host has changed the vb's
    /// state. The answer says how many. A host that holds its vb state lock
    /// for writing delivers the wake-ups after releasing it.
    ///
    /// Locks: as [`Self::notify`], and under each connection's one of the
    /// index's and the bucket's. O(1), and O(log s) for each stream of this vb.
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
        let mut after = After::default();
        let mut ended = 0;
        self.shared.index.visit(vb, |connection| {
            ended += usize::from(connection.end_stream_of(vb, status, &mut after));
        });
        Deferred::new(ended, after)
    }

    /// Shuts the map down. When this returns, no stream of any connection is
    /// open, none is accepted, no producer can be opened, and workers that
    /// wait for a turn have been told to stop. The connections stay in the
    /// map until their owners disconnect them. The answer has the connections
    /// that this call closed. A later shutdown reports nothing; one at the same
    /// time closes what it finds open, reports that, and returns when all of
    /// the above is true.
    ///
    /// From the beginning of this call on no connection can be opened; then one
    /// connection after another is closed, in the order of their ids, and
    /// accepts requests until then. A connection that is closed can be
    /// disconnected without a wait for the others.
    ///
    /// Locks: for each connection the map's, and under it the connection's and
    /// the bucket's, for O(log n); then one of the index's for each stream, and
    /// no other lock, while the streams are ended, in O(1) each.
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
        let mut after = After::default();
        let mut closed = Vec::new();
        let mut from = Bound::Unbounded;
        loop {
            let mut state = self.state.lock();
            state.shut_down = true;
            let next = state.connections.range((from, Bound::Unbounded)).next();
            let Some((id, entry)) = next else { break };
            let (id, remains) = (*id, entry.connection.close(CloseReason::ShutDown));
            drop(state);
            if let Some(remains) = remains {
                closed.push(ClosedConnection { id, ends: remains.end(&self.shared, &mut after) });
            }
            from = Bound::Excluded(id);
        }
        self.shared.bucket.stop();
        Deferred::new(closed, after)
    }

    /// The entry for a worker's thread; see [`Worker`]. O(1); takes no lock.
    pub fn worker(&self) -> Worker {
        Worker::new(Arc::clone(&self.shared))
    }

    /// The counts of this map's live objects, also for the time when the map is
    /// gone. O(1); takes no lock.
    pub fn live(&self) -> LiveCounts {
        self.shared.live.clone()
    }

    /// What the map holds. Locks: the map's, and then the bucket's. O(1).
    pub fn stats(&self) -> MapStats {
        let connections = self.state.lock().connections.len();
        let bucket = self.shared.bucket.lock();
        MapStats { connections, slots_free: bucket.slots_free(), queued: bucket.queued() }
    }
}

impl State {
    /// Takes a connection out, and its name, unless the name has another holder.
    fn remove(&mut self, id: ConnId) -> Option<Entry> {
        let entry = self.connections.remove(&id)?;
        if self.names.get(&entry.name) == Some(&id) {
            self.names.remove(&entry.name);
        }
        Some(entry)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("shut_down", &self.shut_down)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use crate::{Batch, Item, Memory, Run, Scan, Scanned, SeqnoRange, SourceError, StreamRequest};
    use std::sync::Weak;
    use std::time::Instant;

    /// Each of its scans disconnects connection 1 before it ends.
    struct Disconnects(Weak<ConnMap>);

    struct EmptyScan(Weak<ConnMap>);

    impl ItemSource for Disconnects {
        fn open_scan(&self, _: VbId, _: SeqnoRange) -> Result<Box<dyn Scan>, SourceError> {
            Ok(Box::new(EmptyScan(Weak::clone(&self.0))))
        }
        fn read_memory(&self, _: VbId, _: SeqnoRange) -> Result<Memory, SourceError> {
            Ok(Memory::Items(Vec::<Item>::new()))
        }
    }

    impl Scan for EmptyScan {
        fn snapshot_end(&self) -> Seqno {
            0
        }
        fn read(&mut self, _: &mut Batch) -> Result<Scanned, SourceError> {
            let map = self.0.upgrade().ok_or("no map")?;
            map.disconnect(ConnId(1))?.deliver();
            Ok(Scanned::End)
        }
    }

    struct Nobody;

    impl FrontEnd for Nobody {
        fn wake(&self) {}
    }

    fn opened(map: &ConnMap) -> Producer {
        let producer = map.open(ConnId(1), "one", Arc::new(Nobody)).unwrap().deliver();
        let request = StreamRequest { vb: VbId(0), start: 0, end: 9, opaque: 0 };
        producer.stream_request(request).unwrap().deliver();
        producer
    }

    #[test]
    fn a_host_that_does_not_say_so_has_memory() {
        assert_eq!(Disconnects(Weak::new()).memory_used_percent(), 0);
    }

    /// A unit test, for no caller can observe a seat: one that stays is memory, a
    /// little for each connection that was ever opened.
    #[test]
    fn a_closed_connection_leaves_its_seat_also_while_it_runs() {
        let map = Arc::new_cyclic(|map| {
            ConnMap::new(Arc::new(Disconnects(Weak::clone(map))), Config::default())
        });
        let seats = || map.shared.bucket.seats();
        let _idle = opened(&map);
        assert_eq!(seats(), 1);
        map.disconnect(ConnId(1)).unwrap().deliver();
        assert_eq!(seats(), 0, "of one that did not run");
        let _runs = opened(&map);
        assert_eq!(map.worker().run(Instant::now()), Run::Ran);
        assert!(map.get(ConnId(1)).is_none(), "the scan has disconnected it");
        assert_eq!(seats(), 0, "of one that ran");
    }
}
