//! Shared by the systems with the core's calls: declarations of operations and
//! their arguments, and the news of a stream's end.

use crate::log::{Log, Performed};
use crate::scenario::{Call, CallId, Conn, Scenario};
use crate::system::{Operation, Parameter};
use std::collections::BTreeMap;
use std::fmt;

/// The argument that is a vBucket.
pub(super) const VB: Parameter = Parameter { name: "vb", default: Some(0), receiver: false };

/// The argument that is a connection, whose name the new connection takes.
pub(super) const SAME_NAME: Parameter =
    Parameter { name: "same name as", default: Some(0), receiver: true };

/// An argument that is a number.
pub(super) const fn int(name: &'static str, default: Option<u64>) -> Parameter {
    Parameter { name, default, receiver: false }
}

pub(super) const fn operation(
    name: &'static str,
    on_receiver: bool,
    arguments: &'static [Parameter],
    meaning: &'static str,
) -> Operation {
    Operation { on_receiver, arguments, ..Operation::plain(name, meaning) }
}

/// Records the end of a stream, as news behind the answer of its request.
pub(crate) fn stream_ended(log: &Log, request: CallId, status: impl fmt::Display) {
    log.news(request, ended(status));
}

/// A stream's status, in the words of the outcomes.
pub(crate) fn ended(status: impl fmt::Display) -> String {
    format!("{ENDED}{status}")
}

/// The ends that were reported of the stream of `request`.
pub(crate) fn ends_of(log: &Log, request: CallId) -> Vec<String> {
    let news = log.news_of(request).into_iter();
    news.filter_map(|news| news.strip_prefix(ENDED).map(str::to_owned)).collect()
}

const ENDED: &str = "ended ";

/// For each connection that was closed: when the first call that closed it
/// returned. `closes` says which connections a call with this answer has closed.
pub(super) fn closed(
    scenario: &Scenario,
    calls: &BTreeMap<CallId, Performed>,
    closes: impl Fn(&Call, &str) -> Vec<Conn>,
) -> BTreeMap<Conn, u64> {
    let mut closed = BTreeMap::new();
    for (id, performed) in calls {
        let (Some(call), Some((end, answer))) = (scenario.call(*id), &performed.end) else {
            continue;
        };
        for conn in closes(call, answer) {
            let first: &mut u64 = closed.entry(conn).or_insert(*end);
            *first = (*first).min(*end);
        }
    }
    closed
}
