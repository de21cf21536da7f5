//! A variable without a lock, and the data races on it.

#[cfg(not(loom))]
pub(super) use ordered::Bare;
#[cfg(loom)]
pub(super) use overlapping::Bare;

/// Under the explorer an access is one step, for the order of the accesses
/// decides what each of them reads; it synchronises nothing. The cell reports two
/// accesses of which one writes and that nothing orders: a data race as C++
/// defines it, however far apart they are.
#[cfg(not(loom))]
mod ordered {
    use super::super::steps::named;
    use crate::sync::atomic::{AtomicUsize, Ordering};
    use crate::sync::cell::CheckedCell;

    pub(in super::super) struct Bare<T> {
        step: AtomicUsize,
        value: CheckedCell<T>,
    }

    impl<T> Bare<T> {
        pub(in super::super) fn new(name: &str, value: T) -> Self {
            let step = AtomicUsize::new(0);
            named!(step, "{name}");
            Bare { step, value: CheckedCell::named(name, value) }
        }

        /// `access` must perform no step. Also returns whether the access raced:
        /// always false here, for the cell itself reports a race.
        #[track_caller]
        pub(in super::super) fn read<R>(&self, access: impl FnOnce(&T) -> R) -> (R, bool) {
            self.step.load(Ordering::Relaxed);
            (self.value.with(access), false)
        }

        /// Like `read`, but writes.
        #[track_caller]
        pub(in super::super) fn write<R>(&self, access: impl FnOnce(&mut T) -> R) -> (R, bool) {
            self.step.fetch_add(1, Ordering::Relaxed);
            (self.value.with_mut(access), false)
        }
    }
}

/// Under loom an access is two steps, so that another can happen between them.
/// Two accesses that overlap, and of which one writes, are a data race.
#[cfg(loom)]
mod overlapping {
    use crate::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Mutex, PoisonError};

    const WRITER: usize = 1 << 16;

    pub(in super::super) struct Bare<T> {
        users: AtomicUsize,
        value: Mutex<T>,
    }

    impl<T> Bare<T> {
        pub(in super::super) fn new(_name: &str, value: T) -> Self {
            Bare { users: AtomicUsize::new(0), value: Mutex::new(value) }
        }

        /// `access` must perform no step. Also returns whether the access raced.
        pub(in super::super) fn read<R>(&self, access: impl FnOnce(&T) -> R) -> (R, bool) {
            self.access(1, |value| access(value))
        }

        /// Like `read`, but writes.
        pub(in super::super) fn write<R>(&self, access: impl FnOnce(&mut T) -> R) -> (R, bool) {
            self.access(WRITER, access)
        }

        fn access<R>(&self, me: usize, access: impl FnOnce(&mut T) -> R) -> (R, bool) {
            let others = self.users.fetch_add(me, Ordering::AcqRel);
            let result = access(&mut self.value.lock().unwrap_or_else(PoisonError::into_inner));
            self.users.fetch_sub(me, Ordering::AcqRel);
            (result, others >= WRITER || (me == WRITER && others > 0))
        }
    }
}
