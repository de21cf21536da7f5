//! What systems with the core's calls have in common: how an operation and its
//! arguments are written down, and which call was the first to close what.

use crate::log::{Log, Performed};
use crate::scenario::{Call, CallId, Conn, Scenario};
use crate::system::{Operation, Parameter};
use std::collections::BTreeMap;
use std::fmt;

/// A vBucket.
pub(super) const VB: Parameter = Parameter { name: "vb", default: Some(0), receiver: false };

/// The connection whose name another one takes.
pub(super) const SAME_NAME: Parameter =
    Parameter { name: "same name as", default: Some(0), receiver: true };

/// A number.
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

/// What is heard of a stream, behind the answer of the request that opened it.
pub(crate) fn stream_ended(log: &Log, request: CallId, status: impl fmt::Display) {
    log.news(request, ended(status));
}

/// In the words of the outcomes.
pub(crate) fn ended(status: impl fmt::Display) -> String {
    format!("{ENDED}{status}")
}

/// How often the stream of `request` was reported to have ended, and how.
pub(crate) fn ends_of(log: &Log, request: CallId) -> Vec<String> {
    let news = log.news_of(request).into_iter();
    news.filter_map(|news| news.strip_prefix(ENDED).map(str::to_owned)).collect()
}

const ENDED: &str = "ended ";

/// For each connection that was closed: when the first call that did so
/// returned. `closes` says what a call with this answer has closed.
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
