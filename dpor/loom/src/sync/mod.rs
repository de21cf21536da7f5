//! Synchronisation primitives, as in [`std::sync`].

mod arc;
pub mod atomic;
mod notify;

pub use arc::Arc;
pub(crate) use arc::Count;
pub use notify::Notify;
pub use shuttle_dpor::sync::{
    Barrier, BarrierWaitResult, Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard,
    RwLockWriteGuard, WaitTimeoutResult,
};
pub use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

/// Channels, as in [`std::sync::mpsc`].
///
/// ```
/// loom::model(|| {
///     let (sender, receiver) = loom::sync::mpsc::channel();
///     loom::thread::spawn(move || sender.send(1).unwrap());
///     assert_eq!(receiver.recv(), Ok(1));
/// });
/// ```
pub mod mpsc {
    pub use shuttle_dpor::sync::mpsc::{
        IntoIter, Iter, Receiver, RecvError, RecvTimeoutError, SendError, Sender, SyncSender,
        TryRecvError, TrySendError, channel, sync_channel,
    };
}
