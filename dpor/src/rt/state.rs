//! The runtime's state, and what operations do to it.

use super::guest::Guest;
use super::statics::Making;
use super::strays::Running;
use super::tasks::Tasks;
use super::thread::{Local, Status, Thread};
use crate::count::Weight;
use crate::explore::{Blocked, Bounded, Search, Walk};
use crate::memory::Cell;
use crate::names::{NameCache, Names, TOO_MANY_THREADS};
use crate::object::{bit, Applied, Object, State};
use crate::op::{ObjId, Op, Tid};
use crate::report::Found;
use crate::spin::{Probe, Verdicts};
use crate::symmetry::Extensions;
use crate::trace::{join, mix, Clock, Event, Trace};
use crate::watchdog::Pulse;
use std::any::Any;
use std::borrow::Cow;
use std::panic::Location;

/// Why an execution ends before all its threads have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nobody can go on, and somebody has not ended.
    Deadlock,
    /// Nobody can go on, and those who have not ended may wait for ever.
    AtRest,
    /// Every thread that could go on is asleep: the execution is equivalent to an earlier one.
    Redundant,
    /// It reached the step limit.
    TooLong,
    /// It was to tell whether a thread spins, and has, or how something came about, and has not recorded that; it
    /// is run again.
    Probed,
    /// Somebody stands before a mark that will never be his turn: with equal threads exchanged, it is
    /// another execution. See [`crate::symmetry`].
    Exchanged,
    /// It halts where the exploration is to be divided.
    Halted,
    /// It did not do what it did before.
    Diverged(String),
    /// It asks for what is not explored as it is set.
    Refused(String),
    /// shuttle tears it down, because the test has failed.
    Torn,
}

/// Who decides.
pub(crate) enum Mode {
    /// The exploration does.
    Explore(Box<Search>),
    /// A search with a bound on preemptions does.
    Bounded(Box<Bounded>),
    /// Chance does.
    Walk(Box<Walk>),
    /// A schedule does: the thread of each event.
    Follow(Vec<Tid>),
    /// One of shuttle's schedulers does, of those whom the runtime lets it see.
    Sample,
    /// A scheduler that knows nothing of the runtime does.
    Guest(Guest),
}

/// A note that the body made, for the witness.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) tid: Tid,
    /// How many events there had been.
    pub(crate) at: usize,
    pub(crate) text: String,
}

/// The state of one worker.
pub(crate) struct Runtime {
    pub(crate) mode: Mode,
    pub(crate) trace: Trace,
    pub(crate) objects: Vec<Object>,
    pub(crate) threads: Vec<Thread>,
    /// Objects that belong to somebody, where that is to be told.
    pub(super) owners: Vec<(ObjId, std::sync::Arc<str>)>,
    /// The threads of this execution, in the order of their creation.
    pub(crate) live: Vec<Tid>,
    /// What they run on.
    pub(crate) tasks: Tasks,
    pub(crate) current: Tid,
    pub(crate) ending: Option<Ending>,
    pub(crate) violations: Vec<Found>,
    /// Whether a witness is being made: only then are notes kept.
    pub(crate) recording: bool,
    /// How many threads have given up their turn while they unwind.
    pub(crate) unwinding: usize,
    /// Steps since the execution was given up.
    pub(crate) outlived: usize,
    pub(crate) notes: Vec<Note>,
    /// Before which events the thread changed, and why.
    pub(crate) switches: Vec<(usize, String)>,
    pub(crate) max_steps: usize,
    pub(crate) spurious: u32,
    pub(crate) timeouts: u32,
    /// Whether the ends of threads are operations.
    pub(crate) ends: bool,
    /// Whether all that is done with references is an operation.
    pub(crate) counts: bool,
    /// How many weak compare-exchanges of each thread may fail spuriously.
    pub(crate) spurious_failures: u32,
    /// Whether what is wrong fails the test, as it does in shuttle, instead of being reported.
    pub(crate) fails: bool,
    /// The operations that were blocked when the execution ended in a deadlock, or time passed.
    pub(crate) stalled: Vec<Blocked>,
    /// Whether the execution ended because those who can go on spin for ever.
    pub(crate) livelock: bool,
    /// Whether data races are looked for, and the cells in which.
    pub(crate) tracking: bool,
    pub(super) cells: Vec<Cell>,
    pub(super) chosen: Option<Tid>,
    pub(super) running: Running,
    names: NameCache,
    /// For the watchdog, if there is one.
    pub(crate) pulse: Option<Pulse>,
    pub(super) idle: usize,
    used: Vec<ObjId>,
    scratch: Clock,
    /// The statics that this execution has come to, by their addresses.
    pub(super) statics: Vec<(usize, &'static dyn Any)>,
    /// The static that is being made.
    pub(super) making: Option<Making>,
    /// Who spins, as far as that is known.
    pub(super) spinners: Verdicts,
    /// Whether equal threads are explored up to their exchange; the classes that there are; and for how many
    /// orderings the execution stands.
    pub(crate) symmetry: bool,
    pub(crate) classes: Vec<Vec<Tid>>,
    pub(crate) weight: Weight,
    pub(crate) extensions: Extensions,
    /// A thread that is being tried.
    pub(super) probe: Option<Probe>,
    /// Some thread may have yielded, and no other have performed anything since.
    pub(super) yields: bool,
    /// Of some thread that has yielded it may not be known whether it spins.
    pub(super) unknown: bool,
    /// The threads that may stand where there is no operation, as a set of bits; whether one of them may be
    /// able to go on; and whether one waits for an operation there.
    pub(super) between: u64,
    pub(super) unsettled: bool,
    pub(super) meets: bool,
    /// Whether the current thread is the only one there is. See [`super::alone`].
    pub(super) alone: bool,
    /// Whether it may have become so.
    pub(super) joins: bool,
    /// Whether what comes last, by a thread that is alone, is only counted; whether that is so now; and whether
    /// the execution goes on all the same, to be run again.
    pub(crate) brief: bool,
    pub(super) counting: bool,
    pub(super) astray: bool,
}

impl Runtime {
    pub(crate) fn new(mode: Mode, names: Names, max_steps: usize) -> Self {
        let (spinners, running) = (names.spinners.clone(), Running::new(names.exploration));
        Runtime {
            mode,
            trace: Trace::default(),
            objects: Vec::new(),
            threads: Vec::new(),
            owners: Vec::new(),
            live: Vec::new(),
            tasks: Tasks::default(),
            current: 0,
            ending: None,
            violations: Vec::new(),
            recording: false,
            unwinding: 0,
            outlived: 0,
            notes: Vec::new(),
            switches: Vec::new(),
            max_steps,
            spurious: 0,
            timeouts: u32::MAX,
            ends: false,
            counts: false,
            spurious_failures: 0,
            fails: false,
            stalled: Vec::new(),
            livelock: false,
            tracking: false,
            cells: Vec::new(),
            chosen: None,
            running,
            names: NameCache::new(names),
            pulse: None,
            idle: 0,
            used: Vec::new(),
            scratch: Clock::new(),
            statics: Vec::new(),
            making: None,
            spinners,
            symmetry: false,
            classes: Vec::new(),
            weight: Weight::ONE,
            extensions: Extensions::default(),
            probe: None,
            yields: false,
            unknown: false,
            between: 0,
            unsettled: false,
            meets: false,
            alone: false,
            joins: false,
            brief: false,
            counting: false,
            astray: false,
        }
    }

    /// An execution begins.
    pub(crate) fn start(&mut self) {
        self.begin();
        self.pulse.iter().for_each(|pulse| pulse.runs(true));
    }

    /// The execution is over. Returns whether there is another: `conclude` says that.
    pub(crate) fn conclude(&mut self, conclude: &mut dyn FnMut(&mut Runtime) -> bool) -> bool {
        self.pulse.iter().for_each(|pulse| pulse.runs(false));
        if !self.astray {
            self.settle_symmetry();
        }
        conclude(self)
    }

    /// Forgets the last execution and starts the body's own thread.
    pub(crate) fn begin(&mut self) {
        let same = match &mut self.mode {
            Mode::Explore(search) => search.begins_with(),
            _ => 0,
        };
        // Where there are equal threads clocks know the edges between marks, of which the number of orderings
        // that an execution stands for is told without. Races are the same: an edge leads to what comes later.
        self.trace.begin(if self.classes.is_empty() { same } else { 0 });
        for obj in self.used.drain(..) {
            self.objects[obj as usize].reset();
        }
        for tid in self.live.drain(..) {
            self.threads[tid as usize].reset();
        }
        self.owners.clear();
        self.ending = None;
        self.violations.clear();
        self.notes.clear();
        self.switches.clear();
        self.stalled.clear();
        self.livelock = false;
        self.tracking = false;
        self.unwinding = 0;
        self.outlived = 0;
        self.cells.clear();
        self.statics.clear();
        self.making = None;
        self.chosen = None;
        self.yields = false;
        self.unknown = false;
        self.between = 0;
        self.meets = false;
        self.idle = 0;
        self.classes.clear();
        self.weight = Weight::ONE;
        self.probe = None;
        self.current = 0;
        self.admit(0, 0, 0);
        self.threads[0].clock.push(0);
        (self.alone, self.joins) = (true, false);
        (self.counting, self.astray) = (false, false);
    }

    /// What the current thread has of the thread-local with this key.
    #[inline]
    pub(crate) fn local(&self, key: usize) -> Local {
        self.threads[self.current as usize].local(key)
    }

    pub(crate) fn thread(&mut self, tid: Tid) -> &mut Thread {
        &mut self.threads[tid as usize]
    }

    fn admit(&mut self, tid: Tid, parent: Tid, nth: u32) {
        let bounded = !matches!(self.mode, Mode::Guest(_));
        if bounded && tid >= 64 && self.ending.is_none() {
            self.ending = Some(Ending::Refused(TOO_MANY_THREADS.into()));
        }
        if self.threads.len() <= tid as usize {
            self.threads.resize_with(tid as usize + 1, Thread::absent);
        }
        self.live.push(tid);
        self.between |= bit(tid);
        self.unsettled = true;
        let thread = &mut self.threads[tid as usize];
        thread.status = Status::Starting;
        thread.parent = parent;
        thread.nth = nth;
    }

    /// A new thread, which knows what the current one knows.
    pub(crate) fn spawn(&mut self, name: Option<String>) -> Tid {
        self.needs_events();
        let parent = self.current;
        let nth = self.threads[parent as usize].children;
        self.threads[parent as usize].children += 1;
        let tid = self.names.thread(parent, nth);
        self.admit(tid, parent, nth);
        self.alone = false;
        // No loop that waits does that again and again.
        self.tried(false);
        let past = self.threads[parent as usize].past;
        let known = std::mem::take(&mut self.threads[parent as usize].clock);
        let child = &mut self.threads[tid as usize];
        child.clock.clear();
        child.clock.extend_from_slice(&known);
        child.clock.resize(known.len().max(tid as usize + 1), 0);
        child.name = name;
        child.past = mix(past, nth as u64);
        self.threads[parent as usize].clock = known;
        if self.tracking {
            let known = self.threads[parent as usize].known.now.clone();
            join(&mut self.threads[tid as usize].known.now, &known);
        }
        tid
    }

    pub(crate) fn create(&mut self, state: State, at: &'static Location<'static>) -> ObjId {
        let (obj, made, name) = match &mut self.making {
            // It belongs to no thread: which one needs the static first is a matter of order.
            Some(making) => {
                making.objects += 1;
                let name = (making.objects == 1).then_some(Cow::Borrowed(making.name));
                (self.names.object_of_static(making.address, making.objects), None, name)
            }
            None => {
                let creator = &mut self.threads[self.current as usize];
                let nth = creator.objects;
                creator.objects += 1;
                (self.names.object(self.current, nth), Some((self.current, nth)), None)
            }
        };
        if self.objects.len() <= obj as usize {
            self.objects.resize_with(obj as usize + 1, Object::default);
        }
        self.used.push(obj);
        let object = &mut self.objects[obj as usize];
        object.state = state;
        object.alive = true;
        object.made = made;
        object.at = Some(at);
        object.name = name;
        obj
    }

    pub(crate) fn violation(&mut self, name: Cow<'static, str>, place: String, detail: String) {
        if !self.violations.iter().any(|v| v.name == name && v.place == place) {
            self.violations.push(Found { name, place, detail });
        }
    }

    pub(crate) fn may_wake_spuriously(&self) -> bool {
        self.threads[self.current as usize].spurious < self.spurious
    }

    pub(crate) fn failed_spuriously(&mut self) {
        self.threads[self.current as usize].failures += 1;
    }

    pub(crate) fn woke_spuriously(&mut self) {
        self.threads[self.current as usize].spurious += 1;
    }

    /// Performs an operation whose effect the object's state describes.
    pub(crate) fn apply(&mut self, op: &Op) -> u64 {
        let later;
        let op = match &self.threads[self.current as usize].status {
            // Time has passed meanwhile.
            Status::At(now) if now.arg != op.arg => {
                later = *now;
                &later
            }
            _ => op,
        };
        self.note_switch();
        let now = self.trace.len();
        let done = self.objects[op.obj as usize].apply(op, self.current, now);
        let val = done.val;
        self.commit(op, done);
        val
    }

    /// Adds a line to the current thread's column of the witness, if one is being made.
    pub(crate) fn note(&mut self, text: String) {
        if self.recording {
            let (tid, at) = (self.current, self.trace.len());
            self.notes.push(Note { tid, at, text });
        }
    }

    /// If the thread has changed since the last event, notes why, for the witness.
    #[inline]
    pub(crate) fn note_switch(&mut self) {
        if self.recording {
            self.describe_switch();
        }
    }

    fn describe_switch(&mut self) {
        if let Some(last) = self.trace.events().last().filter(|e| e.tid != self.current) {
            let why = super::blocked::describe_block(self, last.tid);
            self.switches.push((self.trace.len(), why));
        }
    }

    /// The watchdog, if there is one, learns that the current thread performs `op`.
    #[inline(always)]
    pub(super) fn beat(&mut self, op: &Op) {
        if let Some(pulse) = &self.pulse {
            pulse.performs((op.kind, op.verb, op.at));
            self.threads[self.current as usize].last = Some(self.trace.len());
        }
    }

    /// Records that the current thread has performed `op`.
    pub(crate) fn commit(&mut self, op: &Op, mut done: Applied) {
        let tid = self.current;
        let i = tid as usize;
        self.beat(op);
        self.threads[i].status = Status::Running;
        if self.yields {
            for &p in self.live.iter().filter(|&&p| p != tid) {
                self.threads[p as usize].yielded = false;
            }
            self.yields = self.threads[i].yielded;
        }
        if self.counting {
            self.trace.count();
            return self.after_timeout(op, &done);
        }
        let paused = self.threads[i].pause.is_some();
        if let Some(pause) = &self.threads[i].pause {
            done.label.also = self.also(&pause.looks, done.label);
        }
        if self.tracking {
            self.objects[op.obj as usize].synchronise(op, &done, &mut self.threads[i].known);
        }
        let equal = self.threads[i].equal.is_some();
        if equal {
            self.mark(tid, op, self.trace.len());
        }
        match paused {
            false if self.alone && !equal => self.add_alone(op, &done),
            false if self.recall(op, &done) => {}
            _ => self.add(op, &done),
        }
        self.look();
        self.after_timeout(op, &done);
    }

    /// Adds an event of the current thread to the trace.
    fn add(&mut self, op: &Op, done: &Applied) {
        let (tid, i) = (self.current, self.current as usize);
        let mut clock = std::mem::take(&mut self.scratch);
        clock.clear();
        clock.extend_from_slice(&self.threads[i].clock);
        clock[i] += 1;
        if let Some(by) = done.after {
            join(&mut clock, self.trace.clock(by));
        }
        let now = self.trace.len() as u32;
        let mut past = self.knows_by(op, done);
        // The clock first takes in what all its objects know.
        let class = done.label.kind.class();
        let own = self.objects.get_mut(done.label.obj as usize);
        if let Some(own) = own {
            past = own.learn(class, &mut clock, past);
        }
        for &(obj, class) in done.label.also {
            past = self.objects[obj as usize].learn(class, &mut clock, past);
        }
        if let Some(own) = self.objects.get_mut(done.label.obj as usize) {
            own.teach(class, &clock, past, now);
        }
        for &(obj, class) in done.label.also {
            self.objects[obj as usize].teach(class, &clock, past, now);
        }
        self.threads[i].past = past;
        let event = Event::of(tid, op, done, past, self.alone);
        let pause = self.threads[i].pause.take();
        self.trace.push(event, pause, &self.threads[i].clock, &clock);
        std::mem::swap(&mut self.threads[i].clock, &mut clock);
        self.scratch = clock;
        self.committed();
    }

    /// What the current thread knows by an event, as a number, but for what its objects know.
    #[inline(always)]
    pub(super) fn knows_by(&self, op: &Op, done: &Applied) -> u64 {
        let what = u64::from(op.obj) << 8 | done.label.kind as u64;
        let mut past = mix(self.threads[self.current as usize].past, what);
        // What an atomic holds follows from the rest, and may be an address, which is another in each
        // execution.
        if !done.label.kind.is_atomic() {
            past = mix(past, done.val);
        }
        if let Some(by) = done.after {
            past = mix(past, self.trace.events()[by].past);
        }
        past
    }

    /// Takes the current thread's event from the last execution, if it began in the same way up to there
    /// and with this. Returns whether it did.
    fn recall(&mut self, op: &Op, done: &Applied) -> bool {
        let (i, now) = (self.current as usize, self.trace.len());
        let Some(past) = self.trace.recall(self.current, op, done) else { return false };
        let (thread, clock) = (&mut self.threads[i], self.trace.clock(now));
        thread.past = past;
        thread.clock.clear();
        thread.clock.extend_from_slice(clock);
        if let Some(own) = self.objects.get_mut(done.label.obj as usize) {
            own.teach(done.label.kind.class(), clock, past, now as u32);
        }
        // It is as expected: what was expected has become of it.
        self.unsettled |= self.meets;
        true
    }

    /// An event has been added.
    #[inline(always)]
    pub(super) fn committed(&mut self) {
        self.unsettled |= self.meets;
        match &mut self.mode {
            Mode::Explore(explorer) if self.probe.is_none() => {
                if let Some(why) = explorer.check(&self.trace) {
                    self.ending = Some(Ending::Diverged(why));
                }
            }
            Mode::Guest(_) => self.wake_guests(),
            _ => {}
        }
    }

    /// Whether every thread ended, or could not go on.
    pub(crate) fn ran_to_its_end(&self) -> bool {
        matches!(self.ending, None | Some(Ending::AtRest | Ending::Deadlock))
    }

    /// Whether this ordering has been run before, which happens only where nothing is reduced.
    pub(crate) fn repeats(&mut self) -> bool {
        let whole = self.ran_to_its_end();
        match &mut self.mode {
            Mode::Bounded(search) if whole => !search.is_new(&self.trace),
            _ => false,
        }
    }

    /// Whether the exploration ends here: the body did not do what it did before, or cannot be explored.
    pub(crate) fn diverged(&self) -> bool {
        matches!(self.ending, Some(Ending::Diverged(_) | Ending::Refused(_)))
    }

    pub(super) fn place(&self, tid: Tid) -> usize {
        self.live.iter().position(|&p| p == tid).expect("the thread is in this execution")
    }

    /// A thread's path in the tree of spawns.
    pub(crate) fn path(&self, mut tid: Tid) -> Vec<u32> {
        let mut path = Vec::new();
        while tid != 0 {
            let thread = &self.threads[tid as usize];
            path.push(thread.nth);
            tid = thread.parent;
        }
        path.push(0);
        path.reverse();
        path
    }

    /// The thread with a path.
    pub(crate) fn thread_at(&mut self, path: &[u32]) -> Tid {
        path.iter().skip(1).fold(0, |parent, &nth| self.names.thread(parent, nth))
    }

    /// The name of a thread, for people.
    pub(crate) fn thread_name(&self, tid: Tid) -> String {
        match &self.threads[tid as usize].name {
            Some(name) => name.clone(),
            None if tid == 0 => "main".into(),
            None => format!("thread {}", self.place(tid)),
        }
    }

    /// The name of an object, for people: the one that it was given, or else what it is; if there are
    /// others of its sort, with the place where it was made; if these were made there, too, with a number.
    pub(super) fn bare_name(&self, obj: ObjId) -> String {
        let Some(object) = self.objects.get(obj as usize) else { return "nothing".into() };
        if let Some(name) = &object.name {
            return name.clone().into_owned();
        }
        let thread_with = |has: &dyn Fn(&Thread) -> bool| {
            self.live.iter().copied().find(|&p| has(&self.threads[p as usize]))
        };
        if let Some(tid) = thread_with(&|thread| thread.end.is_some_and(|(end, _)| end == obj)) {
            return self.thread_name(tid);
        }
        if let Some(tid) = thread_with(&|thread| thread.token == Some(obj)) {
            return format!("token of {}", self.thread_name(tid));
        }
        let sort = object.sort();
        let Some(at) = object.at else { return sort.into() };
        let place = |at: &'static Location| (at.file(), at.line());
        let alike = self.used.iter().filter(|&&other| {
            let other = &self.objects[other as usize];
            other.name.is_none() && other.sort() == sort
        });
        if alike.clone().count() <= 1 {
            return sort.into();
        }
        let here = alike.filter(|&&other| {
            let other = &self.objects[other as usize];
            other.at.is_some_and(|other| place(other) == place(at))
        });
        let number = match here.clone().count() {
            0 | 1 => String::new(),
            _ => format!("#{}", here.take_while(|&&other| other != obj).count() + 1),
        };
        let file = at.file().rsplit(['/', '\\']).next().unwrap_or_default();
        format!("{sort}{number} at {file}:{}", at.line())
    }
}
