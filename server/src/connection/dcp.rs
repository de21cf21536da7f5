//! DCP: the producer of a connection, its requests, and what it sends. The
//! streams are the core's; here is what the core's messages look like on the
//! wire, and what belongs to the connection: its settings, the bytes that the
//! client has not acknowledged, and the NOOPs.

use super::{Connection, Go, OUT, RESPONSE};
use crate::codec::{Codec, Frame, Out};
use crate::protocol::{
    close_status, end_flag, magic, opcode, open_flag, request_status, stream_flag, Status,
};
use crate::record::{Meta, Record};
use crate::vbucket::{rollback, ClientHistory, VbState};
use bytes::Buf;
use connmap::{
    ConnId, EndStatus, FrontEnd, Item, Message, Producer, SnapshotSource, Step, StreamRequest, VbId,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::codec::Encoder;

/// Settings of CONTROL that are known, and not here.
const NOT_HERE: &str = "enable_stream_id force_value_compression enable_expiry_opcode \
    enable_out_of_order_snapshots flatbuffers_system_events change_streams max_marker_version \
    enable_sync_writes consumer_name cache_transfer";

/// How the core wakes the connection's task. A wake that comes before the
/// task waits is remembered.
pub(super) struct Wake(Notify);

impl FrontEnd for Wake {
    fn wake(&self) {
        self.0.notify_one();
    }
}

/// Waits to be woken; for ever where nothing wakes.
pub(super) async fn woken(wake: Option<Arc<Wake>>) {
    match wake {
        Some(wake) => wake.0.notified().await,
        None => std::future::pending().await,
    }
}

/// The NOOPs of a connection (`docs/dcp/documentation/dead-connections.md`).
struct Noop {
    enabled: bool,
    interval: Duration,
    /// When something was sent last.
    sent: Instant,
    /// The opaque that must come back.
    unanswered: Option<u32>,
    next_opaque: u32,
}

pub(super) struct Dcp {
    producer: Producer,
    pub(super) wake: Arc<Wake>,
    /// The core has nothing, and will wake us.
    pub(super) idle: bool,
    flags: u32,
    /// Set by CONTROL.
    end_on_close: bool,
    new_codes: bool,
    /// The client's buffer, 0 for none, and what it has not acknowledged.
    buffer: u64,
    unacknowledged: u64,
    /// A stream was accepted: NOOPs are sent from then on.
    streamed: bool,
    noop: Noop,
}

impl Dcp {
    /// When the next NOOP is due, or its answer overdue.
    pub(super) fn noop_due(&self) -> Option<Instant> {
        let on = self.noop.enabled && self.streamed;
        on.then(|| self.noop.sent + self.noop.interval)
    }

    /// The client answered something. Of all answers only a NOOP's matters.
    pub(super) fn answered(&mut self, frame: &Frame) {
        if frame.opcode == opcode::DCP_NOOP && self.noop.unanswered == Some(frame.opaque) {
            self.noop.unanswered = None;
        }
    }

    fn has_room(&self) -> bool {
        self.buffer == 0 || self.unacknowledged < self.buffer
    }
}

impl Connection {
    pub(super) fn handle_dcp(&mut self, frame: &Frame) -> Result<Go, Status> {
        match frame.opcode {
            opcode::DCP_OPEN => self.open_dcp(frame),
            opcode::DCP_GET_FAILOVER_LOG => {
                self.dcp.as_ref().ok_or(Status::Einval)?;
                self.failover_log(frame)
            }
            opcode::DCP_STREAM_REQ => self.stream_request(frame),
            opcode::DCP_CLOSE_STREAM => {
                let dcp = self.dcp.as_ref().ok_or(Status::Einval)?;
                let closed = dcp.producer.close_stream(VbId(frame.vb));
                closed.map_err(|error| close_status(error, dcp.new_codes))?.deliver();
                Ok(self.answer(frame, RESPONSE))
            }
            opcode::DCP_CONTROL => {
                self.control(&frame.key, &frame.value)?;
                Ok(self.answer(frame, RESPONSE))
            }
            opcode::DCP_BUFFER_ACK => {
                let dcp = self.dcp.as_mut().ok_or(Status::Einval)?;
                let bytes = u64::from(frame.extras.clone().get_u32());
                dcp.unacknowledged = dcp.unacknowledged.saturating_sub(bytes);
                Ok(Go::On) // It is not answered.
            }
            // A producer is not asked this: it sends it. kv_engine hangs up.
            opcode::DCP_NOOP => Ok(Go::End),
            // What a consumer is sent, and ADD_STREAM, which asks one.
            opcode::DCP_ADD_STREAM..=opcode::DCP_LAST => Err(Status::NotSupported),
            _ => Err(Status::UnknownCommand),
        }
    }

    fn open_dcp(&mut self, frame: &Frame) -> Result<Go, Status> {
        let mut extras = frame.extras.clone();
        extras.get_u32(); // once a seqno
        let flags = extras.get_u32();
        let out_of_scope =
            open_flag::XATTR | open_flag::DELETED_USER_XATTR | open_flag::SKIP_DELETES;
        if flags & open_flag::PRODUCER == 0 || flags & out_of_scope != 0 {
            return Err(Status::NotSupported);
        }
        let known = open_flag::PRODUCER
            | open_flag::NO_VALUE
            | open_flag::DELETE_TIMES
            | open_flag::NO_VALUE_KEEP_DATATYPE;
        let name = std::str::from_utf8(&frame.key).map_err(|_| Status::Einval)?;
        let valid = name.len() <= 200 && frame.value.is_empty() && flags & !known == 0;
        if !valid || self.dcp.is_some() {
            return Err(Status::Einval);
        }
        let bucket = &self.bound()?.bucket;
        let wake = Arc::new(Wake(Notify::new()));
        // Ids are never used twice, so what refuses is the end of the bucket.
        let opened = bucket.map.open(ConnId(self.id), name, wake.clone());
        let producer = opened.map_err(|_| Status::NoBucket)?.deliver();
        self.dcp = Some(Dcp {
            producer,
            wake,
            idle: false,
            flags,
            end_on_close: false,
            new_codes: false,
            buffer: 0,
            unacknowledged: 0,
            streamed: false,
            noop: Noop {
                enabled: false,
                interval: Duration::from_secs(180),
                sent: Instant::now(),
                unanswered: None,
                next_opaque: 1,
            },
        });
        Ok(self.answer(frame, RESPONSE))
    }

    /// Ends the producer, if there is one.
    pub(super) fn close_dcp(&mut self) {
        if let (Some(_), Some(binding)) = (self.dcp.take(), &self.binding) {
            let bucket = &binding.bucket;
            // In the map until we take it out, also when it is shut down.
            if let Ok(ends) = bucket.map.disconnect(ConnId(self.id)) {
                ends.deliver();
            }
        }
    }

    /// Refused in the order in which kv_engine refuses: the request's form, the
    /// vb, its state, the range, a stream that is there, the history.
    fn stream_request(&mut self, frame: &Frame) -> Result<Go, Status> {
        let dcp = self.dcp.as_mut().ok_or(Status::Einval)?;
        let data = self.binding.as_ref().ok_or(Status::NoBucket)?.bucket.data.clone();
        let mut extras = frame.extras.clone();
        let (flags, _) = (extras.get_u32(), extras.get_u32());
        let (start, mut end) = (extras.get_u64(), extras.get_u64());
        let uuid = extras.get_u64();
        let snapshot = (extras.get_u64(), extras.get_u64());
        if flags & stream_flag::TAKEOVER != 0 {
            return Err(Status::NotSupported);
        }
        // A value chooses collections.
        if flags & !stream_flag::KNOWN != 0 || !frame.value.is_empty() {
            return Err(Status::Einval);
        }
        let vb = data.vbs.get(usize::from(frame.vb)).ok_or(Status::NotMyVbucket)?;
        // Held until the core has decided; see [`crate::vbucket`].
        let held = vb.info();
        let info = held.as_ref().ok_or(Status::NotMyVbucket)?;
        let only_active = flags & stream_flag::ACTIVE_ONLY != 0;
        if info.state == VbState::Dead || (only_active && info.state != VbState::Active) {
            return Err(Status::NotMyVbucket);
        }
        let high = vb.high();
        if flags & (stream_flag::TO_LATEST | stream_flag::DISK_ONLY) != 0 {
            end = end.min(high).max(start);
        }
        if start > end || start < snapshot.0 || start > snapshot.1 {
            return Err(Status::Erange);
        }
        let id = VbId(frame.vb);
        if let Some(to) = rollback(&info.failover, high, ClientHistory { start, uuid, snapshot }) {
            if dcp.producer.has_stream(id) {
                return Err(Status::KeyEexists);
            }
            let value = to.to_be_bytes();
            let out = Out { vb: Status::Rollback as u16, value: &value, ..RESPONSE };
            return Ok(self.answer(frame, out));
        }
        let request = StreamRequest { vb: id, start, end, opaque: frame.opaque };
        let accepted = dcp.producer.stream_request(request).map_err(request_status)?;
        let log = info.log();
        dcp.streamed = true;
        // It wakes us alone, and takes no lock of ours.
        accepted.deliver();
        Ok(self.answer(frame, Out { value: &log, ..RESPONSE }))
    }

    fn control(&mut self, key: &[u8], value: &[u8]) -> Result<(), Status> {
        let dcp = self.dcp.as_mut().ok_or(Status::Einval)?;
        let text = std::str::from_utf8(value).map_err(|_| Status::Einval)?;
        let number = || text.parse::<u64>().map_err(|_| Status::Einval);
        let switch = || text.parse::<bool>().map_err(|_| Status::Einval);
        match key {
            b"connection_buffer_size" => {
                dcp.buffer =
                    Some(number()?).filter(|size| *size <= 1 << 32).ok_or(Status::Einval)?;
            }
            b"enable_noop" => {
                dcp.noop.enabled = switch()?;
                dcp.noop.sent = Instant::now();
                dcp.noop.unanswered = None;
            }
            // From 1, as kv_engine has it since its version 5.
            b"set_noop_interval" => {
                let seconds = Some(number()?).filter(|seconds| (1..=10800).contains(seconds));
                dcp.noop.interval = Duration::from_secs(seconds.ok_or(Status::Einval)?);
            }
            b"send_stream_end_on_client_close_stream" => dcp.end_on_close = switch()?,
            b"v7_dcp_status_codes" => dcp.new_codes = switch()?,
            b"set_priority" => match text {
                "high" | "medium" | "low" => {} // all the same here
                _ => return Err(Status::Einval),
            },
            b"supports_cursor_dropping" | b"supports_cursor_dropping_vulcan" => drop(switch()?),
            // The core decides it for the whole bucket.
            b"backfill_order" => match text {
                "round-robin" => {}
                "sequential" => return Err(Status::NotSupported),
                _ => return Err(Status::Einval),
            },
            _ if NOT_HERE.split(' ').any(|name| name.as_bytes() == key) => {
                return Err(Status::NotSupported)
            }
            _ => return Err(Status::Einval),
        }
        Ok(())
    }

    /// Sends what the core has, while there is room here and at the client.
    /// The core is not told to pause when it is the room that is missing: it is
    /// asked again when there is some.
    pub(super) fn step_streams(&mut self) -> Go {
        let datatypes = self.datatypes();
        let Some(dcp) = &mut self.dcp else { return Go::On };
        let before = self.out.len();
        let mut go = Go::On;
        while !dcp.idle && self.out.len() < OUT && dcp.has_room() {
            match dcp.producer.step() {
                Step::Message(message) => {
                    let from = self.out.len();
                    encode(&message, dcp.flags, datatypes, dcp.end_on_close, &mut self.out);
                    dcp.unacknowledged += (self.out.len() - from) as u64;
                }
                Step::Idle => dcp.idle = true,
                Step::Disconnect(_) => {
                    go = Go::End;
                    break;
                }
            }
        }
        if self.out.len() > before {
            dcp.noop.sent = Instant::now();
        }
        go
    }

    /// Sends a NOOP, unless the last one was not answered: then the client is
    /// taken for dead.
    pub(super) fn noop(&mut self) -> Go {
        let Some(dcp) = &mut self.dcp else { return Go::On };
        if dcp.noop.unanswered.is_some() {
            return Go::End;
        }
        let opaque = dcp.noop.next_opaque;
        dcp.noop.next_opaque = opaque.wrapping_add(1);
        dcp.noop.unanswered = Some(opaque);
        dcp.noop.sent = Instant::now();
        self.put(Out { magic: magic::REQUEST, opcode: opcode::DCP_NOOP, opaque, ..RESPONSE });
        Go::On
    }
}

/// A message of the core's on the wire. `datatypes` are those that the client knows.
fn encode(
    message: &Message,
    flags: u32,
    datatypes: u8,
    end_on_close: bool,
    out: &mut bytes::BytesMut,
) {
    let request = |opcode, VbId(vb): VbId, opaque| Out {
        magic: magic::REQUEST,
        opcode,
        vb,
        opaque,
        ..Out::default()
    };
    let mut put = |message: Out<'_>| {
        let _ = Codec.encode(message, out);
    };
    match message {
        Message::SnapshotMarker { vb, opaque, range, source } => {
            let mut extras = [0; 20];
            extras[..8].copy_from_slice(&range.after.to_be_bytes());
            extras[8..16].copy_from_slice(&range.upto.to_be_bytes());
            extras[19] = match source {
                SnapshotSource::Memory => 1,
                SnapshotSource::Disk => 2,
            };
            put(Out { extras: &extras, ..request(opcode::DCP_SNAPSHOT_MARKER, *vb, *opaque) });
        }
        Message::Item { vb, opaque, item: Item { seqno, payload } } => {
            // The store's own encoding; what cannot be read is not there.
            let Some(Record { meta, key, value }) = Record::decode(payload) else { return };
            let Meta { cas, rev, .. } = meta;
            let mut extras = [0; 31];
            extras[..8].copy_from_slice(&seqno.to_be_bytes());
            extras[8..16].copy_from_slice(&rev.to_be_bytes());
            if meta.deleted {
                // With the time of the deletion, or with the length of metadata: none.
                let long = flags & open_flag::DELETE_TIMES != 0;
                if long {
                    extras[16..20].copy_from_slice(&meta.expiry.to_be_bytes());
                }
                let extras = if long { &extras[..21] } else { &extras[..18] };
                let head = request(opcode::DCP_DELETION, *vb, *opaque);
                return put(Out { cas, extras, key, ..head });
            }
            extras[16..20].copy_from_slice(&meta.flags.to_be_bytes());
            extras[20..24].copy_from_slice(&meta.expiry.to_be_bytes());
            let (value, datatype) = if flags & open_flag::NO_VALUE_KEEP_DATATYPE != 0 {
                (&[][..], meta.datatype)
            } else if flags & open_flag::NO_VALUE != 0 {
                (&[][..], 0)
            } else {
                (value, meta.datatype)
            };
            let head = request(opcode::DCP_MUTATION, *vb, *opaque);
            let datatype = datatype & datatypes;
            put(Out { cas, datatype, extras: &extras, key, value, ..head });
        }
        // A client that did not ask for it is not told what it did itself.
        Message::StreamEnd(end) if end.status == EndStatus::Closed && !end_on_close => {}
        Message::StreamEnd(end) => {
            let extras = end_flag(end.status).to_be_bytes();
            put(Out { extras: &extras, ..request(opcode::DCP_STREAM_END, end.vb, end.opaque) });
        }
    }
}
