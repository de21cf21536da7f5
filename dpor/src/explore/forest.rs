//! The part of the exploration tree that several workers share.
//!
//! Where a branch that waits is a leaf of a wakeup tree, nothing is asleep any more when it has been
//! followed, so what lies behind it is explored without knowing anything of the rest: it is a job.
//! What its races put back into the tree above it goes to the nodes here. The order of a node's
//! children is the order in which one worker alone would explore them: each child has the earlier
//! ones asleep, whether or not their exploration is over. So it does not matter for the result who
//! explores what when.

use super::wakeup::{weak_initial, WakeupTree};
use crate::op::Transition;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// A node and one of its children.
pub(crate) type Edge = (usize, usize);

struct Child {
    transition: Transition,
    /// Whether everything behind it is, or will be, explored by a job of its own.
    leaf: bool,
    next: Option<usize>,
    /// How much of that job has been explored; 1 if it is over.
    explored: f64,
}

struct Node {
    parent: Option<Edge>,
    sleep: Vec<Transition>,
    children: Vec<Child>,
}

#[derive(Default)]
struct Inner {
    nodes: Vec<Node>,
    /// The leaves that nobody has started on; `None` is the whole tree.
    jobs: Vec<Option<Edge>>,
    /// How much of the whole tree has been explored, as long as nothing of it is shared.
    explored: f64,
    busy: usize,
    idle: usize,
}

/// A subtree to explore.
pub(crate) struct Job {
    /// The way to it.
    pub(crate) path: Vec<Edge>,
    /// The steps on the way.
    pub(crate) prefix: Vec<Transition>,
    /// What is asleep there.
    pub(crate) sleep: Vec<Transition>,
}

#[derive(Default)]
struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
    /// Set while `inner` is locked, so that nobody falls asleep meanwhile. Each worker asks after
    /// each execution, and that is not worth a lock.
    stopped: AtomicBool,
}

/// The shared part of the tree.
#[derive(Clone, Default)]
pub(crate) struct Forest(Arc<Shared>);

/// A node that a worker gives up to the shared part, with the branch that it goes on with.
pub(crate) struct Published {
    pub(crate) sleep: Vec<Transition>,
    pub(crate) done: Vec<Transition>,
    pub(crate) taken: Transition,
    pub(crate) todo: WakeupTree,
}

impl Forest {
    /// A forest whose only job is the whole tree, for `workers` workers.
    pub(crate) fn new(workers: usize) -> Self {
        let inner = Inner { jobs: vec![None], busy: workers, ..Inner::default() };
        Forest(Arc::new(Shared { inner: Mutex::new(inner), ..Shared::default() }))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a job, when the one behind `done` is over. `None` if there will be none.
    pub(crate) fn job(&self, done: Option<Edge>) -> Option<Job> {
        let mut inner = self.lock();
        if done.is_some() {
            inner.report(done, 1.0);
        }
        inner.busy -= 1;
        inner.idle += 1;
        loop {
            if self.stopped() {
                return None;
            }
            if let Some(job) = inner.jobs.pop() {
                inner.busy += 1;
                inner.idle -= 1;
                return Some(inner.describe(job));
            }
            if inner.busy == 0 {
                self.0.changed.notify_all();
                return None;
            }
            inner = self.0.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether somebody waits for a job.
    pub(crate) fn hungry(&self) -> bool {
        let inner = self.lock();
        inner.idle > inner.jobs.len()
    }

    /// Tells all workers to stop.
    pub(crate) fn stop(&self) {
        let _nobody_decides_to_wait = self.lock();
        self.0.stopped.store(true, Relaxed);
        self.0.changed.notify_all();
    }

    /// Whether the workers have been told to stop.
    pub(crate) fn stopped(&self) -> bool {
        self.0.stopped.load(Relaxed)
    }

    /// Takes down how much has been explored of the job behind `edge`.
    pub(crate) fn report(&self, edge: Option<Edge>, explored: f64) {
        self.lock().report(edge, explored);
    }

    /// How much has been explored, taking the branches of each node to be equally large.
    pub(crate) fn explored(&self) -> f64 {
        let inner = self.lock();
        let mut shares = vec![0.0; inner.nodes.len()];
        // A node is younger than its parent.
        for (id, node) in inner.nodes.iter().enumerate().rev() {
            let share = |child: &Child| child.next.map_or(child.explored, |next| shares[next]);
            let sum: f64 = node.children.iter().map(share).sum();
            shares[id] = sum / node.children.len().max(1) as f64;
        }
        shares.first().copied().unwrap_or(inner.explored)
    }

    /// Makes sure that `sequence` is explored at the node that `edge` leaves; a race behind `edge`
    /// asks for it.
    pub(crate) fn insert(&self, (node, child): Edge, sequence: &mut Vec<Transition>) {
        let mut inner = self.lock();
        let at = &inner.nodes[node];
        let earlier = at.children[..child].iter().map(|c| &c.transition);
        if at.sleep.iter().chain(earlier).any(|&s| weak_initial(s, sequence)) {
            return;
        }
        let (mut node, mut from) = (node, child + 1);
        loop {
            let later = &inner.nodes[node].children[from..];
            let Some(found) = later.iter().position(|c| weak_initial(c.transition, sequence))
            else {
                break;
            };
            let child = &later[found];
            let (false, Some(next)) = (child.leaf, child.next) else { return };
            if let Some(i) = sequence.iter().position(|s| s.tid == child.transition.tid) {
                sequence.remove(i);
            }
            (node, from) = (next, 0);
        }
        for (i, &step) in sequence.iter().enumerate() {
            let last = i + 1 == sequence.len();
            node = inner.grow(node, step, last);
        }
        self.0.changed.notify_one();
    }

    /// Shares a worker's nodes, behind `parent`. Returns the way along the branches that the worker
    /// goes on with; `explored` is how much it has seen of what lies behind the last of them.
    pub(crate) fn publish(
        &self,
        mut parent: Option<Edge>,
        nodes: Vec<Published>,
        explored: f64,
    ) -> Vec<Edge> {
        let mut inner = self.lock();
        let mut path = Vec::new();
        for p in nodes {
            let id = inner.nodes.len();
            let leaf =
                |step, explored| Child { transition: step, leaf: true, next: None, explored };
            let mut children: Vec<Child> = p.done.into_iter().map(|step| leaf(step, 1.0)).collect();
            children.push(leaf(p.taken, explored));
            let edge = (id, children.len() - 1);
            if let Some((above, child)) = parent {
                inner.nodes[above].children[child].next = Some(id);
            }
            inner.nodes.push(Node { parent, sleep: p.sleep, children });
            inner.adopt(id, p.todo);
            parent = Some(edge);
            path.push(edge);
        }
        self.0.changed.notify_all();
        path
    }
}

impl Inner {
    fn report(&mut self, edge: Option<Edge>, explored: f64) {
        match edge {
            Some((node, child)) => self.nodes[node].children[child].explored = explored,
            None => self.explored = explored,
        }
    }

    /// Adds a child, which is a job if it is a leaf; returns the node behind it if it is not.
    fn grow(&mut self, node: usize, step: Transition, leaf: bool) -> usize {
        let child = self.nodes[node].children.len();
        self.nodes[node].children.push(Child { transition: step, leaf, next: None, explored: 0.0 });
        if leaf {
            self.jobs.push(Some((node, child)));
            return node;
        }
        let sleep = self.asleep_behind((node, child));
        let id = self.nodes.len();
        self.nodes.push(Node { parent: Some((node, child)), sleep, children: Vec::new() });
        self.nodes[node].children[child].next = Some(id);
        id
    }

    fn adopt(&mut self, node: usize, tree: WakeupTree) {
        let mut trees = vec![(node, tree)];
        while let Some((node, tree)) = trees.last_mut() {
            match tree.pop() {
                Some(branch) => {
                    let next = self.grow(*node, branch.transition, branch.next.is_empty());
                    trees.push((next, branch.next));
                }
                None => drop(trees.pop()),
            }
        }
    }

    fn asleep_behind(&self, (node, child): Edge) -> Vec<Transition> {
        let node = &self.nodes[node];
        let taken = node.children[child].transition;
        let earlier = node.children[..child].iter().map(|c| &c.transition);
        let asleep = node.sleep.iter().chain(earlier);
        asleep.filter(|s| s.tid != taken.tid && !s.label.dependent(taken.label)).copied().collect()
    }

    fn describe(&self, leaf: Option<Edge>) -> Job {
        let mut path = Vec::new();
        let mut at = leaf;
        while let Some(edge) = at {
            path.push(edge);
            at = self.nodes[edge.0].parent;
        }
        path.reverse();
        Job {
            prefix: path.iter().map(|&(n, c)| self.nodes[n].children[c].transition).collect(),
            sleep: leaf.map(|edge| self.asleep_behind(edge)).unwrap_or_default(),
            path,
        }
    }
}
