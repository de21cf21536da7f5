//! Runs a test binary with a mutant chosen, until something fails and for no
//! longer than a deadline, and says what failed.

use super::instrument::VARIABLE;
use super::seen::DEADLINE;
use crate::build::{cargo, root, Engine};
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
    /// The explorer's own tests, for its own mutants.
    Explorer,
}

impl Check {
    pub(super) fn name(self) -> &'static str {
        match self {
            Check::Std => "std",
            Check::Loom => "loom",
            Check::Dpor => "dpor",
            Check::Generated => "generated",
            Check::Explorer => "explorer",
        }
    }

    /// How long a mutant may take, as long as it is not known how long what is sound does.
    fn deadline(self) -> Duration {
        match self {
            Check::Explorer => DEADLINE_OF_AN_EXPLORER,
            _ => DEADLINE_OF_A_MUTANT,
        }
    }

    fn engine(self) -> Engine {
        match self {
            Check::Std | Check::Explorer => Engine::Std,
            Check::Loom => Engine::Loom,
            Check::Dpor | Check::Generated => Engine::Shuttle,
        }
    }
}

/// How long a mutant may take, which some make hang, where it is not known how
/// long the sound core takes; and the least that it may take anywhere.
const DEADLINE_OF_A_MUTANT: Duration = Duration::from_secs(60);
const LEAST: Duration = Duration::from_secs(10);

/// A mutant may take so many times what the sound core takes, which had the machine
/// to itself.
const TIMES: u32 = 5;

/// The same for the explorer's tests, all of which are run.
const DEADLINE_OF_AN_EXPLORER: Duration = Duration::from_secs(600);

/// How long the sound core may take, on a machine that does other things, too.
const DEADLINE_OF_THE_SOUND: Duration = Duration::from_secs(1200);

/// Which part of the generated scenarios of three calls a mutant is run against.
pub(super) const PART: &str = "1/600";

/// loom runs each mutant against those scenarios in which it has no more
/// executions than this, and whichever shuttle-dpor saw it by.
pub(super) const QUICK: u64 = 3_000;

/// What a binary is started for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tests {
    All,
    /// All of the explorer's but for [`LONG`], or those alone.
    Short,
    Long,
}

/// The tests of the explorer that take longest: most mutants are seen before these begin.
const LONG: &[&str] = &["brute_force::", "random_programs", "a_million"];

/// One way to start a binary, and how long a mutant may take there.
struct Run {
    binary: PathBuf,
    tests: Tests,
    deadline: Duration,
}

impl Run {
    /// Whether it may be the one in which a test of this name is run.
    fn has(&self, name: &str) -> bool {
        let long = LONG.iter().any(|of| name.contains(of));
        match self.tests {
            Tests::All => true,
            Tests::Short => !long,
            Tests::Long => long,
        }
    }
}

/// The binaries of one check, and what they are started with.
pub(super) struct Binaries {
    pub(super) check: Check,
    /// Those that take longest come last.
    runs: Vec<Run>,
    /// Tests that take too long to be run for each mutant.
    slow: Vec<String>,
}

/// Builds what a check runs.
pub(super) fn build(tree: &Path, target: &Path, check: Check) -> Result<Binaries, String> {
    let engine = check.engine();
    let mut command = cargo(tree, target, engine);
    match check {
        Check::Std => command.args(["test", "-p", "connmap", "--no-run", "--lib", "--tests"]),
        Check::Explorer => {
            command.args(["test", "-p", "shuttle-dpor", "--no-run", "--test", "suite"])
        }
        Check::Loom | Check::Dpor | Check::Generated => command.args([
            "test",
            "--release",
            // Its own checks, as of the order of its locks, are part of what fails.
            "--config",
            "profile.release.package.connmap.debug-assertions=true",
            "-p",
            "connmap-loom-tests",
            "--no-run",
            "--test",
            engine.name(),
        ]),
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
    let mut binaries: Vec<PathBuf> = binaries.map(PathBuf::from).collect();
    if binaries.is_empty() {
        return Err(format!("{}: nothing was built", check.name()));
    }
    binaries.sort();
    let slow = match check {
        Check::Loom => slow(&super::read(&root().join("models/ledger.txt"))?),
        _ => Vec::new(),
    };
    let tests: &[Tests] = match check {
        Check::Explorer => &[Tests::Short, Tests::Long],
        _ => &[Tests::All],
    };
    let run = |binary: PathBuf| {
        let deadline = check.deadline();
        tests.iter().map(move |&tests| Run { binary: binary.clone(), tests, deadline })
    };
    Ok(Binaries { check, runs: binaries.into_iter().flat_map(run).collect(), slow })
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

/// What a mutant is run against when what saw it before does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Nothing,
    /// All but for [`SLOW`].
    Quick,
    All,
}

/// The native tests that take longer than all others together. What an exploration
/// sees is not run against them.
pub(super) const SLOW: &str = "scale";

fn is_slow(binary: &Path) -> bool {
    let name = binary.file_name().unwrap_or_default().to_string_lossy();
    name.rsplit_once('-').is_some_and(|(name, _)| name == SLOW)
}

/// How a run of one binary ended.
enum Ended {
    Passed,
    Failed(String),
    /// Killed, at the deadline.
    Late(String),
}

impl Binaries {
    /// Fails if anything does without a mutant; measures how long each run takes, and says so.
    pub(super) fn is_sound(&mut self, log: &Path) -> Result<String, String> {
        let mut took = Vec::new();
        for run in &self.runs {
            let begin = Instant::now();
            match self.start(run, 0, None, DEADLINE_OF_THE_SOUND, log)? {
                Ended::Passed => {}
                Ended::Failed(name) | Ended::Late(name) => {
                    return Err(format!("{}: {name} fails without a mutant", self.check.name()));
                }
            }
            took.push(begin.elapsed());
        }
        let took: Vec<String> = took.iter().map(|took| took.as_millis().to_string()).collect();
        let took = took.join(" ");
        self.take(&took);
        Ok(took)
    }

    /// How long each run takes, as [`is_sound`](Self::is_sound) has said: if it is about these, it says how
    /// long a mutant may.
    pub(super) fn take(&mut self, took: &str) -> bool {
        let took: Option<Vec<u64>> = took.split(' ').map(|text| text.parse().ok()).collect();
        let Some(took) = took.filter(|took| took.len() == self.runs.len()) else { return false };
        for (run, took) in self.runs.iter_mut().zip(took) {
            run.deadline = LEAST.max(TIMES * Duration::from_millis(took));
        }
        self.runs.sort_by_key(|run| run.deadline);
        true
    }

    /// What fails with this mutant; `None` when nothing does. `first` is tried
    /// before the rest, or with [`Rest::Nothing`], alone.
    pub(super) fn killer(
        &self,
        number: usize,
        first: Option<String>,
        rest: Rest,
        log: &Path,
    ) -> Result<Option<String>, String> {
        let one = first.is_some().then_some(first.as_deref());
        for only in one.into_iter().chain((rest != Rest::Nothing).then_some(None)) {
            for run in &self.runs {
                let skip = match only {
                    Some(name) => !run.has(name),
                    None => rest == Rest::Quick && is_slow(&run.binary),
                };
                if skip {
                    continue;
                }
                match self.start(run, number, only, run.deadline, log)? {
                    Ended::Passed => {}
                    Ended::Failed(name) => return Ok(Some(name)),
                    Ended::Late(name) => return Ok(Some(name + DEADLINE)),
                }
            }
        }
        Ok(None)
    }

    fn command(&self, run: &Run, only: Option<&str>) -> Command {
        let mut command = Command::new(&run.binary);
        match self.check {
            Check::Std | Check::Explorer => drop(command.args(["--test-threads", "2"])),
            Check::Loom => {}
            Check::Dpor => drop(command.args(["--skip", "cross-checked"])),
            Check::Generated => drop(command.env("CONNMAP_GENERATED", PART)),
        };
        match only {
            // Beside `--exact` the name to skip would be a whole one.
            Some(only) => drop(command.args(["--exact", only])),
            None if !self.slow.is_empty() => {
                command.arg("--exact");
                command.args(self.slow.iter().flat_map(|name| ["--skip", name]));
            }
            None => match run.tests {
                Tests::All => {}
                Tests::Short => drop(command.args(LONG.iter().flat_map(|name| ["--skip", name]))),
                Tests::Long => drop(command.args(LONG)),
            },
        }
        command
            .env("CONNMAP_STOP_AT_FIRST", "1")
            .env("RUST_BACKTRACE", "0")
            .env("PROPTEST_MAX_SHRINK_TIME", "1")
            .stdin(Stdio::null());
        command
    }

    fn start(
        &self,
        run: &Run,
        number: usize,
        only: Option<&str>,
        deadline: Duration,
        log: &Path,
    ) -> Result<Ended, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", log.display());
        let file = File::create(log).map_err(failed)?;
        let copy = file.try_clone().map_err(failed)?;
        let mut command = self.command(run, only);
        command.env(VARIABLE, number.to_string()).stdout(file).stderr(copy);
        let mut child =
            command.spawn().map_err(|error| format!("{}: {error}", run.binary.display()))?;
        let begin = Instant::now();
        let said = || std::fs::read(log).map(|said| String::from_utf8_lossy(&said).into_owned());
        loop {
            if let Some(status) = child.try_wait().map_err(failed)? {
                if status.success() {
                    return Ok(Ended::Passed);
                }
                return Ok(Ended::Failed(self.name(&said().map_err(failed)?)));
            }
            let said = said().map_err(failed)?;
            let late = begin.elapsed() > deadline;
            if late || said.lines().any(|line| failed_test(line).is_some()) {
                // It may have ended by itself meanwhile.
                let _ = child.kill();
                child.wait().map_err(failed)?;
                let name = self.name(&said);
                return Ok(if late { Ended::Late(name) } else { Ended::Failed(name) });
            }
            // Seldom, where what it waits for takes long.
            thread::sleep((begin.elapsed() / 20).clamp(MILLISECOND, 100 * MILLISECOND));
        }
    }

    /// What has failed, as far as the binary said.
    fn name<'s>(&self, said: &'s str) -> String {
        let explored = |line: &'s str| line.split_once("exploring: ").map(|(_, name)| name);
        let last = || said.lines().rev().find_map(explored);
        let slow = || said.lines().find_map(slow_test);
        let name = said.lines().find_map(failed_test).or_else(last).or_else(slow);
        name.unwrap_or(self.check.name()).to_owned()
    }
}

const MILLISECOND: Duration = Duration::from_millis(1);

/// The name of the test that this line says has failed.
fn failed_test(line: &str) -> Option<&str> {
    line.strip_prefix("failed: ")
        .or_else(|| line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")))
}

/// The name of the test that this line says takes long.
fn slow_test(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("test ")?;
    rest.strip_suffix(" has been running for over 60 seconds")
}

/// The scenarios of the core in which loom has more executions, by the ledger.
fn slow(ledger: &str) -> Vec<String> {
    let (mut slow, mut name) = (Vec::new(), "");
    for line in ledger.lines() {
        if let Some(scenario) = line.strip_prefix("core: ") {
            name = scenario;
        }
        let Some(figures) = line.trim_start().strip_prefix("loom: complete, ") else { continue };
        let executions = figures.split_whitespace().next().unwrap_or_default().replace(',', "");
        if executions.parse::<u64>().is_ok_and(|executions| executions > QUICK) {
            slow.push(name.to_owned());
        }
    }
    slow
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_read_from_what_was_said() {
        assert_eq!(failed_test("test a::b ... FAILED"), Some("a::b"));
        assert_eq!(failed_test("failed: { step } step | step"), Some("{ step } step | step"));
        assert_eq!(failed_test("test a ... ok"), None);
        assert_eq!(slow_test("test a::b has been running for over 60 seconds"), Some("a::b"));
    }

    #[test]
    fn what_is_slow_is_read_from_the_ledger() {
        let ledger = "core: a\n    dpor: complete, 9,999 orderings\n    loom: complete, 12,558 \
                      executions\n\ncore: b\n    loom: complete, 500 executions\n";
        assert_eq!(slow(ledger), ["a"]);
    }
}
