//! Widths, wrapping and numbers, and the few colours.

use anstyle::{AnsiColor, Style};
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

/// The width of all text output: that of the terminal, within bounds. Where the output
/// is no terminal, the number in the environment's COLUMNS, or 80.
pub fn page() -> usize {
    static PAGE: OnceLock<usize> = OnceLock::new();
    *PAGE.get_or_init(|| {
        let size = terminal_size::terminal_size_of(std::io::stdout());
        let columns = std::env::var("COLUMNS").ok();
        page_of(size.map(|(width, _)| width.0), columns.as_deref())
    })
}

fn page_of(terminal: Option<u16>, columns: Option<&str>) -> usize {
    let columns = columns.and_then(|columns| columns.trim().parse().ok());
    terminal.or(columns).map_or(USUAL, |width| usize::from(width).clamp(60, 160))
}

/// The width where neither a terminal nor COLUMNS says another.
const USUAL: usize = 80;

/// For headings.
pub const BOLD: Style = Style::new().bold();
/// For details.
pub const DIM: Style = Style::new().dimmed();
/// For COMPLETE.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// For VIOLATED, and other failures.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// For INCOMPLETE.
pub const OPEN: Style = AnsiColor::Yellow.on_default().bold();
/// For switches of the thread.
pub const SWITCH: Style = AnsiColor::Cyan.on_default();

/// The text in this style. The writer to something other than a terminal strips the
/// style.
pub fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The width of the text on a terminal, in columns.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text, filled with spaces on the right.
pub fn left(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// The text, filled with spaces on the left.
pub fn right(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(text.width())))
}

/// The text, cut to this width, with an ellipsis if something was cut off.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if format!("{kept}{c}").width() >= width {
            break;
        }
        kept.push(c);
    }
    kept + "…"
}

/// Breaks the text at spaces into lines of at most this width; a longer word is broken
/// anywhere. Lines after the first begin with `indent` spaces.
pub fn wrap(text: &str, limit: usize, indent: usize) -> Vec<String> {
    let limit = limit.max(1);
    // Narrow lines have no indent.
    let indent = if indent + 8 > limit { 0 } else { indent };
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word = word.to_owned();
        loop {
            let line = lines.last_mut().expect("there is a first line");
            let fresh = line.trim().is_empty();
            let separator = usize::from(!fresh);
            if line.width() + separator + word.width() <= limit {
                if !fresh {
                    line.push(' ');
                }
                line.push_str(&word);
                break;
            }
            if fresh {
                let room = limit.saturating_sub(line.width()).max(1);
                let at = break_at(&word, room);
                line.push_str(&word[..at]);
                word.drain(..at);
                if word.is_empty() {
                    break;
                }
            }
            lines.push(" ".repeat(indent));
        }
    }
    lines
}

/// The number of bytes of the word that fit; at least one character does.
fn break_at(word: &str, room: usize) -> usize {
    let mut at = 0;
    for (start, c) in word.char_indices() {
        let end = start + c.len_utf8();
        if at > 0 && word[..end].width() > room {
            break;
        }
        at = end;
    }
    at
}

/// `1,234,567`.
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Seconds, with as many digits as matter.
pub fn seconds(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 1.0 => format!("{seconds:.4}"),
        seconds if seconds < 10.0 => format!("{seconds:.3}"),
        seconds if seconds < 1000.0 => format!("{seconds:.1}"),
        seconds => format!("{seconds:.0}"),
    }
}

/// `1 ordering`, `2 orderings`.
pub fn plural(count: u64, noun: &str) -> String {
    Plural(count, noun).to_string()
}

/// The same, to be written into something.
#[derive(Clone, Copy, Debug)]
pub struct Plural<'a>(pub u64, pub &'a str);

impl fmt::Display for Plural<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plural(count, noun) = *self;
        // Written without an allocation of its own, where there is nothing to group.
        match count {
            0..1000 => write!(f, "{count} {noun}{}", ending(count)),
            _ => write!(f, "{} {noun}{}", number(count), ending(count)),
        }
    }
}

/// The ending of the noun that is counted: none for 1.
pub fn ending(count: u64) -> &'static str {
    match count {
        1 => "",
        _ => "s",
    }
}

/// The noun alone, for tables: `ordering` for 1, `orderings` for 2.
pub fn noun_of(count: u64, noun: &str) -> String {
    format!("{noun}{}", ending(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_lines_fit_and_lose_nothing() {
        let text = "insert_element(0): accepted, lost afterwards_";
        for limit in 1..60 {
            let lines = wrap(text, limit, 2);
            assert!(lines.iter().all(|line| line.width() <= limit), "{limit}: {lines:?}");
            let joined: String = lines.concat().split(' ').collect();
            assert_eq!(joined, text.replace(' ', ""), "{limit}");
        }
    }

    #[test]
    fn a_page_is_as_wide_as_the_terminal_within_reason() {
        assert_eq!(page_of(None, None), 80);
        assert_eq!(page_of(Some(100), Some("120")), 100);
        assert_eq!(page_of(None, Some("120")), 120);
        assert_eq!(page_of(Some(20), None), 60);
        assert_eq!(page_of(Some(500), None), 160);
        assert_eq!(page_of(None, Some("wide")), 80);
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_000), "1,000");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(cut("freezing", 8), "freezing");
        assert_eq!(cut("freezing", 5), "free…");
    }
}
