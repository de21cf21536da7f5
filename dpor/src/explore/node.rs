//! The exploration tree along the current execution, and how it is walked.
//!
//! There is one node for each event. It holds the sleep set that the state was reached with, the
//! branches that have been explored from there (which later branches have asleep), and the *wakeup
//! tree* of the branches that wait, which races promised to be worth while. A sequence is inserted
//! only if none of the sleeping steps is a weak initial of it, so that nothing is asleep any more when
//! it has been followed: that is what makes the exploration optimal.

use super::forest::Forest;
use super::races::{Blocked, Races};
use super::tree::{Edge, Place, Published};
use super::wakeup::{is_sure, weak_initial, Branch, WakeupTree};
use super::{Choice, Halt, View};
use crate::object::Object;
use crate::op::{Tid, Transition};
use crate::trace::Trace;

/// The state before one event of the current execution.
#[derive(Default)]
struct Node {
    /// The steps that need not be taken here, because an earlier branch of a node above has seen to
    /// everything that starts with them.
    sleep: Vec<Transition>,
    /// The branches that have been explored.
    done: Vec<Transition>,
    /// The branch that is being explored.
    taken: Option<Transition>,
    /// The branches that wait.
    todo: WakeupTree,
}

impl Node {
    fn clear(&mut self) {
        self.sleep.clear();
        self.done.clear();
        self.taken = None;
        self.todo.clear();
    }

    fn publish(self) -> Published {
        Published { sleep: self.sleep, done: self.done, taken: self.taken, todo: self.todo }
    }

    /// The step that sleeps here, or the branch that is done, through which everything that starts with
    /// `sequence` has been explored, if there is one.
    fn covers(&self, sequence: &[Transition]) -> Option<Transition> {
        let mut done = self.sleep.iter().chain(&self.done).copied();
        done.find(|&step| weak_initial(step, sequence))
    }
}

/// After so many executions the others are told how far a job has come: each time would cost a
/// twentieth of the speed.
const REPORTED: u32 = 32;

/// The exploration as one worker sees it.
#[derive(Default)]
pub(crate) struct Search {
    /// Where this worker's part of the tree begins: in which tree, behind how many fixed steps, and the
    /// way from there through the shared part.
    root: usize,
    fixed: usize,
    path: Vec<Edge>,
    /// The steps on the way, the fixed ones first.
    prefix: Vec<Transition>,
    /// What is asleep where it begins.
    asleep: Vec<Transition>,
    forest: Option<Forest>,
    nodes: Vec<Node>,
    spare: Vec<Node>,
    /// How many executions the others have not been told of.
    unreported: u32,
    /// The wakeup tree of the node that comes next: what was behind the branch taken last.
    ahead: WakeupTree,
    races: Races,
    /// How many events are the same as in the execution whose races were reversed last.
    kept: usize,
    /// How many events are the same as in the last execution.
    same: usize,
    /// The threads of an execution that is run next, and not counted: it tells who spins.
    detour: Option<Vec<Tid>>,
    halt: Option<Halt>,
}

impl Search {
    /// A search of what comes behind these steps.
    pub(crate) fn behind(prefix: Vec<Transition>) -> Self {
        Search { fixed: prefix.len(), prefix, ..Search::default() }
    }

    /// The same, which halts.
    pub(crate) fn halting(prefix: Vec<Transition>, halt: Halt) -> Self {
        Search { halt: Some(halt), ..Search::behind(prefix) }
    }

    /// Where executions halt, if they do.
    pub(crate) fn halts(&self) -> Option<Halt> {
        self.halt
    }

    /// A search that shares the tree with other workers. It has nothing to explore until
    /// [`begin`](Self::begin) says so.
    pub(crate) fn sharing(forest: Forest) -> Self {
        Search { forest: Some(forest), ..Search::default() }
    }

    /// The next event's step, if that is known, because it has been taken before or waits for its turn.
    pub(crate) fn expected(&mut self, trace: &Trace) -> Option<Transition> {
        if self.detour.is_some() {
            return None;
        }
        match self.prefix.get(trace.len()) {
            Some(&step) => Some(step),
            None => self.node_at(trace).taken,
        }
    }

    /// Chooses the thread that performs the next event, where none is expected.
    pub(crate) fn choose(&mut self, trace: &Trace, view: &View) -> Choice {
        if let Some(detour) = &self.detour {
            return match detour.get(trace.len()) {
                Some(&tid) => Choice::Run(tid),
                None => Choice::Probed,
            };
        }
        let mut enabled = view.enabled;
        // Where it halts nothing is expected.
        if let Some(halt) = self.halt.filter(|_| trace.len() >= self.fixed) {
            let halts = match halt {
                Halt::Here => view.halting.count_ones() > 1,
                Halt::Before(_) => {
                    enabled &= !view.halting;
                    enabled == 0
                }
            };
            if halts {
                self.retire(trace.len() - self.fixed);
                return Choice::Halted;
            }
        }
        let now = trace.len() - self.prefix.len();
        let asleep = self.nodes[now].sleep.iter().fold(0u64, |set, s| set | 1 << s.tid);
        let awake = enabled & !asleep;
        if awake == 0 {
            self.retire(now);
            return Choice::Redundant;
        }
        Choice::Run(view.preferred(awake))
    }

    /// The node of the state behind a trace, which is added if it is not there, behind those of the steps of
    /// a thread that was alone. What slept or was done at the node before and is independent of the step taken
    /// there sleeps on.
    fn node_at(&mut self, trace: &Trace) -> &mut Node {
        let now = trace.len() - self.prefix.len();
        while self.nodes.len() <= now {
            let mut node = self.spare.pop().unwrap_or_default();
            match self.nodes.last() {
                None => node.sleep.extend_from_slice(&self.asleep),
                Some(last) => {
                    let taken = last.taken.expect("the step has been taken");
                    let asleep = last.sleep.iter().chain(&last.done);
                    node.sleep.extend(
                        asleep.filter(|s| s.tid != taken.tid && !s.label.dependent(taken.label)),
                    );
                }
            }
            std::mem::swap(&mut node.todo, &mut self.ahead);
            if let Some(branch) = node.todo.pop() {
                node.taken = Some(branch.transition);
                self.ahead = branch.next;
            }
            if self.nodes.len() < now {
                let step = trace.events()[self.prefix.len() + self.nodes.len()].transition();
                node.taken.get_or_insert(step);
            }
            self.nodes.push(node);
        }
        &mut self.nodes[now]
    }

    /// Compares the last event with what was expected. Returns the difference if there is one.
    pub(crate) fn check(&mut self, trace: &Trace) -> Option<String> {
        if self.detour.is_some() {
            return None;
        }
        let now = trace.len() - 1;
        let event = &trace.events()[now];
        let expected = match self.prefix.get(now) {
            Some(&step) => step,
            None => {
                let node = self.nodes.get_mut(now - self.prefix.len())?;
                *node.taken.get_or_insert(event.transition())
            }
        };
        if expected == event.transition() {
            return None;
        }
        Some(format!(
            "step {now} by thread {} was {} on object {} before, and is now {} on object {}, at {}",
            expected.tid,
            expected.label.kind.name(),
            expected.label.obj as i32,
            event.label.kind.name(),
            event.label.obj as i32,
            event.at
        ))
    }

    /// Inserts the reversals of all races of a complete execution. Returns false if it has to be found out
    /// first who spins, on a detour: the execution is then run again, with these races.
    pub(crate) fn reverse_races(
        &mut self,
        trace: &Trace,
        objects: &[Object],
        blocked: &[Blocked],
    ) -> bool {
        let mut races = std::mem::take(&mut self.races);
        let kept = std::mem::replace(&mut self.kept, trace.len());
        self.detour = races.each(trace, objects, blocked, kept, |at, sequence, sure| {
            self.insert(at, sequence, sure)
        });
        self.races = races;
        self.detour.is_none()
    }

    /// An execution that was to tell who spins is over.
    pub(crate) fn probed(&mut self) {
        self.detour = None;
    }

    /// Inserts a sequence at a node, unless that covers it. Returns whether it will cover whatever differs from
    /// the sequence neither in its first `sure` steps nor in its last.
    fn insert(&mut self, at: usize, sequence: &mut Vec<Transition>, sure: usize) -> bool {
        // What precedes the fixed steps is explored elsewhere.
        let Some(at) = at.checked_sub(self.fixed) else { return false };
        if let Some(&edge) = self.path.get(at) {
            let forest = self.forest.as_ref().expect("a path leads through shared nodes");
            forest.insert(edge, sequence);
            return false;
        }
        let node = &mut self.nodes[at - self.path.len()];
        match node.covers(sequence) {
            Some(step) => is_sure(step, sequence, sure),
            None => node.todo.insert(sequence, sure),
        }
    }

    /// Goes to the deepest waiting branch, or to another job. Returns false if none is left.
    pub(crate) fn backtrack(&mut self) -> bool {
        let leaves = self.forest.as_ref().is_some_and(Forest::wants_back);
        self.unreported += 1;
        if !leaves && (self.share() || self.unreported == REPORTED) {
            self.unreported = 0;
            self.report();
        }
        let more = self.turn();
        match (more, leaves) {
            (true, false) => true,
            (true, true) => {
                self.give_back();
                self.next_job(None)
            }
            (false, _) => self.forest.is_some() && self.next_job(Some(self.place())),
        }
    }

    /// An execution begins. Returns with how many events of the last one.
    pub(crate) fn begins_with(&mut self) -> usize {
        std::mem::take(&mut self.same)
    }

    /// Turns to the deepest waiting branch of this worker's, if there is one.
    fn turn(&mut self) -> bool {
        while let Some(node) = self.nodes.last_mut() {
            match node.todo.pop() {
                Some(branch) => {
                    node.done.extend(node.taken);
                    node.taken = Some(branch.transition);
                    self.ahead = branch.next;
                    self.same = self.prefix.len() + self.nodes.len() - 1;
                    self.kept = self.kept.min(self.same);
                    return true;
                }
                None => self.retire(self.nodes.len() - 1),
            }
        }
        false
    }

    /// Where this worker's part of the tree begins.
    fn place(&self) -> Place {
        self.path.last().map_or(Place::Root(self.root), |&edge| Place::Behind(edge))
    }

    /// Waits for a first job. Returns false if there will be none.
    pub(crate) fn begin(&mut self) -> bool {
        self.next_job(None)
    }

    /// Waits for a job, when the one at `over` is over. Returns false if there will be none.
    fn next_job(&mut self, over: Option<Place>) -> bool {
        match self.forest.as_ref().and_then(|forest| forest.job(over)) {
            Some(job) => {
                (self.root, self.fixed) = (job.root, job.fixed);
                (self.path, self.prefix, self.asleep) = (job.path, job.prefix, job.sleep);
                (self.kept, self.same) = (0, 0);
                true
            }
            None => false,
        }
    }

    /// Gives back the job, just before the branch that has been turned to: what has been explored of
    /// it, and what waits.
    fn give_back(&mut self) {
        let Some(forest) = self.forest.clone() else { return };
        let node = self.nodes.last_mut().expect("there is a branch to turn to");
        let transition = node.taken.take().expect("it has been turned to");
        node.todo.put_back(Branch { transition, next: std::mem::take(&mut self.ahead) });
        let published = self.nodes.drain(..).map(Node::publish).collect();
        forest.publish(self.place(), published, 0.0);
    }

    /// If somebody waits for a job, gives away the branches that wait nearest to the root. Returns
    /// whether it did.
    fn share(&mut self) -> bool {
        let hungry = self.forest.as_ref().filter(|forest| forest.hungry());
        let Some(forest) = hungry.cloned() else { return false };
        let Some(at) = self.nodes.iter().position(|n| !n.todo.is_empty()) else { return false };
        let mut published = Vec::new();
        for node in self.nodes.drain(..=at) {
            self.prefix.push(node.taken.expect("the step has been taken"));
            published.push(node.publish());
        }
        let path = forest.publish(self.place(), published, self.explored_of_job());
        self.path.extend(path);
        true
    }

    /// Tells the others how far this worker's job has come.
    fn report(&self) {
        if let Some(forest) = &self.forest {
            forest.report(self.place(), self.explored_of_job());
        }
    }

    fn retire(&mut self, len: usize) {
        for mut node in self.nodes.drain(len..) {
            node.clear();
            self.spare.push(node);
        }
    }

    /// How much of the tree has been explored, the current execution included, taking the branches
    /// of each node to be equally large.
    pub(crate) fn explored(&self) -> f64 {
        self.report();
        self.forest.as_ref().map_or_else(|| self.explored_of_job(), Forest::explored)
    }

    fn explored_of_job(&self) -> f64 {
        let mut share = 1.0;
        let mut explored = 0.0;
        for node in self.nodes.iter().filter(|n| !(n.done.is_empty() && n.todo.is_empty())) {
            let branches = (node.done.len() + node.todo.len() + 1) as f64;
            explored += share * node.done.len() as f64 / branches;
            share /= branches;
        }
        explored + share
    }
}
