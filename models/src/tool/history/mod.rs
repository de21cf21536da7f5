//! `--history`: kv_engine's teardown, era by era, as a matrix on the terminal
//! and a page, `models/HISTORY.md`. Exploration is deterministic, so the page
//! can be compared: a protocol that loses a violation, or gets one, shows up.
//!
//! - [`matrix`]: every scenario on every era, and on the core
//! - [`case`]: one ticket or finding, and the execution that shows it
//! - [`page`]: all of it as Markdown

mod case;
mod matrix;
mod page;

use super::run::Runner;
use super::{print, Arguments, BadInput};
use crate::render::layout::{paint, BAD, GOOD};
use matrix::Matrix;
use std::path::PathBuf;

/// The page, as everybody knows it.
const NAME: &str = "models/HISTORY.md";

/// No scenario comes near. One that does is incomplete, and says so.
const LIMIT: u64 = 100_000;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("HISTORY.md")
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, BadInput> {
    // One worker: of orderings that are equally short the witness is the one
    // that comes first, and with several workers chance would choose it.
    let asked = Arguments { workers: Some(1), max_executions: Some(LIMIT), ..arguments.clone() };
    let runner = Runner::new(&asked)?;
    let Some(matrix) = Matrix::explore(&runner)? else { return Ok(3) };
    let cases = case::all(&runner, &matrix)?;
    let mut wrong = matrix.wrong();
    wrong.extend(cases.iter().flat_map(|case| case.wrong.iter().cloned()));
    let page = page::page(&matrix, &cases);
    print(&matrix.text())?;
    let changed = if arguments.check { check(&page)? } else { write(&page)? };
    for wrong in &wrong {
        print(&format!("{}\n", paint(BAD, wrong)))?;
    }
    Ok(u8::from(changed || !wrong.is_empty()))
}

/// Answers whether the file was another.
fn check(page: &str) -> Result<bool, BadInput> {
    let known =
        std::fs::read_to_string(path()).map_err(|error| BadInput(format!("{NAME}: {error}")))?;
    // A checkout may have its own line ends.
    let known = known.replace("\r\n", "\n");
    let Some(difference) = difference(&known, page) else {
        print(&format!("{}\n", paint(GOOD, &format!("{NAME} is what is explored"))))?;
        return Ok(false);
    };
    print(&difference)?;
    print(&format!("{}\n", paint(BAD, &format!("{NAME} is not what is explored"))))?;
    Ok(true)
}

fn write(page: &str) -> Result<bool, BadInput> {
    std::fs::write(path(), page).map_err(|error| BadInput(format!("{NAME}: {error}")))?;
    print(&format!("{NAME} is written\n"))?;
    Ok(false)
}

/// The first line that is another, and the heading that it is under.
fn difference(old: &str, new: &str) -> Option<String> {
    if old == new {
        return None;
    }
    let (was, is): (Vec<&str>, Vec<&str>) = (old.split('\n').collect(), new.split('\n').collect());
    let mut at = 0;
    while at < was.len() && was.get(at) == is.get(at) {
        at += 1;
    }
    let heading = is[..at.min(is.len())].iter().rev().find(|line| line.starts_with('#'));
    let line = |lines: &[&str]| lines.get(at).map_or("(the end)", |line| *line).to_owned();
    let (heading, line_number) = (heading.copied().unwrap_or("the beginning"), at + 1);
    Some(format!("{NAME}:{line_number}, {heading}\n-{}\n+{}\n", line(&was), line(&is)))
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn the_first_difference_is_named() {
        assert_eq!(difference("a\n", "a\n"), None);
        let said = difference("# A\n\nb\n", "# A\n\nc\nd\n");
        assert_eq!(said.as_deref(), Some("models/HISTORY.md:3, # A\n-b\n+c\n"));
        let said = difference("b\n# A\n", "b\n# A");
        assert_eq!(said.as_deref(), Some("models/HISTORY.md:3, # A\n-\n+(the end)\n"));
    }
}
