//! Refusals. Each says which level refused, and each comes before any side effect
//! (rule 2): a refused request has created, scheduled and charged nothing.

use crate::{ConnId, Seqno, VbId};
use std::error::Error;
use std::fmt;

/// Why [`ConnMap::open`](crate::ConnMap::open) refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// The map is shut down, for good: do not try again.
    MapShutDown,
    /// A connection with this id is in the map: disconnect it first.
    IdInUse(ConnId),
}

/// Why a [`StreamRequest`](crate::StreamRequest) was refused. The variants are in
/// the order of the checks, which is kv_engine's. (Whether the vb exists, its state
/// and a rollback are checked by the host, before it calls.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// The map is shut down, and this connection with it.
    MapShutDown,
    /// The connection was disconnected, or a producer of the same name
    /// displaced it.
    ConnectionClosed,
    /// `start` is greater than `end`.
    OutOfRange {
        /// The request's start.
        start: Seqno,
        /// The request's end.
        end: Seqno,
    },
    /// The connection has a live stream on this vb: close that one first.
    StreamExists(VbId),
    /// The host's memory is above the backfill threshold: try again later.
    NoMemory,
}

/// Why [`Producer::close_stream`](crate::Producer::close_stream) did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseError {
    /// The map is shut down; every stream has ended.
    MapShutDown,
    /// The connection was disconnected; every stream has ended.
    ConnectionClosed,
    /// There is no live stream on this vb.
    NoSuchStream(VbId),
}

/// [`ConnMap::disconnect`](crate::ConnMap::disconnect) found no connection
/// with this id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchConnection(pub ConnId);

const SHUT_DOWN: &str = "the map is shut down";
const CLOSED: &str = "the connection is closed";

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::MapShutDown => f.write_str(SHUT_DOWN),
            OpenError::IdInUse(id) => write!(f, "{id} is open already; disconnect it first"),
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestError::MapShutDown => f.write_str(SHUT_DOWN),
            RequestError::ConnectionClosed => f.write_str(CLOSED),
            RequestError::OutOfRange { start, end } => {
                write!(f, "the start seqno {start} is greater than the end seqno {end}")
            }
            RequestError::StreamExists(vb) => {
                write!(f, "the connection has a stream on {vb}; close it first")
            }
            RequestError::NoMemory => {
                f.write_str("memory is above the backfill threshold; try again later")
            }
        }
    }
}

impl fmt::Display for CloseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CloseError::MapShutDown => f.write_str(SHUT_DOWN),
            CloseError::ConnectionClosed => f.write_str(CLOSED),
            CloseError::NoSuchStream(vb) => write!(f, "there is no stream on {vb}"),
        }
    }
}

impl fmt::Display for NoSuchConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not in the map", self.0)
    }
}

impl Error for OpenError {}
impl Error for RequestError {}
impl Error for CloseError {}
impl Error for NoSuchConnection {}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_is_in_the_way() {
        let (id, vb) = (ConnId(7), VbId(3));
        let refusals: [(&dyn Error, &str); 10] = [
            (&OpenError::MapShutDown, "the map is shut down"),
            (&OpenError::IdInUse(id), "connection 7 is open already; disconnect it first"),
            (&RequestError::MapShutDown, "the map is shut down"),
            (&RequestError::ConnectionClosed, "the connection is closed"),
            (
                &RequestError::OutOfRange { start: 5, end: 4 },
                "the start seqno 5 is greater than the end seqno 4",
            ),
            (
                &RequestError::StreamExists(vb),
                "the connection has a stream on vb:3; close it first",
            ),
            (&RequestError::NoMemory, "memory is above the backfill threshold; try again later"),
            (&CloseError::ConnectionClosed, "the connection is closed"),
            (&CloseError::NoSuchStream(vb), "there is no stream on vb:3"),
            (&NoSuchConnection(id), "connection 7 is not in the map"),
        ];
        for (refusal, says) in refusals {
            assert_eq!(refusal.to_string(), says);
        }
    }
}
