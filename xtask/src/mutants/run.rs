//! Runs a test binary with a mutant chosen, for no longer than a deadline, and
//! says what failed.

use super::instrument::VARIABLE;
use crate::build::{cargo, Engine};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a mutant is run against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Check {
    /// The native tests.
    Std,
    /// The scenarios under loom.
    Loom,
    /// The scenarios under shuttle-dpor.
    Dpor,
    /// Generated scenarios, under shuttle-dpor.
    Generated,
}

impl Check {
    pub(super) const ALL: [Check; 4] = [Check::Dpor, Check::Generated, Check::Loom, Check::Std];

    pub(super) fn name(self) -> &'static str {
        match self {
            Check::Std => "std",
            Check::Loom => "loom",
            Check::Dpor => "dpor",
            Check::Generated => "generated",
        }
    }

    /// How long it may take; the sound core takes a tenth of it.
    fn deadline(self) -> Duration {
        Duration::from_secs(match self {
            Check::Std => 60,
            Check::Loom => 120,
            Check::Dpor | Check::Generated => 90,
        })
    }
}

/// Which part of the generated scenarios a mutant is run against.
const PART: &str = "1/2000";

/// The binaries of one check, and what they are started with.
pub(super) struct Binaries {
    pub(super) check: Check,
    binaries: Vec<PathBuf>,
}

/// Builds what a check runs.
pub(super) fn build(tree: &Path, target: &Path, check: Check) -> Result<Binaries, String> {
    let engine = match check {
        Check::Std => Engine::Std,
        Check::Loom => Engine::Loom,
        Check::Dpor | Check::Generated => Engine::Shuttle,
    };
    let mut command = cargo(tree, target, engine);
    match check {
        Check::Std => command.args(["test", "-p", "connmap", "--no-run", "--lib", "--tests"]),
        Check::Loom | Check::Dpor => command.args([
            "test",
            "--release",
            "-p",
            "connmap-loom-tests",
            "--no-run",
            "--test",
            engine.name(),
        ]),
        Check::Generated => {
            command.args(["build", "--release", "-p", "connmap-models", "--bin", "explore"])
        }
    };
    let output = command.args(["--message-format", "json"]).output();
    let output = output.map_err(|error| format!("cargo does not start: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = said.lines().filter(|line| line.contains("\"level\":\"error\""));
        let errors = errors.filter_map(|line| field(line, "\"rendered\":\"")).take(10);
        let errors: Vec<String> = errors.map(|text| text.replace("\\n", "\n")).collect();
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{} does not compile\n{}\n{said}", check.name(), errors.join("\n")));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let binaries = said.lines().filter_map(|line| field(line, "\"executable\":\""));
    let binaries: Vec<PathBuf> = binaries.map(PathBuf::from).collect();
    if binaries.is_empty() {
        return Err(format!("{}: nothing was built", check.name()));
    }
    Ok(Binaries { check, binaries })
}

/// The text behind `key`, up to the quote.
fn field(line: &str, key: &str) -> Option<String> {
    let rest = &line[line.find(key)? + key.len()..];
    let (mut text, mut escaped) = (String::new(), false);
    for letter in rest.chars() {
        match letter {
            '"' if !escaped => return Some(text),
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            'n' if escaped => text.push('\n'),
            letter => text.push(letter),
        }
        escaped = false;
    }
    None
}

impl Binaries {
    /// What fails with this mutant; `None` when nothing does. With `only`,
    /// nothing but the test of that name is run.
    pub(super) fn killer(
        &self,
        number: usize,
        only: Option<&str>,
        log: &Path,
    ) -> Result<Option<String>, String> {
        for binary in &self.binaries {
            if let Some(killer) = self.killed_by(binary, number, only, log)? {
                return Ok(Some(killer));
            }
        }
        Ok(None)
    }

    fn killed_by(
        &self,
        binary: &Path,
        number: usize,
        only: Option<&str>,
        log: &Path,
    ) -> Result<Option<String>, String> {
        let mut command = Command::new(binary);
        match self.check {
            Check::Std => command.args(["--test-threads", "2"]),
            Check::Loom => &mut command,
            Check::Dpor => command.args(["--skip", "cross-checked"]),
            Check::Generated => command.args(["--generate", "--workers", "1", "--part", PART]),
        };
        if let Some(only) = only.filter(|_| self.check != Check::Generated) {
            command.args(["--exact", only]);
        }
        let failed = |error: std::io::Error| format!("{}: {error}", log.display());
        let file = File::create(log).map_err(failed)?;
        let copy = file.try_clone().map_err(failed)?;
        command
            .env(VARIABLE, number.to_string())
            .env("CONNMAP_STOP_AT_FIRST", "1")
            .env("RUST_BACKTRACE", "0")
            .env("PROPTEST_MAX_SHRINK_TIME", "1")
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(copy);
        let mut child =
            command.spawn().map_err(|error| format!("{}: {error}", binary.display()))?;
        let deadline = Instant::now() + self.check.deadline();
        let status = loop {
            if let Some(status) = child.try_wait().map_err(failed)? {
                break Some(status);
            }
            if Instant::now() > deadline {
                child.kill().map_err(failed)?;
                child.wait().map_err(failed)?;
                break None;
            }
            thread::sleep(Duration::from_millis(5));
        };
        if status.is_some_and(|status| status.success()) {
            return Ok(None);
        }
        let said = std::fs::read(log).map_err(failed)?;
        let said = String::from_utf8_lossy(&said);
        let name = said.lines().find_map(failed_test).or_else(|| failed_scenario(&said));
        let last = said.lines().rev().find_map(|line| line.strip_prefix("exploring: "));
        let name = name.or(last).unwrap_or(self.check.name());
        Ok(Some(match status {
            Some(_) => name.to_owned(),
            None => format!("{name} (deadline)"),
        }))
    }
}

/// The name of the test that this line says has failed.
fn failed_test(line: &str) -> Option<&str> {
    line.strip_prefix("failed: ")
        .or_else(|| line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")))
}

/// The first of the failures that the generator lists.
fn failed_scenario(said: &str) -> Option<&str> {
    let mut lines = said.lines().skip_while(|line| !line.starts_with("verdict "));
    lines.nth(1).map(str::trim)
}
