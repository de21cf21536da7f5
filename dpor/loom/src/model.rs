//! Models and how they are explored.

use crate::execution;
use shuttle_dpor::{Explorer, Report, Token, Verdict, Violation};
use std::env;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// The size of each thread's stack, in bytes.
pub const STACK: usize = 1 << 20;

/// How many operations an execution may have for each of [`Builder::max_branches`]. loom does not
/// count all that is an operation here: an unlock, for one, is no branch of its.
const OPERATIONS: usize = 10;

/// How many orderings are explored before a bound on preemptions counts.
const WHOLE: u64 = 20_000;

/// How a model is explored.
///
/// ```
/// let mut builder = loom::model::Builder::new();
/// builder.max_branches = 100;
/// builder.check(|| ());
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Builder {
    /// Has no effect: see [`MAX_THREADS`](crate::MAX_THREADS).
    pub max_threads: usize,

    /// How often the threads of an execution may yield; they may perform ten times as many
    /// operations. More is a failure. `LOOM_MAX_BRANCHES`, or 1,000.
    pub max_branches: usize,

    /// Stops after so many executions, and says so: what was not explored is not known to hold.
    /// `LOOM_MAX_PERMUTATIONS`, or none.
    pub max_permutations: Option<usize>,

    /// Stops after this time, and says so: what was not explored is not known to hold.
    /// `LOOM_MAX_DURATION`, in seconds, or none.
    pub max_duration: Option<Duration>,

    /// What to be content with if there are more than 20,000 orderings: every ordering that can be had
    /// with so many preemptions, which is said on standard error. (loom cuts off what has more from the
    /// beginning; here the whole is often less.) `LOOM_MAX_PREEMPTIONS`, or none.
    ///
    /// ```
    /// let mut builder = loom::model::Builder::new();
    /// builder.preemption_bound = Some(2);
    /// builder.check(|| ());
    /// ```
    pub preemption_bound: Option<usize>,

    /// Where a failure leaves the ordering that shows it. If the file is there, this ordering is run
    /// before everything else. `LOOM_CHECKPOINT_FILE`, or none.
    pub checkpoint_file: Option<PathBuf>,

    /// Has no effect. `LOOM_CHECKPOINT_INTERVAL`, or 20,000.
    pub checkpoint_interval: usize,

    /// Has no effect: everything is explored.
    pub expect_explicit_explore: bool,

    /// Has no effect: locations are always known. Whether there is `LOOM_LOCATION`.
    pub location: bool,

    /// Whether to say how many executions it took. Whether there is `LOOM_LOG`.
    pub log: bool,
}

/// The value of a variable, if there is one.
fn variable<T: FromStr<Err: Display>>(name: &str) -> Option<T> {
    let text = env::var(name).ok()?;
    match text.parse() {
        Ok(value) => Some(value),
        Err(e) => panic!("{name}={text}: {e}"),
    }
}

impl Builder {
    /// What the environment says, and loom's defaults.
    ///
    /// # Panics
    ///
    /// If a variable is no number.
    pub fn new() -> Self {
        Builder {
            max_threads: 5,
            max_branches: variable("LOOM_MAX_BRANCHES").unwrap_or(1_000),
            max_permutations: variable("LOOM_MAX_PERMUTATIONS"),
            max_duration: variable("LOOM_MAX_DURATION").map(Duration::from_secs),
            preemption_bound: variable("LOOM_MAX_PREEMPTIONS"),
            checkpoint_file: variable("LOOM_CHECKPOINT_FILE"),
            checkpoint_interval: variable("LOOM_CHECKPOINT_INTERVAL").unwrap_or(20_000),
            expect_explicit_explore: false,
            location: env::var_os("LOOM_LOCATION").is_some(),
            log: env::var_os("LOOM_LOG").is_some(),
        }
    }

    /// Sets the checkpoint file.
    pub fn checkpoint_file(&mut self, file: &str) -> &mut Self {
        self.checkpoint_file = Some(file.into());
        self
    }

    /// Runs the model in every ordering.
    ///
    /// # Panics
    ///
    /// With the ordering that shows it, if something is violated; if an execution is longer than
    /// `max_branches` allows; and if the model is not deterministic.
    #[track_caller]
    pub fn check<F>(&self, f: F)
    where
        F: Fn() + Sync + Send + 'static,
    {
        let weak = Arc::new(AtomicBool::new(false));
        let (most, seen) = (self.max_branches, weak.clone());
        let body = Arc::new(move || {
            if execution::run(&f, most) {
                seen.store(true, Relaxed);
            }
        });
        if let Some(token) = self.checkpoint() {
            let (explorer, body) = (self.explorer(), body.clone());
            let again = explorer.replay(&token, move || body());
            let names: Vec<_> =
                again.violations.iter().map(|v| format!("{}: {}", v.name, v.detail)).collect();
            assert!(names.is_empty(), "the checkpoint's ordering\n{}", names.join("\n"));
        }
        let explore = |explorer: Explorer| {
            let body = body.clone();
            explorer.check(move || body())
        };
        let report = match self.preemption_bound.map(|bound| bound.try_into().unwrap_or(u32::MAX)) {
            None => explore(self.explorer()),
            Some(bound) => {
                let whole = self.max_permutations.map_or(WHOLE, |n| WHOLE.min(n as u64));
                let report = explore(self.explorer().max_executions(whole));
                let more = report.executions >= WHOLE && report.violations.is_empty();
                if more && !report.exhausted() {
                    let mut explorer = self.explorer().max_preemptions(bound);
                    if let Some(time) = self.max_duration {
                        explorer = explorer.max_time(time.saturating_sub(report.elapsed));
                    }
                    explore(explorer)
                } else {
                    report
                }
            }
        };
        self.conclude(&report, weak.load(Relaxed));
    }

    fn explorer(&self) -> Explorer {
        let mut explorer = Explorer::new()
            .stop_at_first(true)
            .stack_size(STACK)
            .max_steps(self.max_branches.saturating_mul(OPERATIONS));
        if let Some(n) = self.max_permutations {
            explorer = explorer.max_executions(n as u64);
        }
        if let Some(time) = self.max_duration {
            explorer = explorer.max_time(time);
        }
        explorer
    }

    /// The ordering in the checkpoint file.
    fn checkpoint(&self) -> Option<Token> {
        let file = self.checkpoint_file.as_ref().filter(|file| file.exists())?;
        let text = std::fs::read_to_string(file)
            .unwrap_or_else(|e| panic!("cannot read {}: {e}", file.display()));
        Some(text.parse().unwrap_or_else(|e| panic!("{}: {e}", file.display())))
    }

    #[track_caller]
    fn conclude(&self, report: &Report<()>, weak: bool) {
        if let Some(violation) = report.violations.first() {
            self.fail(report, violation);
        }
        if self.log {
            eprintln!(
                "loom by shuttle-dpor: Completed in {} iterations, {:.3} s",
                report.executions,
                report.elapsed.as_secs_f64()
            );
        }
        if weak {
            eprintln!(
                "loom by shuttle-dpor: threads share atomics with orderings weaker than SeqCst; \
                 loom explores what these allow beyond sequential consistency"
            );
        }
        if let Verdict::Within { .. } = &report.verdict {
            eprintln!("loom by shuttle-dpor: {}, and no further", report.verdict);
        }
        if let Verdict::Incomplete { why } = &report.verdict {
            assert!(self.asked_for(report), "INCOMPLETE: {why}");
            eprintln!("loom by shuttle-dpor: INCOMPLETE: {why}");
        }
    }

    /// Whether the exploration ended where it was asked to.
    fn asked_for(&self, report: &Report<()>) -> bool {
        let many = self.max_permutations.is_some_and(|n| report.executions >= n as u64);
        let long = self.max_duration.is_some_and(|time| report.elapsed >= time);
        (many || long) && report.cut == 0
    }

    #[track_caller]
    fn fail(&self, report: &Report<()>, violation: &Violation) -> ! {
        let mut left = String::new();
        if let Some(file) = &self.checkpoint_file {
            left = match std::fs::write(file, violation.token.to_string()) {
                Ok(()) => format!("\n{} has this ordering", file.display()),
                Err(e) => format!("\ncannot write {}: {e}", file.display()),
            };
        }
        panic!("after {} executions: {violation}{left}", report.executions);
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

/// Runs a model in every ordering, as the environment says: see [`Builder`].
///
/// # Panics
///
/// As [`Builder::check`] does.
#[track_caller]
pub fn model<F>(f: F)
where
    F: Fn() + Sync + Send + 'static,
{
    Builder::new().check(f);
}
