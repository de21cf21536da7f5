//! One scenario under one engine: in this process, or in an explorer that was
//! built for it.

use super::child;
use super::progress::Progress;
use super::{Arguments, BadInput};
use crate::engine::{self, Strategy};
use crate::render::View;
use crate::scenario::Scenario;
use crate::system::System;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

/// A scenario, and what it is explored on.
#[derive(Clone)]
pub(super) struct Job {
    pub(super) system: Arc<dyn System>,
    pub(super) scenario: Arc<Scenario>,
}

/// What is the same for all of them.
pub(super) struct Runner {
    arguments: Arguments,
    stop: Arc<AtomicBool>,
    /// loom ends the process when a scenario deadlocks, so each has its own.
    loom: Option<PathBuf>,
    quiet: bool,
}

impl Runner {
    /// Also takes over Ctrl-C: once to stop, twice to end at once.
    pub(super) fn new(arguments: &Arguments) -> Result<Self, BadInput> {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let taken = ctrlc::set_handler(move || {
            if seen.swap(true, Ordering::Relaxed) {
                std::process::exit(3);
            }
        });
        // Without it Ctrl-C ends the process, which is no reason not to start.
        drop(taken);
        let (loom, quiet) = (child::loom_explorer(), child::is_child());
        Ok(Runner { arguments: arguments.clone(), stop, loom, quiet })
    }

    /// Set when it is interrupted.
    pub(super) fn stop(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Whether nothing is to be said meanwhile.
    pub(super) fn quiet(&self) -> bool {
        self.quiet
    }

    pub(super) fn interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(super) fn explore(&self, job: &Job, strategy: Strategy) -> Result<View, BadInput> {
        let label = format!("{} ({})", job.scenario.name, strategy.name());
        let progress = Progress::start(&label, self.quiet);
        if let (Strategy::Loom, Some(explorer)) = (strategy, &self.loom) {
            return child::explore(explorer, job, &self.arguments).map_err(BadInput);
        }
        let mut options = self.arguments.options(strategy);
        options.stop = Arc::clone(&self.stop);
        options.progress = Some(progress.tell());
        let report = engine::explore(&job.system, &job.scenario, &options);
        let report = report.map_err(|unavailable| BadInput(unavailable.0))?;
        Ok(View::new(&report, &job.scenario, &*job.system))
    }

    pub(super) fn replay(&self, job: &Job, token: &str) -> Result<View, BadInput> {
        let report = engine::replay(&job.system, &job.scenario, token);
        let report = report.map_err(|unavailable| BadInput(unavailable.0))?;
        let mut view = View::new(&report, &job.scenario, &*job.system);
        // What one ordering does not show is not missing.
        view.missing.clear();
        view.reason = view.reason.map(|_| "one ordering, run again".into());
        Ok(view)
    }
}
