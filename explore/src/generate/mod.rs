//! Generates every small scenario of a system.
//!
//! A universe is a list of [`Family`]s: the calls before the race, and the alphabet
//! of the calls that race. It has each scenario of at least two threads and at most
//! so many threads and calls, once: scenarios that differ only in the names of
//! receivers or values, or in the order of threads, are one. (A call that visits the
//! receivers in the order of their appearance in the text is not explored with the
//! other order.)
//!
//! The order of the scenarios is fixed, short ones first, so a part of a universe has
//! the same scenarios in every run.

#[cfg(test)]
mod tests;

use crate::system::{Operation, Parameter};

use std::fmt;
use std::ops::RangeInclusive;

/// One call, as it is written in a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Letter {
    /// The name of the operation.
    pub operation: &'static str,
    receiver: Option<usize>,
    /// Whether the call creates the receiver, which is then written as an argument.
    creates: bool,
    /// Another receiver, as an argument.
    pub name: Option<usize>,
    value: Option<u64>,
    /// How often the value is written.
    times: usize,
    /// More arguments, as they are written.
    rest: &'static str,
}

/// The calls before a race, and the calls that may race.
#[derive(Clone, Debug)]
pub struct Family {
    /// Settings, as they are written.
    pub settings: &'static str,
    /// Calls before the race.
    pub prologue: Vec<Letter>,
    /// The calls that may race.
    pub alphabet: Vec<Letter>,
    /// A further thread of each scenario: such as one that ends what others wait for.
    pub beside: Vec<Letter>,
    /// The numbers of calls that its scenarios have, as far as the universe goes.
    pub calls: RangeInclusive<usize>,
    /// The number of calls of a scenario that may be the same.
    pub alike: usize,
}

/// All scenarios of these families, up to this size.
#[derive(Clone, Debug)]
pub struct Universe {
    /// The families.
    pub families: Vec<Family>,
    /// The most threads of a scenario; at least two.
    pub threads: usize,
    /// The most calls of a scenario, all threads together; at least two.
    pub calls: usize,
}

/// Of a [`Family`] that has scenarios of every size.
pub const ANY: RangeInclusive<usize> = 2..=usize::MAX;

/// Every scenario over these operations, on up to two receivers. A required parameter
/// has one of two values, which stand for any two; an optional one is left out.
pub fn of_operations(operations: &[Operation], threads: usize, calls: usize) -> Universe {
    let receivers = if operations.iter().any(|operation| operation.on_receiver) { 2 } else { 1 };
    let mut alphabet = Vec::new();
    for operation in operations {
        let named = |parameter: &&Parameter| parameter.default.is_none();
        let values = operation.arguments.iter().filter(named).count();
        for receiver in 0..if operation.on_receiver { receivers } else { 1 } {
            let letter = match (operation.on_receiver, operation.creates) {
                (false, _) => letter(operation.name),
                (true, false) => letter(operation.name).on(receiver),
                (true, true) => letter(operation.name).making(receiver),
            };
            match values {
                0 => alphabet.push(letter),
                // Several parameters have the same value, so that there are few scenarios.
                _ => alphabet.extend([0, 1].map(|value| letter.values(value, values))),
            }
        }
    }
    let (prologue, beside) = (Vec::new(), Vec::new());
    let families =
        vec![Family { settings: "", prologue, alphabet, beside, calls: ANY, alike: usize::MAX }];
    Universe { families, threads, calls }
}

/// A scenario in canonical form: the letters of each thread, by their place in
/// the alphabet.
type Code = Vec<Vec<usize>>;

const NAMES: [&str; 3] = ["a", "b", "c"];

/// A call without a receiver and a value.
pub const fn letter(operation: &'static str) -> Letter {
    Letter {
        operation,
        receiver: None,
        creates: false,
        name: None,
        value: None,
        times: 1,
        rest: "",
    }
}

impl Letter {
    /// The call on a receiver.
    pub const fn on(self, receiver: usize) -> Self {
        Letter { receiver: Some(receiver), ..self }
    }

    /// The call that creates a receiver.
    pub const fn making(self, receiver: usize) -> Self {
        Letter { receiver: Some(receiver), creates: true, ..self }
    }

    /// The call with a value that can be renamed.
    pub const fn value(self, value: u64) -> Self {
        Letter { value: Some(value), ..self }
    }

    /// The call with this many parameters of the same value.
    const fn values(self, value: u64, times: usize) -> Self {
        Letter { value: Some(value), times, ..self }
    }

    /// The call with more arguments, behind the value.
    pub const fn with(self, rest: &'static str) -> Self {
        Letter { rest, ..self }
    }

    /// The call with another receiver as an argument.
    pub const fn with_receiver(self, name: usize) -> Self {
        Letter { name: Some(name), ..self }
    }

    fn renamed(self, renaming: &Renaming) -> Self {
        Letter {
            receiver: self.receiver.map(|receiver| renaming.receiver(receiver)),
            name: self.name.map(|receiver| renaming.receiver(receiver)),
            value: self.value.map(|value| renaming.value(value)),
            ..self
        }
    }
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |receiver: Option<usize>| receiver.map(|at| NAMES[at].to_owned());
        let mut arguments: Vec<String> = Vec::new();
        if self.creates {
            arguments.extend(name(self.receiver));
        } else if let Some(receiver) = name(self.receiver) {
            write!(f, "{receiver}.")?;
        }
        arguments.extend(name(self.name));
        let value = self.value.map(|value| value.to_string());
        arguments.extend(value.into_iter().cycle().take(if self.value.is_some() {
            self.times
        } else {
            0
        }));
        if !self.rest.is_empty() {
            arguments.push(self.rest.to_owned());
        }
        f.write_str(self.operation)?;
        match arguments.is_empty() {
            true => Ok(()),
            false => write!(f, "({})", arguments.join(", ")),
        }
    }
}

/// A renaming: whether the first two receivers are exchanged, and the first two
/// values. Others keep their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Renaming {
    receivers: bool,
    values: bool,
}

impl Renaming {
    const ALL: [Renaming; 4] = [
        Renaming { receivers: false, values: false },
        Renaming { receivers: false, values: true },
        Renaming { receivers: true, values: false },
        Renaming { receivers: true, values: true },
    ];

    fn receiver(&self, receiver: usize) -> usize {
        if self.receivers && receiver < 2 {
            1 - receiver
        } else {
            receiver
        }
    }

    fn value(&self, value: u64) -> u64 {
        if self.values && value < 2 {
            1 - value
        } else {
            value
        }
    }
}

impl Family {
    /// The renamings that change neither the calls before the race nor the alphabet,
    /// each as the new place of each letter.
    fn renamings(&self) -> Vec<Vec<usize>> {
        let place = |letter: Letter| self.alphabet.iter().position(|other| *other == letter);
        let same = |renaming: &&Renaming| {
            self.prologue
                .iter()
                .chain(&self.beside)
                .all(|letter| letter.renamed(renaming) == *letter)
        };
        let mut renamings: Vec<Vec<usize>> = Renaming::ALL
            .iter()
            .filter(same)
            .filter_map(|renaming| {
                self.alphabet.iter().map(|letter| place(letter.renamed(renaming))).collect()
            })
            .collect();
        renamings.sort();
        renamings.dedup();
        renamings
    }

    /// The text of a scenario: the letters of each thread, by their place in
    /// the alphabet.
    pub fn text(&self, code: &[Vec<usize>]) -> String {
        let calls = |letters: &[Letter]| -> Vec<String> {
            letters.iter().map(|letter| letter.to_string()).collect()
        };
        let mut before: Vec<String> = Vec::new();
        before.extend((!self.settings.is_empty()).then(|| self.settings.to_owned()));
        before.extend(calls(&self.prologue));
        let threads: Vec<String> = code
            .iter()
            .map(|thread| {
                let letters: Vec<Letter> = thread.iter().map(|at| self.alphabet[*at]).collect();
                calls(&letters).join("; ")
            })
            .collect();
        let beside = (!self.beside.is_empty()).then(|| calls(&self.beside).join("; "));
        let race = threads.into_iter().chain(beside).collect::<Vec<_>>().join(" | ");
        match before.is_empty() {
            true => race,
            false => format!("{{ {} }} {race}", before.join("; ")),
        }
    }

    fn few_alike(&self, code: &Code) -> bool {
        let times = |letter| code.iter().flatten().filter(|other| *other == letter).count();
        code.iter().flatten().all(|letter| times(letter) <= self.alike)
    }

    /// The scenarios of this shape: the number of calls of each thread, descending.
    fn of_shape(&self, shape: &[usize]) -> impl Iterator<Item = Code> + '_ {
        let (renamings, shape) = (self.renamings(), shape.to_vec());
        let (base, digits) = (self.alphabet.len(), shape.iter().sum::<usize>());
        (0..base.pow(digits as u32)).filter_map(move |number| {
            let code = decode(number, base, &shape);
            (canonical(&code, &renamings) && self.few_alike(&code)).then_some(code)
        })
    }
}

fn decode(mut number: usize, base: usize, shape: &[usize]) -> Code {
    let mut code: Code = shape.iter().map(|len| vec![0; *len]).collect();
    for at in code.iter_mut().rev().flat_map(|thread| thread.iter_mut().rev()) {
        *at = number % base;
        number /= base;
    }
    code
}

/// Whether the code is the first of those that are the same scenario.
fn canonical(code: &Code, renamings: &[Vec<usize>]) -> bool {
    // Most codes are out of order as they are: that is seen without renaming them.
    let ordered = |pair: &[Vec<usize>]| pair[0].len() > pair[1].len() || pair[0] <= pair[1];
    code.windows(2).all(ordered)
        && renamings.iter().all(|renaming| {
            let mut renamed = code.clone();
            renamed.iter_mut().flatten().for_each(|at| *at = renaming[*at]);
            renamed.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
            *code <= renamed
        })
}

/// The shapes of scenarios: the lengths of the threads, descending, at least two.
fn shapes(threads: usize, calls: usize) -> Vec<Vec<usize>> {
    fn extend(shape: &mut Vec<usize>, threads: usize, calls: usize, all: &mut Vec<Vec<usize>>) {
        if calls == 0 && shape.len() >= 2 {
            all.push(shape.clone());
        }
        if shape.len() == threads {
            return;
        }
        for len in 1..=shape.last().copied().unwrap_or(calls).min(calls) {
            shape.push(len);
            extend(shape, threads, calls - len, all);
            shape.pop();
        }
    }
    let mut all = Vec::new();
    extend(&mut Vec::new(), threads, calls, &mut all);
    all
}

impl Universe {
    /// The scenarios, short ones first.
    pub fn scenarios(&self) -> impl Iterator<Item = String> + '_ {
        self.part(1, 1)
    }

    /// Part `part` of `parts`, from 1: every `parts`-th scenario.
    pub fn part(&self, part: usize, parts: usize) -> impl Iterator<Item = String> + '_ {
        let shapes = (2..=self.calls).flat_map(|calls| shapes(self.threads, calls));
        let each = shapes.flat_map(|shape| {
            let calls = shape.iter().sum();
            let families = self.families.iter().filter(move |f| f.calls.contains(&calls));
            families.map(move |f| (f, shape.clone()))
        });
        let codes = each
            .flat_map(|(family, shape)| family.of_shape(&shape).map(move |code| (family, code)));
        let part = codes.skip(part.saturating_sub(1)).step_by(parts.max(1));
        part.map(|(family, code)| family.text(&code))
    }
}
