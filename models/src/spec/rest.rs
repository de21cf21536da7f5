//! The statistics of the core and of the host on one line: as the specification
//! predicts them, and as a system reports them.

use super::state::{Connection, Place, Reads, World};
use crate::answers;
use crate::scenario::{Conn, Scenario};
use orderings::render::layout::{ending, Plural};

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
    let mut line = Line(String::with_capacity(512));
    for (name, conn) in scenario.receivers.iter().zip(connections) {
        let OfConnection { streams, ends, paused, ready, bytes, backfills, wakes, front_ends } =
            conn;
        line.put(name).put(":");
        for (vb, state) in streams {
            line.put(" vb ").number(*vb).put(" ").put(state).put(",");
        }
        let yes = |yes: &bool, word: &'static str| if *yes { word } else { "" };
        line.put(" ").plural(*ends as u64, "end").put(",");
        line.put(yes(paused, " paused,")).put(yes(ready, " ready,"));
        line.put(" ").plural(bytes.0, "byte").put(" of ").number(bytes.1);
        line.put(" queued, backfills: ").number(backfills.0 as u64);
        line.put(" pending, ").number(backfills.1 as u64).put(" in progress, ");
        line.plural(*wakes, "wake").put(", ").plural(*front_ends, "front end").put("; ");
    }
    let OfMap { connections, bucket, alive, scans, opened, read, items } = map;
    line.plural(*connections as u64, "connection").put(", ");
    line.plural(bucket.0, "free slot").put(", ").number(bucket.1 as u64).put(" queued, alive ");
    line.list(alive, |line, alive| {
        line.number(*alive as u64);
    });
    line.put(", ").plural(*scans as u64, "scan").put(", opened ").reads(opened);
    line.put(", from memory ").reads(read).put(", ").plural(*items, "item").put(" asked for");
    line.0
}

/// A line that each execution writes twice. Put together by hand it costs a quarter of what `format!` takes.
struct Line(String);

impl Line {
    fn put(&mut self, text: &str) -> &mut Self {
        self.0.push_str(text);
        self
    }

    fn number(&mut self, number: u64) -> &mut Self {
        // Most have one digit.
        match number {
            0..=9 => self.0.push(char::from(b'0' + number as u8)),
            _ => self.0.push_str(&number.to_string()),
        }
        self
    }

    fn plural(&mut self, count: u64, noun: &str) -> &mut Self {
        match count {
            // Grouped.
            1000.. => self.put(&Plural(count, noun).to_string()),
            _ => self.number(count).put(" ").put(noun).put(ending(count)),
        }
    }

    /// What was read of which vb, after and up to which seqno.
    fn reads(&mut self, reads: &[(u64, u64, u64)]) -> &mut Self {
        self.list(reads, |line, &(vb, after, upto)| {
            line.put("(").number(vb).put(", ").number(after).put(", ").number(upto).put(")");
        })
    }

    fn list<T>(&mut self, all: &[T], one: impl Fn(&mut Self, &T)) -> &mut Self {
        self.put("[");
        for (n, item) in all.iter().enumerate() {
            self.put(if n == 0 { "" } else { ", " });
            one(self, item);
        }
        self.put("]")
    }
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
