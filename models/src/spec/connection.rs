//! What the calls on one connection do: each function is one atomic step.

use super::limits::Memory;
use super::state::{Backfill, Backfills, Message, Phase, Place, Reads, Source, Stream, World};
use super::Limits;
use crate::answers;
use crate::scenario::CallId;
use orderings::linear::Answer;

fn message(text: String, stream: CallId) -> Looked {
    Looked::Answer(Answer { text: text.into(), subject: Some(stream) })
}

/// What `step` found.
pub(super) enum Looked {
    Answer(Answer),
    /// `step` reads from memory, and looks again.
    Read(Reading),
}

/// A read from memory that has not returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reading {
    pub(super) vb: u64,
    pub(super) request: CallId,
    /// The seqnos after the first, up to the second.
    pub(super) range: (u64, u64),
}

/// Why a closed connection refuses: the reason of `step`, in the words of a
/// refusal.
fn refusal(reason: &str) -> Answer {
    match reason {
        "shut down" => answers::MAP_SHUT_DOWN.into(),
        _ => answers::CONNECTION_CLOSED.into(),
    }
}

impl World {
    pub(super) fn request(
        &mut self,
        at: Place,
        limits: &Limits,
        request: CallId,
        vb: u64,
        (start, end): (u64, u64),
        memory_high: bool,
    ) -> Answer {
        let connection = &mut self.connections[at];
        match connection.phase {
            Phase::Closed(reason) => return refusal(reason),
            Phase::Displaced => return answers::CONNECTION_CLOSED.into(),
            Phase::Open if start > end => return answers::OUT_OF_RANGE.into(),
            Phase::Open if connection.streams.contains_key(&vb) => {
                return answers::STREAM_EXISTS.into()
            }
            Phase::Open if memory_high => return answers::NO_MEMORY.into(),
            Phase::Open => {}
        }
        let stream = Stream {
            request,
            end,
            state: Reads::Pending,
            snapshot: start,
            read: start,
            notified: 0,
            queue: Default::default(),
        };
        connection.streams.insert(vb, stream);
        connection.changed(vb);
        if start < end {
            self.schedule(at, limits, Backfill { request, vb, range: (start, end), scan: None });
        }
        answers::ACCEPTED.into()
    }

    pub(super) fn close_stream(&mut self, at: Place, limits: &Limits, vb: u64) -> Answer {
        match self.connections[at].phase {
            Phase::Closed(reason) => refusal(reason),
            Phase::Open | Phase::Displaced => {
                match self.end_stream(at, limits, vb, answers::CLOSED) {
                    true => answers::CLOSED.into(),
                    false => answers::NO_SUCH_STREAM.into(),
                }
            }
        }
    }

    /// Ends the stream of a vb; the end waits for `step`. Its unsent messages are
    /// dropped, and its backfill leaves the queues.
    pub(super) fn end_stream(
        &mut self,
        at: Place,
        limits: &Limits,
        vb: u64,
        status: &'static str,
    ) -> bool {
        let connection = &mut self.connections[at];
        let Some(stream) = connection.streams.remove(&vb) else { return false };
        connection.ring.retain(|other| *other != vb);
        connection.ends.push_back((stream.request, status));
        connection.wake();
        self.cancel(at, limits, stream.request);
        self.refund(at, limits, stream.bytes());
        true
    }

    /// The first part of `step`, and the whole of it if nothing is to be read from
    /// memory.
    pub(super) fn look(&mut self, at: Place, limits: &Limits) -> Looked {
        match self.connections[at].phase {
            Phase::Closed(reason) => return Looked::Answer(format!("disconnect, {reason}").into()),
            Phase::Displaced => return Looked::Answer("disconnect, displaced".into()),
            Phase::Open => {}
        }
        loop {
            let connection = &mut self.connections[at];
            if let Some(end) = connection.ends.pop_front() {
                self.report(end);
                return message(format!("stream end {}", end.1), end.0);
            }
            let Some(vb) = connection.ring.pop_front() else {
                connection.paused = true;
                return Looked::Answer(answers::IDLE.into());
            };
            let Some(stream) = connection.streams.get_mut(&vb) else { continue };
            if let Some(next) = stream.queue.pop_front() {
                let request = stream.request;
                connection.changed(vb);
                self.refund(at, limits, next.charge());
                return message(next.to_string(), request);
            }
            if stream.finished() {
                self.end_stream(at, limits, vb, "ok");
            } else if let Some(range) = stream.unread_memory() {
                let reading = Reading { vb, request: stream.request, range };
                self.asked.memory.push((vb, range.0, range.1));
                self.asked.memory.sort();
                return Looked::Read(reading);
            }
        }
    }

    /// The second part of `step`: a read from memory has returned. Its items go
    /// to the stream that asked, if that still reads at this place. The front end
    /// is in a call, so it does not sleep.
    pub(super) fn bring(&mut self, at: Place, limits: &Limits, reading: Reading) {
        let Reading { vb, request, range: (after, upto) } = reading;
        let connection = &mut self.connections[at];
        connection.paused = false;
        let Some(stream) = connection.stream(vb, request) else { return };
        let waits = stream.state == Reads::Memory && stream.read == after;
        let items = match limits.in_memory(after, upto) {
            Memory::Fails => {
                self.end_stream(at, limits, vb, answers::BACKFILL_FAIL);
                return;
            }
            // The stream goes back to a backfill.
            Memory::Gone if waits => {
                stream.state = Reads::Disk;
                let range = (after, stream.end);
                self.schedule(at, limits, Backfill { request, vb, range, scan: None });
                self.connections[at].changed(vb);
                return;
            }
            Memory::Strays if waits => {
                self.end_stream(at, limits, vb, answers::BACKFILL_FAIL);
                return;
            }
            Memory::Gone | Memory::GoneAtTheEnd | Memory::GoneAtTheBeginning => 1..1,
            Memory::Strays => 1..1,
            Memory::Last => upto..upto + 1,
            Memory::Nothing => 1..1,
            Memory::Less => after + 1..after + 2,
            Memory::All => after + 1..upto + 1,
        };
        if waits && items.is_empty() {
            // Memory had no item: the stream waits for a higher notification than
            // the one that led to the read, which may have come meanwhile.
            if stream.notified.min(stream.end) == upto {
                stream.notified = stream.read;
            }
        } else if waits {
            let (from, upto) = (after + 1, items.end - 1);
            stream.queue.push_back(Message::Marker { from, upto, source: Source::Memory });
            stream.queue.extend(items.map(|seqno| Message::Item { seqno, charge: 0 }));
            stream.read = upto;
        }
        self.connections[at].changed(vb);
    }

    pub(super) fn pause(&mut self, at: Place) -> Answer {
        let connection = &mut self.connections[at];
        let nothing = !connection.closed() && !connection.ready();
        connection.paused |= nothing;
        if nothing { answers::PAUSED } else { answers::READY }.into()
    }

    pub(super) fn notify(&mut self, at: Place, vb: u64, seqno: u64) {
        let connection = &mut self.connections[at];
        if let Some(stream) = connection.streams.get_mut(&vb) {
            stream.notified = stream.notified.max(seqno);
            connection.changed(vb);
        }
    }

    /// Displaces this connection: another is opened under its name.
    pub(super) fn displace(&mut self, at: Place) {
        let connection = &mut self.connections[at];
        if !connection.closed() {
            connection.phase = Phase::Displaced;
            connection.wake();
        }
    }

    /// Closes the connection and reports the ends of its streams: first those of
    /// the streams that had ended before. A later close replaces the reason.
    pub(super) fn close(&mut self, at: Place, reason: &'static str) {
        let connection = &mut self.connections[at];
        connection.phase = Phase::Closed(reason);
        connection.wake();
        connection.ring.clear();
        let ends = std::mem::take(&mut connection.ends);
        let streams = std::mem::take(&mut connection.streams);
        let backfills: Backfills = std::mem::take(&mut connection.backfills);
        ends.into_iter().for_each(|end| self.report(end));
        streams.values().for_each(|stream| self.report((stream.request, answers::DISCONNECTED)));
        self.forget(at, backfills.in_queues() as u64);
    }
}

impl std::fmt::Display for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Message::Marker { from, upto, source: Source::Disk } => {
                write!(f, "marker {from}..{upto} from disk")
            }
            Message::Marker { from, upto, source: Source::Memory } => {
                write!(f, "marker {from}..{upto} from memory")
            }
            Message::Item { seqno, .. } => write!(f, "item {seqno}"),
        }
    }
}
