//! One scenario: `{ prologue } thread | thread * 2 { epilogue }`.

use super::lex::{tokens, Lexed, Token};
use super::{nearest, Failure, MAX_CALLS, MAX_THREADS};
use crate::scenario::{Call, Scenario};
use crate::system::Model;
use std::ops::Range;

pub(super) fn scenario(text: &str, base: usize, system: &dyn Model) -> Result<Scenario, Failure> {
    let mut parser = Parser::new(text, base, false, system, Scenario::default())?;
    parser.scenario()?;
    let mut scenario = parser.scenario;
    scenario.text = scenario.to_string();
    scenario.name.clone_from(&scenario.text);
    Ok(scenario)
}

/// The tokens that are left, and the scenario so far.
pub(super) struct Parser<'a> {
    tokens: Vec<Lexed<'a>>,
    next: usize,
    pub(super) system: &'a dyn Model,
    pub(super) scenario: Scenario,
    calls: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(
        text: &'a str,
        base: usize,
        hash_is_sign: bool,
        system: &'a dyn Model,
        scenario: Scenario,
    ) -> Result<Self, Failure> {
        let tokens = tokens(text, base, hash_is_sign)?;
        Ok(Parser { tokens, next: 0, system, scenario, calls: 0 })
    }

    /// The last token is the end, and is never passed.
    fn lexed(&self, ahead: usize) -> &Lexed<'a> {
        &self.tokens[(self.next + ahead).min(self.tokens.len() - 1)]
    }

    pub(super) fn peek(&self) -> Token<'a> {
        self.lexed(0).token
    }

    pub(super) fn place(&self) -> Range<usize> {
        self.lexed(0).at.clone()
    }

    pub(super) fn advance(&mut self) -> Token<'a> {
        let token = self.peek();
        self.next += 1;
        token
    }

    pub(super) fn take(&mut self, sign: char) -> bool {
        let found = self.peek() == Token::Sign(sign);
        if found {
            self.next += 1;
        }
        found
    }

    /// The error that `expected` was expected here.
    pub(super) fn unexpected<T>(&self, expected: &str) -> Result<T, Failure> {
        let message = match self.peek() {
            Token::End => "something is missing at the end".to_owned(),
            found => format!("unexpected {found}"),
        };
        Err(Failure::new(self.place(), message, format!("expected {expected}")))
    }

    fn scenario(&mut self) -> Result<(), Failure> {
        if self.take('{') {
            let prologue = self.block(true)?;
            self.scenario.prologue = prologue;
        }
        let mut repeated;
        loop {
            let begin = self.place().start;
            let thread = self.calls()?;
            let mut times = 1;
            repeated = self.take('*');
            if repeated {
                times = match self.peek() {
                    Token::Int(times @ 1..) => times,
                    _ => return self.unexpected("how many of this thread, from 1"),
                };
                self.advance();
            }
            for _ in 0..times {
                if self.scenario.threads.len() == MAX_THREADS {
                    let message = format!("more than {MAX_THREADS} threads");
                    return Err(Failure::new(begin..self.place().start, message, "one too many"));
                }
                self.count(thread.len(), begin)?;
                self.scenario.threads.push(thread.clone());
            }
            if !self.take('|') {
                break;
            }
        }
        if self.take('{') {
            let epilogue = self.block(false)?;
            self.scenario.epilogue = epilogue;
        }
        match self.peek() {
            Token::End => Ok(()),
            _ if !self.scenario.epilogue.is_empty() => self.unexpected("the end"),
            _ if repeated => self.unexpected("`|`, `{` or the end"),
            _ => self.unexpected("`;`, `|`, `*`, `{` or the end"),
        }
    }

    fn count(&mut self, calls: usize, begin: usize) -> Result<(), Failure> {
        self.calls += calls;
        if self.calls > MAX_CALLS {
            let message = format!("more than {MAX_CALLS} calls");
            return Err(Failure::new(begin..self.place().start, message, "too many from here"));
        }
        Ok(())
    }

    fn calls(&mut self) -> Result<Vec<Call>, Failure> {
        let mut calls = vec![self.call()?];
        while self.take(';') {
            calls.push(self.call()?);
            if calls.len() > MAX_CALLS {
                return Err(Failure::new(
                    self.place(),
                    format!("more than {MAX_CALLS} calls"),
                    "too many from here",
                ));
            }
        }
        Ok(calls)
    }

    /// After its `{`: settings and calls, up to and with its `}`.
    fn block(&mut self, settings: bool) -> Result<Vec<Call>, Failure> {
        let mut calls = Vec::new();
        let begin = self.place().start;
        while !self.take('}') {
            match (self.peek(), self.lexed(1).token) {
                (Token::Word(name), Token::Sign('=')) => self.setting(name, settings)?,
                _ => calls.push(self.call()?),
            }
            self.count(1, begin)?;
            if !self.take(';') && self.peek() != Token::Sign('}') {
                return self.unexpected("`;` or `}`");
            }
        }
        Ok(calls)
    }

    fn setting(&mut self, name: &str, allowed: bool) -> Result<(), Failure> {
        let at = self.place();
        if !allowed {
            let hint = "settings stand in the braces before the first thread";
            return Err(Failure::new(at, "a setting after the threads", hint));
        }
        let settings = self.system.settings();
        let Some(setting) = settings.iter().find(|setting| setting.name == name) else {
            let names = || settings.iter().map(|setting| setting.name);
            let hint = match nearest(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if settings.is_empty() => "this system has none".into(),
                None => format!("expected one of {}", names().collect::<Vec<_>>().join(", ")),
            };
            let message = format!("{} has no setting `{name}`", self.system.name());
            return Err(Failure::new(at, message, hint));
        };
        if self.scenario.settings.iter().any(|(known, _)| known == name) {
            return Err(Failure::new(at, format!("`{name}` is set twice"), "once is enough"));
        }
        self.next += 2;
        let Token::Int(value) = self.peek() else { return self.unexpected("a number") };
        let limit = self.system.limit(setting.name);
        if value > limit {
            let message = format!("{value} is too much for `{name}`");
            return Err(Failure::new(self.place(), message, format!("at most {limit}")));
        }
        self.advance();
        self.scenario.settings.push((name.to_owned(), value));
        Ok(())
    }
}
