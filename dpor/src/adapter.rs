//! The scheduler that shuttle sees.

use crate::rt::{self, Ending, Runtime, Turnover};
use crate::settings::Strategy;
use shuttle::scheduler::{
    DfsScheduler, PctScheduler, RandomScheduler, Schedule, Scheduler, Task, TaskId,
    UrwRandomScheduler,
};

use std::fmt;

type Inner = Box<dyn Scheduler + Send>;

/// shuttle's scheduler for a strategy that leaves the choices to one.
fn sampler(strategy: Strategy) -> Option<Inner> {
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
    /// Whether the inner scheduler has to be shown each task when it is new, and needs a choice.
    demanding: bool,
    /// How many tasks it has been shown in this execution.
    shown: usize,
    /// Its choices in this execution, and how many of them have been made again: an execution that was
    /// given up to find out who spins is run once more, and the inner scheduler need not know.
    choices: Vec<usize>,
    repeated: usize,
    /// Whether it has ever had a choice.
    chose: bool,
    /// Called after each execution; says whether to go on.
    conclude: C,
    /// Whether an execution has begun that has not been concluded.
    running: bool,
    /// Whether there are no more.
    ended: bool,
}

impl<C> fmt::Debug for Adapter<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapter").field("running", &self.running).finish_non_exhaustive()
    }
}

impl<C: FnMut(&mut Runtime) -> bool> Adapter<C> {
    pub(crate) fn new(strategy: Strategy, conclude: C) -> Self {
        Adapter {
            inner: sampler(strategy),
            demanding: matches!(strategy, Strategy::Pct { .. } | Strategy::Urw { .. }),
            shown: 0,
            choices: Vec::new(),
            repeated: 0,
            chose: false,
            conclude,
            running: false,
            ended: false,
        }
    }

    /// Concludes an execution. Returns whether there is another.
    fn conclude(&mut self) -> bool {
        self.ended = !rt::with(|rt| rt.conclude(&mut self.conclude));
        !self.ended
    }

    /// Shows the inner scheduler the tasks that are new, in the order of their numbers and each by
    /// itself: as if a task's first event were its start. Both PCT and URW keep a number for each
    /// task from when they first see it, and URW takes the next one that it sees for the next
    /// number; but a task whose operation is blocked, or that has none, is never shown otherwise.
    fn introduce(&mut self, runnable: &[&Task], current: Option<TaskId>) {
        let Some(inner) = self.inner.as_mut().filter(|_| self.demanding) else { return };
        for task in runnable {
            if usize::from(task.id()) == self.shown {
                inner.next_task(&[task], current, false);
                self.shown += 1;
            }
        }
    }
}

impl<C: FnMut(&mut Runtime) -> bool> Scheduler for Adapter<C> {
    fn new_execution(&mut self) -> Option<Schedule> {
        if self.ended || self.running && !self.conclude() {
            return None;
        }
        let again = self.running && rt::with(|rt| rt.ending == Some(Ending::Probed));
        // Where there was nothing to choose there is one execution, and PCT refuses another.
        if self.running && self.demanding && !self.chose && !again {
            return None;
        }
        self.repeated = 0;
        let schedule = match &mut self.inner {
            Some(inner) if !again => {
                self.shown = 0;
                self.choices.clear();
                inner.new_execution()?
            }
            _ => Schedule::new(0),
        };
        self.running = true;
        rt::with(Runtime::start);
        Some(schedule)
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        _yielding: bool,
    ) -> Option<TaskId> {
        self.introduce(runnable, current);
        match rt::with(|rt| rt.resume(runnable)) {
            Turnover::To(task) => Some(TaskId::from(task)),
            Turnover::Stop => None,
            Turnover::Sample => {
                let inner = self.inner.as_mut().expect("a sampling strategy has a scheduler");
                let (enabled, yielding) = rt::with(|rt| {
                    let live = rt.live.clone();
                    let can = |t: &&Task| rt.enabled(live[usize::from(t.id())]);
                    let enabled: Vec<&Task> = runnable.iter().copied().filter(can).collect();
                    (enabled, rt.pending_yield())
                });
                self.chose |= enabled.len() > 1;
                let task = match self.choices.get(self.repeated) {
                    Some(&again) => TaskId::from(again),
                    None => {
                        let task = inner.next_task(&enabled, current, yielding)?;
                        self.choices.push(usize::from(task));
                        task
                    }
                };
                self.repeated += 1;
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
