//! What a terminal gets and a pipe does not, and what Ctrl-C does.
#![cfg(shuttle)]

mod support;

use std::process::{Command, Output, Stdio};
use support::{explore, status, stderr, stdout, LONG, RACE};

fn with(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_explore"));
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied()).args(arguments).output().expect("the explorer starts")
}

#[test]
fn colour_is_for_those_who_want_it() {
    let typo = "shutdown | stream_requst";
    for arguments in [&[RACE][..], &["--list"], &["--compare=dpor,dfs", RACE], &[typo]] {
        let escapes = |variables: &[(&str, &str)]| {
            let output = with(variables, arguments);
            (stdout(&output) + &stderr(&output)).contains('\u{1b}')
        };
        assert!(!escapes(&[]), "a pipe: {arguments:?}");
        assert!(!escapes(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]), "{arguments:?}");
        if arguments != [typo] {
            assert!(escapes(&[("CLICOLOR_FORCE", "1")]), "{arguments:?}");
        }
    }
}

#[test]
fn formats_for_programs_have_no_colour_ever() {
    for format in ["json", "markdown", "mermaid", "html"] {
        let output = with(&[("CLICOLOR_FORCE", "1")], &["--format", format, "--show", "1", RACE]);
        assert!(!stdout(&output).contains('\u{1b}'), "{format}");
    }
}

/// As many columns as there are, for tables, sentences and orderings alike.
#[test]
fn an_answer_is_as_wide_as_it_is_told() {
    let widest = |columns: &str| {
        let output = with(&[("COLUMNS", columns)], &["--show", "1", "close-backfill"]);
        let text = stdout(&output);
        let lines = text.lines().filter(|line| !line.contains("again: "));
        lines.map(|line| line.chars().count()).max()
    };
    let (usual, wide) = (widest("none").unwrap(), widest("120").unwrap());
    assert!((70..=80).contains(&usual) && (100..=120).contains(&wide), "{usual} {wide}");
}

#[test]
fn an_answer_that_comes_at_once_has_no_progress() {
    assert_eq!(stderr(&explore(&[RACE])), "");
}

/// A disk that is full is not a reader that has seen enough.
#[test]
#[cfg(target_os = "linux")]
fn an_answer_that_cannot_be_written_is_none() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("it is there");
    let into = |stdout: Stdio, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_explore"));
        command.args(arguments).stdout(stdout).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the explorer starts");
        drop(child.stdout.take());
        child.wait_with_output().expect("it ends")
    };
    for arguments in [
        &[RACE][..],
        &["--help"],
        &["--list"],
        &["--format", "json", RACE],
        &["--format", "html", RACE],
        &["--compare=dpor,dfs", RACE],
    ] {
        let output = into(full().into(), arguments);
        status(&output, 2);
        assert!(stderr(&output).starts_with("error: standard output: "), "{}", stderr(&output));
        let output = into(Stdio::piped(), arguments);
        status(&output, 0);
        assert_eq!(stderr(&output), "");
    }
}

/// A machine that is too slow to have taken Ctrl-C over by then gets more time.
#[cfg(unix)]
fn interrupted(arguments: &[&str]) -> Output {
    let mut pause = std::time::Duration::from_millis(500);
    loop {
        let child = Command::new(env!("CARGO_BIN_EXE_explore"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the explorer starts");
        std::thread::sleep(pause);
        let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(sent.expect("there is a kill").success());
        let output = child.wait_with_output().expect("it ends");
        if output.status.code().is_some() || pause.as_secs() > 10 {
            return output;
        }
        pause *= 4;
    }
}

#[test]
#[cfg(unix)]
fn an_interrupt_ends_with_what_was_found() {
    let output = interrupted(&["--engine", "dfs", LONG]);
    status(&output, 3);
    let text = stdout(&output);
    assert!(text.contains("INCOMPLETE: interrupted") && text.contains("outcome"), "{text}");
}

#[test]
#[cfg(unix)]
fn an_interrupt_ends_everything_that_takes_long() {
    let output = interrupted(&["--engine", "dfs", LONG, RACE]);
    status(&output, 3);
    assert!(stderr(&output).contains("not explored: 1 scenario\n"), "{}", stderr(&output));
    let output = interrupted(&["--compare=dfs,dpor", "--workers", "1", LONG]);
    status(&output, 3);
    let output = interrupted(&["--generate", "--calls", "3", "--workers", "1"]);
    status(&output, 3);
    assert!(stdout(&output).contains("INCOMPLETE: interrupted"), "{}", stdout(&output));
}
