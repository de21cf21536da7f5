//! The bucket's writer: one thread that makes every change, so that seqnos
//! have one source. Owns the ends of all histories; takes a vb's locks one at
//! a time.
//!
//! Changes that have gathered while the last commit was under way are made in
//! one transaction and committed together. Only then are they answered, put
//! into memory, and announced to the core: what a client or a stream has seen
//! is on disk. A change of a vb itself is a transaction of its own.

use crate::bucket::Data;
use crate::protocol::{opcode, Status, MAX_VALUE};
use crate::record::{absolute_expiry, Meta, Record};
use crate::store::{Error, Head, Tables};
use crate::vbucket::{VbInfo, VbState};
use bytes::Bytes;
use connmap::{ConnMap, EndStatus, Seqno, VbId, Wakeups};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

/// Jobs and bytes that are committed together, at most.
const BATCH: (usize, usize) = (1024, 4 << 20);

/// Who asks, and what the answer must carry.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) replies: UnboundedSender<Reply>,
    /// The request's opcode, without what makes it quiet.
    pub(crate) opcode: u8,
    pub(crate) asked: u8,
    pub(crate) opaque: u32,
    /// What the request counts for among its connection's unanswered bytes.
    pub(crate) weight: usize,
}

/// The answer to one job.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) asked: u8,
    pub(crate) opaque: u32,
    pub(crate) weight: usize,
    pub(crate) result: Result<Done, Status>,
}

/// What a job that succeeded has done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// The item's new version.
    pub(crate) cas: u64,
    /// The vb's branch and the item's seqno, of a change.
    pub(crate) place: Option<(u64, Seqno)>,
    /// A counter's value, or the record that was touched.
    pub(crate) value: Value,
}

/// What is answered besides.
#[derive(Debug, Default)]
pub(crate) enum Value {
    #[default]
    None,
    Counter(u64),
    Record(Box<[u8]>),
}

/// What is to be done to a key.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// SET, ADD or REPLACE.
    Store { flags: u32, expiry: u32, datatype: u8, value: Bytes },
    /// APPEND or PREPEND of these bytes.
    Extend(Bytes),
    /// DELETE.
    Delete,
    /// INCREMENT or DECREMENT.
    Count {
        delta: u64,
        /// The counter's first value.
        initial: u64,
        /// As the request has it; all ones: make no counter.
        expiry: u32,
    },
    /// TOUCH or GAT.
    Touch { expiry: u32 },
}

/// A change of one key.
#[derive(Debug)]
pub(crate) struct KeyJob {
    pub(crate) vb: u16,
    pub(crate) key: Bytes,
    /// The version that it must have; 0 for any.
    pub(crate) cas: u64,
    pub(crate) change: Change,
}

/// A job of the writer.
#[derive(Debug)]
pub(crate) enum Job {
    /// Changes a key.
    Key(KeyJob, Ticket),
    /// Makes a vb, puts it in a state, or removes it.
    SetVb(u16, Option<VbState>, Ticket),
    /// Removes all items; every vb begins a new history.
    Flush(Ticket),
}

/// The changes of one vb in a transaction.
struct Pending {
    uuid: u64,
    head: Head,
    changes: Vec<(Seqno, Box<[u8]>)>,
}

pub(crate) struct Writer {
    data: Arc<Data>,
    map: Arc<ConnMap>,
    heads: Vec<Head>,
}

impl Writer {
    pub(crate) fn new(data: Arc<Data>, map: Arc<ConnMap>, heads: Vec<Head>) -> Self {
        Writer { data, map, heads }
    }

    /// Works until nobody can ask for anything any more, or `closing` says
    /// that what is asked for is not to be done.
    pub(crate) fn run(mut self, mut jobs: UnboundedReceiver<Job>, closing: impl Fn() -> bool) {
        let mut next = jobs.blocking_recv();
        while let Some(first) = next.take() {
            if closing() {
                return;
            }
            let mut batch = Vec::new();
            let mut bytes = 0;
            let mut job = Some(first);
            while let Some(one) = job.take() {
                match one {
                    Job::Key(key, ticket) => {
                        bytes += ticket.weight;
                        batch.push((key, ticket));
                    }
                    // It waits for those before it, and those behind it for it.
                    other => {
                        next = Some(other);
                        break;
                    }
                }
                if batch.len() >= BATCH.0 || bytes >= BATCH.1 {
                    break;
                }
                job = jobs.try_recv().ok();
            }
            self.change_keys(batch);
            match next.take() {
                Some(Job::SetVb(vb, state, ticket)) => self.set_vb(vb, state, ticket),
                Some(Job::Flush(ticket)) => self.flush(ticket),
                _ => {}
            }
            next = jobs.blocking_recv();
        }
    }

    fn change_keys(&mut self, batch: Vec<(KeyJob, Ticket)>) {
        if batch.is_empty() {
            return;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut pending = BTreeMap::new();
        let written = self.data.store.write(|tables| {
            batch
                .iter()
                .map(|(job, ticket)| match self.active(job.vb) {
                    Err(status) => Ok(Err(status)),
                    Ok(uuid) => {
                        let head = self.heads[usize::from(job.vb)];
                        let fresh = || Pending { uuid, head, changes: Vec::new() };
                        let vb: &mut Pending = pending.entry(job.vb).or_insert_with(fresh);
                        vb.change(job, ticket.opcode, tables, now)
                    }
                })
                .collect::<Result<Vec<_>, Error>>()
        });
        let Ok(results) = written else {
            // Nothing was changed. A disk that is full may have room later.
            for (_, ticket) in batch {
                ticket.answer(Err(Status::Etmpfail));
            }
            return;
        };
        let mut wakeups = Wakeups::default();
        for (vb, pending) in pending {
            self.heads[usize::from(vb)] = pending.head;
            if pending.changes.is_empty() {
                continue;
            }
            self.data.vbs[usize::from(vb)].tail(|tail| {
                for (seqno, record) in pending.changes {
                    tail.push(seqno, record);
                }
            });
            // Behind the tail: who reads because of this finds the changes.
            wakeups.append(self.map.notify(VbId(vb), pending.head.seqno).split().1);
        }
        wakeups.deliver();
        for ((_, ticket), result) in batch.into_iter().zip(results) {
            ticket.answer(result);
        }
    }

    /// The branch that an active vb is written to.
    fn active(&self, vb: u16) -> Result<u64, Status> {
        let vb = self.data.vbs.get(usize::from(vb)).ok_or(Status::NotMyVbucket)?;
        match &*vb.info() {
            Some(info) => match info.state {
                VbState::Active => Ok(info.uuid()),
                VbState::Pending => Err(Status::Etmpfail),
                VbState::Replica | VbState::Dead => Err(Status::NotMyVbucket),
            },
            None => Err(Status::NotMyVbucket),
        }
    }

    /// The vb's lock is held until its streams have ended. Either a request
    /// has it first, and its stream is among those; or it comes later, and
    /// finds the new state.
    fn set_vb(&mut self, vb: u16, state: Option<VbState>, ticket: Ticket) {
        let Some(slot) = self.data.vbs.get(usize::from(vb)) else {
            return ticket.answer(Err(Status::NotMyVbucket));
        };
        let mut info = slot.info_mut();
        let head = &mut self.heads[usize::from(vb)];
        let next = match (&*info, state) {
            (None, None) => return ticket.answer(Err(Status::NotMyVbucket)),
            (_, None) => None,
            (None, Some(state)) => Some(VbInfo::new(state)),
            (Some(info), Some(state)) => Some(info.in_state(state, head.seqno)),
        };
        let written = self.data.store.write(|tables| match &next {
            Some(info) => tables.set_vb(vb, info),
            None => tables.remove_vb(vb),
        });
        if written.is_err() {
            return ticket.answer(Err(Status::Etmpfail));
        }
        let changed = info.as_ref().map(|info| info.state) != next.as_ref().map(|info| info.state);
        if next.is_none() {
            *head = Head { seqno: 0, ..*head };
            slot.tail(|tail| *tail = Default::default());
        }
        *info = next;
        let ended = changed.then(|| self.map.end_streams(VbId(vb), EndStatus::StateChanged));
        drop(info);
        ended.map(|ended| ended.deliver());
        ticket.answer(Ok(Done::default()));
    }

    /// As [`Self::set_vb`], for all vbs at once: their locks are taken in order.
    fn flush(&mut self, ticket: Ticket) {
        let mut infos: Vec<_> = self.data.vbs.iter().map(|vb| vb.info_mut()).collect();
        let fresh = |info: &Option<VbInfo>| info.as_ref().map(|info| VbInfo::new(info.state));
        let next: Vec<_> = infos.iter().map(|info| fresh(info)).collect();
        let written = self.data.store.write(|tables| {
            for (vb, info) in next.iter().enumerate() {
                let Some(info) = info else { continue };
                tables.remove_vb(vb as u16)?;
                tables.set_vb(vb as u16, info)?;
            }
            Ok(())
        });
        if written.is_err() {
            return ticket.answer(Err(Status::Etmpfail));
        }
        let mut wakeups = Wakeups::default();
        for (vb, next) in next.into_iter().enumerate() {
            self.heads[vb].seqno = 0;
            self.data.vbs[vb].tail(|tail| *tail = Default::default());
            *infos[vb] = next;
            let ended = self.map.end_streams(VbId(vb as u16), EndStatus::Rollback);
            wakeups.append(ended.split().1);
        }
        drop(infos);
        wakeups.deliver();
        ticket.answer(Ok(Done::default()));
    }
}

impl Ticket {
    fn answer(self, result: Result<Done, Status>) {
        let Ticket { replies, asked, opaque, weight, .. } = self;
        // The connection may be gone; then nobody wants to know.
        let _ = replies.send(Reply { asked, opaque, weight, result });
    }
}

/// The outer error is the store's, the inner one the client's.
type Changed = Result<Result<Done, Status>, Error>;

impl Pending {
    fn change(
        &mut self,
        job: &KeyJob,
        opcode: u8,
        tables: &mut Tables<'_>,
        now: Duration,
    ) -> Changed {
        let seconds = now.as_secs() as u32;
        let found = tables.get(job.vb, &job.key)?;
        let (old_seqno, old) = match &found {
            Some((seqno, record)) => (Some(*seqno), Record::decode(record)),
            None => (None, None),
        };
        let alive = old.filter(|old| old.is_alive(seconds));
        let next = match next(job, opcode, alive, seconds) {
            Ok(next) => next,
            Err(status) => return Ok(Err(status)),
        };
        let (mut meta, value, answer) = next;
        // A hybrid clock: it follows the time, and never stands still.
        let cas = (now.as_nanos() as u64 & !0xffff).max(self.head.cas + 1);
        self.head = Head { seqno: self.head.seqno + 1, cas };
        meta.cas = cas;
        meta.rev = old.map_or(1, |old| old.meta.rev + 1);
        let record = Record { meta, key: &job.key, value: &value }.encode();
        tables.put(job.vb, &job.key, old_seqno, self.head.seqno, &record)?;
        let value = match answer {
            Answer::Nothing => Value::None,
            Answer::Counter(value) => Value::Counter(value),
            Answer::Item => Value::Record(record.clone()),
        };
        self.changes.push((self.head.seqno, record));
        Ok(Ok(Done { cas, place: Some((self.uuid, self.head.seqno)), value }))
    }
}

enum Answer {
    Nothing,
    Counter(u64),
    Item,
}

/// What becomes of a key: its meta (cas and rev still to be set) and value.
fn next<'a>(
    job: &'a KeyJob,
    opcode: u8,
    alive: Option<Record<'a>>,
    now: u32,
) -> Result<(Meta, Cow<'a, [u8]>, Answer), Status> {
    match (&alive, opcode) {
        (Some(_), opcode::ADD) => return Err(Status::KeyEexists),
        (None, opcode::APPEND | opcode::PREPEND) => return Err(Status::NotStored),
        (None, opcode::SET) if job.cas != 0 => return Err(Status::KeyEnoent),
        (None, opcode::REPLACE | opcode::DELETE | opcode::TOUCH | opcode::GAT) => {
            return Err(Status::KeyEnoent)
        }
        (Some(old), _) if job.cas != 0 && job.cas != old.meta.cas => {
            return Err(Status::KeyEexists)
        }
        _ => {}
    }
    let old = alive.unwrap_or(Record { meta: Meta::default(), key: &[], value: &[] });
    Ok(match &job.change {
        Change::Store { flags, expiry, datatype, value } => {
            let expiry = absolute_expiry(*expiry, now);
            let meta = Meta { flags: *flags, expiry, datatype: *datatype, ..Meta::default() };
            (meta, Cow::Borrowed(&value[..]), Answer::Nothing)
        }
        Change::Extend(more) => {
            let value = match opcode {
                opcode::APPEND => [old.value, more].concat(),
                _ => [more, old.value].concat(),
            };
            if value.len() > MAX_VALUE {
                return Err(Status::E2big);
            }
            (Meta { datatype: 0, ..old.meta }, Cow::Owned(value), Answer::Nothing)
        }
        Change::Delete => {
            let meta = Meta { deleted: true, expiry: now, ..Meta::default() };
            (meta, Cow::Borrowed(&[][..]), Answer::Nothing)
        }
        Change::Count { initial, expiry, .. } if alive.is_none() => {
            if *expiry == u32::MAX {
                return Err(Status::KeyEnoent);
            }
            let meta = Meta { expiry: absolute_expiry(*expiry, now), ..Meta::default() };
            (meta, Cow::Owned(initial.to_string().into_bytes()), Answer::Counter(*initial))
        }
        Change::Count { delta, .. } => {
            let counter = std::str::from_utf8(old.value).ok().and_then(|text| text.parse().ok());
            let counter: u64 = counter.ok_or(Status::DeltaBadval)?;
            let counter = match opcode {
                opcode::INCREMENT => counter.wrapping_add(*delta),
                _ => counter.saturating_sub(*delta),
            };
            (old.meta, Cow::Owned(counter.to_string().into_bytes()), Answer::Counter(counter))
        }
        Change::Touch { expiry } => {
            let meta = Meta { expiry: absolute_expiry(*expiry, now), ..old.meta };
            let answer = if opcode == opcode::GAT { Answer::Item } else { Answer::Nothing };
            (meta, Cow::Borrowed(old.value), answer)
        }
    })
}
