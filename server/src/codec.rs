//! Frames, and the codec that cuts them out of bytes. Owns no lock.
//!
//! A header is believed only as far as its lengths agree with each other and
//! with [`MAX_BODY`]. What is not there yet is waited for; memory is reserved
//! for bytes that came, never for bytes that a header promises.

use crate::protocol::{magic, Status, HEADER, MAX_BODY};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::io;
use tokio_util::codec::{Decoder, Encoder};

/// One message: a header and its four parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// One of [`magic`].
    pub magic: u8,
    /// One of [`opcode`](crate::protocol::opcode).
    pub opcode: u8,
    /// Bits that describe the value.
    pub datatype: u8,
    /// The vb of a request, the status of a response.
    pub vb: u16,
    /// Chosen by who asks; the answer has it, too.
    pub opaque: u32,
    /// The version of the item; 0 for any.
    pub cas: u64,
    /// Flexible framing extras.
    pub framing: Bytes,
    /// What belongs to the opcode.
    pub extras: Bytes,
    /// The key.
    pub key: Bytes,
    /// The value.
    pub value: Bytes,
}

impl Frame {
    /// The length of extras, key and value, in bytes.
    pub fn body(&self) -> usize {
        self.framing.len() + self.extras.len() + self.key.len() + self.value.len()
    }

    /// Whether a client answers with this.
    pub fn is_response(&self) -> bool {
        self.magic == magic::RESPONSE || self.magic == magic::FLEX_RESPONSE
    }
}

/// Bytes that are no frame. The connection ends, for nothing behind them can
/// be understood.
#[derive(Debug)]
pub enum BadFrame {
    /// The first byte of the header is none of [`magic`].
    Magic(u8),
    /// The lengths contradict each other or are too large; the header is
    /// answered before the connection ends.
    Length {
        /// The header's opcode.
        opcode: u8,
        /// The header's opaque.
        opaque: u32,
        /// What to answer.
        status: Status,
    },
    /// The connection failed.
    Io(io::Error),
}

impl From<io::Error> for BadFrame {
    fn from(error: io::Error) -> Self {
        BadFrame::Io(error)
    }
}

/// The codec of both sides.
#[derive(Clone, Copy, Debug, Default)]
pub struct Codec;

impl Decoder for Codec {
    type Item = Frame;
    type Error = BadFrame;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Frame>, BadFrame> {
        // What is wrong is said at the first byte that shows it.
        let flex = match bytes.first() {
            None => return Ok(None),
            Some(&(magic::REQUEST | magic::RESPONSE)) => false,
            Some(&(magic::FLEX_REQUEST | magic::FLEX_RESPONSE)) => true,
            Some(&other) => return Err(BadFrame::Magic(other)),
        };
        if bytes.len() < HEADER {
            return Ok(None);
        }
        let mut header = &bytes[..HEADER];
        let (magic, opcode) = (header.get_u8(), header.get_u8());
        let (framing, key) = if flex {
            (usize::from(header.get_u8()), usize::from(header.get_u8()))
        } else {
            (0, usize::from(header.get_u16()))
        };
        let (extras, datatype) = (usize::from(header.get_u8()), header.get_u8());
        let (vb, body, opaque) = (header.get_u16(), header.get_u32() as usize, header.get_u32());
        let cas = header.get_u64();
        let bad = |status| Err(BadFrame::Length { opcode, opaque, status });
        if framing + extras + key > body {
            return bad(Status::Einval);
        }
        if body > MAX_BODY {
            return bad(Status::E2big);
        }
        if bytes.len() < HEADER + body {
            return Ok(None);
        }
        bytes.advance(HEADER);
        let mut body = bytes.split_to(body).freeze();
        let framing = body.split_to(framing);
        let extras = body.split_to(extras);
        let key = body.split_to(key);
        let frame =
            Frame { magic, opcode, datatype, vb, opaque, cas, framing, extras, key, value: body };
        Ok(Some(frame))
    }
}

/// A message to be sent, whose parts are borrowed; see [`Frame`].
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Out<'a> {
    pub magic: u8,
    pub opcode: u8,
    pub datatype: u8,
    pub vb: u16,
    pub opaque: u32,
    pub cas: u64,
    pub extras: &'a [u8],
    pub key: &'a [u8],
    pub value: &'a [u8],
}

impl Out<'_> {
    /// The message's length with its header, in bytes.
    pub fn size(&self) -> usize {
        HEADER + self.extras.len() + self.key.len() + self.value.len()
    }
}

impl Encoder<Out<'_>> for Codec {
    type Error = io::Error;

    fn encode(&mut self, out: Out<'_>, bytes: &mut BytesMut) -> io::Result<()> {
        bytes.reserve(out.size());
        bytes.put_u8(out.magic);
        bytes.put_u8(out.opcode);
        bytes.put_u16(out.key.len() as u16);
        bytes.put_u8(out.extras.len() as u8);
        bytes.put_u8(out.datatype);
        bytes.put_u16(out.vb);
        bytes.put_u32((out.size() - HEADER) as u32);
        bytes.put_u32(out.opaque);
        bytes.put_u64(out.cas);
        bytes.put_slice(out.extras);
        bytes.put_slice(out.key);
        bytes.put_slice(out.value);
        Ok(())
    }
}
