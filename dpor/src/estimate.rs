//! How many orderings there will be, before they are explored.
//!
//! A walk stands for so many orderings that the mean over all walks is their number ([`crate::explore::Walk`]).
//! Alone that is little help: some walks would be met once in a million times, and stand for a million times
//! more than others. So walks go together, in a population. After every few steps those that stand for more
//! than others are gone on from more often, those that stand for less seldom or not at all, and all stand for
//! the same then (sequential Monte Carlo; Del Moral, Doucet and Jasra, "Sequential Monte Carlo samplers",
//! Journal of the Royal Statistical Society B 68, 2006). The number that a population says is right in the mean
//! again. Each is one sample, and how far they are apart says how good the mean of those is that there was time
//! for. Where they are too far apart to say so, what is certain is that their mean is ten times too large at
//! most once in ten times (Markov's inequality).

use crate::exploration::{execute, runtime, Body};
use crate::explore::Walk;
use crate::names::Names;
use crate::op::Tid;
use crate::rt::{Ending, Mode, Runtime};
use crate::settings::Settings;
use crate::trace::Trace;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many orderings are run before anything is estimated, unless there is a smaller limit.
const RUN: u64 = 4096;
/// The walks of a population.
const TOGETHER: usize = 128;
/// The steps after which it is seen which of them go on.
const STEPS: usize = 5;
/// What the first populations say is used to learn from.
const LEARN: usize = 4;
/// No fewer populations say anything.
const FEW: usize = 8;
/// The range is so many standard errors wide on either side.
const WIDE: f64 = 3.0;
/// It is narrow enough if it is no wider than this, as a share of the mean, and never told to be narrower.
const NARROW: f64 = 0.05;
/// It is too wide to say anything if it is wider.
const TOO_WIDE: f64 = 0.5;

/// How many orderings there are, as far as that is known: see
/// [`Explorer::estimate`](crate::Explorer::estimate).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Estimate {
    /// So many: all were run.
    Exactly(u64),
    /// Between these. It is a matter of chance, and meant to hold nine times out of ten.
    Between(u64, u64),
    /// So many, probably, or more: there was no time to know better.
    AtLeast(u64),
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Estimate::Exactly(n) => write!(f, "{n}"),
            Estimate::Between(low, high) => write!(f, "between {low} and {high}"),
            Estimate::AtLeast(n) => write!(f, "at least {n}"),
        }
    }
}

/// Estimates, within about this time.
pub(crate) fn estimate(settings: &Settings, body: &Body<()>, time: Duration) -> Estimate {
    let Run { orderings, all, walk, .. } = run(settings, body, settings.max_executions.min(RUN));
    if all {
        return Estimate::Exactly(orderings.round() as u64);
    }
    let sample = sample(settings, body, Instant::now() + time, walk);
    let low = |low: f64| low.max(orderings + 1.0) as u64;
    match sample.range() {
        Some((from, to)) => Estimate::Between(low(from), (to.ceil() as u64).max(low(from))),
        None => Estimate::AtLeast(low(sample.mean() / 10.0)),
    }
}

/// Some orderings, or all, and a walk that has learnt from them.
#[derive(Default)]
struct Run {
    executions: u64,
    orderings: f64,
    all: bool,
    walk: Walk,
}

/// Runs so many executions, if there are as many.
fn run(settings: &Settings, body: &Body<()>, most: u64) -> Run {
    let rt = runtime(settings, Mode::Explore(Box::default()), Names::default());
    let shared = Arc::new(Mutex::new(Run::default()));
    let run = shared.clone();
    let conclude = move |rt: &mut Runtime| {
        let mut run = lock(&run);
        if rt.counts() {
            if run.executions == most {
                return false;
            }
            run.executions += 1;
            if rt.ran_to_its_end() {
                run.walk.learn(&rt.trace);
            }
            if rt.ending != Some(Ending::Exchanged) {
                run.orderings += rt.weight.as_f64();
            }
        }
        let more = rt.search_on();
        run.all = !more && !rt.diverged();
        more
    };
    drop(execute(rt, settings, body.clone(), Box::new(conclude)));
    let run = std::mem::take(&mut *lock(&shared));
    run
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the populations say.
#[derive(Default)]
struct Sample {
    said: Vec<f64>,
    /// Some walk was cut off, or was none.
    cut: bool,
    /// Behind so many events no walk had anything to choose.
    depth: usize,
    populations: usize,
    current: Population,
}

/// Walks that go together.
#[derive(Default)]
struct Population {
    /// How many beginnings there are of as many steps as have been gone, as far as this population says.
    beginnings: f64,
    steps: usize,
    /// How the walks begin, and who goes on.
    begin: Vec<Vec<Tid>>,
    /// The walks from there, and for how many times more beginnings they stand.
    walks: Vec<(Vec<Tid>, f64)>,
}

impl Population {
    fn new() -> Self {
        Population { beginnings: 1.0, begin: vec![Vec::new(); TOGETHER], ..Population::default() }
    }

    /// Those that go on, as many as there were: each as often as it stands for more than the mean.
    fn go_on(&mut self, random: f64) {
        let sum: f64 = self.walks.iter().map(|(_, weight)| weight).sum();
        let mean = sum / self.walks.len() as f64;
        self.beginnings *= mean;
        self.steps += STEPS;
        self.begin.clear();
        let mut at = random;
        for (walk, weight) in self.walks.drain(..) {
            at += weight / mean;
            while at >= 1.0 {
                self.begin.push(walk[..walk.len().min(self.steps)].to_vec());
                at -= 1.0;
            }
        }
        // By rounding there may be one too few, or too many.
        self.begin.resize(TOGETHER, self.begin.last().cloned().unwrap_or_default());
    }
}

impl Sample {
    /// Takes in a walk, and says how the next one begins.
    fn take(&mut self, walk: &mut Walk, trace: &Trace) {
        let learns = self.populations < LEARN;
        let population = &mut self.current;
        let (from, to) = (population.steps, population.steps + STEPS);
        let over = to >= if learns { trace.len() } else { self.depth };
        let to = if over { trace.len() } else { to };
        let weight = walk.weight(trace, to).0 / walk.weight(trace, from).0;
        let tids = trace.events().iter().map(|event| event.tid).collect();
        population.walks.push((tids, weight));
        if learns {
            self.depth = self.depth.max(walk.weight(trace, trace.len()).1);
            if over {
                walk.learn(trace);
            }
        }
        if population.walks.len() == TOGETHER {
            population.go_on(walk.random());
            if over {
                if !learns {
                    self.said.push(population.beginnings);
                }
                self.populations += 1;
                *population = Population::new();
            }
        }
        let next = self.current.walks.len();
        walk.follow.clone_from(&self.current.begin[next]);
    }

    fn mean(&self) -> f64 {
        self.said.iter().sum::<f64>() / self.said.len().max(1) as f64
    }

    /// How far the mean may be from the truth, as a share of it.
    fn wide(&self) -> f64 {
        let (n, mean) = (self.said.len() as f64, self.mean());
        let apart: f64 = self.said.iter().map(|said| (said - mean).powi(2)).sum();
        WIDE * (apart / (n - 1.0) / n).sqrt() / mean
    }

    /// Between which numbers the truth is, if that is known.
    fn range(&self) -> Option<(f64, f64)> {
        let wide = self.wide().max(NARROW);
        let known = !self.cut && self.said.len() >= FEW && wide <= TOO_WIDE;
        known.then(|| (self.mean() / (1.0 + wide), self.mean() * (1.0 + wide)))
    }

    fn is_enough(&self) -> bool {
        self.said.len() >= 2 * FEW && self.wide() <= NARROW
    }
}

/// Has populations walk until the range is narrow, or the time is over.
fn sample(settings: &Settings, body: &Body<()>, until: Instant, walk: Walk) -> Sample {
    let rt = runtime(settings, Mode::Walk(Box::new(walk)), Names::default());
    let first = Sample { current: Population::new(), ..Sample::default() };
    let shared = Arc::new(Mutex::new(first));
    let sample = shared.clone();
    let conclude = move |rt: &mut Runtime| {
        let mut sample = lock(&sample);
        if rt.counts() {
            let whole = rt.ran_to_its_end();
            match &mut rt.mode {
                Mode::Walk(walk) if whole => sample.take(walk, &rt.trace),
                _ => sample.cut = true,
            }
        }
        !rt.diverged() && !sample.cut && !sample.is_enough() && Instant::now() < until
    };
    drop(execute(rt, settings, body.clone(), Box::new(conclude)));
    let sample = std::mem::take(&mut *lock(&shared));
    sample
}
