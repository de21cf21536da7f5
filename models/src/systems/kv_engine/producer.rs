//! DcpProducer, and its pointer to the BackfillManager.
//!
//! A producer owns its streams (each container has a reader/writer lock) and,
//! through a nullable pointer, its manager. The pointer is reset at the end of
//! closeAllStreams, and any thread may need it: every call that schedules a
//! backfill, charges or refunds bytes reads it. The lock of the pointer changed
//! three times:
//!
//! | era | the pointer | an access |
//! |---|---|---|
//! | before MB-32084 | bare | follows it, without owning the manager |
//! | MB-32084 | has a mutex inside | copies it, and owns the manager meanwhile |
//! | MB-37520 | bare, shared | copies it, unsynchronised |
//! | MB-69075 | behind a reader/writer lock | copies it under that lock |
//!
//! Producers themselves are counted by std: the map and then the list of dead
//! connections own each producer until after the race, so no promotion of a weak
//! pointer to one fails, and no producer is destroyed during the race.

use super::bare::Bare;
use super::counted::{Raw, Strong, Weak};
use super::era::{Era, Protocol};
use super::manager::Manager;
use super::steps::{guard, lock, named};
use super::stream::Stream;
use super::world::{count, Crash, World};
use crate::scenario::Conn;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{note, Mutex, RwLock};
use std::sync::Arc;

pub(super) struct Producer {
    pub(super) world: Arc<World>,
    pub(super) conn: Conn,
    /// A later producer of the same name displaces this one.
    pub(super) name: String,
    disconnect: AtomicBool,
    /// The container of each vb, which has a stream at most.
    pub(super) containers: Vec<RwLock<Vec<Strong<Stream>>>>,
    /// closeAllStreamsLock, since MB-38521.
    pub(super) close_all: Mutex<()>,
    pointer: Pointer,
}

/// The pointer to the manager, by what guards it.
enum Pointer {
    Bare { owns: bool, pointer: Bare<Option<Strong<Manager>>> },
    Atomic(Mutex<Option<Strong<Manager>>>),
    Locked(RwLock<Option<Strong<Manager>>>),
}

/// The result of an access to the pointer.
pub(super) enum Handle {
    Owned(Strong<Manager>),
    Followed(Raw<Manager>),
}

impl Handle {
    /// Calls the manager. Behind a pointer that does not own it, it may be freed.
    pub(super) fn with<R>(
        &self,
        world: &World,
        call: impl FnOnce(&Manager) -> R,
    ) -> Result<R, Crash> {
        match self {
            Handle::Owned(manager) => Ok(call(manager)),
            Handle::Followed(pointer) => {
                let freed = || world.crash("the manager was freed while it was used");
                let result = call(pointer.get().ok_or_else(freed)?);
                pointer.get().map(|_| result).ok_or_else(freed)
            }
        }
    }
}

impl Pointer {
    fn new(protocol: Protocol, name: &str, manager: Strong<Manager>) -> Self {
        let name = format!("{name}'s manager pointer");
        if protocol.since(Era::Mb69075) {
            let pointer = RwLock::new(Some(manager));
            named!(pointer, "{name}");
            Pointer::Locked(pointer)
        } else if protocol.since(Era::Mb32084) && !protocol.since(Era::Mb37520) {
            let pointer = Mutex::new(Some(manager));
            named!(pointer, "{name}");
            Pointer::Atomic(pointer)
        } else {
            let owns = protocol.since(Era::Mb37520);
            Pointer::Bare { owns, pointer: Bare::new(&name, Some(manager)) }
        }
    }
}

impl Producer {
    /// A producer, and the reference that its manager's task holds.
    pub(super) fn new(
        world: &Arc<World>,
        conn: Conn,
        name: &str,
        label: &str,
    ) -> (Arc<Producer>, Weak<Manager>) {
        count(&world.live.producers, 1);
        let manager = Manager::new(world, label);
        let task = manager.downgrade();
        let container = |vb| {
            let container = RwLock::new(Vec::new());
            named!(container, "{label}'s container of vb {vb}");
            container
        };
        let new = Producer {
            world: Arc::clone(world),
            conn,
            name: name.to_owned(),
            disconnect: AtomicBool::new(false),
            containers: (0..world.vbuckets.len()).map(container).collect(),
            close_all: Mutex::new(()),
            pointer: Pointer::new(world.protocol, label, manager),
        };
        named!(new.disconnect, "{label}'s disconnect flag");
        named!(new.close_all, "{label}'s closeAllStreamsLock");
        (Arc::new(new), task)
    }

    pub(super) fn flag(&self) {
        self.disconnect.swap(true, Ordering::AcqRel);
    }

    pub(super) fn flagged(&self) -> bool {
        self.disconnect.load(Ordering::Acquire)
    }

    /// Reads the pointer; `None`: null.
    pub(super) fn manager(&self) -> Result<Option<Handle>, Crash> {
        match &self.pointer {
            Pointer::Atomic(pointer) => Ok(lock(pointer).clone().map(Handle::Owned)),
            Pointer::Locked(pointer) => Ok(guard!(pointer.read()).clone().map(Handle::Owned)),
            Pointer::Bare { owns, pointer } => {
                let (read, raced) = pointer.read(|p| p.as_ref().map(Strong::raw));
                if raced {
                    self.world.raced("the manager pointer is read while another thread resets it");
                }
                match read {
                    None => Ok(None),
                    Some(read) if !owns => Ok(Some(Handle::Followed(read))),
                    Some(read) => match read.own() {
                        Some(manager) => Ok(Some(Handle::Owned(manager))),
                        None => Err(self.world.crash("copied the manager pointer of a freed one")),
                    },
                }
            }
        }
    }

    /// Resets the pointer, and drops its reference to the manager.
    pub(super) fn reset_manager(&self) {
        match &self.pointer {
            Pointer::Atomic(pointer) => drop(lock(pointer).take()),
            Pointer::Locked(pointer) => drop(guard!(pointer.write()).take()),
            Pointer::Bare { pointer, .. } => {
                let (owned, raced) = pointer.write(Option::take);
                if raced {
                    self.world.raced("the manager pointer is reset while another thread uses it");
                }
                drop(owned);
            }
        }
        note(|| "resets the manager pointer".to_owned());
    }

    /// Refunds bytes that were sent or dropped.
    pub(super) fn bytes_sent(&self, bytes: u64) -> Result<(), Crash> {
        match self.manager()? {
            Some(manager) => manager.with(&self.world, |manager| manager.bytes_sent(bytes)),
            None if self.world.protocol.since(Era::Mb45255) => Ok(()),
            None => Err(self.world.crash("bytesSent through the null manager pointer")),
        }
    }

    /// Charges the bytes of an item that was read.
    pub(super) fn bytes_read(&self, bytes: u64) -> Result<bool, Crash> {
        match self.manager()? {
            Some(manager) => manager.with(&self.world, |manager| manager.bytes_read(bytes)),
            None => Err(self.world.crash("bytesRead through the null manager pointer")),
        }
    }

    /// The erasure by a stream's destructor, since MB-57772.
    pub(super) fn remove_backfill(&self, id: u64) {
        let _serial = lock(&self.close_all);
        if let Ok(Some(manager)) = self.manager() {
            let _ = manager.with(&self.world, |manager| manager.erase(id));
        }
    }

    /// The stream of a vb, owned.
    pub(super) fn find(&self, vb: usize) -> Option<Strong<Stream>> {
        guard!(self.containers[vb].read()).first().cloned()
    }

    /// The stream of a vb, not owned once the container is unlocked (MB-37827).
    pub(super) fn find_raw(&self, vb: usize) -> Option<Raw<Stream>> {
        guard!(self.containers[vb].read()).first().map(Strong::raw)
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        count(&self.world.live.producers, -1);
    }
}
