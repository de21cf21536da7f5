//! The deletion of a bucket under load, and what must hold: used by the test,
//! small, and by the command, large.
//!
//! Each client watches its own connection and nothing else: what was accepted,
//! what ended, what was answered. Only when a round is over is the server asked
//! what is still alive.

#![allow(dead_code, unreachable_pub)]

use super::client::*;
use connmap::LiveObjects;
use connmap_server::server::Running;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How large a round is.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub connections: usize,
    pub streams: u16,
    pub vbs: u16,
    /// Items in each vb before the round.
    pub items: usize,
    pub writers: usize,
    /// How long the load goes on before the deletion.
    pub run: Duration,
}

/// What a connection is doing when its bucket is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Reads all that comes, from the beginning.
    Reads,
    /// Has a small buffer, and acknowledges nothing.
    FullBuffer,
    /// Has a small buffer, and acknowledges it: backfills stop and go.
    SmallBuffer,
    /// Asks only for what is new, and reads it.
    InMemory,
    /// Does not read until the bucket is gone.
    Deaf,
    /// Has said that it sends nothing more.
    HalfClosed,
    /// Closes streams and asks for them again, as fast as it can.
    Asks,
}

const ROLES: [Role; 7] = [
    Role::Reads,
    Role::FullBuffer,
    Role::SmallBuffer,
    Role::InMemory,
    Role::Deaf,
    Role::HalfClosed,
    Role::Asks,
];

/// What a round has shown.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub accepted: u64,
    /// Streams whose end was sent, by its flag.
    pub ends: BTreeMap<u64, u64>,
    /// Streams that ended with their connection.
    pub ended_with_connection: u64,
    pub items: u64,
    pub written: u64,
    /// Responses to stream requests, by their status.
    pub statuses: BTreeMap<u16, u64>,
    /// From DELETE_BUCKET to its response.
    pub deletion: Duration,
    /// From DELETE_BUCKET to the end of the last connection that reads.
    pub last_end: Duration,
    /// What the core still counted when the deletion was answered.
    pub left: LiveObjects,
}

struct Round {
    address: SocketAddr,
    load: Load,
    /// DELETE_BUCKET was answered.
    deleted: AtomicBool,
    /// Connections whose streams were requested.
    ready: Semaphore,
    late: AtomicU64,
}

/// One connection, as its client sees it.
#[derive(Default)]
struct Watched {
    /// By opaque: `false` while it lives.
    streams: BTreeMap<u32, bool>,
    requested: BTreeMap<u32, bool>,
    seen: Seen,
    ended: Option<Instant>,
}

impl Watched {
    /// Takes a message, and checks it.
    fn take(&mut self, packet: &Packet) {
        match (packet.magic, packet.opcode) {
            (0x81, 0x53) => {
                *self.seen.statuses.entry(packet.status).or_default() += 1;
                let late = self.requested.remove(&packet.opaque).expect("it was requested, once");
                match packet.status {
                    OK => {
                        assert!(!late, "a request is accepted after the deletion");
                        self.seen.accepted += 1;
                        self.streams.insert(packet.opaque, false);
                    }
                    EEXISTS | NO_BUCKET => {}
                    other => panic!("a stream request is answered with {other:#x}"),
                }
            }
            (0x81, _) => {}
            (0x80, 0x56..=0x58) => {
                let ended = self.streams.get(&packet.opaque).expect("of an accepted stream");
                assert!(!ended, "nothing follows a stream's end");
                self.seen.items += u64::from(packet.opcode != 0x56);
            }
            (0x80, 0x55) => {
                let ended = self.streams.get_mut(&packet.opaque).expect("of an accepted stream");
                assert!(!*ended, "a stream ends once");
                *ended = true;
                *self.seen.ends.entry(packet.number(0, 4)).or_default() += 1;
            }
            _ => panic!("{packet:?}"),
        }
    }
}

/// Creates a bucket, loads it, deletes it, and checks what all of them saw.
pub async fn round(running: &Running, load: Load, number: usize) -> Seen {
    let address = running.address;
    let mut admin = Client::connect(address).await;
    admin.ok(Packet::request(0x89, 0).key("@no bucket@")).await;
    admin.ok(Packet::request(0x85, 0).key("load").value("ep.so")).await;
    let live = running.server.bucket("load").expect("it was made").live();
    let round = Arc::new(Round {
        address,
        load,
        deleted: AtomicBool::new(false),
        ready: Semaphore::new(0),
        late: AtomicU64::new(0),
    });
    fill(&round).await;

    let mut writers = JoinSet::new();
    for number in 0..load.writers {
        writers.spawn(write(round.clone(), number));
    }
    let mut clients = JoinSet::new();
    for connection in 0..load.connections {
        clients.spawn(client(round.clone(), connection));
    }
    let all = within(round.ready.acquire_many(load.connections as u32)).await;
    drop(all.expect("it is never closed"));
    // A different moment each time.
    tokio::time::sleep(load.run + Duration::from_millis(number as u64 * 7 % 100)).await;

    let begin = Instant::now();
    admin.ok(Packet::request(0x86, 0).key("load")).await;
    let mut seen = Seen { deletion: begin.elapsed(), left: live.get(), ..Seen::default() };
    round.deleted.store(true, Ordering::SeqCst);
    late(address).await;
    while let Some(client) = within(clients.join_next()).await {
        let client = client.expect("a client's checks hold");
        if let Some(ended) = client.ended {
            seen.last_end = seen.last_end.max(ended.duration_since(begin.min(ended)));
        }
        seen.ended_with_connection +=
            client.streams.values().filter(|ended| !**ended).count() as u64;
        seen.accepted += client.seen.accepted;
        seen.items += client.seen.items;
        for (flag, count) in client.seen.ends {
            *seen.ends.entry(flag).or_default() += count;
        }
        for (status, count) in client.seen.statuses {
            *seen.statuses.entry(status).or_default() += count;
        }
    }
    while let Some(written) = within(writers.join_next()).await {
        seen.written += written.expect("a writer's checks hold");
    }
    assert_eq!(seen.left, LiveObjects::default(), "nothing is alive when the deletion is answered");
    let ends: u64 = seen.ends.values().sum();
    assert_eq!(seen.accepted, ends + seen.ended_with_connection, "each stream has one end");
    assert!(running.server.bucket("load").is_none());
    seen
}

/// What comes after the deletion is refused, with the protocol's status.
async fn late(address: SocketAddr) {
    let mut late = Client::connect(address).await;
    assert_eq!(late.status(Packet::request(0x89, 0).key("load")).await, ENOENT);
    assert_eq!(late.status(Packet::request(0x86, 0).key("load")).await, ENOENT);
    late.ok(Packet::request(0x89, 0).key("@no bucket@")).await;
    assert_eq!(late.status(dcp_open("late", 1)).await, NO_BUCKET);
    assert_eq!(late.status(set(0, "k", "v")).await, NO_BUCKET);
}

async fn fill(round: &Round) {
    let mut client = Client::connect(round.address).await;
    client.ok(Packet::request(0x89, 0).key("load")).await;
    for vb in 0..round.load.vbs {
        let sets = (0..round.load.items).map(|item| {
            // Quiet: only what fails is answered.
            let set = set(vb, format!("k{item}"), vec![7; 200]);
            Packet { opcode: 0x11, ..set }.encode()
        });
        client.send_bytes(&sets.collect::<Vec<_>>().concat()).await.expect("it is there");
    }
    client.ok(Packet::request(0x0a, 0)).await;
}

/// Writes to every vb, many at once, until the bucket is gone. Answers how
/// many were acknowledged.
async fn write(round: Arc<Round>, number: usize) -> u64 {
    let mut client = Client::connect(round.address).await;
    client.ok(Packet::request(0x89, 0).key("load")).await;
    let mut written = 0;
    for turn in 0u64.. {
        let vbs = (0..round.load.vbs).filter(|vb| usize::from(*vb) % round.load.writers == number);
        let sets: Vec<_> = vbs.map(|vb| set(vb, format!("w{}", turn % 50), [1; 100])).collect();
        for chunk in sets.chunks(64) {
            let bytes: Vec<_> = chunk.iter().flat_map(|set| set.encode()).collect();
            if client.send_bytes(&bytes).await.is_err() {
                return written;
            }
            for _ in chunk {
                match client.receive().await {
                    Some(response) if response.status == OK => written += 1,
                    Some(response) => assert_eq!(response.status, NO_BUCKET),
                    None => return written,
                }
            }
        }
    }
    written
}

async fn client(round: Arc<Round>, connection: usize) -> Watched {
    let role = ROLES[connection % ROLES.len()];
    let mut watched = Watched::default();
    let mut client = Client::connect(round.address).await;
    client.ok(Packet::request(0x89, 0).key("load")).await;
    client.ok(dcp_open(&format!("client {connection}"), 1)).await;
    client.ok(control("send_stream_end_on_client_close_stream", "true")).await;
    if matches!(role, Role::FullBuffer | Role::SmallBuffer) {
        client.ok(control("connection_buffer_size", "10000")).await;
    }
    let vbs: Vec<u16> = (0..round.load.streams)
        .map(|stream| (connection as u16).wrapping_mul(17).wrapping_add(stream) % round.load.vbs)
        .collect();
    let mut bytes = Vec::new();
    for (stream, vb) in vbs.iter().enumerate() {
        bytes.extend(request(&round, role, *vb, stream as u32 + 1, &mut watched));
    }
    let sent = client.send_bytes(&bytes).await;
    if role == Role::HalfClosed {
        let _ = client.stream.get_mut().shutdown().await;
    }
    round.ready.add_permits(1);
    if sent.is_err() {
        return watched;
    }
    let mut opaque = u32::from(round.load.streams);
    let mut unacknowledged = 0;
    while role == Role::Deaf && !round.deleted.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    loop {
        let Some(packet) = client.receive().await else { break };
        watched.take(&packet);
        if role == Role::SmallBuffer && packet.magic == 0x80 {
            unacknowledged += packet.size();
            if unacknowledged > 5000 {
                let _ = client.send(buffer_ack(unacknowledged as u32)).await;
                unacknowledged = 0;
            }
        }
        // Each answer to a request, and each end, asks for the next one.
        if role == Role::Asks
            && matches!((packet.magic, packet.opcode), (0x81, 0x53) | (0x80, 0x55))
        {
            opaque += 1;
            let vb = vbs[opaque as usize % vbs.len()];
            let close = Packet::request(0x52, vb).opaque(u32::MAX).encode();
            let again = request(&round, role, vb, opaque, &mut watched);
            if client.send_bytes(&[close, again].concat()).await.is_err() {
                // What came before the end is still to be read.
                continue;
            }
        }
    }
    if role != Role::Deaf && role != Role::HalfClosed {
        watched.ended = Some(Instant::now());
    }
    watched
}

fn request(round: &Round, role: Role, vb: u16, opaque: u32, watched: &mut Watched) -> Vec<u8> {
    let late = round.deleted.load(Ordering::SeqCst);
    round.late.fetch_add(u64::from(late), Ordering::Relaxed);
    watched.requested.insert(opaque, late);
    let flags = if role == Role::InMemory { 0x10 } else { 0 };
    stream_req(vb, flags, 0, u64::MAX, 0, (0, 0)).opaque(opaque).encode()
}

/// Files that this process has open.
pub fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, |folder| folder.count())
}

/// Bytes of this process that are in memory.
pub fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}
