//! The systems that ship with the project.

pub mod core;

use crate::System;
use std::sync::Arc;

/// Every system, the core first.
pub fn all() -> Vec<Arc<dyn System>> {
    vec![Arc::new(core::Core)]
}

/// The system of this name.
pub fn find(name: &str) -> Option<Arc<dyn System>> {
    all().into_iter().find(|system| system.name() == name)
}
