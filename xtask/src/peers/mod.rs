//! Other people's loom tests, with loom and with the package of its name beside shuttle-dpor.
//!
//! The crates are fetched as published, copied below target/, and given one of the two by
//! `[patch.crates-io]`; nothing else of theirs is changed, but in what [`dependency`] says. Each test runs in a
//! process of its own, with a time limit.

mod crates;
mod dependency;
mod files;
mod table;

use self::crates::{Peer, CLOCK, LOOM, PEERS};
use self::files::{append_workspace, copy, write};
use self::table::{Model, Run};

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const USAGE: &str = "\
usage: cargo xtask peers [--limit SECONDS] [--only TEXT] [--debug] [CRATE...]

Runs the loom tests of published crates with loom and with dpor/loom, and prints
a table; what is said meanwhile goes to standard error.

  --limit SECONDS  how long a model may take with each of the two: 60 unless given
  --only TEXT      only the models whose names contain this
  --debug          build without optimisation, which is quicker where models are small

It takes the better part of an hour; with names, only these crates:
";

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let asked = Asked::parse(arguments)?;
    let root = std::env::current_dir().map_err(|e| e.to_string())?;
    let work = root.join("target/peers");
    let published = fetch(&work, &asked.peers)?;
    let real = real_loom(&work, &published)?;
    let here = root.join("dpor/loom");
    let (mut rows, mut remarks, mut wrong) = (String::new(), Vec::new(), Vec::new());
    for peer in &asked.peers {
        let with = |engine, loom| build(peer, &published, &work, engine, loom, asked.debug);
        let (with_loom, with_this) = match (with("loom", &real), with("shuttle-dpor", &here)) {
            (Ok(with_loom), Ok(with_this)) => (with_loom, with_this),
            (Err(why), _) | (_, Err(why)) => {
                wrong.push(why);
                continue;
            }
        };
        let title = format!("{} {}", peer.name, peer.version);
        let mut models = Vec::new();
        for ((theirs, name), (ours, same)) in with_loom.iter().zip(&with_this) {
            if name != same {
                return Err(format!(
                    "{title} has other tests with the other engine: {name}, {same}"
                ));
            }
            if !name.contains(&asked.only) {
                continue;
            }
            let loom = run_test(theirs, name, asked.limit);
            eprintln!("loom: {title} {name}: {} in {:.1} s", loom.0.words(), loom.1.as_secs_f64());
            let here = run_test(ours, name, asked.limit);
            eprintln!("here: {title} {name}: {} in {:.1} s", here.0.words(), here.1.as_secs_f64());
            models.push(Model { name: name.clone(), loom, here });
        }
        if models.is_empty() {
            return Err(format!("no model of {title} has {:?} in its name", asked.only));
        }
        let why = |name: &str| peer.worse.iter().find(|(n, _)| *n == name).map(|(_, why)| *why);
        let surprises = |m: &&Model| match why(&m.name) {
            Some(why) => why != CLOCK && !m.is_worse_here(),
            None => m.is_worse_here(),
        };
        wrong.extend(models.iter().filter(surprises).map(|model| {
            format!(
                "{title} {}: {}",
                model.name,
                match why(&model.name) {
                    Some(why) => format!("no longer worse than loom {why}"),
                    None => "worse than loom, for no known reason".to_owned(),
                }
            )
        }));
        rows += &table::row(&title, &models);
        remarks.extend(table::remarks(&title, &models, why));
    }
    println!("{}{rows}", table::HEAD);
    if !remarks.is_empty() {
        println!(
            "Each model had {} s with each. Not complete, or worse here:",
            asked.limit.as_secs()
        );
    }
    for remark in &remarks {
        println!("- {remark}");
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.join("\n")),
    }
}

/// What the command line asks for.
struct Asked {
    peers: Vec<&'static Peer>,
    limit: Duration,
    /// What is in the names of the models that are run.
    only: String,
    debug: bool,
}

impl Asked {
    fn parse(arguments: &[String]) -> Result<Asked, String> {
        let mut asked = Asked {
            peers: Vec::new(),
            limit: Duration::from_secs(60),
            only: String::new(),
            debug: false,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--limit" => {
                    let text = arguments.next().ok_or("--limit needs a number of seconds")?;
                    let seconds = text.parse();
                    let seconds = seconds.map_err(|_| format!("--limit {text}: not a number"))?;
                    asked.limit = Duration::from_secs(seconds);
                }
                "--only" => {
                    let text = arguments.next().ok_or("--only needs a part of a model's name")?;
                    asked.only.clone_from(text);
                }
                "--debug" => asked.debug = true,
                name => match PEERS.iter().find(|peer| peer.name == name) {
                    Some(peer) => asked.peers.push(peer),
                    None => return Err(usage(name)),
                },
            }
        }
        if asked.peers.is_empty() {
            asked.peers = PEERS.iter().collect();
        }
        Ok(asked)
    }
}

fn usage(unknown: &str) -> String {
    let known: Vec<_> = PEERS.iter().map(|peer| peer.name).collect();
    let unknown = match unknown {
        "--help" | "-h" | "help" => String::new(),
        other => format!("{other}: no such crate or option\n"),
    };
    format!("{unknown}{USAGE}  {}", known.join(", "))
}

type Published = BTreeMap<String, PathBuf>;

/// Has cargo fetch the crates, and says where they are.
fn fetch(work: &Path, peers: &[&Peer]) -> Result<Published, String> {
    let folder = work.join("fetch");
    write(&folder.join("src/lib.rs"), "")?;
    let mut manifest = String::from(
        "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[workspace]\n\n[dependencies]\n",
    );
    let wanted: BTreeSet<_> = peers
        .iter()
        .flat_map(|peer| [Some((peer.name, peer.version)), peer.modelled])
        .chain([Some(("loom", LOOM))])
        .flatten()
        .collect();
    for (name, version) in &wanted {
        manifest += &format!("{name} = \"={version}\"\n");
    }
    write(&folder.join("Cargo.toml"), &manifest)?;
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1"])
        .current_dir(&folder)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("cargo metadata: {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut found = Published::new();
    for path in after(&text, "\"manifest_path\":\"") {
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        for (name, version) in &wanted {
            if folder.ends_with(format!("{name}-{version}")) {
                found.insert((*name).to_owned(), folder.to_owned());
            }
        }
    }
    for (name, version) in &wanted {
        if !found.contains_key(*name) {
            return Err(format!("cargo has not fetched {name} {version}"));
        }
    }
    Ok(found)
}

/// The texts that follow `mark`, up to a quotation mark.
fn after<'a>(text: &'a str, mark: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(mark).skip(1).filter_map(|rest| rest.split('"').next())
}

/// loom as it is published, but that it says how many executions there were: what says so in its own
/// code is a log entry that `Builder::check` alone does not show.
fn real_loom(work: &Path, published: &Published) -> Result<PathBuf, String> {
    const ENTRY: &str = "info!(parent: None, \"Completed in {} iterations\", i - 1);";
    const SAID: &str = "eprintln!(\"Completed in {} iterations\", i - 1);";
    let folder = work.join("real-loom");
    let path = folder.join("src/model.rs");
    if fs::read_to_string(&path).is_ok_and(|text| text.contains(SAID)) {
        return Ok(folder);
    }
    copy(&published["loom"], &folder)?;
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    if !text.contains(ENTRY) {
        return Err(format!("{}: not the loom that was expected", path.display()));
    }
    append_workspace(&folder, "")?;
    write(&path, &text.replace(ENTRY, SAID))?;
    Ok(folder)
}

/// Builds a crate's tests with an engine. Returns its models, each with its binary.
fn build(
    peer: &Peer,
    published: &Published,
    work: &Path,
    engine: &str,
    loom: &Path,
    debug: bool,
) -> Result<Vec<(PathBuf, String)>, String> {
    let copied = work.join(engine).join(peer.name);
    let from = &published[peer.name];
    match peer.name {
        "loom" => suite(from, &copied)?,
        _ => copy(from, &copied)?,
    }
    let mut patches = format!("\n[patch.crates-io]\nloom = {{ path = \"{}\" }}\n", loom.display());
    if let Some((name, _)) = peer.modelled {
        let folder = work.join(engine).join(format!("{name}-of-{}", peer.name));
        dependency::modelled(&published[name], &folder)?;
        patches += &format!("{name} = {{ path = \"{}\" }}\n", folder.display());
    }
    append_workspace(&copied, &patches)?;
    eprintln!("building {} with {engine}", peer.name);
    let output = Command::new("cargo")
        .args(["test", "--no-run", "--message-format", "json-render-diagnostics"])
        .args(peer.arguments)
        .current_dir(&copied)
        .env("RUSTFLAGS", format!("{} --cap-lints allow", peer.cfg))
        // One for all, as they have dependencies in common.
        .env("CARGO_TARGET_DIR", work.join("target"))
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", if debug { "0" } else { "2" })
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "0")
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("cargo test: {e}"))?;
    if !output.status.success() {
        return Err(format!("{} does not build", copied.display()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut tests = Vec::new();
    for binary in after(&text, "\"executable\":\"") {
        let list = Command::new(binary)
            .args(["--list", "--format", "terse", peer.filter])
            .output()
            .map_err(|e| format!("{binary}: {e}"))?;
        for line in String::from_utf8_lossy(&list.stdout).lines() {
            if let Some(test) = line.strip_suffix(": test") {
                tests.push((PathBuf::from(binary), test.to_owned()));
            }
        }
    }
    if tests.is_empty() {
        return Err(format!("{} has no models", peer.name));
    }
    // The same order for both.
    tests.sort_by(|a, b| a.1.cmp(&b.1));
    Ok(tests)
}

/// Runs one test in a process of its own, upstream's ignored ones included.
fn run_test(binary: &Path, test: &str, limit: Duration) -> (Run, Duration) {
    let start = Instant::now();
    let run = run_child(binary, test, limit);
    (run, start.elapsed())
}

fn run_child(binary: &Path, test: &str, limit: Duration) -> Run {
    let child = Command::new(binary)
        .args([test, "--exact", "--include-ignored", "--nocapture", "--test-threads", "1"])
        .env("LOOM_LOG", "off")
        .env("RUST_BACKTRACE", "0")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(e) => return Run::Failed(e.to_string()),
    };
    // What it says is short unless it fails; a full pipe must not make it wait.
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let out = thread::spawn(move || out.map(std::io::read_to_string));
    let err = thread::spawn(move || err.map(std::io::read_to_string));
    let start = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if start.elapsed() > limit => {
                let _ = child.kill();
                let _ = child.wait();
                return Run::Late;
            }
            Ok(None) => thread::sleep(Duration::from_millis(5)),
            Err(e) => return Run::Failed(e.to_string()),
        }
    };
    let _ = out.join();
    let text = err.join().ok().flatten().and_then(Result::ok).unwrap_or_default();
    Run::of(status.success(), &text)
}

/// loom's own tests as those of another package, in one binary.
fn suite(from: &Path, to: &Path) -> Result<(), String> {
    let fail = |e: std::io::Error| format!("{}: {e}", from.display());
    write(&to.join("src/lib.rs"), "")?;
    write(
        &to.join("Cargo.toml"),
        &format!(
            "[package]\nname = \"suite\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[dev-dependencies]\n\
             futures-util = \"0.3\"\nloom = {{ version = \"={LOOM}\", features = [\"futures\"] }}\n"
        ),
    )?;
    let mut modules = String::new();
    let mut files: Vec<_> = fs::read_dir(from.join("tests"))
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(fail)?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let copied = to.join("theirs").join(file.file_name().unwrap_or_default());
        write(&copied, &fs::read_to_string(&file).map_err(fail)?)?;
        // One is called as a keyword is.
        let module = if name == "yield" { "yielding" } else { &name };
        modules += &format!("#[path = \"../theirs/{name}.rs\"]\nmod {module};\n");
    }
    write(&to.join("tests/suite.rs"), &modules)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Asked, String> {
        Asked::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn all_crates_unless_some_are_named() {
        let asked = parse("").unwrap();
        assert_eq!((asked.peers.len(), asked.limit.as_secs()), (PEERS.len(), 60));
        let asked = parse("bytes --limit 5 --only fuzz parking").unwrap();
        let names: Vec<_> = asked.peers.iter().map(|p| p.name).collect();
        assert_eq!((names, asked.limit.as_secs()), (vec!["bytes", "parking"], 5));
        assert_eq!(asked.only, "fuzz");
    }

    #[test]
    fn mistakes_are_told() {
        let said = |line| parse(line).err().unwrap();
        assert!(said("byte").starts_with("byte: no such crate or option\nusage: "));
        assert!(said("--help").starts_with("usage: ") && said("--help").ends_with("tokio"));
        assert_eq!(said("--limit soon"), "--limit soon: not a number");
        assert_eq!(said("bytes --limit"), "--limit needs a number of seconds");
    }

    #[test]
    fn cargos_messages_are_read() {
        let messages = "{\"executable\":null}\n{\"a\":1,\"executable\":\"/t/one\",\"b\":2}\n\
                        {\"executable\":\"/t/two\"}\n";
        let found: Vec<_> = after(messages, "\"executable\":\"").collect();
        assert_eq!(found, ["/t/one", "/t/two"]);
    }
}
