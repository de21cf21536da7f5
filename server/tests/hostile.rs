//! Bad input, by hand and at random: the right status or the end of the
//! connection, and nobody else notices.

mod support;

use connmap_server::codec::{BadFrame, Codec, Frame, Out};
use connmap_server::protocol::{magic, MAX_BODY};
use proptest::prelude::*;
use std::net::SocketAddr;
use support::client::*;
use support::with_server;
use tokio_util::bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder};

fn header(magic: u8, opcode: u8, key: u16, extras: u8, body: u32) -> Vec<u8> {
    let mut bytes = vec![magic, opcode];
    bytes.extend(key.to_be_bytes());
    bytes.extend([extras, 0, 0, 0]);
    bytes.extend(body.to_be_bytes());
    bytes.extend([0; 12]);
    bytes
}

/// A client whose stream must go on, whatever the others do.
struct Bystander {
    writer: Client,
    dcp: Client,
    follower: Follower,
}

impl Bystander {
    async fn new(address: SocketAddr) -> Self {
        let writer = Client::connect(address).await;
        let mut dcp = Client::dcp(address, "bystander").await;
        let mut follower = Follower::default();
        follower.accepted(&dcp.ok(stream_req(1, 0, 0, u64::MAX, 0, (0, 0))).await);
        Bystander { writer, dcp, follower }
    }

    async fn notices_nothing(&mut self) {
        let upto = self.follower.last + 1;
        self.writer.ok(set(1, format!("k{upto}"), "v")).await;
        while self.follower.last < upto {
            self.follower.take(&self.dcp.push().await.expect("it goes on"));
        }
    }
}

#[test]
fn lengths_that_lie_end_the_connection_with_a_status() {
    with_server(2, |address| async move {
        let mut bystander = Bystander::new(address).await;
        let lies = [
            (header(0x80, 0x01, 10, 8, 17), EINVAL, "key and extras are longer than the body"),
            (header(0x80, 0x00, 0xffff, 0xff, 0), EINVAL, "all of it is"),
            (header(0x08, 0x00, 0xff02, 0, 2), EINVAL, "framing extras are"),
            (header(0x80, 0x01, 1, 8, 1 << 30), E2BIG, "a gigabyte is promised"),
            (header(0x80, 0x01, 1, 8, u32::MAX), E2BIG, "all there is is promised"),
        ];
        for (bytes, status, why) in lies {
            let mut client = Client::connect(address).await;
            client.send_bytes(&bytes).await.unwrap();
            let answer = client.receive().await.expect(why);
            assert_eq!((answer.magic, answer.status), (0x81, status), "{why}");
            assert!(client.ends().await, "{why}");
            bystander.notices_nothing().await;
        }
    });
}

#[test]
fn what_is_no_frame_ends_the_connection() {
    with_server(2, |address| async move {
        let mut bystander = Bystander::new(address).await;
        let noise: Vec<u8> =
            (0..1 << 20).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8 | 1).collect();
        for bytes in [b"GET / HTTP/1.1\r\n\r\n".to_vec(), vec![0; 100], noise] {
            let mut client = Client::connect(address).await;
            // It may be closed before all of it is sent.
            let _ = client.send_bytes(&bytes).await;
            assert!(client.ends().await);
            bystander.notices_nothing().await;
        }
        // Half a header, and a client that goes away: nothing to be seen.
        let mut client = Client::connect(address).await;
        client.send_bytes(&header(0x80, 0x0a, 0, 0, 0)[..11]).await.unwrap();
        drop(client);
        bystander.notices_nothing().await;
    });
}

#[test]
fn what_is_not_known_or_not_here_has_its_status() {
    with_server(2, |address| async move {
        let mut c = Client::connect(address).await;
        for (opcode, status) in [
            (0xee, UNKNOWN_COMMAND),
            (0x30, UNKNOWN_COMMAND),
            (0xc5, NOT_SUPPORTED),
            (0xba, NOT_SUPPORTED),
        ] {
            assert_eq!(c.status(Packet::request(opcode, 0)).await, status, "{opcode:#x}");
        }
        // Malformed requests, of which each opcode has its own.
        for packet in [
            Packet::request(0x00, 0),
            Packet::request(0x00, 0).key("k").extras([0; 4]),
            Packet::request(0x01, 0).key("k").value("v"),
            Packet::request(0x01, 0).extras([0; 8]).value("v"),
            set(0, vec![b'k'; 251], "v"),
            Packet { datatype: 2, ..set(0, "k", "snappy") },
            Packet::request(0x05, 0).key("k").extras([0; 19]),
            Packet::request(0x3d, 0).extras([9]),
            Packet::request(0x48, 0).extras([0; 3]),
            Packet::request(0x1f, 0).value([0; 3]),
        ] {
            assert_eq!(c.status(packet.clone()).await, EINVAL, "{packet:?}");
        }
        let large = set(0, "k", vec![0; (20 << 20) + 1]);
        assert_eq!(c.status(large).await, E2BIG);
        c.ok(set(0, "k", vec![0; 20 << 20])).await;
        assert_eq!(c.ok(Packet::request(0x00, 0).key("k")).await.value.len(), 20 << 20);
        assert_eq!(c.status(Packet::request(0x0e, 0).key("k").value("+")).await, E2BIG);
    });
}

#[test]
fn framing_extras_are_understood_or_refused() {
    with_server(1, |address| async move {
        let mut c = Client::connect(address).await;
        let durability: &[u8] = &[0x11, 1];
        for (framing, status, why) in [
            (durability, NOT_SUPPORTED, "durability"),
            (&[0x22, 0, 1], 0x8d, "a stream id"),
            (&[0x00], OK, "a barrier"),
            (&[0x50], NOT_SUPPORTED, "preserve the expiry"),
            (&[0x90], UNKNOWN_FRAME_INFO, "no such id"),
            (&[0xf0, 200], UNKNOWN_FRAME_INFO, "no such long id"),
            (&[0x1f], EINVAL, "a length that is not there"),
            (&[0x13, 1], EINVAL, "an extra that is not there"),
        ] {
            let mut bytes = header(0x08, 0x0a, 0, 0, framing.len() as u32);
            bytes[2] = framing.len() as u8;
            bytes.extend(framing);
            c.send_bytes(&bytes).await.unwrap();
            assert_eq!(c.receive().await.unwrap().status, status, "{why}");
        }
    });
}

#[test]
fn clients_that_never_read_cost_what_they_may_and_no_more() {
    with_server(2, |address| async move {
        let mut bystander = Bystander::new(address).await;
        bystander.writer.ok(set(0, "large", vec![1; 1 << 20])).await;
        let get = Packet::request(0x00, 0).key("large").encode();
        let before = support::load::resident_bytes();
        let mut deaf = Vec::new();
        for _ in 0..8 {
            let mut client = Client::connect(address).await;
            // A gigabyte is asked for, as far as it can be said.
            let asks = async {
                for _ in 0..1000 {
                    client.stream.get_mut().writable().await.unwrap();
                    let _ = client.stream.get_mut().try_write(&get);
                }
            };
            within(asks).await;
            deaf.push(client);
        }
        for _ in 0..20 {
            bystander.notices_nothing().await;
        }
        // Each may have one answer more than its limit, and what the kernel takes.
        let grown = support::load::resident_bytes().saturating_sub(before);
        assert!(grown < 200 << 20, "{grown} bytes for 8 clients that do not read");
    });
}

fn frames() -> impl Strategy<Value = Frame> {
    let bytes = |length| prop::collection::vec(any::<u8>(), 0..length).prop_map(Into::into);
    let part = (bytes(20), bytes(60), bytes(250), bytes(300));
    (any::<(bool, u8, u8, u16, u32, u64)>(), part).prop_map(|(fixed, parts)| {
        let (response, opcode, datatype, vb, opaque, cas) = fixed;
        let magic = if response { magic::RESPONSE } else { magic::REQUEST };
        let (_, extras, key, value) = parts;
        let framing = Default::default();
        Frame { magic, opcode, datatype, vb, opaque, cas, framing, extras, key, value }
    })
}

fn encode(frame: &Frame, bytes: &mut BytesMut) {
    let Frame { magic, opcode, datatype, vb, opaque, cas, .. } = *frame;
    let (extras, key, value) = (&frame.extras[..], &frame.key[..], &frame.value[..]);
    let out = Out { magic, opcode, datatype, vb, opaque, cas, extras, key, value };
    Codec.encode(out, bytes).unwrap();
}

/// Decodes what comes in pieces of these sizes.
fn decode(bytes: &[u8], pieces: &[usize]) -> (Vec<Frame>, Option<BadFrame>) {
    let (mut frames, mut buffer, mut rest) = (Vec::new(), BytesMut::new(), bytes);
    let mut pieces = pieces.iter().cycle();
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at((*pieces.next().unwrap()).clamp(1, rest.len()));
        buffer.extend_from_slice(piece);
        rest = behind;
        loop {
            match Codec.decode(&mut buffer) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(bad) => return (frames, Some(bad)),
            }
        }
    }
    (frames, None)
}

proptest! {
    #[test]
    fn frames_are_decoded_as_they_were_encoded_in_whatever_pieces(
        frames in prop::collection::vec(frames(), 0..8),
        pieces in prop::collection::vec(1usize..200, 1..10),
    ) {
        let mut bytes = BytesMut::new();
        frames.iter().for_each(|frame| encode(frame, &mut bytes));
        let (decoded, bad) = decode(&bytes, &pieces);
        prop_assert!(bad.is_none());
        prop_assert_eq!(decoded, frames);
    }

    #[test]
    fn any_bytes_are_frames_or_a_mistake(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0x80), Just(0)], 0..400),
        pieces in prop::collection::vec(1usize..100, 1..5),
    ) {
        let (whole, bad) = decode(&bytes, &[usize::MAX]);
        prop_assert!(whole.iter().all(|frame| frame.body() <= MAX_BODY));
        let (pieced, also) = decode(&bytes, &pieces);
        prop_assert_eq!(&whole, &pieced);
        prop_assert_eq!(format!("{bad:?}"), format!("{also:?}"));
    }
}

/// Requests that are nearly right: of a known opcode, with parts of lengths
/// that some request has.
fn nearly_right() -> impl Strategy<Value = Vec<u8>> {
    let opcode = prop_oneof![0u8..0x20, 0x3du8..0x40, 0x48u8..0x68, 0x85u8..0x8a, any::<u8>()];
    // Neither is the bucket deleted here, nor is anything but vb 0 touched.
    let opcode =
        opcode.prop_filter("buckets stay", |code| ![0x08, 0x18, 0x85, 0x86].contains(code));
    let extras = prop::sample::select(vec![0usize, 1, 4, 8, 16, 20, 31, 48]);
    let extras = extras.prop_flat_map(|length| prop::collection::vec(0u8..3, length));
    let key = prop_oneof![Just(b"k".to_vec()), prop::collection::vec(any::<u8>(), 0..260)];
    let value = prop::collection::vec(any::<u8>(), 0..300);
    let magic = prop::sample::select(vec![0x80, 0x80, 0x80, 0x81, 0x08, 0x18]);
    (magic, opcode, extras, key, value, any::<(u8, u32)>()).prop_map(
        |(magic, opcode, extras, key, value, (datatype, opaque))| {
            let datatype = if datatype < 200 { 0 } else { datatype };
            Packet { magic, opcode, datatype, opaque, extras, key, value, ..Packet::default() }
                .encode()
        },
    )
}

#[test]
fn a_live_server_takes_whatever_is_sent() {
    use proptest::test_runner::{Config, TestRunner};
    with_server(2, |address| async move {
        let bystander = tokio::sync::Mutex::new(Bystander::new(address).await);
        let handle = tokio::runtime::Handle::current();
        let fuzz = tokio::task::spawn_blocking(move || {
            let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
            let requests = prop::collection::vec(nearly_right(), 1..12);
            let ways = (requests, any::<bool>(), any::<bool>(), 0usize..30);
            TestRunner::new(config)
                .run(&ways, |(requests, dcp, reads, cut)| {
                    handle.block_on(async {
                        let mut client = Client::connect(address).await;
                        if dcp {
                            client.ok(dcp_open("fuzz", 1)).await;
                        }
                        let mut bytes = requests.concat();
                        bytes.truncate(bytes.len() - cut.min(bytes.len()));
                        let _ = client.send_bytes(&bytes).await;
                        if reads {
                            use tokio::io::AsyncWriteExt;
                            let _ = client.stream.get_mut().shutdown().await;
                            // Whatever it is, it is made of packets, and it ends.
                            assert!(client.ends().await);
                        }
                        drop(client);
                        bystander.lock().await.notices_nothing().await;
                    });
                    Ok(())
                })
                .unwrap();
        });
        fuzz.await.unwrap();
    });
}
