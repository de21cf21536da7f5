//! DCP from end to end: backfill, memory, ends, settings, refusals.

mod support;

use support::client::*;
use support::with_server;

/// Everything of one vb up to a seqno.
async fn follow(client: &mut Client, follower: &mut Follower, upto: u64) {
    while follower.last < upto {
        let packet = client.push().await.expect("the stream goes on");
        follower.take(&packet);
    }
}

#[test]
fn a_stream_goes_from_disk_to_memory_to_its_end() {
    with_server(4, |address| async move {
        let mut writer = Client::connect(address).await;
        for number in 0..10 {
            writer.ok(set(1, format!("k{number}"), "disk")).await;
        }
        let mut dcp = Client::dcp(address, "replica").await;
        let mut follower = Follower::default();
        follower.accepted(&dcp.ok(stream_req(1, 0, 0, 15, 0, (0, 0)).opaque(77)).await);
        assert_eq!(follower.log.len(), 1);
        follow(&mut dcp, &mut follower, 10).await;
        assert!(follower.snapshots[0].disk, "a stream begins on disk");
        for number in 0..5 {
            writer.ok(set(1, format!("m{number}"), "memory")).await;
        }
        follow(&mut dcp, &mut follower, 15).await;
        assert!(!follower.snapshots.last().unwrap().disk, "and goes on in memory");
        let end = dcp.push().await.unwrap();
        assert_eq!((end.opcode, end.opaque, end.status), (0x55, 77, 1));
        follower.take(&end);
        assert_eq!(follower.ended, Some(0));
        assert_eq!(follower.documents().len(), 15);
    });
}

#[test]
fn a_stream_that_falls_out_of_memory_goes_back_to_disk() {
    with_server(1, |address| async move {
        let mut dcp = Client::dcp(address, "replica").await;
        dcp.ok(control("connection_buffer_size", "2000")).await;
        let mut follower = Follower::default();
        follower.accepted(&dcp.ok(stream_req(0, 0, 0, u64::MAX, 0, (0, 0))).await);
        let mut writer = Client::connect(address).await;
        let mut written = Vec::new();
        // More than a tail holds, while the client's buffer is full.
        for seqno in 1..=100 {
            let (key, value) = (format!("k{}", seqno % 60).into_bytes(), vec![seqno as u8; 5000]);
            writer.ok(set(0, key.clone(), value.clone())).await;
            written.push(Change { seqno, key, value: Some(value) });
        }
        while follower.last < 100 {
            let packet = dcp.push().await.unwrap();
            follower.take(&packet);
            dcp.send(buffer_ack(packet.size() as u32)).await.unwrap();
        }
        follower.check(&written);
        let kinds: Vec<_> = follower.snapshots.iter().map(|snapshot| snapshot.disk).collect();
        assert!(kinds.contains(&true), "it was too far behind for memory: {kinds:?}");
    });
}

#[test]
fn a_full_buffer_stops_the_stream_until_it_is_acknowledged() {
    with_server(1, |address| async move {
        let mut writer = Client::connect(address).await;
        for number in 0..20 {
            writer.ok(set(0, format!("k{number}"), vec![1; 1000])).await;
        }
        let mut dcp = Client::dcp(address, "replica").await;
        dcp.ok(control("connection_buffer_size", "3000")).await;
        dcp.ok(stream_req(0, 0, 0, 20, 0, (0, 0))).await;
        // The marker and as many items as it takes to fill 3,000 bytes: then
        // the answer to anything else comes without another one before it.
        let mut taken = 0;
        let mut follower = Follower::default();
        while taken < 3000 {
            let packet = dcp.push().await.unwrap();
            taken += packet.size();
            follower.take(&packet);
        }
        assert_eq!(follower.last, 3);
        for _ in 0..3 {
            dcp.ok(Packet::request(0x0a, 0)).await;
            assert_eq!(dcp.pushed, []);
        }
        dcp.send(buffer_ack(taken as u32)).await.unwrap();
        while follower.ended.is_none() {
            let packet = dcp.push().await.unwrap();
            follower.take(&packet);
            dcp.send(buffer_ack(packet.size() as u32)).await.unwrap();
        }
        assert_eq!(follower.last, 20);
    });
}

#[test]
fn requests_are_refused_in_the_documents_order() {
    with_server(4, |address| async move {
        let mut plain = Client::connect(address).await;
        let request = stream_req(0, 0, 0, 9, 0, (0, 0));
        assert_eq!(plain.status(request.clone()).await, EINVAL, "it is no DCP connection");
        assert_eq!(plain.status(dcp_open("c", 0)).await, NOT_SUPPORTED, "a consumer");
        assert_eq!(plain.status(dcp_open("c", 5)).await, NOT_SUPPORTED, "XATTRs");
        assert_eq!(plain.status(dcp_open("c", 0x1001)).await, EINVAL, "unknown flags");
        assert_eq!(plain.status(dcp_open(&"c".repeat(201), 1)).await, EINVAL, "a long name");
        plain.ok(Packet::request(0x89, 0).key("@no bucket@")).await;
        assert_eq!(plain.status(dcp_open("c", 1)).await, NO_BUCKET);

        let mut dcp = Client::dcp(address, "replica").await;
        let asked = [
            (stream_req(9, 0, 0, 9, 0, (0, 0)), NOT_MY_VBUCKET, "no such vb"),
            (stream_req(9, 0, 5, 4, 0, (9, 9)), NOT_MY_VBUCKET, "comes before the range"),
            (stream_req(0, 0, 5, 4, 0, (5, 5)), ERANGE, "start behind end"),
            (stream_req(0, 0, 5, 9, 0, (6, 7)), ERANGE, "start before its snapshot"),
            (stream_req(0, 0, 5, 9, 0, (1, 4)), ERANGE, "start behind its snapshot"),
            (stream_req(0, 0, 5, 9, 0, (5, 5)), ROLLBACK, "items of no known history"),
            (stream_req(0, 1, 0, 9, 0, (0, 0)), NOT_SUPPORTED, "a takeover"),
            (stream_req(0, 0x4000, 0, 9, 0, (0, 0)), EINVAL, "unknown flags"),
            (request.clone().value("{\"collections\":[\"8\"]}"), EINVAL, "collections"),
            (request.clone().key("k"), EINVAL, "a key"),
            (request.clone().extras([0; 47]), EINVAL, "short extras"),
            (dcp_open("again", 1), EINVAL, "it is open"),
            (Packet::request(0x52, 0), ENOENT, "there is no stream to close"),
            (Packet::request(0x51, 0).extras([0; 4]), NOT_SUPPORTED, "add stream"),
            (Packet::request(0x57, 0).extras([0; 31]).key("k"), NOT_SUPPORTED, "a mutation"),
            (control("no_such_setting", "1"), EINVAL, "unknown settings"),
            (control("enable_noop", "yes"), EINVAL, "true or false"),
            (control("set_noop_interval", "0"), EINVAL, "too short"),
            (control("enable_stream_id", "true"), NOT_SUPPORTED, "known, and not here"),
        ];
        for (packet, status, why) in asked {
            assert_eq!(dcp.status(packet).await, status, "{why}");
        }
        let rollback = dcp.call(stream_req(0, 0, 5, 9, 0, (5, 5))).await;
        assert_eq!(number(&rollback.value), 0, "it says where to go back to");

        dcp.ok(request.clone()).await;
        assert_eq!(dcp.status(request.clone()).await, EEXISTS);
        let diverged = stream_req(0, 0, 5, 9, 7, (5, 5));
        assert_eq!(dcp.status(diverged).await, EEXISTS, "comes before the rollback");
        dcp.ok(control("v7_dcp_status_codes", "true")).await;
        assert_eq!(dcp.status(Packet::request(0x52, 3)).await, STREAM_NOT_FOUND);
        dcp.send(Packet::request(0x5c, 0)).await.unwrap();
        assert!(dcp.ends().await, "a producer that is sent a NOOP hangs up");
    });
}

#[test]
fn a_stream_that_is_closed_says_so_if_it_is_asked_to() {
    with_server(2, |address| async move {
        let mut dcp = Client::dcp(address, "replica").await;
        dcp.ok(stream_req(0, 0, 0, 9, 0, (0, 0))).await;
        dcp.ok(Packet::request(0x52, 0)).await;
        dcp.ok(control("send_stream_end_on_client_close_stream", "true")).await;
        dcp.ok(stream_req(1, 0, 0, 9, 0, (0, 0))).await;
        dcp.ok(Packet::request(0x52, 1)).await;
        let end = dcp.push().await.unwrap();
        assert_eq!((end.opcode, end.status, end.number(0, 4)), (0x55, 1, 1));
        dcp.ok(stream_req(0, 0, 0, 9, 0, (0, 0))).await;
    });
}

#[test]
fn a_connection_of_the_same_name_displaces() {
    with_server(1, |address| async move {
        let mut first = Client::dcp(address, "replica").await;
        first.ok(stream_req(0, 0, 0, 9, 0, (0, 0))).await;
        let mut second = Client::dcp(address, "replica").await;
        assert!(first.ends().await);
        second.ok(stream_req(0, 0, 0, 9, 0, (0, 0))).await;
    });
}

#[test]
fn a_client_that_does_not_answer_noops_is_disconnected() {
    with_server(1, |address| async move {
        let mut dead = Client::dcp(address, "dead").await;
        let mut alive = Client::dcp(address, "alive").await;
        for client in [&mut dead, &mut alive] {
            client.ok(control("enable_noop", "true")).await;
            client.ok(control("set_noop_interval", "1")).await;
            client.ok(stream_req(0, 0, 0, 9, 0, (0, 0))).await;
        }
        let mut answered = 0;
        let ended = tokio::spawn(async move { dead.ends().await });
        while answered < 3 {
            let noop = alive.push().await.expect("who answers stays");
            assert_eq!((noop.magic, noop.opcode), (0x80, 0x5c));
            let answer = Packet { magic: 0x81, status: 0, ..noop };
            alive.send(answer).await.unwrap();
            answered += 1;
        }
        assert!(within(ended).await.unwrap());
        alive.ok(Packet::request(0x0a, 0)).await;
    });
}

#[test]
fn a_change_of_a_vbs_state_ends_its_streams() {
    with_server(2, |address| async move {
        let mut admin = Client::connect(address).await;
        for number in 0..5 {
            admin.ok(set(0, format!("k{number}"), "v")).await;
        }
        let mut dcp = Client::dcp(address, "replica").await;
        let mut follower = Follower::default();
        follower.accepted(&dcp.ok(stream_req(0, 0, 0, u64::MAX, 0, (0, 0))).await);
        follow(&mut dcp, &mut follower, 5).await;
        let state = |vb, state: u8| Packet::request(0x3d, vb).extras([state]);
        admin.ok(state(0, 2)).await;
        follower.take(&dcp.push().await.unwrap());
        assert_eq!(follower.ended, Some(2), "the state has changed");
        assert_eq!(admin.ok(Packet::request(0x3e, 0)).await.value, [0, 0, 0, 2]);
        assert_eq!(admin.status(set(0, "k", "v")).await, NOT_MY_VBUCKET);
        assert_eq!(dcp.status(stream_req(0, 16, 5, 9, 0, (5, 5))).await, NOT_MY_VBUCKET);
        // A replica is streamed, too; and one that becomes active begins a branch.
        follower.accepted(&dcp.ok(follower.resume(0)).await);
        admin.ok(state(0, 1)).await;
        follower.take(&dcp.push().await.unwrap());
        assert_eq!(follower.ended, Some(2));
        let log = admin.ok(Packet::request(0x96, 0)).await.value;
        assert_eq!(dcp.ok(Packet::request(0x54, 0)).await.value, log);
        assert_eq!((log.len(), number(&log[8..16])), (32, 5));

        // A flush, and what the client has is no history any more.
        follower.accepted(&dcp.ok(follower.resume(0)).await);
        admin.ok(Packet::request(0x08, 0)).await;
        follower.take(&dcp.push().await.unwrap());
        assert_eq!(follower.ended, Some(6), "rolled back");
        let rollback = dcp.call(follower.resume(0)).await;
        assert_eq!((rollback.status, number(&rollback.value)), (ROLLBACK, 0));

        admin.ok(Packet::request(0x3f, 0)).await;
        assert_eq!(admin.status(Packet::request(0x3f, 0)).await, NOT_MY_VBUCKET);
        assert_eq!(dcp.status(stream_req(0, 0, 0, 9, 0, (0, 0))).await, NOT_MY_VBUCKET);
        admin.ok(state(0, 1)).await;
        dcp.ok(stream_req(0, 0, 0, 9, 0, (0, 0))).await;
    });
}

#[test]
fn deletions_are_streamed_in_both_forms() {
    with_server(1, |address| async move {
        let mut writer = Client::connect(address).await;
        writer.ok(set(0, "k", "v")).await;
        writer.ok(Packet::request(0x04, 0).key("k")).await;
        let mut short = Client::dcp(address, "short").await;
        let mut long = Client::connect(address).await;
        long.ok(dcp_open("long", 0x21)).await;
        for (client, length) in [(&mut short, 18), (&mut long, 21)] {
            client.ok(stream_req(0, 0, 0, 2, 0, (0, 0))).await;
            assert_eq!(client.push().await.unwrap().opcode, 0x56);
            let deletion = client.push().await.unwrap();
            assert_eq!((deletion.opcode, deletion.extras.len()), (0x58, length));
            assert_eq!((deletion.number(0, 8), deletion.number(8, 8)), (2, 2), "seqno, rev");
            assert_eq!(client.push().await.unwrap().opcode, 0x55);
        }
    });
}
