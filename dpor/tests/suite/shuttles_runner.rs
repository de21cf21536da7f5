//! Running a body by shuttle's own runner, and what it fails with.

use shuttle::scheduler::Scheduler;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// How many executions there were.
pub(crate) fn run(
    scheduler: impl Scheduler + 'static,
    body: impl Fn() + Send + Sync + 'static,
) -> usize {
    let mut config = shuttle::Config::new();
    config.failure_persistence = shuttle::FailurePersistence::None;
    shuttle::Runner::new(scheduler, config).run(body)
}

/// What the test fails with.
pub(crate) fn failure(
    scheduler: impl Scheduler + 'static,
    body: impl Fn() + Send + Sync + 'static,
) -> String {
    let payload = catch_unwind(AssertUnwindSafe(|| run(scheduler, body))).expect_err("it fails");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast::<&str>().expect("a message").to_string(),
    }
}
