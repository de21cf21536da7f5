//! Patterns of outcomes: `call: answer; call: answer`. `call#2` is the second of
//! several calls that are written alike; `*` in an answer is any text.

use super::lex::Token;
use super::line::Parser;
use super::{nearest, Failure};
use crate::scenario::{CallId, Clause, Pattern, Scenario};
use crate::system::Model;

pub(super) fn pattern(
    text: &str,
    base: usize,
    system: &dyn Model,
    scenario: &Scenario,
) -> Result<Pattern, Failure> {
    let mut clauses = Vec::new();
    let mut start = 0;
    for part in text.split(';') {
        clauses.push(clause(part, base + start, system, scenario)?);
        start += part.len() + 1;
    }
    Ok(Pattern { text: text.trim().to_owned(), clauses })
}

fn clause(
    text: &str,
    base: usize,
    system: &dyn Model,
    scenario: &Scenario,
) -> Result<Clause, Failure> {
    let whole = base + (text.len() - text.trim_start().len())..base + text.trim_end().len();
    let Some((call, answer)) = text.split_once(':') else {
        return Err(Failure::new(whole, "an answer is missing", "expected `call: answer`"));
    };
    let answer = answer.trim();
    if answer.is_empty() {
        return Err(Failure::new(whole, "an answer is missing", "expected `call: answer`"));
    }
    Ok(Clause { calls: calls(call, base, system, scenario)?, answer: answer.to_owned() })
}

/// The calls of the scenario that a clause is about.
fn calls(
    text: &str,
    base: usize,
    system: &dyn Model,
    scenario: &Scenario,
) -> Result<Vec<CallId>, Failure> {
    // The clause is read against the scenario's receivers; a receiver that only the
    // clause names is dropped with the copy.
    let mut parser = Parser::new(text, base, true, system, scenario.clone())?;
    let begin = parser.place().start;
    let wanted = parser.call()?;
    let at = begin..base + text.trim_end().len();
    let mut found = scenario.ids().filter(|id| {
        scenario.call(*id).is_some_and(|call| {
            (call.operation, call.receiver) == (wanted.operation, wanted.receiver)
                && call.arguments == wanted.arguments
        })
    });
    let mut number = None;
    if parser.take('#') {
        let Token::Int(value @ 1..) = parser.peek() else {
            return parser.unexpected("which of the calls, from 1");
        };
        parser.advance();
        number = Some(value);
    }
    if parser.peek() != Token::End {
        return parser.unexpected("`#` and a number, or `:`");
    }
    let found: Vec<CallId> = match number {
        None => found.collect(),
        Some(number) => {
            let index = usize::try_from(number - 1).unwrap_or(usize::MAX);
            found.nth(index).into_iter().collect()
        }
    };
    if found.is_empty() {
        let texts = || scenario.parts().flatten().map(|call| call.text.as_str());
        let hint = match nearest(&wanted.text, texts()) {
            Some(near) if number.is_none() => format!("did you mean `{near}`?"),
            _ => format!("its calls are {}", texts().collect::<Vec<_>>().join(", ")),
        };
        return Err(Failure::new(at, "the scenario makes no such call", hint));
    }
    Ok(found)
}
