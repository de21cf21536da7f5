//! All tests of the explorer in one program: twenty took longer to compile than to run.

mod prims {
    pub(crate) use shuttle_dpor::{sync, thread};
}

#[path = "../support/child.rs"]
mod child;
mod shuttles_runner;
#[path = "../support/teardown.rs"]
mod teardown;

mod adversary;
mod alone;
mod awaiting;
mod brute;
mod brute_force;
mod coming_last;
mod commuting;
mod data_races;
mod driver;
mod effort;
mod gallery;
mod guarantees;
mod guests;
mod looks;
mod pieces;
mod preemptions;
mod primitives;
mod published;
mod references;
mod scheduler;
mod shuttles_own;
mod spins;
mod std_surface;
mod symmetry;
mod teardowns;
mod unwinding;
mod violations;
mod wide;
mod workers;
