//! Every schedule with few preemptions, for those who need an answer today.
//!
//! A preemption takes the turn from a thread that could have gone on: whose operation was enabled, and
//! that had not just yielded. This is a depth-first search over schedules with at most so many
//! (Musuvathi and Qadeer, "Iterative context bounding for systematic testing of multithreaded
//! programs", PLDI 2007), without reduction: how many schedules there are is exponential in the bound
//! and polynomial in the length. Orderings are told apart by their happens-before relation, so each
//! counts once, however many of its schedules are within the bound.

use super::{Choice, View};
use crate::op::Tid;
use crate::rt::Ending;
use crate::trace::Trace;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

struct Node {
    chosen: Tid,
    /// The preemptions up to here, that of `chosen` included.
    spent: u32,
    /// What is left to try, as a set of bits, and the preemptions up to here if one of these runs.
    rest: u64,
    rest_spends: u32,
}

/// The search.
pub(crate) struct Bounded {
    bound: u32,
    path: Vec<Node>,
    /// The orderings that there have been.
    seen: HashSet<(u64, u64)>,
}

impl Bounded {
    pub(crate) fn new(bound: u32) -> Self {
        Bounded { bound, path: Vec::new(), seen: HashSet::new() }
    }

    pub(crate) fn choose(&mut self, trace: &Trace, view: &View) -> Choice {
        let depth = trace.len();
        if let Some(node) = self.path.get(depth) {
            if view.enabled & (1 << node.chosen) == 0 {
                return Choice::Diverged(format!(
                    "at step {depth} thread {} cannot go on, and could before",
                    node.chosen
                ));
            }
            return Choice::Run(node.chosen);
        }
        debug_assert_eq!(self.path.len(), depth, "a step is one node");
        let spent = self.path.last().map_or(0, |node| node.spent);
        let last = trace.events().last().map(|e| e.tid);
        let goes_on = last.filter(|&tid| view.enabled & view.patient & (1 << tid) != 0);
        let (chosen, rest_spends) = match goes_on {
            Some(tid) => (tid, spent + 1),
            None => (view.preferred(view.enabled), spent),
        };
        let affordable = rest_spends <= self.bound;
        let rest = if affordable { view.enabled & !(1 << chosen) } else { 0 };
        self.path.push(Node { chosen, spent, rest, rest_spends });
        Choice::Run(chosen)
    }

    /// Turns to the next schedule, if there is one.
    pub(crate) fn backtrack(&mut self, ending: Option<&Ending>) -> bool {
        if matches!(ending, Some(Ending::Diverged(_) | Ending::Refused(_) | Ending::Torn)) {
            return false;
        }
        while let Some(node) = self.path.last_mut() {
            if node.rest != 0 {
                node.chosen = node.rest.trailing_zeros() as Tid;
                node.rest &= node.rest - 1;
                node.spent = node.rest_spends;
                return true;
            }
            self.path.pop();
        }
        false
    }

    /// Whether this ordering has not been seen before.
    pub(crate) fn is_new(&mut self, trace: &Trace) -> bool {
        let mut order: Vec<usize> = (0..trace.len()).collect();
        let events = trace.events();
        order.sort_by_key(|&i| (events[i].tid, events[i].seq));
        let digest = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            salt.hash(&mut hasher);
            for &i in &order {
                let event = &events[i];
                (event.tid, event.label.obj, event.label.kind as u8).hash(&mut hasher);
                // Trailing zeros say nothing: how long a clock is depends on when it was made.
                // Nor does its own place: of one that is alone it is that of the first in a row, and whether a
                // thread is alone may depend on the schedule.
                let clock = trace.clock(i).iter().enumerate();
                let known = clock.filter(|&(of, &n)| n != 0 && of != usize::from(event.tid));
                known.for_each(|known| known.hash(&mut hasher));
            }
            hasher.finish()
        };
        self.seen.insert((digest(0), digest(1)))
    }
}
