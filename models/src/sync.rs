//! The engine's primitives, for what is modelled here, and whose the core has.

pub use orderings::sync::*;

#[cfg(all(loom, shuttle))]
compile_error!("choose one engine: --cfg loom or --cfg shuttle, not both");

/// Whose primitives the core was built with: without a cfg, std's.
pub const ENGINE: &str = if cfg!(loom) {
    "loom"
} else if cfg!(shuttle) {
    "dpor"
} else {
    "std"
};
