//! The explorer as a child process: for loom, where the tool itself is built for
//! another engine; and in any build for loom, which ends its whole process when a
//! scenario deadlocks.

use super::run::Job;
use super::Error;
use crate::engine::Options;
use crate::report::{Report, Violation};
use crate::{invariant, sync};
use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The environment variable with the path of the explorer that is built for loom; the
/// launcher sets it.
const LOOM_EXPLORER: &str = "ORDERINGS_LOOM";
/// The environment variable that tells a child process to explore in itself.
const CHILD: &str = "ORDERINGS_CHILD";

/// Whether this process is the child of another explorer, which reads its JSON.
pub fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

/// The program to start for loom; `None`: this process explores itself.
pub(super) fn loom_explorer() -> Option<PathBuf> {
    if is_child() {
        return None;
    }
    match sync::ENGINE {
        "loom" => env::current_exe().ok(),
        _ => env::var_os(LOOM_EXPLORER).map(PathBuf::from),
    }
}

/// Explores under loom, in a process of its own.
pub(super) fn explore(explorer: &Path, job: &Job, options: &Options) -> Result<Report, Error> {
    let failed = |error| Error::Io { what: explorer.display().to_string(), error };
    let mut command = Command::new(explorer);
    command
        .args(["--engine", "loom", "--format", "json", "--file", "-", "--system"])
        .arg(job.system.name())
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(max) = options.max_executions {
        command.args(["--max-executions", &max.to_string()]);
    }
    if let Some(max) = options.max_time {
        command.args(["--max-time", &format!("{}s", max.as_secs_f64())]);
    }
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(job.scenario.stanza().as_bytes()).map_err(failed)?;
    }
    let begin = std::time::Instant::now();
    let output = child.wait_with_output().map_err(failed)?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if let Some(line) = stdout.lines().last() {
        return serde_json::from_str(line).map_err(Error::Child);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(2) {
        let said = stderr.trim().trim_start_matches("error: ");
        return Err(Error::Refused(said.to_owned()));
    }
    // Without a report and without an error loom has ended the process.
    let said = panic_message(&stderr);
    let report = Report {
        // The number of executions before this one is lost with the process.
        executions: 1,
        elapsed: begin.elapsed(),
        ..Report::new(&*job.system, &job.scenario, "loom")
    };
    let report = match job.scenario.parts().flatten().any(|call| call.waits) {
        true => Report { reason: Some(format!("{said}; it cannot tell who may wait")), ..report },
        false => Report {
            reason: Some("loom stops at the first".into()),
            violations: vec![Violation::new(invariant::NO_DEADLOCK.name(), said, 1)],
            ..report
        },
    };
    Ok(report.judged(&job.scenario, &*job.system))
}

/// The message of the first panic.
fn panic_message(stderr: &str) -> String {
    let mut lines = stderr.lines().skip_while(|line| !line.contains("panicked at"));
    let message = lines.nth(1).or_else(|| stderr.lines().last()).unwrap_or_default().trim();
    match message.is_empty() {
        true => "loom ended without a word".to_owned(),
        false => format!("loom ended: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::panic_message;

    #[test]
    fn the_first_panic_is_what_happened() {
        let stderr = "thread 'main' panicked at src/a.rs:1:2:\ndeadlock; threads = 2\nnote: x\n\
                      thread 'main' panicked at src/b.rs:1:2:\ncannot access a thread-local\n";
        assert_eq!(panic_message(stderr), "loom ended: deadlock; threads = 2");
        assert_eq!(panic_message(""), "loom ended without a word");
    }
}
