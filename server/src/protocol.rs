//! Numbers of the memcached binary protocol as Couchbase speaks it: opcodes,
//! statuses, HELO's features, and how DCP names the core's ends. Owns nothing.
//!
//! Source: kv_engine, `docs/BinaryProtocol.md`, `docs/dcp/documentation`, and
//! the constants of `include/mcbp/protocol`.

use connmap::{CloseError, EndStatus, RequestError};

/// The length of every header, in bytes.
pub const HEADER: usize = 24;
/// The longest key, in bytes.
pub const MAX_KEY: usize = 250;
/// The longest value, in bytes.
pub const MAX_VALUE: usize = 20 << 20;
/// The longest body of a frame, in bytes; a longer one ends the connection.
pub const MAX_BODY: usize = MAX_VALUE + 4096;

/// What a header begins with.
#[allow(missing_docs)]
pub mod magic {
    pub const REQUEST: u8 = 0x80;
    pub const RESPONSE: u8 = 0x81;
    /// A request, or a response, with flexible framing extras.
    pub const FLEX_REQUEST: u8 = 0x08;
    pub const FLEX_RESPONSE: u8 = 0x18;
}

/// What is asked for.
#[allow(missing_docs)]
pub mod opcode {
    pub const GET: u8 = 0x00;
    pub const SET: u8 = 0x01;
    pub const ADD: u8 = 0x02;
    pub const REPLACE: u8 = 0x03;
    pub const DELETE: u8 = 0x04;
    pub const INCREMENT: u8 = 0x05;
    pub const DECREMENT: u8 = 0x06;
    pub const QUIT: u8 = 0x07;
    pub const FLUSH: u8 = 0x08;
    pub const GETQ: u8 = 0x09;
    pub const NOOP: u8 = 0x0a;
    pub const VERSION: u8 = 0x0b;
    pub const GETK: u8 = 0x0c;
    pub const GETKQ: u8 = 0x0d;
    pub const APPEND: u8 = 0x0e;
    pub const PREPEND: u8 = 0x0f;
    pub const STAT: u8 = 0x10;
    pub const SETQ: u8 = 0x11;
    pub const ADDQ: u8 = 0x12;
    pub const REPLACEQ: u8 = 0x13;
    pub const DELETEQ: u8 = 0x14;
    pub const INCREMENTQ: u8 = 0x15;
    pub const DECREMENTQ: u8 = 0x16;
    pub const QUITQ: u8 = 0x17;
    pub const FLUSHQ: u8 = 0x18;
    pub const APPENDQ: u8 = 0x19;
    pub const PREPENDQ: u8 = 0x1a;
    pub const VERBOSITY: u8 = 0x1b;
    pub const TOUCH: u8 = 0x1c;
    pub const GAT: u8 = 0x1d;
    pub const GATQ: u8 = 0x1e;
    pub const HELO: u8 = 0x1f;
    pub const SASL_LIST_MECHS: u8 = 0x20;
    pub const SASL_AUTH: u8 = 0x21;
    pub const SASL_STEP: u8 = 0x22;
    pub const SET_VBUCKET: u8 = 0x3d;
    pub const GET_VBUCKET: u8 = 0x3e;
    pub const DEL_VBUCKET: u8 = 0x3f;
    pub const GET_ALL_VB_SEQNOS: u8 = 0x48;
    pub const DCP_OPEN: u8 = 0x50;
    pub const DCP_ADD_STREAM: u8 = 0x51;
    pub const DCP_CLOSE_STREAM: u8 = 0x52;
    pub const DCP_STREAM_REQ: u8 = 0x53;
    pub const DCP_GET_FAILOVER_LOG: u8 = 0x54;
    pub const DCP_STREAM_END: u8 = 0x55;
    pub const DCP_SNAPSHOT_MARKER: u8 = 0x56;
    pub const DCP_MUTATION: u8 = 0x57;
    pub const DCP_DELETION: u8 = 0x58;
    pub const DCP_NOOP: u8 = 0x5c;
    pub const DCP_BUFFER_ACK: u8 = 0x5d;
    pub const DCP_CONTROL: u8 = 0x5e;
    /// The last of DCP's opcodes.
    pub const DCP_LAST: u8 = 0x67;
    pub const CREATE_BUCKET: u8 = 0x85;
    pub const DELETE_BUCKET: u8 = 0x86;
    pub const LIST_BUCKETS: u8 = 0x87;
    pub const SELECT_BUCKET: u8 = 0x89;
    pub const GET_FAILOVER_LOG: u8 = 0x96;
    pub const COLLECTIONS_SET_MANIFEST: u8 = 0xb9;
    pub const COLLECTIONS_GET_SCOPE_ID: u8 = 0xbc;
    pub const SUBDOC_FIRST: u8 = 0xc5;
    pub const SUBDOC_LAST: u8 = 0xd3;

    /// The opcode that a quiet one stands for, and whether it was quiet: of a
    /// quiet request only what is unexpected is answered.
    pub fn loud(opcode: u8) -> (u8, bool) {
        let loud = match opcode {
            GETQ => GET,
            GETKQ => GETK,
            SETQ..=QUITQ => opcode - SETQ + SET,
            FLUSHQ => FLUSH,
            APPENDQ => APPEND,
            PREPENDQ => PREPEND,
            GATQ => GAT,
            _ => return (opcode, false),
        };
        (loud, true)
    }
}

/// How a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
#[repr(u16)]
pub enum Status {
    Success = 0x00,
    KeyEnoent = 0x01,
    KeyEexists = 0x02,
    E2big = 0x03,
    Einval = 0x04,
    NotStored = 0x05,
    DeltaBadval = 0x06,
    NotMyVbucket = 0x07,
    NoBucket = 0x08,
    DcpStreamNotFound = 0x0a,
    AuthError = 0x20,
    Erange = 0x22,
    Rollback = 0x23,
    Eaccess = 0x24,
    UnknownFrameInfo = 0x80,
    UnknownCommand = 0x81,
    Enomem = 0x82,
    NotSupported = 0x83,
    Einternal = 0x84,
    Etmpfail = 0x86,
    DcpStreamIdInvalid = 0x8d,
}

/// HELO's features that this server agrees to.
#[allow(missing_docs)]
pub mod feature {
    pub const TCP_NODELAY: u16 = 0x03;
    pub const MUTATION_SEQNO: u16 = 0x04;
    pub const XERROR: u16 = 0x07;
    pub const SELECT_BUCKET: u16 = 0x08;
    pub const JSON: u16 = 0x0b;
    pub const ALL: &[u16] = &[TCP_NODELAY, MUTATION_SEQNO, XERROR, SELECT_BUCKET, JSON];
}

/// The datatype bit of a JSON value.
pub const DATATYPE_JSON: u8 = 1;

/// The flags of DCP_OPEN.
#[allow(missing_docs)]
pub mod open_flag {
    pub const PRODUCER: u32 = 0x01;
    pub const XATTR: u32 = 0x04;
    pub const NO_VALUE: u32 = 0x08;
    pub const DELETE_TIMES: u32 = 0x20;
    pub const NO_VALUE_KEEP_DATATYPE: u32 = 0x40;
    pub const DELETED_USER_XATTR: u32 = 0x100;
    pub const SKIP_DELETES: u32 = 0x200;
}

/// The flags of DCP_STREAM_REQ.
#[allow(missing_docs)]
pub mod stream_flag {
    pub const TAKEOVER: u32 = 0x01;
    pub const DISK_ONLY: u32 = 0x02;
    pub const TO_LATEST: u32 = 0x04;
    pub const NO_VALUE: u32 = 0x08;
    pub const ACTIVE_ONLY: u32 = 0x10;
    pub const STRICT_UUID: u32 = 0x20;
    pub const IGNORE_PURGED: u32 = 0x80;
    pub const KNOWN: u32 =
        DISK_ONLY | TO_LATEST | NO_VALUE | ACTIVE_ONLY | STRICT_UUID | IGNORE_PURGED;
}

/// The flag of DCP_STREAM_END.
pub fn end_flag(status: EndStatus) -> u32 {
    match status {
        EndStatus::Ok => 0,
        EndStatus::Closed => 1,
        EndStatus::StateChanged => 2,
        EndStatus::Disconnected => 3,
        EndStatus::Slow => 4,
        EndStatus::BackfillFail => 5,
        EndStatus::Rollback => 6,
    }
}

/// A refused stream request. Of a bucket that was deleted there is none; a
/// connection that was displaced is about to be closed, and says the same.
pub fn request_status(error: RequestError) -> Status {
    match error {
        RequestError::MapShutDown | RequestError::ConnectionClosed => Status::NoBucket,
        RequestError::OutOfRange { .. } => Status::Erange,
        RequestError::StreamExists(_) => Status::KeyEexists,
        RequestError::NoMemory => Status::Enomem,
        _ => Status::Einternal,
    }
}

/// A stream that could not be closed. `new_codes`: the client has asked for
/// the statuses of version 7.
pub fn close_status(error: CloseError, new_codes: bool) -> Status {
    match error {
        CloseError::MapShutDown | CloseError::ConnectionClosed => Status::NoBucket,
        CloseError::NoSuchStream(_) if new_codes => Status::DcpStreamNotFound,
        CloseError::NoSuchStream(_) => Status::KeyEnoent,
        _ => Status::Einternal,
    }
}
