//! CONTRIBUTING.md shows the crate of somebody's own as it is, and what it answers.
#![cfg(not(loom))]

#[allow(unreachable_pub)]
#[path = "../../examples/own-crate/src/lib.rs"]
mod own;

/// The block of this language.
fn shown(language: &str) -> &'static str {
    let page = include_str!("../../CONTRIBUTING.md");
    let block = page.split(&format!("```{language}\n")).nth(1).expect("it is shown");
    block.split("```").next().unwrap_or_default()
}

#[test]
fn the_file_is_shown_as_it_is_and_is_short() {
    let file = include_str!("../../examples/own-crate/src/lib.rs");
    assert_eq!(shown("rust"), file);
    let code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
    assert!(file.lines().filter(code).count() < 50);
}

#[test]
fn the_answer_is_shown_as_it_is() {
    let failed = std::panic::catch_unwind(|| own::pool().holds_in(&["close | checkout"]));
    let failed = failed.expect_err("it has a bug").downcast::<String>().expect("a text");
    // But for how long it took.
    let lines = failed.lines().filter(|line| !line.contains(" per second"));
    let lines = lines.collect::<Vec<_>>().join("\n");
    assert!(lines.contains(shown("text").trim_end()), "{lines}");
}
