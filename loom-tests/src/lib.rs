//! What the engines' test binaries share: a test for each scenario, which says
//! what it explored and fails with what it found.
//!
//! - `run`: the tests' runner
//! - `shown`: what a failure shows

mod run;
mod shown;

pub use run::{run, Failed, Trial};
pub use shown::said;

use connmap_models::systems;
use orderings::render::layout::noun_of;
use orderings::{parse, Model, Report, Scenario};
use std::env;
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

/// Fails unless the exploration is complete, with everything that it found. What a
/// scenario expects to be violated is no failure.
pub fn judge(
    report: &Report,
    system: &Arc<dyn Model>,
    scenario: &Arc<Scenario>,
) -> Result<String, Failed> {
    let figures = figures(report);
    if report.success && report.executions > 1 {
        return Ok(figures);
    }
    if stops_at_first() {
        println!();
        for violation in &report.violations {
            println!("violated: {}: {}", violation.invariant, violation.detail);
        }
        println!("failed: {}", report.name);
        std::process::exit(101);
    }
    Err(Failed { figures, said: said(report, system, scenario) })
}

/// The report's figures on one line.
pub fn figures(report: &Report) -> String {
    let outcomes = report.outcomes.len();
    format!(
        "{:8} {:>9} {:10} {outcomes:>3} {:8} {:>8.2} s",
        report.engine,
        report.executions,
        noun_of(report.executions, "execution"),
        noun_of(outcomes as u64, "outcome"),
        report.elapsed.as_secs_f64()
    )
}

/// For who only asks whether anything fails, and runs this for one mutant after
/// another: what has failed is named, and ends the process.
pub fn stops_at_first() -> bool {
    env::var_os("CONNMAP_STOP_AT_FIRST").is_some()
}

/// A test of one scenario. Who stops at the first failure hears of it before it
/// begins: there, a deadlock under loom ends the process.
pub fn trial(
    scenario: &Scenario,
    explore: impl FnOnce() -> Result<String, Failed> + 'static,
) -> Trial {
    let name = scenario.name.clone();
    Trial::new(name.clone(), move || {
        if stops_at_first() {
            eprintln!("exploring: {name}");
        }
        explore()
    })
}
