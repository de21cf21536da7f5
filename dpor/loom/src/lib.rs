//! loom's interface (0.7), explored by [shuttle-dpor](shuttle_dpor): every inequivalent ordering once,
//! under sequential consistency.
//!
//! Put it in loom's place in a project of your own, and run the project's loom tests as they are:
//!
//! ```toml
//! [patch.crates-io]
//! loom = { path = "../connmap/dpor/loom" }
//! ```
//!
//! ```
//! use loom::sync::{atomic::{AtomicUsize, Ordering}, Arc};
//!
//! loom::model(|| {
//!     let n = Arc::new(AtomicUsize::new(0));
//!     let other = n.clone();
//!     let thread = loom::thread::spawn(move || other.fetch_add(1, Ordering::AcqRel));
//!     n.fetch_add(1, Ordering::AcqRel);
//!     thread.join().unwrap();
//!     assert_eq!(n.load(Ordering::Acquire), 2);
//! });
//! ```
//!
//! A model that fails panics out of [`model()`], with the ordering in which it does, step by step.
//!
//! # What is other than in loom
//!
//! * No weak memory. Every atomic operation is sequentially consistent, whatever ordering it asks for.
//!   The ordering decides whether it synchronises, and so whether accesses to a
//!   [`cell`] race. Where a model has two atomics that threads share and weaker orderings, a line
//!   says that loom explores more there.
//! * Everything is explored. [`stop_exploring`], [`skip_branch`] and `expect_explicit_explore` are
//!   accepted and leave nothing out; a `preemption_bound` counts where the whole is too much.
//! * `try_lock`, `try_read` and `try_write` fail where they can, waits with a timeout end where they
//!   can, and there is a [`Barrier`](sync::Barrier).
//! * A detached thread is waited for when the model's closure has returned, before what is
//!   thread-local to the first thread goes.
//! * A cell's accesses are compared when a span of access begins and when it ends.
//! * Limits: 64 different threads over all executions, not 5 in each.
//!
//! # Unsafe code
//!
//! Where loom's own interface hands out pointers or lifetimes that nobody can check ([`sync::Arc`],
//! [`cell::UnsafeCell`], [`alloc`], [`lazy_static!`]), and for one thing more: threads take closures
//! that are not `Send`, as loom's do, because all threads of an execution run on one OS thread.

pub mod alloc;
pub mod cell;
mod execution;
#[cfg(feature = "futures")]
pub mod future;
pub mod hint;
pub mod lazy_static;
mod macros;
pub mod model;
pub mod sync;
pub mod thread;

#[doc(inline)]
pub use model::model;

/// How many different threads there may be over all executions of a model, the first included.
pub const MAX_THREADS: usize = 64;

/// Has no effect: everything is explored already.
///
/// ```
/// loom::model(|| {
///     loom::stop_exploring();
///     loom::explore();
/// });
/// ```
pub fn explore() {}

/// Has no effect: everything is explored, which is more than was asked for.
pub fn stop_exploring() {}

/// Has no effect: everything is explored, which is more than was asked for.
///
/// ```
/// loom::model(loom::skip_branch);
/// ```
pub fn skip_branch() {}
