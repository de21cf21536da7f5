//! The tasks of shuttle's that the threads of an execution run on.
//!
//! To make a task and to take it down again costs shuttle as much as several operations cost the rest.
//! So where the exploration alone decides who runs, one execution of shuttle's does for many of ours: a
//! task whose thread has ended waits for a thread of the next one, and the first task begins each.
//!
//! Threads of a scope may borrow, and those with a stack of their own need that: each gets a task of its
//! own, which ends with it, and shuttle's execution ends behind one with such a thread.

use super::{run_thread, with, Runtime};
use crate::op::Tid;
use std::time::Duration;

/// What a thread does.
pub(crate) type Code = Box<dyn FnOnce() + Send>;

/// shuttle keeps a list of all turns. After so many it gets to begin another execution.
const TURNS: usize = 20_000;

/// The tasks of one execution of shuttle's, by its numbers for them.
#[derive(Default)]
pub(crate) struct Tasks {
    /// Whether tasks outlive their threads.
    pub(crate) kept: bool,
    /// The task of each thread of our execution, in the order of their creation.
    of: Vec<usize>,
    /// How many there are.
    made: usize,
    /// Those that wait for a thread, and what those are to do that do so no more.
    idle: Vec<usize>,
    given: Vec<Option<(Tid, Code)>>,
    /// The task that runs has nothing to do, and gives up its turn.
    pub(super) passes: bool,
    /// Some task belongs to a single thread.
    single: bool,
    turns: usize,
    /// All tasks are to end.
    leave: bool,
}

impl Tasks {
    /// shuttle begins an execution, and has made the first task.
    pub(crate) fn renew(&mut self) {
        *self = Tasks { kept: self.kept, made: 1, given: vec![None], ..Tasks::default() };
    }

    /// An execution of ours begins, on the first task.
    pub(super) fn begin(&mut self) {
        self.of.clear();
        self.of.push(0);
    }

    /// The task of the thread in this place.
    pub(super) fn of(&self, place: usize) -> usize {
        self.of[place]
    }

    pub(super) fn made(&self) -> usize {
        self.made
    }

    /// A turn has been given. Returns whether this is so, all tasks are leaving, and it does not matter
    /// whose it is.
    pub(crate) fn leaving(&mut self) -> bool {
        self.turns += 1;
        self.leave
    }

    /// Whether shuttle can go on with these tasks. If not, they leave.
    pub(crate) fn last(&mut self, wanted: bool) -> bool {
        self.leave = !wanted || self.single || self.turns > TURNS;
        !self.leave
    }

    /// The thread that was admitted last gets a task of its own.
    fn one_more(&mut self) -> usize {
        self.of.push(self.made);
        self.given.push(None);
        self.made += 1;
        self.made - 1
    }

    /// The thread that was admitted last gets a task. Returns its number if it has to be made.
    fn employ(&mut self, tid: Tid, code: Code) -> Option<usize> {
        let idle = self.idle.pop();
        match idle {
            Some(task) => self.of.push(task),
            None => drop(self.one_more()),
        }
        let task = *self.of.last().expect("one was pushed");
        self.given[task] = Some((tid, code));
        idle.is_none().then_some(task)
    }
}

/// Runs the first thread's code, as often as there is another execution.
pub(crate) fn run_first(body: &(dyn Fn() + Send + Sync)) {
    loop {
        run_thread(0, body);
        if !with(|rt| rt.tasks.kept) {
            return;
        }
        pass(0);
        if with(|rt| rt.tasks.leave) {
            return;
        }
    }
}

/// Has the code of a thread that has just been admitted run on a task.
pub(crate) fn start(tid: Tid, stack_size: Option<usize>, code: Code) {
    if stack_size.is_none() && with(|rt| rt.tasks.kept) {
        if let Some(task) = with(|rt| rt.tasks.employ(tid, code)) {
            shuttle::thread::spawn(move || serve(task));
        }
        return;
    }
    makes_own();
    let mut task = shuttle::thread::Builder::new();
    if let Some(name) = with(|rt| rt.thread(tid).name.clone()) {
        task = task.name(name);
    }
    if let Some(size) = stack_size {
        task = task.stack_size(size);
    }
    task.spawn(move || run_thread(tid, code)).expect("shuttle spawns");
}

/// The thread that has just been admitted gets a task that somebody else makes.
pub(crate) fn makes_own() {
    with(|rt| {
        rt.tasks.one_more();
        rt.tasks.single = true;
    });
}

/// What a task does that is kept.
fn serve(task: usize) {
    while let Some((tid, code)) = with(|rt| rt.tasks.given[task].take()) {
        run_thread(tid, code);
        pass(task);
    }
}

/// The current task has nothing to do until it is given another thread, or all leave.
fn pass(task: usize) {
    with(|rt| {
        if task != 0 {
            rt.tasks.idle.push(task);
        }
        rt.tasks.passes = true;
    });
    shuttle::thread::sleep(Duration::ZERO);
}

impl Runtime {
    /// The task of a thread.
    pub(super) fn task(&self, tid: Tid) -> usize {
        self.tasks.of(self.place(tid))
    }
}
