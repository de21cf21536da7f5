//! What the README shows as the output of `cargo explore` is what the tool
//! prints today, but for the times; `write` puts today's in its place.

use crate::build::{cargo, root, Engine};
use std::fs;

const BEGIN: &str = "```console\n$ cargo explore";
const END: &str = "\n```";

pub(crate) fn run(names: &[String]) -> Result<(), String> {
    let write = match names {
        [] => false,
        [name] if name == "write" => true,
        _ => return Err("usage: cargo xtask readme [write]".into()),
    };
    let file = root().join("README.md");
    let text = fs::read_to_string(&file).map_err(|error| format!("README.md: {error}"))?;
    let (mut fresh, mut stale, mut blocks) = (String::new(), Vec::new(), 0);
    let mut rest = text.as_str();
    while let Some(begin) = rest.find(BEGIN) {
        let (before, block) = rest.split_at(begin);
        let end = block.find(END).ok_or("README.md: a block has no end")?;
        let (command, shown) = block["```console\n$ ".len()..end]
            .split_once('\n')
            .ok_or("README.md: a command without output")?;
        let printed = ask(command)?;
        let same = tokens(shown) == tokens(&printed);
        if !same {
            stale.push(command.to_owned());
        }
        let output = if same { shown } else { printed.trim_end() };
        fresh += &format!("{before}```console\n$ {command}\n{output}");
        rest = &block[end..];
        blocks += 1;
    }
    fresh += rest;
    if blocks == 0 {
        return Err("README.md: no output of `cargo explore` was found".into());
    }
    if write {
        fs::write(&file, fresh).map_err(|error| format!("README.md: {error}"))?;
        println!("README.md: {blocks} outputs, {} of them new", stale.len());
    } else if !stale.is_empty() {
        return Err(format!(
            "README.md shows what is no longer printed by\n  {}\n\
             `cargo xtask readme write` puts today's output there",
            stale.join("\n  ")
        ));
    } else {
        println!("README.md: {blocks} outputs, as the tool prints them");
    }
    Ok(())
}

/// What a command prints. Its words are quoted singly or not at all.
fn ask(command: &str) -> Result<String, String> {
    let mut words = Vec::new();
    for (n, part) in command.split('\'').enumerate() {
        match n % 2 {
            1 => words.push(part),
            _ => words.extend(part.split_whitespace()),
        }
    }
    let root = root();
    let output = cargo(&root, &root.join("target"), Engine::Std)
        .args(&words[1..])
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The words of an output, however its lines are broken, without the times.
fn tokens(text: &str) -> Vec<&str> {
    let mut kept: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        if word == "s," || word == "s" || word == "per" {
            kept.pop();
        }
        kept.push(word);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::tokens;

    #[test]
    fn only_times_may_differ() {
        let shown = "  3 threads, dpor, 33 orderings, 0.0015 s, 22,480 per second";
        let later = "  3 threads, dpor, 33 orderings,\n  0.01 s, 2,000 per second";
        assert_eq!(tokens(shown), tokens(later));
        assert_ne!(tokens(shown), tokens(&later.replace("33", "32")));
    }
}
