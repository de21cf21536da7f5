//! The explorer as a user starts it.

// Not every test needs all of it.
#![allow(dead_code)]

use serde_json::Value;
use std::io::Write;
use std::process::{Command, Output, Stdio};

/// The race of MB-37702.
pub(crate) const RACE: &str = "shutdown | stream_request(0)";

/// More interleavings than anybody waits for.
pub(crate) const LONG: &str =
    "{ items=3; stream_request(0) } step * 3 | run_backfill * 3 | notify * 3";

/// The explorer with these arguments, told apart by line.
pub(crate) fn explore(arguments: &[&str]) -> Output {
    with_input(arguments, "")
}

pub(crate) fn with_input(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_explore"))
        .args(arguments)
        .env_remove("ORDERINGS_LOOM")
        .env_remove("COLUMNS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the explorer starts");
    let mut stdin = child.stdin.take().expect("it has a standard input");
    stdin.write_all(input.as_bytes()).ok();
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("it writes text")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("it writes text")
}

#[track_caller]
pub(crate) fn status(output: &Output, expected: i32) {
    let (out, err) = (stdout(output), stderr(output));
    assert_eq!(output.status.code(), Some(expected), "{out}\n{err}");
}

/// The objects of JSON, one to a line.
#[track_caller]
pub(crate) fn json(arguments: &[&str]) -> Vec<Value> {
    let output = explore(&[arguments, &["--format", "json"]].concat());
    let lines = stdout(&output);
    lines.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}
