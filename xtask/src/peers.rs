//! Other people's loom tests, with loom and with the package of its name beside shuttle-dpor.
//!
//! The crates are fetched as published, copied below target/, and given one of the two by
//! `[patch.crates-io]`; nothing else of theirs is changed. Each test runs in a process of its own,
//! with a time limit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const USAGE: &str = "\
usage: cargo xtask peers [--limit SECONDS] [CRATE...]

Runs the loom tests of published crates with loom and with dpor/loom, and prints
a table. It takes the better part of an hour; with names, only these crates:
";

/// A published crate with loom tests.
struct Peer {
    name: &'static str,
    version: &'static str,
    /// What its build has to be told.
    cfg: &'static str,
    arguments: &'static [&'static str],
    /// What its models' names contain.
    filter: &'static str,
}

const PEERS: &[Peer] = &[
    Peer {
        name: "parking",
        version: "2.2.1",
        cfg: "--cfg loom",
        arguments: &["--test", "loom", "--features", "loom"],
        filter: "",
    },
    Peer {
        name: "concurrent-queue",
        version: "2.5.0",
        cfg: "--cfg loom",
        arguments: &["--test", "loom", "--features", "loom"],
        filter: "",
    },
    Peer {
        name: "bytes",
        version: "1.12.2",
        cfg: "--cfg loom",
        arguments: &["--lib"],
        filter: "fuzz",
    },
    Peer {
        name: "event-listener",
        version: "5.4.2",
        cfg: "--cfg loom",
        arguments: &["--test", "loom", "--features", "loom"],
        filter: "",
    },
    Peer {
        name: "oneshot",
        version: "0.2.1",
        cfg: "--cfg loom --cfg oneshot_loom",
        arguments: &["--test", "loom"],
        filter: "",
    },
    Peer {
        name: "crossbeam-epoch",
        version: "0.9.21",
        cfg: "--cfg crossbeam_loom",
        arguments: &["--test", "loom", "--features", "loom"],
        filter: "",
    },
    Peer {
        name: "tokio-util",
        version: "0.7.20",
        cfg: "--cfg loom",
        arguments: &["--lib", "--features", "full"],
        filter: "loom_",
    },
    Peer {
        name: "tokio",
        version: "1.54.1",
        cfg: "--cfg loom",
        arguments: &["--lib", "--features", "full"],
        filter: "sync::tests::loom_",
    },
];

/// What one engine makes of one model.
enum Run {
    /// It passed, and said of every model that it was explored: in so many executions.
    Complete(u64),
    /// It passed, and no model was explored to its end: a violation was to be found.
    Found,
    Failed(String),
    Late,
}

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let (mut limit, mut names) = (60, Vec::new());
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--limit" => {
                let text = arguments.next().ok_or("--limit needs a number of seconds")?;
                limit = text.parse().map_err(|_| format!("--limit {text}: not a number"))?;
            }
            name if PEERS.iter().any(|peer| peer.name == name) => names.push(name.to_owned()),
            other => {
                let known: Vec<_> = PEERS.iter().map(|peer| peer.name).collect();
                return Err(format!("{other}?\n{USAGE}  {}", known.join(", ")));
            }
        }
    }
    let chosen: Vec<_> =
        PEERS.iter().filter(|p| names.is_empty() || names.iter().any(|n| n == p.name)).collect();
    let root = std::env::current_dir().map_err(|e| e.to_string())?;
    let work = root.join("target/peers");
    let published = fetch(&work, &chosen)?;
    let real = real_loom(&work, &published)?;
    let engines = [("loom", real), ("shuttle-dpor", root.join("dpor/loom"))];
    let mut table = String::from(
        "| crate | models | loom: complete | executions | seconds | here: complete | executions | seconds |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    let mut reasons = Vec::new();
    let mut broken = false;
    for peer in chosen {
        let mut row = String::new();
        let mut models = 0;
        for (engine, loom) in &engines {
            let from = &published[peer.name];
            let tests = build(peer, from, &work.join(engine), loom)?;
            models = tests.len();
            let (mut complete, mut executions, mut seconds) = (0, 0, 0.0);
            for (binary, test) in &tests {
                let start = Instant::now();
                let run = run_test(binary, test, Duration::from_secs(limit));
                let took = start.elapsed().as_secs_f64();
                eprintln!("{engine}: {} {test}: {} in {took:.1} s", peer.name, run.words());
                match run {
                    Run::Complete(n) => {
                        complete += 1;
                        executions += n;
                        seconds += took;
                    }
                    Run::Found => complete += 1,
                    other => {
                        broken |= *engine != "loom" && matches!(other, Run::Failed(_));
                        reasons.push(format!("{engine}: {} {test}: {}", peer.name, other.words()));
                    }
                }
            }
            row += &format!(" {complete} | {executions} | {seconds:.1} |");
        }
        table += &format!("| {} {} | {models} |{row}\n", peer.name, peer.version);
    }
    println!("{table}\nNot complete within {limit} s:");
    for reason in &reasons {
        println!("- {reason}");
    }
    if broken {
        return Err("a model that its crate publishes fails with dpor/loom".into());
    }
    Ok(())
}

impl Run {
    fn words(&self) -> String {
        match self {
            Run::Complete(n) => format!("complete, {n} executions"),
            Run::Found => "passes, found what it was to find".into(),
            Run::Failed(why) => format!("FAILS: {why}"),
            Run::Late => "not complete".into(),
        }
    }
}

type Published = std::collections::BTreeMap<String, PathBuf>;

/// Has cargo fetch the crates, and says where they are.
fn fetch(work: &Path, peers: &[&Peer]) -> Result<Published, String> {
    let folder = work.join("fetch");
    write(&folder.join("src/lib.rs"), "")?;
    let mut manifest = String::from(
        "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[workspace]\n\n[dependencies]\n",
    );
    let wanted: Vec<_> =
        peers.iter().map(|p| (p.name, p.version)).chain([("loom", "0.7.3")]).collect();
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
    let folder = work.join("real-loom");
    copy(&published["loom"], &folder)?;
    let path = folder.join("src/model.rs");
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let entry = "info!(parent: None, \"Completed in {} iterations\", i - 1);";
    if !text.contains(entry) {
        return Err(format!("{}: not the loom that was expected", path.display()));
    }
    write(&path, &text.replace(entry, "eprintln!(\"Completed in {} iterations\", i - 1);"))?;
    append_workspace(&folder, "")?;
    Ok(folder)
}

/// Builds a crate's tests with an engine. Returns its models, each with its binary.
fn build(
    peer: &Peer,
    from: &Path,
    folder: &Path,
    loom: &Path,
) -> Result<Vec<(PathBuf, String)>, String> {
    let copied = folder.join(peer.name);
    copy(from, &copied)?;
    append_workspace(
        &copied,
        &format!("\n[patch.crates-io]\nloom = {{ path = \"{}\" }}\n", loom.display()),
    )?;
    eprintln!("building {} for {}", peer.name, loom.display());
    let output = Command::new("cargo")
        .args(["test", "--no-run", "--message-format", "json-render-diagnostics"])
        .args(peer.arguments)
        .current_dir(&copied)
        .env("RUSTFLAGS", format!("{} --cap-lints allow", peer.cfg))
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "2")
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
    Ok(tests)
}

/// Runs one test in a process of its own, upstream's ignored ones included.
fn run_test(binary: &Path, test: &str, limit: Duration) -> Run {
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
    if !status.success() {
        let why = text.lines().find(|l| !l.trim().is_empty() && !l.contains("panicked at"));
        return Run::Failed(why.unwrap_or("no message").trim().to_owned());
    }
    if text.contains("INCOMPLETE") {
        return Run::Late;
    }
    let counts: Vec<u64> = text
        .split("Completed in ")
        .skip(1)
        .filter_map(|rest| rest.split(' ').next()?.parse().ok())
        .collect();
    match counts.iter().sum() {
        0 => Run::Found,
        n => Run::Complete(n),
    }
}

fn append_workspace(folder: &Path, more: &str) -> Result<(), String> {
    let path = folder.join("Cargo.toml");
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    write(&path, &format!("{text}\n[workspace]\n{more}"))
}

/// Copies a folder; what is there already and the same stays, so that cargo builds nothing anew.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let fail = |e: std::io::Error| format!("{}: {e}", from.display());
    fs::create_dir_all(to).map_err(fail)?;
    for entry in fs::read_dir(from).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(fail)?.is_dir() {
            copy(&entry.path(), &target)?;
        } else if entry.file_name() != "Cargo.lock" {
            fs::copy(entry.path(), target).map_err(fail)?;
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let parent = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(path, text))
        .map_err(|e| format!("{}: {e}", path.display()))
}
