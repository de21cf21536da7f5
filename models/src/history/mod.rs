//! `--history`: kv_engine's teardown, era by era, as a matrix on the terminal
//! and a page, `models/HISTORY.md`. Exploration is deterministic, so the page
//! can be compared: a protocol that loses a violation, or gets one, shows up.
//!
//! - `matrix`: every scenario on every era, and on the core
//! - `case`: one ticket or finding, and the execution that shows it
//! - `page`: the page as Markdown

mod case;
mod matrix;
mod page;

use matrix::Matrix;
use orderings::command::{print, Error, Runner};
use orderings::engine::Options;
use orderings::render::layout::{paint, BAD, GOOD};
use orderings::{Page, Suite};
use std::path::PathBuf;
use std::sync::Arc;

/// The page's path, in messages.
const NAME: &str = "models/HISTORY.md";

/// The limit of executions, far above those of any scenario here; a scenario that
/// hits it is INCOMPLETE.
const LIMIT: u64 = 100_000;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("HISTORY.md")
}

/// The option that writes the page.
pub const PAGE: Page = Page {
    option: "history",
    meaning: "Write kv_engine's teardown, era by era, as a matrix and a page",
    write: run,
};

fn run(suite: &Arc<Suite>, only_check: bool) -> Result<u8, Error> {
    // One worker: of equally short orderings the first becomes the witness, and
    // with several workers which one is first would be chance.
    let options = Options { workers: 1, max_executions: Some(LIMIT), ..Options::default() };
    let runner = Runner::new(suite, options);
    let Some(matrix) = Matrix::explore(&runner)? else { return Ok(3) };
    let cases = case::all(&runner, &matrix)?;
    let mut wrong = matrix.wrong();
    wrong.extend(cases.iter().flat_map(|case| case.wrong.iter().cloned()));
    let page = page::page(&matrix, &cases);
    print(&matrix.text())?;
    let changed = if only_check { check(&page)? } else { write(&page)? };
    for wrong in &wrong {
        print(&format!("{}\n", paint(BAD, wrong)))?;
    }
    Ok(u8::from(changed || !wrong.is_empty()))
}

/// Compares the page with the file; whether they differ.
fn check(page: &str) -> Result<bool, Error> {
    let failed = |error| Error::Io { what: NAME.into(), error };
    let known = std::fs::read_to_string(path()).map_err(failed)?;
    // A checkout may have other line ends.
    let known = known.replace("\r\n", "\n");
    let Some(difference) = difference(&known, page) else {
        print(&format!("{}\n", paint(GOOD, &format!("{NAME} is what is explored"))))?;
        return Ok(false);
    };
    print(&difference)?;
    print(&format!("{}\n", paint(BAD, &format!("{NAME} is not what is explored"))))?;
    Ok(true)
}

fn write(page: &str) -> Result<bool, Error> {
    let failed = |error| Error::Io { what: NAME.into(), error };
    std::fs::write(path(), page).map_err(failed)?;
    print(&format!("{NAME} is written\n"))?;
    Ok(false)
}

/// The first line that differs, and the heading above it.
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
