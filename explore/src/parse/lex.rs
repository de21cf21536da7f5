//! Words, numbers and signs, each with its place.

use super::Failure;
use std::fmt;
use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Word(&'a str),
    Int(u64),
    Sign(char),
    End,
}

#[derive(Clone, Debug)]
pub(super) struct Lexed<'a> {
    pub(super) token: Token<'a>,
    pub(super) at: Range<usize>,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Word(word) => write!(f, "`{word}`"),
            Token::Int(value) => write!(f, "`{value}`"),
            Token::Sign(sign) => write!(f, "`{sign}`"),
            Token::End => f.write_str("the end"),
        }
    }
}

/// The tokens of `text`, which begins at byte `base` of the text that an error shows. A
/// comment goes from `#` to the end of the line, unless `#` is a sign.
pub(super) fn tokens(
    text: &str,
    base: usize,
    hash_is_sign: bool,
) -> Result<Vec<Lexed<'_>>, Failure> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let start = text.len() - rest.len();
        let Some(first) = rest.chars().next() else { break };
        let length = match first {
            '#' if !hash_is_sign => {
                rest = rest.find('\n').map_or("", |newline| &rest[newline..]);
                continue;
            }
            'a'..='z' | 'A'..='Z' | '_' => run(rest, |c| c.is_ascii_alphanumeric() || c == '_'),
            '0'..='9' => run(rest, |c| c.is_ascii_alphanumeric() || c == '_'),
            _ => first.len_utf8(),
        };
        let word = &rest[..length];
        let at = base + start..base + start + length;
        let token = match first {
            '0'..='9' => Token::Int(number(word, &at)?),
            '|' | ';' | '.' | ',' | '(' | ')' | '{' | '}' | '*' | '=' | '#' => Token::Sign(first),
            'a'..='z' | 'A'..='Z' | '_' => Token::Word(word),
            '-' if matches!(tokens.last(), Some(Lexed { token: Token::Sign(_), .. })) => {
                let message = "a number has no sign here";
                return Err(Failure::new(at, message, "expected a number, from 0"));
            }
            other => {
                let message = format!("`{}` means nothing here", other.escape_debug());
                return Err(Failure::new(at, message, "expected a call, `;`, `|`, `{` or `}`"));
            }
        };
        tokens.push(Lexed { token, at });
        rest = &rest[length..];
    }
    let end = base + text.trim_end().len();
    tokens.push(Lexed { token: Token::End, at: end..end + 1 });
    Ok(tokens)
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

fn number(word: &str, at: &Range<usize>) -> Result<u64, Failure> {
    let digits = word.replace('_', "");
    if digits.bytes().any(|byte| !byte.is_ascii_digit()) {
        let message = format!("`{word}` is neither a number nor a name");
        return Err(Failure::new(at.clone(), message, "a name begins with a letter"));
    }
    digits.parse().map_err(|_| {
        let message = format!("`{word}` is too large a number");
        Failure::new(at.clone(), message, format!("at most {}", u64::MAX))
    })
}
