//! Wakeup trees: the branches that wait at a node, as an ordered tree of steps.

use crate::op::Transition;
use std::collections::VecDeque;

/// A step, and what has to be tried behind it: nothing in particular, if it is a leaf.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Branch {
    pub(crate) transition: Transition,
    pub(crate) next: WakeupTree,
}

/// The branches that wait, in the order in which they will be explored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct WakeupTree(VecDeque<Branch>);

impl WakeupTree {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets all branches. What remains is the room for others.
    pub(crate) fn clear(&mut self) {
        while let Some(mut branch) = self.pop() {
            self.0.append(&mut branch.next.0);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes out the branch that is explored next.
    pub(crate) fn pop(&mut self) -> Option<Branch> {
        self.0.pop_front()
    }

    /// Puts a branch that was taken out where it was.
    pub(crate) fn put_back(&mut self, branch: Branch) {
        self.0.push_front(branch);
    }

    /// Makes sure that exploring the tree explores an execution that starts with `sequence`, or with
    /// something equivalent.
    ///
    /// Follows the first branch that such an execution can start with, and so on. If that ends at a
    /// leaf, whatever comes behind it will be explored anyway; otherwise what is left of the sequence
    /// becomes the last branch there. `sequence` is used up.
    ///
    /// Its first `sure` steps are the same whenever the race is reversed again, and so is the last: returns
    /// whether the tree then has what it takes whatever the others are.
    pub(crate) fn insert(&mut self, sequence: &mut Vec<Transition>, mut sure: usize) -> bool {
        let mut settled = true;
        let mut tree = self;
        loop {
            let found = tree.0.iter().position(|b| weak_initial(b.transition, sequence));
            let Some(found) = found else { break };
            let branch = &mut tree.0[found];
            settled &= is_sure(branch.transition, sequence, sure);
            if branch.next.is_empty() {
                return settled;
            }
            if let Some(i) = sequence.iter().position(|s| s.tid == branch.transition.tid) {
                sequence.remove(i);
                sure -= usize::from(i < sure);
            }
            tree = &mut branch.next;
        }
        for &step in sequence.iter() {
            tree.0.push_back(Branch { transition: step, next: WakeupTree::default() });
            tree = &mut tree.0.back_mut().expect("just pushed").next;
        }
        settled && sequence.len() <= sure + 1
    }
}

/// Whether `step`, a weak initial of `sequence`, is one of its first `sure` steps or the last.
pub(super) fn is_sure(step: Transition, sequence: &[Transition], sure: usize) -> bool {
    sequence[..sure].contains(&step) || sequence.last() == Some(&step)
}

/// A sequence may be as long as an execution: no stack has room for that many calls.
impl Drop for WakeupTree {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Whether some execution equivalent to one that starts with `sequence` starts with `step`: it is
/// the first step of its thread in there and nothing before it is dependent with it, or it is not in
/// there and independent of all of it.
pub(crate) fn weak_initial(step: Transition, sequence: &[Transition]) -> bool {
    for other in sequence {
        if other.tid == step.tid {
            return true;
        }
        if other.label.dependent(step.label) {
            return false;
        }
    }
    true
}
