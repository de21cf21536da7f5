//! One vBucket: its state, its failover log and what a rollback is; and its
//! newest changes in memory.
//!
//! Two locks, `info` before `tail`: `info` guards the state and the log, and is
//! held while a stream is requested, so that a change of state either ends the
//! stream or comes before the request; `tail` guards the newest changes. Only
//! the bucket's writer changes either.

use crate::store::Head;
use crate::tail::Tail;
use connmap::Seqno;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Whether a vb is served (`docs/BinaryProtocol.md`, Set VBucket).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
#[repr(u8)]
pub enum VbState {
    Active = 1,
    Replica = 2,
    Pending = 3,
    Dead = 4,
}

impl VbState {
    /// The state that a byte of the protocol names.
    pub fn from_wire(byte: u8) -> Option<Self> {
        [VbState::Active, VbState::Replica, VbState::Pending, VbState::Dead]
            .into_iter()
            .find(|state| *state as u8 == byte)
    }

    /// Its name in statistics.
    pub fn name(self) -> &'static str {
        match self {
            VbState::Active => "active",
            VbState::Replica => "replica",
            VbState::Pending => "pending",
            VbState::Dead => "dead",
        }
    }
}

/// A branch of a vb's history, and the seqno behind which it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Its name.
    pub uuid: u64,
    /// The last seqno of the branch before.
    pub seqno: Seqno,
}

/// What a vb is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VbInfo {
    /// Whether it is served.
    pub state: VbState,
    /// The branches of its history, the newest first; at least one.
    pub failover: Vec<Branch>,
}

/// How many branches are remembered.
const BRANCHES: usize = 25;

impl VbInfo {
    /// A vb without a history.
    pub fn new(state: VbState) -> Self {
        VbInfo { state, failover: vec![Branch { uuid: fresh_uuid(), seqno: 0 }] }
    }

    /// The name of the branch that is written to.
    pub fn uuid(&self) -> u64 {
        self.failover[0].uuid
    }

    /// The same vb in another state. One that becomes active, and was not,
    /// begins a branch: what was replicated to it may have gone another way.
    pub fn in_state(&self, state: VbState, high: Seqno) -> Self {
        let mut info = VbInfo { state, failover: self.failover.clone() };
        if state == VbState::Active && self.state != VbState::Active {
            info.failover.insert(0, Branch { uuid: fresh_uuid(), seqno: high });
            info.failover.truncate(BRANCHES);
        }
        info
    }

    /// The failover log as the protocol has it.
    pub fn log(&self) -> Vec<u8> {
        let mut log = Vec::with_capacity(16 * self.failover.len());
        for branch in &self.failover {
            log.extend(branch.uuid.to_be_bytes());
            log.extend(branch.seqno.to_be_bytes());
        }
        log
    }

    /// The stored form: the state, then the log.
    pub fn encode(&self) -> Vec<u8> {
        [&[self.state as u8][..], &self.log()].concat()
    }

    /// Reads the stored form. What is no state is taken for a dead vb.
    pub fn decode(bytes: &[u8]) -> Self {
        let (state, log) = bytes.split_first().unwrap_or((&0, &[]));
        let number = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().unwrap_or_default());
        let mut failover: Vec<_> = log
            .chunks_exact(16)
            .map(|entry| Branch { uuid: number(&entry[..8]), seqno: number(&entry[8..]) })
            .collect();
        if failover.is_empty() {
            failover.push(Branch { uuid: fresh_uuid(), seqno: 0 });
        }
        VbInfo { state: VbState::from_wire(*state).unwrap_or(VbState::Dead), failover }
    }
}

/// A name that no other branch has. Its source is the hasher's keys, which the
/// standard library takes from the operating system.
fn fresh_uuid() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    // 48 bits, as kv_engine's: JavaScript reads them, too. 0 names no branch.
    (RandomState::new().build_hasher().finish() >> 16).max(1)
}

/// What a client says that it has of a vb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientHistory {
    /// The last seqno that it has.
    pub start: Seqno,
    /// The branch that it has it from.
    pub uuid: u64,
    /// The snapshot that `start` lies in.
    pub snapshot: (Seqno, Seqno),
}

/// Where a client has to go back to before it can stream from this history, or
/// `None` if it need not (`docs/dcp/documentation/rollback.md`). Nothing is ever
/// purged here.
pub fn rollback(failover: &[Branch], high: Seqno, client: ClientHistory) -> Option<Seqno> {
    if client.start == 0 && client.uuid == 0 {
        return None;
    }
    let Some(found) = failover.iter().position(|branch| branch.uuid == client.uuid) else {
        return Some(0);
    };
    // Where the client's branch ends: where the next one begins, or now.
    let upper = found.checked_sub(1).map_or(high, |newer| failover[newer].seqno);
    let (mut first, mut last) = client.snapshot;
    if client.start == last {
        first = last;
    }
    if client.start == first {
        last = first;
    }
    if last <= upper {
        None
    } else if first > upper {
        Some(upper)
    } else {
        Some(first)
    }
}

/// One vb of a bucket, which may not be there.
#[derive(Debug, Default)]
pub struct VBucket {
    info: RwLock<Option<VbInfo>>,
    tail: Mutex<Tail>,
}

impl VBucket {
    pub(crate) fn load(&self, info: VbInfo, head: Head) {
        *self.info_mut() = Some(info);
        self.tail(|tail| *tail = Tail::new(head.seqno));
    }

    /// What the vb is; it stays that for as long as this is held.
    pub fn info(&self) -> RwLockReadGuard<'_, Option<VbInfo>> {
        self.info.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn info_mut(&self) -> RwLockWriteGuard<'_, Option<VbInfo>> {
        self.info.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tail<T>(&self, look: impl FnOnce(&mut Tail) -> T) -> T {
        look(&mut self.tail.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The last seqno that was committed.
    pub fn high(&self) -> Seqno {
        self.tail(|tail| tail.high())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &[Branch] = &[Branch { uuid: 9, seqno: 50 }, Branch { uuid: 5, seqno: 0 }];

    fn ask(start: Seqno, uuid: u64, first: Seqno, last: Seqno) -> Option<Seqno> {
        rollback(LOG, 100, ClientHistory { start, uuid, snapshot: (first, last) })
    }

    /// The cases of rollback.md, by its numbers.
    #[test]
    fn rollbacks_are_the_documents() {
        assert_eq!(ask(0, 0, 0, 0), None, "1a: nothing at all");
        assert_eq!(ask(0, 9, 0, 0), None, "1b: the same history at 0");
        assert_eq!(ask(0, 7, 0, 0), Some(0), "1b: another history at 0");
        assert_eq!(ask(10, 7, 10, 10), Some(0), "3: no history in common");
        assert_eq!(ask(10, 0, 10, 10), Some(0), "3: no history at all, and items");
        assert_eq!(ask(100, 9, 90, 100), None, "4a: up to date");
        assert_eq!(ask(50, 5, 40, 50), None, "4a: up to where the branch ended");
        assert_eq!(ask(70, 5, 60, 80), Some(50), "4b: beyond the branch's end");
        assert_eq!(ask(45, 5, 40, 60), Some(40), "4c: in a snapshot that goes beyond it");
        assert_eq!(ask(60, 5, 40, 60), Some(50), "a whole snapshot, beyond the end");
        assert_eq!(ask(40, 5, 40, 60), None, "none of the snapshot, so none of what is beyond");
        assert_eq!(ask(120, 9, 120, 120), Some(100), "beyond the newest branch");
    }

    #[test]
    fn a_vb_is_read_as_it_was_written() {
        let info = VbInfo::new(VbState::Replica).in_state(VbState::Active, 7);
        assert_eq!(info.failover.len(), 2);
        assert_eq!(info.failover[0].seqno, 7);
        assert_eq!(VbInfo::decode(&info.encode()), info);
        assert_eq!(info.in_state(VbState::Active, 9), info, "it was active before");
        let many = (0..100).fold(info, |info, seqno| {
            info.in_state(VbState::Replica, seqno).in_state(VbState::Active, seqno)
        });
        assert_eq!(many.failover.len(), BRANCHES);
    }
}
