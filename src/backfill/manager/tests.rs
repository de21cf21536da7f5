//! A manager on its own: which state of a backfill may follow which.

use super::*;
use crate::live::{Kind, LiveCounts};
use crate::VbId;
use std::time::Duration;

const STREAM: StreamId = StreamId { place: 0, serial: 0 };

/// The calls that may change the state of a backfill.
#[derive(Clone, Copy)]
enum Call {
    Begin,
    GoOn,
    RunOn,
    Snooze,
    EndSnoozes,
    RunOver,
    Cancel,
}

/// The calls, each with its reason in the diagram.
const CALLS: [(Call, &str); 7] = [
    (Call::Begin, "it has a slot, and its first run"),
    (Call::GoOn, "another run"),
    (Call::RunOn, "there is more to read"),
    (Call::Snooze, "the scan says later"),
    (Call::EndSnoozes, "the snooze is over"),
    (Call::RunOver, "it is finished, has failed, or has no stream"),
    (Call::Cancel, "its stream has died"),
];

/// A manager with one backfill, which its worker holds while it runs.
struct Walk {
    manager: BackfillManager,
    held: Option<Box<Backfill>>,
    live: LiveCounts,
    now: Instant,
}

impl Walk {
    fn new() -> Self {
        let live = LiveCounts::new();
        let manager = BackfillManager::new(Arc::default(), live.count(Kind::Manager));
        Walk { manager, held: None, live, now: Instant::now() }
    }

    /// The state of the backfill, read off what the manager has.
    fn state(&self) -> &'static str {
        let queued = self.manager.queued.0.first().and_then(Option::as_ref);
        match queued.map(|queued| &queued.queue) {
            Some(Queue::Active(_)) => "active",
            Some(Queue::Snoozing(..)) => "snoozing",
            None if self.manager.running => "running",
            None if self.manager.slots_over > 0 => "(over)",
            None => "(pending)",
        }
    }

    /// Makes the call, if the connection may make it in this state.
    fn call(&mut self, call: Call) {
        match (call, self.held.take()) {
            (Call::Begin, None) if self.state() == "(pending)" => {
                self.manager.begin();
                self.held = Some(Box::new(Backfill {
                    stream: STREAM,
                    vb: VbId(0),
                    range: crate::SeqnoRange { after: 0, upto: 9 },
                    scan: None,
                    has_run: false,
                    _live: self.live.count(Kind::Backfill),
                }));
            }
            (Call::GoOn, None) => self.held = self.manager.go_on(),
            (Call::EndSnoozes, None) => {
                self.now += Duration::from_secs(60);
                self.manager.end_snoozes(self.now);
            }
            (Call::RunOn, Some(backfill)) => self.manager.run_on(backfill),
            (Call::Snooze, Some(backfill)) => self.manager.snooze(backfill, self.now),
            (Call::RunOver, Some(_)) => self.manager.run_over(),
            (Call::Cancel, held) => {
                drop(self.manager.cancel(STREAM));
                self.held = held;
            }
            (_, held) => self.held = held,
        }
    }
}

/// Every sequence of five calls: each state is reached, and left in each way.
#[test]
fn the_diagram_has_each_transition() {
    let mut seen = BTreeSet::new();
    for number in 0..CALLS.len().pow(5) {
        let mut walk = Walk::new();
        for digit in 0..5 {
            let (call, reason) = CALLS[number / CALLS.len().pow(digit) % CALLS.len()];
            let before = walk.state();
            walk.call(call);
            let after = walk.state();
            if before != after {
                seen.insert(format!("//! {before} -> {after}: {reason}"));
            }
        }
    }
    let source = include_str!("../manager.rs");
    let drawn = source.split("//! ```text\n").nth(1).and_then(|rest| rest.split("//! ```").next());
    let drawn: BTreeSet<String> = drawn.unwrap_or_default().lines().map(str::to_owned).collect();
    assert_eq!(drawn, seen);
}
