//! One call, `operation` or `receiver.operation(1, 2)`, resolved against the system's
//! operations.
//!
//! `send(c)` is `c.send`, and so for every operation on a receiver. A call keeps the
//! form in which it was written, except for spaces, so that outcomes look like the
//! question.

use super::lex::Token;
use super::line::Parser;
use super::{nearest, Failure, MAX_RECEIVERS};
use crate::scenario::{Argument, Call, Receiver};
use crate::system::{Operation, Parameter};
use std::ops::Range;

/// The receiver of a call that names none.
pub(crate) const DEFAULT_RECEIVER: &str = "a";

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
                _ => {
                    let noun = self.system.receiver();
                    return self.unexpected(&format!("an operation of the {noun}"));
                }
            };
            self.advance();
        }
        let operation = self.operation(name, &at)?;
        let mut written = self.written()?;
        if !operation.on_receiver {
            if let Some((_, at)) = on {
                let hint = format!("write just `{name}`");
                let noun = self.system.receiver();
                let message = format!("`{name}` is not called on a {noun}");
                return Err(Failure::new(at, message, hint));
            }
        } else if on.is_none() {
            if let Some(Written { token: Token::Word(first), at }) = written.first() {
                // A single word where the operation takes a number is a mistake about
                // that number, and no receiver.
                if let ([_], [Parameter { name, receiver: false, .. }, ..]) =
                    (&written[..], operation.arguments)
                {
                    let message = format!("`{name}` is a number");
                    return Err(Failure::new(
                        at.clone(),
                        message,
                        usage(operation, self.system.receiver()),
                    ));
                }
                on = Some((first, written.remove(0).at));
            }
        }
        let receiver = match &on {
            _ if !operation.on_receiver => None,
            Some((name, at)) => Some(self.receiver(name, at)?),
            None => Some(self.receiver(DEFAULT_RECEIVER, &at)?),
        };
        let arguments = self.arguments(operation, &written, &at)?;
        if let (true, Some(created)) = (operation.creates, receiver) {
            if !self.scenario.created.contains(&created) {
                self.scenario.created.push(created);
            }
        }
        let text = text(operation, on.map(|(name, _)| name), &written);
        let waits = operation.waits;
        Ok(Call { operation: operation.name, receiver, arguments, text, waits })
    }

    fn operation(&self, name: &str, at: &Range<usize>) -> Result<&'a Operation, Failure> {
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

    /// The arguments in parentheses, if there are any.
    fn written(&mut self) -> Result<Vec<Written<'a>>, Failure> {
        let mut written = Vec::new();
        if !self.take('(') || self.take(')') {
            return Ok(written);
        }
        loop {
            let at = self.place();
            match self.peek() {
                token @ (Token::Word(_) | Token::Int(_)) => written.push(Written { token, at }),
                _ => {
                    let noun = self.system.receiver();
                    return self.unexpected(&format!("a number, or a {noun}'s name"));
                }
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

    fn receiver(&mut self, name: &str, at: &Range<usize>) -> Result<Receiver, Failure> {
        let known = &mut self.scenario.receivers;
        if let Some(found) = known.iter().position(|known| known == name) {
            return Ok(Receiver(found));
        }
        if known.len() == MAX_RECEIVERS {
            let message = format!("more than {MAX_RECEIVERS} {}s", self.system.receiver());
            return Err(Failure::new(at.clone(), message, "one too many"));
        }
        known.push(name.to_owned());
        Ok(Receiver(known.len() - 1))
    }

    fn arguments(
        &mut self,
        operation: &Operation,
        written: &[Written<'_>],
        at: &Range<usize>,
    ) -> Result<Vec<Argument>, Failure> {
        if let Some(extra) = written.get(operation.arguments.len()) {
            let message = format!("`{}` takes no such argument", operation.name);
            return Err(Failure::new(
                extra.at.clone(),
                message,
                usage(operation, self.system.receiver()),
            ));
        }
        let resolve = |(index, parameter): (usize, &Parameter)| match written.get(index) {
            Some(written) => self.argument(operation, parameter, written),
            None => parameter.default.map(Argument::Int).ok_or_else(|| {
                let message = format!("`{}` needs its {}", operation.name, parameter.name);
                Failure::new(at.clone(), message, usage(operation, self.system.receiver()))
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
            Token::Word(word) if parameter.receiver => {
                Ok(Argument::Receiver(self.receiver(word, &written.at)?))
            }
            Token::Int(value) if !parameter.receiver => {
                let limit = self.system.limit(name);
                if value <= limit {
                    return Ok(Argument::Int(value));
                }
                let message = format!("{value} is too much for `{name}`");
                Err(Failure::new(written.at.clone(), message, format!("at most {limit}")))
            }
            _ => {
                let noun = self.system.receiver();
                let kind = if parameter.receiver { noun } else { "number" };
                let message = format!("`{name}` is a {kind}");
                Err(Failure::new(
                    written.at.clone(),
                    message,
                    usage(operation, self.system.receiver()),
                ))
            }
        }
    }
}

/// `receiver.operation(argument, [argument])`.
fn usage(operation: &Operation, noun: &str) -> String {
    format!("it is `{}`", operation.usage(noun))
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
        // A receiver that the call creates is written as an argument.
        Some(on) if operation.creates => arguments.insert(0, on.to_owned()),
        Some(on) => head = format!("{on}.{name}"),
        None => {}
    }
    if arguments.is_empty() {
        return head;
    }
    format!("{head}({})", arguments.join(", "))
}
