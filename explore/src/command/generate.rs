//! `--generate`: every small scenario of a system, each explored to its end.

use super::progress::Progress;
use super::run::{Job, Runner};
use super::{print, Arguments, BadInput, Format};
use crate::engine::{explore, Options, Strategy, Unavailable};
use crate::render::layout::number;
use crate::suite::Suite;
use crate::sweep::{shrink, sweep, Summary};
use crate::{Model, Report, Scenario, Verdict};
use clap::Args;
use std::sync::Arc;

/// What goes with `--generate`.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Every small scenario")]
pub struct Generated {
    /// Explore every scenario of this size, up to renaming
    #[arg(long, conflicts_with_all = super::args::QUESTION,
          conflicts_with_all = ["system", "ledger"])]
    pub generate: bool,

    /// Scenarios of at most so many threads [default: 3]
    #[arg(long, value_name = "N", requires = "generate",
          value_parser = clap::value_parser!(u8).range(2..=4))]
    pub threads: Option<u8>,

    /// Scenarios of at most so many calls, all threads together [default: 4]
    #[arg(long, value_name = "N", requires = "generate",
          value_parser = clap::value_parser!(u8).range(2..=6))]
    pub calls: Option<u8>,

    /// Part I of N: every N-th of them, from the I-th. The parts are the whole
    #[arg(long, value_name = "I/N", requires = "generate", value_parser = part)]
    pub part: Option<(usize, usize)>,
}

/// `I/N`, from `1/N` to `N/N`.
fn part(text: &str) -> Result<(usize, usize), String> {
    let numbers = text
        .split_once('/')
        .and_then(|(part, parts)| Some((part.trim().parse().ok()?, parts.trim().parse().ok()?)));
    match numbers {
        Some((part, parts)) if (1..=parts).contains(&part) => Ok((part, parts)),
        _ => Err("expected I/N, such as 1/100, from 1/N to N/N".into()),
    }
}

impl Arguments {
    /// Whether these are asked for; and what they cannot be combined with.
    pub(super) fn generates(&self) -> Result<bool, BadInput> {
        let generates = self.generated.generate;
        if generates && self.format != Format::Text {
            return Err(BadInput("--generate answers with numbers, as text only".into()));
        }
        if generates && self.strategy()? == Strategy::Loom {
            return Err(BadInput("--generate is not for loom: a deadlock ends its process".into()));
        }
        Ok(generates)
    }
}

pub(super) fn run(suite: &Arc<Suite>, arguments: &Arguments) -> Result<u8, BadInput> {
    let Generated { threads, calls, part, .. } = arguments.generated;
    let (part, parts) = part.unwrap_or((1, 1));
    let system = suite.usual().ok_or_else(|| BadInput("there is no system".into()))?;
    let universe = system.universe(threads.unwrap_or(3).into(), calls.unwrap_or(4).into());
    let universe =
        universe.ok_or_else(|| BadInput(format!("--generate: not for {}", system.name())))?;
    let runner = Runner::new(suite, arguments.options(arguments.strategy()?))?;
    let mut options = arguments.options(arguments.strategy()?);
    options.stop = runner.stop();
    // They are small, and there are many: each has one of the processors.
    let workers = std::mem::replace(&mut options.workers, 1);
    let any = universe.part(1, 1).next().unwrap_or_default();
    let any = crate::parse::scenario(&any, &**system);
    let any = Arc::new(any.map_err(|error| BadInput(error.to_string()))?);
    explore(system, &any, &options).map_err(|Unavailable(why)| BadInput(why))?;

    let mut summary = {
        let progress = Progress::start("generated", runner.is_quiet());
        let all = universe.part(part, parts).count() as u64;
        let scenarios = universe.part(part, parts).take_while(|_| !runner.interrupted());
        let say = progress.say();
        let tell = |summary: &Summary| say(words(summary, all));
        sweep(system, scenarios, workers, |system, one| explored(system, one, &options), tell)
    };
    summary.interrupted = runner.interrupted();
    print(&summary.to_string())?;
    if summary.failed > summary.unfinished {
        smallest(&runner, system, &options, &summary)?;
    }
    Ok(match summary {
        _ if summary.failed > summary.unfinished => 1,
        _ if summary.unfinished > 0 || summary.scenarios == 0 || summary.interrupted => 3,
        _ => 0,
    })
}

/// The smallest scenario that fails, in full. Short ones come first, so there is
/// none with fewer calls; and of its calls none can be left out.
fn smallest(
    runner: &Runner,
    system: &Arc<dyn Model>,
    options: &Options,
    summary: &Summary,
) -> Result<(), BadInput> {
    let fails =
        |scenario: &Arc<Scenario>| !explored(system, scenario, options).violations.is_empty();
    let Some(first) = summary.failures.first() else { return Ok(()) };
    let text = shrink(&**system, &first.scenario, fails);
    let scenario = crate::parse::scenario(&text, &**system);
    let scenario = Arc::new(scenario.map_err(|error| BadInput(error.to_string()))?);
    let job = Job { system: Arc::clone(system), scenario };
    let view = runner.explore(&job, options.strategy)?;
    print("\nthe smallest that fails\n\n")?;
    print(&crate::render::text::text(&[view], crate::render::text::Detail::default()))
}

/// The engine is there: it has answered once. If it does not, nothing is said
/// to hold.
fn explored(system: &Arc<dyn Model>, scenario: &Arc<Scenario>, options: &Options) -> Report {
    explore(system, scenario, options).unwrap_or_else(|Unavailable(why)| {
        let mut report = Report::new(&**system, scenario, options.strategy.name());
        report.verdict = Verdict::Incomplete(why);
        report
    })
}

/// `1,234 of 5,678 scenarios, 9,876 orderings, 12 s left`.
fn words(summary: &Summary, all: u64) -> String {
    let seconds = summary.elapsed.as_secs_f64();
    let left = all.saturating_sub(summary.scenarios) as f64 / summary.scenarios.max(1) as f64;
    let (done, orderings) = (number(summary.scenarios), number(summary.orderings));
    let left = left * seconds;
    let failed = match summary.failed {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    format!("{done} of {} scenarios, {orderings} orderings{failed}, {left:.0} s left", number(all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn parts() {
        assert_eq!(part("1/1"), Ok((1, 1)));
        assert_eq!(part("3/100"), Ok((3, 100)));
        for bad in ["", "1", "0/3", "4/3", "1/0", "a/b", "1/2/3", "-1/2"] {
            assert!(part(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn progress_in_words() {
        let summary = Summary {
            scenarios: 1_000,
            orderings: 5_000,
            elapsed: Duration::from_secs(10),
            ..Summary::default()
        };
        assert_eq!(words(&summary, 3_000), "1,000 of 3,000 scenarios, 5,000 orderings, 20 s left");
        let summary = Summary { failed: 2, ..summary };
        assert!(words(&summary, 1_000).ends_with("2 failed, 0 s left"));
    }
}
