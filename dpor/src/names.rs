//! Names for threads and objects that are the same in every execution.
//!
//! A thread is named by its parent and its place among the parent's children, an object by its
//! creator and its place among the creator's objects. Both follow from what that thread did alone,
//! so equivalent executions agree on them, whatever the order in which threads ran. What a static is
//! made of belongs to no thread, and is named by the static, which is always at the same place, and its
//! place among the static's objects. The dense
//! numbers handed out here are shared by all workers of an exploration.
//!
//! The explorer keeps sets of threads in 64 bits. A number is never given to another thread, so that
//! is how many different threads there may be over all executions, not in each: children of whichever
//! thread came first are others than those of another.

use crate::op::{ObjId, Tid};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Why an execution is given up that starts a thread with a number beyond that.
pub(crate) const TOO_MANY_THREADS: &str = "more than 64 different threads over all executions";

/// Who makes an object.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Creator {
    Thread(Tid),
    /// The static at this address.
    Static(usize),
}

#[derive(Default)]
struct Table {
    threads: HashMap<(Tid, u32), Tid>,
    objects: HashMap<(Creator, u32), ObjId>,
}

/// The numbers of all workers.
#[derive(Clone, Default)]
pub(crate) struct Names(Arc<Mutex<Table>>);

impl Names {
    /// The thread that is `parent`'s child number `nth`. Thread 0 is the body's own.
    fn thread(&self, parent: Tid, nth: u32) -> Tid {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = table.threads.len() as Tid + 1;
        *table.threads.entry((parent, nth)).or_insert(next)
    }

    fn object(&self, creator: Creator, nth: u32) -> ObjId {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = table.objects.len() as ObjId;
        *table.objects.entry((creator, nth)).or_insert(next)
    }
}

/// One worker's view of the numbers, which answers without a lock what has been asked before.
#[derive(Default)]
pub(crate) struct NameCache {
    names: Names,
    threads: Vec<Vec<Tid>>,
    objects: Vec<Vec<ObjId>>,
}

impl NameCache {
    pub(crate) fn new(names: Names) -> Self {
        NameCache { names, ..NameCache::default() }
    }

    pub(crate) fn thread(&mut self, parent: Tid, nth: u32) -> Tid {
        let names = &self.names;
        lookup(&mut self.threads, parent, nth, |n| names.thread(parent, n))
    }

    pub(crate) fn object(&mut self, creator: Tid, nth: u32) -> ObjId {
        let names = &self.names;
        let by = Creator::Thread(creator);
        lookup(&mut self.objects, creator, nth, |n| names.object(by, n))
    }

    /// Object number `nth` of the static at an address.
    pub(crate) fn object_of_static(&self, address: usize, nth: u32) -> ObjId {
        self.names.object(Creator::Static(address), nth)
    }
}

fn lookup<T: Copy>(known: &mut Vec<Vec<T>>, by: Tid, nth: u32, ask: impl Fn(u32) -> T) -> T {
    let by = by as usize;
    if known.len() <= by {
        known.resize_with(by + 1, Vec::new);
    }
    let row = &mut known[by];
    while row.len() <= nth as usize {
        row.push(ask(row.len() as u32));
    }
    row[nth as usize]
}
