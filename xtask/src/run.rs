//! Cargo as a child process, once for each engine's build.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The build that a command is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Std,
    Loom,
    Shuttle,
}

impl Engine {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Engine::Std => "std",
            Engine::Loom => "loom",
            Engine::Shuttle => "shuttle",
        }
    }
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// `cargo` in `folder` for `engine`: its cfg is added to what `RUSTFLAGS` says
/// already (the variable would override a flag from a configuration file), and
/// it has a target folder of its own, so that no build discards another's.
pub(crate) fn cargo(folder: &Path, target: &Path, engine: Engine) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder).env("CARGO_TARGET_DIR", target.join(engine.name()));
    if engine != Engine::Std {
        let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
        command.env("RUSTFLAGS", format!("{flags} --cfg {}", engine.name()).trim());
    }
    command
}
