//! A mistake in a text: the line, carets under the place, what was expected there, and
//! what may have been meant.

use crate::render::layout::{page, wrap};
use std::fmt;
use std::ops::Range;
use unicode_width::UnicodeWidthStr;

/// A mistake in a text, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong.
    pub message: String,
    /// What was expected there, or what may have been meant.
    pub hint: String,
    /// The file's name, or a phrase for the text, such as `the scenario`.
    pub source: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// The text of that line.
    pub text: String,
    /// How many characters from `column` on are marked.
    pub length: usize,
}

impl ParseError {
    /// The error with the name of the file that has the text.
    pub fn in_file(mut self, name: &str) -> Self {
        name.clone_into(&mut self.source);
        self
    }
}

/// A mistake whose place is a range of bytes, before its line is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) hint: String,
}

impl Failure {
    pub(super) fn new(
        at: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Failure { at, message: short(message.into()), hint: short(hint.into()) }
    }

    /// The error with the line and the column in `text`, whose name is `source`.
    pub(super) fn at(self, source: &str, text: &str) -> ParseError {
        let start = floor(text, self.at.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        let end = floor(text, self.at.end).clamp(start, line_end);
        ParseError {
            message: self.message,
            hint: self.hint,
            source: source.to_owned(),
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            text: text[line_start..line_end].trim_end_matches('\r').to_owned(),
            length: text[start..end].chars().count().max(1),
        }
    }
}

/// The nearest boundary of a character at or before this place.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The beginning of a message that quotes the text: a quoted name may have a megabyte.
fn short(text: String) -> String {
    match text.char_indices().nth(2 * AROUND) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text,
    }
}

/// The characters that are shown before the place; from it on, twice as many.
const AROUND: usize = 200;

/// The text with a space for each character that would move the cursor.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A long line is shown around the place only.
        let first = (self.column - 1).saturating_sub(AROUND);
        let before: String = self.text.chars().take(self.column - 1).skip(first).collect();
        let length = self.length.min(2 * AROUND);
        let marked: String = self.text.chars().skip(self.column - 1).take(length).collect();
        let shown: String = self.text.chars().skip(first).take(3 * AROUND).collect();
        let (cut, cut_after) = (first > 0, self.text.chars().nth(first + 3 * AROUND).is_some());
        let before = if cut { format!("...{before}") } else { before };
        let shown = if cut { format!("...{shown}") } else { shown };
        let shown = if cut_after { format!("{shown}...") } else { shown };
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        let indent = " ".repeat(visible(&before).width());
        let carets = "^".repeat(visible(&marked).width().max(1));
        writeln!(f, "error: {}", self.message)?;
        writeln!(f, "{margin}--> {}:{}:{}", self.source, self.line, self.column)?;
        writeln!(f, "{margin} |")?;
        writeln!(f, "{number} | {}", visible(&shown).trim_end())?;
        write!(f, "{margin} | {indent}{carets}")?;
        let column = margin.len() + 3 + indent.len() + carets.len() + 1;
        if self.hint.is_empty() || column + self.hint.width() <= page() {
            return write!(f, " {}", self.hint);
        }
        // The hint is too long to stand behind the carets.
        for line in wrap(&self.hint, page() - margin.len() - 3, 0) {
            write!(f, "\n{margin} = {line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ParseError {}
