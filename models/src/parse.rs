//! From text to [`Scenario`], against the operations of a system.

use crate::scenario::{Argument, Call, Conn, Pattern, Scenario};
use crate::system::System;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong and what was expected.
    pub message: String,
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ParseError {}

fn fail<T>(message: String) -> Result<T, ParseError> {
    Err(ParseError { message })
}

/// The line of one scenario.
pub fn scenario(text: &str, system: &dyn System) -> Result<Scenario, ParseError> {
    let mut scenario = Scenario {
        name: text.trim().to_owned(),
        meaning: String::new(),
        text: text.trim().to_owned(),
        connections: Vec::new(),
        opened_by_scenario: Vec::new(),
        settings: Vec::new(),
        prologue: Vec::new(),
        threads: Vec::new(),
        epilogue: Vec::new(),
        requires: Vec::new(),
        forbids: Vec::new(),
    };
    let mut body = text.trim();
    if let Some(rest) = body.strip_prefix('{') {
        let Some((prologue, rest)) = rest.split_once('}') else {
            return fail("the prologue has no closing brace".into());
        };
        for part in prologue.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            if let Some((name, value)) = part.split_once('=') {
                let Ok(value) = value.trim().parse() else {
                    return fail(format!("{part}: the value is a number"));
                };
                scenario.settings.push((name.trim().to_owned(), value));
            } else {
                let call = call(part, system, &mut scenario)?;
                scenario.prologue.push(call);
            }
        }
        body = rest.trim();
    }
    if let Some((rest, epilogue)) = body.split_once('{') {
        for part in epilogue.trim_end_matches('}').split(';').map(str::trim) {
            let call = call(part, system, &mut scenario)?;
            scenario.epilogue.push(call);
        }
        body = rest.trim();
    }
    for thread in body.split('|') {
        let mut calls = Vec::new();
        for part in thread.split(';').map(str::trim) {
            calls.push(call(part, system, &mut scenario)?);
        }
        scenario.threads.push(calls);
    }
    Ok(scenario)
}

fn conn(name: &str, scenario: &mut Scenario) -> Conn {
    let at = scenario.connections.iter().position(|known| known == name).unwrap_or_else(|| {
        scenario.connections.push(name.to_owned());
        scenario.connections.len() - 1
    });
    Conn(at)
}

fn call(text: &str, system: &dyn System, scenario: &mut Scenario) -> Result<Call, ParseError> {
    let (head, arguments) = match text.split_once('(') {
        Some((head, rest)) => (head.trim(), rest.trim_end_matches(')')),
        None => (text, ""),
    };
    let mut arguments: Vec<&str> =
        arguments.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let (mut on, name) = match head.split_once('.') {
        Some((on, name)) => (Some(on), name),
        None => (None, head),
    };
    let Some(operation) = system.operations().iter().find(|op| op.name == name) else {
        return fail(format!("{name}: no such operation"));
    };
    // `open(c)` is `c.open`: one opens a connection by its name.
    if operation.name == "open" && on.is_none() && !arguments.is_empty() {
        on = Some(arguments.remove(0));
    }
    let connection = operation.on_connection.then(|| conn(on.unwrap_or("a"), scenario));
    if let (true, Some(connection)) = (operation.name == "open", connection) {
        if !scenario.opened_by_scenario.contains(&connection) {
            scenario.opened_by_scenario.push(connection);
        }
    }
    let mut resolved = Vec::new();
    for (index, parameter) in operation.arguments.iter().enumerate() {
        resolved.push(match arguments.get(index) {
            Some(text) if parameter.connection => Argument::Conn(conn(text, scenario)),
            Some(text) => match text.parse() {
                Ok(value) => Argument::Int(value),
                Err(_) => return fail(format!("{text}: {} is a number", parameter.name)),
            },
            None => match parameter.default {
                Some(value) => Argument::Int(value),
                None => return fail(format!("{name}: {} is missing", parameter.name)),
            },
        });
    }
    Ok(Call { operation: operation.name, connection, arguments: resolved, text: text.to_owned() })
}

/// `call: answer; call: answer`.
pub fn pattern(text: &str) -> Result<Pattern, ParseError> {
    let clauses = text
        .split(';')
        .map(|clause| match clause.split_once(':') {
            Some((call, answer)) => Ok((call.trim().to_owned(), answer.trim().to_owned())),
            None => fail(format!("{clause}: expected `call: answer`")),
        })
        .collect::<Result<_, _>>()?;
    Ok(Pattern { text: text.trim().to_owned(), clauses })
}

/// The scenarios of a file: one a line, `name: scenario`; the lines below it
/// that begin with a space say what it is about (`# ...`) and what it requires
/// and forbids (`require call: answer; ...`, `forbid ...`).
pub fn file(text: &str, system: &dyn System) -> Result<Vec<Scenario>, ParseError> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    for line in text.lines() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if !line.starts_with(' ') {
            let Some((name, body)) = line.split_once(':') else {
                return fail(format!("{line}: expected `name: scenario`"));
            };
            let mut parsed = scenario(body, system)?;
            parsed.name = name.trim().to_owned();
            scenarios.push(parsed);
            continue;
        }
        let Some(current) = scenarios.last_mut() else {
            return fail(format!("{line}: belongs to no scenario"));
        };
        let line = line.trim();
        if let Some(meaning) = line.strip_prefix('#') {
            current.meaning = meaning.trim().to_owned();
        } else if let Some(text) = line.strip_prefix("require ") {
            current.requires.push(pattern(text)?);
        } else if let Some(text) = line.strip_prefix("forbid ") {
            current.forbids.push(pattern(text)?);
        } else {
            return fail(format!("{line}: expected #, require or forbid"));
        }
    }
    Ok(scenarios)
}
