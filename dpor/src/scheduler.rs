//! The exploration as a scheduler for a `Runner` of shuttle's.

use crate::adapter::Adapter;
use crate::names::Names;
use crate::rt::{self, Ending, Mode, Runtime};
use crate::schedule::Token;
use crate::settings::Strategy;
use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};

/// Explores every inequivalent ordering exactly once, as a scheduler for shuttle's own
/// [`Runner`](shuttle::Runner), which says how many executions there were.
///
/// ```
/// use shuttle_dpor::{sync::{Arc, Mutex}, thread, DporScheduler};
///
/// let runner = shuttle::Runner::new(DporScheduler::new(), shuttle::Config::new());
/// let orderings = runner.run(|| {
///     let total = Arc::new(Mutex::new(0));
///     let other = total.clone();
///     let t = thread::spawn(move || *other.lock().unwrap() += 1);
///     *total.lock().unwrap() += 1;
///     t.join().unwrap();
///     assert_eq!(*total.lock().unwrap(), 2);
/// });
/// assert_eq!(orderings, 2);
/// ```
///
/// It is for tests that have a runner already. An [`Explorer`](crate::Explorer) runs the same
/// exploration and tells more: it goes on behind a violation, counts outcomes, and shows witnesses.
/// Here what is wrong fails the test, as with any scheduler of shuttle's: the first panic, deadlock,
/// data race or [reported violation](crate::report_violation), and a body that is not deterministic.
/// The token of the ordering that did is printed to stderr; [`Explorer::replay`] shows it.
///
/// The body's own thread-locals ([`thread_local!`](crate::thread_local)) are dropped with shuttle's.
///
/// [`Explorer::replay`]: crate::Explorer::replay
#[derive(Debug)]
pub struct DporScheduler {
    adapter: Adapter<fn(&mut Runtime) -> bool>,
    max_steps: usize,
    ends: bool,
    counts: bool,
    /// Whether this thread's runtime is ours.
    installed: bool,
}

impl DporScheduler {
    /// Explores everything.
    pub fn new() -> Self {
        crate::hook::install(rt::panics);
        DporScheduler {
            adapter: Adapter::new(Strategy::Dpor, conclude),
            max_steps: 10_000,
            ends: false,
            counts: false,
            installed: false,
        }
    }

    /// Fails when an execution has more than `n` operations. 10,000 unless set.
    pub fn max_steps(mut self, n: usize) -> Self {
        self.max_steps = n;
        self
    }

    /// As [`Explorer::thread_ends`](crate::Explorer::thread_ends).
    pub fn thread_ends(mut self, explored: bool) -> Self {
        self.ends = explored;
        self
    }

    /// As [`Explorer::reference_counts`](crate::Explorer::reference_counts).
    pub fn reference_counts(mut self, explored: bool) -> Self {
        self.counts = explored;
        self
    }

    fn uninstall(&mut self) -> Option<Box<Runtime>> {
        if !std::mem::take(&mut self.installed) {
            return None;
        }
        rt::install(None)
    }
}

impl Default for DporScheduler {
    fn default() -> Self {
        DporScheduler::new()
    }
}

impl Scheduler for DporScheduler {
    fn new_execution(&mut self) -> Option<Schedule> {
        if !self.installed {
            let mode = Mode::Explore(Box::default());
            let mut rt = Box::new(Runtime::new(mode, Names::default(), self.max_steps));
            rt.fails = true;
            rt.ends = self.ends;
            rt.counts = self.counts;
            let before = rt::install(Some(rt));
            assert!(before.is_none(), "a DporScheduler inside the body of an explorer");
            self.installed = true;
        }
        let schedule = self.adapter.new_execution();
        if schedule.is_none() {
            self.uninstall();
        }
        schedule
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        yielding: bool,
    ) -> Option<TaskId> {
        // The body's own thread is shuttle's: it does not say when it ends.
        let over = !runnable.iter().any(|t| usize::from(t.id()) == 0);
        if over && rt::with(|rt| rt.unfinished(0)) {
            rt::with(|rt| rt.finish(0));
        }
        self.adapter.next_task(runnable, current, yielding)
    }

    fn next_u64(&mut self) -> u64 {
        self.adapter.next_u64()
    }
}

impl Drop for DporScheduler {
    fn drop(&mut self) {
        if let (Some(rt), true) = (self.uninstall(), std::thread::panicking()) {
            eprintln!("the ordering, for shuttle_dpor::Explorer::replay: {}", Token::of(&rt));
        }
    }
}

/// An execution that was given up where no thread was left to say so fails the test here.
fn conclude(rt: &mut Runtime) -> bool {
    if let Some(why) = rt.failure() {
        panic!("{why}");
    }
    // A test that fails does not come here. The body's own thread does not always say that it ends.
    let rest = rt.live.iter().any(|&p| p != 0 && rt.unfinished(p));
    assert!(
        matches!(rt.ending, Some(Ending::AtRest)) || !rest && rt.ending != Some(Ending::Torn),
        "shuttle has cut an execution off after {} operations, so not every ordering is explored: \
         set DporScheduler::max_steps instead of MaxSteps::ContinueAfter",
        rt.trace.len()
    );
    rt.search_on()
}
