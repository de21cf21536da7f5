//! Whose objects are, for the names in a witness: of several of one name, each has its owner's.

use super::state::Runtime;
use crate::op::ObjId;

impl Runtime {
    /// The object that the current thread has made belongs to whom the thread makes objects for.
    pub(super) fn note_owner(&mut self, obj: ObjId) {
        if let Some(owner) = &self.threads[self.current as usize].makes_for {
            self.owners.push((obj, owner.clone()));
        }
    }

    /// The name of an object, for people.
    pub(crate) fn object_name(&self, obj: ObjId) -> String {
        let name = self.bare_name(obj);
        match self.owners.iter().find(|(owned, _)| *owned == obj) {
            Some((_, owner)) => format!("{owner}'s {name}"),
            None => name,
        }
    }
}
