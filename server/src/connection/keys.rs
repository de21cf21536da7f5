//! The operations on keys: what a request must look like, and its answer.

use super::{Connection, Go, RESPONSE};
use crate::codec::{Frame, Out};
use crate::protocol::{feature, opcode, Status, DATATYPE_JSON, MAX_KEY, MAX_VALUE};
use crate::record::Record;
use crate::vbucket::VbState;
use crate::writer::{Change, Done, Job, KeyJob, Reply, Value};
use bytes::Buf;
use std::time::{SystemTime, UNIX_EPOCH};

/// Whether a request is for the writer, and about a key.
pub(super) fn is_change(opcode: u8) -> bool {
    use opcode::*;
    matches!(
        opcode::loud(opcode).0,
        SET | ADD | REPLACE | DELETE | INCREMENT | DECREMENT | APPEND | PREPEND | TOUCH | GAT
    )
}

/// A request's shape: the length of its extras, and whether it has a key and
/// may have a value.
pub(super) fn check(frame: &Frame, extras: usize, key: bool, value: bool) -> Result<(), Status> {
    let shape = frame.extras.len() == extras
        && frame.key.is_empty() != key
        && frame.key.len() <= MAX_KEY
        && (value || frame.value.is_empty());
    match shape {
        false => Err(Status::Einval),
        true if frame.value.len() > MAX_VALUE => Err(Status::E2big),
        true => Ok(()),
    }
}

impl Connection {
    /// Hands a change to the writer.
    pub(super) fn change_key(&mut self, frame: &Frame) -> Result<Go, Status> {
        let (code, _) = opcode::loud(frame.opcode);
        let json = if self.has(feature::JSON) { DATATYPE_JSON } else { 0 };
        if frame.datatype & !json != 0 {
            return Err(Status::Einval);
        }
        let mut extras = frame.extras.clone();
        let change = match code {
            opcode::SET | opcode::ADD | opcode::REPLACE => {
                check(frame, 8, true, true)?;
                let (flags, expiry) = (extras.get_u32(), extras.get_u32());
                let value = frame.value.clone();
                Change::Store { flags, expiry, datatype: frame.datatype, value }
            }
            opcode::APPEND | opcode::PREPEND => {
                check(frame, 0, true, true)?;
                Change::Extend(frame.value.clone())
            }
            opcode::DELETE => {
                check(frame, 0, true, false)?;
                Change::Delete
            }
            opcode::INCREMENT | opcode::DECREMENT => {
                check(frame, 20, true, false)?;
                let (delta, initial) = (extras.get_u64(), extras.get_u64());
                Change::Count { delta, initial, expiry: extras.get_u32() }
            }
            _ => {
                check(frame, 4, true, false)?;
                Change::Touch { expiry: extras.get_u32() }
            }
        };
        if code == opcode::ADD && frame.cas != 0 {
            return Err(Status::Einval);
        }
        // What is answered with a value counts for the largest one.
        let weight = if code == opcode::GAT { MAX_VALUE } else { frame.value.len() };
        let jobs = self.bound()?.jobs.clone();
        let job = KeyJob { vb: frame.vb, key: frame.key.clone(), cas: frame.cas, change };
        let ticket = self.ticket(frame, weight);
        // A writer that is gone is a bucket that is: the connection ends.
        let _ = jobs.send(Job::Key(job, ticket));
        Ok(Go::On)
    }

    /// Answers what the writer has done.
    pub(super) fn answer_change(&mut self, reply: Reply) {
        self.unanswered.0 -= 1;
        self.unanswered.1 -= reply.weight;
        let (code, quiet) = opcode::loud(reply.asked);
        let out = Out { opcode: reply.asked, opaque: reply.opaque, ..RESPONSE };
        let Done { cas, place, value } = match reply.result {
            // A quiet get that finds nothing says so by silence.
            Err(Status::KeyEnoent) if quiet && code == opcode::GAT => return,
            Err(status) => {
                let text = status.text();
                return self.put(Out { vb: status as u16, value: text.as_bytes(), ..out });
            }
            Ok(_) if quiet && code != opcode::GAT => return,
            Ok(done) => done,
        };
        let mut extras = Vec::new();
        match value {
            Value::Record(record) => {
                // The writer encoded it.
                let Some(record) = Record::decode(&record) else { return };
                extras.extend(record.meta.flags.to_be_bytes());
                let datatype = self.shown(record.meta.datatype);
                self.put(Out { cas, datatype, extras: &extras, value: record.value, ..out });
            }
            value => {
                // Of a change; a touch is none in the documents.
                let told = self.has(feature::MUTATION_SEQNO) && code != opcode::TOUCH;
                if let (Some((uuid, seqno)), true) = (place, told) {
                    extras.extend(uuid.to_be_bytes());
                    extras.extend(seqno.to_be_bytes());
                }
                let counter = match value {
                    Value::Counter(counter) => counter.to_be_bytes().to_vec(),
                    _ => Vec::new(),
                };
                self.put(Out { cas, extras: &extras, value: &counter, ..out });
            }
        }
    }

    /// GET and its kin. Reads the disk, or what the store keeps of it.
    pub(super) fn get(&mut self, frame: &Frame) -> Result<Go, Status> {
        check(frame, 0, true, false)?;
        let (code, quiet) = opcode::loud(frame.opcode);
        let data = self.bound()?.bucket.data.clone();
        let vb = data.vbs.get(usize::from(frame.vb)).ok_or(Status::NotMyVbucket)?;
        match vb.info().as_ref().map(|info| info.state) {
            Some(VbState::Active) => {}
            Some(VbState::Pending) => return Err(Status::Etmpfail),
            _ => return Err(Status::NotMyVbucket),
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let found = data.store.get(frame.vb, &frame.key).map_err(|_| Status::Etmpfail)?;
        let record = found.as_deref().and_then(Record::decode);
        let Some(record) = record.filter(|record| record.is_alive(now.as_secs() as u32)) else {
            return if quiet { Ok(Go::On) } else { Err(Status::KeyEnoent) };
        };
        let key = if code == opcode::GETK { record.key } else { &[] };
        let flags = record.meta.flags.to_be_bytes();
        let datatype = self.shown(record.meta.datatype);
        let cas = record.meta.cas;
        let out = Out { cas, datatype, extras: &flags, key, value: record.value, ..RESPONSE };
        Ok(self.answer(frame, out))
    }
}
