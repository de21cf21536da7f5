//! `examples/own-crate` as its owner would use it: its tests, its command, what
//! it generates, and an ordering run again; and its tests by cargo-nextest, where that
//! is installed, with the report that a CI server reads.

use crate::build::{cargo, root, Engine};
use std::process::Output;

pub(crate) fn run() -> Result<(), String> {
    asked(&["test", "--quiet"], 0, "")?;
    nextest()?;
    asked(&["run", "--quiet"], 0, "VIOLATED, as expected")?;
    asked(
        &["run", "--quiet", "--", "--generate"],
        1,
        "the smallest that fails\n\nclose | checkout\n",
    )?;
    let race = ["run", "--quiet", "--", "close | checkout"];
    let text = asked(&race, 1, "violated: closed-is-empty")?;
    let token = text.split("--replay ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let token = token.ok_or_else(|| format!("no ordering is to be run again:\n{text}"))?;
    asked(&[&race[..], &["--replay", token]].concat(), 1, "checkout: checked out")?;
    Ok(())
}

/// The same tests, and what they have reported.
fn nextest() -> Result<(), String> {
    let (root, target) = (root(), root().join("target"));
    let folder = root.join("examples/own-crate");
    let version = cargo(&folder, &target, Engine::Std).args(["nextest", "--version"]).output();
    if !version.is_ok_and(|output| output.status.success()) {
        println!("own-crate: cargo-nextest is not installed, and was not tried");
        return Ok(());
    }
    asked(&["nextest", "run"], 0, "3 tests run: 3 passed")?;
    // nextest's own folder is below the workspace, wherever cargo builds.
    let report = folder.join("target/nextest/default/junit.xml");
    let said = std::fs::read_to_string(&report)
        .map_err(|error| format!("{}: {error}", report.display()))?;
    let name = "<testcase name=\"the_pool_is_as_its_scenarios_say\"";
    match said.contains(name) && said.contains("failures=\"0\"") {
        true => Ok(()),
        false => Err(format!("{name} is not in the report:\n{said}")),
    }
}

/// What cargo says there, if it ends as it should.
fn asked(arguments: &[&str], status: i32, said: &str) -> Result<String, String> {
    let root = root();
    let output = cargo(&root.join("examples/own-crate"), &root.join("target"), Engine::Std)
        .args(arguments)
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    let text = text(&output);
    if output.status.code() == Some(status) && text.contains(said) {
        println!("own-crate: cargo {}: {status}", arguments.join(" "));
        return Ok(text);
    }
    Err(format!(
        "cargo {}: {}, and not {status} and `{said}`\n{text}",
        arguments.join(" "),
        output.status
    ))
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}
