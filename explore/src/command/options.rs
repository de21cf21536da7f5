//! The options of the command, in one table: the value of each, its help, and the
//! options that it excludes or needs.

/// One option.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opt {
    /// The name, without the dashes.
    pub(super) name: &'static str,
    pub(super) takes: Takes,
    /// One or two lines of `--help`.
    pub(super) help: &'static str,
    /// The options that cannot stand beside this one, in either order.
    pub(super) excludes: &'static [&'static [&'static str]],
    /// The options that this one needs.
    pub(super) needs: &'static [&'static str],
}

/// What follows an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    /// A value, by this name.
    Value(&'static str),
    /// A value behind `=`, or none.
    Perhaps(&'static str),
}

use Takes::{Nothing, Perhaps, Value};

/// Scenarios that were named or written out, among the options.
pub(super) const SCENARIO: &str = "a scenario";

/// A question, and the options that only a question has.
const QUESTION: &[&str] = &[SCENARIO, "file", "compare", "replay", "show", "outcomes"];

/// What else only an answer to a question needs.
const ALONE: &[&str] = &["compare", "replay", "show", "outcomes"];

/// How orderings are searched, but for how many.
const SAMPLED: &[&str] =
    &["engine", "seed", "iterations", "depth", "max-time", "preemptions", "checkpoint"];

/// The options of a search for orderings.
const SEARCH: &[&str] = &[
    "engine",
    "seed",
    "iterations",
    "depth",
    "max-executions",
    "max-time",
    "preemptions",
    "checkpoint",
];

/// Options that make no sense beside a page: they ask a question.
pub(super) const PAGE: &[&[&str]] =
    &[QUESTION, SEARCH, &["system", "format", "part", "merge", "estimate", "no-symmetry"]];

const fn opt(name: &'static str, takes: Takes, help: &'static str) -> Opt {
    Opt { name, takes, help, excludes: &[], needs: &[] }
}

impl Opt {
    const fn excludes(self, excludes: &'static [&'static [&'static str]]) -> Opt {
        Opt { excludes, ..self }
    }

    const fn needs(self, needs: &'static [&'static str]) -> Opt {
        Opt { needs, ..self }
    }

    /// The option that asks for a page of the suite's own.
    pub(super) const fn page(name: &'static str, help: &'static str) -> Opt {
        opt(name, Nothing, help).excludes(PAGE)
    }
}

/// The options of questions and answers.
pub(super) const OPTIONS: &[Opt] = &[
    opt("help", Nothing, "Print this help"),
    opt("list", Nothing, "List systems, operations, settings, scenarios and invariants")
        .excludes(&[QUESTION, SEARCH, &["workers", "format", "generate"]]),
    opt(
        "system",
        Value("NAME"),
        "The system to explore, or several, by commas [default: the first]",
    ),
    opt("file", Value("PATH"), "Read scenarios from a file, `-` for standard input"),
    opt("engine", Value("ENGINE"), "How orderings are chosen [default: dpor]"),
    opt(
        "compare",
        Perhaps("ENGINES"),
        "Run under several engines and compare: dpor,loom when none are named",
    )
    .excludes(&[&["engine", "show"]]),
    opt("seed", Value("N"), "For random, pct and urw: the seed [default: 1]"),
    opt("iterations", Value("N"), "For random, pct and urw: how many executions [default: 10000]"),
    opt("depth", Value("N"), "For pct: how many ordering constraints a bug may need [default: 3]"),
    opt("workers", Value("N"), "How many threads explore [default: one for each processor]"),
    opt("max-executions", Value("N"), "Stop a scenario after so many executions, incomplete"),
    opt(
        "max-time",
        Value("TIME"),
        "Stop a scenario after so much time, incomplete: 500ms, 30s, 5m, 1h",
    ),
    opt(
        "checkpoint",
        Value("PATH"),
        "Keep in a file what is left to explore and what was counted, and go on from it if it is there",
    )
    .excludes(&[&["compare", "generate"]]),
    opt(
        "part",
        Value("I/N"),
        "Part I of N, of one exploration (with --checkpoint) or of all small scenarios (with \
         --generate). The parts are the whole",
    ),
    opt(
        "merge",
        Value("PATHS"),
        "Add up the parts of an exploration: the files of their checkpoints, or folders of such \
         files; one after another, or by commas",
    )
    .excludes(&[SEARCH, &["compare", "workers", "part", "replay", "generate", "list"]]),
    opt(
        "estimate",
        Perhaps("TIME"),
        "Say between which numbers the orderings are, without exploring them all [default: 10s]",
    )
    .excludes(&[SAMPLED, &["workers", "part", "merge", "format", "generate", "list"], ALONE]),
    opt("show", Value("ROW"), "Show the ordering that leads to this outcome"),
    opt("prologue", Nothing, "In orderings, tell what the calls before the race do, step by step"),
    opt(
        "preemptions",
        Nothing,
        "Search how many preemptions each outcome needs at least: which of them a bound hides",
    )
    .excludes(&[&["replay", "compare"]]),
    opt(
        "no-symmetry",
        Nothing,
        "Run every ordering, and not only one of those that exchange the threads of `calls * N`",
    )
    .excludes(&[&["replay"]]),
    opt("outcomes", Nothing, "Of a whole file, or of several systems, tell all outcomes")
        .excludes(&[&["compare", "replay", "show"]]),
    opt("replay", Value("TOKEN"), "Run one ordering again: the token that a witness ends with")
        .excludes(&[SEARCH, &["compare", "workers"]]),
    opt("format", Value("FORMAT"), "How the answer is written [default: text]"),
];

/// The pages.
pub(super) const PAGES: &[Opt] =
    &[Opt::page("ledger", "Write the ledger: what each exploration explored")];

/// The option that compares a page instead of writing it.
pub(super) const CHECK: &str = "check";

/// The options of generated scenarios.
pub(super) const GENERATED: &[Opt] = &[
    opt("generate", Nothing, "Explore every scenario of this size, up to renaming")
        .excludes(&[QUESTION, &["system"]]),
    opt("threads", Value("N"), "Scenarios of at most so many threads [default: 3]")
        .needs(&["generate"]),
    opt(
        "calls",
        Value("N"),
        "Scenarios of at most so many calls, all threads together [default: 4]",
    )
    .needs(&["generate"]),
];
