//! The exploration tree along the current execution, and how it is walked.
//!
//! There is one node for each event. It holds the sleep set that the state was reached with, the
//! branches that have been explored from there (which later branches have asleep), and the *wakeup
//! tree* of the branches that wait, which races promised to be worth while. A sequence is inserted
//! only if none of the sleeping steps is a weak initial of it, so that nothing is asleep any more when
//! it has been followed: that is what makes the exploration optimal.

use super::races::{Blocked, Races};
use super::wakeup::{weak_initial, WakeupTree};
use super::{Choice, View};
use crate::object::Object;
use crate::op::{Kind, Label, Step, NO_OBJECT};
use crate::trace::Trace;

/// The state before one event of the current execution.
#[derive(Default)]
struct Node {
    /// The steps that need not be taken here, because an earlier branch of a node above has seen to
    /// everything that starts with them.
    sleep: Vec<Step>,
    /// The branches that have been explored.
    done: Vec<Step>,
    /// The branch that is being explored.
    taken: Option<Step>,
    /// The branches that wait.
    todo: WakeupTree,
}

impl Node {
    fn clear(&mut self) {
        self.sleep.clear();
        self.done.clear();
        self.taken = None;
        self.todo = WakeupTree::default();
    }

    /// Whether everything that starts with `sequence` has been explored, through a step that sleeps
    /// here or a branch that is done.
    fn covers(&self, sequence: &[Step]) -> bool {
        self.sleep.iter().chain(&self.done).any(|&step| weak_initial(step, sequence))
    }
}

/// The exploration as one worker sees it.
#[derive(Default)]
pub(crate) struct Search {
    nodes: Vec<Node>,
    spare: Vec<Node>,
    /// The wakeup tree of the node that comes next: what was behind the branch taken last.
    ahead: WakeupTree,
    races: Races,
}

impl Search {
    /// Chooses the thread that performs the next event.
    pub(crate) fn choose(&mut self, trace: &Trace, view: &View) -> Choice {
        let now = trace.len();
        if now == self.nodes.len() {
            self.grow();
        }
        if let Some(step) = self.nodes[now].taken {
            if view.enabled & (1 << step.pid) == 0 {
                return Choice::Diverged(format!(
                    "step {now} was to be {} by thread {}, which cannot go on",
                    step.label.kind.name(),
                    step.pid
                ));
            }
            return Choice::Run(step.pid);
        }
        let asleep = self.nodes[now].sleep.iter().fold(0u64, |set, s| set | 1 << s.pid);
        let awake = view.enabled & !asleep;
        if awake == 0 {
            self.retire(now);
            return Choice::Redundant;
        }
        Choice::Run(view.preferred(awake))
    }

    /// Adds the node after the last one, and takes its first branch if it has one. What slept or was
    /// done at the last node and is independent of the step taken there sleeps on.
    fn grow(&mut self) {
        let mut node = self.spare.pop().unwrap_or_default();
        if let Some(last) = self.nodes.last() {
            let taken = last.taken.expect("the step has been taken");
            let asleep = last.sleep.iter().chain(&last.done);
            node.sleep
                .extend(asleep.filter(|s| s.pid != taken.pid && !s.label.dependent(taken.label)));
        }
        node.todo = std::mem::take(&mut self.ahead);
        if let Some(branch) = node.todo.pop() {
            node.taken = Some(branch.step);
            self.ahead = branch.next;
        }
        self.nodes.push(node);
    }

    /// Compares the last event with what was expected. Returns the difference if there is one.
    pub(crate) fn check(&mut self, trace: &Trace) -> Option<String> {
        let now = trace.len() - 1;
        let event = &trace.events()[now];
        let node = self.nodes.get_mut(now)?;
        match node.taken {
            None => {
                node.taken = Some(event.step());
                None
            }
            Some(step) if step == event.step() => None,
            Some(step) => Some(format!(
                "step {now} by thread {} was {} on object {} before, and is now {} on object {}, at {}",
                step.pid,
                step.label.kind.name(),
                step.label.obj as i32,
                event.label.kind.name(),
                event.label.obj as i32,
                event.at
            )),
        }
    }

    /// Inserts the reversals of all races of a complete execution.
    pub(crate) fn reverse_races(&mut self, trace: &Trace, objects: &[Object], blocked: &[Blocked]) {
        let mut races = std::mem::take(&mut self.races);
        races.each(trace, objects, blocked, |at, sequence| self.insert(at, sequence));
        self.races = races;
    }

    fn insert(&mut self, at: usize, sequence: &mut Vec<Step>) {
        let node = &mut self.nodes[at];
        if !node.covers(sequence) {
            node.todo.insert(sequence);
        }
    }

    /// Goes to the deepest waiting branch. Returns false if none is left.
    pub(crate) fn backtrack(&mut self) -> bool {
        while let Some(node) = self.nodes.last_mut() {
            match node.todo.pop() {
                Some(branch) => {
                    node.done.extend(node.taken);
                    node.taken = Some(branch.step);
                    self.ahead = branch.next;
                    return true;
                }
                None => self.retire(self.nodes.len() - 1),
            }
        }
        false
    }

    fn retire(&mut self, len: usize) {
        for mut node in self.nodes.drain(len..) {
            node.clear();
            self.spare.push(node);
        }
    }

    /// How much of the tree has been explored, taking the branches of each node to be equally large.
    pub(crate) fn explored(&self) -> f64 {
        let mut share = 1.0;
        let mut explored = 0.0;
        for node in &self.nodes {
            let branches = (node.done.len() + node.todo.len() + 1) as f64;
            explored += share * node.done.len() as f64 / branches;
            share /= branches;
        }
        explored + share
    }
}

/// The label that `kind` on `obj` has if it is performed with the object in the state that it had
/// before an event with this `pre`.
pub(crate) fn label_if(kind: Kind, obj: u32, arg: u64, pre: u64) -> Label {
    debug_assert!(obj != NO_OBJECT);
    match kind {
        Kind::CompareExchange if pre == arg => Label { obj, kind: Kind::Rmw },
        Kind::CompareExchange => Label { obj, kind: Kind::CompareExchangeFailed },
        kind => Label { obj, kind },
    }
}
