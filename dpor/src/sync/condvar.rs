//! A condition variable.

use super::{LockResult, MutexGuard, PoisonError};
use crate::object::{State, MAY_END, NOTIFIED};
use crate::op::{Kind, ObjId, Op};
use crate::rt;
use crate::thread::toss;
use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// A condition variable, with the interface of [`std::sync::Condvar`].
///
/// Every waiter that `notify_one` could wake is explored. A wait with a timeout may end by itself
/// at any point, the duration being irrelevant. Spurious wake-ups, also of waits with a timeout, which
/// have not timed out then, are explored only if
/// [`Explorer::spurious_wakeups`](crate::Explorer::spurious_wakeups) allows some.
pub struct Condvar {
    id: ObjId,
}

/// Whether a wait ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the wait was not notified.
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    /// A condition variable without waiters. Not `const`: see [`statics!`](crate::statics!).
    #[track_caller]
    pub fn new() -> Self {
        Condvar { id: rt::create(State::Condvar(Default::default())) }
    }

    /// A condition variable whose name witnesses show.
    #[track_caller]
    pub fn named(name: impl Into<Cow<'static, str>>) -> Self {
        let condvar = Condvar::new();
        condvar.set_name(name);
        condvar
    }

    /// Sets the name that witnesses show.
    pub fn set_name(&self, name: impl Into<Cow<'static, str>>) {
        rt::set_name(self.id, name.into());
    }

    /// Releases the mutex, blocks until notified, and acquires the mutex again.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let arg = rt::with(|rt| if rt.may_wake_spuriously() { MAY_END } else { 0 });
        let (guard, notified) = self.wait_until(guard, arg, Location::caller());
        if !notified {
            rt::with(|rt| rt.woke_spuriously());
        }
        guard
    }

    /// Waits while `condition` holds. As long as it does it is taken to have changed nothing, though it
    /// could: see the crate's documentation on loops that wait.
    #[track_caller]
    pub fn wait_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: F,
    ) -> LockResult<MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        while guard.holds(&mut condition) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Like [`wait`](Self::wait), but the wait may also end by itself.
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        _timeout: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let at = Location::caller();
        let (timed, may) = rt::with(|rt| (rt.timed(), rt.may_wake_spuriously()));
        // What ends by itself has timed out, or woken without a reason: chance decides afterwards. Where
        // it cannot time out as long as others can go on, chance decides before.
        let early = timed & MAY_END == 0;
        let wakes = may && early && toss(at);
        let arg = if wakes { timed | MAY_END } else { timed };
        let (guard, notified) = self.wait_until(guard, arg, at);
        let by_itself = !notified;
        let spurious = by_itself && (wakes || may && !early && toss(at));
        match spurious {
            true => rt::with(|rt| rt.woke_spuriously()),
            false if by_itself => rt::with(|rt| rt.timed_out()),
            false => {}
        }
        let result = WaitTimeoutResult(by_itself && !spurious);
        match guard {
            Ok(guard) => Ok((guard, result)),
            Err(e) => Err(PoisonError::new((e.into_inner(), result))),
        }
    }

    /// Waits while `condition` holds and the wait has not ended by itself. Who is notified and finds that it
    /// still holds waits again, as long as at first.
    ///
    /// As long as `condition` holds it is taken to have changed nothing: see
    /// [`wait_while`](Self::wait_while).
    #[track_caller]
    pub fn wait_timeout_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        timeout: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
    where
        F: FnMut(&mut T) -> bool,
    {
        let mut over = false;
        loop {
            if !guard.holds(&mut condition) {
                return Ok((guard, WaitTimeoutResult(false)));
            }
            if over {
                return Ok((guard, WaitTimeoutResult(true)));
            }
            let (again, result) = self.wait_timeout(guard, timeout)?;
            guard = again;
            over = result.timed_out();
        }
    }

    fn wait_until<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        arg: u64,
        at: &'static Location<'static>,
    ) -> (LockResult<MutexGuard<'a, T>>, bool) {
        let mutex = guard.mutex();
        // To join the waiters and then release the mutex is as good as to do both at once: while
        // this thread holds the mutex, only a notification without the mutex can come in between,
        // and that wakes this thread either way.
        rt::perform(Op::new(self.id, Kind::Wait, at));
        drop(guard);
        let woken = rt::perform(Op::new(self.id, Kind::Wake, at).with_arg(arg));
        if woken.is_none() {
            // A destructor waits in an execution that has been given up: nobody will notify it.
            rt::stuck_for_good();
        }
        (mutex.lock_at(at), woken == Some(NOTIFIED))
    }

    /// Wakes one waiter, if there is one.
    #[track_caller]
    pub fn notify_one(&self) {
        let at = Location::caller();
        rt::perform(Op::new(self.id, Kind::NotifyOne, at));
    }

    /// Wakes all waiters.
    #[track_caller]
    pub fn notify_all(&self) {
        let at = Location::caller();
        rt::perform(Op::new(self.id, Kind::NotifyAll, at));
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Self {
        Condvar::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}
