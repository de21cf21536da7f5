//! The runtime of one worker: which threads exist, what each is about to do, and whose turn it is.
//!
//! Every primitive comes through [`perform`]: it announces an operation, gives up its turn, and
//! performs the operation when it is given the turn again. That an operation is blocked is known here alone,
//! because here is known what each thread wants and what the objects allow. What threads run on is told in
//! [`tasks`], and what need not be done for a thread that is [`alone`]. A worker is one OS thread, so this is thread-local.

mod alone;
mod blocked;
mod cells;
mod ending;
pub(crate) mod guest;
mod owners;
mod pause;
mod references;
mod rest;
mod state;
mod statics;
mod strays;
mod tasks;
mod thread;
mod turn;

pub(crate) use ending::divergence;
pub(crate) use references::{counted, destroying, note_reference, reference_cloned, references};
pub(crate) use state::{Ending, Mode, Note, Runtime};
pub(crate) use statics::{of_static, unless_making};
pub(crate) use tasks::{can_borrow, run, start};
pub(crate) use thread::{Local, Status, Thread};
pub(crate) use turn::Turnover;

use self::turn::Arrival;
use crate::object::{Applied, State};
use crate::op::{Kind, Label, ObjId, Op, Tid};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe, Location};
use std::time::Duration;

thread_local! {
    /// Whether one of the body's threads is marked as one that panics.
    static MARKED: Cell<bool> = const { Cell::new(false) };
    static RUNTIME: RefCell<Option<Box<Runtime>>> = const { RefCell::new(None) };
}

/// The payload that unwinds the threads of an execution that has been given up.
struct GivenUp;

/// Runs `f` on this worker's runtime.
pub(crate) fn with<R>(f: impl FnOnce(&mut Runtime) -> R) -> R {
    RUNTIME.with(|cell| on(&mut cell.borrow_mut(), f)).expect(
        "shuttle-dpor's primitives work only inside the body of an `Explorer` or of a shuttle test",
    )
}

/// Runs `f` on this worker's runtime, if there is one.
pub(crate) fn try_with<R>(f: impl FnOnce(&mut Runtime) -> R) -> Option<R> {
    RUNTIME.try_with(|cell| on(&mut *cell.try_borrow_mut().ok()?, f)).ok().flatten()
}

/// Runs `f` on the worker's own runtime, or on that of the execution whose guest it is.
fn on<R>(own: &mut Option<Box<Runtime>>, f: impl FnOnce(&mut Runtime) -> R) -> Option<R> {
    let (guests, mut borrowed);
    // `f` is called in one place, because this function is compiled for each closure there is.
    Some(f(match own {
        Some(rt) => rt,
        None => {
            guests = guest::runtime()?;
            borrowed = guests.borrow_mut();
            &mut borrowed
        }
    }))
}

/// Whether somebody else schedules.
pub(crate) fn is_guest() -> bool {
    RUNTIME.with(|cell| cell.borrow().is_none())
}

/// Whether panics and violations fail the test, and are shuttle's to report.
pub(crate) fn fails() -> bool {
    with(|rt| rt.fails)
}

/// Makes `rt` the runtime of this OS thread, and returns the one that was.
pub(crate) fn install(rt: Option<Box<Runtime>>) -> Option<Box<Runtime>> {
    RUNTIME.with(|cell| cell.replace(rt))
}

/// Whether an operation is modelled, or belongs to an execution that has been given up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grant {
    /// It is this thread's turn, and the operation is enabled.
    Mine,
    /// The execution has been given up and a destructor runs while its threads unwind: do what can
    /// be done without waiting.
    GivenUp,
}

/// Announces `op` and waits for the turn to perform it.
pub(crate) fn announce(op: Op) -> Grant {
    let arrival = RUNTIME.with(|cell| on(&mut cell.borrow_mut(), |rt| rt.arrive(&op)));
    granted(arrival.unwrap_or_else(|| strays::refuse(&op)))
}

/// Waits for the turn to perform what the current thread has come to.
fn granted(arrival: Arrival) -> Grant {
    match arrival {
        Arrival::Go => return Grant::Mine,
        Arrival::GivenUp => return given_up(),
        Arrival::Misplaced(name) => statics::misplaced(name, "performs an operation"),
        Arrival::Switch => switch(),
    }
    if with(|rt| rt.ending.is_some()) {
        given_up()
    } else {
        Grant::Mine
    }
}

fn given_up() -> Grant {
    outlived();
    if panicking() {
        Grant::GivenUp
    } else {
        if let Some(why) = with(|rt| rt.failure()) {
            panic!("{why}");
        }
        // The panic hook does not see this one.
        panics();
        resume_unwind(Box::new(GivenUp))
    }
}

/// Gives the turn to whom the runtime has chosen, or lets shuttle ask for a choice.
fn switch() {
    if is_guest() {
        return guest::switch();
    }
    let unwinding = panicking();
    let ours = with(|rt| {
        if unwinding {
            let me = rt.current;
            rt.unwinding += 1;
            // It may have got here by `resume_unwind`, which the panic hook does not see.
            rt.thread(me).panics = true;
            MARKED.set(true);
        }
        rt.tasks.are_ours()
    });
    if ours {
        tasks::pass();
    } else {
        let torn = TornDown;
        // The only call in shuttle's interface that is a plain switch: it models no time.
        shuttle::thread::sleep(Duration::ZERO);
        std::mem::forget(torn);
    }
    if unwinding {
        with(|rt| rt.unwinding -= 1);
    }
}

/// Marks the execution as given up if shuttle unwinds a thread that waits for its turn.
struct TornDown;

impl Drop for TornDown {
    fn drop(&mut self) {
        try_with(|rt| {
            rt.ending.get_or_insert(Ending::Torn);
        });
    }
}

/// Whether the current thread is unwinding. std knows only that some thread of the execution is.
pub(crate) fn panicking() -> bool {
    if !std::thread::panicking() {
        // A panic that has been caught leaves the mark behind.
        if MARKED.replace(false) {
            with(|rt| rt.threads.iter_mut().for_each(|thread| thread.panics = false));
        }
        return false;
    }
    with(|rt| rt.unwinding == 0 || rt.thread(rt.current).panics)
}

/// After so many steps, what goes on in an execution that has been given up does not end.
const OUTLIVED: usize = 100_000;

/// Counts the steps of an execution that has been given up. Its threads unwind; but a destructor may
/// wait for what cannot come any more, and a loop may catch what unwinds it. No panic would end these.
fn outlived() {
    let who = with(|rt| {
        rt.outlived += 1;
        (rt.outlived > OUTLIVED).then_some(rt.current)
    });
    if let Some(who) = who {
        never_ends(who);
    }
}

/// Ends the process, because of a thread that does not unwind.
fn never_ends(tid: Tid) -> ! {
    eprintln!(
        "shuttle-dpor: the execution has been given up (a deadlock, or too many steps), and {} does not \
         end: a destructor waits for what cannot come, or a loop catches every panic. The exploration \
         cannot go on.",
        with(|rt| rt.thread_name(tid))
    );
    std::process::abort();
}

/// The panic hook tells that the current thread panics, and is told which one that is.
pub(crate) fn panics() -> Option<Tid> {
    try_with(|rt| {
        let me = rt.current;
        rt.threads.get_mut(me as usize)?.panics = true;
        MARKED.set(true);
        Some(me)
    })
    .flatten()
}

/// Performs an operation whose effect the object's modelled state describes in full. Returns what
/// came of it, or `None` in an execution that has been given up.
pub(crate) fn perform(op: Op) -> Option<u64> {
    // Most operations go on at once.
    let arrival = RUNTIME.with(|cell| {
        on(&mut cell.borrow_mut(), |rt| match rt.perform_alone(&op) {
            Some(value) => Ok(value),
            None => match rt.arrive_among_others(&op) {
                Arrival::Go => Ok(rt.apply(&op)),
                other => Err(other),
            },
        })
    });
    match arrival.unwrap_or_else(|| strays::refuse(&op)) {
        Ok(value) => Some(value),
        Err(arrival) => match granted(arrival) {
            Grant::Mine => Some(with(|rt| rt.apply(&op))),
            Grant::GivenUp => None,
        },
    }
}

/// Performs the operation of a destructor that releases what its thread has, and calls `unwinds` before it
/// if some thread unwinds. Does nothing where there is no execution, or one that has been given up.
pub(crate) fn release(op: Op, unwinds: impl FnOnce()) {
    let quiet = !std::thread::panicking();
    let arrival = try_with(|rt| {
        if rt.ending.is_some() || quiet && rt.perform_alone(&op).is_some() {
            return None;
        }
        match rt.arrive_among_others(&op) {
            Arrival::Go if quiet => {
                rt.apply(&op);
                None
            }
            other => Some(other),
        }
    });
    if let Some(arrival) = arrival.flatten() {
        if granted(arrival) == Grant::Mine {
            unwinds();
            with(|rt| rt.apply(&op));
        }
    }
}

/// Like [`perform`], and returns what `look` sees just before it.
pub(crate) fn announced<R>(op: Op, look: impl FnOnce(&Runtime) -> R) -> Option<(R, u64)> {
    match announce(op) {
        Grant::Mine => Some(with(|rt| (look(rt), rt.apply(&op)))),
        Grant::GivenUp => None,
    }
}

/// Performs an operation whose effect is `f`'s: it returns its result, the value before, the value
/// to show and the kind that the operation turned out to be.
pub(crate) fn perform_with<R>(op: Op, f: impl FnOnce() -> (R, u64, u64, Kind)) -> R {
    let turn = announce(op);
    let (result, pre, val, kind) = f();
    if turn == Grant::Mine {
        with(|rt| {
            rt.note_switch();
            rt.commit(&op, Applied { label: Label::new(op.obj, kind), pre, val, after: None })
        });
    }
    result
}

/// A destructor cannot get what it waits for in an execution that has been given up, unless another
/// thread unwinds first. Returns whether it is worth trying again.
pub(crate) fn stuck() {
    outlived();
    with(|rt| rt.stuck());
    switch();
}

/// A destructor waits for what cannot come any more.
pub(crate) fn stuck_for_good() -> ! {
    loop {
        stuck();
    }
}

/// Whether a weak compare-exchange of the current thread may fail spuriously.
pub(crate) fn may_fail_spuriously() -> bool {
    with(|rt| {
        let may = rt.spurious_failures;
        rt.ending.is_none() && rt.thread(rt.current).failures < may
    })
}

/// Whether there is no execution, or one that has been given up.
pub(crate) fn dying() -> bool {
    try_with(|rt| rt.ending.is_some()).unwrap_or(true)
}

/// Names an object, for the witness.
pub(crate) fn set_name(obj: ObjId, name: Cow<'static, str>) {
    with(|rt| rt.objects[obj as usize].name = Some(name));
}

/// Creates an object, which is known by the place of the call unless it is given a name.
#[track_caller]
pub(crate) fn create(state: State) -> ObjId {
    let at = Location::caller();
    with(|rt| {
        let obj = rt.create(state, at);
        rt.note_owner(obj);
        obj
    })
}

/// Blocks until `target` has ended.
pub(crate) fn join(target: Tid, at: &'static Location<'static>) {
    wait(Status::Joining(target, at));
}

/// Like [`join`], but returns only when `target` has ended, also if the execution is given up.
pub(crate) fn join_or_outlive(target: Tid, at: &'static Location<'static>) {
    if with(|rt| rt.wait(Status::Joining(target, at))) {
        switch();
    }
    while with(|rt| rt.unfinished(target)) {
        stuck();
    }
}

/// Blocks as `status` says.
pub(crate) fn wait(status: Status) {
    if with(|rt| rt.wait(status)) {
        switch();
    }
    unless_given_up();
}

/// Unwinds the current thread if the execution has been given up.
pub(crate) fn unless_given_up() {
    if with(|rt| rt.ending.is_some()) {
        given_up();
    }
}

/// Runs a thread's code: everything between its first step and its end.
pub(crate) fn run_thread(tid: Tid, f: impl FnOnce()) {
    let mut once = Some(f);
    run_threads_function(tid, &mut |begins| {
        let f = once.take();
        match begins {
            true => f.into_iter().for_each(|f| f()),
            false => drop(f),
        }
    });
}

fn run_threads_function(tid: Tid, f: &mut dyn FnMut(bool)) {
    if is_guest() {
        guest::arrive_as(tid);
    }
    let (fails, given_up) = with(|rt| (rt.fails, rt.ending.is_some()));
    if fails {
        f(true);
        guest::drop_locals();
        end(tid);
        with(|rt| rt.finish(tid));
        return;
    }
    // Of one that never begins goes what it has, which may perform an operation, and so unwind.
    let result = catch_unwind(AssertUnwindSafe(|| f(!given_up)));
    report_panic(tid, result);
    if with(|rt| rt.thread(tid).leaves()) {
        // Thread-locals go while their thread can still act, the latest first, as std's do.
        while let Some(local) = with(|rt| rt.thread(tid).last_local()) {
            report_panic(tid, catch_unwind(AssertUnwindSafe(move || drop(local))));
        }
        report_panic(tid, catch_unwind(|| end(tid)));
    }
    strays::report();
    with(|rt| rt.finish(tid));
}

/// Ends a thread, where that is an operation.
fn end(tid: Tid) {
    if let Some((end, at)) = with(|rt| rt.thread(tid).end) {
        perform(Op::new(end, Kind::End, at));
    }
}

fn report_panic(tid: Tid, result: std::thread::Result<()>) {
    if let Err(payload) = result {
        if !payload.is::<GivenUp>() {
            note_panic(tid, payload.as_ref());
        }
    }
}

/// Records a panic of thread `tid` as a violation.
pub(crate) fn note_panic(tid: Tid, payload: &(dyn std::any::Any + Send)) {
    let (text, place) = crate::hook::describe(Some(tid), payload);
    let detail = if place.is_empty() { text } else { format!("{text} at {place}") };
    with(|rt| {
        rt.thread(tid).panicked = true;
        rt.thread(tid).panics = false;
        let who = rt.thread_name(tid);
        rt.note(format!("panics: {detail}"));
        rt.violation("panic".into(), place, format!("{detail}, in {who}"));
    });
}

/// Whether `payload` is what unwinds an execution that has been given up.
pub(crate) fn is_given_up(payload: &(dyn std::any::Any + Send)) -> bool {
    payload.is::<GivenUp>()
}
