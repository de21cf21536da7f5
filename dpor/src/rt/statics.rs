//! The statics of an execution, which makes each of them when it first comes to it.
//!
//! That is no operation: a static is there before everything else. So nothing that is done while one
//! is made may depend on which thread came to it first: its objects are the static's own, its cells
//! have been written by nobody, and to perform an operation is refused.

use super::with;
use std::any::Any;

/// A static that is being made.
pub(super) struct Making {
    pub(super) address: usize,
    pub(super) name: &'static str,
    /// How many objects it has so far.
    pub(super) objects: u32,
}

/// Goes back to what was being made before, also if the initialiser panics.
struct Made {
    before: Option<Making>,
}

impl Drop for Made {
    fn drop(&mut self) {
        super::try_with(|rt| rt.making = self.before.take());
    }
}

/// What this execution's static at `address` is, which `make` makes if it has not been made.
pub(crate) fn of_static(
    address: usize,
    name: &'static str,
    make: impl FnOnce() -> &'static dyn Any,
) -> &'static dyn Any {
    let known = with(|rt| {
        let made = rt.statics.iter().find(|(known, _)| *known == address);
        made.map(|&(_, value)| value)
    });
    if let Some(value) = known {
        return value;
    }
    let making = Making { address, name, objects: 0 };
    let _made = Made { before: with(|rt| rt.making.replace(making)) };
    let value = make();
    with(|rt| rt.statics.push((address, value)));
    value
}

/// Refuses what an initialiser of a static must not do.
pub(crate) fn unless_making(what: &str) {
    if let Some(name) = with(|rt| rt.making.as_ref().map(|making| making.name)) {
        misplaced(name, what);
    }
}

pub(super) fn misplaced(name: &str, what: &str) -> ! {
    panic!("the initialiser of the static {name} {what}: make it a LazyLock, or use lazy_static!")
}
