//! The runtime's state and its decisions.

use super::order::{Cell, Known};
use crate::explore::{Blocked, Choice, Search, View};
use crate::names::{NameCache, Names};
use crate::object::{Applied, Object, State};
use crate::op::{ObjId, Op, Pid, NO_OBJECT};
use crate::trace::{join, Clock, Performed, Trace};
use std::any::Any;
use std::borrow::Cow;
use std::panic::Location;
use std::rc::Rc;

/// Where a thread is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Phase {
    /// Not in this execution.
    Absent,
    /// Spawned, and has not run.
    Starting,
    /// Between two operations.
    Running,
    /// About to perform an operation.
    At(Op),
    /// Waiting for a thread to end.
    Joining(Pid, &'static Location<'static>),
    /// Waiting at a barrier for the end of a generation.
    Gathering(ObjId, u64),
    /// Over.
    Finished,
}

/// A thread of the current execution.
pub(crate) struct Task {
    pub(crate) phase: Phase,
    /// What it knows: the happens-before of its next event, but for that event's object.
    pub(crate) clock: Clock,
    /// The same for the detection of data races.
    pub(crate) known: Known,
    pub(crate) name: Option<String>,
    /// Its parent, and its place among the parent's children.
    parent: Pid,
    nth: u32,
    pub(crate) locals: Vec<(usize, Rc<dyn Any>)>,
    pub(crate) panicked: bool,
    /// Whether it has panicked and the panic has not been caught by its end.
    pub(crate) panics: bool,
    /// The object that holds its park token, once somebody needs it.
    pub(crate) token: Option<ObjId>,
    children: u32,
    objects: u32,
    yielded: bool,
    /// How often it has woken spuriously.
    spurious: u32,
    stuck: bool,
}

impl Task {
    fn absent() -> Self {
        Task {
            phase: Phase::Absent,
            clock: Clock::new(),
            known: Known::default(),
            name: None,
            parent: 0,
            nth: 0,
            locals: Vec::new(),
            panicked: false,
            panics: false,
            token: None,
            children: 0,
            objects: 0,
            yielded: false,
            spurious: 0,
            stuck: false,
        }
    }

    fn reset(&mut self) {
        self.phase = Phase::Absent;
        self.clock.clear();
        self.known.clear();
        self.name = None;
        self.locals.clear();
        self.panicked = false;
        self.panics = false;
        self.token = None;
        self.children = 0;
        self.objects = 0;
        self.yielded = false;
        self.spurious = 0;
        self.stuck = false;
    }
}

/// Why an execution ends before all its threads have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nobody can go on, and somebody has not ended.
    Deadlock,
    /// Every thread that could go on is asleep: the execution is equivalent to an earlier one.
    Redundant,
    /// It reached the step limit.
    TooLong,
    /// It did not do what it did before.
    Diverged(String),
}

/// Who decides.
pub(crate) enum Mode {
    /// The exploration does.
    Explore(Box<Search>),
    /// A schedule does: the thread of each event.
    Follow(Vec<Pid>),
    /// One of shuttle's schedulers does.
    Sample,
}

/// What the thread that has come to an operation has to do.
pub(crate) enum Arrival {
    Go,
    Switch,
    GivenUp,
}

/// A note that the body made, for the witness.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) pid: Pid,
    /// How many events there had been.
    pub(crate) at: usize,
    pub(crate) text: String,
}

/// The state of one worker.
pub(crate) struct Runtime {
    pub(crate) mode: Mode,
    pub(crate) trace: Trace,
    pub(crate) objects: Vec<Object>,
    pub(crate) tasks: Vec<Task>,
    /// The threads of this execution, in the order of their creation, which is also shuttle's.
    pub(crate) live: Vec<Pid>,
    pub(crate) current: Pid,
    pub(crate) ending: Option<Ending>,
    pub(crate) violations: Vec<(Cow<'static, str>, String)>,
    /// Whether a witness is being made: only then are notes kept.
    pub(crate) recording: bool,
    /// How many threads have given up their turn while they unwind.
    pub(crate) unwinding: usize,
    pub(crate) notes: Vec<Note>,
    /// Before which events the thread changed, and why.
    pub(crate) switches: Vec<(usize, String)>,
    pub(crate) max_steps: usize,
    pub(crate) spurious: u32,
    /// The operations that were blocked when the execution ended in a deadlock.
    pub(crate) stalled: Vec<Blocked>,
    /// What to say about the deadlock, when a witness is being made.
    pub(crate) deadlock: String,
    /// Whether data races are looked for, and the cells in which.
    pub(super) tracking: bool,
    pub(super) cells: Vec<Cell>,
    chosen: Option<Pid>,
    names: NameCache,
    idle: usize,
    used: Vec<ObjId>,
    scratch: Clock,
}

impl Runtime {
    pub(crate) fn new(mode: Mode, names: Names, max_steps: usize) -> Self {
        Runtime {
            mode,
            trace: Trace::default(),
            objects: Vec::new(),
            tasks: Vec::new(),
            live: Vec::new(),
            current: 0,
            ending: None,
            violations: Vec::new(),
            recording: false,
            unwinding: 0,
            notes: Vec::new(),
            switches: Vec::new(),
            max_steps,
            spurious: 0,
            stalled: Vec::new(),
            deadlock: String::new(),
            tracking: false,
            cells: Vec::new(),
            chosen: None,
            names: NameCache::new(names),
            idle: 0,
            used: Vec::new(),
            scratch: Clock::new(),
        }
    }

    /// Forgets the last execution and starts the body's own thread.
    pub(crate) fn begin(&mut self) {
        self.trace.clear();
        for obj in self.used.drain(..) {
            self.objects[obj as usize].reset();
        }
        for pid in self.live.drain(..) {
            self.tasks[pid as usize].reset();
        }
        self.ending = None;
        self.violations.clear();
        self.notes.clear();
        self.switches.clear();
        self.stalled.clear();
        self.tracking = false;
        self.unwinding = 0;
        self.cells.clear();
        self.chosen = None;
        self.idle = 0;
        self.current = 0;
        self.admit(0, 0, 0);
    }

    pub(crate) fn task(&mut self, pid: Pid) -> &mut Task {
        &mut self.tasks[pid as usize]
    }

    fn admit(&mut self, pid: Pid, parent: Pid, nth: u32) {
        assert!(pid < 64, "shuttle-dpor explores at most 64 threads");
        if self.tasks.len() <= pid as usize {
            self.tasks.resize_with(pid as usize + 1, Task::absent);
        }
        self.live.push(pid);
        let task = &mut self.tasks[pid as usize];
        task.phase = Phase::Starting;
        task.parent = parent;
        task.nth = nth;
    }

    /// A new thread, which knows what the current one knows.
    pub(crate) fn spawn(&mut self, name: Option<String>) -> Pid {
        let parent = self.current;
        let nth = self.tasks[parent as usize].children;
        self.tasks[parent as usize].children += 1;
        let pid = self.names.thread(parent, nth);
        self.admit(pid, parent, nth);
        let known = std::mem::take(&mut self.tasks[parent as usize].clock);
        let child = &mut self.tasks[pid as usize];
        child.clock.clear();
        child.clock.extend_from_slice(&known);
        child.name = name;
        self.tasks[parent as usize].clock = known;
        if self.tracking {
            let known = self.tasks[parent as usize].known.now.clone();
            join(&mut self.tasks[pid as usize].known.now, &known);
        }
        pid
    }

    pub(crate) fn create(&mut self, state: State) -> ObjId {
        let creator = &mut self.tasks[self.current as usize];
        let nth = creator.objects;
        creator.objects += 1;
        let obj = self.names.object(self.current, nth);
        if self.objects.len() <= obj as usize {
            self.objects.resize_with(obj as usize + 1, Object::default);
        }
        self.used.push(obj);
        let object = &mut self.objects[obj as usize];
        object.state = state;
        object.alive = true;
        object.made = (self.current, nth);
        obj
    }

    pub(crate) fn finish(&mut self, pid: Pid) {
        self.tasks[pid as usize].phase = Phase::Finished;
        for &p in &self.live {
            self.tasks[p as usize].stuck = false;
        }
    }

    pub(crate) fn violation(&mut self, name: Cow<'static, str>, detail: String) {
        if !self.violations.iter().any(|(n, _)| *n == name) {
            self.violations.push((name, detail));
        }
    }

    pub(crate) fn stuck(&mut self) {
        self.tasks[self.current as usize].stuck = true;
    }

    /// The current thread is about to perform `op`.
    pub(crate) fn arrive(&mut self, op: Op) -> Arrival {
        if self.ending.is_some() {
            return Arrival::GivenUp;
        }
        let me = self.current;
        debug_assert!(
            op.obj == NO_OBJECT || self.objects.get(op.obj as usize).is_some_and(|o| o.alive),
            "an object is used in another execution than the one that made it"
        );
        self.tasks[me as usize].phase = Phase::At(op);
        if matches!(self.mode, Mode::Sample) {
            return Arrival::Switch;
        }
        match self.next() {
            Some(next) if next == me && self.ending.is_none() => Arrival::Go,
            Some(next) if next == me => Arrival::GivenUp,
            next => {
                self.chosen = next;
                Arrival::Switch
            }
        }
    }

    /// The current thread waits as `phase` says. Returns whether it has to give up its turn for that.
    pub(crate) fn wait(&mut self, phase: Phase) -> bool {
        if self.ending.is_some() {
            return false;
        }
        let me = self.current;
        self.tasks[me as usize].phase = phase;
        if self.settle(me) {
            self.tasks[me as usize].phase = Phase::Running;
            return false;
        }
        if !matches!(self.mode, Mode::Sample) {
            self.chosen = self.next();
        }
        true
    }

    /// The current thread has nothing better to do than to let others run.
    pub(crate) fn yielded(&mut self) {
        self.tasks[self.current as usize].yielded = true;
        self.idle += 1;
        if self.idle > self.max_steps && self.ending.is_none() {
            self.ending = Some(Ending::TooLong);
        }
    }

    pub(crate) fn may_wake_spuriously(&self) -> bool {
        self.tasks[self.current as usize].spurious < self.spurious
    }

    pub(crate) fn woke_spuriously(&mut self) {
        self.tasks[self.current as usize].spurious += 1;
    }

    /// Whether a thread that does not stand at an operation can go on; if so it learns what it
    /// waited for. Such steps commute with everything, so they are taken as soon as possible and
    /// are no events.
    fn settle(&mut self, pid: Pid) -> bool {
        match self.tasks[pid as usize].phase {
            Phase::Starting => true,
            Phase::Joining(target, _) => {
                let done = matches!(self.tasks[target as usize].phase, Phase::Finished);
                if done {
                    let known = std::mem::take(&mut self.tasks[target as usize].clock);
                    join(&mut self.tasks[pid as usize].clock, &known);
                    self.tasks[target as usize].clock = known;
                    if self.tracking {
                        let known = self.tasks[target as usize].known.now.clone();
                        join(&mut self.tasks[pid as usize].known.now, &known);
                    }
                }
                done
            }
            Phase::Gathering(obj, generation) => {
                let object = &self.objects[obj as usize];
                let State::Barrier { generation: now, .. } = object.state else { return false };
                if now > generation {
                    // Nothing has happened at the barrier since: this is what the last to come knew.
                    join(&mut self.tasks[pid as usize].clock, &object.written);
                    object.released.acquire(&mut self.tasks[pid as usize].known);
                }
                now > generation
            }
            _ => false,
        }
    }

    /// A thread whose next step is no event, if there is one.
    pub(crate) fn ready(&mut self) -> Option<Pid> {
        for i in 0..self.live.len() {
            let pid = self.live[i];
            if self.settle(pid) {
                return Some(pid);
            }
        }
        None
    }

    pub(crate) fn enabled(&self, pid: Pid) -> bool {
        match &self.tasks[pid as usize].phase {
            Phase::At(op) => op.obj == NO_OBJECT || self.objects[op.obj as usize].enabled(op, pid),
            _ => false,
        }
    }

    pub(crate) fn unfinished(&self, pid: Pid) -> bool {
        !matches!(self.tasks[pid as usize].phase, Phase::Finished)
    }

    /// In an execution that has been given up, who unwinds next.
    fn next_to_unwind(&self) -> Option<Pid> {
        let mut rest = self.live.iter().copied().filter(|&p| self.unfinished(p));
        rest.find(|&p| !self.tasks[p as usize].stuck)
    }

    /// Nobody is enabled, or the execution is too long: ends it if somebody has not ended.
    pub(crate) fn end(&mut self, ending: Ending) -> Option<Pid> {
        if self.ending.is_none() && self.live.iter().any(|&p| self.unfinished(p)) {
            if ending == Ending::Deadlock {
                self.stall();
            }
            self.ending = Some(ending);
        }
        self.next_to_unwind()
    }

    /// Chooses the thread to run. `None` if none is left.
    fn next(&mut self) -> Option<Pid> {
        if self.ending.is_some() {
            return self.next_to_unwind();
        }
        if let Some(pid) = self.ready() {
            return Some(pid);
        }
        if self.trace.len() >= self.max_steps {
            return self.end(Ending::TooLong);
        }
        let mut enabled: u64 = 0;
        let mut patient: u64 = 0;
        for &pid in &self.live {
            if self.enabled(pid) {
                enabled |= 1 << pid;
                if !self.tasks[pid as usize].yielded {
                    patient |= 1 << pid;
                }
            }
        }
        if enabled == 0 {
            return self.end(Ending::Deadlock);
        }
        let view = View { enabled, patient, current: self.current };
        let choice = match &mut self.mode {
            Mode::Explore(explorer) => explorer.choose(&self.trace, &view),
            Mode::Follow(schedule) => follow(schedule, &self.trace, &view),
            Mode::Sample => unreachable!("shuttle's scheduler chooses"),
        };
        match choice {
            Choice::Run(pid) => Some(pid),
            Choice::Redundant => self.end(Ending::Redundant),
            Choice::Diverged(why) => self.end(Ending::Diverged(why)),
        }
    }

    /// Performs an operation whose effect the object's state describes.
    pub(crate) fn apply(&mut self, op: Op) -> u64 {
        self.note_switch();
        let now = self.trace.len();
        let done = self.objects[op.obj as usize].apply(&op, self.current, now);
        let val = done.val;
        self.commit(op, done);
        val
    }

    /// If the thread has changed since the last event, notes why, for the witness.
    pub(crate) fn note_switch(&mut self) {
        if !self.recording {
            return;
        }
        if let Some(last) = self.trace.events().last().filter(|e| e.pid != self.current) {
            let why = crate::witness::describe_block(self, last.pid);
            self.switches.push((self.trace.len(), why));
        }
    }

    /// Records that the current thread has performed `op`.
    pub(crate) fn commit(&mut self, op: Op, done: Applied) {
        let pid = self.current;
        let i = pid as usize;
        self.tasks[i].phase = Phase::Running;
        if self.tracking {
            self.synchronise(&op, &done);
        }
        for &p in &self.live {
            if p != pid {
                self.tasks[p as usize].yielded = false;
            }
        }
        let mut clock = std::mem::take(&mut self.scratch);
        clock.clear();
        clock.extend_from_slice(&self.tasks[i].clock);
        if clock.len() <= i {
            clock.resize(i + 1, 0);
        }
        clock[i] += 1;
        if let Some(by) = done.after {
            join(&mut clock, self.trace.clock(by));
        }
        let now = self.trace.len() as u32;
        if done.label.obj != NO_OBJECT {
            let object = &mut self.objects[done.label.obj as usize];
            join(&mut clock, &object.written);
            if done.label.kind.is_read() {
                join(&mut object.read, &clock);
            } else {
                join(&mut clock, &object.read);
                object.read.clear();
                object.written.clear();
                object.written.extend_from_slice(&clock);
            }
            object.history.push(now);
        }
        let event = Performed {
            pid,
            label: done.label,
            obj: op.obj,
            announced: op.kind,
            arg: op.arg,
            pre: done.pre,
            val: done.val,
            at: op.at,
        };
        self.trace.push(event, &self.tasks[i].clock, &clock);
        std::mem::swap(&mut self.tasks[i].clock, &mut clock);
        self.scratch = clock;
        if let Mode::Explore(explorer) = &mut self.mode {
            if let Some(why) = explorer.check(&self.trace) {
                self.ending = Some(Ending::Diverged(why));
            }
        }
    }

    /// Notes who is blocked, before the threads unwind.
    fn stall(&mut self) {
        for &pid in &self.live {
            let task = &self.tasks[pid as usize];
            if let Phase::At(op) = task.phase {
                self.stalled.push(Blocked { pid, op, base: task.clock.clone() });
            }
        }
        if self.recording {
            self.deadlock = crate::witness::describe_deadlock(self);
            for i in 0..self.live.len() {
                let pid = self.live[i];
                let text = crate::witness::describe_block(self, pid);
                if self.unfinished(pid) && !text.is_empty() {
                    self.notes.push(Note { pid, at: self.trace.len(), text });
                }
            }
        }
    }

    /// shuttle asks whom to run. Tasks are told by their place among the threads of the execution.
    pub(crate) fn resume(&mut self, runnable: &[usize]) -> Turnover {
        if let Some(pid) = self.chosen.take() {
            return self.turn_to(pid);
        }
        let current = self.place(self.current);
        if runnable.contains(&current) {
            match self.tasks[self.current as usize].phase {
                // shuttle switches by itself, on spawning and at a thread's end.
                Phase::Running | Phase::Finished if !self.tasks[self.current as usize].stuck => {
                    return Turnover::To(current)
                }
                _ => {}
            }
        }
        let all_over = self.live.iter().all(|&p| !self.unfinished(p));
        if all_over {
            return Turnover::To(runnable[0]);
        }
        if matches!(self.mode, Mode::Sample) && self.ending.is_none() {
            if let Some(pid) = self.ready() {
                return self.turn_to(pid);
            }
            if self.trace.len() >= self.max_steps {
                return match self.end(Ending::TooLong) {
                    Some(pid) => self.turn_to(pid),
                    None => Turnover::Stop,
                };
            }
            if self.live.iter().any(|&p| self.enabled(p)) {
                return Turnover::Sample;
            }
            return match self.end(Ending::Deadlock) {
                Some(pid) => self.turn_to(pid),
                None => Turnover::Stop,
            };
        }
        match self.next() {
            Some(pid) => self.turn_to(pid),
            None => Turnover::Stop,
        }
    }

    /// Whether every thread ended, or could not go on.
    pub(crate) fn ran_to_its_end(&self) -> bool {
        matches!(self.ending, None | Some(Ending::Deadlock))
    }

    /// Whether the body did not do what it did before.
    pub(crate) fn diverged(&self) -> bool {
        matches!(self.ending, Some(Ending::Diverged(_)))
    }

    /// Makes `pid` the current thread.
    pub(crate) fn turn_to(&mut self, pid: Pid) -> Turnover {
        self.current = pid;
        let task = &mut self.tasks[pid as usize];
        if matches!(task.phase, Phase::Starting | Phase::Joining(..) | Phase::Gathering(..))
            && self.ending.is_none()
        {
            task.phase = Phase::Running;
        }
        Turnover::To(self.place(pid))
    }

    fn place(&self, pid: Pid) -> usize {
        self.live.iter().position(|&p| p == pid).expect("the thread is in this execution")
    }

    pub(crate) fn pending_yield(&self) -> bool {
        self.tasks[self.current as usize].yielded
    }

    /// A thread's path in the tree of spawns.
    pub(crate) fn path(&self, mut pid: Pid) -> Vec<u32> {
        let mut path = Vec::new();
        while pid != 0 {
            let task = &self.tasks[pid as usize];
            path.push(task.nth);
            pid = task.parent;
        }
        path.push(0);
        path.reverse();
        path
    }

    /// The thread with a path.
    pub(crate) fn thread_at(&mut self, path: &[u32]) -> Pid {
        path.iter().skip(1).fold(0, |parent, &nth| self.names.thread(parent, nth))
    }

    /// The name of a thread, for people.
    pub(crate) fn thread_name(&self, pid: Pid) -> String {
        match &self.tasks[pid as usize].name {
            Some(name) => name.clone(),
            None if pid == 0 => "main".into(),
            None => format!("thread {}", self.place(pid)),
        }
    }

    /// The name of an object, for people.
    pub(crate) fn object_name(&self, obj: ObjId) -> String {
        match self.objects.get(obj as usize).and_then(|o| o.name.as_ref()) {
            Some(name) => name.clone(),
            None => {
                let nth = self.used.iter().position(|&o| o == obj).unwrap_or(0);
                let sort = match self.objects.get(obj as usize).map(|o| &o.state) {
                    Some(State::Mutex(_)) => "mutex",
                    Some(State::RwLock { .. }) => "rwlock",
                    Some(State::Condvar(_)) => "condvar",
                    Some(State::Parker { .. }) => "token",
                    Some(State::Barrier { .. }) => "barrier",
                    Some(State::Once { .. }) => "once",
                    Some(State::Channel(_)) => "channel",
                    _ => "atomic",
                };
                format!("{sort}#{nth}")
            }
        }
    }
}

/// What shuttle is told.
pub(crate) enum Turnover {
    To(usize),
    Sample,
    Stop,
}

/// The choice of a schedule that is followed: afterwards, anything.
fn follow(schedule: &[Pid], trace: &Trace, view: &View) -> Choice {
    match schedule.get(trace.len()) {
        None => Choice::Run(view.preferred(view.enabled)),
        Some(&pid) if pid < 64 && view.enabled & (1 << pid) != 0 => Choice::Run(pid),
        Some(&pid) => Choice::Diverged(format!(
            "step {} of the schedule is thread {pid}'s, which cannot go on",
            trace.len()
        )),
    }
}
