//! `--generate`: every small scenario of a system, each explored to its end.

use super::progress::Progress;
use super::run::{Job, Runner};
use super::{print, Arguments, Error};
use crate::engine::{explore, Options};
use crate::render::layout::{number, plural};
use crate::render::text::{text, Detail};
use crate::suite::Suite;
use crate::sweep::{shrink, sweep, Summary};
use crate::{Model, Report, Scenario, Verdict};
use std::sync::Arc;

pub(super) fn run(suite: &Arc<Suite>, arguments: &Arguments) -> Result<u8, Error> {
    let (part, parts) = arguments.part.unwrap_or((1, 1));
    let size = |asked: Option<u64>, usual| asked.and_then(|n| n.try_into().ok()).unwrap_or(usual);
    let (threads, calls) = (size(arguments.threads, 3), size(arguments.calls, 4));
    let system = suite.usual().ok_or(Error::Nothing)?;
    let universe = system.universe(threads, calls);
    let universe = universe.ok_or_else(|| Error::NotGenerated(system.name()))?;
    let runner = Runner::new(suite, arguments.options(arguments.strategy()));
    let mut options = arguments.options(arguments.strategy());
    options.stop = runner.stop();
    // The scenarios are small and many: each is explored by one thread.
    let workers = std::mem::replace(&mut options.workers, 1);
    let any = universe.part(1, 1).next().unwrap_or_default();
    explore(system, &Arc::new(crate::parse::scenario(&any, &**system)?), &options)?;

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

/// Shrinks the first scenario that fails, and prints its report. Short scenarios come
/// first, so none with fewer calls fails.
fn smallest(
    runner: &Runner,
    system: &Arc<dyn Model>,
    options: &Options,
    summary: &Summary,
) -> Result<(), Error> {
    let fails =
        |scenario: &Arc<Scenario>| !explored(system, scenario, options).violations.is_empty();
    let Some(first) = summary.failures.first() else { return Ok(()) };
    let smallest = shrink(&**system, &first.scenario, fails);
    let scenario = Arc::new(crate::parse::scenario(&smallest, &**system)?);
    let job = Job { system: Arc::clone(system), scenario };
    let report = runner.explore(&job, options.strategy)?;
    print("\nthe smallest that fails\n\n")?;
    print(&text(&[report], Detail::default()))
}

/// Explores one scenario. An error of the engine becomes an INCOMPLETE report: it is no
/// reason to call the scenario correct.
fn explored(system: &Arc<dyn Model>, scenario: &Arc<Scenario>, options: &Options) -> Report {
    explore(system, scenario, options).unwrap_or_else(|error| Report {
        verdict: Verdict::Incomplete,
        reason: Some(error.to_string()),
        ..Report::new(&**system, scenario, options.strategy.name())
    })
}

/// `1,234 of 5,678 scenarios, 9,876 orderings, 12 s left`.
fn words(summary: &Summary, all: u64) -> String {
    let seconds = summary.elapsed.as_secs_f64();
    let left = all.saturating_sub(summary.scenarios) as f64 / summary.scenarios.max(1) as f64;
    let done = number(summary.scenarios);
    let left = left * seconds;
    let failed = match summary.failed {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    let of = plural(all, "scenario");
    let explored = plural(summary.orderings, "ordering");
    format!("{done} of {of}, {explored}{failed}, {left:.0} s left")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

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
