//! A token that threads wait for.

use shuttle_dpor::parts::Permit;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// Lets one thread wait for a notification of others. A notification that comes before the wait ends
/// it at once; a second one is lost.
///
/// In loom one wait of each may end without a notification, once everybody else has got as far as
/// they can; here none does, but in `block_on`.
///
/// ```
/// loom::model(|| {
///     let notify = std::sync::Arc::new(loom::sync::Notify::new());
///     let other = notify.clone();
///     loom::thread::spawn(move || other.notify());
///     notify.wait();
/// });
/// ```
#[derive(Debug)]
pub struct Notify {
    permit: Permit,
    waiting: AtomicBool,
}

impl Notify {
    /// Without a notification.
    #[track_caller]
    pub fn new() -> Self {
        Notify { permit: Permit::new(), waiting: AtomicBool::new(false) }
    }

    /// Ends the wait, or the next one.
    #[track_caller]
    pub fn notify(&self) {
        self.permit.give();
    }

    /// Blocks until there is a notification.
    ///
    /// # Panics
    ///
    /// If another thread waits already.
    #[track_caller]
    pub fn wait(&self) {
        assert!(!self.waiting.swap(true, SeqCst), "only one thread may wait for a Notify");
        self.permit.take(false);
        self.waiting.store(false, SeqCst);
    }
}

impl Default for Notify {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}
