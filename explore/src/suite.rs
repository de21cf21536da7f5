//! What a command explores: systems, and how they are called.

use crate::command::Error;
use crate::system::Model;
use std::path::PathBuf;
use std::sync::Arc;

/// The system of a name, if there is one.
pub type Find = fn(&str) -> Option<Arc<dyn Model>>;

/// The systems of a command. What a scenario does not name is the first of them.
#[derive(Clone, Default)]
pub struct Suite {
    /// How the command is started: `cargo explore`.
    pub command: String,
    /// All of them, as `--list` tells them.
    pub systems: Vec<Arc<dyn Model>>,
    /// Those whose scenarios are explored when nothing is asked; empty: all.
    pub by_default: Vec<Arc<dyn Model>>,
    /// Several systems under one name.
    pub families: Vec<(String, Vec<Arc<dyn Model>>)>,
    /// Systems that go by further names.
    pub find: Option<Find>,
    /// What `--list` says of the systems' names.
    pub about: String,
    /// Scenarios that any of the systems knows by name: what they are, and the
    /// text of their file.
    pub shared: Option<(String, String)>,
    /// Where `--ledger` is written, and how that is called.
    pub ledger: Option<(PathBuf, String)>,
    /// Further pages.
    pub pages: Vec<Page>,
    /// Examples, for `--help`.
    pub help: String,
}

/// A page of what was explored, which is written, or checked, by an option of its
/// own. Exploration is deterministic, so a page can be compared.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The option, without its dashes.
    pub option: &'static str,
    /// What the page says, for `--help`.
    pub meaning: &'static str,
    /// Writes the page; or, asked to check, compares it only. Answers the exit
    /// status.
    pub write: fn(&Arc<Suite>, bool) -> Result<u8, Error>,
}

impl Suite {
    /// What is explored when nothing in particular is asked for.
    pub fn by_default(&self) -> &[Arc<dyn Model>] {
        match self.by_default.is_empty() {
            true => &self.systems,
            false => &self.by_default,
        }
    }

    /// The system that goes without saying.
    pub fn usual(&self) -> Option<&Arc<dyn Model>> {
        self.systems.first()
    }

    /// The system of this name.
    pub fn find(&self, name: &str) -> Option<Arc<dyn Model>> {
        let known = self.systems.iter().find(|system| system.name() == name).cloned();
        known.or_else(|| self.find.and_then(|find| find(name)))
    }

    /// The systems of a family.
    pub fn family(&self, name: &str) -> &[Arc<dyn Model>] {
        let family = self.families.iter().find(|(known, _)| known == name);
        family.map_or(&[], |(_, systems)| systems)
    }

    /// The command that asks the same of this system.
    pub fn command_for(&self, system: &dyn Model) -> String {
        let name = system.name();
        match self.usual().is_some_and(|usual| usual.name() == name) {
            true => self.command.clone(),
            false => format!("{} --system {name}", self.command),
        }
    }
}
