//! What the server's tests and commands share: a client, and a server of their
//! own in a folder of their own.

#![allow(dead_code, unreachable_pub)]

pub mod client;
pub mod load;

use connmap_server::options::{Options, Users};
use connmap_server::server::{Running, Server};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder that is removed with this.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("connmap-server-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("the temporary folder can be written");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn options(folder: &Folder, vbs: u16) -> Options {
    let data = folder.0.join("data");
    Options { listen: "127.0.0.1:0".into(), data, users: Users::default(), vbs }
}

/// A server with the bucket `default` of `vbs` vbs, on a port of its own.
pub async fn start(folder: &Folder, vbs: u16) -> Running {
    Server::start(options(folder, vbs)).await.expect("it starts")
}

/// Runs a test on a runtime of two threads, with a server.
pub fn with_server<F>(vbs: u16, test: impl FnOnce(std::net::SocketAddr) -> F)
where
    F: std::future::Future<Output = ()>,
{
    let runtime = tokio::runtime::Runtime::new().expect("there is a runtime");
    let folder = Folder::new();
    runtime.block_on(async {
        let running = start(&folder, vbs).await;
        test(running.address).await;
        client::within(running.shutdown()).await;
    });
}
