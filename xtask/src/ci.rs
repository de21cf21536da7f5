//! All of the project's checks, in the order in which they fail fastest.

use crate::build::{cargo, root, target, Engine};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

/// A name, what it is built for, and cargo's arguments.
type Check = (&'static str, Engine, &'static [&'static str]);

/// The lints of what an engine's cfg changes.
const LINTS: &[&str] = &[
    "clippy",
    "-p",
    "connmap",
    "-p",
    "connmap-models",
    "-p",
    "orderings",
    "-p",
    "connmap-loom-tests",
    "--all-targets",
    "--",
    "-D",
    "warnings",
];

/// The package named loom is outside of the workspace.
const NAMED: &str = "dpor/loom/Cargo.toml";

const CHECKS: &[Check] = &[
    ("formatting", Engine::Std, &["fmt", "--all", "--check"]),
    ("formatting, dpor/loom", Engine::Std, &["fmt", "--manifest-path", NAMED, "--check"]),
    ("lints", Engine::Std, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    ("lints, loom", Engine::Loom, LINTS),
    ("lints, shuttle", Engine::Shuttle, LINTS),
    ("documentation", Engine::Std, &["doc", "--workspace", "--no-deps"]),
    ("tests, std", Engine::Std, &["test"]),
    ("tests, shuttle-dpor", Engine::Std, &["test", "-p", "shuttle-dpor", "-p", "xtask"]),
    ("tests, dpor/loom", Engine::Std, &["test", "--manifest-path", NAMED, "--features", "futures"]),
    (
        "lints, dpor/loom",
        Engine::Std,
        &[
            "clippy",
            "--manifest-path",
            NAMED,
            "--features",
            "futures",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
    ),
    ("peers", Engine::Std, &["xtask", "peers", "parking"]),
    ("tests, server", Engine::Std, &["test", "-p", "connmap-server", "-p", "async-front-end"]),
    ("tests, loom", Engine::Loom, &["test"]),
    ("tests, loom, release", Engine::Loom, &["test", "--release"]),
    ("tests, shuttle", Engine::Shuttle, &["test"]),
    // These choose their builds themselves.
    ("explore", Engine::Std, &["xtask", "explore"]),
    ("instructions", Engine::Std, &["xtask", "instructions"]),
    ("own crate", Engine::Std, &["xtask", "own-crate"]),
    ("explore, asked", Engine::Std, &["xtask", "asked"]),
    ("explore, generated", Engine::Std, &["xtask", "explore", "--generate", "--part", "1/200"]),
    ("mutants", Engine::Std, &["xtask", "mutants", "--check"]),
    ("explore, ledger", Engine::Std, &["xtask", "explore", "--ledger", "--check"]),
    ("explore, history", Engine::Std, &["xtask", "explore", "--history", "--check"]),
];

/// How many checks run at once: while one compiles, the other's tests, most of
/// which are one thread's work, do not leave a processor idle.
const LANES: usize = 2;

/// Runs every check, or those whose name begins with one of `only`; begins none
/// after the first that fails.
pub(crate) fn run(only: &[String]) -> Result<(), String> {
    let chosen: Vec<_> = CHECKS
        .iter()
        .filter(|(name, ..)| only.is_empty() || only.iter().any(|o| name.starts_with(o.as_str())))
        .collect();
    match chosen[..] {
        [] => {
            let names: Vec<_> = CHECKS.iter().map(|(name, ..)| *name).collect();
            Err(format!("no such check; there are: {}", names.join("; ")))
        }
        [check] => {
            println!("{}", title(check));
            ended(check, Instant::now(), command(check).status())
        }
        _ => side_by_side(chosen),
    }
}

fn title((name, _, arguments): &Check) -> String {
    format!("== {name}: cargo {}", arguments.join(" "))
}

fn command((_, engine, arguments): &Check) -> Command {
    let mut command = cargo(&root(), &target(), *engine);
    command.args(*arguments).env("RUSTDOCFLAGS", "-D warnings");
    command
}

fn ended((name, ..): &Check, begin: Instant, status: io::Result<ExitStatus>) -> Result<(), String> {
    match status {
        Ok(status) if status.success() => {
            println!("== {name}: passed in {:.0} s", begin.elapsed().as_secs_f64());
            Ok(())
        }
        Ok(status) => Err(format!("== {name}: failed ({status})")),
        Err(error) => Err(format!("== {name}: cargo does not start: {error}")),
    }
}

/// What each of `checks` prints comes in one piece, when it has ended; the
/// failure's comes last.
fn side_by_side(checks: Vec<&'static Check>) -> Result<(), String> {
    let logs = target().join("ci");
    fs::create_dir_all(&logs).map_err(|error| format!("{}: {error}", logs.display()))?;
    let begin = Instant::now();
    let plan = Mutex::new(Plan { waiting: checks, running: Vec::new(), failed: Vec::new() });
    thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                let next = || lock(&plan).next();
                while let Some(check) = next() {
                    println!("== {}: begins", check.0);
                    let log = logs.join(check.0.replace([',', ' ', '/'], "-"));
                    let begin = Instant::now();
                    let status = into_file(&mut command(check), &log);
                    // One at a time prints.
                    let mut plan = lock(&plan);
                    let said = fs::read(&log).unwrap_or_default();
                    let said = format!("{}\n{}", title(check), String::from_utf8_lossy(&said));
                    match ended(check, begin, status) {
                        Ok(()) => println!("{said}"),
                        Err(failure) => plan.failed.push(format!("{said}\n{failure}")),
                    }
                    plan.running.retain(|running| running.0 != check.0);
                }
            });
        }
    });
    let failed = lock(&plan).failed.join("\n");
    if failed.is_empty() {
        println!("== all passed in {:.0} s", begin.elapsed().as_secs_f64());
        Ok(())
    } else {
        Err(failed)
    }
}

fn into_file(command: &mut Command, log: &Path) -> io::Result<ExitStatus> {
    let file = File::create(log)?;
    command.stdin(Stdio::null()).stderr(file.try_clone()?).stdout(file).status()
}

struct Plan {
    waiting: Vec<&'static Check>,
    running: Vec<&'static Check>,
    /// What the checks that failed have to say.
    failed: Vec<String>,
}

impl Plan {
    /// The first that builds where no other does, as cargo locks its folder while
    /// it compiles; or the first.
    fn next(&mut self) -> Option<&'static Check> {
        if !self.failed.is_empty() || self.waiting.is_empty() {
            return None;
        }
        let free = |check: &&Check| self.running.iter().all(|running| running.1 != check.1);
        let next = self.waiting.remove(self.waiting.iter().position(free).unwrap_or(0));
        self.running.push(next);
        Some(next)
    }
}

fn lock(plan: &Mutex<Plan>) -> MutexGuard<'_, Plan> {
    plan.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Check, Engine, Plan};

    static CHECKS: [Check; 3] =
        [("one", Engine::Std, &[]), ("two", Engine::Std, &[]), ("three", Engine::Loom, &[])];

    #[test]
    fn what_builds_elsewhere_goes_first_and_nothing_after_a_failure() {
        let (running, failed) = (Vec::new(), Vec::new());
        let mut plan = Plan { waiting: CHECKS.iter().collect(), running, failed };
        let next = |plan: &mut Plan| plan.next().map(|check| check.0);
        assert_eq!(next(&mut plan), Some("one"));
        assert_eq!(next(&mut plan), Some("three"));
        plan.running.clear();
        plan.failed.push("three".to_owned());
        assert_eq!(next(&mut plan), None);
        plan.failed.clear();
        assert_eq!(next(&mut plan), Some("two"));
        assert_eq!(next(&mut plan), None);
    }
}
