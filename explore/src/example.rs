//! The ordering that stands for an outcome: run again when somebody asks for it.

use crate::report::Witness;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// An ordering that leads to an outcome, where the engine tells of orderings.
///
/// An exploration may have many outcomes of which few are looked at, and an ordering takes a hundred
/// times the room of what it is made from. So it is made each time that somebody asks for it.
#[derive(Clone, Default)]
pub struct Example(Option<Arc<dyn Fn() -> Shown + Send + Sync>>);

/// What an example shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Shown {
    /// The preemptions that are enough for the outcome, as this ordering has them or a search has found.
    /// (A preemption leaves a thread that could have gone on.)
    pub preemptions: Option<u32>,
    /// The steps.
    #[serde(flatten)]
    pub witness: Witness,
}

impl Shown {
    /// An ordering, and how many preemptions are enough.
    pub fn new(witness: Witness, preemptions: u32) -> Self {
        Shown { preemptions: Some(preemptions), witness }
    }
}

impl Example {
    /// An example that `make` makes, the same each time.
    pub fn made_by(make: impl Fn() -> Shown + Send + Sync + 'static) -> Self {
        Example(Some(Arc::new(make)))
    }

    /// The ordering. Where the engine tells of none there are no steps.
    ///
    /// It is run now, on the calling thread, which must not be one of an exploration.
    pub fn show(&self) -> Shown {
        self.0.as_ref().map_or_else(Shown::default, |make| make())
    }
}

impl From<Shown> for Example {
    fn from(shown: Shown) -> Self {
        Example::made_by(move || shown.clone())
    }
}

/// Whether both show the same.
impl PartialEq for Example {
    fn eq(&self, other: &Self) -> bool {
        self.show() == other.show()
    }
}

impl fmt::Debug for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Example").finish_non_exhaustive()
    }
}

impl Serialize for Example {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.show().serialize(to)
    }
}

impl<'a> Deserialize<'a> for Example {
    fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
        Shown::deserialize(from).map(Example::from)
    }
}
