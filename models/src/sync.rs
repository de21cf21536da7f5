//! The engine's primitives, for the models, and which primitives the core has.

pub use orderings::sync::*;

#[cfg(all(loom, shuttle))]
compile_error!("choose one engine: --cfg loom or --cfg shuttle, not both");

/// The engine whose primitives the core was built with: without a cfg, std's.
pub const ENGINE: &str = if cfg!(loom) {
    "loom"
} else if cfg!(shuttle) {
    "dpor"
} else {
    "std"
};
