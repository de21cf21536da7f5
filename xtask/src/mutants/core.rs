//! The core's mutants, by kind of mistake.

mod bytes;
mod host;
mod refusals;
mod seqnos;
mod slots;
mod stale;
mod teardown;
mod time;
mod wakeups;
mod workers;

use super::Mutant;

const AFTER: &str = "src/after.rs";
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
];

/// All of them, by their numbers: 0 is the sound core.
pub(super) fn all() -> Vec<(usize, &'static Mutant)> {
    let mutants = KINDS.iter().flat_map(|(_, mutants)| mutants.iter());
    (1..).zip(mutants).collect()
}

/// The kind of the mutant with this number.
pub(super) fn kind(number: usize) -> &'static str {
    let kinds = KINDS.iter().flat_map(|(kind, mutants)| mutants.iter().map(move |_| *kind));
    kinds.skip(number - 1).next().unwrap_or_default()
}

/// Those that no exploration sees, and why.
pub(super) const UNSEEN: &[(&str, &str)] = &[];
