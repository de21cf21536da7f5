//! Whose turn it is.
//!
//! A thread that comes to an operation asks here who runs next, and goes on at once if it is itself;
//! shuttle asks too, when a thread has given up its turn or has ended. Steps that are no events are
//! taken first; then the exploration, a schedule or one of shuttle's schedulers chooses among the
//! threads whose operation is enabled.

use super::state::{Ending, Mode, Note, Runtime};
use super::thread::Status;
use crate::explore::{Blocked, Choice, Halt, View};
use crate::object::{bit, State};
use crate::op::{Label, Op, Tid, NO_OBJECT};
use crate::split::looks;
use crate::trace::{join, mix, Trace};
use shuttle::scheduler::Task;

/// What the thread that has come to an operation has to do.
pub(crate) enum Arrival {
    Go,
    Switch,
    GivenUp,
    /// The static of this name is being made.
    Misplaced(&'static str),
}

/// What shuttle is told.
pub(crate) enum Turnover {
    To(usize),
    Sample,
    Stop,
}

impl Runtime {
    pub(crate) fn finish(&mut self, tid: Tid) {
        self.threads[tid as usize].status = Status::Finished;
        let mut left = self.between;
        while left != 0 {
            let status = &self.threads[left.trailing_zeros() as usize].status;
            self.unsettled |= matches!(status, Status::Joining(target, _) if *target == tid);
            left &= left - 1;
        }
        if self.ending.is_some() {
            for &p in &self.live {
                self.threads[p as usize].stuck = false;
            }
        }
        self.wake_guests();
    }

    pub(crate) fn stuck(&mut self) {
        self.threads[self.current as usize].stuck = true;
    }

    /// The current thread is about to perform `op`.
    pub(crate) fn arrive(&mut self, op: &Op) -> Arrival {
        match self.goes_on_alone(op) {
            true => Arrival::Go,
            false => self.arrive_among_others(op),
        }
    }

    /// The same, for a thread that does not [go on alone](Self::goes_on_alone).
    pub(super) fn arrive_among_others(&mut self, op: &Op) -> Arrival {
        if self.ending.is_some() {
            return Arrival::GivenUp;
        }
        if let Some(making) = &self.making {
            return Arrival::Misplaced(making.name);
        }
        let me = self.current;
        if let Some(at) = self.threads[me as usize].contested {
            let why = format!(
                "{} drops the last reference made at {}:{}, whose destructor performs an operation at \
                 {}:{}, and in another order another thread does: {}",
                self.thread_name(me),
                at.file(),
                at.line(),
                op.at.file(),
                op.at.line(),
                super::references::ASK,
            );
            self.ending = Some(Ending::Refused(why));
            return Arrival::GivenUp;
        }
        self.check_owner(op);
        self.threads[me as usize].status = Status::At(*op);
        if matches!(self.mode, Mode::Sample | Mode::Guest(_)) {
            return Arrival::Switch;
        }
        match self.as_before().or_else(|| self.next()) {
            Some(next) if next == me && self.ending.is_none() => Arrival::Go,
            Some(next) if next == me => Arrival::GivenUp,
            next => {
                self.chosen = next;
                Arrival::Switch
            }
        }
    }

    /// The thread to run, if the last execution came as far as this, nothing has to be done before the next event,
    /// and the one whose it was can go on.
    #[inline]
    fn as_before(&self) -> Option<Tid> {
        let quiet = !self.unsettled && !self.unknown && self.probe.is_none();
        let event = self.trace.remembered().filter(|_| quiet)?;
        self.enabled(event.tid).then_some(event.tid)
    }

    /// A mistake of the body's, which is cheap to make out only in a debug build.
    #[inline(always)]
    pub(super) fn check_owner(&self, op: &Op) {
        debug_assert!(
            op.obj == NO_OBJECT || self.objects.get(op.obj as usize).is_some_and(|o| o.alive),
            "an object is used in another execution than the one that made it"
        );
    }

    /// The current thread waits as `status` says. Returns whether it has to give up its turn for that.
    pub(crate) fn wait(&mut self, status: Status) -> bool {
        if self.ending.is_some() {
            return false;
        }
        let me = self.current;
        // Whether it goes on is not told by what it looks at.
        self.tried(false);
        self.meets |= matches!(status, Status::Gathering(..) | Status::Meeting(..));
        self.threads[me as usize].status = status;
        self.between |= bit(me);
        self.unsettled = true;
        if self.settle(me) {
            self.threads[me as usize].status = Status::Running;
            return false;
        }
        if !matches!(self.mode, Mode::Sample | Mode::Guest(_)) {
            self.chosen = self.next();
        }
        true
    }

    /// Whether a thread that does not stand at an operation can go on; if so it learns what it
    /// waited for. Such steps commute with everything, so they are taken as soon as possible and
    /// are no events.
    pub(super) fn settle(&mut self, tid: Tid) -> bool {
        match self.threads[tid as usize].status {
            Status::Starting => true,
            Status::Joining(target, _) => {
                let done = matches!(self.threads[target as usize].status, Status::Finished);
                if done {
                    let past = self.threads[target as usize].past;
                    self.knows(tid, past);
                    self.threads[target as usize].joined = Some(tid);
                    let known = std::mem::take(&mut self.threads[target as usize].clock);
                    join(&mut self.threads[tid as usize].clock, &known);
                    self.threads[target as usize].clock = known;
                    if self.tracking {
                        let known = self.threads[target as usize].known.now.clone();
                        join(&mut self.threads[tid as usize].known.now, &known);
                    }
                    self.joins = true;
                }
                done
            }
            Status::Gathering(obj, generation) => {
                let object = &self.objects[obj as usize];
                let State::Barrier { generation: now, .. } = object.state else { return false };
                if now > generation {
                    let thread = &mut self.threads[tid as usize];
                    thread.past = mix(thread.past, object.version);
                    // Nothing has happened at the barrier since: this is what the last to come knew.
                    join(&mut self.threads[tid as usize].clock, object.changed_by());
                    object.released.acquire(&mut self.threads[tid as usize].known);
                }
                now > generation
            }
            Status::Meeting(obj, number, _) => {
                let object = &self.objects[obj as usize];
                let State::Channel(channel) = &object.state else { return false };
                let done = channel.received > number || !channel.receiver;
                if done {
                    let thread = &mut self.threads[tid as usize];
                    thread.past = mix(thread.past, object.version);
                    // As at a barrier: this is what the receiver knew.
                    join(&mut self.threads[tid as usize].clock, object.changed_by());
                    object.released.acquire(&mut self.threads[tid as usize].known);
                }
                done
            }
            _ => false,
        }
    }

    /// A thread whose next step is no event, if there is one.
    pub(crate) fn ready(&mut self) -> Option<Tid> {
        // This is asked before each event.
        if !self.unsettled {
            return None;
        }
        let mut left = self.between;
        let mut live = 0;
        while left != 0 {
            // Most threads stand at an operation, or are over. If only one does not it is no matter in
            // which order they are asked.
            let tid = match left.is_power_of_two() {
                true => left.trailing_zeros() as Tid,
                false => self.live[live],
            };
            live += 1;
            if left & bit(tid) == 0 {
                continue;
            }
            left &= !bit(tid);
            match &self.threads[tid as usize].status {
                Status::At(_) | Status::Running | Status::Finished => {
                    self.between &= !bit(tid);
                    continue;
                }
                Status::Joining(target, _) if self.unfinished(*target) => continue,
                _ => {}
            }
            if self.settle(tid) {
                return Some(tid);
            }
        }
        self.unsettled = false;
        None
    }

    #[inline]
    pub(crate) fn enabled(&self, tid: Tid) -> bool {
        self.would_go_on(tid) && (self.classes.is_empty() || !self.waits_for_a_mark(tid))
    }

    /// Whether it could go on, were it the turn of its mark.
    #[inline]
    fn would_go_on(&self, tid: Tid) -> bool {
        self.possible(tid) && !self.pauses(tid)
    }

    fn waits_for_a_mark(&self, tid: Tid) -> bool {
        let status = &self.threads[tid as usize].status;
        !self.astray && matches!(status, Status::At(op) if self.is_held(tid, op))
    }

    /// Whether its object allows the operation that `tid` is about to perform.
    #[inline]
    pub(crate) fn possible(&self, tid: Tid) -> bool {
        match &self.threads[tid as usize].status {
            Status::At(op) => op.obj == NO_OBJECT || self.objects[op.obj as usize].enabled(op, tid),
            _ => false,
        }
    }

    pub(crate) fn unfinished(&self, tid: Tid) -> bool {
        !matches!(self.threads[tid as usize].status, Status::Finished)
    }

    /// In an execution that has been given up, who unwinds next.
    fn next_to_unwind(&self) -> Option<Tid> {
        // In a test of shuttle's a thread that unwinds fails the test: shuttle drops them all.
        if self.fails && self.ending == Some(Ending::Probed) {
            return None;
        }
        let mut rest = self.live.iter().copied().filter(|&p| self.unfinished(p));
        rest.find(|&p| !self.threads[p as usize].stuck)
    }

    /// Nobody is enabled, or the execution is too long: ends it if somebody has not ended.
    pub(crate) fn end(&mut self, ending: Ending) -> Option<Tid> {
        if self.ending.is_none() && self.live.iter().any(|&p| self.unfinished(p)) {
            let rest = ending == Ending::Deadlock && self.all_at_rest();
            use Ending::{Deadlock, Exchanged, Halted, TooLong};
            if matches!(ending, Deadlock | TooLong | Halted | Exchanged) {
                self.stall(false);
            }
            if ending == Ending::Deadlock && !rest {
                self.blame();
            }
            self.ending = Some(if rest { Ending::AtRest } else { ending });
        }
        self.next_to_unwind()
    }

    /// Chooses the thread to run. `None` if none is left.
    fn next(&mut self) -> Option<Tid> {
        if self.ending.is_some() {
            return self.next_to_unwind();
        }
        if self.probe.is_some() {
            return self.probing().or_else(|| self.end(Ending::Probed));
        }
        if let Some(tid) = self.ready() {
            return Some(tid);
        }
        if self.trace.performed() >= self.max_steps {
            return self.end(Ending::TooLong);
        }
        if let Some(tid) = self.begin_probe() {
            return Some(tid);
        }
        let expected = match &mut self.mode {
            Mode::Explore(search) if !self.astray => search.expected(&self.trace),
            _ => None,
        };
        // Who else can go on need not be asked then.
        if let Some(step) = expected.filter(|step| self.enabled(step.tid)) {
            return Some(step.tid);
        }
        let mut enabled: u64 = 0;
        let mut patient: u64 = 0;
        for &tid in &self.live {
            if self.enabled(tid) {
                enabled |= 1 << tid;
                if !self.threads[tid as usize].yielded {
                    patient |= 1 << tid;
                }
            }
        }
        if enabled == 0 {
            if self.live.iter().any(|&tid| self.would_go_on(tid)) {
                return self.end(Ending::Exchanged);
            }
            if self.pass_time() {
                return self.next();
            }
            return self.rests().or_else(|| self.end(Ending::Deadlock));
        }
        if let Some(step) = expected {
            let (now, kind) = (self.trace.len(), step.label.kind.name());
            return self.end(Ending::Diverged(format!(
                "step {now} was to be {kind} by thread {}, which cannot go on",
                step.tid
            )));
        }
        let view = View { enabled, patient, current: self.current, halting: self.halting() };
        let choice = match &mut self.mode {
            Mode::Explore(_) if self.astray => Choice::Run(view.preferred(enabled)),
            Mode::Explore(explorer) => explorer.choose(&self.trace, &view),
            Mode::Bounded(search) => search.choose(&self.trace, &view),
            Mode::Walk(walk) => walk.choose(&self.trace, &view, &self.threads),
            Mode::Follow(schedule) => follow(schedule, &self.trace, &view),
            Mode::Sample | Mode::Guest(_) => unreachable!("shuttle's scheduler chooses"),
        };
        match choice {
            Choice::Run(tid) => Some(tid),
            Choice::Redundant => self.end(Ending::Redundant),
            Choice::Probed => self.end(Ending::Probed),
            Choice::Halted => self.end(Ending::Halted),
            Choice::Diverged(why) => self.end(Ending::Diverged(why)),
        }
    }

    /// The threads that stand where the exploration halts, if it does.
    fn halting(&self) -> u64 {
        let Mode::Explore(search) = &self.mode else { return 0 };
        let Some(halt) = search.halts() else { return 0 };
        let stands = |&&tid: &&Tid| match (self.threads[tid as usize].status, halt) {
            _ if self.waits_for_a_mark(tid) => false,
            (Status::At(op), Halt::Before(obj)) => op.obj == obj && !looks(op.kind),
            (Status::At(_), Halt::Here) => true,
            _ => false,
        };
        self.live.iter().filter(stands).fold(0, |set, &tid| set | 1 << tid)
    }

    /// Notes what has not been performed, before the threads unwind, or before time passes.
    pub(super) fn stall(&mut self, passes: bool) {
        for &tid in &self.live {
            let thread = &self.threads[tid as usize];
            if let Status::At(op) = thread.status {
                if self.is_held(tid, &op) {
                    continue;
                }
                let also =
                    thread.pause.as_ref().map(|p| self.also(&p.looks, Label::new(op.obj, op.kind)));
                let base = thread.clock.clone();
                let pause = thread.pause.clone();
                let also = also.unwrap_or_default();
                let possible = self.possible(tid);
                let mark = thread.equal.filter(|_| self.would_mark(tid, &op));
                let after = self.trace.len();
                let blocked = Blocked { tid, op, base, also, pause, possible, mark, after, passes };
                self.stalled.push(blocked);
            }
        }
    }

    /// Nobody can go on: says who waits where.
    fn blame(&mut self) {
        let stuck = |&tid: &Tid| match self.threads[tid as usize].status {
            Status::At(_) => !self.possible(tid),
            Status::Gathering(..) | Status::Meeting(..) => true,
            _ => false,
        };
        let spins = |&tid: &Tid| self.possible(tid);
        let deadlock = self.live.iter().any(stuck) || !self.live.iter().any(spins);
        let name = if deadlock { "no-deadlock" } else { "no-livelock" };
        let (place, detail) = super::blocked::describe_deadlock(self);
        // The body may have reported that itself.
        if !self.violations.iter().any(|v| v.name == name) {
            self.violation(name.into(), place, detail);
        }
        self.livelock = !deadlock;
        if self.recording || self.fails {
            for i in 0..self.live.len() {
                let tid = self.live[i];
                let text = super::blocked::describe_block(self, tid);
                if self.unfinished(tid) && !text.is_empty() {
                    self.notes.push(Note { tid, at: self.trace.len(), text });
                }
            }
        }
    }

    /// Whose turn it is, if the exploration decides. `None` if nobody is left, or can go on.
    pub(super) fn turn(&mut self) -> Option<Tid> {
        let next = match self.chosen.take() {
            Some(tid) => tid,
            None if self.is_over() => return None,
            None => self.next()?,
        };
        self.turn_to(next);
        Some(next)
    }

    fn is_over(&self) -> bool {
        self.left().is_none()
    }

    /// A thread that has not ended, if there is one.
    pub(super) fn left(&self) -> Option<Tid> {
        self.live.iter().copied().find(|&p| self.unfinished(p))
    }

    /// shuttle asks whom to run. It tells tasks in the order of their numbers, and each thread has one, in
    /// the order of their creation.
    pub(crate) fn resume(&mut self, runnable: &[&Task]) -> Turnover {
        let number = |task: &&Task| usize::from(task.id());
        assert!(
            runnable.last().is_none_or(|last| number(last) < self.live.len()),
            "shuttle's own threads and futures are not explored: use shuttle_dpor::thread"
        );
        if let Some(tid) = self.chosen.take() {
            return self.to(tid);
        }
        let thread = &self.threads[self.current as usize];
        // shuttle switches by itself, on spawning and at a task's end.
        let goes_on = matches!(thread.status, Status::Running | Status::Finished) && !thread.stuck;
        if goes_on {
            let current = self.place(self.current);
            if runnable.binary_search_by_key(&current, number).is_ok() {
                return Turnover::To(current);
            }
        }
        if self.is_over() {
            return Turnover::To(number(&runnable[0]));
        }
        let next = if matches!(self.mode, Mode::Sample) && self.ending.is_none() {
            match self.before_sampling() {
                None => return Turnover::Sample,
                Some(next) => next,
            }
        } else {
            self.next()
        };
        match next {
            Some(tid) => self.to(tid),
            None => Turnover::Stop,
        }
    }

    /// Makes `tid` the current thread, whose task shuttle is to run.
    fn to(&mut self, tid: Tid) -> Turnover {
        self.turn_to(tid);
        Turnover::To(self.place(tid))
    }

    /// What comes before there is something to choose, if anything does: the thread to run, or
    /// nobody.
    fn before_sampling(&mut self) -> Option<Option<Tid>> {
        if self.probe.is_some() {
            return Some(self.probing().or_else(|| self.end(Ending::Probed)));
        }
        if let Some(tid) = self.ready() {
            return Some(Some(tid));
        }
        if self.trace.len() >= self.max_steps {
            return Some(self.end(Ending::TooLong));
        }
        if let Some(tid) = self.begin_probe() {
            return Some(Some(tid));
        }
        if self.live.iter().any(|&p| self.enabled(p)) {
            return None;
        }
        if self.pass_time() {
            // Who may time out by now may also have looked in vain, and wait for a change still.
            return self.before_sampling();
        }
        Some(self.rests().or_else(|| self.end(Ending::Deadlock)))
    }

    /// Makes `tid` the current thread.
    pub(crate) fn turn_to(&mut self, tid: Tid) {
        self.current = tid;
        if let Some(pulse) = &self.pulse {
            let thread = &self.threads[tid as usize];
            // Behind the events some may be only counted: they are of the last one's thread.
            let events = self.trace.events();
            let last = thread.last.and_then(|event| events.get(event).or(events.last()));
            let last = last.map(|event| (event.announced, event.verb, event.at));
            pulse.turn(thread.name.as_deref(), self.place(tid), last);
        }
        let thread = &mut self.threads[tid as usize];
        let waits = match thread.status {
            Status::Starting
            | Status::Joining(..)
            | Status::Gathering(..)
            | Status::Meeting(..)
            | Status::Resting => true,
            Status::Absent | Status::Running | Status::At(_) | Status::Finished => false,
        };
        if waits && self.ending.is_none() {
            thread.status = Status::Running;
        }
    }

    pub(crate) fn pending_yield(&self) -> bool {
        self.threads[self.current as usize].yielded
    }
}

/// The choice of a schedule that is followed: afterwards, anything.
fn follow(schedule: &[Tid], trace: &Trace, view: &View) -> Choice {
    match schedule.get(trace.len()) {
        None => Choice::Run(view.preferred(view.enabled)),
        Some(&tid) if tid < 64 && view.enabled & (1 << tid) != 0 => Choice::Run(tid),
        Some(&tid) => Choice::Diverged(format!(
            "step {} of the schedule is thread {tid}'s, which cannot go on",
            trace.len()
        )),
    }
}
