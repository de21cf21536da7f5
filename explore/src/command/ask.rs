//! A single system as a command, and as a test.

use super::{main, select, Runner};
use crate::engine::{Options, Strategy};
use crate::render::text::{text, Detail};
use crate::suite::Suite;
use crate::sync;
use crate::system::Model;
use crate::Report;
use std::fmt::Write;
use std::process::ExitCode;
use std::sync::Arc;

/// A suite of one system, for a command line or a test.
#[derive(Clone)]
pub struct Ask(Suite);

impl Ask {
    /// The system of a program that `cargo run` starts.
    pub fn of(system: impl Model + 'static) -> Self {
        Ask(Suite {
            command: "cargo run --".into(),
            systems: vec![Arc::new(system)],
            ..Suite::default()
        })
    }

    /// The command line.
    pub fn command(self) -> ExitCode {
        main(self.0)
    }

    /// Explores these scenarios, by name or written out; none: all of the system's.
    ///
    /// # Panics
    /// Unless each scenario is complete, holds, and has shown every outcome that it
    /// requires.
    #[track_caller]
    pub fn holds(self, scenarios: &[&str]) {
        let (suite, mut wrong) = (Arc::new(self.0), String::new());
        let reports = match explored(&suite, scenarios) {
            Ok(reports) => reports,
            Err(mistake) => panic!("{mistake}"),
        };
        assert!(!reports.is_empty(), "there is no scenario: nothing was explored");
        for report in reports.iter().filter(|report| !report.success || report.executions == 0) {
            let said = text(std::slice::from_ref(report), Detail::default());
            let said = anstream::adapter::strip_str(&said).to_string();
            let _ = writeln!(wrong, "\n{said}\n  the same: {}", report.again(""));
        }
        assert!(wrong.is_empty(), "not all is as it should be\n{wrong}");
    }
}

fn explored(suite: &Arc<Suite>, scenarios: &[&str]) -> Result<Vec<Report>, super::Error> {
    let strategy = if sync::ENGINE == "loom" { Strategy::Loom } else { Strategy::Dpor };
    let runner = Runner::quiet(suite, Options { strategy, ..Options::default() });
    let jobs = select::named(suite, scenarios)?;
    jobs.iter().map(|job| runner.explore(job, strategy)).collect()
}
