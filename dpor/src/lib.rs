//! Explores every inequivalent ordering of a concurrent test exactly once: optimal dynamic
//! partial-order reduction for [shuttle](https://docs.rs/shuttle).
//!
//! ```
//! use shuttle_dpor::{sync::{Arc, Mutex}, thread, Explorer};
//!
//! let report = Explorer::new().explore(|| {
//!     let alice = Arc::new(Mutex::named("alice", 100));
//!     let (bob, from) = (Arc::new(Mutex::named("bob", 0)), alice.clone());
//!     let to = bob.clone();
//!     let transfer = thread::spawn(move || {
//!         let (mut from, mut to) = (from.lock().unwrap(), to.lock().unwrap());
//!         (*from, *to) = (*from - 10, *to + 10);
//!     });
//!     let total = *bob.lock().unwrap() + *alice.lock().unwrap();
//!     transfer.join().unwrap();
//!     total
//! });
//! assert_eq!((report.orderings, report.deadlocks), (3, 1)); // and no others
//! println!("{}", report.violations[0]); // who waits for whom, step by step
//! ```
//!
//! The temporaries of the sum hold both locks, in the other order than the transfer: one of the
//! three orderings is a deadlock, and the report shows it as a table with a column for each thread.
//!
//! # Use
//!
//! Write the test against [`sync`], [`thread`], [`thread_local!`] and [`statics!`], which mirror std's; a crate does
//! so through a module of its own that names std's types or these. Then give the body to an
//! [`Explorer`]. What the body returns is counted, ordering by ordering; panics, deadlocks, data races
//! on a [`CheckedCell`](cell::CheckedCell) and what the body [reports](report_violation) are
//! violations, each counted by name, with the ordering that shows it with the fewest context switches.
//! It shows objects by the names that `named` or `set_name` gives them, or else by what they are, and by
//! where they were made if there are several: `condvar at pool.rs:12`. What a destructor does (an unlock,
//! above all) stands with the line of what it undoes, `of pool.rs:31`: it is not told where it runs.
//! A [`Token`] replays one; in the environment, as `SHUTTLE_DPOR_REPLAY`, it makes a failing test run
//! that ordering and no other.
//!
//! Threads that do the same are spawned by [`thread::spawn_equal`]: they are explored up to their exchange,
//! and counted as if they were not.
//!
//! What takes too long to explore whole can be explored within a bound on preemptions
//! ([`Explorer::max_preemptions`]), or kept in a file and gone on with another night, or in parts on
//! several machines ([`Explorer::explore_in`]). How to explore a hand-written future is a page of its own:
//! [`future`].
//!
//! The same body runs under shuttle's own schedulers: see [`Strategy`]. Nor is an explorer needed: in a
//! test that shuttle runs (`shuttle::check_random`, a `Runner` with any scheduler, a replay) the
//! primitives block, are scheduled and fail as shuttle's own do, and a [`DporScheduler`] makes such a
//! test exhaustive.
//!
//! shuttle's own primitives do not work in the body of an explorer: they are not explored, and panic.
//!
//! The body must be deterministic but for the order of its operations, and must share nothing between
//! threads except through these primitives and what is never written. What it shares otherwise, a
//! counter of live objects say, must not influence what threads do. A body that differs from one
//! execution to the next is noticed if its operations differ, or if an ordering that is shown has
//! another outcome when it runs again. A thread that waits for what is not modelled is noticed by a
//! [watchdog](Explorer::watchdog). A thread of std's that uses a primitive of the body is stopped by a
//! panic, and is a violation, `no-foreign-thread`, whether or not somebody joins it; if several
//! explorations are under way in the process, the panic is all that there is to see.
//!
//! # What is guaranteed
//!
//! Two executions are *equivalent* if one can be had from the other by exchanging neighbouring
//! operations that are not dependent: then each thread does the same in both. [`Verdict::Complete`]
//! says that every class of equivalent executions, in a sequentially consistent world, has been run,
//! each exactly once (of those that an exchange of equal threads turns into each other, one or more), and that
//! none violated anything. Which operations are dependent is a fixed
//! relation:
//!
//! | object | operations that commute |
//! |---|---|
//! | any two | all; but the first operation after a yield counts as a look at what its thread has looked at since it changed something or yielded last, which is ordered with changes to that |
//! | atomic | loads and failed compare-exchanges, among themselves |
//! | mutex | none; but an acquisition has no place between another and its release |
//! | rwlock | acquisitions and releases by readers, successful or not, among themselves; that a writer begins to wait, with all but acquisitions by readers |
//! | a look at a lock's poison, a once, a thread's end | looks, among themselves; with a rwlock's readers |
//! | once | what finds it done: calls, waits and looks, among themselves |
//! | condition variable | the going on of a waiter that has been notified, with all; notifications that find nobody waiting, among themselves |
//! | counted reference | clones with all but counting; upgrades among themselves; counting among itself; drops of weak ones with all but counting and `get_mut` |
//! | channel | drops of senders, among themselves and with sends; sends that find the receiver gone, among themselves; the going on of who waits for a message, with all, if the channel has no limit |
//! | park token | unparks, among themselves |
//! | barrier | none |
//!
//! So what is counted is what this relation tells apart: two orders of acquiring one lock count as two even if
//! nobody can tell from what they did, and an order of operations that commute counts once. By another relation a
//! checker has other numbers, each of which may be right.
//!
//! To spawn, to join and to end order threads and are never a choice, but that a thread's end is
//! ordered with looks at it. A wait for a condition variable is an operation on it and then the
//! release of the mutex; to write an rwlock is to begin to wait for it and then to acquire it, and
//! readers that come in between wait behind the writer, as std allows; whom `notify_one` wakes is
//! decided as late as possible, by a race of those who wait, so that every choice is an ordering. A wait with a timeout may end by itself whenever it
//! has not been notified, or as [`Explorer::timeouts`] says.
//!
//! # Loops that wait
//!
//! `yield_now`, `spin_loop`, `sleep` and a timed wait that ends by itself say that a thread waits for
//! others. A loop that looks at something, finds nothing to do and yields does not look again before
//! another thread has changed something that it has looked at: so it ends, and each value that it may
//! see is explored. What is looked at may be an atomic, a lock that is tried, a channel, the number of
//! references to something, or data behind a lock, which the guard's `DerefMut` changes. When nobody
//! can go on but by looking at the same again, that is a violation, `no-livelock`, or `no-deadlock` if
//! somebody is blocked besides. A loop that gives up by itself, after fewer than 128 rounds, does not
//! wait: each of its rounds is explored. To tell the two apart the body is run some more times
//! ([`Report::probes`]). Why nothing is lost by that, and each ordering still run once, is argued in the
//! module `spin`.
//!
//! # What it is not
//!
//! * No weak memory: for programs whose data races are confined to atomics, orderings weaker than
//!   sequential consistency allow more than is explored. Code that shares data through locks alone
//!   loses nothing.
//! * No reduction by values: two stores of the same value are two orderings, and so are two `fetch_add`
//!   whose results nobody uses, for nobody can see from here that nobody does. Drops of references and
//!   arrivals at a barrier are ordered, though only the last of them differs from the others: the module
//!   `op` says why.
//! * No end where the body has none: a loop that spins without a yield, or that changes something in
//!   each round, has infinitely many orderings. Limits make such a run [`Verdict::Incomplete`], and
//!   [`Report::cut_off`] says who was busy. So have two loops that wait for something else and, on the
//!   way, try to take what the other takes and gives back.
//! * A loop that tries to write to an rwlock until it is read by somebody, or to read until a writer waits, is not
//!   woken by that, but when somebody writes: if nobody does it is a livelock.
//! * A loop that yields and gives up after 128 rounds or more is taken for one that does not. Changes
//!   through a shared reference to what is behind a lock (a `Mutex<Cell<_>>`) end no wait, nor do those of a
//!   condition of `wait_while` or `wait_timeout_while` that then says to wait on.
//! * A thread of std's that uses none of the body's primitives is not noticed: std tells nobody of it, and the
//!   number of a process' threads, where it can be had, is also that of other tests and workers. What it
//!   does is unexplored.
//! * Time and an executor's queues are not modelled.
//! * What is done with an [`Arc`](sync::Arc) or a [`Weak`](sync::Weak) is no operation unless
//!   [`Explorer::reference_counts`] asks for that, or it is of [`sync::counted`] and does not look at the
//!   count, or at whether a reference is the only one. It orders accesses as std's does all the same. What
//!   depends on the count then ([`upgrade`](sync::arc::Weak::upgrade), `try_unwrap`, `get_mut`,
//!   `strong_count` and the like, a destructor with operations that another thread might run) is
//!   [`Verdict::Incomplete`], unless all others that have a part in it have been joined. What std's own
//!   `Arc` does is not seen at all.
//! * Who drops the result of a thread that nobody joins is not explored.
//! * Waits and parks return without a reason, and weak compare-exchanges fail without one, only where
//!   [`Explorer::spurious_wakeups`] and [`Explorer::spurious_failures`] say so.
//! * std knows of an OS thread that it panics, not of which of the threads that share it. While one
//!   thread waits in a destructor, unwinding, another that begins to unwind by `resume_unwind` is taken
//!   for one that does not (in a deadlock that may end the process), and one that has caught its panic
//!   for one that still does.
//! * Objects belong to the execution that makes them, so constructors are not `const`; statics are
//!   declared by [`statics!`], which each execution makes anew.
//! * `JoinHandle::is_finished` is explored by those who ask for it ([`Explorer::thread_ends`]), and a
//!   panic for others.
//! * At most 64 different threads over all executions of an exploration.
//!
//! # How it works
//!
//! The algorithm is optimal-DPOR of Abdulla, Aronis, Jonsson and Sagonas ("Optimal dynamic partial
//! order reduction", POPL 2014; "Source sets: a foundation for optimal dynamic partial order
//! reduction", JACM 2017). For a reader of these:
//!
//! * shuttle's interface tells a scheduler which tasks can run, not what they are about to do, and its
//!   primitives block by themselves. So the primitives here announce the operation first, and what
//!   decides whether it is enabled is kept beside the announcement (the modules `object` and `rt`). Where
//!   one of its schedulers or its runner decides, and in a body with scoped threads, its tasks run the
//!   threads; an exploration otherwise runs them on coroutines of its own, which cost less to switch.
//! * An *event* is an operation that a primitive has announced; what a thread does between two of them
//!   belongs to the earlier. The *happens-before* relation of a trace is kept as vector clocks (the
//!   module `trace`), computed from the dependency relation above (`op`).
//! * `Explore(E, Sleep, WuT)` is a loop over executions, and the stack of calls is a stack of
//!   nodes (`explore::node`), each with its sleep set, the branches that are done, and the wakeup tree
//!   of those that wait.
//! * When an execution is maximal, each of its *reversible races* (`explore::races`) gives the
//!   sequence *v* = notdep(*e*, *E*).proc(*e'*), at the state before *e*. Unless a sleeping step is a
//!   *weak initial* of *v*, it is inserted into the *wakeup tree* there (`explore::wakeup`), as the paper
//!   has it. So nothing sleeps any more when a wakeup sequence has been followed, and no execution is
//!   ever given up half way; [`Report::blocked`] counts them all the same.
//! * Locks disable others, which the paper's basic algorithm rules out. An acquisition that comes
//!   after another of the same mutex races not with the release in between, which made it possible,
//!   but with that other acquisition, provided that it is not ordered behind it by anything else:
//!   reversed, it runs where the mutex was still free, without the other and what depends on that.
//!   In general a blocking operation races with the latest operation on its object before which it was
//!   enabled. A writer that is to precede one reader of an `RwLock` also has to precede every other
//!   reader that could not have left by then. And operations that are blocked when an execution ends
//!   in a deadlock take part in races though they never became events.
//! * What a compare-exchange turns out to be, a read or a write, depends on where it comes; in a
//!   sequence that reverses a race it is told from the value before the other event.
//! * Threads and objects are named by their place in the tree of spawns and creations (`names`), so
//!   that steps that wait in a tree mean the same in every execution.
//! * Several workers share the nodes above the leaves of wakeup trees (`explore::forest`). What lies
//!   behind a leaf begins with nothing asleep and is independent of the rest, and the order of a
//!   node's children stays the one of a single worker, so the counts are the same for any number.
//! * Equal threads are explored up to their exchange: an order of one operation of each is fixed, as if one
//!   had spawned the next, and each execution counts for those that it stands for (the module `symmetry`).
//! * That shared part, once all workers have given back what they hold, is what a [`Checkpoint`] writes.
//!   How an exploration is divided into parts that need not know of each other is told in the module
//!   `split`.
//!
//! That this is right is checked against brute force, on random programs over all primitives: see
//! `tests/suite/brute` and the example `brute-force`.

mod adapter;
mod again;
pub mod cell;
mod checkpoint;
mod count;
mod equal;
mod estimate;
mod exploration;
mod explore;
mod explorer;
pub mod future;
pub mod hint;
mod hook;
mod local;
mod memory;
mod names;
mod object;
mod op;
mod ordering;
pub mod parts;
mod report;
mod rest;
mod rt;
mod schedule;
mod scheduler;
mod settings;
mod shown;
mod spin;
mod split;
pub mod statics;
mod symmetry;
pub mod sync;
mod table;
mod tally;
pub mod thread;
mod trace;
mod watchdog;
mod witness;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use estimate::Estimate;
pub use explorer::Explorer;
pub use op::Kind;
pub use ordering::{ObjectId, Operation, Ordering};
pub use report::{CutOff, Found, Outcome, Progress, Replay, Report, Verdict, Violation};
pub use rest::{may_wait, until_rest};
pub use schedule::{Token, TokenError};
pub use scheduler::DporScheduler;
pub use settings::Strategy;
pub use witness::{Step, What, Witness};

use std::borrow::Cow;

/// Records that the current execution violates what is called `name`, and goes on. Each name is
/// counted once for an execution.
pub fn report_violation(name: impl Into<Cow<'static, str>>, detail: impl Into<String>) {
    let (name, detail) = (name.into(), detail.into());
    rt::with(|rt| {
        rt.note(format!("violates {name}: {detail}"));
        rt.violation(name, String::new(), detail);
    });
    rt::guest::complain();
}

/// Adds a line to the current thread's column of the witness. No operation: it has no influence on
/// the exploration.
pub fn note(text: impl Into<String>) {
    note_with(|| text.into());
}

/// Like [`note`], with a text that is made only when a witness is.
pub fn note_with(text: impl FnOnce() -> String) {
    if rt::with(|rt| rt.recording) {
        let text = text();
        rt::with(|rt| rt.note(text));
    }
}

/// Runs `f`. What the current thread creates there belongs to `owner` in the witness: of several mutexes
/// of one name, `a's queue` is told from `b's queue`.
///
/// ```
/// use shuttle_dpor::{belonging_to, sync::Mutex, Explorer};
///
/// let queues = || {
///     let [_, b] = ["a", "b"].map(|owner| {
///         belonging_to(|| owner.to_owned(), || Mutex::named("queue", ()))
///     });
///     drop(b.lock());
/// };
/// let report = Explorer::new().explore(queues);
/// let witness = report.outcomes[&()].witness();
/// assert!(witness.to_string().contains("lock b's queue"));
/// ```
pub fn belonging_to<R>(owner: impl FnOnce() -> String, f: impl FnOnce() -> R) -> R {
    let swap = |owner| {
        rt::with(|rt| {
            let me = rt.current;
            std::mem::replace(&mut rt.thread(me).makes_for, owner)
        })
    };
    if !rt::with(|rt| rt.recording) {
        return f();
    }
    let before = swap(Some(owner().into()));
    let result = f();
    swap(before);
    result
}

/// Names the current thread, for the witness.
pub fn name_thread(name: impl Into<String>) {
    let name = name.into();
    rt::with(|rt| {
        let me = rt.current;
        rt.thread(me).name = Some(name);
    });
}
