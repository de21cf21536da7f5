//! One scenario under one engine: in this process, or in an explorer that was
//! built for it.

use super::child;
use super::progress::Progress;
use super::BadInput;
use crate::engine::{self, Options, Strategy};
use crate::render::View;
use crate::scenario::Scenario;
use crate::suite::Suite;
use crate::system::Model;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

/// A scenario, and what it is explored on.
#[derive(Clone)]
pub struct Job {
    /// The system.
    pub system: Arc<dyn Model>,
    /// The scenario.
    pub scenario: Arc<Scenario>,
}

/// What is the same for all of them.
pub struct Runner {
    suite: Arc<Suite>,
    options: Options,
    /// loom ends the process when a scenario deadlocks, so each has its own.
    loom: Option<PathBuf>,
    quiet: bool,
}

impl Runner {
    /// Also takes over Ctrl-C: once to stop, twice to end at once.
    pub fn new(suite: &Arc<Suite>, options: Options) -> Result<Self, BadInput> {
        let seen = Arc::clone(&options.stop);
        let taken = ctrlc::set_handler(move || {
            if seen.swap(true, Ordering::Relaxed) {
                std::process::exit(3);
            }
        });
        // Without it Ctrl-C ends the process, which is no reason not to start.
        drop(taken);
        let (loom, quiet) = (child::loom_explorer(), child::is_child());
        Ok(Runner { suite: Arc::clone(suite), options, loom, quiet })
    }

    /// One that says nothing meanwhile, takes over no signal, and explores in this
    /// process.
    pub fn quiet(suite: &Arc<Suite>, options: Options) -> Self {
        Runner { suite: Arc::clone(suite), options, loom: None, quiet: true }
    }

    /// Set when it is interrupted.
    pub(super) fn stop(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.options.stop)
    }

    /// Whether nothing is to be said meanwhile.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether it was interrupted.
    pub fn interrupted(&self) -> bool {
        self.options.stop.load(Ordering::Relaxed)
    }

    /// Explores a scenario.
    pub fn explore(&self, job: &Job, strategy: Strategy) -> Result<View, BadInput> {
        let label = format!("{} ({})", job.scenario.name, strategy.name());
        let progress = Progress::start(&label, self.quiet);
        if let (Strategy::Loom, Some(explorer)) = (strategy, &self.loom) {
            let view = child::explore(explorer, job, &self.options).map_err(BadInput)?;
            return Ok(self.known(view, job));
        }
        let told = Some(progress.tell());
        let options = Options { strategy, progress: told, ..self.options.clone() };
        let report = engine::explore(&job.system, &job.scenario, &options);
        let report = report.map_err(|unavailable| BadInput(unavailable.0))?;
        Ok(self.known(View::new(&report, &job.scenario, &*job.system), job))
    }

    /// With the command that asks the same.
    fn known(&self, mut view: View, job: &Job) -> View {
        view.command = self.suite.command_for(&*job.system);
        view.usual = view.command == self.suite.command;
        view
    }

    /// Runs an ordering of a scenario again.
    pub fn replay(&self, job: &Job, token: &str) -> Result<View, BadInput> {
        let report = engine::replay(&job.system, &job.scenario, token, self.options.prologue);
        let report = report.map_err(|unavailable| BadInput(unavailable.0))?;
        let mut view = self.known(View::new(&report, &job.scenario, &*job.system), job);
        // What one ordering does not show is not missing.
        view.missing.clear();
        view.reason = view.reason.map(|_| "one ordering, run again".into());
        Ok(view)
    }
}
