//! How many orderings there will be, before they are explored.
//!
//! All orderings are divided into blocks ([`crate::split`]), each of these into smaller ones, and so on: a
//! tree whose leaves are blocks that are small, and are explored. A random descent takes one branch of each
//! node, all with the same chance; the size of the leaf that it comes to, times the branches of each node on
//! the way, is on average the size of the tree (Knuth, "Estimating the efficiency of backtrack programs",
//! Mathematics of Computation 29, 1975). That holds here because a block is divided as a whole: the tree of
//! an exploration itself would not do, whose branches show only while others are explored. Each block of
//! the first few dozens is estimated by itself, twice, so that how much the descents differ says how good the
//! estimate is.

use crate::exploration::{execute, runtime, Body};
use crate::explore::Search;
use crate::names::Names;
use crate::op::Transition;
use crate::rt::{Ending, Mode, Runtime};
use crate::settings::Settings;
use crate::split::{split_into, Divide};
use crate::trace::mix;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many blocks are estimated by themselves.
const BLOCKS: usize = 32;
/// How often each.
const DESCENTS: usize = 2;
/// A block of at most so many orderings is explored.
const SMALL: u64 = 64;
/// So many orderings are run before anything is estimated, unless there is a smaller limit.
const RUN: u64 = 4096;
/// The range is so many standard errors wide on either side, and a tenth at least.
const WIDE: f64 = 3.0;

/// How many orderings there are, as far as that is known: see
/// [`Explorer::estimate`](crate::Explorer::estimate).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Estimate {
    /// So many: all were run.
    Exactly(u64),
    /// Between these. It is a matter of chance, and meant to hold nine times out of ten.
    Between(u64, u64),
    /// So many, probably, or more: some blocks are too large, and cannot be divided, or there was no time for
    /// them.
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
    let names = Names::default();
    let until = Instant::now() + time;
    let mut sampler = Sampler { settings, names: &names, body, until, state: 1, cut: false };
    let run = settings.max_executions.min(RUN);
    if let Some(all) = sampler.size(&[], run) {
        return Estimate::Exactly(all.round() as u64);
    }
    let (mut sum, mut variance) = (0.0, 0.0);
    for block in split_into(settings, &names, BLOCKS, body) {
        // A block that is small is explored once, and known.
        let first = sampler.descend(block.clone());
        if first.exact {
            sum += first.size;
            continue;
        }
        let mut sizes = vec![first.size];
        sizes.extend((1..DESCENTS).map(|_| sampler.descend(block.clone()).size));
        let n = sizes.len() as f64;
        let mean = sizes.iter().sum::<f64>() / n;
        sum += mean;
        // Of the mean: how far they are apart, by how many there are.
        let apart = sizes.iter().map(|size| (size - mean).powi(2)).sum::<f64>();
        variance += apart / (n - 1.0) / n;
    }
    let wide = (WIDE * variance.sqrt() / sum).max(0.1);
    let low = (sum / (1.0 + wide)).max(run as f64 + 1.0) as u64;
    match sampler.cut {
        true => Estimate::AtLeast(low),
        false => Estimate::Between(low, (sum * (1.0 + wide)).ceil() as u64),
    }
}

struct Sampler<'a> {
    settings: &'a Settings,
    names: &'a Names,
    body: &'a Body<()>,
    until: Instant,
    /// Of the random numbers.
    state: u64,
    /// Whether some leaf was too large, so that the estimates are too small.
    cut: bool,
}

struct Descent {
    size: f64,
    /// Whether there was no choice on the way.
    exact: bool,
}

impl Sampler<'_> {
    /// How many orderings a block has, if no more than `most` executions stand for them.
    fn size(&self, block: &[Transition], most: u64) -> Option<f64> {
        let search = Search::behind(block.to_vec());
        let rt = runtime(self.settings, Mode::Explore(Box::new(search)), self.names.clone());
        let executions = Arc::new(AtomicU64::new(0));
        let (counted, orderings) = (executions.clone(), Arc::new(Mutex::new(0.0)));
        let sum = orderings.clone();
        let conclude = move |rt: &mut Runtime| {
            if rt.counts() && counted.fetch_add(1, Relaxed) >= most {
                return false;
            }
            if rt.ending != Some(Ending::Exchanged) {
                *sum.lock().unwrap_or_else(PoisonError::into_inner) += rt.weight.as_f64();
            }
            if rt.diverged() {
                counted.store(u64::MAX, Relaxed);
            }
            rt.search_on()
        };
        drop(execute(rt, self.settings, self.body.clone(), Box::new(conclude)));
        let all = *orderings.lock().unwrap_or_else(PoisonError::into_inner);
        (executions.load(Relaxed) <= most).then_some(all)
    }

    fn descend(&mut self, mut block: Vec<Transition>) -> Descent {
        let (mut weight, mut exact) = (1.0, true);
        loop {
            if Instant::now() > self.until {
                self.cut = true;
                return Descent { size: weight, exact: false };
            }
            if let Some(n) = self.size(&block, SMALL) {
                return Descent { size: weight * n, exact };
            }
            let mut effort = usize::MAX;
            let (settings, names, body) = (self.settings, self.names, self.body);
            let mut divide = Divide { settings, names, body, block, effort: &mut effort };
            // Where there is one block it is the same, and begins with more steps.
            let smaller = loop {
                match divide.divide() {
                    Some(mut one) if one.len() == 1 => divide.block = one.remove(0),
                    smaller => break smaller,
                }
            };
            let Some(mut smaller) = smaller else {
                self.cut = true;
                return Descent { size: weight * SMALL as f64, exact: false };
            };
            self.state = mix(self.state, 0);
            weight *= smaller.len() as f64;
            exact = false;
            let chosen = self.state % smaller.len() as u64;
            block = smaller.swap_remove(chosen as usize);
        }
    }
}
