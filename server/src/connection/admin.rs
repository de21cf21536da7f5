//! Requests that are about no key and no stream: HELO, SASL, buckets, vb
//! states, statistics.

use super::keys::check;
use super::{Connection, Go, RESPONSE};
use crate::codec::{Frame, Out};
use crate::protocol::{feature, opcode, Status};
use crate::stats;
use crate::vbucket::VbState;
use crate::writer::Job;
use bytes::Buf;

/// What the statuses mean, for clients that do not know them (`docs/ErrorMap.md`).
const ERROR_MAP: &str = include_str!("../error_map.json");
const NO_BUCKET: &[u8] = b"@no bucket@";

impl Connection {
    pub(super) async fn administer(&mut self, frame: &Frame) -> Result<Go, Status> {
        match frame.opcode {
            opcode::HELO => self.helo(frame),
            opcode::SASL_LIST_MECHS => {
                check(frame, 0, false, false)?;
                Ok(self.answer(frame, Out { value: b"PLAIN", ..RESPONSE }))
            }
            opcode::SASL_AUTH => self.authenticate(frame),
            // PLAIN has one step.
            opcode::SASL_STEP => Err(Status::Einval),
            opcode::NOOP => {
                check(frame, 0, false, false)?;
                Ok(self.answer(frame, RESPONSE))
            }
            opcode::VERSION => {
                check(frame, 0, false, false)?;
                let value = env!("CARGO_PKG_VERSION").as_bytes();
                Ok(self.answer(frame, Out { value, ..RESPONSE }))
            }
            opcode::VERBOSITY => {
                check(frame, 4, false, false)?;
                Ok(self.answer(frame, RESPONSE))
            }
            opcode::QUIT => {
                self.answer(frame, RESPONSE);
                Ok(Go::End)
            }
            opcode::QUITQ => Ok(Go::End),
            opcode::STAT => self.stat(frame),
            opcode::CREATE_BUCKET => self.create_bucket(frame).await,
            opcode::DELETE_BUCKET => self.delete_bucket(frame).await,
            opcode::LIST_BUCKETS => {
                check(frame, 0, false, false)?;
                let names = self.server.names().join(" ");
                Ok(self.answer(frame, Out { value: names.as_bytes(), ..RESPONSE }))
            }
            opcode::SELECT_BUCKET => self.select_bucket(frame),
            opcode::SET_VBUCKET | opcode::DEL_VBUCKET | opcode::FLUSH | opcode::FLUSHQ => {
                self.change_vbs(frame)
            }
            opcode::GET_VBUCKET => {
                check(frame, 0, false, false)?;
                let vb = self.bound()?.bucket.data.vbs.get(usize::from(frame.vb));
                let state = vb.and_then(|vb| vb.info().as_ref().map(|info| info.state));
                let state = state.ok_or(Status::NotMyVbucket)? as u32;
                Ok(self.answer(frame, Out { value: &state.to_be_bytes(), ..RESPONSE }))
            }
            opcode::GET_ALL_VB_SEQNOS => self.get_all_vb_seqnos(frame),
            opcode::GET_FAILOVER_LOG => self.failover_log(frame),
            opcode::GET_ERROR_MAP => {
                // The value is the newest version that the client reads; 1 is the oldest.
                if !frame.extras.is_empty() || !frame.key.is_empty() || frame.value.len() != 2 {
                    return Err(Status::Einval);
                }
                Ok(self.answer(frame, Out { value: ERROR_MAP.as_bytes(), ..RESPONSE }))
            }
            // Collections and sub-documents are known, and not here.
            opcode::COLLECTIONS_SET_MANIFEST..=opcode::COLLECTIONS_GET_SCOPE_ID
            | opcode::SUBDOC_FIRST..=opcode::SUBDOC_LAST => Err(Status::NotSupported),
            _ => Err(Status::UnknownCommand),
        }
    }

    fn helo(&mut self, frame: &Frame) -> Result<Go, Status> {
        if !frame.extras.is_empty() || frame.value.len() % 2 != 0 {
            return Err(Status::Einval);
        }
        self.features.clear();
        let mut asked = frame.value.clone();
        while asked.has_remaining() {
            let feature = asked.get_u16();
            if feature::ALL.contains(&feature) && !self.has(feature) {
                self.features.push(feature);
            }
        }
        let agreed: Vec<u8> = self.features.iter().flat_map(|f| f.to_be_bytes()).collect();
        Ok(self.answer(frame, Out { value: &agreed, ..RESPONSE }))
    }

    /// PLAIN: another identity (none here), the name and the password, with a
    /// zero in between. Where there are no users, anybody is one.
    fn authenticate(&mut self, frame: &Frame) -> Result<Go, Status> {
        check(frame, 0, true, true)?;
        if &frame.key[..] != b"PLAIN" {
            return Err(Status::AuthError);
        }
        let mut parts = frame.value.splitn(3, |byte| *byte == 0);
        let (Some(_), Some(name), Some(password)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(Status::Einval);
        };
        let users = &self.server.users;
        if !users.is_empty() && !users.check(name, password) {
            self.user = None;
            return Err(Status::AuthError);
        }
        self.user = Some(name.to_vec());
        Ok(self.answer(frame, Out { value: b"Authenticated", ..RESPONSE }))
    }

    async fn create_bucket(&mut self, frame: &Frame) -> Result<Go, Status> {
        check(frame, 0, true, true)?;
        let name = std::str::from_utf8(&frame.key).map_err(|_| Status::Einval)?.to_owned();
        // The module comes first; its configuration is not looked at.
        if frame.value.split(|byte| *byte == 0).next() != Some(b"ep.so") {
            return Err(Status::NotSupported);
        }
        let server = self.server.clone();
        let made = tokio::task::spawn_blocking(move || server.create_bucket(&name)).await;
        made.map_err(|_| Status::Einternal)??;
        Ok(self.answer(frame, RESPONSE))
    }

    /// The connection that asks is no user of the bucket any more, and so is
    /// there to be answered. A task of its own deletes it: the deletion does
    /// not end halfway because this connection does.
    async fn delete_bucket(&mut self, frame: &Frame) -> Result<Go, Status> {
        check(frame, 0, true, true)?;
        let name = std::str::from_utf8(&frame.key).map_err(|_| Status::KeyEnoent)?.to_owned();
        if self.binding.as_ref().is_some_and(|binding| binding.bucket.name == name) {
            self.unbind();
        }
        let server = self.server.clone();
        let deleted = tokio::spawn(async move { server.delete_bucket(&name).await });
        // Another bucket may be deleted meanwhile, and must not wait for us.
        let closing = self.closing.clone();
        let deleted = tokio::select! {
            deleted = deleted => deleted,
            () = closing.cancelled() => return Ok(Go::End),
        };
        deleted.map_err(|_| Status::Einternal)??;
        Ok(self.answer(frame, RESPONSE))
    }

    fn select_bucket(&mut self, frame: &Frame) -> Result<Go, Status> {
        check(frame, 0, true, false)?;
        if &frame.key[..] == NO_BUCKET {
            self.unbind();
        } else {
            let name = std::str::from_utf8(&frame.key).map_err(|_| Status::KeyEnoent)?;
            if !self.bind(name) {
                return Err(Status::KeyEnoent);
            }
        }
        Ok(self.answer(frame, RESPONSE))
    }

    fn change_vbs(&mut self, frame: &Frame) -> Result<Go, Status> {
        let state = match frame.opcode {
            opcode::SET_VBUCKET => {
                check(frame, 1, false, true)?;
                Some(VbState::from_wire(frame.extras[0]).ok_or(Status::Einval)?)
            }
            opcode::DEL_VBUCKET => {
                check(frame, 0, false, true)?;
                // It is always done when it is answered.
                if !frame.value.is_empty() && &frame.value[..] != b"async=0" {
                    return Err(Status::Einval);
                }
                None
            }
            _ => {
                // There may be a time at which to flush; now is the only one here.
                if !frame.extras.is_empty() {
                    check(frame, 4, false, false)?;
                }
                if frame.extras.iter().any(|byte| *byte != 0) {
                    return Err(Status::NotSupported);
                }
                None
            }
        };
        let jobs = self.bound()?.jobs.clone();
        let ticket = self.ticket(frame, 0);
        let job = match frame.opcode {
            opcode::SET_VBUCKET | opcode::DEL_VBUCKET => Job::SetVb(frame.vb, state, ticket),
            _ => Job::Flush(ticket),
        };
        let _ = jobs.send(job);
        Ok(Go::On)
    }

    fn get_all_vb_seqnos(&mut self, frame: &Frame) -> Result<Go, Status> {
        let mut extras = frame.extras.clone();
        let state = match extras.len() {
            0 => 0,
            4 => extras.get_u32(),
            // A collection is named, too.
            8 => return Err(Status::NotSupported),
            _ => return Err(Status::Einval),
        };
        check(frame, frame.extras.len(), false, false)?;
        if state > VbState::Dead as u32 {
            return Err(Status::Einval);
        }
        let data = self.bound()?.bucket.data.clone();
        let mut seqnos = Vec::new();
        for (number, vb) in data.vbs.iter().enumerate() {
            let Some(found) = vb.info().as_ref().map(|info| info.state) else { continue };
            let alive = state == 0 && found != VbState::Dead;
            if alive || found as u32 == state {
                seqnos.extend((number as u16).to_be_bytes());
                seqnos.extend(vb.high().to_be_bytes());
            }
        }
        Ok(self.answer(frame, Out { value: &seqnos, ..RESPONSE }))
    }

    /// Also for DCP, which has an opcode of its own for it.
    pub(super) fn failover_log(&mut self, frame: &Frame) -> Result<Go, Status> {
        check(frame, 0, false, false)?;
        let vb = self.bound()?.bucket.data.vbs.get(usize::from(frame.vb));
        let log = vb.and_then(|vb| vb.info().as_ref().map(|info| info.log()));
        let log = log.ok_or(Status::NotMyVbucket)?;
        Ok(self.answer(frame, Out { value: &log, ..RESPONSE }))
    }

    /// One response for each value, and an empty one behind them.
    fn stat(&mut self, frame: &Frame) -> Result<Go, Status> {
        if !frame.extras.is_empty() {
            return Err(Status::Einval);
        }
        let group = std::str::from_utf8(&frame.key).map_err(|_| Status::KeyEnoent)?;
        let bucket = &self.bound()?.bucket;
        let values = stats::group(&self.server, bucket, group).ok_or(Status::KeyEnoent)?;
        for (key, value) in values {
            self.answer(frame, Out { key: key.as_bytes(), value: value.as_bytes(), ..RESPONSE });
        }
        Ok(self.answer(frame, RESPONSE))
    }
}
