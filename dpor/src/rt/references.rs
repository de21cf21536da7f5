//! Counted references: what is done with them where that is no operation, and what is refused then.

use super::state::{Ending, Mode, Runtime};
use super::{is_guest, perform, perform_with, try_with, unless_given_up, with};
use crate::object::{bit, Applied, State};
use crate::op::{Kind, Label, ObjId, Op, Tid};
use std::panic::Location;

/// How to have explored what is refused: what drops decide, and what clones do.
pub(super) const ASK: &str =
    "call reference_counts(true) on the explorer, or use sync::counted, to have that explored";
const ASK_FOR_CLONES: &str = "call reference_counts(true) on the explorer to have that explored";

/// Whether what is done with a reference is an operation: it is, if it is `always`. `None` where there is no
/// execution, or one that has been given up.
#[inline]
pub(crate) fn counted(always: bool) -> Option<bool> {
    try_with(|rt| rt.ending.is_none().then_some(always || rt.counts)).flatten()
}

/// Does something with a reference whose result others may decide: `f` returns it as for
/// [`perform_with`]. If it is no operation, it is refused unless nobody else can decide it.
pub(crate) fn references<R>(
    id: Option<ObjId>,
    kind: Kind,
    always: bool,
    what: &str,
    at: &'static Location<'static>,
    f: impl FnOnce() -> (R, u64, u64, Kind),
) -> R {
    let (Some(id), Some(counted)) = (id, counted(always)) else { return f().0 };
    if counted {
        return perform_with(Op::new(id, kind, at), f);
    }
    if !is_guest() {
        let ask = if matches!(kind, Kind::Unique | Kind::Count) { ASK_FOR_CLONES } else { ASK };
        with(|rt| rt.refuse_unless_alone(what, at, ask));
        unless_given_up();
    }
    let (result, _, val, kind) = f();
    note_reference(id, kind, val == 1, at);
    result
}

/// A reference is cloned, which is an operation where all that is done with them is.
pub(crate) fn reference_cloned(id: Option<ObjId>, at: &'static Location<'static>) {
    if let (Some(id), Some(true)) = (id, counted(false)) {
        perform(Op::new(id, Kind::CloneRef, at));
    }
}

/// Something has been done with a reference that is no operation: it synchronises all the same.
pub(crate) fn note_reference(
    id: ObjId,
    kind: Kind,
    succeeded: bool,
    at: &'static Location<'static>,
) {
    with(|rt| {
        let me = rt.current as usize;
        let Some(object) = rt.objects.get_mut(id as usize).filter(|o| o.alive) else { return };
        if let (Kind::DropRef, State::References { dropped }) = (kind, &mut object.state) {
            *dropped |= bit(rt.current);
        }
        if rt.tracking {
            let label = Label::new(id, kind);
            let done = Applied { label, pre: 0, val: succeeded as u64, after: None };
            object.synchronise(&Op::new(id, kind, at), &done, &mut rt.threads[me].known);
        }
    });
}

/// Until dropped, the current thread runs the destructor of what it dropped the last reference to. If
/// another might have been the last, no operation is allowed there.
pub(crate) struct Destroying {
    before: Option<&'static Location<'static>>,
}

/// See [`Destroying`].
pub(crate) fn destroying(id: ObjId, at: &'static Location<'static>) -> Destroying {
    let guest = is_guest();
    with(|rt| {
        let contested = !guest && rt.contested(id);
        let contest = &mut rt.threads[rt.current as usize].contested;
        Destroying { before: std::mem::replace(contest, contest.or(contested.then_some(at))) }
    })
}

impl Drop for Destroying {
    fn drop(&mut self) {
        super::try_with(|rt| rt.threads[rt.current as usize].contested = self.before);
    }
}

impl Runtime {
    /// Whether thread `other` has ended for certain, as far as the current one is concerned.
    fn joined(&self, mut other: Tid) -> bool {
        while other != self.current {
            match self.threads[other as usize].joined {
                Some(by) => other = by,
                None => return false,
            }
        }
        true
    }

    /// Whether another thread has dropped a reference that the current thread might have outlived.
    fn contested(&self, id: ObjId) -> bool {
        let Some(State::References { dropped }) =
            self.objects.get(id as usize).map(|object| &object.state)
        else {
            return false;
        };
        let mut others = self.live.iter().filter(|&&p| dropped & bit(p) != 0);
        others.any(|&p| !self.joined(p))
    }

    fn refuse_unless_alone(&mut self, what: &str, at: &'static Location<'static>, ask: &str) {
        let alone = self.live.iter().all(|&p| self.joined(p));
        if alone || self.ending.is_some() || matches!(self.mode, Mode::Guest(_)) {
            return;
        }
        let who = self.thread_name(self.current);
        let why = format!(
            "{who} calls {what} at {}:{}, whose result other threads may decide: {ask}",
            at.file(),
            at.line()
        );
        self.ending = Some(Ending::Refused(why));
    }
}
