//! The operations on keys: how they are asked of the writer, or of the disk, and
//! answered.

use super::{Connection, Go, RESPONSE};
use crate::codec::{Frame, Out};
use crate::protocol::{feature, opcode, Status, MAX_VALUE};
use crate::record::Record;
use crate::writer::{Done, Reply};
use std::time::{SystemTime, UNIX_EPOCH};

impl Connection {
    /// Hands a change to the writer.
    pub(super) fn change_key(&mut self, frame: &Frame) -> Result<Go, Status> {
        let (code, _) = opcode::loud(frame.opcode);
        let versioned_add = code == opcode::ADD && frame.cas != 0;
        if frame.datatype & !self.datatypes() != 0 || versioned_add {
            return Err(Status::Einval);
        }
        // What is answered with a value counts for the largest one.
        let weight = if code == opcode::GAT { MAX_VALUE } else { frame.value.len() };
        self.ask_writer(frame, weight)
    }

    /// Answers what the writer has done.
    pub(super) fn answer_change(&mut self, reply: Reply) {
        self.unanswered.0 -= 1;
        self.unanswered.1 -= reply.weight;
        let (code, quiet) = opcode::loud(reply.opcode);
        let out = Out { opcode: reply.opcode, opaque: reply.opaque, ..RESPONSE };
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
        if code == opcode::GAT {
            // The writer encoded it.
            let Some(Record { meta, value, .. }) = Record::decode(&value) else { return };
            extras.extend(meta.flags.to_be_bytes());
            let datatype = meta.datatype & self.datatypes();
            return self.put(Out { cas, datatype, extras: &extras, value, ..out });
        }
        // Of a change; a touch is none in the documents.
        let told = self.has(feature::MUTATION_SEQNO) && code != opcode::TOUCH;
        if let (Some((uuid, seqno)), true) = (place, told) {
            extras.extend(uuid.to_be_bytes());
            extras.extend(seqno.to_be_bytes());
        }
        self.put(Out { cas, extras: &extras, value: &value, ..out });
    }

    /// GET and its kin. Reads the disk, or what the store keeps of it.
    pub(super) fn get(&mut self, frame: &Frame) -> Result<Go, Status> {
        let (code, quiet) = opcode::loud(frame.opcode);
        let data = self.bound()?.bucket.data.clone();
        data.active(frame.vb)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let found = data.store.get(frame.vb, &frame.key).map_err(|_| Status::Etmpfail)?;
        let record = found.as_deref().and_then(Record::decode);
        let Some(record) = record.filter(|record| record.is_alive(now.as_secs() as u32)) else {
            return if quiet { Ok(Go::On) } else { Err(Status::KeyEnoent) };
        };
        let key = if code == opcode::GETK { record.key } else { &[] };
        let flags = record.meta.flags.to_be_bytes();
        let datatype = record.meta.datatype & self.datatypes();
        let cas = record.meta.cas;
        let out = Out { cas, datatype, extras: &flags, key, value: record.value, ..RESPONSE };
        Ok(self.answer(frame, out))
    }
}
