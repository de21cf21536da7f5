//! Every scenario of the core under shuttle: by optimal DPOR and to the end;
//! by depth-first search where that ends within a limit; and by shuttle's
//! three samplers. What two of them exhausted must have the same outcomes,
//! and a sample must have none that the exhausted set has not.
//!
//! With `CONNMAP_GENERATED=K/N` a part of the generated scenarios of three
//! calls instead, by DPOR alone: `cargo xtask mutants` asks for them.

use std::process::ExitCode;

#[cfg(not(shuttle))]
fn main() -> ExitCode {
    ExitCode::SUCCESS
}

#[cfg(shuttle)]
fn main() -> ExitCode {
    exhaustive::main()
}

#[cfg(shuttle)]
mod exhaustive {
    use connmap_loom_tests::{core, figures, judge, run, said, trial, Failed, Trial};
    use connmap_models::{sync, universe};
    use orderings::engine::{explore, Options, Strategy};
    use orderings::{parse, Model, Outcome, Report, Scenario};
    use std::collections::BTreeSet;
    use std::process::ExitCode;
    use std::sync::{Arc, OnceLock};

    /// Beyond this, depth-first search is given up, and said so: it is the
    /// cross-check of the small scenarios, not the proof.
    const DFS_LIMIT: u64 = 3_000;

    /// What a trial of the other strategies is called; `--skip` it for speed.
    const CROSS_CHECKED: &str = "cross-checked";

    /// Samples of each sampler, for each scenario.
    const SAMPLES: u64 = 500;

    pub(super) fn main() -> ExitCode {
        if let Some(trials) = std::env::var("CONNMAP_GENERATED").ok().map(|part| generated(&part)) {
            return run(trials);
        }
        let (system, scenarios) = core();
        let mut trials = Vec::new();
        for scenario in scenarios {
            let (name, both) = (scenario.name.clone(), (Arc::clone(&system), scenario));
            // Exhausted once for both trials, by whichever is run, or runs first.
            let (exhausted, report) = (both.clone(), Arc::new(OnceLock::new()));
            let all = Arc::clone(&report);
            trials.push(trial(&both.1, move || {
                let report = report.get_or_init(|| exhaust(&exhausted.0, &exhausted.1));
                judge(report, &exhausted.0, &exhausted.1)
            }));
            trials.push(Trial::new(format!("{name}, {CROSS_CHECKED}"), move || {
                let report = all.get_or_init(|| exhaust(&both.0, &both.1));
                cross_check(&both.0, &both.1, &outcomes(report))
            }));
        }
        trials.push(Trial::new("engine-is-shuttle", || {
            assert_eq!(sync::ENGINE, "dpor");
            Ok(String::new())
        }));
        run(trials)
    }

    /// Part K of N of the scenarios of up to three threads and calls.
    fn generated(part: &str) -> Vec<Trial> {
        let numbers = part.split_once('/').map(|(part, parts)| (part.parse(), parts.parse()));
        let Some((Ok(part), Ok(parts))) = numbers else { panic!("{part}: expected K/N") };
        let (system, _) = core();
        let texts = universe::core(3, 3);
        let texts = texts.part(part, parts);
        let trials = texts.map(|text| {
            let scenario = parse::scenario(&text, &*system);
            let scenario = Arc::new(scenario.unwrap_or_else(|error| panic!("{text}: {error}")));
            let both = (Arc::clone(&system), Arc::clone(&scenario));
            trial(&scenario, move || {
                let report = exhaust(&both.0, &both.1);
                // The calls of some do not meet.
                match report.success && report.executions == 1 {
                    true => Ok(figures(&report)),
                    false => judge(&report, &both.0, &both.1),
                }
            })
        });
        trials.collect()
    }

    fn by(system: &Arc<dyn Model>, scenario: &Arc<Scenario>, options: &Options) -> Report {
        explore(system, scenario, options).expect("this is the build for it")
    }

    fn exhaust(system: &Arc<dyn Model>, scenario: &Arc<Scenario>) -> Report {
        by(system, scenario, &Options::default())
    }

    fn outcomes(report: &Report) -> BTreeSet<Outcome> {
        report.outcomes.iter().map(|seen| seen.outcome.clone()).collect()
    }

    /// The other strategies against DPOR.
    fn cross_check(
        system: &Arc<dyn Model>,
        scenario: &Arc<Scenario>,
        all: &BTreeSet<Outcome>,
    ) -> Result<String, Failed> {
        let limited = Options {
            strategy: Strategy::Dfs,
            max_executions: Some(DFS_LIMIT),
            ..Options::default()
        };
        let dfs = by(system, scenario, &limited);
        let mut figures = compare(&dfs, all, (system, scenario))?;
        let (seed, iterations) = (7, SAMPLES);
        for strategy in [
            Strategy::Random { seed, iterations },
            Strategy::Pct { seed, iterations, depth: 3 },
            Strategy::Urw { seed, iterations },
        ] {
            let sampled = by(system, scenario, &Options { strategy, ..Options::default() });
            if sampled.executions != SAMPLES {
                return Err(format!("{} took fewer samples than asked", strategy.name()).into());
            }
            figures += &compare(&sampled, all, (system, scenario))?;
        }
        Ok(figures + "\n   ")
    }

    /// The figures of an engine, held against the exhausted set.
    fn compare(
        report: &Report,
        all: &BTreeSet<Outcome>,
        both: (&Arc<dyn Model>, &Arc<Scenario>),
    ) -> Result<String, Failed> {
        let seen = outcomes(report);
        let (exhausted, agrees) = match report.explored_all {
            true => ("exhausted", seen == *all),
            false => ("not exhausted", seen.is_subset(all)),
        };
        let figures = format!("\n    {} {exhausted}", figures(report));
        let said = match agrees {
            _ if !report.violations.is_empty() => said(report, both.0, both.1),
            true => return Ok(figures),
            false => format!("{} and dpor disagree:\n{seen:#?}\n{all:#?}", report.engine),
        };
        Err(Failed { figures, said })
    }
}
