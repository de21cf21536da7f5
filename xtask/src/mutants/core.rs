//! The core's mutants, by kind of mistake.

mod bytes;
mod fresh;
mod host;
mod last;
mod late;
mod refusals;
mod seqnos;
mod slots;
mod stale;
mod teardown;
mod time;
mod wakeups;
mod workers;

use super::run::Check;
use super::{Mutant, Subject};

const AFTER: &str = "src/after.rs";
const BATCH: &str = "src/batch.rs";
const BUCKET: &str = "src/backfill/bucket.rs";
const CONFIG: &str = "src/config.rs";
const CONN: &str = "src/connection/mod.rs";
const HOST: &str = "src/host.rs";
const INDEX: &str = "src/index.rs";
const MANAGER: &str = "src/backfill/manager.rs";
const MAP: &str = "src/map.rs";
const OPEN: &str = "src/connection/open.rs";
const PRODUCER: &str = "src/producer.rs";
const RUN: &str = "src/backfill/run.rs";
const STREAM: &str = "src/stream.rs";
const STREAMS: &str = "src/connection/streams.rs";
const TYPES: &str = "src/types.rs";
const WAKE: &str = "src/wakeups.rs";
const WORKER: &str = "src/worker.rs";

/// The core, whose mutants are to be seen by explorations.
pub(super) const CORE: Subject = Subject {
    name: "mutants",
    front: "src/lib.rs",
    kinds: KINDS,
    unseen: UNSEEN,
    says: SAYS,
    file: "models/MUTANTS.md",
    head: HEAD,
    one: "an exploration",
    none: "no exploration",
    checks: &[Check::Dpor, Check::Generated, Check::Loom, Check::Std],
    required: &[Check::Dpor, Check::Generated, Check::Loom],
    checked: Check::Dpor,
    seen: "seen.txt",
    sources: &[
        "src",
        "tests",
        "explore/src",
        "models/src",
        "models/scenarios.txt",
        "loom-tests",
        "dpor/src",
    ],
};

const HEAD: &str = "\
# Which check sees which mistake

Each row is a mistake in the core (`xtask/src/mutants/core/`), and what fails
when it is made: a scenario under shuttle-dpor, one of the generated scenarios, a
scenario under loom, one of the native tests. Where several fail, the one that
came first. Of the generated ones it is run against part {PART} of those of
three calls, under shuttle-dpor; under loom against the scenarios in which loom has
no more than {QUICK} executions, and against the one that shuttle-dpor saw it by; with
std against the native tests, but for `{SLOW}` where an exploration sees it.
`-`: nothing fails; `not run`: nobody has looked. `(deadline)`: it never came to an end.

Written by `cargo xtask mutants --matrix`, and checked by `--check`; do not edit it.
";

const KINDS: &[(&str, &[Mutant])] = &[
    ("wakeups", wakeups::MUTANTS),
    ("slots", slots::MUTANTS),
    ("bytes", bytes::MUTANTS),
    ("seqnos", seqnos::MUTANTS),
    ("stale", stale::MUTANTS),
    ("refusals", refusals::MUTANTS),
    ("teardown", teardown::MUTANTS),
    ("host", host::MUTANTS),
    ("workers", workers::MUTANTS),
    ("time", time::MUTANTS),
    ("fresh", fresh::MUTANTS),
    ("last", last::MUTANTS),
    ("late", late::MUTANTS),
];

/// What the failure of a scenario under shuttle-dpor says of some: what a client
/// would have been handed; who sleeps, what there is for it and who should have
/// woken it; and who never comes to rest.
const SAYS: &[(&str, &str, &str)] = &[
    (
        "ok-one-item-short",
        "handed-to-the-end",
        "step would answer \"item 2\" for stream_request(0, 0, 2) and not \"stream end ok\"",
    ),
    (
        "old-id-new-stream",
        "stale-backfill",
        "panic: ScanFinished is not allowed in Pending",
    ),
    (
        "displaced-accepts",
        "displaced-by-another",
        "b.stream_request(0) would answer \"connection closed\" and not \"accepted\"",
    ),
    (
        "displace-wakes-nobody",
        "displaced-by-another",
        "no-lost-wakeup: b sleeps, and there is \"disconnect, displaced\" for it: open(c, a) should \
         have woken it",
    ),
    (
        "ready-wakes-nobody",
        "backfill-step",
        "no-lost-wakeup: a sleeps, and there is \"marker 1..1 from disk\" of stream_request(0) for \
         it: run_backfill should have woken it",
    ),
    (
        "memory-again-and-again",
        "memory-nothing",
        "no-deadlock: the system never comes to rest: step has read seqnos 2..6 of vb 0 from \
         memory 100 times, and goes on",
    ),
    (
        "snooze-asks-at-once",
        "later-closed",
        "no-deadlock: the system never comes to rest: after 204 rounds still run_backfill",
    ),
];

/// Those that no exploration sees, and why.
const UNSEEN: &[(&str, &str)] = &[
    (
        "read-keeps-paused",
        "changes nothing: whatever makes something ready clears paused, and who has read looks again and pauses",
    ),
    (
        "closed-run-keeps-its-turn",
        "the connection is gone and gets no other turn: what is kept is a seat of the bucket, a few bytes until the map is dropped, and no caller can tell; std's test a_closed_connection_leaves_its_seat_also_while_it_runs looks",
    ),
    (
        "seat-is-not-left",
        "a seat of the bucket is kept by a connection that is gone: std's test a_closed_connection_leaves_its_seat_also_while_it_runs looks",
    ),
    (
        "left-seat-is-kept",
        "a seat of the bucket is kept by a connection that is gone: std's test a_closed_connection_leaves_its_seat_also_while_it_runs looks",
    ),
    (
        "index-keeps-the-dead",
        "an entry of the index stays that leads to a connection without such a stream: a walk passes it by, and what is kept is memory: std's test each_call_takes_its_locks_whatever_else_there_is looks",
    ),
    (
        "old-handle-new-connection",
        "the same, of a connection that is gone, whose handle does not upgrade: std's test a_walk_and_a_shutdown_cost_what_they_go_through looks",
    ),
    (
        "orphan-reads-on",
        "what is read too much of the scan of a stream that has ended is explained by a later end, and the scans of the models have few items: std's test an_item_does_not_go_to_a_later_stream_of_the_same_vb looks",
    ),
    (
        "old-id-by-place",
        "changes nothing: whoever ends a stream has looked it up by its whole id in the same critical section",
    ),
    (
        "pool-joins-none",
        "the pool's threads are native: std's test a_join_waits_for_each_worker",
    ),
    (
        "pool-joins-the-first",
        "the pool's threads are native: std's test a_join_waits_for_each_worker",
    ),
    (
        "pool-of-one",
        "the pool's threads are native: std's test a_join_waits_for_each_worker",
    ),
    (
        "pool-ignores-stop",
        "the pool's threads are native: std's test a_join_waits_for_each_worker",
    ),
    (
        "sleeper-stays-counted",
        "changes nothing: who calls a sleeper that is not there calls nobody, and whoever sleeps is counted all the same",
    ),
    (
        "wait-looks-once",
        "changes nothing that is promised: a wait may come back early, and its caller runs and waits again",
    ),
    (
        "wait-is-never-due",
        "changes nothing: a wait of no time comes back at once, and leaves the loop as one that is due does",
    ),
    (
        "second-turn-calls-nobody",
        "who was told of the first turn runs until there is none, as workers do, and has the second then: it is late by one run, which no exploration measures; std's test of_two_that_are_due_the_second_has_a_worker looks",
    ),
    (
        "only-the-first-rest-calls",
        "who sleeps comes back when its time is over: it is late, and to the explorer, in which a wait may time out whenever it likes, all times are alike; std's test who_sleeps_is_called_for_what_is_due_earlier looks",
    ),
    (
        "sleeps-for-the-last",
        "the same: it comes back too late; std's test who_sleeps_is_called_for_what_is_due_earlier looks",
    ),
    (
        "cap-forgets-the-running",
        "who runs asks for a turn, which a running manager is not given, and nobody can tell but by a lock of the bucket's: std's test a_request_during_a_run_asks_for_no_turn counts it",
    ),
    (
        "first-in-line-waits-for-itself",
        "changes nothing: who takes a slot has its turn, and is passed over in the line meanwhile",
    ),
];
