//! Producer: the front end's handle to its connection.
//!
//! Owns nothing and guards nothing: a weak handle, upgraded for the length of one
//! call (rule 6). A handle that is kept for ever keeps nothing alive (kv_engine's
//! MB-26470 was a cycle through such a handle).

use crate::after::After;
use crate::connection::Connection;
use crate::sync::{Strong, Weak};
use crate::wakeups::Deferred;
use crate::{
    CloseError, CloseReason, ConnId, Pause, ProducerStats, RequestError, Step, StreamRequest, VbId,
};

/// A connection that sends: what its front end calls.
///
/// Any thread may call any method, also at the same time; kv_engine's front
/// ends call them one after another. Methods may be called from the host's
/// callbacks. Each takes this connection's lock for a short critical section;
/// none takes the map's, or waits for another connection. Two call the host,
/// with no lock held, and take as long as the host does:
/// [`stream_request`](Self::stream_request) asks for
/// [`memory_used_percent`](crate::ItemSource::memory_used_percent), and
/// [`step`](Self::step) may call [`read_memory`](crate::ItemSource::read_memory).
#[derive(Clone, Debug)]
pub struct Producer {
    id: ConnId,
    connection: Weak<Connection>,
}

impl Producer {
    pub(crate) fn new(id: ConnId, connection: &Strong<Connection>) -> Self {
        Producer { id, connection: Strong::downgrade(connection) }
    }

    /// The id under which the connection was opened.
    pub fn id(&self) -> ConnId {
        self.id
    }

    /// Opens a stream. If the answer is `Ok`, the stream exists, its backfill is
    /// scheduled, and its end will be reported exactly once.
    ///
    /// Asks [`ItemSource::memory_used_percent`](crate::ItemSource) before it
    /// takes any lock. The host looks the vb up, tests its state and whether a
    /// rollback is needed, and holds its own vb state lock from then until
    /// this returns (kv_engine's MB-67263); it calls
    /// [`ConnMap::end_streams`](crate::ConnMap::end_streams) under the same
    /// lock.
    ///
    /// Locks: the connection's, and under it one of the index's and then, if the
    /// connection has no turn to come, the bucket's. O(log s) in the
    /// connection's streams.
    ///
    /// # Errors
    /// See [`RequestError`]; a refused request has changed nothing.
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// # let map = ConnMap::new(source(), Config::default());
    /// let producer = map.open(ConnId(1), "replica", front_end()).unwrap().deliver();
    /// let request = StreamRequest { vb: VbId(0), start: 0, end: 9, opaque: 7 };
    /// producer.stream_request(request).unwrap().deliver();
    /// let again = producer.stream_request(request).unwrap_err();
    /// assert_eq!(again, RequestError::StreamExists(VbId(0)));
    /// ```
    pub fn stream_request(&self, request: StreamRequest) -> Result<Deferred<()>, RequestError> {
        let connection = self.connection.upgrade().ok_or(RequestError::ConnectionClosed)?;
        Ok(Deferred::new((), connection.request(request)?))
    }

    /// Ends the stream of `vb` with [`EndStatus::Closed`](crate::EndStatus::Closed); step reports it.
    ///
    /// Locks: the connection's, and under it the bucket's, if the stream's
    /// backfill had begun or was in the line for slots, and then one of the
    /// index's. O(log s) in the connection's streams.
    ///
    /// # Errors
    /// See [`CloseError`]; nothing was changed.
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// # let map = ConnMap::new(source(), Config::default());
    /// # let producer = map.open(ConnId(1), "replica", front_end()).unwrap().deliver();
    /// # let request = StreamRequest { vb: VbId(0), start: 0, end: 9, opaque: 7 };
    /// producer.stream_request(request).unwrap().deliver();
    /// producer.close_stream(VbId(0)).unwrap().deliver();
    /// let end = StreamEnd { vb: VbId(0), opaque: 7, status: EndStatus::Closed };
    /// assert_eq!(producer.step(), Step::Message(Message::StreamEnd(end)));
    /// ```
    pub fn close_stream(&self, vb: VbId) -> Result<Deferred<()>, CloseError> {
        let connection = self.connection.upgrade().ok_or(CloseError::ConnectionClosed)?;
        Ok(Deferred::new((), connection.close_stream(vb)?))
    }

    /// Whether there is a live stream on `vb`. False when the connection is
    /// closed.
    ///
    /// Locks: the connection's. O(log s) in the connection's streams.
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// # let map = ConnMap::new(source(), Config::default());
    /// # let producer = map.open(ConnId(1), "replica", front_end()).unwrap().deliver();
    /// # let request = StreamRequest { vb: VbId(0), start: 0, end: 9, opaque: 7 };
    /// producer.stream_request(request).unwrap().deliver();
    /// assert!(producer.has_stream(VbId(0)));
    /// assert!(!producer.has_stream(VbId(1)));
    /// ```
    pub fn has_stream(&self, vb: VbId) -> bool {
        self.connection.upgrade().is_some_and(|connection| connection.has_stream(vb))
    }

    /// The next message, in turn from each stream that has one.
    ///
    /// After [`Step::Idle`] the connection is paused: the front end is woken when
    /// there is something to send again. May call
    /// [`ItemSource::read_memory`](crate::ItemSource::read_memory), with no
    /// lock held.
    ///
    /// Locks: the connection's, and under it the bucket's when what was sent
    /// lets backfills go on, and one of the index's when a stream ends. O(1);
    /// the end of a stream is O(log s). No allocation for an item.
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// # let map = ConnMap::new(source(), Config::default());
    /// # let producer = map.open(ConnId(1), "replica", front_end()).unwrap().deliver();
    /// assert_eq!(producer.step(), Step::Idle);
    /// map.shutdown().deliver();
    /// assert_eq!(producer.step(), Step::Disconnect(CloseReason::ShutDown));
    /// ```
    pub fn step(&self) -> Step {
        match self.connection.upgrade() {
            Some(connection) => connection.step(),
            None => Step::Disconnect(CloseReason::Disconnected),
        }
    }

    /// For a front end that stops stepping before [`Step::Idle`]: pauses the
    /// connection, unless there is something to send.
    ///
    /// Locks: the connection's. O(1).
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// # let map = ConnMap::new(source(), Config::default());
    /// # let producer = map.open(ConnId(1), "replica", front_end()).unwrap().deliver();
    /// assert_eq!(producer.pause(), Pause::Paused);
    /// map.disconnect(ConnId(1)).unwrap().deliver();
    /// assert_eq!(producer.pause(), Pause::Ready, "there is a disconnect to see");
    /// ```
    pub fn pause(&self) -> Pause {
        self.connection.upgrade().map_or(Pause::Ready, |connection| connection.pause())
    }

    /// Wakes the front end if it is paused, for a reason of the host's own.
    ///
    /// Locks: the connection's. O(1).
    ///
    /// ```
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doc.rs")); }
    /// # use {connmap::*, doc::*};
    /// # let map = ConnMap::new(source(), Config::default());
    /// # let producer = map.open(ConnId(1), "replica", front_end()).unwrap().deliver();
    /// assert_eq!(producer.step(), Step::Idle);
    /// producer.wake().deliver();
    /// assert!(!producer.stats().paused);
    /// ```
    pub fn wake(&self) -> Deferred<()> {
        let mut after = After::default();
        if let Some(connection) = self.connection.upgrade() {
            connection.wake(&mut after);
        }
        Deferred::new((), after)
    }

    /// Statistics of the connection, for monitoring; all zero when it is closed.
    /// Locks: the connection's, for O(streams and queued messages).
    pub fn stats(&self) -> ProducerStats {
        self.connection.upgrade().map(|connection| connection.stats()).unwrap_or_default()
    }
}
