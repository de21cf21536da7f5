//! What the engines' test binaries share: a test for each scenario, which
//! prints what it explored and fails with what it found.

use connmap_models::systems;
use libtest_mimic::{Arguments, Failed, Trial};
use orderings::{parse, Model, Report, Scenario, Verdict};
use std::sync::Arc;

/// The scenarios of the core.
pub const SCENARIOS: &str = include_str!("../../models/scenarios.txt");

/// The shipped core, and its scenarios.
pub fn core() -> (Arc<dyn Model>, Vec<Arc<Scenario>>) {
    let system = systems::find("core").expect("the core is the first of the systems");
    let scenarios = parse::file(SCENARIOS, &*system).unwrap_or_else(|error| panic!("{error}"));
    assert!(!scenarios.is_empty(), "no scenario, no test");
    (system, scenarios.into_iter().map(Arc::new).collect())
}

/// Fails unless the exploration is complete, with everything that it found.
pub fn judge(report: &Report) -> Result<(), Failed> {
    print!("{} ... ", figures(report));
    if report.verdict == Verdict::Complete && report.executions > 1 {
        return Ok(());
    }
    Err(format!("{report:#?}").into())
}

/// The report's figures on one line.
pub fn figures(report: &Report) -> String {
    format!(
        "{:8} {:>9} executions {:>3} outcomes {:>8.2} s",
        report.engine,
        report.executions,
        report.outcomes.len(),
        report.elapsed.as_secs_f64()
    )
}

/// Runs the trials as cargo's test runner would, one after another: an engine
/// that is timed shares its core with nothing.
pub fn run(trials: Vec<Trial>) -> ! {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(1);
    libtest_mimic::run(&arguments, trials).exit()
}
