//! The invariants' names: the same in code, output and documentation.

use std::fmt;

macro_rules! invariants {
    ($($(#[doc = $meaning:literal])+ $variant:ident = $name:literal,)+) => {
        /// What every scenario is checked against, where the system claims it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Invariant { $($(#[doc = $meaning])+ $variant,)+ }

        /// All invariants, in the order of their table.
        pub const ALL: &[Invariant] = &[$(Invariant::$variant,)+];

        impl Invariant {
            /// The invariant's name in output and documentation.
            pub fn name(self) -> &'static str {
                match self { $(Invariant::$variant => $name,)+ }
            }

            /// The invariant in a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Invariant::$variant => concat!($($meaning,)+).trim_ascii(),)+ }
            }
        }
    };
}

invariants! {
    /// Once the disconnect or shutdown of a connection has returned, none of
    /// its streams is open and no StreamRequest on it is accepted.
    NoLateStream = "no-late-stream",
    /// Each accepted stream is ended exactly once, with one status, and its
    /// owner can learn of it.
    EndedOnce = "ended-once",
    /// Nothing touches a manager, stream or connection after its teardown.
    NoDangling = "no-dangling",
    /// The backfill of a dead stream leaves every queue; slots are returned;
    /// what is queued is bounded by what is open.
    NoOrphanBackfill = "no-orphan-backfill",
    /// Bytes charged to the read-ahead buffer are refunded, once.
    BytesBalance = "bytes-balance",
    /// When something is left to send and the front end is paused, a wake is
    /// on its way.
    NoLostWakeup = "no-lost-wakeup",
    /// Every call returns, in every ordering.
    NoDeadlock = "no-deadlock",
    /// No thread looks again and again for what never comes.
    NoLivelock = "no-livelock",
    /// After shutdown, and once the caller dropped its handles, nothing is
    /// alive.
    NoLeak = "no-leak",
    /// No unsynchronised conflicting access.
    NoDataRace = "no-data-race",
    /// No call panics, and no debug assertion fails (the rank check of the locks
    /// is one).
    NoPanic = "no-panic",
    /// The results of all calls are explained by one sequential order of them
    /// that respects real time.
    Linearizable = "linearizable",
}

impl From<Invariant> for orderings::Invariant {
    fn from(invariant: Invariant) -> Self {
        orderings::Invariant::new(invariant.name(), invariant.meaning())
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
