//! The systems that ship with the project.

pub mod core;
pub mod kv_engine;
pub(crate) mod vocabulary;
mod words;

use kv_engine::KvEngine;
use orderings::{Model, Suite};
use std::path::Path;
use std::sync::Arc;

/// Every system: those of [`by_default`], the eras of kv_engine, and the variants
/// of eras.
pub fn all() -> Vec<Arc<dyn Model>> {
    let mut all = by_default();
    for protocol in KvEngine::eras().chain(KvEngine::variants()) {
        all.push(Arc::new(protocol));
    }
    all
}

/// The systems that are explored when no system is named: the core, and the
/// protocol of kv_engine whose bug it must not have.
pub fn by_default() -> Vec<Arc<dyn Model>> {
    let mut systems: Vec<Arc<dyn Model>> = vec![Arc::new(core::Core)];
    if let Some(protocol) = KvEngine::find(kv_engine::SEED) {
        systems.push(Arc::new(protocol));
    }
    systems
}

/// The name of all eras of kv_engine together.
const FAMILY: &str = "kv-engine";

/// The suite of `cargo explore`: the systems above, and the scenarios of
/// kv_engine's tickets, which can be asked of every system by name.
pub fn suite() -> Suite {
    let eras = KvEngine::eras().map(|era| Arc::new(era) as Arc<dyn Model>).collect();
    let ledger = Path::new(env!("CARGO_MANIFEST_DIR")).join("ledger.txt");
    Suite {
        command: "cargo explore".into(),
        systems: all(),
        by_default: by_default(),
        families: vec![(FAMILY.into(), eras)],
        find: Some(find),
        about: "An era of kv_engine is named after the commit that began it. `before-` and a \
                commit is the era that it ended: kv-engine@before-mb-37702 is kv-engine@mb-36557. \
                Several systems are separated by commas; kv-engine is all the eras."
            .into(),
        shared: Some((
            "scenarios of kv_engine's tickets".into(),
            kv_engine::tickets::SCENARIOS.into(),
        )),
        ledger: Some((ledger, "models/ledger.txt".into())),
        pages: vec![crate::history::PAGE],
        help: include_str!("examples.txt").into(),
    }
}

/// The system of this name. `kv-engine@before-mb-37702` is the era before that
/// commit, and is shown under the name that was asked for.
pub fn find(name: &str) -> Option<Arc<dyn Model>> {
    match KvEngine::find(name) {
        Some(protocol) => Some(Arc::new(protocol)),
        None => all().into_iter().find(|system| system.name() == name),
    }
}
