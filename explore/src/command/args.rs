//! The command line, from words to values.

use super::options::{Opt, Takes, CHECK, GENERATED, OPTIONS, PAGES, SCENARIO};
use super::usage::Usage;
use crate::engine::{Kept, Options, Strategy};
use crate::parse::nearest;
use crate::suite::Suite;
use lexopt::{Arg, Parser};
use std::ffi::OsString;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The command line: a question, or a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// Calls that race, or names of scenarios.
    pub scenarios: Vec<String>,
    /// A task instead of a question.
    pub task: Option<Task>,
    /// The names of systems, separated by commas.
    pub system: Option<String>,
    /// The path of a file of scenarios; `-` is standard input.
    pub file: Option<PathBuf>,
    /// How orderings are chosen.
    pub engine: Engine,
    /// The engines to compare.
    pub compare: Option<Vec<Engine>>,
    /// The seed of the samplers random, pct and urw.
    pub seed: Option<u64>,
    /// The executions of the samplers.
    pub iterations: Option<u64>,
    /// The depth of pct: the ordering constraints that a bug is thought to need.
    pub depth: Option<u64>,
    /// Threads that explore.
    pub workers: Option<u64>,
    /// The executions after which a scenario is INCOMPLETE.
    pub max_executions: Option<u64>,
    /// The time after which a scenario is INCOMPLETE.
    pub max_time: Option<Duration>,
    /// The outcome whose ordering is to be shown, from 1.
    pub show: Option<u64>,
    /// Whether orderings show the steps of the calls before the race.
    pub prologue: bool,
    /// Whether to search for the fewest preemptions that lead to each outcome.
    pub preemptions: bool,
    /// Whether threads with the same calls are explored as if they differed.
    pub no_symmetry: bool,
    /// Whether to show all outcomes of several scenarios.
    pub outcomes: bool,
    /// The token of an ordering.
    pub replay: Option<String>,
    /// How the answer is written.
    pub format: Format,
    /// With a page: compare it with the file, and write nothing.
    pub check: bool,
    /// The most threads of a generated scenario.
    pub threads: Option<u64>,
    /// The most calls of a generated scenario, all threads together.
    pub calls: Option<u64>,
    /// The orderings are not explored but estimated, in so much time.
    pub estimate: Option<Duration>,
    /// The file that the exploration is kept in.
    pub checkpoint: Option<PathBuf>,
    /// The files of parts that are to be added up, and folders of them.
    pub merge: Option<Vec<PathBuf>>,
    /// Which part of the exploration, or of the generated scenarios, from 1, and of how many parts.
    pub part: Option<(usize, usize)>,
}

/// A task of the command, other than to answer a question.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Task {
    /// Print the help.
    Help,
    /// List the systems and their scenarios.
    List,
    /// Explore generated scenarios.
    Generate,
    /// Write or check the ledger.
    Ledger,
    /// Write or check a page of the suite's own, by its option.
    Page(&'static str),
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// For a terminal.
    #[default]
    Text,
    /// One object to a line and scenario, see `explore/JSON.md`.
    Json,
    /// For a pull request.
    Markdown,
    /// A sequence diagram of the witness.
    Mermaid,
    /// One page, with the table and the sequence diagrams.
    Html,
}

/// The engines, by their names on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // See `Engine::NAMES`.
#[non_exhaustive]
pub enum Engine {
    #[default]
    Dpor,
    Dfs,
    Random,
    Pct,
    Urw,
    Loom,
}

impl Format {
    pub(super) const NAMES: &[(&str, Format, &str)] = &[
        ("text", Format::Text, "For a terminal"),
        ("json", Format::Json, "One object to a line and scenario, see explore/JSON.md"),
        ("markdown", Format::Markdown, "For a pull request"),
        ("mermaid", Format::Mermaid, "A sequence diagram of the witness"),
        ("html", Format::Html, "One page, with the table and the sequence diagrams"),
    ];
}

impl Engine {
    pub(super) const NAMES: &[(&str, Engine, &str)] = &[
        ("dpor", Engine::Dpor, "Each inequivalent ordering once"),
        ("dfs", Engine::Dfs, "Every interleaving"),
        ("random", Engine::Random, "Samples: a random walk"),
        ("pct", Engine::Pct, "Samples: random priorities"),
        ("urw", Engine::Urw, "Samples: a random walk, uniform over the interleavings"),
        ("loom", Engine::Loom, "Interleavings and weak memory, at most 5 threads"),
    ];
}

/// An option that was given, and its value.
struct Given {
    opt: Opt,
    value: Option<String>,
}

impl Arguments {
    /// Reads the words behind the command's name.
    pub fn read(
        suite: &Suite,
        words: impl IntoIterator<Item = OsString>,
    ) -> Result<Arguments, Usage> {
        let (given, scenarios) = given(suite, words)?;
        // `--help` goes before any mistake.
        if given.iter().any(|given| given.opt.name == "help") {
            return Ok(Arguments { task: Some(Task::Help), ..Arguments::default() });
        }
        contradictions(suite, &given, !scenarios.is_empty())?;
        let mut arguments = Arguments { scenarios, ..Arguments::default() };
        for Given { opt, value } in &given {
            arguments.set(opt.name, value.as_deref().unwrap_or_default())?;
        }
        arguments.find_parts();
        arguments.check()?;
        Ok(arguments)
    }

    fn set(&mut self, option: &'static str, value: &str) -> Result<(), Usage> {
        match option {
            "list" => self.task = Some(Task::List),
            "generate" => self.task = Some(Task::Generate),
            "ledger" => self.task = Some(Task::Ledger),
            "system" => self.system = Some(value.to_owned()),
            "file" => self.file = Some(value.into()),
            "engine" => self.engine = one_of(option, value, Engine::NAMES)?,
            "compare" => self.compare = Some(engines(option, value)?),
            "seed" => self.seed = Some(number(option, value, 0, u64::MAX)?),
            // A sample of no execution would find nothing.
            "iterations" => self.iterations = Some(number(option, value, 1, u64::MAX)?),
            // Depths beyond any scenario's number of steps say the same as that number.
            "depth" => self.depth = Some(number(option, value, 1, 1000)?),
            "workers" => self.workers = Some(number(option, value, 1, 256)?),
            "max-executions" => self.max_executions = Some(number(option, value, 1, u64::MAX)?),
            "max-time" => self.max_time = Some(duration(option, value)?),
            "show" => self.show = Some(number(option, value, 0, u64::MAX)?),
            "prologue" => self.prologue = true,
            "preemptions" => self.preemptions = true,
            "no-symmetry" => self.no_symmetry = true,
            "outcomes" => self.outcomes = true,
            "replay" => self.replay = Some(value.to_owned()),
            "format" => self.format = one_of(option, value, Format::NAMES)?,
            CHECK => self.check = true,
            "threads" => self.threads = Some(number(option, value, 2, 4)?),
            "calls" => self.calls = Some(number(option, value, 2, 6)?),
            "estimate" if value.is_empty() => self.estimate = Some(Duration::from_secs(10)),
            "estimate" => self.estimate = Some(duration(option, value)?),
            "checkpoint" => self.checkpoint = Some(value.into()),
            "merge" => self.merge = Some(value.split(',').map(PathBuf::from).collect()),
            "part" => self.part = Some(part(option, value)?),
            page => self.task = Some(Task::Page(page)),
        }
        Ok(())
    }

    /// With `--merge *.checkpoint` the shell hands over one word for each file: the first is the option's, and the
    /// others look like scenarios.
    fn find_parts(&mut self) {
        let Some(merge) = self.merge.as_mut().filter(|_| self.scenarios.len() > 1) else { return };
        let is_there = |scenario: &String| Path::new(scenario).exists();
        let (parts, scenarios) = self.scenarios.drain(..).partition(is_there);
        merge.extend(Vec::into_iter(parts).map(PathBuf::from));
        self.scenarios = scenarios;
    }

    /// Checks for mistakes that only several options together show.
    fn check(&self) -> Result<(), Usage> {
        let engines = self.compared().unwrap_or_else(|| vec![self.strategy()]);
        let samples = engines.iter().any(|engine| engine.samples().is_some());
        let pct = engines.iter().any(|engine| matches!(engine, Strategy::Pct { .. }));
        for (given, option, may, of) in [
            (self.seed.is_some(), "seed", samples, "engines random, pct and urw"),
            (self.iterations.is_some(), "iterations", samples, "engines random, pct and urw"),
            (self.depth.is_some(), "depth", pct, "engine pct"),
        ] {
            if given && !may {
                return Err(Usage::OnlyFor { option, of });
            }
        }
        if self.preemptions && self.engine != Engine::Dpor {
            return Err(Usage::OnlyFor { option: "preemptions", of: "engine dpor" });
        }
        if self.no_symmetry && !engines.contains(&Strategy::Dpor) {
            return Err(Usage::OnlyFor { option: "no-symmetry", of: "engine dpor" });
        }
        if self.checkpoint.is_some() && self.engine != Engine::Dpor {
            return Err(Usage::OnlyFor { option: "checkpoint", of: "engine dpor" });
        }
        if self.part.is_some() && self.checkpoint.is_none() && self.task != Some(Task::Generate) {
            let other = "generate or --checkpoint".to_owned();
            return Err(Usage::Needs { option: "part", other });
        }
        let drawn = matches!(self.format, Format::Mermaid | Format::Html);
        if self.compare.is_some() && drawn {
            return Err(Usage::ComparisonFormat);
        }
        if self.task == Some(Task::Generate) && self.format != Format::Text {
            return Err(Usage::GeneratedFormat);
        }
        if self.task == Some(Task::Generate) && self.engine == Engine::Loom {
            return Err(Usage::GeneratedLoom);
        }
        Ok(())
    }

    /// The engine that was asked for.
    pub fn strategy(&self) -> Strategy {
        self.strategy_of(self.engine)
    }

    /// The engines that are to be compared.
    pub fn compared(&self) -> Option<Vec<Strategy>> {
        let engines = self.compare.as_ref()?.iter();
        Some(engines.map(|engine| self.strategy_of(*engine)).collect())
    }

    fn strategy_of(&self, engine: Engine) -> Strategy {
        let (seed, iterations) = (self.seed.unwrap_or(1), self.iterations.unwrap_or(10_000));
        let depth = self.depth.unwrap_or(3);
        match engine {
            Engine::Dpor => Strategy::Dpor,
            Engine::Dfs => Strategy::Dfs,
            Engine::Random => Strategy::Random { seed, iterations },
            Engine::Pct => Strategy::Pct { seed, iterations, depth },
            Engine::Urw => Strategy::Urw { seed, iterations },
            Engine::Loom => Strategy::Loom,
        }
    }

    /// The options of the engine, without those that the tool itself adds.
    pub fn options(&self, strategy: Strategy) -> Options {
        let processors = || std::thread::available_parallelism().map_or(1, |count| count.get());
        let asked = self.workers.and_then(|workers| workers.try_into().ok());
        Options {
            strategy,
            max_executions: self.max_executions,
            max_time: self.max_time,
            prologue: self.prologue,
            preemptions: self.preemptions,
            symmetry: !self.no_symmetry,
            kept: self.checkpoint.clone().map(|path| Kept { path, part: self.part }),
            workers: asked.unwrap_or_else(processors),
            ..Options::default()
        }
    }
}

/// Every option that the command has.
fn known(suite: &Suite) -> impl Iterator<Item = Opt> + '_ {
    let check = Opt::page(CHECK, "");
    let check = Opt { excludes: &[], ..check };
    let own = suite.pages.iter().map(|page| Opt::page(page.option, page.meaning));
    let tables = OPTIONS.iter().chain(GENERATED).chain(PAGES).copied();
    tables.chain(own).chain([check])
}

/// The options in the order in which they were given, and the words beside them.
fn given(
    suite: &Suite,
    words: impl IntoIterator<Item = OsString>,
) -> Result<(Vec<Given>, Vec<String>), Usage> {
    let mut parser = Parser::from_args(words);
    let (mut given, mut scenarios): (Vec<Given>, Vec<String>) = (Vec::new(), Vec::new());
    while let Some(word) = parser.next()? {
        let name = match word {
            Arg::Value(scenario) => {
                scenarios.push(text(scenario)?);
                continue;
            }
            Arg::Short('h') => "help".to_owned(),
            Arg::Short(letter) => return Err(Usage::unknown(&format!("-{letter}"), None)),
            Arg::Long(name) => name.to_owned(),
        };
        let Some(opt) = known(suite).find(|opt| opt.name == name) else {
            let names: Vec<&str> = known(suite).map(|opt| opt.name).collect();
            return Err(Usage::unknown(&format!("--{name}"), nearest(&name, names)));
        };
        if given.iter().any(|earlier| earlier.opt.name == opt.name) {
            return Err(Usage::Twice { option: opt.name });
        }
        let value = match opt.takes {
            Takes::Nothing => None,
            Takes::Value(_) => Some(text(parser.value()?)?),
            Takes::Perhaps(_) => parser.optional_value().map(text).transpose()?,
        };
        given.push(Given { opt, value });
    }
    Ok((given, scenarios))
}

fn text(word: OsString) -> Result<String, Usage> {
    word.into_string().map_err(Usage::NotText)
}

/// Checks for options that exclude each other, or need another.
fn contradictions(suite: &Suite, given: &[Given], scenario: bool) -> Result<(), Usage> {
    let has = |name: &str| {
        name == SCENARIO && scenario || given.iter().any(|given| given.opt.name == name)
    };
    let own = suite.pages.iter().map(|page| page.option);
    let pages: Vec<&str> = PAGES.iter().map(|page| page.name).chain(own).collect();
    // The command does one task, or answers a question.
    let task = |name: &str| ["list", "generate"].contains(&name) || pages.contains(&name);
    let tasks: Vec<&'static str> =
        given.iter().map(|given| given.opt.name).filter(|name| task(name)).collect();
    if let [option, other, ..] = tasks[..] {
        return Err(Usage::Excludes { option, other });
    }
    for Given { opt, .. } in given {
        let mut excluded = opt.excludes.iter().copied().flatten();
        if let Some(other) = excluded.find(|other| has(other)) {
            return Err(Usage::Excludes { option: opt.name, other });
        }
        let mut needed = opt.needs.iter();
        if let Some(other) = needed.find(|other| !has(other)) {
            return Err(Usage::Needs { option: opt.name, other: (*other).to_owned() });
        }
    }
    if has(CHECK) && !pages.iter().any(|page| has(page)) {
        return Err(Usage::Needs { option: CHECK, other: pages.join(" or --") });
    }
    Ok(())
}

fn bad<T>(option: &'static str, value: &str, expected: impl Display) -> Result<T, Usage> {
    Err(Usage::Value { option, value: value.to_owned(), expected: expected.to_string() })
}

fn number(option: &'static str, text: &str, least: u64, most: u64) -> Result<u64, Usage> {
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ if most == u64::MAX => bad(option, text, format!("a number, from {least}")),
        _ => bad(option, text, format!("a number from {least} to {most}")),
    }
}

fn one_of<T: Copy>(
    option: &'static str,
    text: &str,
    names: &[(&'static str, T, &str)],
) -> Result<T, Usage> {
    let known = || names.iter().map(|(name, ..)| *name);
    match names.iter().find(|(name, ..)| name.eq_ignore_ascii_case(text)) {
        Some((_, value, _)) => Ok(*value),
        None => {
            let all = format!("one of {}", known().collect::<Vec<_>>().join(", "));
            bad(
                option,
                text,
                match nearest(text, known()) {
                    Some(near) => format!("{all}; did you mean `{near}`?"),
                    None => all,
                },
            )
        }
    }
}

/// Engines, separated by commas; without any, dpor and loom.
fn engines(option: &'static str, text: &str) -> Result<Vec<Engine>, Usage> {
    let names = if text.is_empty() { "dpor,loom" } else { text };
    let mut engines: Vec<Engine> = Vec::new();
    for name in names.split(',').map(str::trim) {
        let engine = one_of(option, name, Engine::NAMES)?;
        if !engines.contains(&engine) {
            engines.push(engine);
        }
    }
    match engines.len() {
        0 | 1 => bad(option, text, "two engines, such as dpor,loom"),
        _ => Ok(engines),
    }
}

/// `500ms`, `30s`, `5m`, `1h`; a number alone is seconds.
fn duration(option: &'static str, text: &str) -> Result<Duration, Usage> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (value, unit) = text.split_at(digits);
    let seconds = match unit.trim() {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => f64::NAN,
    };
    let value: f64 = value.parse().unwrap_or(f64::NAN);
    match Duration::try_from_secs_f64(value * seconds) {
        Ok(time) if !time.is_zero() => Ok(time),
        Ok(_) => bad(option, text, "more than no time at all"),
        Err(_) if (value * seconds).is_nan() => bad(option, text, "500ms, 30s, 5m or 1h"),
        Err(_) => bad(option, text, "no longer than anybody waits"),
    }
}

/// `I/N`, from `1/N` to `N/N`.
fn part(option: &'static str, text: &str) -> Result<(usize, usize), Usage> {
    let numbers = text
        .split_once('/')
        .and_then(|(part, parts)| Some((part.trim().parse().ok()?, parts.trim().parse().ok()?)));
    match numbers {
        Some((part, parts)) if (1..=parts).contains(&part) => Ok((part, parts)),
        _ => bad(option, text, "I/N, such as 1/100, from 1/N to N/N"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &str) -> Result<Arguments, String> {
        let words = arguments.split_whitespace().map(OsString::from);
        Arguments::read(&Suite::default(), words).map_err(|error| error.to_string())
    }

    /// Each name that an option excludes or needs is an option.
    #[test]
    fn the_tables_are_well_formed() {
        let suite = Suite::default();
        let names: Vec<&str> = known(&suite).map(|opt| opt.name).chain([SCENARIO]).collect();
        for opt in known(&suite) {
            let others = opt.excludes.iter().copied().flatten().chain(opt.needs);
            others.for_each(|other| assert!(names.contains(other), "{}: {other}", opt.name));
            assert_eq!(names.iter().filter(|name| **name == opt.name).count(), 1, "{}", opt.name);
        }
    }

    #[test]
    fn durations() {
        let of = |text| duration("max-time", text).ok();
        assert_eq!(of("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(of("1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(of("2m"), Some(Duration::from_secs(120)));
        assert_eq!(of("1h"), Some(Duration::from_secs(3600)));
        for bad in ["", "s", "-1s", "1d", "0s", "1e30", "1.2.3", "99999999999999999999999h", "é"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }

    #[test]
    fn engines_take_their_own_parameters_only() {
        let strategy = |text| parse(text).map(|arguments| arguments.strategy());
        assert_eq!(strategy(""), Ok(Strategy::Dpor));
        assert_eq!(strategy("--engine dfs"), Ok(Strategy::Dfs));
        assert_eq!(strategy("--engine=DFS"), Ok(Strategy::Dfs));
        let pct = Strategy::Pct { seed: 7, iterations: 5, depth: 2 };
        assert_eq!(strategy("--engine pct --seed 7 --iterations 5 --depth 2"), Ok(pct));
        for bad in ["--seed 7", "--engine random --depth 2", "--engine urw --iterations 0"] {
            assert!(strategy(bad).is_err(), "{bad}");
        }
        assert!(strategy("--engine pct --depth 0").is_err());
        assert!(strategy("--engine none").is_err());
    }

    #[test]
    fn comparisons() {
        let names = |text: &str| -> Option<Vec<&str>> {
            let engines = parse(text).ok()?.compared()?;
            Some(engines.into_iter().map(Strategy::name).collect())
        };
        assert_eq!(names("--compare"), Some(vec!["dpor", "loom"]));
        assert_eq!(names("--compare=dfs,random,dfs"), Some(vec!["dfs", "random"]));
        for bad in ["=dpor", "=dpor,x", " --format html", " --replay 1", " --show 1"] {
            assert_eq!(names(&format!("--compare{bad}")), None, "{bad}");
        }
        // The word behind a space is a scenario, and not the option's value.
        assert_eq!(parse("--compare dpor,loom").unwrap().scenarios, ["dpor,loom"]);
    }

    #[test]
    fn numbers_have_their_limits() {
        for bad in
            ["--max-executions 0", "--max-time 0s", "--workers 0", "--workers 257", "--show -1"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert_eq!(parse("--workers 3").map(|a| a.options(Strategy::Dpor).workers), Ok(3));
    }

    #[test]
    fn parts() {
        let of = |text| part("part", text).ok();
        assert_eq!(of("1/1"), Some((1, 1)));
        assert_eq!(of("3/100"), Some((3, 100)));
        for bad in ["", "1", "0/3", "4/3", "1/0", "a/b", "1/2/3", "-1/2"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }

    #[test]
    fn mistakes_say_what_to_do() {
        for (arguments, said) in [
            ("--check", "--check needs --ledger"),
            ("--part 1/2", "--part needs --generate"),
            ("--list --ledger", "--list cannot be used with --ledger"),
            ("--list step", "--list cannot be used with a scenario"),
            ("--workers 1 --workers 2", "--workers is given twice"),
            ("--workers", "--workers"),
            ("--list=all", "--list"),
            ("--worker 1", "no option --worker: did you mean `--workers`?"),
            ("-x", "no option -x"),
            ("--engine dpro", "--engine: `dpro` is not one of dpor, dfs"),
        ] {
            let error = parse(arguments).unwrap_err();
            assert!(error.contains(said), "{arguments}: {error}");
        }
        assert_eq!(parse("step -- --list").unwrap().scenarios, ["step", "--list"]);
        assert_eq!(parse("--bad --help"), parse("--help --bad"));
    }
}
