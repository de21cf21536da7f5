//! CONTRIBUTING.md shows the crate of somebody's own as it is, and what it answers; and
//! what it asks of sentences with a count is so.
#![cfg(not(loom))]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

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

/// The sources below a folder, without tests and comments, by path.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).expect("a source");
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            let code = lines.collect::<Vec<_>>().join("\n");
            found.push((path.display().to_string(), code));
        }
    }
}

/// Nouns that some sentence counts by `plural`.
fn counted(code: &str) -> impl Iterator<Item = String> + '_ {
    let calls = ["plural(", "Plural(", "noun_of("].map(|name| code.split(name).skip(1));
    calls.into_iter().flatten().filter_map(|call| {
        let (value, rest) = call.split_once(", \"")?;
        let noun = rest.split('"').next()?;
        (!value.contains(';')).then(|| noun.to_owned())
    })
}

/// The sentences that write such a noun as a plural behind a number that may be 1:
/// behind one that is not a constant.
fn written_by_hand(code: &str, noun: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(&format!("}} {noun}s")) {
        let number = code[..at].rsplit('{').next().unwrap_or_default();
        let name = number.split(':').next().unwrap_or_default();
        let constant =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        let longer = code[at + 3 + noun.len()..].starts_with(|c: char| c.is_ascii_alphabetic());
        if !constant && !longer {
            found.push(format!("{{{number}}} {noun}s"));
        }
    }
    found
}

#[test]
fn one_is_no_plural() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut all = Vec::new();
    for folder in ["explore/src", "models/src", "loom-tests/src"] {
        sources(&root.join(folder), &mut all);
    }
    let nouns: BTreeSet<String> = all.iter().flat_map(|(_, code)| counted(code)).collect();
    for known in ["connection", "ordering", "outcome", "stream", "thread"] {
        assert!(nouns.contains(known), "{known} is counted: {nouns:?}");
    }
    for noun in &nouns {
        for (path, code) in &all {
            let wrong = written_by_hand(code, noun);
            assert!(wrong.is_empty(), "{path}: `layout::plural` for {}", wrong.join(", "));
        }
    }
    assert_eq!(written_by_hand("\"{count} streams\", \"{MOST} streams\"", "stream").len(), 1);
}
