//! A file of scenarios.
//!
//! Each line `name: scenario` is one scenario. The lines below it that begin with a
//! space belong to it:
//!
//! ```text
//!     # a sentence that says what the scenario is about
//!     require call: answer; call: answer
//!     forbid call: answer
//!     means call: answer = what such an outcome means
//!     show call: answer
//!     expect violated no-dangling
//! ```
//!
//! Other lines that begin with `#` are comments.

use super::pattern::pattern;
use super::{line, nearest, Failure, ParseError};
use crate::invariant::Invariant;
use crate::scenario::Scenario;
use crate::system::{checked, Model};

const KEYWORDS: [&str; 5] = ["require", "forbid", "means", "show", "expect"];

/// The scenarios of a file.
pub fn file(text: &str, system: &dyn Model) -> Result<Vec<Scenario>, ParseError> {
    scenarios(text, system).map_err(|failure| failure.at("the file", text))
}

fn scenarios(text: &str, system: &dyn Model) -> Result<Vec<Scenario>, Failure> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    let mut start = 0;
    for raw in text.split_inclusive('\n') {
        let base = start;
        start += raw.len();
        let line = raw.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let indented = line.trim_start();
        let base = base + line.len() - indented.len();
        let at = base..base + indented.len();
        if indented.len() == line.len() {
            let scenario = named(line, base, system)?;
            if scenarios.iter().any(|known| known.name == scenario.name) {
                let message = format!("there is a scenario `{}` already", scenario.name);
                let at = base..base + scenario.name.len();
                return Err(Failure::new(at, message, "each has a name of its own"));
            }
            scenarios.push(scenario);
        } else if let Some(scenario) = scenarios.last_mut() {
            below(indented, base, system, scenario)?;
        } else {
            let hint = "expected `name: scenario`, at the beginning of the line";
            return Err(Failure::new(at, "this belongs to no scenario", hint));
        }
    }
    Ok(scenarios)
}

/// `name: scenario`.
fn named(line: &str, base: usize, system: &dyn Model) -> Result<Scenario, Failure> {
    let Some((name, body)) = line.split_once(':') else {
        let at = base..base + line.len();
        return Err(Failure::new(at, "the scenario has no name", "expected `name: scenario`"));
    };
    if name.trim().is_empty() {
        return Err(Failure::new(base..base + 1, "the name is empty", "expected `name: scenario`"));
    }
    let mut scenario = line::scenario(body, base + name.len() + 1, system)?;
    scenario.name = name.trim().to_owned();
    Ok(scenario)
}

/// A line that belongs to the scenario above it.
fn below(
    line: &str,
    base: usize,
    system: &dyn Model,
    scenario: &mut Scenario,
) -> Result<(), Failure> {
    if let Some(sentence) = line.strip_prefix('#') {
        if !scenario.meaning.is_empty() {
            scenario.meaning.push(' ');
        }
        scenario.meaning.push_str(sentence.trim());
        return Ok(());
    }
    let (keyword, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest_base = base + line.len() - rest.len();
    let end = base + line.len();
    match keyword {
        "require" => scenario.requires.push(pattern(rest, rest_base, system, scenario)?),
        "forbid" => scenario.forbids.push(pattern(rest, rest_base, system, scenario)?),
        "show" => scenario.shows.push(pattern(rest, rest_base, system, scenario)?),
        "means" => {
            let Some((text, sentence)) = rest.split_once('=') else {
                let hint = "expected `means call: answer = sentence`";
                return Err(Failure::new(rest_base..end, "the sentence is missing", hint));
            };
            if sentence.trim().is_empty() {
                let hint = "expected `means call: answer = sentence`";
                return Err(Failure::new(rest_base..end, "the sentence is empty", hint));
            }
            let pattern = pattern(text, rest_base, system, scenario)?;
            scenario.means.push((pattern, sentence.trim().to_owned()));
        }
        "expect" => scenario.expects.push(expected(rest, rest_base, system)?),
        _ => {
            let hint = match nearest(keyword, KEYWORDS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "expected `#`, `require`, `forbid`, `means`, `show` or `expect`".into(),
            };
            let at = base..base + keyword.len();
            return Err(Failure::new(at, format!("`{keyword}` means nothing here"), hint));
        }
    }
    Ok(())
}

/// `violated INVARIANT`.
fn expected(text: &str, base: usize, system: &dyn Model) -> Result<Invariant, Failure> {
    let trimmed = text.trim();
    let base = base + text.len() - text.trim_start().len();
    let at = base..base + trimmed.len();
    let Some(name) = trimmed.strip_prefix("violated").filter(|rest| rest.starts_with(' ')) else {
        return Err(Failure::new(at, "expected what?", "expected `violated` and an invariant"));
    };
    let name = name.trim();
    let all = checked(system);
    if let Some(found) = all.iter().find(|invariant| invariant.name() == name) {
        return Ok(*found);
    }
    let names = || all.iter().map(|invariant| invariant.name());
    let hint = match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("expected one of {}", names().collect::<Vec<_>>().join(", ")),
    };
    Err(Failure::new(at.end - name.len()..at.end, format!("no invariant `{name}`"), hint))
}
