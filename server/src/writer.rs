//! The bucket's writer: one thread that makes every change, so that seqnos
//! have one source. Owns the ends of all histories; takes a vb's locks one at
//! a time.
//!
//! Changes that have gathered while the last commit was under way are made in
//! one transaction and committed together. Only then are they answered, put
//! into memory, and announced to the core: what a client or a stream has seen
//! is on disk. A change of a vb itself is a transaction of its own.

use crate::bucket::Data;
use crate::codec::Frame;
use crate::protocol::{opcode, Status, MAX_VALUE};
use crate::record::{absolute_expiry, Meta, Record};
use crate::store::{Error, Head, Tables};
use crate::vbucket::{VbInfo, VbState};
use bytes::Buf;
use connmap::{ConnMap, EndStatus, Seqno, VbId, Wakeups};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

/// Jobs and bytes that are committed together, at most.
const BATCH: (usize, usize) = (1024, 4 << 20);

/// A request that the writer answers: of a key, SET_VBUCKET, DEL_VBUCKET or
/// FLUSH. Its shape was checked.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) request: Frame,
    /// What it counts for among its connection's unanswered bytes.
    pub(crate) weight: usize,
    pub(crate) replies: UnboundedSender<Reply>,
}

/// The answer to one job.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) opcode: u8,
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
    /// What is answered besides: a counter's value, or GAT's record.
    pub(crate) value: Box<[u8]>,
}

/// The changes of one vb in a transaction.
struct Pending {
    uuid: u64,
    head: Head,
    changes: Vec<(Seqno, Arc<[u8]>)>,
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

    /// Works until nobody can ask for anything any more: so long a bucket has
    /// connections. Nothing is done, nor answered, once `closing` says so.
    pub(crate) fn run(mut self, mut jobs: UnboundedReceiver<Job>, closing: impl Fn() -> bool) {
        let mut next = None;
        while let Some(job) = next.take().or_else(|| jobs.blocking_recv()) {
            if closing() {
                continue;
            }
            let result = match job.request.opcode {
                opcode::SET_VBUCKET | opcode::DEL_VBUCKET => self.set_vb(&job.request),
                opcode::FLUSH | opcode::FLUSHQ => self.flush(),
                _ => {
                    let mut bytes = job.weight;
                    let mut batch = vec![job];
                    while batch.len() < BATCH.0 && bytes < BATCH.1 {
                        match jobs.try_recv() {
                            Ok(job) if opcode::is_change(job.request.opcode) => {
                                bytes += job.weight;
                                batch.push(job);
                            }
                            // What else there is waits for those before it.
                            other => {
                                next = other.ok();
                                break;
                            }
                        }
                    }
                    self.change_keys(batch);
                    continue;
                }
            };
            job.answer(result);
        }
    }

    fn change_keys(&mut self, batch: Vec<Job>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut pending = BTreeMap::new();
        let written = self.data.store.write(|tables| {
            batch
                .iter()
                .map(|Job { request, .. }| match self.data.active(request.vb) {
                    Err(status) => Ok(Err(status)),
                    Ok(uuid) => {
                        let head = self.heads[usize::from(request.vb)];
                        let fresh = || Pending { uuid, head, changes: Vec::new() };
                        let vb: &mut Pending = pending.entry(request.vb).or_insert_with(fresh);
                        vb.change(request, tables, now)
                    }
                })
                .collect::<Result<Vec<_>, Error>>()
        });
        let Ok(results) = written else {
            // Nothing was changed. A disk that is full may have room later.
            return batch.into_iter().for_each(|job| job.answer(Err(Status::Etmpfail)));
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
        for (job, result) in batch.into_iter().zip(results) {
            job.answer(result);
        }
    }

    /// The vb's lock is held until its streams have ended. Either a request
    /// has it first, and its stream is among those; or it comes later, and
    /// finds the new state.
    fn set_vb(&mut self, request: &Frame) -> Result<Done, Status> {
        let vb = request.vb;
        let slot = self.data.vbs.get(usize::from(vb)).ok_or(Status::NotMyVbucket)?;
        // Of a deletion there is none.
        let state = request.extras.first().and_then(|state| VbState::from_wire(*state));
        let mut info = slot.info_mut();
        let head = &mut self.heads[usize::from(vb)];
        let next = match (&*info, state) {
            (None, None) => return Err(Status::NotMyVbucket),
            (_, None) => None,
            (None, Some(state)) => Some(VbInfo::new(state)),
            (Some(info), Some(state)) => Some(info.in_state(state, head.seqno)),
        };
        let written = self.data.store.write(|tables| match &next {
            Some(info) => tables.set_vb(vb, info),
            None => tables.remove_vb(vb),
        });
        written.map_err(|_| Status::Etmpfail)?;
        let changed = info.as_ref().map(|info| info.state) != next.as_ref().map(|info| info.state);
        if next.is_none() {
            *head = Head { seqno: 0, ..*head };
            slot.tail(|tail| *tail = Default::default());
        }
        *info = next;
        let ended = changed.then(|| self.map.end_streams(VbId(vb), EndStatus::StateChanged));
        drop(info);
        ended.map(|ended| ended.deliver());
        Ok(Done::default())
    }

    /// As [`Self::set_vb`], for all vbs at once: their locks are taken in order.
    fn flush(&mut self) -> Result<Done, Status> {
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
        written.map_err(|_| Status::Etmpfail)?;
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
        Ok(Done::default())
    }
}

impl Job {
    fn answer(self, result: Result<Done, Status>) {
        let Frame { opcode, opaque, .. } = self.request;
        // The connection may be gone; then nobody wants to know.
        let _ = self.replies.send(Reply { opcode, opaque, weight: self.weight, result });
    }
}

/// The outer error is the store's, the inner one the client's.
type Changed = Result<Result<Done, Status>, Error>;

impl Pending {
    fn change(&mut self, request: &Frame, tables: &mut Tables<'_>, now: Duration) -> Changed {
        let (opcode, _) = opcode::loud(request.opcode);
        let seconds = now.as_secs() as u32;
        let found = tables.get(request.vb, &request.key)?;
        let (old_seqno, old) = match &found {
            Some((seqno, record)) => (Some(*seqno), Record::decode(record)),
            None => (None, None),
        };
        let alive = old.filter(|old| old.is_alive(seconds));
        let (mut meta, value, counter) = match next(request, opcode, alive, seconds) {
            Ok(next) => next,
            Err(status) => return Ok(Err(status)),
        };
        // A hybrid clock: it follows the time, and never stands still.
        let cas = (now.as_nanos() as u64 & !0xffff).max(self.head.cas + 1);
        self.head = Head { seqno: self.head.seqno + 1, cas };
        meta.cas = cas;
        meta.rev = old.map_or(1, |old| old.meta.rev + 1);
        let record = Record { meta, key: &request.key, value: &value }.encode();
        tables.put(request.vb, &request.key, old_seqno, self.head.seqno, &record)?;
        self.changes.push((self.head.seqno, Arc::from(&*record)));
        let value = match counter {
            Some(counter) => counter.to_be_bytes().into(),
            None if opcode == opcode::GAT => record,
            None => Box::default(),
        };
        Ok(Ok(Done { cas, place: Some((self.uuid, self.head.seqno)), value }))
    }
}

/// What becomes of a key: its meta (cas and rev still to be set) and value; and
/// the number, of a counter.
type Next<'a> = (Meta, Cow<'a, [u8]>, Option<u64>);

fn next<'a>(
    request: &'a Frame,
    opcode: u8,
    alive: Option<Record<'a>>,
    now: u32,
) -> Result<Next<'a>, Status> {
    match (&alive, opcode) {
        (Some(_), opcode::ADD) => return Err(Status::KeyEexists),
        (None, opcode::APPEND | opcode::PREPEND) => return Err(Status::NotStored),
        (None, opcode::SET) if request.cas != 0 => return Err(Status::KeyEnoent),
        (None, opcode::REPLACE | opcode::DELETE | opcode::TOUCH | opcode::GAT) => {
            return Err(Status::KeyEnoent)
        }
        (Some(old), _) if request.cas != 0 && request.cas != old.meta.cas => {
            return Err(Status::KeyEexists)
        }
        _ => {}
    }
    let old = alive.unwrap_or(Record { meta: Meta::default(), key: &[], value: &[] });
    let (mut extras, given) = (request.extras.clone(), &request.value[..]);
    Ok(match opcode {
        opcode::SET | opcode::ADD | opcode::REPLACE => {
            let (flags, expiry) = (extras.get_u32(), absolute_expiry(extras.get_u32(), now));
            let meta = Meta { flags, expiry, datatype: request.datatype, ..Meta::default() };
            (meta, Cow::Borrowed(given), None)
        }
        opcode::APPEND | opcode::PREPEND => {
            let value = match opcode {
                opcode::APPEND => [old.value, given].concat(),
                _ => [given, old.value].concat(),
            };
            if value.len() > MAX_VALUE {
                return Err(Status::E2big);
            }
            (Meta { datatype: 0, ..old.meta }, Cow::Owned(value), None)
        }
        opcode::DELETE => {
            let meta = Meta { deleted: true, expiry: now, ..Meta::default() };
            (meta, Cow::Borrowed(&[][..]), None)
        }
        opcode::INCREMENT | opcode::DECREMENT => {
            let (delta, initial, expiry) = (extras.get_u64(), extras.get_u64(), extras.get_u32());
            let text = alive.map(|old| std::str::from_utf8(old.value).unwrap_or_default());
            let (meta, counter) = match text.map(str::parse::<u64>) {
                // All ones: no counter is to be made.
                None if expiry == u32::MAX => return Err(Status::KeyEnoent),
                None => (Meta { expiry: absolute_expiry(expiry, now), ..Meta::default() }, initial),
                Some(Err(_)) => return Err(Status::DeltaBadval),
                Some(Ok(old_value)) if opcode == opcode::INCREMENT => {
                    (old.meta, old_value.wrapping_add(delta))
                }
                Some(Ok(old_value)) => (old.meta, old_value.saturating_sub(delta)),
            };
            (meta, Cow::Owned(counter.to_string().into_bytes()), Some(counter))
        }
        // TOUCH and GAT.
        _ => {
            let meta = Meta { expiry: absolute_expiry(extras.get_u32(), now), ..old.meta };
            (meta, Cow::Borrowed(old.value), None)
        }
    })
}
