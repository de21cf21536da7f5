//! The answers of the systems' calls, and the statuses of streams, as constants: the
//! code that answers and the code that compares cannot disagree about a word.

pub(crate) const ACCEPTED: &str = "accepted";
pub(crate) const BACKFILL_FAIL: &str = "backfill-fail";
pub(crate) const BUFFER_FULL: &str = "buffer full";
pub(crate) const CLOSED: &str = "closed";
pub(crate) const CONNECTION_CLOSED: &str = "connection closed";
pub(crate) const CRASH: &str = "crash";
pub(crate) const DISCONNECT: &str = "disconnect";
pub(crate) const DISCONNECTED: &str = "disconnected";
pub(crate) const DONE: &str = "done";
pub(crate) const FOUND: &str = "found";
pub(crate) const ID_IN_USE: &str = "id in use";
pub(crate) const IDLE: &str = "idle";
pub(crate) const MAP_SHUT_DOWN: &str = "map shut down";
pub(crate) const NEVER_CAME: &str = "never came";
pub(crate) const NO_MEMORY: &str = "no memory";
pub(crate) const NO_SUCH_CONNECTION: &str = "no such connection";
pub(crate) const NO_SUCH_STREAM: &str = "no such stream";
pub(crate) const NOT_FOUND: &str = "not found";
pub(crate) const NOT_MY_VBUCKET: &str = "not my vbucket";
pub(crate) const OPENED: &str = "opened";
pub(crate) const OUT_OF_RANGE: &str = "out of range";
pub(crate) const PAUSED: &str = "paused";
pub(crate) const RAN: &str = "ran";
pub(crate) const READY: &str = "ready";
pub(crate) const ROLLBACK: &str = "rollback";
pub(crate) const RUN: &str = "run";
pub(crate) const SNOOZED: &str = "snoozed";
pub(crate) const STATE_CHANGED: &str = "state-changed";
pub(crate) const STOP: &str = "stop";
pub(crate) const STREAM_EXISTS: &str = "stream exists";

/// How many backfills a connection has.
pub(crate) fn backfills(pending: usize, in_progress: usize) -> String {
    format!("{pending} pending, {in_progress} in progress")
}
