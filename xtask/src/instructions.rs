//! What an execution of the explorer costs, and what the core does for one connection beside others, in
//! instructions: figures that do not depend on what else the machine does. Counted by valgrind where
//! that is at hand.

use crate::build::{cargo, root, target, Engine};
use std::fs;
use std::process::{Command, Stdio};

/// The figure that is allowed for, and the compiler that it was counted with.
const KNOWN: &str = "dpor/instructions.txt";

/// One more in so many is too many.
const ALLOWED: u64 = 10;

/// The times of which the difference is taken: what begins and ends the process is not counted.
const FEW: u64 = 100;
const MANY: u64 = 600;

/// The core's connections beside which one more is served, the fewest and the most.
const OTHERS: [u64; 2] = [100, 3000];

/// What serving that one may cost more beside the most of them, in hundredths: what is looked up grows
/// with their logarithm, and whoever looks at each of them does ten instructions for each at the least.
const GROWTH: u64 = 120;

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
    build(&["-p", "shuttle-dpor", "--example", "instructions"])?;
    build(&["-p", "connmap", "--example", "beside"])?;
    beside_others()?;
    let each = each("instructions", None)?;
    let path = root().join(KNOWN);
    let compiler = compiler()?;
    if write {
        let text = format!("{each}\n{compiler}\n");
        fs::write(&path, text).map_err(|error| format!("{KNOWN}: {error}"))?;
        println!("instructions: {each} an execution, written to {KNOWN}");
        return Ok(());
    }
    let text = fs::read_to_string(&path).map_err(|error| format!("{KNOWN}: {error}"))?;
    let (known, with) = text.trim().split_once('\n').ok_or(format!("{KNOWN}: not two lines"))?;
    let known: u64 = known.parse().map_err(|error| format!("{KNOWN}: {error}"))?;
    println!("instructions: {each} an execution, {known} in {KNOWN}");
    if with != compiler {
        println!("not compared: this is {compiler}, that was counted with {with}");
        return Ok(());
    }
    judge(each, known)
}

/// Whether serving one connection costs the core the same, however many others there are.
fn beside_others() -> Result<(), String> {
    let [few, most] = OTHERS;
    let (beside_few, beside_most) = (each("beside", Some(few))?, each("beside", Some(most))?);
    println!(
        "instructions: {beside_few} for one connection beside {few}, {beside_most} beside {most}"
    );
    match beside_most * 100 > beside_few * GROWTH {
        true => {
            Err(format!("one connection costs more than {GROWTH} % of that beside {most} others"))
        }
        false => Ok(()),
    }
}

fn build(what: &[&str]) -> Result<(), String> {
    let built = cargo(&root(), &target(), Engine::Std).arg("build").args(what).status();
    match built.is_ok_and(|status| status.success()) {
        true => Ok(()),
        false => Err(format!("instructions: cargo build {} fails", what.join(" "))),
    }
}

/// The compiler's version.
fn compiler() -> Result<String, String> {
    let output = Command::new("rustc").arg("--version").output();
    let output = output.map_err(|error| format!("rustc --version: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The instructions of one time, of what an example does as often as it is told.
fn each(example: &str, others: Option<u64>) -> Result<u64, String> {
    Ok((counted(example, others, MANY)? - counted(example, others, FEW)?) / (MANY - FEW))
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

/// The instructions of a process that does it so many times.
fn counted(example: &str, others: Option<u64>, times: u64) -> Result<u64, String> {
    let program = target().join("debug/examples").join(example);
    let output = valgrind()
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(others.map(|others| others.to_string()))
        .arg(times.to_string())
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
