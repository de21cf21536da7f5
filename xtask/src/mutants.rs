//! Makes mistakes in a copy of the core, or of the explorer, and requires that
//! they are seen. A check that no mistake fails is worth nothing; so is a mutant
//! that does not compile, which is an error here.
//!
//! - `core`: the core's mutants, by kind
//! - `instrument`: one build for all of them, in which a number chooses
//! - `run`: the checks that they are run against, each with a deadline
//! - `matrix`: which check saw which, `models/MUTANTS.md`
//! - `explorer`: the explorer's mutants, each a build of its own, against the
//!   explorer's tests

mod core;
mod explorer;
mod instrument;
mod matrix;
mod run;

use crate::build::{cargo, root, Engine};
use matrix::Killers;
use run::{Binaries, Check};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

/// One way to break something.
struct Mutant {
    name: &'static str,
    /// What it is: the mistake, and the real bug that it is like, if there is one.
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

/// What is asked for.
#[derive(Default)]
struct Asked<'a> {
    /// Write the matrix.
    matrix: bool,
    /// Run each mutant against what the matrix says, under shuttle-dpor.
    check: bool,
    cargo_mutants: bool,
    explorer: bool,
    /// Some mutants, some checks; none: all.
    names: Vec<&'a str>,
}

/// `arguments`: see the usage.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let mut asked = Asked::default();
    let all = core::all();
    for argument in arguments {
        match argument.as_str() {
            "--matrix" => asked.matrix = true,
            "--check" => asked.check = true,
            "--cargo-mutants" => asked.cargo_mutants = true,
            "explorer" => asked.explorer = true,
            name => {
                let mutant = all.iter().any(|(_, mutant)| mutant.name == name);
                let check = Check::ALL.iter().any(|check| check.name() == name);
                let explorers = explorer::MUTANTS.iter().any(|mutant| mutant.name == name);
                if !(mutant || check || explorers) {
                    return Err(format!("{name}: no mutant, and no check; see {}", matrix::FILE));
                }
                asked.explorer |= explorers;
                asked.names.push(name);
            }
        }
    }
    if asked.cargo_mutants {
        return cargo_mutants();
    }
    if asked.explorer {
        return of_the_explorer(&asked.names);
    }
    of_the_core(&asked)
}

/// cargo-mutants on the core, against its native tests.
fn cargo_mutants() -> Result<(), String> {
    let root = root();
    let status = cargo(&root, &root.join("target"), Engine::Std)
        .args(["mutants", "-p", "connmap", "--timeout", "60", "--output", "target"])
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!(
            "cargo mutants: {status}; it is installed by `cargo install cargo-mutants --locked`"
        )),
        Err(error) => Err(format!("cargo does not start: {error}")),
    }
}

type Row = (&'static str, &'static Mutant, Killers);

fn of_the_core(asked: &Asked<'_>) -> Result<(), String> {
    let named = |name: &str| asked.names.contains(&name);
    let any_check = !Check::ALL.iter().any(|check| named(check.name()));
    let all = core::all();
    let any_mutant = !all.iter().any(|(_, mutant)| named(mutant.name));
    let checks = Check::ALL.into_iter().filter(|check| match asked.check {
        true => *check == Check::Dpor,
        false => any_check || named(check.name()),
    });
    let recorded = match asked.check {
        true => matrix::read(&read(&root().join(matrix::FILE))?),
        false => BTreeMap::new(),
    };
    let chosen: Vec<_> =
        all.iter().filter(|(_, mutant)| any_mutant || named(mutant.name)).collect();
    let tree = copy()?;
    instrument_all(&tree, &all)?;
    let target = root().join("target/mutants");
    let mut binaries = Vec::new();
    for check in checks {
        let begin = Instant::now();
        let built = run::build(&tree, &target, check)?;
        if let Some(killer) = built.killer(0, None, &target.join("sound.log"))? {
            return Err(format!("{}: {killer} fails without a mutant", check.name()));
        }
        println!("{:10} built, and holds: {:.0} s", check.name(), begin.elapsed().as_secs_f64());
        binaries.push(built);
    }
    let queue = Mutex::new(chosen.into_iter());
    let rows: Mutex<Vec<(usize, Row)>> = Mutex::default();
    let begin = Instant::now();
    let work = |worker: usize| -> Result<(), String> {
        loop {
            let next = lock(&queue).next();
            let Some((number, mutant)) = next else { return Ok(()) };
            let log = target.join(format!("mutant{worker}.log"));
            let killers = killers(*number, mutant, &binaries, recorded.get(mutant.name), &log)?;
            let said = |check| match killers.get(&check) {
                Some(Some(by)) => format!(" {}: {by};", check_name(check)),
                Some(None) => format!(" {}: -;", check_name(check)),
                None => String::new(),
            };
            let said: String = Check::ALL.into_iter().map(said).collect();
            println!("{:40}{said}", mutant.name);
            lock(&rows).push((*number, (core::kind(*number), mutant, killers)));
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|worker| scope.spawn(move || work(worker))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("it does not panic"))
    })?;
    let mut rows = rows.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    rows.sort_by_key(|(number, _)| *number);
    let rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    println!("{} mutants, {:.0} s", rows.len(), begin.elapsed().as_secs_f64());
    judge(asked, &rows, &recorded)
}

fn check_name(check: Check) -> &'static str {
    check.name()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// What sees the mutant; where it is recorded, whether that still does.
fn killers(
    number: usize,
    mutant: &Mutant,
    binaries: &[Binaries],
    recorded: Option<&Vec<String>>,
    log: &Path,
) -> Result<Killers, String> {
    let mut killers = Killers::new();
    for built in binaries {
        let at = Check::ALL.iter().position(|check| *check == built.check).unwrap_or_default();
        let only = recorded.and_then(|cells| cells.get(at)).map(String::as_str);
        // What was not seen there, or by a deadline alone, costs more than a part of CI.
        if only.is_some_and(|name| name == "-" || name.ends_with("(deadline)")) {
            continue;
        }
        let killer = built.killer(number, only, log);
        killers.insert(built.check, killer.map_err(|error| format!("{}: {error}", mutant.name))?);
    }
    Ok(killers)
}

fn judge(
    asked: &Asked<'_>,
    rows: &[Row],
    recorded: &BTreeMap<String, Vec<String>>,
) -> Result<(), String> {
    let (text, holes) = matrix::write(rows);
    if asked.check {
        let survived = rows.iter().filter(|(.., killers)| killers.values().any(Option::is_none));
        let mut wrong: Vec<String> = survived
            .map(|(_, mutant, _)| format!("{} is not seen any more", mutant.name))
            .collect();
        let names = core::all();
        let missing = names.iter().filter(|(_, mutant)| !recorded.contains_key(mutant.name));
        wrong.extend(missing.map(|(_, mutant)| format!("{} is not in the matrix", mutant.name)));
        return match wrong.is_empty() {
            true => Ok(()),
            false => Err(format!("{}: {}", matrix::FILE, wrong.join("; "))),
        };
    }
    if asked.matrix {
        write(&root().join(matrix::FILE), &text)?;
    }
    match holes.is_empty() {
        true => Ok(()),
        false => Err(format!("no exploration sees: {}", holes.join(" "))),
    }
}

/// The copy of the core, with all of its mutants in it.
fn instrument_all(tree: &Path, all: &[(usize, &'static Mutant)]) -> Result<(), String> {
    let mut files: BTreeMap<&str, Vec<(usize, &Mutant)>> = BTreeMap::new();
    for (number, mutant) in all {
        files.entry(mutant.file).or_default().push((*number, mutant));
    }
    for (name, mutants) in files {
        let file = tree.join(name);
        write(&file, &instrument::instrument(&read(&file)?, &mutants)?)?;
    }
    let root = tree.join("src/lib.rs");
    write(&root, &(read(&root)? + instrument::CHOICE))
}

/// The explorer's tests that a mutant is run against, the quick ones first.
const EXPLORERS: [&str; 9] = [
    "published",
    "teardown",
    "violations",
    "primitives",
    "data_races",
    "references",
    "std_surface",
    "workers",
    "brute_force",
];

fn of_the_explorer(names: &[&str]) -> Result<(), String> {
    let chosen = explorer::MUTANTS.iter();
    let chosen: Vec<&Mutant> =
        chosen.filter(|mutant| names.is_empty() || names.contains(&mutant.name)).collect();
    let tree = copy()?;
    let output = test(&tree, false)?;
    if !output.status.success() {
        return Err(format!("the explorer fails without a mutant\n{}", tail(&output)));
    }
    let mut survivors = Vec::new();
    for mutant in chosen {
        let file = tree.join(mutant.file);
        let sound = read(&file)?;
        write(&file, &mutant.apply(&sound)?)?;
        let by = killed(mutant, &tree)?;
        let said = by.clone().unwrap_or_else(|| format!("SURVIVED: {}", mutant.breaks));
        println!("{:32} {said}", mutant.name);
        if by.is_none() {
            survivors.push(mutant.name);
        }
        write(&file, &sound)?;
    }
    match survivors.is_empty() {
        true => Ok(()),
        false => Err(format!("survived: {}", survivors.join("; "))),
    }
}

/// What failed, in short; `None` when nothing did.
fn killed(mutant: &Mutant, tree: &Path) -> Result<Option<String>, String> {
    let built = test(tree, true)?;
    if !built.status.success() {
        return Err(format!("{}: does not compile\n{}", mutant.name, tail(&built)));
    }
    let output = test(tree, false)?;
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
        [] => "the process ended".into(),
        names => names.join(" "),
    }))
}

fn test(tree: &Path, build_only: bool) -> Result<Output, String> {
    let mut command = cargo(tree, &root().join("target/mutants"), Engine::Std);
    command.args(["test", "--quiet", "-p", "shuttle-dpor"]);
    command.args(EXPLORERS.iter().flat_map(|name| ["--test", name]));
    if build_only {
        command.arg("--no-run");
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
        if name.starts_with("src/") || explorer::MUTANTS.iter().any(|mutant| mutant.file == name) {
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
    use super::instrument::instrument;
    use super::{core, explorer};
    use crate::build::root;
    use std::collections::BTreeSet;

    fn text(file: &str) -> String {
        std::fs::read_to_string(root().join(file)).unwrap()
    }

    #[test]
    fn every_mutant_still_finds_what_it_breaks() {
        let of_core = core::all()
            .into_iter()
            .map(|(number, mutant)| instrument(&text(mutant.file), &[(number, mutant)]).err());
        let of_explorer = explorer::MUTANTS.iter().map(|m| m.apply(&text(m.file)).err());
        let wrong: Vec<String> = of_core.chain(of_explorer).flatten().collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn each_name_is_there_once_and_there_are_enough() {
        let names: Vec<_> = core::all().into_iter().map(|(_, mutant)| mutant.name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(names.len() >= 150, "{} mutants of the core", names.len());
    }
}
