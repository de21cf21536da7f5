//! One client: a task that reads requests, answers them, and sends what the
//! core has for it. Owns the socket and all that is known of the client; no lock.
//!
//! Memory is bounded: nothing is read while more than [`OUT`] bytes wait to be
//! written or more than [`UNANSWERED`] wait for the writer, and the core is not
//! stepped either. A client that does not read costs these bytes and no more;
//! and it cannot hold a deletion up, which ends the task wherever it waits.

mod admin;
mod dcp;
mod keys;

use crate::bucket::Binding;
use crate::codec::{BadFrame, Codec, Frame, Out};
use crate::protocol::{feature, magic, opcode, Status};
use crate::server::Server;
use crate::writer::{Reply, Ticket};
use bytes::BytesMut;
use dcp::Dcp;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::codec::{Decoder, Encoder};
use tokio_util::sync::CancellationToken;

/// Bytes that wait to be written, above which nothing is added but the answer
/// or the message that is under way.
const OUT: usize = 64 << 10;
/// Bytes of changes that wait for the writer, above which none is added.
const UNANSWERED: usize = 1 << 20;
/// What a change counts for besides its value.
const CHANGE: usize = 4 << 10;
/// How long a client that has sent its last may take to read the rest.
const LINGER: Duration = Duration::from_secs(1);

/// Whether the connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Go {
    On,
    /// Write what is there, and end.
    End,
}

struct Connection {
    server: Arc<Server>,
    id: u64,
    out: BytesMut,
    /// Read and not yet handled: it waits for the writer, or for `out`.
    held: Option<Frame>,
    binding: Option<Binding>,
    /// Of the bucket, or of the server while there is none.
    closing: CancellationToken,
    dcp: Option<Dcp>,
    features: Vec<u16>,
    user: Option<Vec<u8>>,
    replies: (mpsc::UnboundedSender<Reply>, mpsc::UnboundedReceiver<Reply>),
    /// Changes that the writer has not answered, and their bytes.
    unanswered: (usize, usize),
}

/// Serves one client to its end.
pub(crate) async fn serve(server: &Arc<Server>, stream: TcpStream, id: u64) {
    let mut connection = Connection {
        server: server.clone(),
        id,
        out: BytesMut::new(),
        held: None,
        binding: None,
        closing: server.closing(),
        dcp: None,
        features: Vec::new(),
        user: None,
        replies: mpsc::unbounded_channel(),
        unanswered: (0, 0),
    };
    // As kv_engine has it: who does not say which bucket is in `default`.
    if server.users.is_empty() {
        connection.bind("default");
    }
    let _ = stream.set_nodelay(true);
    connection.run(stream).await;
    connection.unbind();
}

impl Connection {
    async fn run(&mut self, mut stream: TcpStream) {
        let (mut reader, mut writer) = stream.split();
        let mut bytes = BytesMut::new();
        // When what is left must be written; set when nothing more is read.
        let mut ending: Option<Instant> = None;
        loop {
            if ending.is_none() {
                let go = self.handle_all(&mut bytes).await;
                let go = if go == Go::On { self.step_streams() } else { go };
                if go == Go::End {
                    ending = Some(Instant::now() + LINGER);
                }
            }
            if ending.is_some() && self.out.is_empty() && self.unanswered.0 == 0 {
                return;
            }
            let timer = ending.or(self.dcp.as_ref().and_then(Dcp::noop_due));
            let closing = self.closing.clone();
            let wake = self.dcp.as_ref().filter(|dcp| dcp.idle).map(|dcp| dcp.wake.clone());
            let full = self.out.len() >= OUT;
            tokio::select! {
                () = closing.cancelled() => {
                    let _ = writer.try_write(&self.out);
                    return;
                }
                read = read_some(&mut reader, &mut bytes),
                    if ending.is_none() && !full && self.held.is_none() =>
                {
                    // An end, half or whole: what was asked is still answered.
                    if !matches!(read, Ok(1..)) {
                        ending = Some(Instant::now() + LINGER);
                    }
                }
                written = writer.write_buf(&mut self.out), if !self.out.is_empty() => {
                    if written.is_err() {
                        return;
                    }
                }
                Some(reply) = self.replies.1.recv(), if self.unanswered.0 > 0 => {
                    self.answer_change(reply);
                }
                () = dcp::woken(wake) => {
                    if let Some(dcp) = &mut self.dcp {
                        dcp.idle = false;
                    }
                }
                () = tokio::time::sleep_until(timer.unwrap_or_else(Instant::now)),
                    if timer.is_some() =>
                {
                    if ending.is_some() || self.noop() == Go::End {
                        return;
                    }
                }
            }
        }
    }

    /// Handles what was read, as far as there is room for answers.
    async fn handle_all(&mut self, bytes: &mut BytesMut) -> Go {
        while self.out.len() < OUT {
            let frame = match self.held.take() {
                Some(frame) => frame,
                None => match Codec.decode(bytes) {
                    Ok(Some(frame)) => frame,
                    Ok(None) => return Go::On,
                    Err(BadFrame::Length { opcode, opaque, status }) => {
                        let text = status.text();
                        let value = text.as_bytes();
                        self.put(Out { opcode, opaque, vb: status as u16, value, ..RESPONSE });
                        return Go::End;
                    }
                    Err(BadFrame::Magic(_) | BadFrame::Io(_)) => return Go::End,
                },
            };
            // Changes follow each other; everything else sees what was changed
            // before it.
            let (changes, weight) = self.unanswered;
            let waits = if keys::is_change(frame.opcode) {
                changes > 0 && weight + frame.value.len() > UNANSWERED
            } else {
                changes > 0 && !frame.is_response()
            };
            if waits {
                self.held = Some(frame);
                return Go::On;
            }
            if self.handle(frame).await == Go::End {
                return Go::End;
            }
        }
        Go::On
    }

    async fn handle(&mut self, frame: Frame) -> Go {
        if frame.is_response() {
            if let Some(dcp) = &mut self.dcp {
                dcp.answered(&frame);
            }
            return Go::On;
        }
        if let Err(status) = check_framing(&frame.framing) {
            return self.refuse(&frame, status);
        }
        if !self.server.users.is_empty() && self.user.is_none() && !is_open_to_all(frame.opcode) {
            return self.refuse(&frame, Status::Eaccess);
        }
        let handled = match frame.opcode {
            opcode::DCP_OPEN..=opcode::DCP_LAST => self.handle_dcp(&frame),
            code if keys::is_change(code) => self.change_key(&frame),
            opcode::GET | opcode::GETQ | opcode::GETK | opcode::GETKQ => self.get(&frame),
            _ => self.administer(&frame).await,
        };
        match handled {
            Ok(go) => go,
            Err(status) => self.refuse(&frame, status),
        }
    }

    /// The bucket that the connection is bound to.
    fn bound(&self) -> Result<&Binding, Status> {
        self.binding.as_ref().ok_or(Status::NoBucket)
    }

    /// Binds the connection to another bucket; false if there is none.
    fn bind(&mut self, name: &str) -> bool {
        let Some(binding) = self.server.bucket(name).and_then(|bucket| bucket.bind()) else {
            return false;
        };
        self.unbind();
        self.closing = binding.bucket.closing.clone();
        self.binding = Some(binding);
        true
    }

    /// Lets go of the bucket, and of the producer in it.
    fn unbind(&mut self) {
        self.close_dcp();
        self.binding = None;
        self.closing = self.server.closing();
    }

    fn has(&self, feature: u16) -> bool {
        self.features.contains(&feature)
    }

    /// The datatype that this client is told.
    fn shown(&self, datatype: u8) -> u8 {
        if self.has(feature::JSON) {
            datatype
        } else {
            0
        }
    }

    fn put(&mut self, out: Out<'_>) {
        // To encode into memory does not fail.
        let _ = Codec.encode(out, &mut self.out);
    }

    fn answer(&mut self, request: &Frame, out: Out<'_>) -> Go {
        self.put(Out { opcode: request.opcode, opaque: request.opaque, ..out });
        Go::On
    }

    fn refuse(&mut self, request: &Frame, status: Status) -> Go {
        let value = status.text();
        self.answer(request, Out { vb: status as u16, value: value.as_bytes(), ..RESPONSE })
    }

    /// For a request that the writer will answer, which counts as `weight`.
    fn ticket(&mut self, frame: &Frame, weight: usize) -> Ticket {
        let weight = weight + CHANGE;
        self.unanswered.0 += 1;
        self.unanswered.1 += weight;
        let (opcode, _) = opcode::loud(frame.opcode);
        let (asked, opaque) = (frame.opcode, frame.opaque);
        Ticket { replies: self.replies.0.clone(), opcode, asked, opaque, weight }
    }
}

/// A response that says yes, and nothing else.
const RESPONSE: Out<'static> = Out {
    magic: magic::RESPONSE,
    opcode: 0,
    datatype: 0,
    vb: Status::Success as u16,
    opaque: 0,
    cas: 0,
    extras: &[],
    key: &[],
    value: &[],
};

/// Reads what is there. A large frame grows the buffer as its bytes come.
async fn read_some(
    reader: &mut tokio::net::tcp::ReadHalf<'_>,
    bytes: &mut BytesMut,
) -> std::io::Result<usize> {
    bytes.reserve(8 << 10);
    reader.read_buf(bytes).await
}

/// What needs no authentication.
fn is_open_to_all(opcode: u8) -> bool {
    use opcode::*;
    matches!(
        opcode,
        HELO | GET_ERROR_MAP
            | SASL_LIST_MECHS
            | SASL_AUTH
            | SASL_STEP
            | NOOP
            | VERSION
            | QUIT
            | QUITQ
    )
}

/// Looks at each flexible framing extra: its id and length are four bits each,
/// 15 saying that there is more in a byte of its own.
fn check_framing(mut framing: &[u8]) -> Result<(), Status> {
    while let Some((&first, rest)) = framing.split_first() {
        let (mut id, mut length, mut rest) = (first >> 4, usize::from(first & 15), rest);
        let escaped = |value: u8, rest: &mut &[u8]| match (value, rest.split_first()) {
            (15, Some((&more, behind))) => {
                *rest = behind;
                Ok(15u8.checked_add(more).ok_or(Status::UnknownFrameInfo)?)
            }
            (15, None) => Err(Status::Einval),
            (value, _) => Ok(value),
        };
        id = escaped(id, &mut rest)?;
        length = usize::from(escaped(length as u8, &mut rest)?);
        framing = rest.get(length..).ok_or(Status::Einval)?;
        match (id, length) {
            // A barrier: this server answers in order as it is.
            (0, 0) => {}
            // Durability; a DCP stream id; another user; preserve the expiry.
            (1, 1 | 3) => return Err(Status::NotSupported),
            (2, 2) => return Err(Status::DcpStreamIdInvalid),
            (4, _) | (5, 0) => return Err(Status::NotSupported),
            (0..=2 | 5, _) => return Err(Status::Einval),
            _ => return Err(Status::UnknownFrameInfo),
        }
    }
    Ok(())
}
