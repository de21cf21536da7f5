//! Makes mistakes in a copy of the core, or of the explorer, and requires that
//! they are seen. A check that no mistake fails is worth nothing; so is a mutant
//! that does not compile, which is an error here.
//!
//! - `subject`: what mistakes are made in, the core or the explorer
//! - `core`: the core's mutants, by kind
//! - `explorer`: the explorer's, which are run against its own tests
//! - `copy`: where they are made
//! - `instrument`: one build for all of them, in which a number chooses
//! - `run`: the checks that they are run against, each with a deadline
//! - `seen`: what was found so far, so that a run that was cut off goes on
//! - `matrix`: which check saw which, `models/MUTANTS.md` and `dpor/MUTANTS.md`
//! - `others`: the mistakes that cargo-mutants knows

mod copy;
mod core;
mod explorer;
mod instrument;
mod matrix;
mod others;
mod run;
mod seen;
mod subject;

use crate::build::{root, target};
use copy::copy;
use instrument::Edit;
use matrix::Killers;
use run::{Binaries, Check, Rest};
use seen::Seen;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};
use subject::Subject;

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
    /// What it changes of a file, and where.
    fn places(&self, sound: &str) -> Result<Vec<Edit>, String> {
        let place = |(from, to): &(&str, &str)| {
            let from = from.trim_end();
            let places: Vec<usize> = sound.match_indices(from).map(|(at, _)| at).collect();
            let [place] = places[..] else {
                let (name, file, times) = (self.name, self.file, places.len());
                return Err(format!("{name}: {times} times, and not once, in {file}:\n{from}"));
            };
            Ok(Edit { place: place..place + from.len(), text: to.trim_end().to_owned() })
        };
        self.edits.iter().map(place).collect()
    }
}

/// What is asked for.
struct Asked<'a> {
    /// Write the matrix.
    matrix: bool,
    /// Run each mutant against what the matrix says.
    check: bool,
    cargo_mutants: bool,
    subject: &'static Subject,
    /// Part K of N: each N-th mutant, from the K-th.
    part: (usize, usize),
    /// After so long no mutant is begun.
    limit: Option<Duration>,
    /// Some mutants, some checks; none: all.
    names: Vec<&'a str>,
}

impl<'a> Asked<'a> {
    fn new(arguments: &'a [String]) -> Result<Self, String> {
        let mut asked = Asked {
            matrix: false,
            check: false,
            cargo_mutants: false,
            subject: &core::CORE,
            part: (1, 1),
            limit: None,
            names: Vec::new(),
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--matrix" => asked.matrix = true,
                "--check" => asked.check = true,
                "--cargo-mutants" => asked.cargo_mutants = true,
                "--part" => asked.part = part(arguments.next())?,
                "--minutes" => asked.limit = Some(minutes(arguments.next())?),
                // cargo-mutants has names of several words: what they contain.
                text if asked.cargo_mutants => asked.names.push(text),
                "explorer" => asked.subject = &explorer::EXPLORER,
                name => {
                    let check = core::CORE.checks.iter().any(|check| check.name() == name);
                    if explorer::EXPLORER.has(name) {
                        asked.subject = &explorer::EXPLORER;
                    } else if !(check || core::CORE.has(name)) {
                        let (one, other) = (core::CORE.file, explorer::EXPLORER.file);
                        return Err(format!("{name}: no mutant, no check; see {one}, {other}"));
                    }
                    asked.names.push(name);
                }
            }
        }
        Ok(asked)
    }

    fn named(&self, name: &str) -> bool {
        self.names.contains(&name)
    }

    fn checks(&self) -> Vec<Check> {
        let any = !self.subject.checks.iter().any(|check| self.named(check.name()));
        let chosen = |check: &&Check| match self.check {
            true => **check == self.subject.checked,
            false => any || self.named(check.name()),
        };
        self.subject.checks.iter().filter(chosen).copied().collect()
    }

    fn mutants(&self, all: &[(usize, &'static Mutant)]) -> Vec<(usize, &'static Mutant)> {
        let any = !all.iter().any(|(_, mutant)| self.named(mutant.name));
        let (part, parts) = self.part;
        let chosen = |(number, mutant): &&(usize, &'static Mutant)| {
            (any || self.named(mutant.name)) && number % parts == part % parts
        };
        all.iter().filter(chosen).copied().collect()
    }
}

/// `K/N`, from `1/N` to `N/N`.
fn part(text: Option<&String>) -> Result<(usize, usize), String> {
    let numbers = text.and_then(|text| text.split_once('/'));
    match numbers.map(|(part, parts)| (part.parse(), parts.parse())) {
        Some((Ok(part), Ok(parts))) if (1..=parts).contains(&part) => Ok((part, parts)),
        _ => Err("--part: expected K/N, such as 1/4, from 1/N to N/N".into()),
    }
}

fn minutes(text: Option<&String>) -> Result<Duration, String> {
    let number = text.and_then(|text| text.parse::<u64>().ok());
    let number = number.filter(|number| *number > 0);
    number
        .map(|number| Duration::from_secs(60 * number))
        .ok_or_else(|| "--minutes: expected a number from 1".to_owned())
}

/// `arguments`: see the usage.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let asked = Asked::new(arguments)?;
    if asked.cargo_mutants {
        return others::run(&asked.names, asked.part, asked.limit);
    }
    run_all(&asked)
}

type Row = (&'static str, &'static Mutant, Killers);

fn run_all(asked: &Asked<'_>) -> Result<(), String> {
    let start = Instant::now();
    let subject = asked.subject;
    let all = subject.all();
    let chosen = asked.mutants(&all);
    let recorded = match read(&root().join(subject.file)) {
        Ok(text) => matrix::read(subject, &text),
        Err(error) if asked.check => return Err(error),
        Err(_) => BTreeMap::new(),
    };
    let tree = copy(subject.name, &instrumented(&all, subject.front)?)?;
    let seen = Seen::open(subject, &recorded, asked.check)?;
    let mut binaries = Vec::new();
    for check in asked.checks() {
        let known = |mutant: &Mutant| seen.killers(mutant.name).contains_key(&check);
        if chosen.iter().all(|(_, mutant)| known(mutant)) {
            continue;
        }
        let begin = Instant::now();
        let mut built = run::build(&tree, &target(), check)?;
        let compiled = begin.elapsed();
        // The check of a matrix runs what is seen alone; the rest was sound when it was written.
        if !asked.check {
            hold(&mut built, &seen)?;
        }
        let held = (begin.elapsed() - compiled).as_secs_f64();
        let compiled = compiled.as_secs_f64();
        println!("{:10} built in {compiled:.0} s; to see it hold took {held:.0} s", check.name());
        binaries.push(built);
    }
    let (begin, looked) = (Instant::now(), AtomicUsize::new(0));
    let done = two_at_a_time(&chosen, |(number, mutant), worker| {
        in_time(start, asked.limit)?;
        let log = log_file(&format!("mutant{worker}"));
        let said = look(*number, mutant, &binaries, &seen, asked, &log)?;
        looked.fetch_add(1, Relaxed);
        println!("{:40}{said}", mutant.name);
        Ok(())
    });
    let (looked, of) = (looked.into_inner(), chosen.len());
    println!("{looked} of {of} mutants, {:.0} s", begin.elapsed().as_secs_f64());
    let checked = binaries.iter().find(|built| built.check == subject.checked);
    let silent = checked.map_or(Ok(()), |checked| say(subject, &all, checked));
    if asked.check {
        return done.and(still_seen(subject, &chosen, &seen, &recorded)).and(silent);
    }
    let row = |(number, mutant): &(usize, &'static Mutant)| {
        (subject.kind(*number), *mutant, seen.killers(mutant.name))
    };
    let rows: Vec<Row> = if asked.matrix { &all } else { &chosen }.iter().map(row).collect();
    let (text, wrong) = matrix::write(subject, &rows);
    if asked.matrix {
        write(&root().join(subject.file), &text)?;
    }
    match wrong.is_empty() {
        true => done.and(silent),
        false => done.and(Err(wrong.join("\n"))),
    }
}

/// Sees what is built hold without a mutant, if nobody has as the sources are, and so how long it takes.
fn hold(built: &mut Binaries, seen: &Seen) -> Result<(), String> {
    if seen.held(built.check).is_some_and(|took| built.take(&took)) {
        return Ok(());
    }
    let took = built.is_sound(&log_file("sound"))?;
    seen.holds(built.check, &took)
}

/// What of the mutants is kept from one run to the next.
fn folder() -> PathBuf {
    root().join("target/mutants")
}

/// Where this run of the command has what a check says; another may go on beside it.
fn log_file(name: &str) -> PathBuf {
    folder().join(format!("{name}-{}.log", std::process::id()))
}

/// Fails when the time that is given is over.
fn in_time(start: Instant, limit: Option<Duration>) -> Result<(), String> {
    match limit.is_some_and(|limit| start.elapsed() > limit) {
        true => Err("INCOMPLETE: call it again, and it goes on".into()),
        false => Ok(()),
    }
}

/// Works on them in order, two at a time, with the worker's number; begins none after
/// the first that fails.
fn two_at_a_time<T: Sync>(
    items: &[T],
    work: impl Fn(&T, usize) -> Result<(), String> + Sync,
) -> Result<(), String> {
    let (queue, failed) = (Mutex::new(items.iter()), Mutex::new(None));
    thread::scope(|scope| {
        for worker in 0..2 {
            let (queue, failed, work) = (&queue, &failed, &work);
            scope.spawn(move || loop {
                let failure = lock(failed).is_some();
                let next = if failure { None } else { lock(queue).next() };
                let Some(item) = next else { return };
                if let Err(error) = work(item, worker) {
                    lock(failed).get_or_insert(error);
                }
            });
        }
    });
    let failed = lock(&failed).take();
    failed.map_or(Ok(()), Err)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Runs the mutant against each check that it was not run against yet: what
/// saw it before comes first. With `known` alone, nothing else is run.
fn look(
    number: usize,
    mutant: &Mutant,
    binaries: &[Binaries],
    seen: &Seen,
    asked: &Asked<'_>,
    log: &Path,
) -> Result<String, String> {
    let (known, subject) = (asked.check, asked.subject);
    let mut said = String::new();
    for built in binaries {
        let check = built.check;
        let killer = match seen.killers(mutant.name).remove(&check) {
            Some(killer) => killer,
            None => {
                let first = seen.first(mutant.name, check);
                // What nothing sees, or a deadline alone, costs more than a part of CI.
                if known && first.is_none() {
                    continue;
                }
                let failed = |error| format!("{}: {error}", mutant.name);
                let rest = match known {
                    true => Rest::Nothing,
                    false if matrix::explored(subject, &seen.killers(mutant.name)) => Rest::Quick,
                    false => Rest::All,
                };
                let killer = built.killer(number, first, rest, log).map_err(failed)?;
                seen.add(mutant.name, check, killer.clone())?;
                killer
            }
        };
        said += &format!(" {}: {};", check.name(), killer.as_deref().unwrap_or("-"));
    }
    Ok(said)
}

/// Whether failures say what they are to say.
fn say(
    subject: &Subject,
    all: &[(usize, &'static Mutant)],
    checked: &Binaries,
) -> Result<(), String> {
    let log = log_file("says");
    let mut silent = String::new();
    for (name, scenario, text) in subject.says {
        let mutant = all.iter().find(|(_, mutant)| mutant.name == *name);
        let (number, _) = mutant.ok_or_else(|| format!("{name}: no mutant"))?;
        checked.killer(*number, Some((*scenario).to_owned()), Rest::Nothing, &log)?;
        let said = read(&log)?;
        if !said.contains(text) {
            silent += &format!("{name}, {scenario}: nothing says \"{text}\":\n{said}\n");
        }
    }
    match silent.is_empty() {
        true => Ok(()),
        false => Err(silent),
    }
}

fn still_seen(
    subject: &Subject,
    chosen: &[(usize, &'static Mutant)],
    seen: &Seen,
    recorded: &BTreeMap<String, Vec<String>>,
) -> Result<(), String> {
    let mut wrong = Vec::new();
    for (_, mutant) in chosen {
        let name = mutant.name;
        if !recorded.contains_key(name) {
            wrong.push(format!("{name} is not in the matrix"));
        } else if seen.was_seen(name, subject.checked)
            && seen.killers(name).get(&subject.checked).is_some_and(Option::is_none)
        {
            wrong.push(format!("{name} is not seen any more"));
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("{}: {}", subject.file, wrong.join("; "))),
    }
}

/// The texts of the core, or of the explorer, with all of its mutants in them; `front` is its front page.
fn instrumented(
    all: &[(usize, &'static Mutant)],
    front: &str,
) -> Result<BTreeMap<String, String>, String> {
    let mut files: BTreeMap<&str, Vec<(usize, &Mutant)>> = BTreeMap::new();
    for (number, mutant) in all {
        files.entry(mutant.file).or_default().push((*number, mutant));
    }
    let mut texts = BTreeMap::from([choice(front)?]);
    for (name, mutants) in files {
        let sound = read(&root().join(name))?;
        let places = |(number, mutant): &(usize, &Mutant)| Ok((*number, mutant.places(&sound)?));
        let places = mutants.iter().map(places).collect::<Result<Vec<_>, String>>()?;
        texts.insert(name.to_owned(), instrument::instrument(&sound, &places)?);
    }
    Ok(texts)
}

/// The front page, which asks in addition which mutant was chosen.
fn choice(name: &str) -> Result<(String, String), String> {
    Ok((name.to_owned(), read(&root().join(name))? + instrument::CHOICE))
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::instrument::instrument;
    use super::{core, explorer, lock, matrix, read, two_at_a_time};
    use crate::build::root;
    use std::collections::BTreeSet;
    use std::sync::{Barrier, Mutex};

    fn text(file: &str) -> String {
        read(&root().join(file)).unwrap()
    }

    #[test]
    fn every_mutant_still_finds_what_it_breaks() {
        let all = core::CORE.all().into_iter().chain(explorer::EXPLORER.all());
        let all = all.map(|(number, mutant)| {
            let text = text(mutant.file);
            mutant.places(&text).and_then(|places| instrument(&text, &[(number, places)])).err()
        });
        let wrong: Vec<String> = all.flatten().collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Each has a row, and is seen, or there is a reason; what is said to see it is there. This builds nothing:
    /// that the test still fails is for `--check`.
    #[test]
    fn each_mutant_has_a_row_and_is_seen() {
        let mut wrong = Vec::new();
        for subject in [&core::CORE, &explorer::EXPLORER] {
            let rows = matrix::read(subject, &text(subject.file));
            for (_, mutant) in subject.all() {
                let Some(cells) = rows.get(mutant.name) else {
                    wrong.push(format!("{}: no row for {}", subject.file, mutant.name));
                    continue;
                };
                let cells = subject.checks.iter().zip(cells);
                let mut cells = cells.filter(|(check, _)| subject.required.contains(check));
                let seen = cells.any(|(_, cell)| cell != "-" && cell != matrix::NOT_RUN);
                let argued = subject.unseen.iter().any(|(name, _)| *name == mutant.name);
                if !seen && !argued {
                    wrong.push(format!("{}: nothing sees {}", subject.file, mutant.name));
                }
            }
            let gone = rows.keys().filter(|name| !subject.has(name));
            wrong.extend(gone.map(|name| format!("{}: {name} is no mutant", subject.file)));
        }
        let explorers = matrix::read(&explorer::EXPLORER, &text(explorer::EXPLORER.file));
        for cell in explorers.values().flatten().filter(|cell| cell.contains("::")) {
            let (file, test) = cell.split_once("::").unwrap();
            let test = test.split(' ').next().unwrap();
            if !text(&format!("dpor/tests/suite/{file}.rs")).contains(&format!("fn {test}(")) {
                wrong.push(format!("{}: {cell} is no test", explorer::EXPLORER.file));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn each_name_is_there_once_and_there_are_enough() {
        let of_explorer = explorer::EXPLORER.all();
        assert!(of_explorer.len() >= 125, "{} mutants of the explorer", of_explorer.len());
        let of_core = core::CORE.all();
        assert!(of_core.len() >= 150, "{} mutants of the core", of_core.len());
        let all = of_core.into_iter().chain(of_explorer);
        let names: Vec<_> = all.map(|(_, mutant)| mutant.name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn two_are_worked_on_at_once_and_none_after_a_failure() {
        let (both, seen) = (Barrier::new(2), Mutex::new(Vec::new()));
        let done = two_at_a_time(&[1, 2, 3, 4], |number, _| {
            // Each waits for the other: one at a time would never end.
            both.wait();
            lock(&seen).push(*number);
            Err(format!("{number} fails"))
        });
        assert!(done == Err("1 fails".into()) || done == Err("2 fails".into()), "{done:?}");
        let mut seen = lock(&seen).clone();
        seen.sort();
        assert_eq!(seen, [1, 2]);
    }
}
