//! All of the project's checks, in the order in which they fail fastest.

use crate::build::{cargo, root, target, Engine};
use std::time::Instant;

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

const CHECKS: &[(&str, Engine, &[&str])] = &[
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
    ("tests, server", Engine::Std, &["test", "-p", "connmap-server"]),
    ("tests, loom", Engine::Loom, &["test"]),
    ("tests, loom, release", Engine::Loom, &["test", "--release"]),
    ("tests, shuttle", Engine::Shuttle, &["test"]),
    // These choose their builds themselves.
    ("explore", Engine::Std, &["xtask", "explore"]),
    ("own crate", Engine::Std, &["xtask", "own-crate"]),
    ("explore, asked", Engine::Std, &["xtask", "asked"]),
    ("explore, generated", Engine::Std, &["xtask", "explore", "--generate", "--part", "1/500"]),
    ("explore, ledger", Engine::Std, &["xtask", "explore", "--ledger", "--check"]),
    ("explore, history", Engine::Std, &["xtask", "explore", "--history", "--check"]),
];

/// Runs every check, or those whose name begins with one of `only`; stops at
/// the first that fails.
pub(crate) fn run(only: &[String]) -> Result<(), String> {
    let chosen: Vec<_> = CHECKS
        .iter()
        .filter(|(name, ..)| only.is_empty() || only.iter().any(|o| name.starts_with(o.as_str())))
        .collect();
    if chosen.is_empty() {
        let names: Vec<_> = CHECKS.iter().map(|(name, ..)| *name).collect();
        return Err(format!("no such check; there are: {}", names.join("; ")));
    }
    let mut passed = Vec::new();
    for (name, engine, arguments) in chosen {
        println!("== {name}: cargo {}", arguments.join(" "));
        let begin = Instant::now();
        let status = cargo(&root(), &target(), *engine)
            .args(*arguments)
            .env("RUSTDOCFLAGS", "-D warnings")
            .status()
            .map_err(|error| format!("cargo does not start: {error}"))?;
        if !status.success() {
            return Err(format!("== {name}: failed ({status})"));
        }
        passed.push(format!("{name}: {:.0} s", begin.elapsed().as_secs_f64()));
    }
    println!("== all passed\n   {}", passed.join("\n   "));
    Ok(())
}
