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
use crate::spin::Verdicts;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// Why an execution is given up that starts a thread with a number beyond that.
pub(crate) const TOO_MANY_THREADS: &str = "more than 64 different threads over all executions";

/// What an object's number stands for, in every run of one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectName {
    /// The thread's object with this place among its objects.
    OfThread(Tid, u32),
    /// The same of the static at so many bytes from a certain one of this crate's: where that is differs
    /// from run to run.
    OfStatic(isize, u32),
}

/// Where statics are counted from.
static HERE: u8 = 0;

fn here() -> usize {
    std::ptr::from_ref(&HERE) as usize
}

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

/// What is explored by one `Explorer`, by all of its workers: no other in this process has its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ExplorationId(u64);

impl Default for ExplorationId {
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        ExplorationId(NEXT.fetch_add(1, Relaxed))
    }
}

/// The numbers of all workers.
#[derive(Clone, Default)]
pub(crate) struct Names {
    pub(crate) exploration: ExplorationId,
    table: Arc<Mutex<Table>>,
    /// Which threads spin: told by what they know, which names threads and objects.
    pub(crate) spinners: Verdicts,
}

impl Names {
    /// The thread that is `parent`'s child number `nth`. Thread 0 is the body's own.
    pub(crate) fn thread(&self, parent: Tid, nth: u32) -> Tid {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let next = table.threads.len() as Tid + 1;
        *table.threads.entry((parent, nth)).or_insert(next)
    }

    /// The object with this name.
    pub(crate) fn object_named(&self, name: ObjectName) -> ObjId {
        match name {
            ObjectName::OfThread(tid, nth) => self.object(Creator::Thread(tid), nth),
            ObjectName::OfStatic(from_here, nth) => {
                self.object(Creator::Static(here().wrapping_add_signed(from_here)), nth)
            }
        }
    }

    /// All threads by their numbers, each with its parent and its place among the parent's children.
    pub(crate) fn threads(&self) -> Vec<(Tid, (Tid, u32))> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let mut threads: Vec<_> = table.threads.iter().map(|(&name, &tid)| (tid, name)).collect();
        threads.sort_unstable();
        threads
    }

    /// All objects by their numbers.
    pub(crate) fn objects(&self) -> Vec<(ObjId, ObjectName)> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let name = |creator, nth| match creator {
            Creator::Thread(tid) => ObjectName::OfThread(tid, nth),
            Creator::Static(at) => ObjectName::OfStatic(at.wrapping_sub(here()) as isize, nth),
        };
        let objects = table.objects.iter().map(|(&(creator, nth), &obj)| (obj, name(creator, nth)));
        let mut objects: Vec<_> = objects.collect();
        objects.sort_unstable_by_key(|&(obj, _)| obj);
        objects
    }

    fn object(&self, creator: Creator, nth: u32) -> ObjId {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
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
