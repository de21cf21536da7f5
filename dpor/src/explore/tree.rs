//! The part of the exploration tree that several workers share, or that is written to a file: plain
//! data, guarded by the lock of [`Forest`](super::Forest).
//!
//! Where a branch that waits is a leaf of a wakeup tree, nothing is asleep any more when it has been
//! followed, so what lies behind it is explored without knowing anything of the rest: it is a job.
//! What its races put back into the tree above it goes to the nodes here. The order of a node's
//! children is the order in which one worker alone would explore them: each child has the earlier
//! ones asleep, whether or not their exploration is over. So it does not matter for the result who
//! explores what when, nor what is written to a file in between.
//!
//! There may be several trees: each begins behind steps that are fixed, and explores the orderings that
//! start with these. See [`split`](crate::split).

use super::wakeup::{weak_initial, WakeupTree};
use crate::op::Transition;

/// A node and one of its children.
pub(crate) type Edge = (usize, usize);

/// Where a subtree begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// At the root of the tree with this number.
    Root(usize),
    /// Behind a child of a node.
    Behind(Edge),
}

/// A tree: all orderings that begin with some steps.
#[derive(Debug, Default)]
pub(crate) struct Root {
    pub(crate) fixed: Vec<Transition>,
    /// Its first node, once some of the tree is shared.
    pub(crate) next: Option<usize>,
    pub(crate) over: bool,
    /// How much of it has been explored, as long as nothing of it is shared.
    pub(crate) explored: f64,
}

#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) transition: Transition,
    /// Whether everything behind it is, or will be, explored by jobs of its own: nothing that comes
    /// from an earlier sibling is inserted there.
    pub(crate) leaf: bool,
    pub(crate) next: Option<usize>,
    /// Whether no job is left behind it.
    pub(crate) over: bool,
    /// How much of its job has been explored, as long as nothing of it is shared.
    explored: f64,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) parent: Place,
    pub(crate) sleep: Vec<Transition>,
    pub(crate) children: Vec<Child>,
}

/// The trees, and the jobs in them that nobody has started on.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) roots: Vec<Root>,
    /// `None` is a place that is free.
    pub(crate) nodes: Vec<Option<Node>>,
    free: Vec<usize>,
    pub(crate) jobs: Vec<Place>,
}

/// A subtree to explore.
pub(crate) struct Job {
    pub(crate) root: usize,
    /// How many of the steps on the way there are fixed.
    pub(crate) fixed: usize,
    /// The way from there.
    pub(crate) path: Vec<Edge>,
    /// The steps on the way, the fixed ones first.
    pub(crate) prefix: Vec<Transition>,
    /// What is asleep there.
    pub(crate) sleep: Vec<Transition>,
}

/// A node that a worker gives up to the shared part.
pub(crate) struct Published {
    pub(crate) sleep: Vec<Transition>,
    pub(crate) done: Vec<Transition>,
    /// The branch that it goes on with; none at the last one of a worker that gives up its job.
    pub(crate) taken: Option<Transition>,
    pub(crate) todo: WakeupTree,
}

impl Tree {
    /// A job for each of these prefixes: all orderings that begin with it.
    pub(crate) fn of(prefixes: impl IntoIterator<Item = Vec<Transition>>) -> Self {
        let roots = prefixes.into_iter().map(|fixed| Root { fixed, ..Root::default() });
        let roots: Vec<Root> = roots.collect();
        let jobs = (0..roots.len()).rev().map(Place::Root).collect();
        Tree { roots, jobs, ..Tree::default() }
    }

    fn node(&self, id: usize) -> &Node {
        self.nodes[id].as_ref().expect("a node that is referred to is there")
    }

    fn node_mut(&mut self, id: usize) -> &mut Node {
        self.nodes[id].as_mut().expect("a node that is referred to is there")
    }

    fn add(&mut self, node: Node) -> usize {
        match self.free.pop() {
            Some(id) => {
                self.nodes[id] = Some(node);
                id
            }
            None => {
                self.nodes.push(Some(node));
                self.nodes.len() - 1
            }
        }
    }

    /// Makes a node the one that follows a place.
    fn hang(&mut self, id: usize, below: Place) {
        match below {
            Place::Root(root) => self.roots[root].next = Some(id),
            Place::Behind((node, child)) => self.node_mut(node).children[child].next = Some(id),
        }
    }

    /// Whether nothing is left to explore.
    pub(crate) fn is_over(&self) -> bool {
        self.roots.iter().all(|root| root.over)
    }

    /// Takes down how much has been explored of the job at a place.
    pub(crate) fn report(&mut self, place: Place, explored: f64) {
        match place {
            Place::Root(root) => self.roots[root].explored = explored,
            Place::Behind((node, child)) => {
                self.node_mut(node).children[child].explored = explored;
            }
        }
    }

    /// How much has been explored, taking the branches of each node to be equally large.
    pub(crate) fn explored(&self) -> f64 {
        let mut order: Vec<usize> = self.roots.iter().filter_map(|root| root.next).collect();
        let mut at = 0;
        while at < order.len() {
            let children = self.node(order[at]).children.iter();
            order.extend(children.filter_map(|child| child.next));
            at += 1;
        }
        let mut shares = vec![0.0; self.nodes.len()];
        for &id in order.iter().rev() {
            let children = &self.node(id).children;
            let share = |child: &Child| match (child.over, child.next) {
                (true, _) => 1.0,
                (false, Some(next)) => shares[next],
                (false, None) => child.explored,
            };
            let sum: f64 = children.iter().map(share).sum();
            shares[id] = sum / children.len().max(1) as f64;
        }
        let share = |root: &Root| match (root.over, root.next) {
            (true, _) => 1.0,
            (false, Some(next)) => shares[next],
            (false, None) => root.explored,
        };
        self.roots.iter().map(share).sum::<f64>() / self.roots.len().max(1) as f64
    }

    /// Makes sure that `sequence` is explored at the node that `edge` leaves; a race behind `edge`
    /// asks for it. Returns whether there are new jobs.
    pub(crate) fn insert(&mut self, edge: Edge, sequence: &mut Vec<Transition>) -> bool {
        let (mut node, child) = edge;
        let at = self.node(node);
        let earlier = at.children[..child].iter().map(|c| &c.transition);
        if at.sleep.iter().chain(earlier).any(|&s| weak_initial(s, sequence)) {
            return false;
        }
        let mut from = child + 1;
        let mut followed: Vec<Edge> = Vec::new();
        loop {
            let later = &self.node(node).children[from..];
            let Some(found) = later.iter().position(|c| weak_initial(c.transition, sequence))
            else {
                break;
            };
            let child = &later[found];
            let (false, Some(next)) = (child.leaf, child.next) else { return false };
            if let Some(i) = sequence.iter().position(|s| s.tid == child.transition.tid) {
                sequence.remove(i);
            }
            followed.push((node, from + found));
            (node, from) = (next, 0);
        }
        if sequence.is_empty() {
            return false;
        }
        for (node, child) in followed {
            self.node_mut(node).children[child].over = false;
        }
        for (i, &step) in sequence.iter().enumerate() {
            let last = i + 1 == sequence.len();
            node = self.grow(node, step, last);
        }
        true
    }

    /// Shares a worker's nodes, at `parent`. Returns the way along the branches that the worker
    /// goes on with; `explored` is how much it has seen of what lies behind the last of them.
    pub(crate) fn publish(
        &mut self,
        mut parent: Place,
        nodes: Vec<Published>,
        explored: f64,
    ) -> Vec<Edge> {
        let mut path = Vec::new();
        for p in nodes {
            let leaf = |step, over, explored| Child {
                transition: step,
                leaf: true,
                next: None,
                over,
                explored,
            };
            let mut children: Vec<Child> =
                p.done.into_iter().map(|step| leaf(step, true, 1.0)).collect();
            children.extend(p.taken.map(|step| leaf(step, false, explored)));
            let last = children.len().wrapping_sub(1);
            let id = self.add(Node { parent, sleep: p.sleep, children });
            self.hang(id, parent);
            self.adopt(id, p.todo);
            if p.taken.is_some() {
                parent = Place::Behind((id, last));
                path.push((id, last));
            }
        }
        path
    }

    /// The job at a place is over. What lies below a subtree that is over is forgotten.
    pub(crate) fn over(&mut self, mut place: Place) {
        loop {
            let (node, child) = match place {
                Place::Root(root) => {
                    self.roots[root].over = true;
                    let next = self.roots[root].next.take();
                    return self.forget(next);
                }
                Place::Behind(edge) => edge,
            };
            let at = self.node_mut(node);
            let over = &mut at.children[child];
            over.over = true;
            // An earlier sibling may still insert something behind a child that is no leaf.
            let next = if over.leaf { over.next.take() } else { None };
            let (parent, all) = (at.parent, at.children.iter().all(|child| child.over));
            self.forget(next);
            if !all {
                return;
            }
            place = parent;
        }
    }

    fn forget(&mut self, node: Option<usize>) {
        let mut below: Vec<usize> = node.into_iter().collect();
        while let Some(id) = below.pop() {
            let node = self.nodes[id].take().expect("a node that is referred to is there");
            below.extend(node.children.iter().filter_map(|child| child.next));
            self.free.push(id);
        }
    }

    /// Adds a child, which is a job if it is a leaf; returns the node behind it if it is not.
    fn grow(&mut self, node: usize, step: Transition, leaf: bool) -> usize {
        let child = self.node(node).children.len();
        let new = Child { transition: step, leaf, next: None, over: false, explored: 0.0 };
        self.node_mut(node).children.push(new);
        let place = Place::Behind((node, child));
        if leaf {
            self.jobs.push(place);
            return node;
        }
        let sleep = self.asleep_behind((node, child));
        let id = self.add(Node { parent: place, sleep, children: Vec::new() });
        self.hang(id, place);
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
        let node = self.node(node);
        let taken = node.children[child].transition;
        let earlier = node.children[..child].iter().map(|c| &c.transition);
        let asleep = node.sleep.iter().chain(earlier);
        asleep.filter(|s| s.tid != taken.tid && !s.label.dependent(taken.label)).copied().collect()
    }

    /// A job as the worker needs it that explores it.
    pub(crate) fn describe(&self, place: Place) -> Job {
        let mut path = Vec::new();
        let mut at = place;
        let root = loop {
            match at {
                Place::Root(root) => break root,
                Place::Behind(edge) => {
                    path.push(edge);
                    at = self.node(edge.0).parent;
                }
            }
        };
        path.reverse();
        let fixed = &self.roots[root].fixed;
        let steps = path.iter().map(|&(n, c)| self.node(n).children[c].transition);
        Job {
            root,
            fixed: fixed.len(),
            prefix: fixed.iter().copied().chain(steps).collect(),
            sleep: path.last().map(|&edge| self.asleep_behind(edge)).unwrap_or_default(),
            path,
        }
    }

    /// Connects the nodes of a tree that has been read from a file, and makes jobs of what waits. `None`
    /// if they cannot be connected.
    pub(crate) fn connect(&mut self) -> Option<()> {
        for id in 0..self.nodes.len() {
            let Some(node) = &self.nodes[id] else {
                self.free.push(id);
                continue;
            };
            let next = match node.parent {
                Place::Root(root) => &mut self.roots.get_mut(root)?.next,
                Place::Behind((node, child)) => {
                    &mut self.nodes.get_mut(node)?.as_mut()?.children.get_mut(child)?.next
                }
            };
            if next.replace(id).is_some() {
                return None;
            }
        }
        let waits = |next: Option<usize>, over: bool| next.is_none() && !over;
        let roots = self.roots.iter().enumerate().filter(|(_, root)| waits(root.next, root.over));
        self.jobs = roots.map(|(root, _)| Place::Root(root)).collect();
        for (id, node) in self.nodes.iter().enumerate() {
            let children = node.iter().flat_map(|node| node.children.iter().enumerate());
            for (child, at) in children.filter(|(_, c)| waits(c.next, c.over)) {
                if !at.leaf {
                    return None;
                }
                self.jobs.push(Place::Behind((id, child)));
            }
        }
        Some(())
    }
}

impl Child {
    /// As it is read from a file.
    pub(crate) fn new(transition: Transition, leaf: bool, over: bool) -> Self {
        Child { transition, leaf, next: None, over, explored: 0.0 }
    }
}
