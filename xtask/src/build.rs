//! Cargo with an engine's cfg, and the explorer built so.
//!
//! The cfg is added to the flags that are there already: an environment's
//! RUSTFLAGS replaces every configuration file's, so a cfg written in a file
//! would silently be lost, and a flag such as `-D warnings` must be kept.

use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::iter;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
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
    command.current_dir(folder).env("CARGO_TARGET_DIR", engine.target(target)).env(BASE, target);
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

/// Where all of the builds are, for a test that asks `cargo explore`: its own
/// CARGO_TARGET_DIR is that of an engine.
const BASE: &str = "CONNMAP_TARGET";

/// Where cargo builds: as the user's CARGO_TARGET_DIR has it, or below the root.
pub(crate) fn target() -> PathBuf {
    let folder = env::var_os(BASE).or_else(|| env::var_os("CARGO_TARGET_DIR"));
    target_of(folder, &env::current_dir().unwrap_or_default(), &root())
}

/// A relative folder is below `here`, where the user is; cargo is started elsewhere.
fn target_of(variable: Option<OsString>, here: &Path, root: &Path) -> PathBuf {
    match variable {
        Some(folder) if !folder.is_empty() => here.join(folder),
        _ => root.join("target"),
    }
}

/// The explorer, built for this engine; or the status to exit with.
///
/// A build that is done within a second says nothing. One that takes longer
/// says what cargo says: what it compiles, or that it waits for another cargo.
pub(crate) fn explorer(engine: Engine) -> Result<PathBuf, ExitCode> {
    let target = target();
    let mut command = cargo(&root(), &target, engine);
    command
        .args(["build", "--release", "--package", "connmap-models", "--bin", "explore"])
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    if io::stderr().is_terminal() && env::var_os("CARGO_TERM_COLOR").is_none() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let mut child = command.spawn().map_err(|error| {
        eprintln!("cargo does not start: {error}");
        ExitCode::from(NOT_BUILT)
    })?;
    let unsaid = child.stderr.take().map_or(Vec::new(), |stderr| {
        let about = format!("building the explorer for {} ...", engine.name());
        pass_on(stderr, &mut io::stderr(), &about, PATIENCE)
    });
    let status = child.wait().map_err(|error| {
        eprintln!("cargo got lost: {error}");
        ExitCode::from(NOT_BUILT)
    })?;
    if !status.success() {
        unsaid.iter().for_each(|line| eprintln!("{line}"));
        return Err(ExitCode::from(NOT_BUILT));
    }
    let name = format!("explore{}", env::consts::EXE_SUFFIX);
    let mut directory = engine.target(&target);
    if let Some(triple) = env::var_os("CARGO_BUILD_TARGET") {
        directory.push(triple);
    }
    Ok(directory.join("release").join(name))
}

/// How long a build may be silent.
const PATIENCE: Duration = Duration::from_secs(1);

/// Passes on what cargo says of a build, once the build has lasted too long for
/// silence, with what it is `about` before it; answers what was not passed on.
fn pass_on(
    said: impl Read + Send + 'static,
    to: &mut impl Write,
    about: &str,
    patience: Duration,
) -> Vec<String> {
    let begin = Instant::now();
    let lines = lines_of(said);
    let mut kept = Vec::new();
    loop {
        match lines.recv_timeout(patience.saturating_sub(begin.elapsed())) {
            Ok(line) => kept.push(line),
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => return kept,
        }
    }
    let lines = iter::once(about.to_owned()).chain(kept.drain(..)).chain(lines);
    // Who closed the terminal does not want to know; the build goes on.
    lines.for_each(|line| drop(writeln!(to, "{line}")));
    Vec::new()
}

/// The lines of a stream as they come, from a thread that ends with the stream.
fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (send, lines) = mpsc::channel();
    thread::spawn(move || {
        let lines = BufReader::new(stream).lines().map_while(Result::ok);
        // Who listens does so to the end.
        lines.for_each(|line| drop(send.send(line)));
    });
    lines
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
    use super::{cargo, pass_on, root, target, target_of, without_engine, Engine};
    use std::io::{self, Read};
    use std::path::Path;
    use std::sync::mpsc::{self, Receiver};
    use std::time::Duration;

    /// Says a line, and ends when it is told to.
    struct Build(&'static [u8], Receiver<()>);

    impl Read for Build {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                let _ = self.1.recv();
            }
            self.0.read(buffer)
        }
    }

    #[test]
    fn a_build_that_waits_says_for_what_before_it_ends() {
        struct Terminal(Vec<u8>, Option<mpsc::Sender<()>>);
        impl io::Write for Terminal {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.extend_from_slice(bytes);
                // The build goes on only when it was seen to wait.
                if String::from_utf8_lossy(&self.0).contains("Blocking") {
                    self.1 = None;
                }
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (end, ended) = mpsc::channel();
        let mut terminal = Terminal(Vec::new(), Some(end));
        let build = Build(b"    Blocking waiting for file lock\n", ended);
        let unsaid = pass_on(build, &mut terminal, "building ...", Duration::ZERO);
        assert!(unsaid.is_empty());
        let said = String::from_utf8(terminal.0).unwrap();
        assert_eq!(said, "building ...\n    Blocking waiting for file lock\n");
    }

    #[test]
    fn a_build_that_is_done_at_once_is_silent() {
        let (_, ended) = mpsc::channel();
        let mut terminal = Vec::new();
        let build = Build(b"    Finished\n", ended);
        let unsaid = pass_on(build, &mut terminal, "building ...", Duration::from_secs(3600));
        assert_eq!((unsaid, terminal), (vec!["    Finished".to_owned()], Vec::new()));
    }

    #[test]
    fn the_users_target_folder_is_respected() {
        let (here, root) = (Path::new("/here"), Path::new("/root"));
        assert_eq!(target_of(None, here, root), Path::new("/root/target"));
        assert_eq!(target_of(Some("".into()), here, root), Path::new("/root/target"));
        assert_eq!(target_of(Some("/built".into()), here, root), Path::new("/built"));
        assert_eq!(target_of(Some("built".into()), here, root), Path::new("/here/built"));
    }

    /// What an engine's tests are made of is compiled for each engine, so that it is to
    /// be little: no command line parser, and nothing that only native tests need.
    #[test]
    fn an_engines_build_compiles_little() {
        let packages = ["connmap", "orderings", "connmap-models", "connmap-loom-tests"];
        for engine in [Engine::Loom, Engine::Shuttle] {
            let mut tree = cargo(&root(), &target(), engine);
            tree.args(["tree", "--offline", "--prefix", "none", "--edges", "normal,build,dev"]);
            for package in packages {
                tree.args(["--package", package]);
            }
            let output = tree.output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            let has = |name: &str| said.lines().any(|line| line.split(' ').next() == Some(name));
            assert!(has("lexopt") && has("connmap"), "{said}");
            assert_eq!(has("loom"), engine == Engine::Loom, "{said}");
            for heavy in ["clap", "proptest", "insta", "libtest-mimic"] {
                assert!(!has(heavy), "{engine:?} has {heavy}");
            }
        }
    }

    #[test]
    fn other_flags_are_kept_and_engines_are_not() {
        let flags = "-D warnings --cfg loom --cfg=shuttle --cfg tokio_unstable -C debuginfo=1";
        assert_eq!(
            without_engine(flags.split(' ')).join(" "),
            "-D warnings --cfg tokio_unstable -C debuginfo=1"
        );
    }
}
