//! The statistics of the core and of the host on one line: as the specification
//! predicts them, and as a system reports them.

use super::state::{Connection, Place, Reads, World};
use crate::answers;
use crate::scenario::{Conn, Scenario};
use orderings::render::layout::Plural;
use std::fmt::Write;

/// The name of the call that reads all statistics; no scenario can make it.
pub const STATS: &str = "statistics";

/// The statistics of one connection, with what its host has counted.
#[derive(Clone, Debug, Default)]
pub struct OfConnection {
    /// The vb and the state of each live stream, in the order of the vbs.
    pub streams: Vec<(u64, &'static str)>,
    /// Ends that were not handed out.
    pub ends: usize,
    /// Whether the front end sleeps until it is woken.
    pub paused: bool,
    /// Whether there is something to send.
    pub ready: bool,
    /// Bytes charged to the buffer, and bytes of the items in the queues.
    pub bytes: (u64, u64),
    /// Backfills without a slot, and with one.
    pub backfills: (usize, usize),
    /// How often the front ends under this id were woken.
    pub wakes: u64,
    /// How many of these front ends the core has.
    pub front_ends: u64,
}

/// The statistics of the map, with what the host has counted.
#[derive(Clone, Debug, Default)]
pub struct OfMap {
    /// Connections in the map.
    pub connections: usize,
    /// Free slots, and entries in the bucket's queues.
    pub bucket: (u64, usize),
    /// Connections, managers, streams and backfills that are alive.
    pub alive: [usize; 4],
    /// Open scans.
    pub scans: usize,
    /// The scans that were opened: of which vb, after and up to which seqno.
    pub opened: Vec<(u64, u64, u64)>,
    /// The reads from memory: of which vb, after and up to which seqno.
    pub read: Vec<(u64, u64, u64)>,
    /// How often a scan was asked for its next item.
    pub items: u64,
}

/// All statistics on one line.
pub fn line(scenario: &Scenario, connections: &[OfConnection], map: &OfMap) -> String {
    let mut line = String::new();
    for (name, conn) in scenario.receivers.iter().zip(connections) {
        let _ = write!(line, "{name}:");
        for (vb, state) in &conn.streams {
            let _ = write!(line, " vb {vb} {state},");
        }
        let OfConnection { ends, paused, ready, bytes, backfills, wakes, front_ends, .. } = conn;
        let yes = |yes: &bool, word: &'static str| if *yes { word } else { "" };
        let _ = write!(
            line,
            " {},{}{} {} of {} queued, backfills: {} pending, {} in progress, {}, {}; ",
            Plural(*ends as u64, "end"),
            yes(paused, " paused,"),
            yes(ready, " ready,"),
            Plural(bytes.0, "byte"),
            bytes.1,
            backfills.0,
            backfills.1,
            Plural(*wakes, "wake"),
            Plural(*front_ends, "front end"),
        );
    }
    let OfMap { connections, bucket, alive, scans, opened, read, items } = map;
    let _ = write!(
        line,
        "{}, {}, {} queued, alive {alive:?}, {}, opened {opened:?}, from memory {read:?}, {} asked for",
        Plural(*connections as u64, "connection"),
        Plural(bucket.0, "free slot"),
        bucket.1,
        Plural(*scans as u64, "scan"),
        Plural(*items, "item"),
    );
    line
}

impl World {
    /// All statistics.
    pub(super) fn stats(&self, scenario: &Scenario) -> String {
        let of = |conn| {
            let known = self.map.ids.get(&conn);
            // A connection that is closed, or not opened yet, has no statistics.
            let mut said =
                known.map_or_else(OfConnection::default, |at| of(&self.connections[*at]));
            let mine = || self.connections.iter().filter(|other| other.id == conn);
            said.wakes = mine().map(|other| other.wakes).sum();
            said.front_ends = mine().filter(|other| !other.closed()).count() as u64;
            said
        };
        let connections: Vec<_> = (0..scenario.receivers.len()).map(|at| of(Conn(at))).collect();
        let open = || self.connections.iter().filter(|other| !other.closed());
        let streams = open().map(|other| other.streams.len()).sum();
        // One that is pending is no more than its stream's wish.
        let backfills = |other: &Connection| other.backfills.in_progress();
        let scans = |other: &Connection| {
            let backfills = &other.backfills;
            let snoozing = backfills.snoozing.iter().map(|(_, backfill)| backfill);
            let all = backfills.begun.iter().chain(snoozing);
            all.filter(|backfill| backfill.scan.is_some()).count()
        };
        let bucket = &self.bucket;
        let map = OfMap {
            connections: self.map.ids.len(),
            bucket: (
                bucket.slots,
                bucket.ready.len() + bucket.resting.len() + bucket.waiting.len(),
            ),
            alive: [self.map.ids.len(), open().count(), streams, open().map(backfills).sum()],
            scans: open().map(scans).sum(),
            opened: self.asked.scans.clone(),
            read: self.asked.memory.clone(),
            items: self.asked.items,
        };
        line(scenario, &connections, &map)
    }
}

impl World {
    /// The answer of the call `backfills`.
    pub(super) fn backfills_of(&self, at: Place) -> String {
        let (pending, in_progress) = of(&self.connections[at]).backfills;
        answers::backfills(pending, in_progress)
    }
}

fn of(connection: &Connection) -> OfConnection {
    if connection.closed() {
        return OfConnection::default();
    }
    let state = |state| match state {
        Reads::Pending => "pending",
        Reads::Disk => "backfilling",
        Reads::Memory => "in memory",
    };
    let streams = &connection.streams;
    OfConnection {
        streams: streams.iter().map(|(vb, stream)| (*vb, state(stream.state))).collect(),
        ends: connection.ends.len(),
        paused: connection.paused,
        ready: connection.ready(),
        bytes: (connection.backfills.bytes, streams.values().map(|stream| stream.bytes()).sum()),
        backfills: (connection.backfills.pending.len(), connection.backfills.in_progress()),
        ..OfConnection::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_no_plural() {
        let scenario = Scenario { receivers: vec!["a".into()], ..Scenario::default() };
        let connection =
            OfConnection { ends: 1, bytes: (1, 0), wakes: 1, front_ends: 1, ..Default::default() };
        let map = OfMap { connections: 1, bucket: (1, 0), scans: 1, items: 1, ..OfMap::default() };
        assert_eq!(
            line(&scenario, &[connection], &map),
            "a: 1 end, 1 byte of 0 queued, backfills: 0 pending, 0 in progress, 1 wake, 1 front end; \
             1 connection, 1 free slot, 0 queued, alive [0, 0, 0, 0], 1 scan, opened [], from memory [], \
             1 item asked for"
        );
    }
}
