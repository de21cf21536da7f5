//! The explorer's mutants, by what they break: a conflict, a reversal of a race, an entry of a
//! sleep set or a wakeup sequence that is dropped.

mod alone;
mod objects;
mod pieces;
mod races;
mod relation;
mod search;
mod spins;
mod symmetry;

use super::run::Check;
use super::Subject;

const OP: &str = "dpor/src/op.rs";
const ALONE: &str = "dpor/src/rt/alone.rs";
const ENDING: &str = "dpor/src/rt/ending.rs";
const EXPLORATION: &str = "dpor/src/exploration.rs";
const SCHEDULE: &str = "dpor/src/schedule.rs";
const TRACE: &str = "dpor/src/trace.rs";
const SPIN: &str = "dpor/src/spin.rs";
const STATE: &str = "dpor/src/rt/state.rs";
const PAUSE: &str = "dpor/src/rt/pause.rs";
const RACES: &str = "dpor/src/explore/races.rs";
const NODE: &str = "dpor/src/explore/node.rs";
const WAKEUP: &str = "dpor/src/explore/wakeup.rs";
const TREE: &str = "dpor/src/explore/tree.rs";
const SPLIT: &str = "dpor/src/split.rs";
const TEXT: &str = "dpor/src/checkpoint/text.rs";
const SYNCHRONISE: &str = "dpor/src/object/synchronise.rs";
const REFERENCES: &str = "dpor/src/rt/references.rs";
const OBJECT: &str = "dpor/src/object/mod.rs";
const STRAYS: &str = "dpor/src/rt/strays.rs";
const RESUME: &str = "dpor/src/checkpoint/explore.rs";
const STEPS: &str = "dpor/src/checkpoint/steps.rs";
const FOREST: &str = "dpor/src/explore/forest.rs";
const WALK: &str = "dpor/src/explore/walk.rs";
const ESTIMATE: &str = "dpor/src/estimate.rs";
const HOOK: &str = "dpor/src/hook.rs";
const SYMMETRY: &str = "dpor/src/symmetry.rs";
const COUNT: &str = "dpor/src/count.rs";
const EQUAL: &str = "dpor/src/equal.rs";
const TALLY: &str = "dpor/src/tally.rs";
const MUTEX: &str = "dpor/src/sync/mutex.rs";
const RT: &str = "dpor/src/rt/mod.rs";
const BOUNDED: &str = "dpor/src/explore/bounded.rs";
const TURN: &str = "dpor/src/rt/turn.rs";

/// The explorer, whose mutants are to be seen by its own tests.
pub(super) const EXPLORER: Subject = Subject {
    name: "explorer",
    front: "dpor/src/lib.rs",
    kinds: &[
        ("relation", relation::MUTANTS),
        ("races", races::MUTANTS),
        ("alone", alone::MUTANTS),
        ("search", search::MUTANTS),
        ("spins", spins::MUTANTS),
        ("objects", objects::MUTANTS),
        ("pieces", pieces::MUTANTS),
        ("symmetry", symmetry::MUTANTS),
    ],
    unseen: UNSEEN,
    says: &[],
    file: "dpor/MUTANTS.md",
    head: HEAD,
    one: "a test",
    none: "no test",
    checks: &[Check::Explorer],
    required: &[Check::Explorer],
    checked: Check::Explorer,
    seen: "seen-explorer.txt",
    sources: &["dpor/src", "dpor/tests", "dpor/examples"],
};

const HEAD: &str = "\
# Which test sees which mistake

Each row is a mistake in the explorer (`xtask/src/mutants/explorer/`), and the test of
`dpor/tests/suite` that fails when it is made. Where several fail, the one that came first.
`-`: nothing fails; `not run`: nobody has looked. `(deadline)`: it never came to an end.

Written by `cargo xtask mutants explorer --matrix`, and checked by
`cargo xtask mutants explorer --check`; do not edit it.
";

/// Those that no test sees, and why.
const UNSEEN: &[(&str, &str)] = &[];
