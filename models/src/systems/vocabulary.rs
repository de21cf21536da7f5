//! What systems with the core's calls have in common: how an operation and its
//! arguments are written down, and which call was the first to close what.

use crate::log::Performed;
use crate::scenario::{Call, CallId, Conn, Scenario};
use crate::system::{Operation, Parameter};
use std::collections::BTreeMap;

/// A vBucket.
pub(super) const VB: Parameter = Parameter { name: "vb", default: Some(0), connection: false };

/// The connection whose name another one takes.
pub(super) const SAME_NAME: Parameter =
    Parameter { name: "same name as", default: Some(0), connection: true };

/// A number.
pub(super) const fn int(name: &'static str, default: Option<u64>) -> Parameter {
    Parameter { name, default, connection: false }
}

pub(super) const fn operation(
    name: &'static str,
    on_connection: bool,
    arguments: &'static [Parameter],
    meaning: &'static str,
) -> Operation {
    Operation { name, on_connection, arguments, meaning }
}

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
