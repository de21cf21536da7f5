//! A random walk: at each step one of the threads that can go on; and for how many orderings it stands.
//!
//! A walk comes to an ordering by any of the sequences that are equivalent to each other. Say that each thread
//! that can go on has a number, its odds, and is chosen with the chance of its odds among all of them; and say
//! that in the sequence that came of it the steps had the odds s1, s2, ... to choose from altogether, of which
//! m1, m2, ... belonged to threads whose next event, in the ordering, waited for nothing that was still to come.
//! The product of all si / mi is the walk's weight, and its mean is the number of orderings. For a sequence
//! comes with the chance p1 p2 ... / s1 s2 ..., where p are the odds of who was chosen; so the mean is the sum
//! of p1 p2 ... / m1 m2 ... over all sequences. Over the sequences of one ordering that sum is one: these are
//! the chances of somebody who takes the ordering's events one after another by the same odds, each time one of
//! those that wait for nothing. The same holds of the first so many steps, and the beginnings of orderings.
//!
//! That is so whatever the odds are. They decide how far the weights are apart, and are learnt: who stands
//! where nobody has been met yet goes first; who else goes on is as likely as there are events left to it at
//! which somebody may be met, so that it is no matter who is longer ("Selectively uniform concurrency testing",
//! ASPLOS 2025, chooses so, to find bugs).

use super::{Choice, View};
use crate::op::{ObjId, Tid};
use crate::rt::{Status, Thread};
use crate::trace::{mix, Trace};
use std::collections::HashMap;
use std::panic::Location;

/// Who has met somebody less often than this goes first.
const SELDOM: f64 = 0.02;
/// The odds of who goes first.
const FIRST: f64 = 100.0;
/// The odds of who has nobody to meet any more, where somebody may be met.
const LITTLE: f64 = 0.1;

/// A sum, and of how many.
#[derive(Clone, Copy, Default)]
struct Mean(f64, f64);

#[derive(Default)]
pub(crate) struct Walk {
    /// Who performs the first events.
    pub(crate) follow: Vec<Tid>,
    /// Of the random numbers.
    state: u64,
    /// The odds of all who could perform each event.
    sums: Vec<f64>,
    /// For each thread and each number of events that it has performed: at how many of those that are left
    /// to it somebody is met.
    left: Vec<Vec<Mean>>,
    /// How often somebody is met where a thread does something to an object.
    meets: HashMap<(Tid, ObjId, &'static Location<'static>), Mean>,
}

impl Walk {
    /// A random number below one.
    pub(crate) fn random(&mut self) -> f64 {
        self.state = mix(self.state, 1);
        (self.state >> 11) as f64 / (1u64 << 53) as f64
    }

    fn odds(&self, tid: Tid, done: u32, obj: ObjId, at: &'static Location<'static>) -> f64 {
        let meets = self.meets.get(&(tid, obj, at));
        if meets.is_some_and(|Mean(met, times)| *met < times * SELDOM) {
            return FIRST;
        }
        let left = self.left.get(tid as usize).and_then(|left| left.get(done as usize));
        left.map_or(1.0, |Mean(left, times)| left / times) + LITTLE
    }

    pub(crate) fn choose(&mut self, trace: &Trace, view: &View, threads: &[Thread]) -> Choice {
        let depth = trace.len();
        let enabled = (0..64).filter(|&tid: &Tid| view.enabled & (1 << tid) != 0);
        let odds = enabled.map(|tid| {
            let thread = &threads[tid as usize];
            let Status::At(op) = thread.status else {
                unreachable!("who is enabled stands at an operation")
            };
            let done = thread.clock.get(tid as usize).copied().unwrap_or(0);
            (tid, self.odds(tid, done, op.obj, op.at))
        });
        let odds: Vec<(Tid, f64)> = odds.collect();
        let sum = odds.iter().map(|(_, odds)| odds).sum();
        self.sums.truncate(depth);
        self.sums.push(sum);
        if let Some(&tid) = self.follow.get(depth) {
            return match odds.iter().any(|&(enabled, _)| enabled == tid) {
                true => Choice::Run(tid),
                false => Choice::Diverged(format!("at step {depth} thread {tid} cannot go on")),
            };
        }
        let mut at = self.random() * sum;
        let chosen = odds.iter().find(|(_, odds)| {
            at -= odds;
            at < 0.0
        });
        Choice::Run(chosen.or(odds.last()).expect("somebody is enabled").0)
    }

    /// For how many beginnings of orderings the first `len` events of a walk stand, and behind how many of them
    /// there is no choice any more.
    pub(crate) fn weight(&self, trace: &Trace, len: usize) -> (f64, usize) {
        let events = &trace.events()[..len.min(trace.len())];
        let threads = events.iter().map(|event| event.tid as usize + 1).max().unwrap_or(0);
        let mut ahead = vec![Vec::new(); threads];
        for (i, event) in events.iter().enumerate().rev() {
            ahead[event.tid as usize].push(i);
        }
        let mut done = vec![0; threads];
        let (mut weight, mut depth) = (1.0, 0);
        for (i, (event, sum)) in events.iter().zip(&self.sums).enumerate() {
            let mut free = 0.0;
            for (tid, ahead) in ahead.iter().enumerate() {
                let Some(&next) = ahead.last() else { continue };
                let mut known = trace.clock(next).iter().zip(&done).enumerate();
                if known.all(|(of, (known, done))| of == tid || known <= done) {
                    let next = &events[next];
                    free += self.odds(tid as Tid, done[tid], next.obj, next.at);
                }
            }
            let choice = sum / free;
            if choice > 1.0 + 1e-9 {
                (weight, depth) = (weight * choice, i + 1);
            }
            ahead[event.tid as usize].pop();
            done[event.tid as usize] += 1;
        }
        (weight, depth)
    }

    /// Learns who met somebody where.
    pub(crate) fn learn(&mut self, trace: &Trace) {
        let events = trace.events();
        let mut met = vec![false; events.len()];
        for (i, event) in events.iter().enumerate() {
            for (j, other) in events[..i].iter().enumerate().rev() {
                // Known by the object alone: they might have come the other way round.
                let apart = other.tid != event.tid && other.obj == event.obj;
                if apart && trace.knows(event, other) && !trace.known(j, trace.base(i)) {
                    met[i] = true;
                    // Of a lock that was held, who took it.
                    let acquires = |k: &usize| {
                        let one = &events[*k];
                        (one.tid, one.obj) == (other.tid, other.obj) && !one.label.kind.releases()
                    };
                    (0..=j).rev().find(acquires).into_iter().for_each(|k| met[k] = true);
                }
            }
        }
        let mut left = [0.0; 64];
        for (event, &met) in events.iter().zip(&met).rev() {
            let (tid, at) = (event.tid as usize, event.seq as usize - 1);
            let met = f64::from(u8::from(met));
            left[tid] += met;
            self.left.resize_with(self.left.len().max(tid + 1), Vec::new);
            let of = &mut self.left[tid];
            of.resize(of.len().max(at + 1), Mean::default());
            let meets = self.meets.entry((event.tid, event.obj, event.at)).or_default();
            for (mean, more) in [(&mut of[at], left[tid]), (meets, met)] {
                *mean = Mean(mean.0 + more, mean.1 + 1.0);
            }
        }
    }
}
