//! DcpConnMap: which connections there are.
//!
//! - the *map lock* guards them; a mutex, and since MB-38521's month a
//!   reader/writer lock
//! - the list of dead connections owns what was disconnected
//! - for each vb, a list of the connections with a stream on it, with a lock of
//!   its own (walked by notifications only; left out where the scenario has none)
//! - the executor knows the managers' tasks
//! - each connection's front end has its *thread lock*, which it holds for the
//!   whole of every call, and which guards the connection that its cookie owns

use super::counted;
use super::era::Era;
use super::manager::Manager;
use super::producer::Producer;
use super::steps::{guard, lock, named};
use super::world::World;
use crate::scenario::{Conn, Scenario};
use crate::sync::{Mutex, RwLock};
use std::sync::{Arc, Weak};

/// What a cookie owns.
pub(super) type FrontEnd = Option<Arc<Producer>>;

/// The bucket's connections, and what they share.
pub(super) struct Engine {
    pub(super) world: Arc<World>,
    pub(super) scenario: Arc<Scenario>,
    pub(super) front_ends: Vec<Mutex<FrontEnd>>,
    conns: RwLock<Vec<Arc<Producer>>>,
    dead: Mutex<Vec<Arc<Producer>>>,
    listeners: Vec<Mutex<Vec<Weak<Producer>>>>,
    tasks: Mutex<Vec<counted::Weak<Manager>>>,
}

impl Engine {
    pub(super) fn new(world: World, scenario: &Arc<Scenario>) -> Self {
        let front_end = |name: &String| {
            let thread_lock = Mutex::new(None);
            named!(thread_lock, "{name}'s FE thread lock");
            thread_lock
        };
        let listeners = |vb| {
            let listeners = Mutex::new(Vec::new());
            named!(listeners, "vbConns of vb {vb}");
            listeners
        };
        let engine = Engine {
            front_ends: scenario.receivers.iter().map(front_end).collect(),
            conns: RwLock::new(Vec::new()),
            dead: Mutex::new(Vec::new()),
            listeners: (0..world.vbuckets.len()).map(listeners).collect(),
            tasks: Mutex::new(Vec::new()),
            world: Arc::new(world),
            scenario: Arc::clone(scenario),
        };
        named!(engine.conns, "connsLock");
        named!(engine.tasks, "executor");
        named!(engine.dead, "dead connections");
        engine
    }

    /// `name`: the connection whose name it takes.
    pub(super) fn new_producer(&self, conn: Conn, name: Conn) -> Arc<Producer> {
        let names = &self.scenario.receivers;
        let (producer, task) = Producer::new(&self.world, conn, &names[name.0], &names[conn.0]);
        lock(&self.tasks).push(task);
        producer
    }

    /// With the map lock held for reading, where it can be.
    pub(super) fn with_map<R>(&self, look: impl FnOnce(&[Arc<Producer>]) -> R) -> R {
        if self.world.protocol.since(Era::Mb38521) {
            look(&guard!(self.conns.read()))
        } else {
            look(&guard!(self.conns.write()))
        }
    }

    /// With the map lock held for writing.
    pub(super) fn with_map_changed<R>(
        &self,
        change: impl FnOnce(&mut Vec<Arc<Producer>>) -> R,
    ) -> R {
        change(&mut guard!(self.conns.write()))
    }

    /// The tasks of the managers that were ever made.
    pub(super) fn tasks(&self) -> Vec<counted::Weak<Manager>> {
        lock(&self.tasks).clone()
    }

    pub(super) fn put_on_dead_list(&self, producer: Arc<Producer>) {
        lock(&self.dead).push(producer);
    }

    /// A producer has a stream on this vb.
    pub(super) fn listen(&self, producer: &Arc<Producer>, vb: usize) {
        if self.world.settings.notified {
            lock(&self.listeners[vb]).push(Arc::downgrade(producer));
        }
    }

    /// A producer has no streams any more.
    pub(super) fn forget_listeners(&self, producer: &Producer) {
        if self.world.settings.notified {
            for listeners in &self.listeners {
                lock(listeners).retain(|known| !std::ptr::eq(known.as_ptr(), producer));
            }
        }
    }

    /// With the vb's list locked.
    pub(super) fn for_listeners(&self, vb: usize, tell: impl Fn(&Producer)) {
        for producer in lock(&self.listeners[vb]).iter() {
            if let Some(producer) = producer.upgrade() {
                tell(&producer);
            }
        }
    }
}
