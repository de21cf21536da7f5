//! Cells whose accesses are checked.

#[allow(clippy::module_inception)]
mod cell;
mod unsafe_cell;

pub use cell::Cell;
pub use unsafe_cell::{ConstPtr, MutPtr, UnsafeCell};
