//! The scheduler that shuttle sees.

use crate::driver::Strategy;
use crate::rt::{self, Runtime, Turnover};
use shuttle::scheduler::{
    DfsScheduler, PctScheduler, RandomScheduler, Schedule, Scheduler, Task, TaskId,
    UrwRandomScheduler,
};

use std::fmt;

type Inner = Box<dyn Scheduler + Send>;

/// shuttle's scheduler for a strategy that leaves the choices to one.
pub(crate) fn sampler(strategy: Strategy) -> Option<Inner> {
    match strategy {
        Strategy::Dpor => None,
        Strategy::Dfs => Some(Box::new(DfsScheduler::new(None, false))),
        Strategy::Random { seed, iterations } => {
            Some(Box::new(RandomScheduler::new_from_seed(seed, iterations)))
        }
        Strategy::Pct { seed, iterations, depth } => {
            Some(Box::new(PctScheduler::new_from_seed(seed, depth, iterations)))
        }
        Strategy::Urw { seed, iterations } => {
            Some(Box::new(UrwRandomScheduler::new_from_seed(seed, iterations)))
        }
    }
}

/// Passes shuttle's questions on to the runtime, and what the runtime leaves open to one of
/// shuttle's own schedulers, which only gets to see the tasks that can go on.
pub(crate) struct Adapter<C> {
    inner: Option<Inner>,
    /// Called after each execution; says whether to go on.
    conclude: C,
    running: bool,
    runnable: Vec<usize>,
}

impl<C> fmt::Debug for Adapter<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapter").field("running", &self.running).finish_non_exhaustive()
    }
}

impl<C: FnMut(&mut Runtime) -> bool> Adapter<C> {
    pub(crate) fn new(inner: Option<Inner>, conclude: C) -> Self {
        Adapter { inner, conclude, running: false, runnable: Vec::new() }
    }
}

impl<C: FnMut(&mut Runtime) -> bool> Scheduler for Adapter<C> {
    fn new_execution(&mut self) -> Option<Schedule> {
        if self.running && !rt::with(&mut self.conclude) {
            return None;
        }
        self.running = true;
        let schedule = match &mut self.inner {
            Some(inner) => inner.new_execution()?,
            None => Schedule::new(0),
        };
        rt::with(Runtime::begin);
        Some(schedule)
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        _yielding: bool,
    ) -> Option<TaskId> {
        self.runnable.clear();
        self.runnable.extend(runnable.iter().map(|t| usize::from(t.id())));
        let places = &self.runnable;
        match rt::with(|rt| rt.resume(places)) {
            Turnover::To(place) => Some(TaskId::from(place)),
            Turnover::Stop => None,
            Turnover::Sample => {
                let inner = self.inner.as_mut().expect("a sampling strategy has a scheduler");
                let (enabled, yielding) = rt::with(|rt| {
                    let live = rt.live.clone();
                    let can = |t: &&Task| rt.enabled(live[usize::from(t.id())]);
                    let enabled: Vec<&Task> = runnable.iter().copied().filter(can).collect();
                    (enabled, rt.pending_yield())
                });
                let task = inner.next_task(&enabled, current, yielding)?;
                rt::with(|rt| rt.turn_to(rt.live[usize::from(task)]));
                Some(task)
            }
        }
    }

    fn next_u64(&mut self) -> u64 {
        match &mut self.inner {
            Some(inner) => inner.next_u64(),
            None => panic!("shuttle::rand is not explored: make the choice an ordering instead"),
        }
    }
}
