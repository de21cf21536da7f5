//! Futures that a thread drives to their end.

mod atomic_waker;

pub use atomic_waker::AtomicWaker;

use crate::alloc::Track;
use shuttle_dpor::parts::Permit;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// Wakes a thread; one that is not dropped is a leak.
struct ThreadWaker(Track<Permit>);

impl Wake for ThreadWaker {
    #[track_caller]
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    #[track_caller]
    fn wake_by_ref(self: &Arc<Self>) {
        self.0.get_ref().give();
    }
}

/// Blocks until the future is ready. It is polled when it has been woken, and, as in loom, once more at
/// a time when it has not.
///
/// ```
/// loom::model(|| assert_eq!(loom::future::block_on(async { 1 }), 1));
/// ```
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let notify = Arc::new(ThreadWaker(Track::new(Permit::new())));
    let waker = Waker::from(notify.clone());
    let mut context = Context::from_waker(&waker);
    // One wait may end without a wake-up; after it no other.
    let mut once = true;
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        once &= notify.0.get_ref().take(once);
    }
}
