//! The mistakes that cargo-mutants knows, in one build as ours are: it lists
//! them, and which text each puts where.
//!
//! Of a mistake that no scenario sees the native tests decide; what they miss
//! is in [`MISSED`], with a reason, or an error. A run that is cut off goes on.

use super::copy::copy;
use super::core::CORE;
use super::instrument::{instrument, mutant_at, Edit};
use super::run::{self, Binaries, Check, Rest};
use super::{choice, folder, in_time, lock, log_file, read, two_at_a_time};
use crate::build::{cargo, root, target, Engine};
use crate::kept::Sources;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What nothing sees, and why.
const MISSED: &[(&str, &str)] = &[
    ("replace After::unsent with ()", FREED),
    ("replace Unsent::is_empty -> bool with true", FREED),
    ("replace - with + in Entries<T>::position", SOUGHT),
    ("replace match guard *there >= ticket with false in Entries<T>::position", SOUGHT),
    (
        "replace > with >= in Locked<'_, T>::call_sleeper",
        "a notification for which nobody waits is time alone",
    ),
];

const FREED: &str =
    "unsent messages are freed inside the lock, and nobody is called for that: time alone";
const SOUGHT: &str =
    "where the guess is not taken the position is sought, and is the same: time alone";

/// Files that no user of the core builds, beside those that are named `tests.rs`.
const TESTS: [&str; 2] = ["src/costs.rs", "src/assertions.rs"];

/// One of cargo-mutants' mistakes.
#[derive(Default)]
struct Other {
    file: String,
    /// What it is, without its line.
    name: String,
    replacement: String,
    /// Line and column, from 1, where it begins and ends.
    span: [(usize, usize); 2],
}

/// `texts`: of these mutants alone whose names contain one, if there are any.
pub(super) fn run(
    texts: &[&str],
    (part, parts): (usize, usize),
    limit: Option<Duration>,
) -> Result<(), String> {
    let others: Vec<(usize, Other)> = (1..).zip(list()?).collect();
    let begin = Instant::now();
    let (tree, made) = make(&others)?;
    let (all, count) = (others.len(), made.len());
    println!("cargo-mutants knows {all}, of which {count} compile in a function of the core's");
    let mut checks = Vec::new();
    for check in [Check::Dpor, Check::Std] {
        let mut built = run::build(&tree, &target(), check)?;
        built.is_sound(&log_file("sound"))?;
        checks.push(built);
    }
    let chosen: Vec<_> = others
        .iter()
        .filter(|(number, _)| made.contains(number) && number % parts == part % parts)
        .filter(|(_, other)| texts.is_empty() || texts.iter().any(|text| other.name.contains(text)))
        .collect();
    if chosen.is_empty() {
        return Err("none of these mutants has such a name".into());
    }
    let seen = Seen::open()?;
    let (counts, missed) = (Mutex::new([0; 2]), Mutex::new(Vec::new()));
    two_at_a_time(&chosen, |(number, other), worker| {
        in_time(begin, limit)?;
        let by = match seen.known(other) {
            Some(by) => by,
            None => {
                let by = killer(&checks, *number, &log_file(&format!("other{worker}")))?;
                seen.add(other, &by)?;
                by
            }
        };
        let Other { name, .. } = other;
        let reason = MISSED.iter().find(|(of, _)| of == name).map(|(_, why)| *why);
        let killer = by.as_ref().map(|(_, killer)| &**killer);
        println!("{name}: {}", killer.or(reason).unwrap_or("MISSED"));
        match by {
            Some((at, _)) => lock(&counts)[at] += 1,
            None if reason.is_none() => lock(&missed).push(name.as_str()),
            None => {}
        }
        Ok(())
    })?;
    let (seen, missed) = (*lock(&counts), lock(&missed).clone());
    let [explored, native] = seen;
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "of {} scenarios see {explored}, and native tests {native} more, {seconds:.0} s",
        chosen.len()
    );
    match missed.is_empty() {
        true => Ok(()),
        false => Err(format!("nothing sees:\n  {}", missed.join("\n  "))),
    }
}

/// Which of the checks sees it, and what of that fails.
type Killer = Option<(usize, String)>;

fn killer(checks: &[Binaries], number: usize, log: &Path) -> Result<Killer, String> {
    for (at, built) in checks.iter().enumerate() {
        if let Some(killer) = built.killer(number, None, Rest::Quick, log)? {
            return Ok(Some((at, killer)));
        }
    }
    Ok(None)
}

/// What was found so far, for as long as no source changes.
struct Seen {
    sources: Sources,
    state: Mutex<(File, BTreeMap<u64, Killer>)>,
}

impl Seen {
    fn open() -> Result<Self, String> {
        let file = folder().join("others.txt");
        let line = |line: &str| {
            let mut fields = line.split('\t');
            let stamp = u64::from_str_radix(fields.next()?, 16).ok()?;
            let at = fields.next()?.parse().ok();
            Some((stamp, at.zip(fields.next().map(str::to_owned))))
        };
        let found =
            fs::read_to_string(&file).unwrap_or_default().lines().filter_map(line).collect();
        let kept = File::options().create(true).append(true).open(&file);
        let kept = kept.map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(Seen { sources: Sources::of(&root(), CORE.sources)?, state: Mutex::new((kept, found)) })
    }

    fn stamp(&self, other: &Other) -> u64 {
        self.sources.stamp_with((&other.file, &other.span, &other.replacement))
    }

    fn known(&self, other: &Other) -> Option<Killer> {
        lock(&self.state).1.get(&self.stamp(other)).cloned()
    }

    fn add(&self, other: &Other, by: &Killer) -> Result<(), String> {
        let (at, killer) =
            by.clone().map_or(("-".into(), "-".into()), |(at, killer)| (at.to_string(), killer));
        let line = format!("{:x}\t{at}\t{killer}\n", self.stamp(other));
        let written = lock(&self.state).0.write_all(line.as_bytes());
        written.map_err(|error| format!("others.txt: {error}"))
    }
}

/// Puts all of them in place, but for those that do not compile: their numbers.
fn make(others: &[(usize, Other)]) -> Result<(PathBuf, BTreeSet<usize>), String> {
    let mut sound: BTreeMap<&str, String> = BTreeMap::new();
    for (_, other) in others {
        sound.entry(&other.file).or_insert(read(&root().join(&other.file))?);
    }
    let mut left_out = BTreeSet::new();
    loop {
        let mut made = BTreeSet::new();
        let mut files: BTreeMap<&str, Vec<(usize, Vec<Edit>)>> = BTreeMap::new();
        for (number, other) in others.iter().filter(|(number, _)| !left_out.contains(number)) {
            let edit = || vec![other.edit(&sound[&*other.file])];
            if instrument(&sound[&*other.file], &[(*number, edit())]).is_ok() {
                files.entry(&other.file).or_default().push((*number, edit()));
                made.insert(*number);
            }
        }
        let mut texts = BTreeMap::from([choice("src/lib.rs")?]);
        for (file, edits) in &files {
            texts.insert((*file).to_owned(), instrument(&sound[file], edits)?);
        }
        let tree = copy("others", &texts)?;
        let refused = refused(&tree)?;
        if refused.is_empty() {
            return Ok((tree, made));
        }
        left_out.extend(refused);
    }
}

/// How many lines of a file users of the core build: those before its module of tests.
fn lines_that_ship(file: &str) -> Result<usize, String> {
    if TESTS.contains(&file) || file.ends_with("tests.rs") {
        return Ok(0);
    }
    let text = read(&root().join(file))?;
    Ok(text.lines().position(|line| line == "mod tests {").unwrap_or(usize::MAX))
}

/// The mutants that do not compile.
fn refused(tree: &Path) -> Result<BTreeSet<usize>, String> {
    let mut check = cargo(tree, &target(), Engine::Shuttle);
    check.args(["check", "--release", "-p", "connmap", "--message-format", "short"]);
    let output = check.output().map_err(|error| format!("cargo does not start: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let mut refused = BTreeSet::new();
    for line in said.lines().filter(|line| line.contains(": error")) {
        let mut place = line.split(':');
        let (Some(file), Some(Ok(at))) = (place.next(), place.next().map(str::parse)) else {
            continue;
        };
        refused.extend(mutant_at(&read(&tree.join(file))?, at));
    }
    match output.status.success() || !refused.is_empty() {
        true => Ok(refused),
        false => Err(format!("the core does not compile\n{said}")),
    }
}

impl Other {
    fn edit(&self, text: &str) -> Edit {
        let at = |(line, column): (usize, usize)| {
            let begin: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
            let before = text[begin..].chars().take(column - 1);
            begin + before.map(char::len_utf8).sum::<usize>()
        };
        Edit { place: at(self.span[0])..at(self.span[1]), text: self.replacement.clone() }
    }
}

/// What cargo-mutants has for the core.
fn list() -> Result<Vec<Other>, String> {
    let mut command = Command::new("cargo");
    command.current_dir(root()).args(["mutants", "-p", "connmap", "--list", "--json"]);
    let install = "it is installed by `cargo install cargo-mutants --locked`";
    match command.output() {
        Ok(output) if output.status.success() => {
            let others = others(&String::from_utf8_lossy(&output.stdout))?;
            let mut lines = BTreeMap::new();
            for Other { file, .. } in &others {
                if !lines.contains_key(file) {
                    lines.insert(file.clone(), lines_that_ship(file)?);
                }
            }
            Ok(others.into_iter().filter(|other| other.span[0].0 <= lines[&other.file]).collect())
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("cargo mutants: {}; {install}\n{said}", output.status))
        }
        Err(error) => Err(format!("cargo does not start: {error}")),
    }
}

/// Reads its list: one value a line, indented by two for each level.
fn others(json: &str) -> Result<Vec<Other>, String> {
    let mut others: Vec<Other> = Vec::new();
    // What the lines that are indented further are about.
    let (mut of_mutant, mut end) = (false, false);
    for line in json.lines() {
        let value = line.trim_start();
        let depth = (line.len() - value.len()) / 2;
        if (depth, value) == (1, "{") {
            others.push(Other::default());
        }
        let Some(other) = others.last_mut() else { continue };
        let Some((key, value)) = value.split_once(": ") else { continue };
        let value = value.trim_end_matches(',');
        match (depth, key.trim_matches('"')) {
            (2, "file") => other.file = text(value),
            (2, "replacement") => other.replacement = text(value),
            (2, "name") => {
                let name = text(value);
                let what = name.splitn(4, ':').nth(3).unwrap_or(&name);
                other.name = what.trim().to_owned();
            }
            (2, key) => of_mutant = key == "span",
            (3, key) if of_mutant => end = key == "end",
            (4, key) if of_mutant => {
                let number = value.parse().map_err(|_| format!("no number: {line}"))?;
                let place = &mut other.span[usize::from(end)];
                *if key == "line" { &mut place.0 } else { &mut place.1 } = number;
            }
            _ => {}
        }
    }
    let whole = |other: &Other| {
        !other.file.is_empty() && other.span.iter().all(|(line, column)| *line > 0 && *column > 0)
    };
    match others.iter().all(whole) && !others.is_empty() {
        true => Ok(others),
        false => Err("cargo mutants --list --json is written in another way by now".into()),
    }
}

/// A string of JSON.
fn text(value: &str) -> String {
    let mut text = String::new();
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let mut letters = quoted.unwrap_or(value).chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some(letter) => text.push(letter),
                None => {}
            },
            letter => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"[
  {
    "diff": "--- src/x.rs: \"a\"\n",
    "file": "src/x.rs",
    "function": {
      "function_name": "one",
      "return_type": "-> bool",
      "span": {
        "end": {
          "column": 2,
          "line": 9
        },
        "start": {
          "column": 1,
          "line": 8
        }
      }
    },
    "genre": "BinaryOperator",
    "name": "src/x.rs:2:8: replace < with \"a\" in one",
    "package": "connmap",
    "replacement": "\"a\"",
    "span": {
      "end": {
        "column": 9,
        "line": 2
      },
      "start": {
        "column": 8,
        "line": 2
      }
    }
  }
]"#;

    #[test]
    fn the_list_is_read() {
        let others = others(LIST).unwrap();
        assert_eq!(others.len(), 1);
        assert_eq!(others[0].name, "replace < with \"a\" in one");
        assert_eq!(others[0].replacement, "\"a\"");
        let edit = others[0].edit("fn one() {\n    1 < 2\n}\n");
        let wrong = others[0].edit("fn é() {\n    é1 < 2\n}\n");
        assert_eq!((edit.place.len(), wrong.place.len()), (1, 1));
        assert!(super::others("[\n  {\n    \"file\": \"x\"\n  }\n]").is_err());
    }
}
