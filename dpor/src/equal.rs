//! Threads that are declared equal.

use super::thread::{spawn, JoinHandle, Result};
use crate::rt;
use std::sync::Arc;

/// An owned permission to wait for the ends of all threads of one [`spawn_equal`].
#[derive(Debug)]
pub struct Equal<T> {
    threads: Vec<JoinHandle<T>>,
}

impl<T> Equal<T> {
    /// Blocks until all have ended, and returns what they returned, sorted: which of them returned what is
    /// not told. Or the panic that ended one of them.
    #[track_caller]
    pub fn join(self) -> Result<Vec<T>>
    where
        T: Ord,
    {
        let mut ended = Vec::with_capacity(self.threads.len());
        // Not by `map`, whose place in std a witness would show as the caller's.
        for thread in self.threads {
            ended.push(thread.join());
        }
        let mut answers = ended.into_iter().collect::<Result<Vec<T>>>()?;
        answers.sort();
        Ok(answers)
    }
}

/// Spawns `n` threads that do the same, each with a number from 0.
///
/// The number is for what does not matter: a name in the witness, a place where what is seen is noted. Nothing
/// else may tell these threads apart: an [`Explorer`](crate::Explorer) explores what they do up to their
/// exchange, which takes up to `n!` times fewer executions, and counts as if all orderings had been run. So
/// what the body does and returns must not depend on which of them did what. A lock taken in the order of
/// numbers, an atomic that is set to one, a channel's message that tells who sent it and is returned, do; a
/// ticket that is drawn on arrival does not. The module `symmetry` of the source has the argument;
/// [`Explorer::symmetry`](crate::Explorer::symmetry) switches it off.
///
/// ```
/// use shuttle_dpor::{sync::{Arc, Mutex}, thread, Explorer};
///
/// let tickets = || {
///     let next = Arc::new(Mutex::new(0));
///     let drawn = thread::spawn_equal(5, move |_| {
///         let mut next = next.lock().unwrap();
///         *next += 1;
///         *next
///     });
///     drawn.join().unwrap()
/// };
/// let report = Explorer::new().explore(tickets);
/// assert_eq!((report.orderings, report.executions), (120, 1));
/// assert_eq!(report.outcomes[&vec![1, 2, 3, 4, 5]].orderings, 120);
/// let all = Explorer::new().symmetry(false).explore(tickets);
/// assert_eq!((all.orderings, all.executions), (120, 120));
/// ```
#[track_caller]
pub fn spawn_equal<F, T>(n: usize, f: F) -> Equal<T>
where
    F: Fn(usize) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    let f = Arc::new(f);
    let mut threads = Vec::with_capacity(n);
    for number in 0..n {
        let f = f.clone();
        threads.push(spawn(move || f(number)));
    }
    // None of them has begun: their parent has come to no operation.
    rt::with(|rt| rt.are_equal(threads.iter().map(|thread| thread.thread().id().tid()).collect()));
    Equal { threads }
}
