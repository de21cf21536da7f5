//! A waker that one side leaves and the other takes.

use crate::sync::Mutex;
use std::sync::PoisonError;
use std::task::Waker;

/// As tokio's and futures' `AtomicWaker`. To register and to take exclude each other, so that one is
/// before the other: what these do when both come at once is what they do in one of the two orders.
///
/// ```
/// # use loom::future::{block_on, AtomicWaker};
/// # use std::{future::poll_fn, sync::Arc, task::Poll};
/// loom::model(|| {
///     let shared = Arc::new((AtomicWaker::new(), loom::sync::atomic::AtomicBool::new(false)));
///     let other = shared.clone();
///     loom::thread::spawn(move || {
///         other.1.store(true, loom::sync::atomic::Ordering::SeqCst);
///         other.0.wake();
///     });
///     block_on(poll_fn(|context| {
///         shared.0.register_by_ref(context.waker());
///         match shared.1.load(loom::sync::atomic::Ordering::SeqCst) {
///             true => Poll::Ready(()),
///             false => Poll::Pending,
///         }
///     }));
/// });
/// ```
#[derive(Debug, Default)]
pub struct AtomicWaker {
    waker: Mutex<Option<Waker>>,
}

impl AtomicWaker {
    /// Without a waker.
    #[track_caller]
    pub fn new() -> Self {
        AtomicWaker { waker: Mutex::new(None) }
    }

    /// Leaves a waker in the place of the one that is there.
    #[track_caller]
    pub fn register(&self, waker: Waker) {
        let old = self.waker.lock().unwrap_or_else(PoisonError::into_inner).replace(waker);
        drop(old);
    }

    /// Like [`register`](Self::register), with a clone.
    #[track_caller]
    pub fn register_by_ref(&self, waker: &Waker) {
        self.register(waker.clone());
    }

    /// Wakes the waker that was left last, if it has not been taken.
    #[track_caller]
    pub fn wake(&self) {
        if let Some(waker) = self.take_waker() {
            waker.wake();
        }
    }

    /// Takes the waker.
    #[track_caller]
    pub fn take_waker(&self) -> Option<Waker> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
