//! The server: its buckets by name, and the connections that it accepts.
//!
//! One lock, `buckets`, a leaf: it is held to look a name up or to change what
//! the name stands for, and never while a bucket is made or closed.

use crate::bucket::{Bucket, Closed};
use crate::connection;
use crate::options::{Options, Users};
use crate::protocol::Status;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What the extension of a bucket's file is.
const EXTENSION: &str = "bucket";

/// What a name stands for.
enum Slot {
    Served(Arc<Bucket>),
    /// It is being made, or deleted.
    Busy,
}

/// A running server.
pub struct Server {
    /// Who may authenticate; all may do everything if there is none.
    pub(crate) users: Users,
    pub(crate) started: Instant,
    /// Connections at this moment.
    pub(crate) connections: AtomicUsize,
    data: PathBuf,
    vbs: u16,
    buckets: Mutex<BTreeMap<String, Slot>>,
    closing: CancellationToken,
    next_id: AtomicU64,
}

/// A server, and its end.
pub struct Running {
    /// The server.
    pub server: Arc<Server>,
    /// Where it listens.
    pub address: SocketAddr,
    accepting: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Opens the buckets in the data folder, or makes the bucket `default` if
    /// there is none, and listens.
    ///
    /// # Errors
    /// Those of the disk and the network, in words.
    pub async fn start(options: Options) -> Result<Running, String> {
        let Options { listen, data, users, vbs } = options;
        // First, so that of two servers the second leaves the data alone.
        let listener =
            TcpListener::bind(&listen).await.map_err(|error| format!("{listen}: {error}"))?;
        let address = listener.local_addr().map_err(|error| format!("{listen}: {error}"))?;
        let shown = data.display();
        std::fs::create_dir_all(&data).map_err(|error| format!("{shown}: {error}"))?;
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&data).map_err(|error| format!("{shown}: {error}"))? {
            let path = entry.map_err(|error| format!("{shown}: {error}"))?.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
            }
        }
        let server = Arc::new(Server {
            users,
            started: Instant::now(),
            connections: AtomicUsize::new(0),
            data,
            vbs,
            buckets: Mutex::default(),
            closing: CancellationToken::new(),
            next_id: AtomicU64::new(1),
        });
        for name in &names {
            let bucket = Bucket::open(name, &server.path(name), vbs)
                .map_err(|error| format!("bucket {name}: {error}"))?;
            server.buckets().insert(name.clone(), Slot::Served(bucket));
        }
        if names.is_empty() {
            server.make("default").map_err(|error| format!("bucket default: {error}"))?;
        }
        let accepting = tokio::spawn(server.clone().accept(listener));
        Ok(Running { server, address, accepting })
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let (alive, mut gone) = mpsc::channel::<()>(1);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.closing.cancelled() => break,
            };
            match accepted {
                Ok((stream, _)) => {
                    let id = self.next_id.fetch_add(1, Ordering::Relaxed);
                    let (server, alive) = (self.clone(), alive.clone());
                    tokio::spawn(async move {
                        server.connections.fetch_add(1, Ordering::Relaxed);
                        connection::serve(&server, stream, id).await;
                        server.connections.fetch_sub(1, Ordering::Relaxed);
                        drop(alive);
                    });
                }
                // Out of files, mostly: those that end make room.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        drop(alive);
        while gone.recv().await.is_some() {}
    }

    fn buckets(&self) -> MutexGuard<'_, BTreeMap<String, Slot>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.data.join(format!("{name}.{EXTENSION}"))
    }

    fn make(&self, name: &str) -> Result<(), crate::store::Error> {
        let path = self.path(name);
        Bucket::create(&path, self.vbs)?;
        let bucket = Bucket::open(name, &path, self.vbs)?;
        self.buckets().insert(name.to_owned(), Slot::Served(bucket));
        Ok(())
    }

    /// The bucket of this name, if it is served.
    pub fn bucket(&self, name: &str) -> Option<Arc<Bucket>> {
        match self.buckets().get(name) {
            Some(Slot::Served(bucket)) => Some(bucket.clone()),
            _ => None,
        }
    }

    /// The names of the buckets that are served.
    pub fn names(&self) -> Vec<String> {
        let served = |slot: &Slot| matches!(slot, Slot::Served(_));
        self.buckets()
            .iter()
            .filter(|(_, slot)| served(slot))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Makes a bucket. Blocks on the disk.
    ///
    /// # Errors
    /// `KeyEexists`, `Einval` for a name that is none, `Einternal`.
    pub fn create_bucket(&self, name: &str) -> Result<(), Status> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.%".contains(&byte);
        if name.is_empty() || name.len() > 100 || !name.bytes().all(allowed) {
            return Err(Status::Einval);
        }
        {
            let mut buckets = self.buckets();
            if buckets.contains_key(name) {
                return Err(Status::KeyEexists);
            }
            buckets.insert(name.to_owned(), Slot::Busy);
        }
        let made = self.make(name);
        if made.is_err() {
            self.buckets().remove(name);
        }
        made.map_err(|_| Status::Einternal)
    }

    /// Deletes a bucket: when this returns, its connections have ended, and
    /// nothing of it is left.
    ///
    /// # Errors
    /// `KeyEnoent`, also of one that another call deletes; `Einternal` if its
    /// file cannot be removed.
    pub async fn delete_bucket(&self, name: &str) -> Result<Closed, Status> {
        let bucket = {
            let mut buckets = self.buckets();
            match buckets.get_mut(name) {
                Some(slot @ Slot::Served(_)) => match std::mem::replace(slot, Slot::Busy) {
                    Slot::Served(bucket) => bucket,
                    Slot::Busy => return Err(Status::KeyEnoent),
                },
                _ => return Err(Status::KeyEnoent),
            }
        };
        let closed = bucket.close().await.unwrap_or_default();
        let removed = bucket.remove();
        drop(bucket);
        self.buckets().remove(name);
        removed.map(|()| closed).map_err(|_| Status::Einternal)
    }

    pub(crate) fn closing(&self) -> CancellationToken {
        self.closing.clone()
    }
}

impl Running {
    /// Ends the server: closes its buckets as a deletion does, but for their
    /// files, and waits for all connections to end.
    pub async fn shutdown(self) -> Closed {
        let mut all = Closed::default();
        let buckets: Vec<_> = std::mem::take(&mut *self.server.buckets()).into_values().collect();
        for slot in buckets {
            if let Slot::Served(bucket) = slot {
                let closed = bucket.close().await.unwrap_or_default();
                all.connections += closed.connections;
                all.streams += closed.streams;
            }
        }
        self.server.closing.cancel();
        // It ends when the last connection has, and panics only with a bug.
        let _ = self.accepting.await;
        all
    }
}
