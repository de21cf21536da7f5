//! Invariants: a system's own, and those of every system.

use std::fmt;

/// What must hold in every ordering. Two invariants of one name are equal.
#[derive(Clone, Copy, Debug)]
pub struct Invariant {
    name: &'static str,
    meaning: &'static str,
}

/// No call panics, and no debug assertion fails.
pub const NO_PANIC: Invariant =
    Invariant::new("no-panic", "No call panics, and no debug assertion fails.");

/// Every call returns, in every ordering.
pub const NO_DEADLOCK: Invariant =
    Invariant::new("no-deadlock", "Every call returns, in every ordering.");

/// No thread looks again and again for what never comes.
pub const NO_LIVELOCK: Invariant =
    Invariant::new("no-livelock", "No thread looks again and again for what never comes.");

/// No unsynchronised conflicting access.
pub const NO_DATA_RACE: Invariant =
    Invariant::new("no-data-race", "No unsynchronised conflicting access.");

/// Only threads that are explored use what is explored.
pub const NO_FOREIGN_THREAD: Invariant = Invariant::new(
    "no-foreign-thread",
    "Only threads that are explored use what is explored: none that std spawned.",
);

/// The answers of all calls are explained by one sequential order of them.
pub const LINEARIZABLE: Invariant = Invariant::new(
    "linearizable",
    "The results of all calls are explained by one sequential order of them that respects real \
     time.",
);

/// The invariants that every system is checked against.
pub const BUILT_IN: [Invariant; 5] =
    [NO_PANIC, NO_DEADLOCK, NO_LIVELOCK, NO_DATA_RACE, NO_FOREIGN_THREAD];

impl Invariant {
    /// An invariant with this name, such as `no-leak`, and its meaning in a sentence.
    pub const fn new(name: &'static str, meaning: &'static str) -> Self {
        Invariant { name, meaning }
    }

    /// The name in output and documentation.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The invariant in a sentence.
    pub const fn meaning(&self) -> &'static str {
        self.meaning
    }
}

impl PartialEq for Invariant {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Invariant {}

impl PartialOrd for Invariant {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Invariant {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.name.cmp(other.name)
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
