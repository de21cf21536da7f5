//! Dividing all orderings into blocks that can be explored without knowing of each other.
//!
//! A block is all orderings that begin with some steps: those in which these steps come first, in some
//! equivalent execution. The first block is everything. A block is divided by an object: which operation
//! that changes it comes next, and what happens before that operation. Say that whatever threads do short of
//! changing it, in the end some thread can lock a mutex, or store to an atomic. Only another change of the
//! object can take that from it, so in every ordering of the block there is a next change; changes of one
//! object are all ordered, so there is one that is the next; and what happens before it (looks that it comes
//! after, among others), and then the change, are steps that the ordering begins with. They are the same for
//! equivalent executions, and no two of these beginnings fit one ordering. So the blocks of the different
//! beginnings are disjoint, and together they are the block that is divided.
//!
//! What the beginnings are is found by exploring, behind the block's own steps, the body whose threads halt
//! before they change the object: each change that waits then may come after any of the looks that have been,
//! and what happens before these. That is a small exploration, or it is given up and another object is tried.
//! Nothing of it is counted.
//!
//! Behind a beginning nothing sleeps, and what precedes it is fixed: it is explored as if the body began
//! there, each ordering once. So nothing that one part of an exploration finds matters to another.

use crate::exploration::{execute, runtime, Body};
use crate::explore::{Blocked, Halt, Search};
use crate::names::Names;
use crate::op::{Kind, Label, ObjId, Tid, Transition, NO_OBJECT};
use crate::rt::{Ending, Mode, Runtime};
use crate::settings::Settings;
use crate::trace::Event;
use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// As many blocks are made for each part: they are not equally large, and each part gets several.
const FOR_EACH_PART: usize = 32;
/// So many executions may be spent on dividing altogether.
const EFFORT: usize = 20_000;
/// So many may be spent on one object.
const FOR_AN_OBJECT: usize = 400;
/// A change may come after each subset of the looks before it, so there are not to be more.
const LOOKS: usize = 8;

/// What an operation is: who performs it, which of theirs it is, what it does, and what happens before it.
type Happened = (Tid, u32, ObjId, Kind, Vec<u32>);

/// All orderings, in as many blocks as it takes for `parts` parts, if these can be had.
pub(crate) fn split(
    settings: &Settings,
    names: &Names,
    parts: usize,
    body: &Body<()>,
) -> Vec<Vec<Transition>> {
    let wanted = if parts == 1 { 1 } else { FOR_EACH_PART.saturating_mul(parts) };
    let mut effort = EFFORT;
    let mut waiting = VecDeque::from([Vec::new()]);
    let mut blocks = Vec::new();
    while waiting.len() + blocks.len() < wanted {
        let Some(block) = waiting.pop_front() else { break };
        let mut divide = Divide { settings, names, body, block, effort: &mut effort };
        match divide.divide() {
            Some(smaller) => waiting.extend(smaller),
            None => blocks.push(divide.block),
        }
    }
    blocks.extend(waiting);
    blocks
}

/// A block that is to be divided.
struct Divide<'a> {
    settings: &'a Settings,
    names: &'a Names,
    body: &'a Body<()>,
    block: Vec<Transition>,
    /// How many executions may be spent on it.
    effort: &'a mut usize,
}

/// What an execution that halted has shown.
enum Seen {
    /// What one thread did that was alone, and before which operations threads stand then.
    Pending(Vec<Transition>, Vec<Pending>),
    /// The beginnings that it gives: what happens, and in which order it can.
    Beginnings(Vec<(Vec<Happened>, Vec<Transition>)>),
}

struct Pending {
    obj: ObjId,
    /// Whether it is of a kind that is understood.
    divides: bool,
}

impl Divide<'_> {
    /// The blocks that the block is divided into; one, that begins with more steps, if there is no choice.
    pub(crate) fn divide(&mut self) -> Option<Vec<Vec<Transition>>> {
        let Some(Seen::Pending(alone, pending)) = self.run(Halt::Here)?.pop() else { return None };
        self.block.extend(alone);
        let mut objects: Vec<ObjId> = pending.iter().map(|p| p.obj).collect();
        objects.sort_unstable();
        objects.dedup();
        let mut best: Option<Vec<Vec<Transition>>> = None;
        for obj in objects {
            if !pending.iter().filter(|p| p.obj == obj).all(|p| p.divides) {
                continue;
            }
            let Some(blocks) = self.by(obj) else { continue };
            if best.as_ref().is_none_or(|best| best.len() < blocks.len()) {
                best = Some(blocks);
            }
        }
        best
    }

    /// Divides by an object.
    fn by(&mut self, obj: ObjId) -> Option<Vec<Vec<Transition>>> {
        let (mut known, mut blocks) = (HashSet::new(), Vec::new());
        for seen in self.run(Halt::Before(obj))? {
            let Seen::Beginnings(beginnings) = seen else { continue };
            for (events, steps) in beginnings {
                if known.insert(events) {
                    blocks.push(self.block.iter().copied().chain(steps).collect());
                }
            }
        }
        Some(blocks)
    }

    /// Explores what comes behind the block's steps, to where it halts. `None` if that cannot be used, or is
    /// too much.
    fn run(&mut self, halt: Halt) -> Option<Vec<Seen>> {
        let search = Search::halting(self.block.to_vec(), halt);
        let rt = runtime(self.settings, Mode::Explore(Box::new(search)), self.names.clone());
        let most = FOR_AN_OBJECT.min(*self.effort);
        let (from, all) = (self.block.len(), Arc::new(Mutex::new(Some(Vec::new()))));
        let spent = Arc::new(AtomicUsize::new(0));
        let (seen, runs) = (all.clone(), spent.clone());
        let conclude = move |rt: &mut Runtime| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let enough = runs.fetch_add(1, Relaxed) >= most;
            match (&mut *seen, see(rt, from, halt).filter(|_| !enough)) {
                (Some(seen), Some(new)) => seen.push(new),
                _ => *seen = None,
            }
            // Those who halt do not come to race with the looks that have been.
            rt.stalled.retain(|b| halt != Halt::Before(b.op.obj));
            match (&*seen, halt) {
                (None, _) | (_, Halt::Here) => false,
                (Some(_), Halt::Before(_)) if rt.counts() => rt.search_on(),
                (Some(_), Halt::Before(_)) => {
                    *seen = None;
                    false
                }
            }
        };
        drop(execute(rt, self.settings, self.body.clone(), Box::new(conclude)));
        *self.effort = self.effort.saturating_sub(spent.load(Relaxed));
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        all.take()
    }
}

/// Whether operations of this kind are understood: each can be prevented by a change of the object alone,
/// and what each is to the object does not depend on when it comes.
fn divides(kind: Kind) -> bool {
    changes(kind) || looks(kind)
}

/// Those among them before which threads halt.
fn changes(kind: Kind) -> bool {
    let takes = matches!(kind, Kind::Lock | Kind::TryLock | Kind::Unlock);
    takes || matches!(kind, Kind::Store | Kind::Rmw | Kind::DropRef)
}

/// Those that commute with each other, and may come before the next change or after it.
pub(crate) fn looks(kind: Kind) -> bool {
    matches!(kind, Kind::Load | Kind::Upgrade)
}

/// What an execution shows that has halted behind the steps of a block, which are so many.
fn see(rt: &Runtime, from: usize, halt: Halt) -> Option<Seen> {
    let behind = &rt.trace.events()[from.min(rt.trace.len())..];
    // What threads wait for that yield is more than one object, or time.
    let yields = behind.iter().any(Event::yielded)
        || rt.stalled.iter().any(|b| b.passes || b.pause.is_some());
    if rt.ending != Some(Ending::Halted) || yields {
        return None;
    }
    let Halt::Before(obj) = halt else {
        let pending = |b: &Blocked| Pending {
            obj: b.op.obj,
            divides: b.op.obj != NO_OBJECT && divides(b.op.kind),
        };
        let alone = behind.iter().map(Event::transition).collect();
        return Some(Seen::Pending(alone, rt.stalled.iter().map(pending).collect()));
    };
    let next: Vec<&Blocked> = rt.stalled.iter().filter(|b| b.op.obj == obj).collect();
    let label = |b: &Blocked| Label::new(obj, b.op.kind);
    let possible: Vec<&Blocked> = next.iter().copied().filter(|b| b.possible).collect();
    let ordered = |(n, one): (usize, &&Blocked)| {
        possible[n + 1..].iter().all(|other| label(one).dependent(label(other)))
    };
    let before: Vec<usize> =
        (from..rt.trace.len()).filter(|&i| rt.trace.events()[i].obj == obj).collect();
    // Somebody can change it: who halts is enabled.
    let fit = next.iter().all(|b| changes(b.op.kind))
        && possible.iter().enumerate().all(ordered)
        && before.iter().all(|&i| looks(rt.trace.events()[i].label.kind))
        && before.len() <= LOOKS;
    if !fit {
        return None;
    }
    let mut beginnings = Vec::new();
    for last in possible {
        for subset in 0..1u32 << before.len() {
            let chosen = before.iter().enumerate().filter(|(n, _)| subset & 1 << n != 0);
            let chosen: Vec<usize> = chosen.map(|(_, &look)| look).collect();
            beginnings.push(beginning(rt, from, &chosen, last, label(last)));
        }
    }
    Some(Seen::Beginnings(beginnings))
}

/// The beginning that ends with a change which is about to be performed, behind these looks.
fn beginning(
    rt: &Runtime,
    from: usize,
    looks: &[usize],
    last: &Blocked,
    label: Label,
) -> (Vec<Happened>, Vec<Transition>) {
    let trace = &rt.trace;
    let before = (from..trace.len()).filter(|&i| {
        trace.known(i, &last.base) || looks.iter().any(|&look| trace.known(i, trace.clock(look)))
    });
    let mut happened: Vec<Happened> = Vec::new();
    let mut steps = Vec::new();
    for i in before {
        let event = &trace.events()[i];
        let clock = trace.clock(i);
        // Trailing zeros say nothing: how long a clock is depends on when it was made.
        let known = clock.iter().rposition(|&n| n != 0).map_or(0, |last| last + 1);
        let Label { obj, kind, .. } = event.label;
        happened.push((event.tid, event.seq, obj, kind, clock[..known].to_vec()));
        steps.push(event.transition());
    }
    // All of that happens before it.
    happened.push((last.tid, u32::MAX, label.obj, label.kind, Vec::new()));
    happened.sort_unstable();
    steps.push(Transition { tid: last.tid, label });
    (happened, steps)
}
