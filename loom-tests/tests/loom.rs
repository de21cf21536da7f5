//! Every scenario of the core under loom, to the end and without a bound, each in
//! a process of its own: at a deadlock loom panics, and a destructor's panic then
//! ends the process.

use std::process::ExitCode;

#[cfg(not(loom))]
fn main() -> ExitCode {
    ExitCode::SUCCESS
}

#[cfg(loom)]
fn main() -> ExitCode {
    use connmap_loom_tests::{core, judge, run, stops_at_first, trial, Trial};
    use connmap_models::{sync, systems};
    use orderings::command::{self, Job, Runner};
    use orderings::engine::{self, Options};
    use std::sync::Arc;

    if command::is_child() {
        return command::main(systems::suite());
    }
    let (system, scenarios) = core();
    let runner = Arc::new(Runner::quiet(&Arc::new(systems::suite()), Options::default()));
    let mut trials: Vec<Trial> = scenarios
        .into_iter()
        .map(|scenario| {
            let job = Job { system: Arc::clone(&system), scenario: Arc::clone(&scenario) };
            let runner = Arc::clone(&runner);
            trial(&scenario, move || {
                // Who stops there ends this process himself, which no other would notice.
                let report = match stops_at_first() {
                    true => engine::loom::explore(&job.system, &job.scenario),
                    false => runner.explore_apart(&job).map_err(|error| error.to_string())?,
                };
                judge(&report, &job.system, &job.scenario)
            })
        })
        .collect();
    trials.push(Trial::new("engine-is-loom", || {
        assert_eq!(sync::ENGINE, "loom");
        Ok(String::new())
    }));
    run(trials)
}
