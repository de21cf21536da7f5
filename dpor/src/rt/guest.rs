//! The primitives under somebody else's scheduler.
//!
//! In a body that shuttle runs without an [`Explorer`](crate::Explorer) (`shuttle::check_random`,
//! a `Runner` with any scheduler, a replay), the primitives are guests: each operation is a scheduling
//! point of shuttle's, a blocked one blocks shuttle's task, and shuttle finds the deadlocks. What a
//! violation is to an explorer is a panic here, so that it fails the test as any panic does.
//!
//! The runtime is a label of the execution's first task: it begins and ends with the execution.
//! Whoever unwinds keeps its turn where it can, because std counts panics by OS thread, and all the
//! execution's threads share one.

use super::state::{Mode, Runtime};
use super::thread::Status;
use super::TornDown;
use crate::names::Names;
use crate::op::Tid;
use crate::report::Found;
use shuttle::current::{get_label_for_task, set_label_for_task, try_get_current_task};
use shuttle::scheduler::TaskId;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

/// What a guest keeps beside the runtime.
#[derive(Default)]
pub(crate) struct Guest {
    /// shuttle's tasks, and the threads that they are here.
    tasks: Vec<(TaskId, Tid)>,
    /// The threads that are blocked, and how to wake them.
    blocked: Vec<(Tid, Waker)>,
}

#[derive(Clone)]
struct Label(Rc<RefCell<Runtime>>);

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("shuttle-dpor's runtime")
    }
}

/// The current execution's runtime, in which the current task is the current thread. `None` outside
/// of a shuttle execution.
pub(super) fn runtime() -> Option<Rc<RefCell<Runtime>>> {
    let task = try_get_current_task()?;
    let Label(rt) = match get_label_for_task(TaskId::from(0)) {
        Some(label) => label,
        None => {
            let mut rt = Runtime::new(Mode::Guest(Guest::default()), Names::default(), usize::MAX);
            rt.fails = true;
            rt.begin();
            rt.thread(0).status = Status::Running;
            let label = Label(Rc::new(RefCell::new(rt)));
            set_label_for_task(TaskId::from(0), label.clone());
            label
        }
    };
    let mut runtime = rt.borrow_mut();
    runtime.current = match runtime.guest().tasks.iter().find(|(t, _)| *t == task) {
        Some(&(_, tid)) => tid,
        None => runtime.welcome(task),
    };
    drop(runtime);
    Some(rt)
}

impl Runtime {
    fn guest(&mut self) -> &mut Guest {
        match &mut self.mode {
            Mode::Guest(guest) => guest,
            _ => unreachable!("the runtime of an explorer is no guest"),
        }
    }

    /// A task that has not been seen: the first, or one that was spawned behind our back.
    fn welcome(&mut self, task: TaskId) -> Tid {
        let tid = if usize::from(task) == 0 { 0 } else { self.spawn(None) };
        self.threads[tid as usize].status = Status::Running;
        self.guest().tasks.push((task, tid));
        tid
    }

    /// Whether the current thread can go on; if so it learns what it waited for.
    fn may_go_on(&mut self) -> bool {
        let me = self.current;
        let status = self.threads[me as usize].status;
        match status {
            Status::Running => return true,
            Status::At(_) => return self.enabled(me),
            _ => {}
        }
        let done = self.settle(me);
        if done {
            self.threads[me as usize].status = Status::Running;
        }
        done
    }

    /// Wakes those whom the last operation, or the end of a thread, has made able to go on.
    pub(super) fn wake_guests(&mut self) {
        let Mode::Guest(guest) = &mut self.mode else { return };
        let mut still = std::mem::take(&mut guest.blocked);
        still.retain(|(tid, waker)| {
            let can = self.enabled(*tid) || self.settle(*tid);
            if can {
                waker.wake_by_ref();
            }
            !can
        });
        self.guest().blocked.append(&mut still);
    }
}

/// Registers the current task of shuttle's as thread `tid`.
pub(super) fn arrive_as(tid: Tid) {
    let Some(task) = try_get_current_task() else { return };
    let Some(Label(rt)) = get_label_for_task(TaskId::from(0)) else { return };
    let mut rt = rt.borrow_mut();
    rt.guest().tasks.push((task, tid));
    rt.thread(tid).status = Status::Running;
}

/// A scheduling point of shuttle's, and then a wait until the current thread can go on.
pub(super) fn switch() {
    let torn = TornDown;
    // When shuttle tears the execution down, it decides who unwinds next.
    if !std::thread::panicking() || super::dying() {
        // The only call in shuttle's interface that is a plain switch: it models no time.
        shuttle::thread::sleep(Duration::ZERO);
    }
    shuttle::future::block_on(std::future::poll_fn(|context| {
        super::with(|rt| {
            let me = rt.current;
            if rt.ending.is_some() || rt.may_go_on() {
                return Poll::Ready(());
            }
            let guest = rt.guest();
            guest.blocked.retain(|(tid, _)| *tid != me);
            guest.blocked.push((me, context.waker().clone()));
            Poll::Pending
        })
    }));
    std::mem::forget(torn);
}

/// A scheduling point of shuttle's at which the current thread had rather not go on.
pub(crate) fn yield_now() {
    let torn = TornDown;
    if !std::thread::panicking() {
        shuttle::thread::yield_now();
    }
    std::mem::forget(torn);
}

/// Fails the test if something has been violated.
pub(crate) fn complain() {
    if std::thread::panicking() {
        return;
    }
    let found = super::with(|rt| if rt.fails { rt.violations.pop() } else { None });
    if let Some(Found { name, detail, .. }) = found {
        panic!("{name}: {detail}");
    }
}

shuttle::thread_local! {
    static LOCALS: Locals = Locals;
}

/// Drops a thread's locals with shuttle's own, where `run_thread` does not: the first thread's.
struct Locals;

impl Drop for Locals {
    fn drop(&mut self) {
        drop_locals();
    }
}

/// Drops the current thread's locals, the latest first.
pub(crate) fn drop_locals() {
    while let Some(local) = super::try_with(|rt| rt.thread(rt.current).last_local()).flatten() {
        drop(local);
    }
}

/// The current thread has a local.
pub(crate) fn has_locals() {
    if super::fails() {
        let _ = LOCALS.try_with(|_| ());
    }
}
