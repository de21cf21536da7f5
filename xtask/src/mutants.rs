//! Breaks a copy of the core, or of the explorer, one mutant at a time, and
//! requires that a test fails: of the core the scenarios under each engine, of the
//! explorer its own tests. A check that no mutant fails is worth nothing; so is a
//! mutant that does not compile, which is an error here.

mod core;
mod explorer;

use crate::build::{cargo, root, Engine};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// One way to break something.
struct Mutant {
    name: &'static str,
    /// What it breaks: the core's, in the invariants' names.
    breaks: &'static str,
    file: &'static str,
    /// What is replaced, by what; each must be there exactly once.
    edits: &'static [(&'static str, &'static str)],
}

const fn mutant(
    name: &'static str,
    breaks: &'static str,
    file: &'static str,
    edits: &'static [(&'static str, &'static str)],
) -> Mutant {
    Mutant { name, breaks, file, edits }
}

impl Mutant {
    fn apply(&self, sound: &str) -> Result<String, String> {
        let mut text = sound.to_owned();
        for (from, to) in self.edits {
            if text.matches(from).count() != 1 {
                return Err(format!("{}: not once in {}:\n{from}", self.name, self.file));
            }
            text = text.replace(from, to);
        }
        Ok(text)
    }
}

/// What can be broken, and the builds whose tests have to notice.
struct Subject {
    name: &'static str,
    mutants: &'static [Mutant],
    engines: &'static [Engine],
}

const SUBJECTS: [Subject; 2] = [
    Subject { name: "core", mutants: core::MUTANTS, engines: &[Engine::Loom, Engine::Shuttle] },
    Subject { name: "explorer", mutants: explorer::MUTANTS, engines: &[Engine::Std] },
];

/// The explorer's tests that a mutant is run against, the quick ones first.
const EXPLORERS: [&str; 9] = [
    "published",
    "teardown",
    "awaiting",
    "violations",
    "primitives",
    "data_races",
    "workers",
    "spins",
    "brute_force",
];

/// `names`: of subjects, of engines, of mutants; of each sort all, unless one is named.
pub(crate) fn run(names: &[String]) -> Result<(), String> {
    let mutants = || SUBJECTS.iter().flat_map(|subject| subject.mutants);
    let engines = || SUBJECTS.iter().flat_map(|subject| subject.engines);
    let known = |name: &&String| {
        SUBJECTS.iter().any(|subject| subject.name == name.as_str())
            || mutants().any(|mutant| mutant.name == name.as_str())
            || engines().any(|engine| engine.name() == name.as_str())
    };
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let names: Vec<_> = mutants().map(|mutant| mutant.name).collect();
        return Err(format!("{unknown}: no such mutant; there are: {}", names.join(" ")));
    }
    let named = |name: &str| names.iter().any(|n| n == name);
    let any_subject = !SUBJECTS.iter().any(|subject| named(subject.name));
    let any_engine = !engines().any(|engine| named(engine.name()));
    let any_mutant = !mutants().any(|mutant| named(mutant.name));
    let tree = copy()?;
    let mut survivors = Vec::new();
    for subject in SUBJECTS.iter().filter(|subject| any_subject || named(subject.name)) {
        let chosen: Vec<&Mutant> =
            subject.mutants.iter().filter(|m| any_mutant || named(m.name)).collect();
        let engines = subject.engines.iter().copied();
        let engines: Vec<Engine> = engines.filter(|e| any_engine || named(e.name())).collect();
        if chosen.is_empty() {
            continue;
        }
        for &engine in &engines {
            let output = test(&tree, engine, false)?;
            if !output.status.success() {
                return Err(format!(
                    "{}: fails without a mutant\n{}",
                    engine.name(),
                    tail(&output)
                ));
            }
        }
        println!("{:32} {:8} killed by", format!("mutant of the {}", subject.name), "engine");
        for mutant in chosen {
            survivors.extend(try_mutant(mutant, &tree, &engines)?);
        }
    }
    if survivors.is_empty() {
        Ok(())
    } else {
        Err(format!("survived: {}", survivors.join("; ")))
    }
}

/// Under which engines it survives.
fn try_mutant(mutant: &Mutant, tree: &Path, engines: &[Engine]) -> Result<Vec<String>, String> {
    let file = tree.join(mutant.file);
    let sound = read(&file)?;
    write(&file, &mutant.apply(&sound)?)?;
    let mut survived = Vec::new();
    for &engine in engines {
        let by = killed(mutant, tree, engine)?;
        let said = by.clone().unwrap_or_else(|| format!("SURVIVED: {}", mutant.breaks));
        println!("{:32} {:8} {said}", mutant.name, engine.name());
        if by.is_none() {
            survived.push(format!("{} under {}", mutant.name, engine.name()));
        }
    }
    write(&file, &sound)?;
    Ok(survived)
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
            let failed = line.starts_with("test ") && line.contains("FAILED");
            // How std's harness says it when it is told to be quiet.
            let failed = failed || line.ends_with(" --- FAILED");
            failed && !line.starts_with("test result")
        })
        .filter_map(|line| line.trim_start_matches("test ").split_whitespace().next())
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
    command.args(["test", "--quiet"]);
    if engine == Engine::Std {
        command.args(["-p", "shuttle-dpor"]);
        command.args(EXPLORERS.iter().flat_map(|name| ["--test", name]));
    } else {
        command.args(["-p", "connmap-loom-tests", "--test", engine.name()]);
    }
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
        if SUBJECTS.iter().flat_map(|s| s.mutants).any(|mutant| mutant.file == name) {
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

#[cfg(test)]
mod tests {
    use super::SUBJECTS;
    use crate::build::root;

    #[test]
    fn every_mutant_still_finds_what_it_breaks() {
        let wrong: Vec<String> = SUBJECTS
            .iter()
            .flat_map(|subject| subject.mutants)
            .filter_map(|mutant| {
                let sound = std::fs::read_to_string(root().join(mutant.file)).unwrap();
                mutant.apply(&sound).err()
            })
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
