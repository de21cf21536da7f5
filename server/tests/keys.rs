//! The operations on keys, and what is asked besides.

mod support;

use support::client::*;
use support::with_server;

fn get(key: &str) -> Packet {
    Packet::request(0x00, 0).key(key)
}

fn store(opcode: u8, key: &str, value: &str) -> Packet {
    Packet { opcode, ..set(0, key, value) }
}

fn count(opcode: u8, delta: u64, initial: u64, expiry: u32) -> Packet {
    let extras = [&delta.to_be_bytes()[..], &initial.to_be_bytes(), &expiry.to_be_bytes()].concat();
    Packet::request(opcode, 0).key("counter").extras(extras)
}

#[test]
fn every_operation_with_its_cas() {
    with_server(1, |address| async move {
        let mut c = Client::connect(address).await;
        assert_eq!(c.status(get("k")).await, ENOENT);
        assert_eq!(c.status(store(0x03, "k", "v")).await, ENOENT, "replace nothing");
        assert_eq!(c.status(store(0x01, "k", "v").cas(9)).await, ENOENT, "no version at all");
        let first = c.ok(store(0x02, "k", "one")).await.cas;
        assert_eq!(c.status(store(0x02, "k", "two")).await, EEXISTS, "add twice");
        assert_eq!(c.status(store(0x02, "k", "two").cas(first)).await, EINVAL, "add a version");
        assert_eq!(c.status(store(0x01, "k", "two").cas(first + 1)).await, EEXISTS);
        let second = c.ok(store(0x01, "k", "two").cas(first)).await.cas;
        assert!(second > first);
        let flags = Packet { extras: vec![1, 2, 3, 4, 0, 0, 0, 0], ..store(0x03, "k", "three") };
        let third = c.ok(flags.cas(second)).await.cas;
        let found = c.ok(get("k")).await;
        let expected = (&b"three"[..], &[1, 2, 3, 4][..], third, &b""[..]);
        assert_eq!((&found.value[..], &found.extras[..], found.cas, &found.key[..]), expected);
        assert_eq!(c.ok(Packet { opcode: 0x0c, ..get("k") }).await.key, b"k", "with the key");

        let extend = |opcode: u8, key: &str| Packet::request(opcode, 0).key(key).value("+");
        assert_eq!(c.status(extend(0x0e, "none")).await, NOT_STORED);
        c.ok(extend(0x0e, "k")).await;
        c.ok(extend(0x0f, "k")).await;
        let found = c.ok(get("k")).await;
        assert_eq!((&found.value[..], &found.extras[..]), (&b"+three+"[..], &[1, 2, 3, 4][..]));
        assert_eq!(c.status(extend(0x0e, "k").cas(third)).await, EEXISTS);

        let delete = Packet::request(0x04, 0).key("k");
        assert_eq!(c.status(delete.clone().cas(third)).await, EEXISTS);
        c.ok(delete.clone().cas(found.cas)).await;
        assert_eq!(c.status(delete).await, ENOENT);
        assert_eq!(c.status(get("k")).await, ENOENT);
        c.ok(store(0x02, "k", "again")).await;
        assert_eq!(c.status(set(1, "k", "v")).await, NOT_MY_VBUCKET);
    });
}

#[test]
fn counters_and_expiries() {
    with_server(1, |address| async move {
        let mut c = Client::connect(address).await;
        assert_eq!(c.status(count(0x05, 1, 0, u32::MAX)).await, ENOENT, "not to be made");
        assert_eq!(number(&c.ok(count(0x05, 1, 10, 0)).await.value), 10, "the first value");
        assert_eq!(number(&c.ok(count(0x05, 5, 0, 0)).await.value), 15);
        assert_eq!(number(&c.ok(count(0x06, 20, 0, 0)).await.value), 0, "not below 0");
        assert_eq!(number(&c.ok(count(0x05, u64::MAX, 0, 0)).await.value), u64::MAX);
        assert_eq!(number(&c.ok(count(0x05, 1, 0, 0)).await.value), 0, "it wraps");
        assert_eq!(c.ok(get("counter")).await.value, b"0");
        c.ok(store(0x01, "counter", "a word")).await;
        assert_eq!(c.status(count(0x05, 1, 0, 0)).await, DELTA_BADVAL);

        let touch = |opcode: u8, expiry: u32| {
            Packet::request(opcode, 0).key("k").extras(expiry.to_be_bytes())
        };
        assert_eq!(c.status(touch(0x1c, 0)).await, ENOENT);
        c.ok(store(0x01, "k", "v")).await;
        let touched = c.ok(touch(0x1d, 1000)).await;
        assert_eq!((&touched.value[..], touched.extras.len()), (&b"v"[..], 4));
        assert_eq!(c.ok(get("k")).await.cas, touched.cas, "a touch is a new version");
        // In 1990: it has expired, and is not there for anybody.
        c.ok(touch(0x1c, 631_152_000)).await;
        assert_eq!(c.status(get("k")).await, ENOENT);
        assert_eq!(c.status(touch(0x1c, 0)).await, ENOENT);
        c.ok(store(0x02, "k", "new")).await;
    });
}

#[test]
fn quiet_requests_answer_what_is_unexpected() {
    with_server(1, |address| async move {
        let mut c = Client::connect(address).await;
        let quiet = [
            store(0x11, "k", "v"),                               // set: done
            store(0x12, "k", "v"),                               // add: is there
            Packet { opcode: 0x09, ..get("none") },              // get: is not there
            Packet { opcode: 0x0d, ..get("k") },                 // get with key: is there
            Packet::request(0x1e, 0).key("none").extras([0; 4]), // touch: is not there
            Packet::request(0x14, 0).key("none"),                // delete: is not there
            Packet::request(0x19, 0).key("k").value("+"),        // append: done
            Packet::request(0x0a, 0),
        ];
        for (number, packet) in quiet.iter().enumerate() {
            c.send(packet.clone().opaque(100 + number as u32)).await.unwrap();
        }
        let mut answered: Vec<(u8, u32, u16)> = Vec::new();
        while answered.last().is_none_or(|(opcode, ..)| *opcode != 0x0a) {
            let packet = c.receive().await.unwrap();
            answered.push((packet.opcode, packet.opaque, packet.status));
        }
        let expected =
            [(0x12, 101, EEXISTS), (0x0d, 103, OK), (0x14, 105, ENOENT), (0x0a, 107, OK)];
        assert_eq!(answered, expected);
    });
}

#[test]
fn what_is_agreed_on_changes_the_answers() {
    with_server(2, |address| async move {
        let mut c = Client::connect(address).await;
        let json = Packet { datatype: 1, ..set(0, "k", "{}") };
        assert_eq!(c.status(json.clone()).await, EINVAL, "JSON was not agreed on");
        assert_eq!(c.ok(set(0, "k", "v")).await.extras, b"");
        // Snappy, mutation seqno, JSON twice, and one that there is not.
        let asked: Vec<u8> = [0x0au16, 4, 0x0b, 0x0b, 0x7777].map(u16::to_be_bytes).concat();
        let agreed = c.ok(Packet::request(0x1f, 0).key("test").value(asked)).await;
        assert_eq!(agreed.value, [0, 4, 0, 0x0b]);
        let place = c.ok(json).await;
        assert_eq!(place.number(8, 8), 2, "the seqno");
        let log = c.ok(Packet::request(0x96, 0)).await.value;
        assert_eq!(place.extras[..8], log[..8], "the branch");
        assert_eq!(c.ok(get("k")).await.datatype, 1);
        let seqnos = c.ok(Packet::request(0x48, 0)).await.value;
        assert_eq!(seqnos, [0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        let map = c.ok(Packet::request(0xfe, 0).value([0, 2])).await.value;
        assert!(String::from_utf8(map).unwrap().contains("\"23\": { \"name\": \"ROLLBACK\""));
        let dead = Packet::request(0x48, 0).extras(4u32.to_be_bytes());
        assert_eq!(c.ok(dead).await.value, b"");
        let collection = Packet::request(0x48, 0).extras([0; 8]);
        assert_eq!(c.status(collection).await, NOT_SUPPORTED);
    });
}

#[test]
fn statistics_by_group() {
    with_server(2, |address| async move {
        let mut dcp = Client::dcp(address, "replica").await;
        dcp.ok(stream_req(1, 0, 0, 9, 0, (0, 0))).await;
        let mut c = Client::connect(address).await;
        for (group, key) in [
            ("", "version"),
            ("vbucket", "vb_1"),
            ("vbucket-seqno", "vb_0:high_seqno"),
            ("failovers 1", "vb_1:0:id"),
            ("dcp", "replica:num_streams"),
        ] {
            let opaque = c.send(Packet::request(0x10, 0).key(group)).await.unwrap();
            let mut keys = Vec::new();
            loop {
                let value = c.receive().await.unwrap();
                assert_eq!((value.opcode, value.opaque, value.status), (0x10, opaque, OK));
                if value.key.is_empty() {
                    break;
                }
                keys.push(String::from_utf8(value.key).unwrap());
            }
            assert!(keys.iter().any(|found| found == key), "{group}: {keys:?}");
        }
        assert_eq!(c.status(Packet::request(0x10, 0).key("no such group")).await, ENOENT);
    });
}
