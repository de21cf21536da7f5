//! Every small scenario, and not only those that somebody thought of.
//!
//! A universe is a list of [`Family`]s: what comes before the race, and the
//! calls that race are made of. It has each scenario of at least two threads
//! and at most so many threads and calls, once: two that differ only in the
//! names of connections or vbs, or in the order of threads, are one. (A
//! shutdown goes through the connections in the order of their ids, which is
//! that of their appearance in the text. The scenario in the other order is
//! not explored apart.)
//!
//! The order is fixed, short scenarios first, so "every n-th" is the same part
//! everywhere and always.

mod families;
#[cfg(test)]
mod tests;

pub use families::{alphabet, core, essential};

use std::fmt;

/// One call, as it is written in a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Letter {
    operation: &'static str,
    connection: Option<usize>,
    /// Whose name it is opened under.
    name: Option<usize>,
    vb: Option<u64>,
    /// More arguments.
    rest: &'static str,
}

/// What comes before a race, and what may race.
#[derive(Clone, Debug)]
pub struct Family {
    /// Settings, as they are written.
    pub settings: &'static str,
    /// Calls before the race.
    pub prologue: Vec<Letter>,
    /// The calls that race are among these.
    pub alphabet: Vec<Letter>,
}

/// All scenarios of these families, up to this size.
#[derive(Clone, Debug)]
pub struct Universe {
    /// The families.
    pub families: Vec<Family>,
    /// At most so many threads; at least two.
    pub threads: usize,
    /// At most so many calls in all threads together; at least two.
    pub calls: usize,
}

/// A scenario in canonical form: the letters of each thread, by their place in
/// the alphabet.
type Code = Vec<Vec<usize>>;

const NAMES: [&str; 2] = ["a", "b"];

/// A call without a connection and a vb.
pub const fn letter(operation: &'static str) -> Letter {
    Letter { operation, connection: None, name: None, vb: None, rest: "" }
}

impl Letter {
    /// On a connection.
    pub const fn on(self, connection: usize) -> Self {
        Letter { connection: Some(connection), ..self }
    }

    /// Of a vb.
    pub const fn vb(self, vb: u64) -> Self {
        Letter { vb: Some(vb), ..self }
    }

    /// With more arguments, behind the vb.
    pub const fn with(self, rest: &'static str) -> Self {
        Letter { rest, ..self }
    }

    /// Opened under the name of another.
    pub const fn named(self, name: usize) -> Self {
        Letter { name: Some(name), ..self }
    }

    fn renamed(self, renaming: &Renaming) -> Self {
        Letter {
            connection: self.connection.map(|conn| renaming.connection(conn)),
            name: self.name.map(|conn| renaming.connection(conn)),
            vb: self.vb.map(|vb| renaming.vb(vb)),
            ..self
        }
    }
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let conn = |conn: Option<usize>| conn.map(|conn| NAMES[conn].to_owned());
        let mut arguments: Vec<String> = Vec::new();
        if self.operation == "open" {
            arguments.extend(conn(self.connection));
            arguments.extend(conn(self.name));
        } else if let Some(conn) = conn(self.connection) {
            write!(f, "{conn}.")?;
        }
        arguments.extend(self.vb.map(|vb| vb.to_string()));
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

/// Other names for the connections and the vbs: of two, the one or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Renaming {
    connections: bool,
    vbs: bool,
}

impl Renaming {
    const ALL: [Renaming; 4] = [
        Renaming { connections: false, vbs: false },
        Renaming { connections: false, vbs: true },
        Renaming { connections: true, vbs: false },
        Renaming { connections: true, vbs: true },
    ];

    fn connection(&self, conn: usize) -> usize {
        if self.connections {
            1 - conn
        } else {
            conn
        }
    }

    fn vb(&self, vb: u64) -> u64 {
        if self.vbs {
            1 - vb
        } else {
            vb
        }
    }
}

impl Family {
    /// The renamings that change neither what comes before the race nor the
    /// set of what may race, as the places of the letters that they give.
    fn renamings(&self) -> Vec<Vec<usize>> {
        let place = |letter: Letter| self.alphabet.iter().position(|other| *other == letter);
        let same = |renaming: &&Renaming| {
            self.prologue.iter().all(|letter| letter.renamed(renaming) == *letter)
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
        let race = threads.join(" | ");
        match before.is_empty() {
            true => race,
            false => format!("{{ {} }} {race}", before.join("; ")),
        }
    }

    /// The scenarios of this shape: so many calls in each thread, not growing.
    fn of_shape(&self, shape: &[usize]) -> impl Iterator<Item = Code> + '_ {
        let (renamings, shape) = (self.renamings(), shape.to_vec());
        let (base, digits) = (self.alphabet.len(), shape.iter().sum::<usize>());
        (0..base.pow(digits as u32)).filter_map(move |number| {
            let code = decode(number, base, &shape);
            canonical(&code, &renamings).then_some(code)
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

/// Whether it is the first of those that are the same scenario.
fn canonical(code: &Code, renamings: &[Vec<usize>]) -> bool {
    // Most are out of order already, and need not be written anew to see it.
    let ordered = |pair: &[Vec<usize>]| pair[0].len() > pair[1].len() || pair[0] <= pair[1];
    code.windows(2).all(ordered)
        && renamings.iter().all(|renaming| {
            let mut renamed = code.clone();
            renamed.iter_mut().flatten().for_each(|at| *at = renaming[*at]);
            renamed.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
            *code <= renamed
        })
}

/// The lengths of the threads, not growing, two threads at least.
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
    /// Its scenarios, short ones first.
    pub fn scenarios(&self) -> impl Iterator<Item = String> + '_ {
        self.part(1, 1)
    }

    /// Part `part` of `parts`, from 1: every so many-th of its scenarios.
    pub fn part(&self, part: usize, parts: usize) -> impl Iterator<Item = String> + '_ {
        let shapes = (2..=self.calls).flat_map(|calls| shapes(self.threads, calls));
        let each = shapes.flat_map(|shape| self.families.iter().map(move |f| (f, shape.clone())));
        let codes = each
            .flat_map(|(family, shape)| family.of_shape(&shape).map(move |code| (family, code)));
        let part = codes.skip(part.saturating_sub(1)).step_by(parts.max(1));
        part.map(|(family, code)| family.text(&code))
    }
}
