//! What can be asked on the command line.

use super::BadInput;
use crate::engine::{Options, Strategy};
use clap::{Parser, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

pub(super) const HELP: &str = "\
Exit status: 0 complete, and all is as it should be; 1 something does not hold;
2 the question makes no sense, or its answer cannot be written; 3 not all was
explored, and what was found so far is nothing, or expected.

In a scenario file, `name: scenario` is followed by indented lines:
      # a sentence that says what it is about
      require call: answer; call: answer
      forbid call: answer
      means call: answer = what such an outcome means
      show call: answer
      expect violated NAME
In an answer `*` is any text; `call#2` is the second of several written alike.";

/// A question, and what else only an answer to it needs.
pub(super) const QUESTION: [&str; 6] =
    ["scenarios", "file", "compare", "replay", "show", "outcomes"];

/// How orderings are searched.
const SEARCH: [&str; 6] = ["engine", "seed", "iterations", "depth", "max_executions", "max_time"];

/// Asks what happens when these calls race: explores every ordering of a
/// scenario, and says what the calls answered in how many of them.
#[derive(Clone, Debug, Parser)]
#[command(name = "explore", max_term_width = 80)]
pub struct Arguments {
    /// Calls that race, or the name of a scenario. None: all scenarios
    #[arg(value_name = "SCENARIO")]
    pub scenarios: Vec<String>,

    /// List systems, operations, settings, scenarios and invariants
    #[arg(long, conflicts_with_all = QUESTION, conflicts_with_all = SEARCH,
          conflicts_with_all = ["workers", "format", "ledger", "generate"])]
    pub list: bool,

    /// The system to explore, or several, by commas [default: the first]
    #[arg(long, value_name = "NAME")]
    pub system: Option<String>,

    /// Read scenarios from a file, `-` for standard input
    #[arg(long, value_name = "PATH")]
    pub file: Option<PathBuf>,

    /// How orderings are chosen
    #[arg(long, value_name = "ENGINE", default_value = "dpor")]
    pub engine: EngineName,

    /// Run under several engines and compare: dpor,loom when none are named
    #[arg(
        long,
        value_name = "ENGINES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "dpor,loom",
        conflicts_with_all = ["engine", "show"]
    )]
    pub compare: Option<String>,

    /// For random, pct and urw: the seed [default: 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// For random, pct and urw: how many executions [default: 10000]
    #[arg(long, value_name = "N")]
    pub iterations: Option<u64>,

    /// For pct: how many ordering constraints a bug may need [default: 3]
    #[arg(long, value_name = "N")]
    pub depth: Option<u64>,

    /// How many threads explore [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,

    /// Stop a scenario after so many executions, incomplete
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_executions: Option<u64>,

    /// Stop a scenario after so much time, incomplete: 500ms, 30s, 5m, 1h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub max_time: Option<Duration>,

    /// Show the ordering that leads to this outcome
    #[arg(long, value_name = "ROW")]
    pub show: Option<usize>,

    /// In orderings, tell what the calls before the race do, step by step
    #[arg(long)]
    pub prologue: bool,

    /// Of a whole file, or of several systems, tell all outcomes
    #[arg(long, conflicts_with_all = ["compare", "replay", "show"])]
    pub outcomes: bool,

    /// Run one ordering again: the token that a witness ends with
    #[arg(long, value_name = "TOKEN", conflicts_with_all = SEARCH,
          conflicts_with_all = ["compare", "workers"])]
    pub replay: Option<String>,

    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,

    /// Write the ledger: what each exploration explored
    #[arg(long, conflicts_with_all = QUESTION, conflicts_with_all = SEARCH,
          conflicts_with_all = ["system", "format"])]
    pub ledger: bool,

    /// With --ledger: write nothing, and fail where it has changed
    #[arg(long, requires = "ledger")]
    pub check: bool,

    #[command(flatten)]
    #[allow(missing_docs)] // A comment here would be taken for the command's.
    pub generated: super::generate::Generated,
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal
    Text,
    /// One object to a line and scenario, see explore/JSON.md
    Json,
    /// For a pull request
    Markdown,
    /// A sequence diagram of the witness
    Mermaid,
    /// One page, with the table and the sequence diagrams
    Html,
}

/// The engines by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)] // What it says here is what --help says.
pub enum EngineName {
    /// Each inequivalent ordering once
    Dpor,
    /// Every interleaving
    Dfs,
    /// Samples: a random walk
    Random,
    /// Samples: random priorities
    Pct,
    /// Samples: a random walk, uniform over the interleavings
    Urw,
    /// Interleavings and weak memory, at most 5 threads
    Loom,
}

impl Arguments {
    /// What the parser cannot see by itself.
    pub fn check(&self) -> Result<(), BadInput> {
        let engines = match self.compared()? {
            Some(engines) => engines,
            None => vec![self.strategy()?],
        };
        let samples = engines.iter().any(|engine| engine.samples().is_some());
        let pct = engines.iter().any(|engine| matches!(engine, Strategy::Pct { .. }));
        for (given, name, may, of) in [
            (self.seed.is_some(), "--seed", samples, "engines random, pct and urw"),
            (self.iterations.is_some(), "--iterations", samples, "engines random, pct and urw"),
            (self.depth.is_some(), "--depth", pct, "engine pct"),
        ] {
            if given && !may {
                return Err(BadInput(format!("{name} is for the {of} only")));
            }
        }
        let drawn = matches!(self.format, Format::Mermaid | Format::Html);
        if self.compare.is_some() && drawn {
            return Err(BadInput("a comparison is text, json or markdown".into()));
        }
        Ok(())
    }

    /// The engine that was asked for.
    pub fn strategy(&self) -> Result<Strategy, BadInput> {
        self.strategy_of(self.engine)
    }

    /// The engines that are to be compared.
    pub fn compared(&self) -> Result<Option<Vec<Strategy>>, BadInput> {
        let Some(names) = &self.compare else { return Ok(None) };
        let mut engines: Vec<Strategy> = Vec::new();
        for name in names.split(',').map(str::trim) {
            let engine = EngineName::from_str(name, true).map_err(|_| {
                let names = EngineName::value_variants().iter().filter_map(|engine| {
                    engine.to_possible_value().map(|value| value.get_name().to_owned())
                });
                let names = names.collect::<Vec<_>>().join(", ");
                BadInput(format!("--compare: no engine `{name}`, there are {names}"))
            })?;
            let strategy = self.strategy_of(engine)?;
            if !engines.contains(&strategy) {
                engines.push(strategy);
            }
        }
        if engines.len() < 2 {
            return Err(BadInput("--compare needs two engines, such as dpor,loom".into()));
        }
        Ok(Some(engines))
    }

    fn strategy_of(&self, engine: EngineName) -> Result<Strategy, BadInput> {
        let (seed, iterations) = (self.seed.unwrap_or(1), self.iterations.unwrap_or(10_000));
        let depth = self.depth.unwrap_or(3);
        // A sample of nothing finds nothing, and depths beyond any scenario's
        // number of steps say the same as that number.
        if iterations == 0 {
            return Err(BadInput("--iterations is at least 1".into()));
        }
        if !(1..=1000).contains(&depth) {
            return Err(BadInput("--depth is from 1 to 1000".into()));
        }
        Ok(match engine {
            EngineName::Dpor => Strategy::Dpor,
            EngineName::Dfs => Strategy::Dfs,
            EngineName::Random => Strategy::Random { seed, iterations },
            EngineName::Pct => Strategy::Pct { seed, iterations, depth },
            EngineName::Urw => Strategy::Urw { seed, iterations },
            EngineName::Loom => Strategy::Loom,
        })
    }

    /// What is asked of the engine, but for what the tool itself adds.
    pub fn options(&self, strategy: Strategy) -> Options {
        let processors = || std::thread::available_parallelism().map_or(1, |count| count.get());
        Options {
            strategy,
            max_executions: self.max_executions,
            max_time: self.max_time,
            prologue: self.prologue,
            workers: self.workers.map_or_else(processors, usize::from),
            ..Options::default()
        }
    }
}

/// `500ms`, `30s`, `5m`, `1h`; a number alone is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (value, unit) = text.split_at(digits);
    let seconds = match unit.trim() {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err("expected 500ms, 30s, 5m or 1h".into()),
    };
    let value: f64 = value.parse().map_err(|_| "expected 500ms, 30s, 5m or 1h".to_owned())?;
    match Duration::try_from_secs_f64(value * seconds) {
        Ok(time) if !time.is_zero() => Ok(time),
        Ok(_) => Err("no time at all".into()),
        Err(_) => Err("longer than anybody waits".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(arguments: &str) -> Result<Arguments, String> {
        let words = std::iter::once("explore").chain(arguments.split_whitespace());
        let arguments = Arguments::try_parse_from(words).map_err(|error| error.to_string())?;
        arguments.check().map_err(|error| error.0)?;
        Ok(arguments)
    }

    #[test]
    fn the_command_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn durations() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("1h"), Ok(Duration::from_secs(3600)));
        for bad in ["", "s", "-1s", "1d", "0s", "1e30", "1.2.3", "99999999999999999999999h", "é"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn engines_take_their_own_parameters_only() {
        let strategy = |text| parse(text).and_then(|a| a.strategy().map_err(|error| error.0));
        assert_eq!(strategy(""), Ok(Strategy::Dpor));
        assert_eq!(strategy("--engine dfs"), Ok(Strategy::Dfs));
        let pct = Strategy::Pct { seed: 7, iterations: 5, depth: 2 };
        assert_eq!(strategy("--engine pct --seed 7 --iterations 5 --depth 2"), Ok(pct));
        assert!(strategy("--seed 7").is_err());
        assert!(strategy("--engine random --depth 2").is_err());
        assert!(strategy("--engine urw --iterations 0").is_err());
        assert!(strategy("--engine pct --depth 0").is_err());
        assert!(strategy("--engine none").is_err());
    }

    #[test]
    fn comparisons() {
        let names = |text: &str| -> Option<Vec<&str>> {
            let engines = parse(text).ok()?.compared().ok()??;
            Some(engines.into_iter().map(Strategy::name).collect())
        };
        assert_eq!(names("--compare"), Some(vec!["dpor", "loom"]));
        assert_eq!(names("--compare=dfs,random,dfs"), Some(vec!["dfs", "random"]));
        assert_eq!(names("--compare=dpor"), None);
        assert_eq!(names("--compare=dpor,x"), None);
        assert_eq!(names("--compare --format html"), None);
        assert_eq!(names("--compare --replay 1"), None);
    }

    #[test]
    fn limits_are_at_least_one() {
        assert!(parse("--max-executions 0").is_err());
        assert!(parse("--max-time 0s").is_err());
        assert!(parse("--workers 0").is_err());
        assert!(parse("--check").is_err());
        assert_eq!(parse("--workers 3").map(|a| a.options(Strategy::Dpor).workers), Ok(3));
    }
}
