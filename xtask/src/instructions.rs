//! What an execution of the explorer costs, in instructions: a figure that does not depend on what else
//! the machine does. Counted by valgrind where that is at hand.

use crate::build::{cargo, root, target, Engine};
use std::fs;
use std::process::{Command, Stdio};

/// The figure that is allowed for, and the machine's word for what it was counted on.
const KNOWN: &str = "dpor/instructions.txt";

/// One more in so many is too many.
const ALLOWED: u64 = 10;

/// The executions of which the difference is taken: what begins and ends the process is not counted.
const FEW: u64 = 100;
const MANY: u64 = 600;

/// Counts, and compares with the figure that is known; `--write` makes it the known one.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let write = match arguments {
        [] => false,
        [option] if option == "--write" => true,
        _ => return Err("usage: cargo xtask instructions [--write]".to_owned()),
    };
    if !valgrind().arg("--version").stdout(Stdio::null()).status().is_ok_and(|s| s.success()) {
        println!("instructions: not counted, there is no valgrind here");
        return Ok(());
    }
    let mut build = cargo(&root(), &target(), Engine::Std);
    let built = build.args(["build", "-p", "shuttle-dpor", "--example", "instructions"]).status();
    if !built.is_ok_and(|status| status.success()) {
        return Err("instructions: the example does not build".to_owned());
    }
    let each = (counted(MANY)? - counted(FEW)?) / (MANY - FEW);
    let path = root().join(KNOWN);
    if write {
        fs::write(&path, format!("{each}\n")).map_err(|error| format!("{KNOWN}: {error}"))?;
        println!("instructions: {each} an execution, written to {KNOWN}");
        return Ok(());
    }
    let text = fs::read_to_string(&path).map_err(|error| format!("{KNOWN}: {error}"))?;
    let known: u64 = text.trim().parse().map_err(|error| format!("{KNOWN}: {error}"))?;
    println!("instructions: {each} an execution, {known} in {KNOWN}");
    judge(each, known)
}

fn judge(each: u64, known: u64) -> Result<(), String> {
    if each > known + known / ALLOWED {
        return Err(format!(
            "an execution costs {each} instructions, more than a tenth over the {known} of {KNOWN}; if that \
             has to be, `cargo xtask instructions --write`"
        ));
    }
    if each < known - known / ALLOWED {
        println!("less than a tenth below: `cargo xtask instructions --write` keeps it so");
    }
    Ok(())
}

fn valgrind() -> Command {
    Command::new("valgrind")
}

/// The instructions of a process that runs so many executions.
fn counted(executions: u64) -> Result<u64, String> {
    let program = target().join("debug/examples/instructions");
    let output = valgrind()
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .arg(executions.to_string())
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("valgrind: {}\n{said}", output.status));
    }
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    let count = collected.and_then(|(_, count)| count.trim().parse().ok());
    count.ok_or_else(|| format!("valgrind does not say how many instructions there were:\n{said}"))
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn a_tenth_more_is_too_much() {
        assert!(judge(1100, 1000).is_ok());
        assert!(judge(1101, 1000).is_err());
        assert!(judge(500, 1000).is_ok());
    }
}
