//! What users configure and run.

use crate::again;
use crate::estimate::{estimate, Estimate};
use crate::exploration::{execute, into_slot, runtime, Body, Exploration};
use crate::names::Names;
use crate::ordering::Ordering;
use crate::report::{Progress, Replay, Report, Run};
use crate::rt::{Ending, Mode, Runtime};
use crate::schedule::Token;
use crate::settings::{Settings, Strategy};
use crate::witness;
use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Explores the orderings of a body. See the crate's documentation for an example.
#[derive(Clone, Debug, Default)]
pub struct Explorer {
    pub(crate) settings: Settings,
}

impl Explorer {
    /// Explores everything, without limits but for the length of an execution.
    pub fn new() -> Self {
        Explorer::default()
    }

    /// Sets how orderings are chosen.
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.settings.strategy = strategy;
        self
    }

    /// Stops after `n` executions; several workers each finish the one that they are in.
    pub fn max_executions(mut self, n: u64) -> Self {
        self.settings.max_executions = n;
        self
    }

    /// Stops when this much time has passed; checked between executions.
    pub fn max_time(mut self, time: Duration) -> Self {
        self.settings.max_time = Some(time);
        self
    }

    /// Explores, of the strategy [`Strategy::Dpor`], only the orderings that can be had with at most
    /// `n` preemptions, each of which takes the turn from a thread that could have gone on. Turns that
    /// are passed on because a thread blocks, ends or yields are free.
    ///
    /// This is for those who need an answer today: most bugs need one or two. The verdict is
    /// [`Verdict::Within`](crate::Verdict::Within) then, never `Complete`, and
    /// [`exhausted`](Report::exhausted) says no. It runs every schedule within the bound, without
    /// reduction, so `executions` exceeds `orderings`; it keeps 16 bytes for each ordering, takes two
    /// for the same if 128 bits of hash agree, and uses one worker.
    ///
    /// ```
    /// use shuttle_dpor::{sync::{atomic::{AtomicU32, Ordering::SeqCst}, Arc}, thread, Explorer};
    ///
    /// let lost_update = || {
    ///     let n = Arc::new(AtomicU32::new(0));
    ///     let threads = [0, 1].map(|_| {
    ///         let n = n.clone();
    ///         thread::spawn(move || n.store(n.load(SeqCst) + 1, SeqCst))
    ///     });
    ///     threads.map(|thread| thread.join().unwrap());
    ///     n.load(SeqCst)
    /// };
    /// let sequential = Explorer::new().max_preemptions(0).explore(lost_update);
    /// assert_eq!(sequential.verdict.to_string(), "complete within 0 preemptions");
    /// assert!(sequential.outcomes.keys().eq(&[2]));
    /// let one = Explorer::new().max_preemptions(1).explore(lost_update);
    /// assert!(one.outcomes.keys().eq(&[1, 2]));
    /// ```
    pub fn max_preemptions(mut self, n: u32) -> Self {
        self.settings.max_preemptions = Some(n);
        self
    }

    /// Stops when the flag is set, from any thread (a handler of Ctrl-C, say); checked between
    /// executions.
    pub fn stop_when(mut self, flag: Arc<AtomicBool>) -> Self {
        self.settings.stop = Some(flag);
        self
    }

    /// Cuts executions off after `n` operations. 10,000 unless set.
    pub fn max_steps(mut self, n: usize) -> Self {
        self.settings.max_steps = n;
        self
    }

    /// Explores on `n` OS threads. The counts are the same for any number.
    pub fn workers(mut self, n: usize) -> Self {
        self.settings.workers = n.max(1);
        self
    }

    /// Stops after the first ordering that violates something.
    pub fn stop_at_first(mut self, stop: bool) -> Self {
        self.settings.stop_at_first = stop;
        self
    }

    /// Lets up to `n` waits for a condition variable, and parks, of each thread return without a
    /// notification or the token. None unless set. A wait with a timeout that does so has not timed out.
    pub fn spurious_wakeups(mut self, n: u32) -> Self {
        self.settings.spurious = n;
        self
    }

    /// Lets up to `n` waits of each thread time out at any point; any further wait with a timeout times
    /// out only when nothing else can go on. No limit unless set.
    ///
    /// With 0, whatever a timeout papers over shows: a wait that times out is one that nobody was going
    /// to end, as after a lost wake-up.
    pub fn timeouts(mut self, n: u32) -> Self {
        self.settings.timeouts = n;
        self
    }

    /// Makes the end of each thread an operation, which `is_finished` is ordered with. Not unless
    /// set: a body that does not ask has no use for the time that it takes.
    pub fn thread_ends(mut self, explored: bool) -> Self {
        self.settings.ends = explored;
        self
    }

    /// Lets up to `n` calls of `compare_exchange_weak` of each thread fail although the value is the
    /// expected one. None unless set: each is explored both ways. Threads that this needs count among
    /// the 64.
    pub fn spurious_failures(mut self, n: u32) -> Self {
        self.settings.spurious_failures = n;
        self
    }

    /// Makes all that is done with an [`Arc`](crate::sync::Arc) or a [`Weak`](crate::sync::Weak) an
    /// operation, so that what depends on the counts is explored: who drops the last reference, whether
    /// an upgrade or `try_unwrap` succeeds, what `strong_count` tells. Not unless set, as it multiplies
    /// the orderings: what depends on a count then ends the exploration
    /// [incomplete](crate::Verdict::Incomplete), unless all other threads have been joined.
    pub fn reference_counts(mut self, explored: bool) -> Self {
        self.settings.counts = explored;
        self
    }

    /// Explores threads of [`spawn_equal`](crate::thread::spawn_equal) up to their exchange. Set unless
    /// switched off: with `false` every ordering is run, as if they differed. The counts are the same, but
    /// for [`executions`](Report::executions) and [`blocked`](Report::blocked). Under a bound on preemptions,
    /// and by other strategies than [`Strategy::Dpor`], every ordering is run.
    pub fn symmetry(mut self, reduces: bool) -> Self {
        self.settings.symmetry = reduces;
        self
    }

    /// Ends the process, and says which thread did what last, when none of the body's threads has come
    /// to an operation for so long: it waits for what is not modelled, and no limit would end that. 30
    /// seconds unless set; `None` waits for ever.
    pub fn watchdog(mut self, patience: Option<Duration>) -> Self {
        self.settings.watchdog = patience;
        self
    }

    /// Sets the stack size of the body's threads, in bytes. 256 KiB unless set.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.settings.stack_size = bytes;
        self
    }

    /// Calls `f` about once a second.
    pub fn progress(self, f: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.progress_every(Duration::from_secs(1), f)
    }

    /// Calls `f` whenever `every` has passed; checked between executions.
    pub fn progress_every(
        mut self,
        every: Duration,
        f: impl Fn(&Progress) + Send + Sync + 'static,
    ) -> Self {
        self.settings.progress = Some((every, Arc::new(f)));
        self
    }

    /// Calls `f` with each ordering that was run to its end, for those who want to look for
    /// themselves. It costs time: an ordering is written out for each call.
    pub fn observe(mut self, f: impl Fn(&Ordering) + Send + Sync + 'static) -> Self {
        self.settings.observer = Some(Arc::new(f));
        self
    }

    /// Runs `body` in every ordering and reports what happened.
    ///
    /// If the environment has `SHUTTLE_DPOR_REPLAY`, a token as a report's `replay:` line has it, then
    /// that ordering alone is run and shown: `SHUTTLE_DPOR_REPLAY=dpor-0.1.0/... cargo test the_test`
    /// runs a failing test again. The verdict is `Violated` or `Incomplete`.
    ///
    /// # Panics
    ///
    /// If the variable holds no token, or one of another body.
    pub fn explore<T, F>(self, body: F) -> Report<T>
    where
        T: Ord + Clone + fmt::Debug + Send + 'static,
        F: Fn() -> T + Send + Sync + 'static,
    {
        let body: Body<T> = Arc::new(body);
        if let Some(token) = again::asked_for() {
            let start = Instant::now();
            let run = self.replay_inner(&token, body);
            let report = again::report(token, run, start.elapsed());
            eprintln!("{report}");
            return report;
        }
        let (tally, elapsed) = Exploration::new(self.settings.clone()).run(&body);
        tally.report(elapsed, self.again(body))
    }

    /// Like [`explore`](Self::explore), for a body whose result says nothing: the report has no
    /// outcomes, so no ordering is run a second time but one that violates something.
    pub fn check<F>(self, body: F) -> Report<()>
    where
        F: Fn() + Send + Sync + 'static,
    {
        let body: Body<()> = Arc::new(body);
        let exploration = Exploration::new(self.settings.clone()).without_outcomes();
        let (tally, elapsed) = exploration.run(&body);
        tally.report(elapsed, self.again(body))
    }

    /// Estimates how many orderings [`explore`](Self::explore) would count, in about `time`, or less where that is
    /// enough: by random walks, of which each is known to stand for so many orderings that their mean is right
    /// (the module `estimate` says why). What has no more than 4,096 orderings, or
    /// [`max_executions`](Self::max_executions), is explored, and known exactly.
    ///
    /// ```
    /// use shuttle_dpor::{sync::{Arc, Mutex}, thread, Estimate, Explorer};
    /// use std::time::Duration;
    ///
    /// let writers = |n| move || {
    ///     let last = Arc::new(Mutex::new(0));
    ///     for n in 0..n {
    ///         let last = last.clone();
    ///         thread::spawn(move || *last.lock().unwrap() = n);
    ///     }
    /// };
    /// let few = Explorer::new().estimate(Duration::from_secs(60), writers(4));
    /// assert_eq!(few, Estimate::Exactly(24));
    /// let many = Explorer::new().estimate(Duration::from_secs(60), writers(9));
    /// let Estimate::Between(low, high) = many else { panic!("{many}") };
    /// assert!((low..=high).contains(&362_880));
    /// ```
    pub fn estimate<T, F>(self, time: Duration, body: F) -> Estimate
    where
        T: Send + 'static,
        F: Fn() -> T + Send + Sync + 'static,
    {
        let settings = Settings { strategy: Strategy::Dpor, ..self.settings };
        estimate(&settings, &into_slot(Arc::new(body), Arc::default()), time)
    }

    /// What runs an ordering again.
    pub(crate) fn again<T: Send + 'static>(self, body: Body<T>) -> Run<T> {
        Arc::new(move |token| self.replay_inner(token, body.clone()))
    }

    /// Runs `body` once, in the ordering of `token`.
    pub fn replay<T, F>(&self, token: &Token, body: F) -> Replay<T>
    where
        T: Send + 'static,
        F: Fn() -> T + Send + Sync + 'static,
    {
        self.replay_inner(token, Arc::new(body))
    }

    pub(crate) fn replay_inner<T: Send + 'static>(
        &self,
        token: &Token,
        body: Body<T>,
    ) -> Replay<T> {
        let mut rt = runtime(&self.settings, Mode::Sample, Names::default());
        rt.recording = true;
        let threads: Vec<_> = token.threads.iter().map(|path| rt.thread_at(path)).collect();
        let mut schedule = Vec::new();
        for &(thread, times) in token.runs.iter() {
            let times =
                (times as usize).min(self.settings.max_steps.saturating_sub(schedule.len()));
            schedule.extend(std::iter::repeat_n(threads[usize::from(thread)], times));
        }
        rt.mode = Mode::Follow(schedule);
        let slot = Arc::new(Mutex::new(None));
        let settings = Settings { strategy: Strategy::Dpor, ..self.settings.clone() };
        let conclude = |rt: &mut Runtime| rt.ending == Some(Ending::Probed);
        let rt = execute(rt, &settings, into_slot(body, slot.clone()), Box::new(conclude));
        let outcome = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        Replay {
            witness: witness::make(&rt),
            outcome: outcome.filter(|_| matches!(rt.ending, None | Some(Ending::AtRest))),
            violations: rt.violations.clone(),
            diverged: match &rt.ending {
                Some(Ending::Diverged(why) | Ending::Refused(why)) => Some(why.clone()),
                _ => None,
            },
            equal: match self.settings.reduces_symmetry() {
                true => rt.paths_of_classes(),
                false => Vec::new(),
            },
        }
    }
}
