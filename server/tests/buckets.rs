//! Buckets, and who may use them.

mod support;

use support::client::*;
use support::{options, Folder};

#[test]
fn two_deletions_and_one_bucket() {
    support::with_server(4, |address| async move {
        for _ in 0..10 {
            let mut one = Client::connect(address).await;
            let mut other = Client::connect(address).await;
            for client in [&mut one, &mut other] {
                client.ok(Packet::request(0x89, 0).key("@no bucket@")).await;
            }
            one.ok(Packet::request(0x85, 0).key("twice").value("ep.so")).await;
            let delete = Packet::request(0x86, 0).key("twice");
            let (a, b) = tokio::join!(one.status(delete.clone()), other.status(delete));
            assert_eq!((a.min(b), a.max(b)), (0, ENOENT));
        }
    });
}

#[test]
fn who_deletes_their_own_bucket_is_answered() {
    support::with_server(4, |address| async move {
        let mut own = Client::dcp(address, "own").await;
        own.ok(stream_req(0, 0, 0, 9, 0, (0, 0))).await;
        let mut other = Client::dcp(address, "other").await;
        own.ok(Packet::request(0x86, 0).key("default")).await;
        assert!(other.ends().await);
        assert_eq!(own.ok(Packet::request(0x87, 0)).await.value, b"");
        own.ok(Packet::request(0x85, 0).key("default").value("ep.so")).await;
        assert_eq!(own.ok(Packet::request(0x87, 0)).await.value, b"default");
    });
}

#[test]
fn buckets_are_made_listed_selected_and_kept() {
    support::with_server(4, |address| async move {
        let mut client = Client::connect(address).await;
        let create = |name: &str| Packet::request(0x85, 0).key(name).value("ep.so\0quota=1");
        client.ok(create("one")).await;
        assert_eq!(client.status(create("one")).await, EEXISTS);
        assert_eq!(client.status(create("..")).await, OK, "a name is no path");
        assert_eq!(client.status(create("a/b")).await, EINVAL);
        assert_eq!(client.status(create(&"n".repeat(101))).await, EINVAL);
        let other = Packet::request(0x85, 0).key("other").value("no_such_module.so");
        assert_eq!(client.status(other).await, NOT_SUPPORTED);
        assert_eq!(client.ok(Packet::request(0x87, 0)).await.value, b".. default one");
        client.ok(set(0, "k", "in default")).await;
        client.ok(Packet::request(0x89, 0).key("one")).await;
        assert_eq!(client.status(Packet::request(0x00, 0).key("k")).await, ENOENT);
        assert_eq!(client.status(Packet::request(0x89, 0).key("none")).await, ENOENT);
        client.ok(set(0, "k", "in one")).await;
        assert_eq!(client.ok(Packet::request(0x00, 0).key("k")).await.value, b"in one");
        client.ok(Packet::request(0x89, 0).key("@no bucket@")).await;
        assert_eq!(client.status(Packet::request(0x00, 0).key("k")).await, NO_BUCKET);
    });
}

#[test]
fn where_there_are_users_one_must_authenticate() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = Folder::new();
    let users = connmap_server::options::Users::parse("# who\nanna a password\n").unwrap();
    let options = connmap_server::options::Options { users, ..options(&folder, 2) };
    runtime.block_on(async {
        let running = connmap_server::server::Server::start(options).await.unwrap();
        let mut client = Client::connect(running.address).await;
        assert_eq!(client.ok(Packet::request(0x20, 0)).await.value, b"PLAIN");
        let refused = [
            Packet::request(0x00, 0).key("k"),
            Packet::request(0x86, 0).key("default"),
            Packet::request(0x89, 0).key("default"),
            Packet::request(0x87, 0),
            dcp_open("c", 1),
        ];
        for packet in &refused {
            assert_eq!(client.status(packet.clone()).await, EACCESS, "{packet:?}");
        }
        let plain = |text: &str| Packet::request(0x21, 0).key("PLAIN").value(text);
        for wrong in ["\0anna\0a passwort", "\0anna\0", "\0\0", "\0berta\0a password"] {
            assert_eq!(client.status(plain(wrong)).await, AUTH_ERROR);
        }
        assert_eq!(client.status(plain("anna")).await, EINVAL);
        let other = Packet::request(0x21, 0).key("SCRAM-SHA512").value("n,,n=anna");
        assert_eq!(client.status(other).await, AUTH_ERROR);
        assert_eq!(client.status(Packet::request(0x87, 0)).await, EACCESS);
        client.ok(plain("\0anna\0a password")).await;
        assert_eq!(client.status(Packet::request(0x00, 0).key("k")).await, NO_BUCKET);
        client.ok(Packet::request(0x89, 0).key("default")).await;
        client.ok(set(0, "k", "v")).await;
        within(running.shutdown()).await;
    });
}
