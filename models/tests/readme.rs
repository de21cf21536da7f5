//! The README shows answers as the tool prints them, except for the times; and the calls
//! and invariants that it lists are those of the core.
#![cfg(shuttle)]

mod support;

use connmap_models::systems::core::Core;
use orderings::system::checked;
use std::collections::BTreeSet;
use support::{explore, stdout};

/// What is in single quotes is one word.
fn words(line: &str) -> Vec<&str> {
    let parts = line.split('\'').enumerate();
    let words = parts.flat_map(|(index, part)| match index % 2 {
        0 => part.split_whitespace().collect(),
        _ => vec![part],
    });
    words.collect()
}

fn timeless(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.contains(" s, ")).collect()
}

#[test]
fn the_answers_are_shown_as_they_are() {
    let readme = include_str!("../../README.md");
    let shown = readme.split("```console\n$ cargo explore ").skip(1);
    let shown: Vec<&str> = shown.filter_map(|rest| rest.split("```").next()).collect();
    assert!(shown.len() >= 2, "{shown:?}");
    for block in shown {
        let (question, answer) = block.split_once('\n').expect("an answer");
        // Of orderings that are equally short, one worker finds the same always.
        let text = stdout(&explore(&[&words(question)[..], &["--workers", "1"]].concat()));
        assert_eq!(timeless(answer), timeless(&text), "{question}");
    }
}

/// Each call that it explains can be made.
#[test]
fn the_calls_are_those_of_the_core() {
    let readme = include_str!("../../README.md");
    let table = readme.split("| call | what happens |\n").nth(1).expect("there is a table");
    let rows: Vec<&str> = table.lines().skip(1).take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() >= 9);
    for row in rows {
        let calls = row.split('|').nth(1).expect("a call");
        for call in calls.split('`').skip(1).step_by(2) {
            let output = explore(&[&format!("{call} | run_backfill")]);
            assert_eq!(output.status.code(), Some(0), "{call}");
        }
    }
}

#[test]
fn the_invariants_are_those_of_the_core() {
    let readme = include_str!("../../README.md");
    let listed = readme.split("Each scenario is checked against ").nth(1).expect("a list");
    let listed = listed.split(';').next().expect("it ends").split('`').skip(1).step_by(2);
    let listed: BTreeSet<&str> = listed.collect();
    let invariants = checked(&Core);
    assert_eq!(listed, invariants.iter().map(|invariant| invariant.name()).collect());
}
