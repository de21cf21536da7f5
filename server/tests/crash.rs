//! The process is killed (SIGKILL) while it is written to, and started again:
//! what was acknowledged is there, and a client goes on where it was. The
//! process, not the machine: whether a disk keeps what it was told to is not
//! tested here.

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use support::client::*;
use support::Folder;

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(folder: &Folder) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_connmap-server"))
            .args(["--listen", "127.0.0.1:0", "--vbuckets", "8", "--data"])
            .arg(folder.0.join("data"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("it was built");
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let address = stdout
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let rest = line.strip_prefix("listening on ")?;
                rest.split(';').next()?.parse().ok()
            })
            .expect("it says where it listens");
        Server { child, address }
    }
}

/// Killed (SIGKILL), also where a check fails.
impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// What a key was sent, and how many of it were acknowledged.
type Sent = BTreeMap<(u16, Vec<u8>), (Vec<Vec<u8>>, usize)>;

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = Folder::new();
    let mut sent = Sent::new();
    let mut followers = vec![Follower::default(); 8];
    for round in 0..5u32 {
        let server = Server::start(&folder);
        let address = server.address;
        runtime.block_on(async {
            check(address, &sent).await;
            follow(address, &mut followers).await;
        });
        let mut acknowledged = 0;
        // Killed after a number of acknowledgements, with more under way.
        runtime.block_on(async {
            let mut client = Client::connect(address).await;
            let mut waiting = std::collections::VecDeque::new();
            for number in 0u32.. {
                let (vb, key) = ((number % 8) as u16, (number % 50).to_be_bytes().to_vec());
                let value = format!("{round} {number}").into_bytes();
                let all = sent.entry((vb, key.clone())).or_default();
                all.0.push(value.clone());
                client.send(set(vb, key.clone(), value)).await.unwrap();
                waiting.push_back(((vb, key), all.0.len()));
                if waiting.len() > 100 {
                    assert_eq!(client.receive().await.unwrap().status, OK);
                    let (place, count) = waiting.pop_front().unwrap();
                    sent.get_mut(&place).unwrap().1 = count;
                    acknowledged += 1;
                }
                if acknowledged >= 300 * (round + 1) {
                    break;
                }
            }
        });
        drop(server);
    }
    let server = Server::start(&folder);
    runtime.block_on(async {
        check(server.address, &sent).await;
        follow(server.address, &mut followers).await;
        let documents: usize = followers.iter().map(|f| f.documents().len()).sum();
        assert_eq!(documents, sent.len(), "each key was acknowledged, or came before one that was");
    });
    drop(server);
}

/// Each key has its last acknowledged value, or one that was sent later.
async fn check(address: SocketAddr, sent: &Sent) {
    let mut client = Client::connect(address).await;
    for ((vb, key), (values, acknowledged)) in sent {
        let found = client.call(Packet::request(0x00, *vb).key(key.clone())).await;
        match found.status {
            OK => {
                let at = values.iter().position(|value| *value == found.value);
                let at = at.expect("one of those that were sent") + 1;
                assert!(at >= *acknowledged, "{acknowledged} were acknowledged, and {at} is there");
            }
            status => assert_eq!((status, *acknowledged), (ENOENT, 0)),
        }
    }
}

/// Goes on with every vb, to where it is now. Nothing is rolled back: what was
/// streamed was on disk.
async fn follow(address: SocketAddr, followers: &mut [Follower]) {
    let mut client = Client::connect(address).await;
    let seqnos = client.ok(Packet::request(0x48, 0)).await.value;
    client.ok(dcp_open("follower", 1)).await;
    for (entry, follower) in seqnos.chunks(10).zip(followers) {
        let (vb, high) = (number(&entry[..2]) as u16, number(&entry[2..]));
        assert!(high >= follower.last, "seqnos are not used again");
        follower.interrupt();
        let response = client.ok(follower.resume(vb)).await;
        follower.accepted(&response);
        while follower.last < high {
            follower.take(&client.push().await.unwrap());
        }
        client.ok(Packet::request(0x52, vb)).await;
    }
}
