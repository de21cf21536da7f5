//! The systems that ship with the project.

pub mod core;
pub mod kv_engine;

use crate::System;
use kv_engine::KvEngine;
use std::sync::Arc;

/// Every system: the core, the eras of kv_engine, and the variants of eras.
pub fn all() -> Vec<Arc<dyn System>> {
    let mut all: Vec<Arc<dyn System>> = vec![Arc::new(core::Core)];
    for protocol in KvEngine::eras().chain(KvEngine::variants()) {
        all.push(Arc::new(protocol));
    }
    all
}

/// The system of this name. `kv-engine@before-mb-37702` is the era before that
/// commit, and keeps the name.
pub fn find(name: &str) -> Option<Arc<dyn System>> {
    match KvEngine::find(name) {
        Some(protocol) => Some(Arc::new(protocol)),
        None => all().into_iter().find(|system| system.name() == name),
    }
}
