//! One call: `operation`, `connection.operation(1, 2)`, and what it means on
//! the system.
//!
//! `open(c)` is `c.open`, and so for every operation of a connection. A call
//! keeps the form it was written in, but for spaces: an outcome should look
//! like the question.

use super::lex::Token;
use super::line::Parser;
use super::{nearest, Failure, MAX_CONNECTIONS};
use crate::scenario::{Argument, Call, Conn};
use crate::system::{Operation, Parameter};
use std::ops::Range;

/// The connection of a call that names none.
const DEFAULT_CONNECTION: &str = "a";

/// An argument as written.
struct Written<'a> {
    token: Token<'a>,
    at: Range<usize>,
}

impl<'a> Parser<'a> {
    pub(super) fn call(&mut self) -> Result<Call, Failure> {
        let mut at = self.place();
        let Token::Word(mut name) = self.peek() else { return self.unexpected("a call") };
        self.advance();
        let mut on = None;
        if self.take('.') {
            on = Some((name, at));
            at = self.place();
            name = match self.peek() {
                Token::Word(name) => name,
                _ => return self.unexpected("an operation of the connection"),
            };
            self.advance();
        }
        let operation = self.operation(name, &at)?;
        let mut written = self.written()?;
        if !operation.on_connection {
            if let Some((_, at)) = on {
                let hint = format!("write just `{name}`");
                let message = format!("`{name}` is not called on a connection");
                return Err(Failure::new(at, message, hint));
            }
        } else if on.is_none() {
            if let Some(Written { token: Token::Word(first), at }) = written.first() {
                // By itself it is rather a mistaken number.
                if let ([_], [Parameter { name, connection: false, .. }, ..]) =
                    (&written[..], operation.arguments)
                {
                    let message = format!("`{name}` is a number");
                    return Err(Failure::new(at.clone(), message, usage(operation)));
                }
                on = Some((first, written.remove(0).at));
            }
        }
        let connection = match &on {
            _ if !operation.on_connection => None,
            Some((name, at)) => Some(self.connection(name, at)?),
            None => Some(self.connection(DEFAULT_CONNECTION, &at)?),
        };
        let arguments = self.arguments(operation, &written, &at)?;
        if let ("open", Some(conn)) = (operation.name, connection) {
            if !self.scenario.opened_by_scenario.contains(&conn) {
                self.scenario.opened_by_scenario.push(conn);
            }
        }
        let text = text(operation, on.map(|(name, _)| name), &written);
        Ok(Call { operation: operation.name, connection, arguments, text })
    }

    fn operation(&self, name: &str, at: &Range<usize>) -> Result<&'static Operation, Failure> {
        let operations = self.system.operations();
        if let Some(found) = operations.iter().find(|operation| operation.name == name) {
            return Ok(found);
        }
        let names = || operations.iter().map(|operation| operation.name);
        let hint = match nearest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("expected one of {}", names().collect::<Vec<_>>().join(", ")),
        };
        let message = format!("{} has no operation `{name}`", self.system.name());
        Err(Failure::new(at.clone(), message, hint))
    }

    /// What stands in the parentheses, if there are any.
    fn written(&mut self) -> Result<Vec<Written<'a>>, Failure> {
        let mut written = Vec::new();
        if !self.take('(') || self.take(')') {
            return Ok(written);
        }
        loop {
            let at = self.place();
            match self.peek() {
                token @ (Token::Word(_) | Token::Int(_)) => written.push(Written { token, at }),
                _ => return self.unexpected("a number, or a connection's name"),
            }
            self.advance();
            if self.take(')') {
                return Ok(written);
            }
            if !self.take(',') {
                return self.unexpected("`,` or `)`");
            }
        }
    }

    fn connection(&mut self, name: &str, at: &Range<usize>) -> Result<Conn, Failure> {
        let known = &mut self.scenario.connections;
        if let Some(found) = known.iter().position(|known| known == name) {
            return Ok(Conn(found));
        }
        if known.len() == MAX_CONNECTIONS {
            let message = format!("more than {MAX_CONNECTIONS} connections");
            return Err(Failure::new(at.clone(), message, "one too many"));
        }
        known.push(name.to_owned());
        Ok(Conn(known.len() - 1))
    }

    fn arguments(
        &mut self,
        operation: &Operation,
        written: &[Written<'_>],
        at: &Range<usize>,
    ) -> Result<Vec<Argument>, Failure> {
        if let Some(extra) = written.get(operation.arguments.len()) {
            let message = format!("`{}` takes no such argument", operation.name);
            return Err(Failure::new(extra.at.clone(), message, usage(operation)));
        }
        let resolve = |(index, parameter): (usize, &Parameter)| match written.get(index) {
            Some(written) => self.argument(operation, parameter, written),
            None => parameter.default.map(Argument::Int).ok_or_else(|| {
                let message = format!("`{}` needs its {}", operation.name, parameter.name);
                Failure::new(at.clone(), message, usage(operation))
            }),
        };
        operation.arguments.iter().enumerate().map(resolve).collect()
    }

    fn argument(
        &mut self,
        operation: &Operation,
        parameter: &Parameter,
        written: &Written<'_>,
    ) -> Result<Argument, Failure> {
        let name = parameter.name;
        match written.token {
            Token::Word(word) if parameter.connection => {
                Ok(Argument::Conn(self.connection(word, &written.at)?))
            }
            Token::Int(value) if !parameter.connection => {
                let limit = self.system.limit(name);
                if value <= limit {
                    return Ok(Argument::Int(value));
                }
                let message = format!("{value} is too much for `{name}`");
                Err(Failure::new(written.at.clone(), message, format!("at most {limit}")))
            }
            _ => {
                let kind = if parameter.connection { "a connection" } else { "a number" };
                let message = format!("`{name}` is {kind}");
                Err(Failure::new(written.at.clone(), message, usage(operation)))
            }
        }
    }
}

/// `connection.operation(argument, [argument])`.
pub(super) fn usage(operation: &Operation) -> String {
    format!("it is `{}`", operation.usage())
}

fn text(operation: &Operation, on: Option<&str>, written: &[Written<'_>]) -> String {
    let name = operation.name;
    let mut arguments: Vec<String> = written
        .iter()
        .map(|written| match written.token {
            Token::Word(word) => word.to_owned(),
            Token::Int(value) => value.to_string(),
            other => other.to_string(),
        })
        .collect();
    let mut head = name.to_owned();
    match on {
        // What is opened is not there yet: it reads as an argument.
        Some(on) if name == "open" => arguments.insert(0, on.to_owned()),
        Some(on) => head = format!("{on}.{name}"),
        None => {}
    }
    if arguments.is_empty() {
        return head;
    }
    format!("{head}({})", arguments.join(", "))
}
