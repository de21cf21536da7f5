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

/// Declares constants of one type, many on a line.
macro_rules! codes {
    ($type:ty: $($name:ident = $value:expr;)*) => { $(pub const $name: $type = $value;)* };
}

/// What is asked for.
#[allow(missing_docs)]
pub mod opcode {
    codes! { u8:
        GET = 0x00; SET = 0x01; ADD = 0x02; REPLACE = 0x03; DELETE = 0x04; INCREMENT = 0x05;
        DECREMENT = 0x06; QUIT = 0x07; FLUSH = 0x08; GETQ = 0x09; NOOP = 0x0a; VERSION = 0x0b;
        GETK = 0x0c; GETKQ = 0x0d; APPEND = 0x0e; PREPEND = 0x0f; STAT = 0x10; SETQ = 0x11;
        ADDQ = 0x12; REPLACEQ = 0x13; DELETEQ = 0x14; INCREMENTQ = 0x15; DECREMENTQ = 0x16;
        QUITQ = 0x17; FLUSHQ = 0x18; APPENDQ = 0x19; PREPENDQ = 0x1a; VERBOSITY = 0x1b;
        TOUCH = 0x1c; GAT = 0x1d; GATQ = 0x1e; HELO = 0x1f; SASL_LIST_MECHS = 0x20;
        SASL_AUTH = 0x21; SASL_STEP = 0x22; SET_VBUCKET = 0x3d; GET_VBUCKET = 0x3e;
        DEL_VBUCKET = 0x3f; GET_ALL_VB_SEQNOS = 0x48; DCP_OPEN = 0x50; DCP_ADD_STREAM = 0x51;
        DCP_CLOSE_STREAM = 0x52; DCP_STREAM_REQ = 0x53; DCP_GET_FAILOVER_LOG = 0x54;
        DCP_STREAM_END = 0x55; DCP_SNAPSHOT_MARKER = 0x56; DCP_MUTATION = 0x57;
        DCP_DELETION = 0x58; DCP_NOOP = 0x5c; DCP_BUFFER_ACK = 0x5d; DCP_CONTROL = 0x5e;
        DCP_LAST = 0x67; CREATE_BUCKET = 0x85; DELETE_BUCKET = 0x86; LIST_BUCKETS = 0x87;
        SELECT_BUCKET = 0x89; GET_FAILOVER_LOG = 0x96; COLLECTIONS_SET_MANIFEST = 0xb9;
        COLLECTIONS_GET_SCOPE_ID = 0xbc; GET_ERROR_MAP = 0xfe; SUBDOC_FIRST = 0xc5;
        SUBDOC_LAST = 0xd3;
    }

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

    /// Whether a request is for the writer, and about a key.
    pub fn is_change(opcode: u8) -> bool {
        matches!(
            loud(opcode).0,
            SET | ADD | REPLACE | DELETE | INCREMENT | DECREMENT | APPEND | PREPEND | TOUCH | GAT
        )
    }

    /// A request's shape: the lengths that its extras may have, and whether it
    /// has a key and may have a value. `None`: it has a shape of its own.
    pub fn shape(opcode: u8) -> Option<(&'static [usize], bool, bool)> {
        Some(match loud(opcode).0 {
            GET | GETK | DELETE | SELECT_BUCKET => (&[0], true, false),
            SET | ADD | REPLACE | DCP_OPEN => (&[8], true, true),
            APPEND | PREPEND | SASL_AUTH | CREATE_BUCKET | DELETE_BUCKET | DCP_CONTROL => {
                (&[0], true, true)
            }
            INCREMENT | DECREMENT => (&[20], true, false),
            TOUCH | GAT => (&[4], true, false),
            SASL_LIST_MECHS | NOOP | VERSION | LIST_BUCKETS | GET_VBUCKET | GET_FAILOVER_LOG
            | DCP_GET_FAILOVER_LOG | DCP_CLOSE_STREAM => (&[0], false, false),
            VERBOSITY | DCP_BUFFER_ACK => (&[4], false, false),
            FLUSH => (&[0, 4], false, false),
            GET_ALL_VB_SEQNOS => (&[0, 4, 8], false, false),
            SET_VBUCKET => (&[1], false, true),
            DEL_VBUCKET => (&[0], false, true),
            DCP_STREAM_REQ => (&[48], false, true),
            _ => return None,
        })
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

impl Status {
    /// What a refusal says besides. A vb that is not here would have the
    /// cluster's map there, which there is none of.
    pub fn text(self) -> String {
        match self {
            Status::NotMyVbucket => String::new(),
            status => format!("{status:?}"),
        }
    }
}

/// HELO's features that this server agrees to.
#[allow(missing_docs)]
pub mod feature {
    codes! { u16:
        TCP_NODELAY = 0x03; MUTATION_SEQNO = 0x04; XERROR = 0x07; SELECT_BUCKET = 0x08;
        JSON = 0x0b;
    }
    pub const ALL: &[u16] = &[TCP_NODELAY, MUTATION_SEQNO, XERROR, SELECT_BUCKET, JSON];
}

/// The datatype bit of a JSON value.
pub const DATATYPE_JSON: u8 = 1;

/// The flags of DCP_OPEN.
#[allow(missing_docs)]
pub mod open_flag {
    codes! { u32:
        PRODUCER = 0x01; XATTR = 0x04; NO_VALUE = 0x08; DELETE_TIMES = 0x20;
        NO_VALUE_KEEP_DATATYPE = 0x40; DELETED_USER_XATTR = 0x100; SKIP_DELETES = 0x200;
    }
}

/// The flags of DCP_STREAM_REQ.
#[allow(missing_docs)]
pub mod stream_flag {
    codes! { u32:
        TAKEOVER = 0x01; DISK_ONLY = 0x02; TO_LATEST = 0x04; NO_VALUE = 0x08;
        ACTIVE_ONLY = 0x10; STRICT_UUID = 0x20; IGNORE_PURGED = 0x80;
    }
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
        // A status of a later core: the stream is closed.
        _ => 1,
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
