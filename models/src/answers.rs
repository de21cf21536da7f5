//! What the calls of the systems answer, and how streams end, in words. A name for
//! each, so that who says a word and who looks for it cannot disagree.

/// `accepted`.
pub(crate) const ACCEPTED: &str = "accepted";
/// `backfill-fail`.
pub(crate) const BACKFILL_FAIL: &str = "backfill-fail";
/// `buffer full`.
pub(crate) const BUFFER_FULL: &str = "buffer full";
/// `closed`.
pub(crate) const CLOSED: &str = "closed";
/// `connection closed`.
pub(crate) const CONNECTION_CLOSED: &str = "connection closed";
/// `crash`.
pub(crate) const CRASH: &str = "crash";
/// `disconnect`.
pub(crate) const DISCONNECT: &str = "disconnect";
/// `disconnected`.
pub(crate) const DISCONNECTED: &str = "disconnected";
/// `done`.
pub(crate) const DONE: &str = "done";
/// `found`.
pub(crate) const FOUND: &str = "found";
/// `id in use`.
pub(crate) const ID_IN_USE: &str = "id in use";
/// `idle`.
pub(crate) const IDLE: &str = "idle";
/// `map shut down`.
pub(crate) const MAP_SHUT_DOWN: &str = "map shut down";
/// `never came`.
pub(crate) const NEVER_CAME: &str = "never came";
/// `no memory`.
pub(crate) const NO_MEMORY: &str = "no memory";
/// `no such connection`.
pub(crate) const NO_SUCH_CONNECTION: &str = "no such connection";
/// `no such stream`.
pub(crate) const NO_SUCH_STREAM: &str = "no such stream";
/// `not found`.
pub(crate) const NOT_FOUND: &str = "not found";
/// `not my vbucket`.
pub(crate) const NOT_MY_VBUCKET: &str = "not my vbucket";
/// `opened`.
pub(crate) const OPENED: &str = "opened";
/// `out of range`.
pub(crate) const OUT_OF_RANGE: &str = "out of range";
/// `paused`.
pub(crate) const PAUSED: &str = "paused";
/// `ran`.
pub(crate) const RAN: &str = "ran";
/// `ready`.
pub(crate) const READY: &str = "ready";
/// `rollback`.
pub(crate) const ROLLBACK: &str = "rollback";
/// `run`.
pub(crate) const RUN: &str = "run";
/// `snoozed`.
pub(crate) const SNOOZED: &str = "snoozed";
/// `state-changed`.
pub(crate) const STATE_CHANGED: &str = "state-changed";
/// `stop`.
pub(crate) const STOP: &str = "stop";
/// `stream exists`.
pub(crate) const STREAM_EXISTS: &str = "stream exists";
