//! A client, written from kv_engine's documents (BinaryProtocol.md and
//! dcp/documentation) and not from the server: of the server's code it uses
//! nothing.

#![allow(dead_code, unreachable_pub)]

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// What nothing that is awaited here takes, on whatever machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

pub const OK: u16 = 0x00;
pub const ENOENT: u16 = 0x01;
pub const EEXISTS: u16 = 0x02;
pub const E2BIG: u16 = 0x03;
pub const EINVAL: u16 = 0x04;
pub const NOT_STORED: u16 = 0x05;
pub const DELTA_BADVAL: u16 = 0x06;
pub const NOT_MY_VBUCKET: u16 = 0x07;
pub const NO_BUCKET: u16 = 0x08;
pub const STREAM_NOT_FOUND: u16 = 0x0a;
pub const AUTH_ERROR: u16 = 0x20;
pub const ERANGE: u16 = 0x22;
pub const ROLLBACK: u16 = 0x23;
pub const EACCESS: u16 = 0x24;
pub const UNKNOWN_FRAME_INFO: u16 = 0x80;
pub const UNKNOWN_COMMAND: u16 = 0x81;
pub const NOT_SUPPORTED: u16 = 0x83;
pub const ETMPFAIL: u16 = 0x86;

/// A message of either side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    pub magic: u8,
    pub opcode: u8,
    pub datatype: u8,
    /// The vb of a request, the status of a response.
    pub status: u16,
    pub opaque: u32,
    pub cas: u64,
    pub extras: Vec<u8>,
    pub key: Vec<u8>,
    pub value: Vec<u8>,
}

impl Packet {
    pub fn request(opcode: u8, vb: u16) -> Self {
        Packet { magic: 0x80, opcode, status: vb, ..Packet::default() }
    }

    pub fn extras(self, extras: impl Into<Vec<u8>>) -> Self {
        Packet { extras: extras.into(), ..self }
    }

    pub fn key(self, key: impl Into<Vec<u8>>) -> Self {
        Packet { key: key.into(), ..self }
    }

    pub fn value(self, value: impl Into<Vec<u8>>) -> Self {
        Packet { value: value.into(), ..self }
    }

    pub fn cas(self, cas: u64) -> Self {
        Packet { cas, ..self }
    }

    pub fn opaque(self, opaque: u32) -> Self {
        Packet { opaque, ..self }
    }

    pub fn encode(&self) -> Vec<u8> {
        let body = self.extras.len() + self.key.len() + self.value.len();
        let mut bytes = vec![self.magic, self.opcode];
        bytes.extend((self.key.len() as u16).to_be_bytes());
        bytes.extend([self.extras.len() as u8, self.datatype]);
        bytes.extend(self.status.to_be_bytes());
        bytes.extend((body as u32).to_be_bytes());
        bytes.extend(self.opaque.to_be_bytes());
        bytes.extend(self.cas.to_be_bytes());
        bytes.extend(&self.extras);
        bytes.extend(&self.key);
        bytes.extend(&self.value);
        bytes
    }

    pub fn size(&self) -> usize {
        24 + self.extras.len() + self.key.len() + self.value.len()
    }

    /// The number of `N` bytes that begins at `at` of the extras.
    pub fn number(&self, at: usize, length: usize) -> u64 {
        number(&self.extras[at..at + length])
    }
}

pub fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

pub fn set(vb: u16, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Packet {
    Packet::request(0x01, vb).extras([0; 8]).key(key).value(value)
}

/// STREAM_REQ: flags, start, end, uuid, snapshot.
pub fn stream_req(
    vb: u16,
    flags: u32,
    start: u64,
    end: u64,
    uuid: u64,
    snap: (u64, u64),
) -> Packet {
    let mut extras = [flags.to_be_bytes(), [0; 4]].concat();
    for number in [start, end, uuid, snap.0, snap.1] {
        extras.extend(number.to_be_bytes());
    }
    Packet::request(0x53, vb).extras(extras)
}

pub fn dcp_open(name: &str, flags: u32) -> Packet {
    let extras = [[0; 4], flags.to_be_bytes()].concat();
    Packet::request(0x50, 0).extras(extras).key(name)
}

pub fn control(key: &str, value: &str) -> Packet {
    Packet::request(0x5e, 0).key(key).value(value)
}

pub fn buffer_ack(bytes: u32) -> Packet {
    Packet::request(0x5d, 0).extras(bytes.to_be_bytes())
}

pub struct Client {
    pub stream: BufReader<TcpStream>,
    next_opaque: u32,
    /// Requests of the server's that came while a response was awaited.
    pub pushed: Vec<Packet>,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = within(TcpStream::connect(address)).await.expect("it listens");
        Client { stream: BufReader::new(stream), next_opaque: 1, pushed: Vec::new() }
    }

    /// Sends a packet under an opaque of its own, unless it has one.
    pub async fn send(&mut self, packet: Packet) -> io::Result<u32> {
        let opaque = match packet.opaque {
            0 => self.next_opaque,
            opaque => opaque,
        };
        self.next_opaque = self.next_opaque.max(opaque) + 1;
        self.send_bytes(&Packet { opaque, ..packet }.encode()).await?;
        Ok(opaque)
    }

    pub async fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        within(self.stream.get_mut().write_all(bytes)).await
    }

    /// The next packet; `None` when the connection has ended.
    pub async fn receive(&mut self) -> Option<Packet> {
        within(receive(&mut self.stream)).await
    }

    /// Sends a request and awaits its response. What the server asks meanwhile
    /// is kept in `pushed`.
    pub async fn call(&mut self, packet: Packet) -> Packet {
        let opcode = packet.opcode;
        let opaque = self.send(packet).await.expect("the connection is there");
        loop {
            let packet = self.receive().await.expect("the connection is there");
            if packet.magic == 0x81 {
                assert_eq!((packet.opcode, packet.opaque), (opcode, opaque), "{packet:?}");
                return packet;
            }
            self.pushed.push(packet);
        }
    }

    /// As [`Self::call`], for a request that must succeed.
    pub async fn ok(&mut self, packet: Packet) -> Packet {
        let shown = format!("{packet:?}");
        let response = self.call(packet).await;
        assert_eq!(response.status, OK, "{shown}: {response:?}");
        response
    }

    pub async fn status(&mut self, packet: Packet) -> u16 {
        self.call(packet).await.status
    }

    /// The next packet that the server sends of itself.
    pub async fn push(&mut self) -> Option<Packet> {
        if self.pushed.is_empty() {
            return self.receive().await;
        }
        Some(self.pushed.remove(0))
    }

    /// A connection that is a DCP producer's client.
    pub async fn dcp(address: SocketAddr, name: &str) -> Self {
        let mut client = Client::connect(address).await;
        client.ok(dcp_open(name, 1)).await;
        client
    }

    /// Whether the connection ends, whatever comes before.
    pub async fn ends(&mut self) -> bool {
        while self.receive().await.is_some() {}
        true
    }
}

async fn receive(stream: &mut BufReader<TcpStream>) -> Option<Packet> {
    let mut header = [0; 24];
    stream.read_exact(&mut header).await.ok()?;
    let length = number(&header[8..12]) as usize;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    assert!([0x80, 0x81].contains(&header[0]), "{header:?}");
    let (key, extras) = (number(&header[2..4]) as usize, usize::from(header[4]));
    assert!(key + extras <= length, "{header:?}");
    Some(Packet {
        magic: header[0],
        opcode: header[1],
        datatype: header[5],
        status: number(&header[6..8]) as u16,
        opaque: number(&header[12..16]) as u32,
        cas: number(&header[16..24]),
        value: body.split_off(extras + key),
        key: body.split_off(extras),
        extras: body,
    })
}

/// A future's value, which must come.
pub async fn within<T>(future: impl std::future::Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it comes, on the slowest machine")
}

/// An item as it was streamed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub seqno: u64,
    pub key: Vec<u8>,
    /// `None`: a deletion.
    pub value: Option<Vec<u8>>,
}

/// A snapshot as it was streamed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub start: u64,
    pub end: u64,
    /// The end that its marker told, where the connection broke before it.
    pub horizon: u64,
    pub disk: bool,
    pub changes: Vec<Change>,
}

/// What a client has of one vb, and every snapshot that it was sent.
#[derive(Clone, Debug, Default)]
pub struct Follower {
    pub log: Vec<(u64, u64)>,
    pub last: u64,
    pub snapshots: Vec<Snapshot>,
    pub ended: Option<u64>,
}

impl Follower {
    /// The response to STREAM_REQ.
    pub fn accepted(&mut self, response: &Packet) {
        let entry = |entry: &[u8]| (number(&entry[..8]), number(&entry[8..]));
        self.log = response.value.chunks_exact(16).map(entry).collect();
        self.ended = None;
    }

    /// One message of the stream: it must fit to those before it.
    pub fn take(&mut self, packet: &Packet) {
        assert_eq!(self.ended, None, "nothing follows the end: {packet:?}");
        match packet.opcode {
            0x56 => {
                let (start, end) = (packet.number(0, 8), packet.number(8, 8));
                let disk = match packet.number(16, 4) {
                    1 => false,
                    2 => true,
                    other => panic!("a snapshot of type {other:#x}"),
                };
                if let Some(before) = self.snapshots.last() {
                    assert!(self.last >= before.end, "{before:?} was left for {packet:?}");
                }
                assert_eq!(start, self.last, "no gap, and nothing again: {packet:?}");
                assert!(start < end, "{packet:?}");
                self.snapshots.push(Snapshot {
                    start,
                    end,
                    horizon: end,
                    disk,
                    changes: Vec::new(),
                });
            }
            0x57 | 0x58 => {
                let seqno = packet.number(0, 8);
                let snapshot = self.snapshots.last_mut().expect("a marker comes first");
                assert!(self.last < seqno && seqno <= snapshot.end, "{packet:?} in {snapshot:?}");
                assert!(
                    snapshot.changes.iter().all(|change| change.key != packet.key),
                    "a key is in a snapshot once: {packet:?}"
                );
                self.last = seqno;
                let value = (packet.opcode == 0x57).then(|| packet.value.clone());
                snapshot.changes.push(Change { seqno, key: packet.key.clone(), value });
            }
            0x55 => self.ended = Some(packet.number(0, 4)),
            other => panic!("{other:#x} on a stream: {packet:?}"),
        }
    }

    /// How to go on behind what there is.
    pub fn resume(&self, vb: u16) -> Packet {
        let uuid = self.log.first().map_or(0, |entry| entry.0);
        let snapshot = self.snapshots.last().map_or((self.last, self.last), |snapshot| {
            if self.last == snapshot.end {
                (self.last, self.last)
            } else {
                (snapshot.start, snapshot.end)
            }
        });
        let uuid = if self.last == 0 { 0 } else { uuid };
        stream_req(vb, 0, self.last, u64::MAX, uuid, snapshot)
    }

    /// The connection broke, and the stream goes on elsewhere: the rest of a
    /// snapshot comes as a snapshot of its own.
    pub fn interrupt(&mut self) {
        if let Some(snapshot) = self.snapshots.last_mut() {
            snapshot.end = snapshot.end.min(self.last);
            if snapshot.changes.is_empty() {
                self.snapshots.pop();
            }
        }
    }

    /// Back to `seqno`: all that is behind it is forgotten.
    pub fn roll_back(&mut self, seqno: u64) {
        self.snapshots.retain(|snapshot| snapshot.start < seqno);
        if let Some(snapshot) = self.snapshots.last_mut() {
            snapshot.changes.retain(|change| change.seqno <= seqno);
            snapshot.end = snapshot.end.min(seqno);
        }
        self.last = seqno;
    }

    /// The documents that all of it makes.
    pub fn documents(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut documents = BTreeMap::new();
        for change in self.snapshots.iter().flat_map(|snapshot| &snapshot.changes) {
            match &change.value {
                Some(value) => documents.insert(change.key.clone(), value.clone()),
                None => documents.remove(&change.key),
            };
        }
        documents
    }

    /// Every snapshot against all that was written, by seqno from 1: one from
    /// memory has every change, one from disk the last change of each key.
    pub fn check(&self, written: &[Change]) {
        for snapshot in &self.snapshots {
            let [start, end, horizon] =
                [snapshot.start, snapshot.end, snapshot.horizon].map(|seqno| seqno as usize);
            let mut last = HashMap::new();
            for change in &written[start..horizon] {
                last.insert(&change.key, change.seqno);
            }
            let expected: Vec<_> = written[start..end]
                .iter()
                .filter(|change| !snapshot.disk || last[&change.key] == change.seqno)
                .cloned()
                .collect();
            assert_eq!(snapshot.changes, expected, "the snapshot up to {}", snapshot.end);
        }
    }
}
