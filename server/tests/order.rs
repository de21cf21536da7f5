//! Each client's streams against what was written: no gap, no repeat, whole
//! snapshots; from disk, from memory, and over connections that break.

mod support;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use support::client::*;
use support::with_server;

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// A vb's key is written, with a value of so many bytes.
    Write(u16, u8, usize),
    Delete(u16, u8),
    /// So many messages are read, and acknowledged.
    Read(usize),
    /// The connection breaks, and another goes on.
    Reconnect,
    /// All vbs begin a new history.
    Flush,
}

const VBS: u16 = 3;

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        12 => (0..VBS, 0u8..12, prop_oneof![1usize..200, Just(30_000)])
            .prop_map(|(vb, key, size)| Act::Write(vb, key, size)),
        3 => (0..VBS, 0u8..12).prop_map(|(vb, key)| Act::Delete(vb, key)),
        8 => (1usize..20).prop_map(Act::Read),
        1 => Just(Act::Reconnect),
    ];
    let flush = prop::bool::weighted(0.3);
    (prop::collection::vec(act, 1..150), flush, any::<prop::sample::Index>()).prop_map(
        |(mut acts, flush, at)| {
            if flush {
                acts.insert(at.index(acts.len()), Act::Flush);
            }
            acts
        },
    )
}

/// A writer, what it has written since the last flush, and a client that follows.
struct World {
    address: SocketAddr,
    /// How many bytes may be on their way to the client.
    buffer: &'static str,
    writer: Client,
    written: Vec<Vec<Change>>,
    dcp: Client,
    followers: Vec<Follower>,
    connections: usize,
    rollbacks: usize,
    /// Streams that have ended.
    ends: usize,
}

impl World {
    async fn new(address: SocketAddr, buffer: &'static str) -> Self {
        let mut writer = Client::connect(address).await;
        // A new history, for the server is that of the case before.
        writer.ok(Packet::request(0x08, 0)).await;
        writer.ok(Packet::request(0x1f, 0).value([0, 4])).await;
        let mut world = World {
            address,
            buffer,
            writer,
            written: vec![Vec::new(); VBS.into()],
            dcp: Client::connect(address).await,
            followers: vec![Follower::default(); VBS.into()],
            connections: 0,
            rollbacks: 0,
            ends: 0,
        };
        world.connect().await;
        world
    }

    /// The last connection is dropped only when the new one has its streams: a
    /// name displaces.
    async fn connect(&mut self) {
        self.connections += 1;
        let mut dcp = Client::dcp(self.address, "follower").await;
        dcp.ok(control("connection_buffer_size", self.buffer)).await;
        self.dcp = dcp;
        for vb in 0..VBS {
            self.followers[usize::from(vb)].interrupt();
            self.request(vb).await;
        }
    }

    async fn request(&mut self, vb: u16) {
        let follower = &mut self.followers[usize::from(vb)];
        loop {
            let request = follower.resume(vb);
            let response = self.dcp.call(request).await;
            match response.status {
                OK => return follower.accepted(&response),
                ROLLBACK => {
                    self.rollbacks += 1;
                    follower.roll_back(number(&response.value));
                }
                other => panic!("{other:#x}"),
            }
        }
    }

    async fn read(&mut self) {
        let packet = self.dcp.push().await.expect("the stream goes on");
        self.dcp.send(buffer_ack(packet.size() as u32)).await.unwrap();
        // Extras have no vb: the header of a request has.
        let vb = packet.status;
        self.followers[usize::from(vb)].take(&packet);
        if self.followers[usize::from(vb)].ended.is_some() {
            self.ends += 1;
            // The end may come behind a marker and before its changes.
            self.followers[usize::from(vb)].interrupt();
            self.request(vb).await;
        }
    }

    fn behind(&self) -> bool {
        self.followers.iter().zip(&self.written).any(|(f, w)| f.last < w.len() as u64)
    }

    async fn act(&mut self, act: Act) {
        match act {
            Act::Write(vb, key, size) => {
                let (key, value) = (vec![key], vec![size as u8; size]);
                let done = self.writer.ok(set(vb, key.clone(), value.clone())).await;
                self.wrote(vb, &done, key, Some(value));
            }
            Act::Delete(vb, key) => {
                let done = self.writer.call(Packet::request(0x04, vb).key([key])).await;
                if done.status == OK {
                    self.wrote(vb, &done, vec![key], None);
                }
            }
            Act::Read(messages) => {
                for _ in 0..messages {
                    if self.behind() {
                        self.read().await;
                    }
                }
            }
            Act::Reconnect => self.connect().await,
            Act::Flush => {
                self.check();
                self.writer.ok(Packet::request(0x08, 0)).await;
                self.written = vec![Vec::new(); VBS.into()];
                // What was sent before the flush may come yet, also to who had
                // nothing; then the end of each stream, which is asked for again.
                let ends = self.ends;
                while self.ends < ends + usize::from(VBS) {
                    self.read().await;
                }
            }
        }
    }

    fn wrote(&mut self, vb: u16, done: &Packet, key: Vec<u8>, value: Option<Vec<u8>>) {
        let written = &mut self.written[usize::from(vb)];
        let seqno = done.number(8, 8);
        assert_eq!(seqno, written.len() as u64 + 1, "seqnos have no gap");
        written.push(Change { seqno, key, value });
    }

    /// What was read so far; the last snapshot of each vb may not be whole.
    fn check(&self) {
        for (follower, written) in self.followers.iter().zip(&self.written) {
            let mut follower = follower.clone();
            follower.interrupt();
            follower.check(written);
        }
    }

    async fn read_to_the_end(&mut self) {
        while self.behind() {
            self.read().await;
        }
        self.check();
        for (follower, written) in self.followers.iter().zip(&self.written) {
            let mut documents = BTreeMap::new();
            for change in written {
                match &change.value {
                    Some(value) => documents.insert(change.key.clone(), value.clone()),
                    None => documents.remove(&change.key),
                };
            }
            assert_eq!(follower.documents(), documents);
        }
    }
}

#[test]
fn what_is_streamed_is_what_was_written() {
    with_server(VBS, |address| async move {
        let handle = tokio::runtime::Handle::current();
        let run = tokio::task::spawn_blocking(move || {
            let config = Config { cases: 15, failure_persistence: None, ..Config::default() };
            // From disk, from memory, connections, rollbacks.
            let seen = std::cell::Cell::new([0; 4]);
            TestRunner::new(config)
                .run(&acts(), |acts| {
                    let mut world = handle.block_on(async {
                        let mut world = World::new(address, "20000").await;
                        for act in acts {
                            world.act(act).await;
                        }
                        world.read_to_the_end().await;
                        world
                    });
                    let snapshots = world.followers.iter_mut().flat_map(|f| f.snapshots.drain(..));
                    let mut all = seen.get();
                    for snapshot in snapshots {
                        all[usize::from(!snapshot.disk)] += 1;
                    }
                    all[2] += world.connections;
                    all[3] += world.rollbacks;
                    seen.set(all);
                    Ok(())
                })
                .unwrap();
            assert!(seen.get().iter().all(|count| *count > 0), "{:?}", seen.get());
            println!("snapshots from disk and memory, connections, rollbacks: {:?}", seen.get());
        });
        run.await.unwrap();
    });
}

/// The marker fills the client's buffer, so the flush comes before the change.
#[test]
fn a_stream_may_end_between_a_marker_and_its_changes() {
    with_server(VBS, |address| async move {
        let mut world = World::new(address, "30").await;
        world.act(Act::Write(2, 0, 10)).await;
        let marker = world.dcp.push().await.expect("the stream goes on");
        assert_eq!(marker.opcode, 0x56);
        world.dcp.pushed.insert(0, marker);
        world.act(Act::Flush).await;
        assert_eq!((world.ends, world.followers[2].last), (usize::from(VBS), 0));
        world.act(Act::Write(2, 0, 20)).await;
        world.read_to_the_end().await;
    });
}
