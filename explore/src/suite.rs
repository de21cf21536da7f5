//! The systems that a command explores, and their names.

use crate::command::Error;
use crate::system::Model;
use std::path::PathBuf;
use std::sync::Arc;

/// Looks a system up by its name.
pub type Find = fn(&str) -> Option<Arc<dyn Model>>;

/// The systems of a command. A scenario without a system is explored on the first.
#[derive(Clone, Default)]
pub struct Suite {
    /// How the command is started: `cargo explore`.
    pub command: String,
    /// All systems, in the order of `--list`.
    pub systems: Vec<Arc<dyn Model>>,
    /// The systems whose scenarios are explored by a command without arguments;
    /// empty: all.
    pub by_default: Vec<Arc<dyn Model>>,
    /// Names for several systems together.
    pub families: Vec<(String, Vec<Arc<dyn Model>>)>,
    /// Looks up further names.
    pub find: Option<Find>,
    /// What `--list` says of the systems' names.
    pub about: String,
    /// Scenarios that can be asked of every system by name: a heading for them, and
    /// the text of their file.
    pub shared: Option<(String, String)>,
    /// The file of `--ledger`, and its name in messages.
    pub ledger: Option<(PathBuf, String)>,
    /// Further pages, each with an option of its own.
    pub pages: Vec<Page>,
    /// Examples, for `--help`.
    pub help: String,
}

/// A page of results, which an option of its own writes or checks. Exploration is
/// deterministic, so a page can be compared.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The option, without its dashes.
    pub option: &'static str,
    /// What the page says, for `--help`.
    pub meaning: &'static str,
    /// Writes the page, or only compares it with the file (true: check). Returns the
    /// exit status.
    pub write: fn(&Arc<Suite>, bool) -> Result<u8, Error>,
}

impl Suite {
    /// The systems that a command without arguments explores.
    pub fn by_default(&self) -> &[Arc<dyn Model>] {
        match self.by_default.is_empty() {
            true => &self.systems,
            false => &self.by_default,
        }
    }

    /// The system of a scenario for which none is named: the first.
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

    /// The command that explores this system.
    pub fn command_for(&self, system: &dyn Model) -> String {
        let name = system.name();
        match self.usual().is_some_and(|usual| usual.name() == name) {
            true => self.command.clone(),
            false => format!("{} --system {name}", self.command),
        }
    }
}
