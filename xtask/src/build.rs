//! Cargo with an engine's cfg, and the explorer built so.
//!
//! The cfg is added to the flags that are there already: an environment's
//! RUSTFLAGS replaces every configuration file's, so a cfg written in a file
//! would silently be lost, and a flag such as `-D warnings` must be kept.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a build can be made for.
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

    /// A folder of its own for each engine, so that no build discards another's.
    fn target(self, target: &Path) -> PathBuf {
        match self {
            Engine::Std => target.to_path_buf(),
            _ => target.join(self.name()),
        }
    }
}

/// `cargo` in `folder` for `engine`, building below `target`.
pub(crate) fn cargo(folder: &Path, target: &Path, engine: Engine) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder).env("CARGO_TARGET_DIR", engine.target(target));
    if engine != Engine::Std {
        add_cfg(&mut command, engine);
    }
    command
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = here.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    here.parent().map(Path::to_path_buf).unwrap_or(here)
}

/// What cargo itself ends with when it cannot build: no answer of the explorer.
pub(crate) const NOT_BUILT: u8 = 101;

/// The explorer, built for this engine; or the status to exit with.
pub(crate) fn explorer(engine: Engine) -> Result<PathBuf, ExitCode> {
    let root = root();
    let target = root.join("target");
    let mut command = cargo(&root, &target, engine);
    command
        .args(["build", "--quiet", "--release", "--package", "connmap-models"])
        .args(["--bin", "explore"])
        .stdin(Stdio::null());
    let begin = Instant::now();
    let mut child = command.spawn().map_err(|error| {
        eprintln!("cargo does not start: {error}");
        ExitCode::from(NOT_BUILT)
    })?;
    let mut told = false;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => thread::sleep(Duration::from_millis(5)),
            Err(error) => {
                eprintln!("cargo got lost: {error}");
                return Err(ExitCode::from(NOT_BUILT));
            }
        }
        if !told && begin.elapsed() > Duration::from_secs(1) {
            eprintln!("compiling the explorer for {} ...", engine.name());
            told = true;
        }
    };
    if !status.success() {
        return Err(ExitCode::from(NOT_BUILT));
    }
    let name = format!("explore{}", env::consts::EXE_SUFFIX);
    let mut directory = engine.target(&target);
    if let Some(triple) = env::var_os("CARGO_BUILD_TARGET") {
        directory.push(triple);
    }
    Ok(directory.join("release").join(name))
}

/// The flags that are in force, without any engine's cfg, and with this one's.
fn add_cfg(command: &mut Command, engine: Engine) {
    // cargo looks at the encoded variable first.
    let (variable, separator) = match env::var_os("CARGO_ENCODED_RUSTFLAGS") {
        Some(_) => ("CARGO_ENCODED_RUSTFLAGS", '\x1f'),
        None => ("RUSTFLAGS", ' '),
    };
    let flags = env::var(variable).unwrap_or_default();
    let mut kept = without_engine(flags.split(separator).filter(|flag| !flag.is_empty()));
    kept.extend(["--cfg", engine.name()]);
    command.env(variable, kept.join(&separator.to_string()));
}

fn without_engine<'a>(flags: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut kept: Vec<&str> = Vec::new();
    for flag in flags {
        let engine = ["loom", "shuttle"].contains(&flag);
        if engine && kept.last() == Some(&"--cfg") {
            kept.pop();
        } else if !["--cfg=loom", "--cfg=shuttle"].contains(&flag) {
            kept.push(flag);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::without_engine;

    #[test]
    fn other_flags_are_kept_and_engines_are_not() {
        let flags = "-D warnings --cfg loom --cfg=shuttle --cfg tokio_unstable -C debuginfo=1";
        assert_eq!(
            without_engine(flags.split(' ')).join(" "),
            "-D warnings --cfg tokio_unstable -C debuginfo=1"
        );
    }
}
