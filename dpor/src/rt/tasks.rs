//! What the threads of an execution run on: coroutines of our own where the exploration alone decides who
//! runs, and shuttle's tasks where one of its schedulers does, or its runner.
//!
//! A coroutine serves one thread after another: to make one maps memory, which costs more than an
//! execution does otherwise. Those that nobody runs on are kept for the next execution, and the next
//! exploration, on this OS thread.
//!
//! Threads of a scope borrow, and only unsafe code can keep what borrows until it is resumed. shuttle has
//! that. So an execution that comes to a scope is given up, and is run again, as all that come behind it
//! are, on shuttle's tasks.

use super::{given_up, run_thread, with, Ending, Runtime};
use crate::op::Tid;
use generator::{Generator, Gn};
use std::cell::RefCell;
use std::sync::Arc;

/// What a thread does.
pub(crate) type Code = Box<dyn FnOnce() + Send>;

/// What a thread of ours runs on. It takes nothing and gives nothing, but its turn.
type Coroutine = Generator<'static, (), ()>;

/// A coroutine, and the size of its stack if that is not the usual.
type Task = (Coroutine, Option<usize>);

/// No more are kept for the next execution: it cannot have more threads.
const KEPT: usize = 64;

/// The coroutines that nobody runs on, and how large their stacks are, in bytes.
#[derive(Default)]
struct Idle {
    stack_size: usize,
    coroutines: Vec<Coroutine>,
}

thread_local! {
    static IDLE: RefCell<Idle> = RefCell::default();
}

/// What the threads of the current execution run on.
#[derive(Default)]
pub(crate) struct Tasks {
    /// If that is ours: how large the stacks are, in bytes.
    stack_size: Option<usize>,
    /// Those of the threads whose turn it is not.
    coroutines: Vec<Option<Task>>,
    /// The body has come to a scope.
    borrow: bool,
}

impl Tasks {
    /// Whether the threads run on coroutines of ours.
    pub(super) fn are_ours(&self) -> bool {
        self.stack_size.is_some()
    }
}

/// Runs executions of `body` on coroutines until `conclude` says no. Returns whether the rest has to run
/// on shuttle's tasks.
pub(crate) fn run(
    body: &Arc<dyn Fn() + Send + Sync>,
    stack_size: usize,
    conclude: &mut dyn FnMut(&mut Runtime) -> bool,
) -> bool {
    loop {
        with(|rt| {
            rt.tasks = Tasks { stack_size: Some(stack_size), ..Tasks::default() };
            rt.start();
        });
        let first = body.clone();
        start(0, None, Box::new(move || first()));
        let mut back = None;
        while let Some((tid, task)) = with(|rt| rt.next_task(back.take())) {
            back = resume(task).map(|task| (tid, task));
        }
        if let Some(tid) = with(|rt| rt.left()) {
            super::never_ends(tid);
        }
        if with(|rt| rt.tasks.borrow) {
            with(|rt| {
                rt.tasks = Tasks::default();
                rt.counts();
            });
            return true;
        }
        if !with(|rt| rt.conclude(conclude)) {
            return false;
        }
    }
}

impl Runtime {
    /// Takes back the coroutine of a thread that has given up its turn, and gives out that of the one whose turn
    /// it is.
    fn next_task(&mut self, back: Option<(Tid, Task)>) -> Option<(Tid, Task)> {
        if let Some((tid, task)) = back {
            self.tasks.coroutines[usize::from(tid)] = Some(task);
        }
        let tid = self.turn()?;
        let task = self.tasks.coroutines[usize::from(tid)].take();
        Some((tid, task.expect("a thread that has not ended has a coroutine")))
    }
}

/// Runs a thread until it gives up its turn, or ends. Returns its coroutine if it has not ended.
fn resume((mut coroutine, size): Task) -> Option<Task> {
    coroutine.resume();
    if !coroutine.is_done() {
        return Some((coroutine, size));
    }
    if size.is_none() {
        IDLE.with_borrow_mut(|idle| {
            if idle.coroutines.len() < KEPT {
                idle.coroutines.push(coroutine);
            }
        });
    }
    None
}

/// A coroutine that nobody runs on.
fn coroutine(stack_size: usize) -> Coroutine {
    let kept = IDLE.with_borrow_mut(|idle| {
        if idle.stack_size != stack_size {
            *idle = Idle { stack_size, coroutines: Vec::new() };
        }
        idle.coroutines.pop()
    });
    kept.unwrap_or_else(|| new(stack_size))
}

fn new(stack_size: usize) -> Coroutine {
    // In words. Of an odd number it would measure how many are used.
    let words = (stack_size / size_of::<usize>()).next_multiple_of(2);
    let mut new = Gn::new_opt(words, || {});
    new.cancel();
    new
}

/// Has the code of a thread that has just been admitted run.
pub(crate) fn start(tid: Tid, stack_size: Option<usize>, code: Code) {
    let code = with(|rt| {
        let Some(usual) = rt.tasks.stack_size else { return Some(code) };
        let mut coroutine = stack_size.map_or_else(|| coroutine(usual), new);
        coroutine.init_code(move || run_thread(tid, code));
        let all = &mut rt.tasks.coroutines;
        let place = usize::from(tid);
        if all.len() <= place {
            all.resize_with(place + 1, || None);
        }
        all[place] = Some((coroutine, stack_size));
        None
    });
    if let Some(code) = code {
        start_task(tid, stack_size, code);
    }
}

/// Has it run on a task of shuttle's.
fn start_task(tid: Tid, stack_size: Option<usize>, code: Code) {
    let mut task = shuttle::thread::Builder::new();
    if let Some(name) = with(|rt| rt.thread(tid).name.clone()) {
        task = task.name(name);
    }
    if let Some(size) = stack_size {
        task = task.stack_size(size);
    }
    task.spawn(move || run_thread(tid, code)).expect("shuttle spawns");
}

/// Gives up the turn of a coroutine.
pub(super) fn pass() {
    // The ways that are not deprecated want a handle, which would have to be passed through the body.
    #[allow(deprecated)]
    generator::yield_with(());
}

/// The body is about to spawn threads that borrow. Returns whether they can; if not, the execution has
/// been given up, and a destructor asks.
pub(crate) fn can_borrow() -> bool {
    let can = with(|rt| {
        if rt.tasks.are_ours() {
            rt.tasks.borrow = true;
            rt.ending.get_or_insert(Ending::Probed);
        }
        !rt.tasks.are_ours()
    });
    if !can {
        given_up();
    }
    can
}
