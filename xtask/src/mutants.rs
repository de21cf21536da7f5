//! Breaks a copy of the core, one mutant at a time, and requires that the
//! scenarios fail under each engine. A check that no mutant fails is worth
//! nothing; so is a mutant that does not compile, which is an error here.

mod table;

use crate::build::{cargo, root, Engine};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use table::{Mutant, MUTANTS};

const ENGINES: [Engine; 2] = [Engine::Loom, Engine::Shuttle];

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let named = |name: &String| ENGINES.into_iter().find(|engine| engine.name() == name);
    let mut engines: Vec<Engine> = arguments.iter().filter_map(named).collect();
    if engines.is_empty() {
        engines.extend(ENGINES);
    }
    let only: Vec<&String> = arguments.iter().filter(|name| named(name).is_none()).collect();
    if let Some(unknown) = only.iter().find(|name| MUTANTS.iter().all(|m| m.name != name.as_str()))
    {
        let names: Vec<_> = MUTANTS.iter().map(|mutant| mutant.name).collect();
        return Err(format!("{unknown}: no such mutant; there are: {}", names.join(" ")));
    }
    let chosen =
        |mutant: &&Mutant| only.is_empty() || only.iter().any(|name| name.as_str() == mutant.name);
    let tree = copy()?;
    for &engine in &engines {
        let output = test(&tree, engine, false)?;
        if !output.status.success() {
            return Err(format!("{}: fails without a mutant\n{}", engine.name(), tail(&output)));
        }
    }
    let mut survivors = Vec::new();
    println!("{:28} {:8} killed by", "mutant", "engine");
    for mutant in MUTANTS.iter().filter(chosen) {
        let file = tree.join(mutant.file);
        let sound = read(&file)?;
        let broken = mutant.apply(&sound)?;
        write(&file, &broken)?;
        for &engine in &engines {
            match killed(mutant, &tree, engine)? {
                Some(by) => println!("{:28} {:8} {by}", mutant.name, engine.name()),
                None => {
                    println!("{:28} {:8} SURVIVED: {}", mutant.name, engine.name(), mutant.breaks);
                    survivors.push(format!("{} under {}", mutant.name, engine.name()));
                }
            }
        }
        write(&file, &sound)?;
    }
    if survivors.is_empty() {
        Ok(())
    } else {
        Err(format!("survived: {}", survivors.join("; ")))
    }
}

/// What failed, in short; `None` when nothing did.
fn killed(mutant: &Mutant, tree: &Path, engine: Engine) -> Result<Option<String>, String> {
    let built = test(tree, engine, true)?;
    if !built.status.success() {
        return Err(format!("{}: does not compile\n{}", mutant.name, tail(&built)));
    }
    let output = test(tree, engine, false)?;
    if output.status.success() {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut failed: Vec<&str> = text
        .lines()
        .filter(|line| {
            line.starts_with("test ") && !line.starts_with("test result") && line.contains("FAILED")
        })
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    failed.dedup();
    Ok(Some(match failed.as_slice() {
        // loom aborts the process at a deadlock: its destructors panic as well.
        [] => "the process ended (a deadlock, or a panic in a destructor)".into(),
        names => names.join(" "),
    }))
}

fn test(tree: &Path, engine: Engine, build_only: bool) -> Result<Output, String> {
    let target = root().join("target/mutants");
    let mut command = cargo(tree, &target, engine);
    command.args(["test", "--quiet", "-p", "connmap-loom-tests", "--test", engine.name()]);
    if build_only {
        command.arg("--no-run");
    } else if engine == Engine::Shuttle {
        // What a mutant must not survive is the exhaustive strategy.
        command.args(["--", "--skip", "cross-checked"]);
    }
    command.env("RUST_BACKTRACE", "0");
    command.output().map_err(|error| format!("cargo does not start: {error}"))
}

/// A copy of what git tracks, so that a run that is cut off leaves nothing broken.
fn copy() -> Result<PathBuf, String> {
    let root = root();
    let tree = root.join("target/mutants/tree");
    let output = Command::new("git")
        .current_dir(&root)
        .args(["ls-files", "-z"])
        .output()
        .map_err(|error| format!("git does not start: {error}"))?;
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    if tree.exists() {
        fs::remove_dir_all(&tree).map_err(|error| failed(&tree, error))?;
    }
    for name in String::from_utf8_lossy(&output.stdout).split_terminator('\0') {
        let (from, to) = (root.join(name), tree.join(name));
        // Deleted in the working tree, and git was not told yet.
        let Ok(about) = fs::metadata(&from) else { continue };
        let folder = to.parent().unwrap_or(&tree);
        fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        fs::copy(&from, &to).map_err(|error| failed(&to, error))?;
        // What has not changed is not to be built again; of what mutants change, the last build may
        // be that of a mutant.
        if name.starts_with("src/") {
            continue;
        }
        let modified = about.modified().map_err(|error| failed(&from, error))?;
        let copy = fs::File::options().write(true).open(&to);
        let dated = copy.and_then(|copy| copy.set_modified(modified));
        dated.map_err(|error| failed(&to, error))?;
    }
    Ok(tree)
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

fn tail(output: &Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
