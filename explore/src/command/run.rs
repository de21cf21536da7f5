//! Explores one scenario under one engine, in this process or in one that was built for
//! the engine.

use super::child;
use super::progress::Progress;
use super::Error;
use crate::engine::{self, Options, Strategy};
use crate::scenario::Scenario;
use crate::suite::Suite;
use crate::system::Model;
use crate::Report;
use std::env;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

/// A scenario, and the system on which it is explored.
#[derive(Clone)]
pub struct Job {
    /// The system.
    pub system: Arc<dyn Model>,
    /// The scenario.
    pub scenario: Arc<Scenario>,
}

/// Explores scenarios with the options of the command line.
pub struct Runner {
    suite: Arc<Suite>,
    options: Options,
    /// The program to start for each scenario under loom, which ends its whole process
    /// when a scenario deadlocks.
    loom: Option<PathBuf>,
    quiet: bool,
}

impl Runner {
    /// A runner that shows progress and handles Ctrl-C: the first stops the exploration,
    /// the second ends the process.
    pub fn new(suite: &Arc<Suite>, options: Options) -> Self {
        let seen = Arc::clone(&options.stop);
        let taken = ctrlc::set_handler(move || {
            if seen.swap(true, Ordering::Relaxed) {
                std::process::exit(3);
            }
        });
        // Without the handler Ctrl-C ends the process at once, as it does by default.
        drop(taken);
        let (loom, quiet) = (child::loom_explorer(), child::is_child());
        Runner { suite: Arc::clone(suite), options, loom, quiet }
    }

    /// A runner without progress and without a handler for Ctrl-C, which explores in
    /// this process.
    ///
    /// [`Runner::explore_apart`] is for scenarios that may end the process.
    pub fn quiet(suite: &Arc<Suite>, options: Options) -> Self {
        Runner { suite: Arc::clone(suite), options, loom: None, quiet: true }
    }

    /// The flag that Ctrl-C sets, for engines.
    pub(super) fn stop(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.options.stop)
    }

    /// Whether no progress is shown.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether Ctrl-C was pressed.
    pub fn interrupted(&self) -> bool {
        self.options.stop.load(Ordering::Relaxed)
    }

    /// Explores a scenario.
    pub fn explore(&self, job: &Job, strategy: Strategy) -> Result<Report, Error> {
        let label = format!("{} ({})", job.scenario.name, strategy.name());
        let progress = Progress::start(&label, self.quiet);
        if let (Strategy::Loom, Some(explorer)) = (strategy, &self.loom) {
            let report = child::explore(explorer, job, &self.options)?;
            return Ok(Self::known(&self.suite, report, &*job.system));
        }
        let told = Some(progress.tell());
        let options = Options { strategy, progress: told, ..self.options.clone() };
        let report = engine::explore(&job.system, &job.scenario, &options)?;
        Ok(Self::known(&self.suite, report, &*job.system))
    }

    /// Explores a scenario under loom in another process of this program. The program
    /// must call [`main`](super::main) where it [is such a process](super::is_child).
    ///
    /// # Errors
    /// Where that process does not start, or refuses the scenario.
    pub fn explore_apart(&self, job: &Job) -> Result<Report, Error> {
        let program = env::current_exe().map_err(Error::io("this program"))?;
        let report = child::explore(&program, job, &self.options)?;
        Ok(Self::known(&self.suite, report, &*job.system))
    }

    /// The report with the suite's command for its system.
    pub fn known(suite: &Suite, report: Report, system: &dyn Model) -> Report {
        let command = suite.command_for(system);
        let usual = command == suite.command;
        Report { command, usual, ..report }
    }

    /// Adds up the parts of an exploration.
    pub fn merge(&self, job: &Job, parts: &[PathBuf]) -> Result<Report, Error> {
        let report = engine::merge(&job.system, &job.scenario, &self.options, parts)?;
        Ok(Self::known(&self.suite, report, &*job.system))
    }

    /// Runs an ordering of a scenario again.
    pub fn replay(&self, job: &Job, token: &str) -> Result<Report, Error> {
        let report = engine::replay(&job.system, &job.scenario, token, self.options.prologue)?;
        Ok(Self::known(&self.suite, report, &*job.system))
    }
}
