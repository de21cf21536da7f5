//! `cargo explore --engine loom`, which is a build of its own: a deadlock ends
//! loom's whole process, and still is an answer.
#![cfg(loom)]

use std::process::{Command, Output, Stdio};

fn explore(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_explore"))
        .args(["--engine", "loom"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the explorer starts")
}

#[track_caller]
fn says(arguments: &[&str], status: i32, said: &str) {
    let output = explore(arguments);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).expect("it writes text");
    assert_eq!(output.status.code(), Some(status), "{text}");
    assert!(text.contains(said), "{text}");
}

#[test]
fn a_question_is_answered() {
    says(&["shutdown | stream_request(0)"], 0, "COMPLETE");
    says(&["shutdown-request", "--format", "json"], 0, "\"engine\":\"loom\"");
}

#[test]
fn demands_reach_the_process_that_explores() {
    says(&["open-shutdown", "--format", "json"], 0, "\"grade\":\"required\"");
    says(&["--system", "kv-engine@before-mb-37702"], 0, "VIOLATED, as expected");
}

#[test]
fn limits_end_it() {
    says(&["four-threads", "--max-executions", "100"], 3, "INCOMPLETE");
    says(&["four-threads", "--max-time", "50ms"], 3, "INCOMPLETE");
}

/// One execution of threads that race is all there is, or all that loom can see.
#[test]
fn one_execution_is_no_proof() {
    says(&["disconnect | step"], 3, "INCOMPLETE: it saw no race");
    says(&["step"], 0, "COMPLETE");
}

#[test]
fn too_many_threads_are_refused() {
    says(&["step * 6"], 2, "at most 5 threads");
}

#[test]
fn a_deadlock_is_an_answer() {
    let ask = ["--system", "kv-engine@before-mb-20751", "shutdown | disconnect"];
    says(&ask, 1, "violated: no-deadlock");
}

/// A worker that sleeps because there is nothing to do is a deadlock to loom.
#[test]
fn who_may_wait_is_not_known() {
    says(&["wait"], 3, "INCOMPLETE: loom ended: deadlock");
}

#[test]
fn the_other_engines_need_the_other_build() {
    let output = Command::new(env!("CARGO_BIN_EXE_explore"))
        .args(["--engine", "dpor", "shutdown"])
        .output()
        .expect("the explorer starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("with the primitives of shuttle-dpor"));
}
