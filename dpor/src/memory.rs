//! What synchronises with what, as the memory model has it, for the detection of data races.
//!
//! This is not the happens-before of traces: there any two dependent operations are ordered, here only
//! a release before the acquisition that sees it. It is kept only in executions with a checked cell.

use crate::op::Tid;
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
    /// Message `number` has been sent, by a thread that knows `known`.
    fn send(&mut self, number: u64, room: Option<usize>, known: &mut Known) {
        let place = room.and_then(|room| number.checked_sub(room as u64));
        if let Some(left) = place.and_then(|place| self.places.take(place)) {
            join(&mut known.now, &left);
        }
        self.messages.put(number, &known.now);
    }

    /// Message `number` has been received, by a thread that knows `known`.
    fn recv(&mut self, number: u64, room: Option<usize>, known: &mut Known) {
        if let Some(sent) = self.messages.take(number) {
            join(&mut known.now, &sent);
        }
        if room.is_some_and(|room| room > 0) {
            self.places.put(number, &known.now);
        }
    }

    fn clear(&mut self) {
        for numbered in [&mut self.messages, &mut self.places] {
            if !numbered.0.is_empty() {
                numbered.0.clear();
            }
        }
        self.goodbyes.clear();
    }
}

impl Released {
    /// Whoever knows `known` acquires what everyone may.
    pub(crate) fn acquire(&self, known: &mut Known) {
        join(&mut known.now, &self.all);
    }

    /// Like [`acquire`](Self::acquire), for a writer that excludes the readers before it.
    pub(crate) fn acquire_to_write(&self, known: &mut Known) {
        self.acquire(known);
        join(&mut known.now, &self.writers);
    }

    /// Hands on to everyone.
    pub(crate) fn release(&mut self, known: &Known) {
        join(&mut self.all, &known.now);
    }

    /// Hands on to writers alone.
    pub(crate) fn release_to_writers(&mut self, known: &Known) {
        join(&mut self.writers, &known.now);
    }

    /// An atomic's load, which acquires by itself or through a fence that comes later.
    pub(crate) fn load(&self, known: &mut Known, acquires: bool) {
        join(if acquires { &mut known.now } else { &mut known.unfenced }, &self.all);
    }

    /// An atomic's store: what is handed on from here is this store's alone.
    pub(crate) fn store(&mut self, known: &Known, releases: bool) {
        self.all.clear();
        self.add(known, releases);
    }

    /// An atomic's read-modify-write, which goes on with the releases before it.
    pub(crate) fn add(&mut self, known: &Known, releases: bool) {
        join(&mut self.all, if releases { &known.now } else { &known.fenced });
    }

    /// Message `number` has been sent to a channel with such room.
    pub(crate) fn send(&mut self, number: u64, room: Option<usize>, known: &mut Known) {
        self.channel.send(number, room, known);
    }

    /// Message `number` has been received from a channel with such room.
    pub(crate) fn recv(&mut self, number: u64, room: Option<usize>, known: &mut Known) {
        self.channel.recv(number, room, known);
        if room == Some(0) {
            // For the sender that waits.
            self.release(known);
        }
    }

    /// A sender goes.
    pub(crate) fn say_goodbye(&mut self, known: &Known) {
        join(&mut self.channel.goodbyes, &known.now);
    }

    /// A receiver learns that the senders are gone.
    pub(crate) fn learn_goodbyes(&self, known: &mut Known) {
        join(&mut known.now, &self.channel.goodbyes);
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

    /// Passes a fence.
    pub(crate) fn fence(&mut self, acquires: bool, releases: bool) {
        if acquires {
            join(&mut self.now, &self.unfenced);
        }
        if releases {
            self.fenced.clear();
            self.fenced.extend_from_slice(&self.now);
        }
    }

    /// The number of an access by thread `tid`.
    pub(crate) fn tick(&mut self, tid: Tid) -> u32 {
        let i = tid as usize;
        if self.now.len() <= i {
            self.now.resize(i + 1, 0);
        }
        self.now[i] += 1;
        self.now[i]
    }
}

/// An access to a cell.
#[derive(Clone, Copy)]
pub(crate) struct Access {
    pub(crate) tid: Tid,
    pub(crate) at: &'static Location<'static>,
    pub(crate) writes: bool,
    /// How many events there had been.
    pub(crate) events: usize,
    epoch: u32,
}

/// The accesses to a cell that a later one may race with.
#[derive(Default)]
pub(crate) struct Cell {
    write: Option<Access>,
    reads: Vec<Access>,
}

impl Cell {
    /// Thread `tid`, which knows `known`, accesses the cell. Returns an earlier access that is not
    /// ordered with this one, if there is one.
    pub(crate) fn access(
        &mut self,
        tid: Tid,
        known: &mut Known,
        writes: bool,
        events: usize,
        at: &'static Location<'static>,
    ) -> Option<Access> {
        let epoch = known.tick(tid);
        let now = &known.now;
        let unordered = |a: &&Access| now.get(a.tid as usize).is_none_or(|&e| e < a.epoch);
        let reads = self.reads.iter().filter(|_| writes).filter(unordered);
        let race = self.write.iter().filter(unordered).chain(reads).next().copied();
        let this = Access { tid, at, writes, events, epoch };
        if writes {
            self.reads.clear();
            self.write = Some(this);
        } else {
            self.reads.retain(|a| a.tid != tid);
            self.reads.push(this);
        }
        race
    }
}
