//! An ordering as data, with names that are the same in every exploration of the same body.

use crate::op::{Kind, Tid};
use crate::rt::{Ending, Runtime};

/// The operations of one execution, in the order in which they ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordering {
    /// The operations.
    pub operations: Vec<Operation>,
    /// Whether the execution ended because nobody could go on.
    pub deadlock: bool,
}

/// One operation of an [`Ordering`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operation {
    /// The thread, as its path in the tree of spawns: `[0]` is the body's own, `[0, 1]` the second
    /// that it spawned.
    pub thread: Vec<u32>,
    /// The object.
    pub object: ObjectId,
    /// What was done.
    pub kind: Kind,
    /// What came of it: the value read or written, or whether it succeeded.
    pub value: u64,
}

/// An object, as its creator's path and its place among the objects that the creator made. What a
/// [static](crate::statics!) is made of has no creator, but a number that is the same in each ordering
/// of one exploration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// The thread that made it.
    pub creator: Vec<u32>,
    /// How many objects that thread had made before.
    pub nth: u32,
}

impl Ordering {
    pub(crate) fn of(rt: &Runtime) -> Self {
        let path = |tid: Tid| rt.path(tid);
        let operation = |e: &crate::trace::Event| {
            let object = match rt.objects[e.obj as usize].made {
                Some((creator, nth)) => ObjectId { creator: path(creator), nth },
                None => ObjectId { creator: Vec::new(), nth: e.obj },
            };
            Operation { thread: path(e.tid), object, kind: e.label.kind, value: e.val }
        };
        Ordering {
            operations: rt.trace.events().iter().map(operation).collect(),
            deadlock: rt.ending == Some(Ending::Deadlock),
        }
    }
}
