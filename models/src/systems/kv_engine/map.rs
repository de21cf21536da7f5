//! DcpConnMap: the connections of the bucket.
//!
//! - the *map lock* guards them: a mutex at first, and from the month of MB-38521
//!   a reader/writer lock
//! - the list of dead connections owns the connections that were disconnected
//! - each vb has a list of the connections with a stream on it, under a lock of
//!   its own (only notifications walk it; left out where the scenario has none)
//! - the executor knows the managers' tasks
//! - each connection's front end has its *thread lock*, which it holds during
//!   each of its calls, and which guards the connection that its cookie owns

use super::counted;
use super::era::Era;
use super::manager::Manager;
use super::producer::Producer;
use super::steps::{guard, lock, named};
use super::world::World;
use crate::scenario::{Conn, Scenario};
use crate::sync::{Mutex, RwLock};
use std::sync::{Arc, Weak};

/// The connection that a cookie owns.
pub(super) type FrontEnd = Option<Arc<Producer>>;

/// The bucket's connections, and the objects that they share.
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

    /// A producer under the name of the connection `name`.
    pub(super) fn new_producer(&self, conn: Conn, name: Conn) -> Arc<Producer> {
        let names = &self.scenario.receivers;
        let (producer, task) = Producer::new(&self.world, conn, &names[name.0], &names[conn.0]);
        lock(&self.tasks).push(task);
        producer
    }

    /// Calls `look` with the map lock held, for reading where the era has that.
    pub(super) fn with_map<R>(&self, look: impl FnOnce(&[Arc<Producer>]) -> R) -> R {
        if self.world.protocol.since(Era::Mb38521) {
            look(&guard!(self.conns.read()))
        } else {
            look(&guard!(self.conns.write()))
        }
    }

    /// Calls `change` with the map lock held, for writing.
    pub(super) fn with_map_changed<R>(
        &self,
        change: impl FnOnce(&mut Vec<Arc<Producer>>) -> R,
    ) -> R {
        change(&mut guard!(self.conns.write()))
    }

    /// The tasks of all managers that were ever created.
    pub(super) fn tasks(&self) -> Vec<counted::Weak<Manager>> {
        lock(&self.tasks).clone()
    }

    pub(super) fn put_on_dead_list(&self, producer: Arc<Producer>) {
        lock(&self.dead).push(producer);
    }

    /// Puts a producer into the vb's list: it has a stream there.
    pub(super) fn listen(&self, producer: &Arc<Producer>, vb: usize) {
        if self.world.settings.notified {
            lock(&self.listeners[vb]).push(Arc::downgrade(producer));
        }
    }

    /// Takes a producer out of all lists: it has no streams any more.
    pub(super) fn forget_listeners(&self, producer: &Producer) {
        if self.world.settings.notified {
            for listeners in &self.listeners {
                lock(listeners).retain(|known| !std::ptr::eq(known.as_ptr(), producer));
            }
        }
    }

    /// Calls `tell` for each connection of the vb's list, with the list locked.
    pub(super) fn for_listeners(&self, vb: usize, tell: impl Fn(&Producer)) {
        for producer in lock(&self.listeners[vb]).iter() {
            if let Some(producer) = producer.upgrade() {
                tell(&producer);
            }
        }
    }
}
