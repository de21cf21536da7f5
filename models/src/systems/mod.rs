//! The systems that ship with the project.

pub mod core;
pub mod kv_engine;
mod vocabulary;
mod words;

use crate::System;
use kv_engine::KvEngine;
use std::sync::Arc;

/// Every system: the core and what it is held against, the eras of kv_engine,
/// and the variants of eras.
pub fn all() -> Vec<Arc<dyn System>> {
    let mut all = by_default();
    for protocol in KvEngine::eras().chain(KvEngine::variants()) {
        all.push(Arc::new(protocol));
    }
    all
}

/// What is explored when nothing in particular is asked for: the core, and the
/// protocol whose bug it must not have.
pub fn by_default() -> Vec<Arc<dyn System>> {
    let mut systems: Vec<Arc<dyn System>> = vec![Arc::new(core::Core)];
    if let Some(protocol) = KvEngine::find(kv_engine::SEED) {
        systems.push(Arc::new(protocol));
    }
    systems
}

/// Scenarios that every system here knows by name, and that are explored when
/// they are asked for: kv_engine's tickets, most of which some era violates.
pub fn on_request() -> &'static str {
    kv_engine::tickets::SCENARIOS
}

/// What all the eras of kv_engine together go by.
pub const FAMILY: &str = "kv-engine";

/// The eras of kv_engine, oldest first, if this is the name of them all.
pub fn family(name: &str) -> Vec<Arc<dyn System>> {
    match name == FAMILY {
        true => KvEngine::eras().map(|era| Arc::new(era) as Arc<dyn System>).collect(),
        false => Vec::new(),
    }
}

/// The system of this name. `kv-engine@before-mb-37702` is the era before that
/// commit, and keeps the name.
pub fn find(name: &str) -> Option<Arc<dyn System>> {
    match KvEngine::find(name) {
        Some(protocol) => Some(Arc::new(protocol)),
        None => all().into_iter().find(|system| system.name() == name),
    }
}
