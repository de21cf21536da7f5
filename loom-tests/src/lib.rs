//! What the engines' test binaries share: a test for each scenario, which
//! prints what it explored and fails with what it found.

use connmap_models::systems;
use libtest_mimic::{Arguments, Failed, FormatSetting, Trial};
use orderings::render::text::{text, Detail};
use orderings::render::View;
use orderings::{parse, Model, Report, Scenario};
use std::sync::atomic::{AtomicBool, Ordering};
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
pub fn judge(
    report: &Report,
    system: &Arc<dyn Model>,
    scenario: &Arc<Scenario>,
) -> Result<(), Failed> {
    say(&format!("{} ... ", figures(report)));
    // What a scenario expects to be violated is no failure.
    let as_it_should_be = View::new(report, scenario, &**system).success;
    if as_it_should_be && report.executions > 1 {
        return Ok(());
    }
    stop_at_first(report);
    Err(said(report, system, scenario).into())
}

/// What `cargo explore` shows of it, and the command. loom does not know the
/// ordering: the command finds it.
pub fn said(report: &Report, system: &Arc<dyn Model>, scenario: &Arc<Scenario>) -> String {
    let suite = systems::suite();
    let mut view = View::new(report, scenario, &**system);
    view.command = suite.command_for(&**system);
    view.usual = view.command == suite.command;
    let shown = text(std::slice::from_ref(&view), Detail::default());
    let shown = anstream::adapter::strip_str(&shown).to_string();
    format!("\n{shown}\n  the same, and an ordering: {}\n", view.again(""))
}

/// Set where a program reads what the tests print: it has no use for more.
static SILENT: AtomicBool = AtomicBool::new(false);

/// Prints this beside the tests' names, unless a program reads them.
pub fn say(text: &str) {
    if !SILENT.load(Ordering::Relaxed) {
        print!("{text}");
    }
}

/// For who only asks whether anything fails, and runs this for one mutant after
/// another: says what has failed, and ends.
fn stop_at_first(report: &Report) {
    if std::env::var_os(STOP_AT_FIRST).is_some() {
        println!();
        for violation in &report.violations {
            println!("violated: {}: {}", violation.invariant, violation.detail);
        }
        println!("failed: {}", report.name);
        std::process::exit(101);
    }
}

/// The variable that asks for it.
const STOP_AT_FIRST: &str = "CONNMAP_STOP_AT_FIRST";

/// A test of one scenario. It says so before it begins, to who stops at the
/// first failure: a deadlock under loom ends the process.
pub fn trial(
    scenario: &Scenario,
    explore: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let name = scenario.name.clone();
    Trial::test(name.clone(), move || {
        if std::env::var_os(STOP_AT_FIRST).is_some() {
            eprintln!("exploring: {name}");
        }
        explore()
    })
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
    SILENT.store(arguments.format == Some(FormatSetting::Json), Ordering::Relaxed);
    libtest_mimic::run(&arguments, trials).exit()
}
