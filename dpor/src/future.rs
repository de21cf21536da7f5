//! Futures: a small executor for exploring a hand-written one.
//!
//! # How to explore a hand-written future
//!
//! What goes wrong in a hand-written future is the order of three things: looking whether it is
//! ready, leaving the waker, and the other side's making it ready and calling the waker. Write what
//! the future shares with the other side with this crate's [`sync`](crate::sync), run the future by
//! [`block_on`] in one thread and the other side in another, and explore that. A wake-up that is lost
//! is a deadlock of the report: the thread that polls is parked, and nobody unparks it.
//!
//! ```
//! use shuttle_dpor::sync::{atomic::{AtomicBool, Ordering::SeqCst}, Mutex};
//! use shuttle_dpor::{future::block_on, thread, Explorer};
//! use std::{future::poll_fn, sync::Arc, task::{Poll, Waker}};
//!
//! #[derive(Clone, Copy)]
//! enum Order { LookThenLeave, LeaveThenLook }
//!
//! fn program(order: Order) {
//!     let ready = Arc::new(AtomicBool::named("ready", false));
//!     let waker = Arc::new(Mutex::named("waker", None::<Waker>));
//!     let (now, wake) = (ready.clone(), waker.clone());
//!     let other = thread::spawn(move || {
//!         now.store(true, SeqCst);
//!         let waker = wake.lock().unwrap().take();
//!         if let Some(waker) = waker {
//!             waker.wake();
//!         }
//!     });
//!     block_on(poll_fn(|cx| {
//!         if let Order::LeaveThenLook = order {
//!             *waker.lock().unwrap() = Some(cx.waker().clone());
//!         }
//!         if ready.load(SeqCst) {
//!             return Poll::Ready(());
//!         }
//!         if let Order::LookThenLeave = order {
//!             *waker.lock().unwrap() = Some(cx.waker().clone());
//!         }
//!         Poll::Pending
//!     }));
//!     other.join().unwrap();
//! }
//!
//! // Ready and the wake-up in between: nobody is left to wake the future.
//! let lost = Explorer::new().explore(|| program(Order::LookThenLeave));
//! assert!(lost.deadlocks > 0);
//! Explorer::new().explore(|| program(Order::LeaveThenLook)).assert_complete();
//! ```
//!
//! What to look at besides:
//!
//! * [`Explorer::spurious_wakeups`](crate::Explorer::spurious_wakeups) lets [`block_on`] poll when
//!   nobody has called the waker, which an executor may do.
//! * A future that is polled in one thread and then in another has to call the waker that it was given
//!   last. [`waker`] makes one for any thread: poll by hand with two of them.
//! * A future that is dropped before it is ready has to take its waker out: drop it, and then let the
//!   other side run.
//! * To poll in a loop without [`block_on`] is to spin: limits make such a run INCOMPLETE.
//!
//! What is not explored: an executor's own queues, and who drops the last clone of a waker (its count
//! is that of std's `Arc`).

use crate::thread::{self, Thread};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// Unparks a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    #[track_caller]
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    #[track_caller]
    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// A waker that unparks `thread`. To wake is one operation, on that thread's token.
pub fn waker(thread: Thread) -> Waker {
    Waker::from(Arc::new(Unpark(thread)))
}

/// Runs a future to its end in the current thread, which is parked whenever the future is pending.
///
/// Waking and parking use the thread's token ([`thread::park`]): a future that parks by itself may eat
/// a wake-up.
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = waker(thread::current());
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        thread::park();
    }
}
