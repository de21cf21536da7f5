//! What synchronises with what, as the memory model has it, for the detection of data races.
//!
//! This is not the happens-before of traces: there any two dependent operations are ordered, here only
//! a release before the acquisition that sees it. It is kept only in executions with a checked cell.

use super::state::Runtime;
use crate::object::{Applied, Channel, Object, State, HUNG_UP};
use crate::op::{Kind, Op, Pid, ACQUIRE, ACQUIRE_ON_FAILURE, RELEASE};
use crate::trace::{join, Clock};
use std::collections::VecDeque;
use std::panic::Location;

/// What an object hands on.
#[derive(Default)]
pub(crate) struct Released {
    /// To everyone who acquires it.
    all: Clock,
    /// To writers alone: what readers of an `RwLock` leave.
    writers: Clock,
    /// What a channel hands on, but for what ends a meeting: that is for everyone.
    channel: Handover,
}

/// What a channel hands on.
#[derive(Default)]
struct Handover {
    /// With each message, to who receives it.
    messages: Numbered,
    /// With each place that a message has left, to who fills it.
    places: Numbered,
    /// To a receiver that learns that the senders are gone.
    goodbyes: Clock,
}

/// Clocks that are taken in the order of their numbers. There is none from before the first cell.
#[derive(Default)]
struct Numbered(VecDeque<(u64, Clock)>);

impl Numbered {
    fn put(&mut self, number: u64, clock: &Clock) {
        self.0.push_back((number, clock.clone()));
    }

    fn take(&mut self, number: u64) -> Option<Clock> {
        self.0.front().filter(|(n, _)| *n == number)?;
        self.0.pop_front().map(|(_, clock)| clock)
    }
}

impl Handover {
    /// The last message sent, by a thread that knows `known`.
    fn send(&mut self, channel: &Channel, known: &mut Known) {
        let number = channel.sent - 1;
        let place = channel.room.and_then(|room| number.checked_sub(room as u64));
        if let Some(left) = place.and_then(|place| self.places.take(place)) {
            join(&mut known.now, &left);
        }
        self.messages.put(number, &known.now);
    }

    /// The last message received, by a thread that knows `known`.
    fn recv(&mut self, channel: &Channel, known: &mut Known) {
        let number = channel.received - 1;
        if let Some(sent) = self.messages.take(number) {
            join(&mut known.now, &sent);
        }
        if channel.room.is_some_and(|room| room > 0) {
            self.places.put(number, &known.now);
        }
    }

    fn clear(&mut self) {
        self.messages.0.clear();
        self.places.0.clear();
        self.goodbyes.clear();
    }
}

impl Released {
    pub(crate) fn acquire(&self, known: &mut Known) {
        join(&mut known.now, &self.all);
    }

    pub(crate) fn clear(&mut self) {
        self.all.clear();
        self.writers.clear();
        self.channel.clear();
    }
}

/// What a thread knows.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) now: Clock,
    /// What a fence that acquires would add.
    unfenced: Clock,
    /// What the last fence that releases knew.
    fenced: Clock,
}

impl Known {
    pub(crate) fn clear(&mut self) {
        self.now.clear();
        self.unfenced.clear();
        self.fenced.clear();
    }
}

/// An access to a cell.
#[derive(Clone, Copy)]
struct Access {
    pid: Pid,
    epoch: u32,
    at: &'static Location<'static>,
}

/// The accesses to a cell that a later one may race with.
#[derive(Default)]
pub(crate) struct Cell {
    write: Option<Access>,
    reads: Vec<Access>,
}

impl Runtime {
    /// Takes in what an operation synchronises.
    pub(super) fn synchronise(&mut self, op: &Op, done: &Applied) {
        let Object { released, state, .. } = &mut self.objects[op.obj as usize];
        let known = &mut self.tasks[self.current as usize].known;
        let succeeded = done.val == 1;
        match done.label.kind {
            Kind::Lock | Kind::Enter | Kind::Park => join(&mut known.now, &released.all),
            // Neither a lock's poison nor `is_finished` synchronises.
            Kind::Look if matches!(state, State::Once { .. }) => {
                join(&mut known.now, &released.all)
            }
            Kind::Recv | Kind::TryRecv => match state {
                State::Channel(channel) if succeeded => {
                    released.channel.recv(channel, known);
                    if channel.room == Some(0) {
                        // For the sender that waits.
                        join(&mut released.all, &known.now);
                    }
                }
                _ if done.val == HUNG_UP => join(&mut known.now, &released.channel.goodbyes),
                _ => {}
            },
            Kind::TryLock | Kind::Read | Kind::TryRead if succeeded => {
                join(&mut known.now, &released.all)
            }
            Kind::Write | Kind::TryWrite if succeeded => {
                join(&mut known.now, &released.all);
                join(&mut known.now, &released.writers);
            }
            Kind::Unlock | Kind::UnlockWrite | Kind::Leave | Kind::Unpark => {
                join(&mut released.all, &known.now)
            }
            Kind::Send | Kind::TrySend if succeeded => {
                if let State::Channel(channel) = state {
                    released.channel.send(channel, known);
                }
            }
            // The receiver's, for the senders that wait at a rendezvous.
            Kind::Hangup => join(&mut released.all, &known.now),
            Kind::DropSender => join(&mut released.channel.goodbyes, &known.now),
            Kind::UnlockRead => join(&mut released.writers, &known.now),
            Kind::Arrive => {
                join(&mut released.all, &known.now);
                join(&mut known.now, &released.all);
            }
            Kind::DropRef => {
                join(&mut released.all, &known.now);
                if succeeded {
                    join(&mut known.now, &released.all);
                }
            }
            Kind::Load | Kind::Upgrade => acquire(known, released, op.order & ACQUIRE != 0),
            Kind::CompareExchangeFailed => {
                acquire(known, released, op.order & ACQUIRE_ON_FAILURE != 0)
            }
            Kind::Store => {
                // A store that does not release ends what earlier releases began.
                released.all.clear();
                release(known, released, op.order & RELEASE != 0);
            }
            Kind::Rmw => {
                acquire(known, released, op.order & ACQUIRE != 0);
                release(known, released, op.order & RELEASE != 0);
            }
            _ => {}
        }
    }

    /// The current thread passes a fence.
    pub(crate) fn fence(&mut self, acquires: bool, releases: bool) {
        let known = &mut self.tasks[self.current as usize].known;
        if acquires {
            let unfenced = std::mem::take(&mut known.unfenced);
            join(&mut known.now, &unfenced);
            known.unfenced = unfenced;
        }
        if releases {
            known.fenced.clear();
            known.fenced.extend_from_slice(&known.now);
        }
    }

    /// A new cell, which its creation writes. From now on, what synchronises is kept track of.
    pub(crate) fn create_cell(&mut self, at: &'static Location<'static>) -> usize {
        self.tracking = true;
        let cell = self.cells.len();
        self.cells.push(Cell::default());
        // With nothing to race with yet.
        self.access(cell, "", true, at);
        cell
    }

    /// The current thread accesses a cell: reports the races with earlier accesses.
    pub(crate) fn access(
        &mut self,
        cell: usize,
        name: &str,
        writes: bool,
        at: &'static Location<'static>,
    ) {
        if writes {
            self.changes();
        }
        let pid = self.current;
        let now = &mut self.tasks[pid as usize].known.now;
        if now.len() <= pid as usize {
            now.resize(pid as usize + 1, 0);
        }
        now[pid as usize] += 1;
        let epoch = now[pid as usize];
        let unordered = |a: &&Access| now.get(a.pid as usize).is_none_or(|&e| e < a.epoch);
        let accesses = &mut self.cells[cell];
        let reads =
            accesses.reads.iter().filter(|_| writes).filter(unordered).map(|a| ("read", *a));
        let mut others =
            accesses.write.iter().filter(unordered).map(|a| ("write", *a)).chain(reads);
        let race = others.next();
        let this = Access { pid, epoch, at };
        if writes {
            accesses.reads.clear();
            accesses.write = Some(this);
        } else {
            accesses.reads.retain(|a| a.pid != pid);
            accesses.reads.push(this);
        }
        if let Some((what, other)) = race {
            let detail = format!(
                "{} by {} at {}:{} and {what} by {} at {}:{}, of {name}, are not ordered",
                if writes { "write" } else { "read" },
                self.thread_name(pid),
                at.file(),
                at.line(),
                self.thread_name(other.pid),
                other.at.file(),
                other.at.line(),
            );
            self.violation("no-data-race".into(), detail);
        }
    }
}

fn acquire(known: &mut Known, released: &Released, now: bool) {
    join(if now { &mut known.now } else { &mut known.unfenced }, &released.all);
}

fn release(known: &Known, released: &mut Released, now: bool) {
    join(&mut released.all, if now { &known.now } else { &known.fenced });
}
