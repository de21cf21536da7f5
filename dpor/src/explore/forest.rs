//! What workers share: the lock on the [`Tree`], who waits for a job, and who has to give one back.
//!
//! Each worker holds at most one job, and is *busy* while it does. To write the tree to a file nobody may
//! be busy, for what a worker has explored of its job is known to that worker alone: [`Forest::pause`]
//! asks all for theirs, and the last to come writes before anybody gets another.

use super::tree::{Edge, Job, Place, Published, Tree};
use crate::op::Transition;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Writes the tree somewhere.
pub(crate) type Save = Box<dyn Fn(&Tree) + Send + Sync>;

#[derive(Default)]
struct Inner {
    tree: Tree,
    busy: usize,
    idle: usize,
    /// The tree is to be written when nobody is busy.
    pausing: bool,
}

#[derive(Default)]
struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
    /// Set while `inner` is locked, so that nobody falls asleep meanwhile. Each worker asks after each
    /// execution, and that is not worth a lock.
    stopped: AtomicBool,
    /// The same: whether workers have to give back their jobs, because they are to stop or to pause.
    wanted: AtomicBool,
    /// The same: whether more workers wait for a job than there are jobs.
    hungry: AtomicBool,
    save: Option<Save>,
}

/// The shared part of the tree.
#[derive(Clone, Default)]
pub(crate) struct Forest(Arc<Shared>);

impl Forest {
    /// What `workers` workers explore.
    pub(crate) fn new(tree: Tree, workers: usize, save: Option<Save>) -> Self {
        let inner = Mutex::new(Inner { tree, busy: workers, ..Inner::default() });
        Forest(Arc::new(Shared { inner, save, ..Shared::default() }))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a job, when the one at `over` is over. `None` if there will be none.
    pub(crate) fn job(&self, over: Option<Place>) -> Option<Job> {
        let mut inner = self.lock();
        if let Some(place) = over {
            inner.tree.over(place);
        }
        inner.busy -= 1;
        inner.idle += 1;
        loop {
            if self.stopped() {
                return None;
            }
            if inner.pausing && inner.busy == 0 {
                if let Some(save) = &self.0.save {
                    save(&inner.tree);
                }
                inner.pausing = false;
                self.0.wanted.store(false, Relaxed);
                self.0.changed.notify_all();
            }
            if !inner.pausing {
                if let Some(place) = inner.tree.jobs.pop() {
                    inner.busy += 1;
                    inner.idle -= 1;
                    self.note(&inner);
                    return Some(inner.tree.describe(place));
                }
                if inner.busy == 0 {
                    self.0.changed.notify_all();
                    return None;
                }
            }
            self.note(&inner);
            inner = self.0.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether somebody waits for a job.
    pub(crate) fn hungry(&self) -> bool {
        self.0.hungry.load(Relaxed)
    }

    /// Somebody waits, or there is a job more, or one fewer.
    fn note(&self, inner: &Inner) {
        self.0.hungry.store(inner.idle > inner.tree.jobs.len(), Relaxed);
    }

    /// Has the tree written, as soon as all workers have given back their jobs.
    pub(crate) fn pause(&self) {
        let mut inner = self.lock();
        inner.pausing = true;
        self.0.wanted.store(true, Relaxed);
    }

    /// Tells all workers to stop.
    pub(crate) fn stop(&self) {
        let _nobody_decides_to_wait = self.lock();
        self.0.stopped.store(true, Relaxed);
        self.0.wanted.store(true, Relaxed);
        self.0.changed.notify_all();
    }

    /// Whether the workers have been told to stop.
    pub(crate) fn stopped(&self) -> bool {
        self.0.stopped.load(Relaxed)
    }

    /// Whether workers have to give back their jobs.
    pub(crate) fn wants_back(&self) -> bool {
        self.0.wanted.load(Relaxed)
    }

    /// Takes down how much has been explored of the job at a place.
    pub(crate) fn report(&self, place: Place, explored: f64) {
        self.lock().tree.report(place, explored);
    }

    /// How much has been explored, taking the branches of each node to be equally large.
    pub(crate) fn explored(&self) -> f64 {
        self.lock().tree.explored()
    }

    /// Makes sure that `sequence` is explored at the node that `edge` leaves; a race behind `edge`
    /// asks for it.
    pub(crate) fn insert(&self, edge: Edge, sequence: &mut Vec<Transition>) {
        let mut inner = self.lock();
        if inner.tree.insert(edge, sequence) {
            self.note(&inner);
            self.0.changed.notify_one();
        }
    }

    /// Shares a worker's nodes, at `parent`: see [`Tree::publish`].
    pub(crate) fn publish(&self, parent: Place, nodes: Vec<Published>, explored: f64) -> Vec<Edge> {
        let mut inner = self.lock();
        let path = inner.tree.publish(parent, nodes, explored);
        self.note(&inner);
        self.0.changed.notify_all();
        path
    }

    /// Whether nothing is left to explore.
    pub(crate) fn is_over(&self) -> bool {
        self.lock().tree.is_over()
    }

    /// The tree, when no worker is left.
    pub(crate) fn take(&self) -> Tree {
        std::mem::take(&mut self.lock().tree)
    }
}
