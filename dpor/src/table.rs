//! Rendering a witness as a table: a column for each thread, time going down.

use crate::witness::{What, Witness};
use std::fmt;

/// The width that a table has where that is possible.
const WIDTH: usize = 80;
/// The least width of a thread's column.
const NARROW: usize = 11;

impl fmt::Display for Witness {
    /// A table with a column for each thread and one for the source line, at most 80 characters wide
    /// unless there are too many threads for that.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let acting: Vec<usize> =
            (0..self.threads.len()).filter(|&t| self.steps.iter().any(|s| s.thread == t)).collect();
        if acting.is_empty() {
            return writeln!(f, "(nothing happens)");
        }
        let places: Vec<String> = self.steps.iter().map(|s| place(&s.what)).collect();
        let at = places.iter().map(|p| p.chars().count()).max().unwrap_or(0);
        let room = WIDTH.saturating_sub(at + 3) / acting.len();
        let width = |t: usize| {
            let cells = self.steps.iter().filter(|s| s.thread == t);
            let longest = cells.map(|s| s.what.to_string().chars().count()).max().unwrap_or(0);
            let needed = longest.max(self.threads[t].chars().count());
            needed.min(room.saturating_sub(3).max(NARROW))
        };
        let widths: Vec<usize> = acting.iter().map(|&t| width(t)).collect();
        let heads: Vec<String> = acting.iter().map(|&t| self.threads[t].clone()).collect();
        row(f, &widths, &heads, "")?;
        let total = widths.iter().sum::<usize>() + 3 * (widths.len() - 1);
        writeln!(f, "{}", "-".repeat(total))?;
        for (step, place) in self.steps.iter().zip(&places) {
            if let Some(why) = &step.switch {
                let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
                writeln!(f, "switch{why}")?;
            }
            let mut cells = vec![String::new(); acting.len()];
            let column = acting.iter().position(|&t| t == step.thread).expect("it acts");
            cells[column] = step.what.to_string();
            row(f, &widths, &cells, place)?;
        }
        Ok(())
    }
}

/// Writes one row, over as many lines as its longest cell needs.
fn row(f: &mut fmt::Formatter<'_>, widths: &[usize], cells: &[String], place: &str) -> fmt::Result {
    let cells: Vec<Vec<String>> = cells.iter().zip(widths).map(|(c, &w)| wrap(c, w)).collect();
    let lines = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
    for n in 0..lines {
        let mut line = String::new();
        for (column, (cell, &width)) in cells.iter().zip(widths).enumerate() {
            if column > 0 {
                line.push_str(" | ");
            }
            let text = cell.get(n).map_or("", String::as_str);
            line.push_str(text);
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(text.chars().count())));
        }
        if n == 0 && !place.is_empty() {
            line.push_str("   ");
            line.push_str(place);
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Breaks text into lines, between words where there are any.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        if let Some(last) = lines.last_mut() {
            if last.chars().count() + 1 + word.len() <= width {
                last.push(' ');
                last.extend(word);
                continue;
            }
        }
        while word.len() > width {
            lines.push(word.drain(..width).collect());
        }
        if !word.is_empty() {
            lines.push(word.into_iter().collect());
        }
    }
    lines
}

/// The source line, without the directories; `of` another, if it is not known where the operation is.
fn place(what: &What) -> String {
    match what {
        What::Operation { file, line, undoes, .. } => {
            let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
            format!("{}{name}:{line}", if *undoes { "of " } else { "" })
        }
        What::Note(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::witness::Step;

    fn operation(thread: usize, operation: &'static str, switch: Option<&str>) -> Step {
        let object = "the map of all connections".to_owned();
        let (value, file, undoes) = (None, "src/map.rs", operation == "unlock");
        let what = What::Operation { operation, object, value, file, line: 7, undoes };
        Step { thread, what, switch: switch.map(str::to_owned) }
    }

    #[test]
    fn fits_eighty_columns_with_four_threads() {
        let witness = Witness {
            threads: ["main", "shutdown", "request", "a backfill with a long name"]
                .map(str::to_owned)
                .to_vec(),
            steps: vec![
                operation(1, "lock", None),
                operation(2, "lock", Some("blocked: lock the map, held by shutdown")),
                operation(3, "unlock", Some("")),
                Step { thread: 0, what: What::Note("accepted".into()), switch: None },
            ],
        };
        let text = witness.to_string();
        assert!(text.lines().all(|l| l.chars().count() <= WIDTH), "{text}");
        assert!(text.contains("\nswitch (blocked: lock the map, held by shutdown)\n"), "{text}");
        let places = text.lines().filter_map(|l| Some(l.split_once("map.rs:7")?.0));
        let of: Vec<bool> = places.map(|before| before.ends_with(" of ")).collect();
        assert_eq!(of, [false, false, true], "{text}");
        assert!(text.contains("\nswitch\n"), "{text}");
        let column = |s: &str| text.lines().find_map(|l| l.find(s)).expect("it is there");
        assert!(column("main") < column("shutdown") && column("shutdown") < column("request"));
    }

    #[test]
    fn words_longer_than_a_column_are_broken() {
        assert_eq!(wrap("a bcdefgh ij", 3), ["a", "bcd", "efg", "h", "ij"]);
        assert_eq!(wrap("ab c", 4), ["ab c"]);
    }
}
