//! A bucket, from its creation to its deletion: a store, the core's map, the
//! threads that write and backfill, and the connections that are bound to it.
//!
//! One lock, `open`, guards whether anybody may still be bound; it is a leaf.
//! **The closed state is the absence of the rest**, as in the core: a bucket
//! that is closed has no channel to its writer, and nothing that a connection
//! could be bound to. Either a bind has the lock first, and the close waits
//! for that connection to let go; or the close does, and there is no bucket.

use crate::lock;
use crate::protocol::Status;
use crate::store::{boxed, Error, Store};
use crate::vbucket::{VBucket, VbInfo, VbState};
use crate::writer::{Job, Writer};
use connmap::{
    Config, ConnMap, ItemSource, Memory, Scan, SeqnoRange, SourceError, VbId, WorkerPool,
};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Threads that run a bucket's backfills.
const WORKERS: usize = 2;

/// What is stored: the file, and the vbs with their newest changes. The core
/// reads from here.
#[derive(Debug)]
pub struct Data {
    /// The file.
    pub store: Store,
    /// By number. All that there may be; one that is not there has no info.
    pub vbs: Vec<VBucket>,
}

impl Data {
    /// What a vb is, if it is there.
    pub(crate) fn look<T>(&self, vb: u16, at: impl FnOnce(&VbInfo) -> T) -> Result<T, Status> {
        let vb = self.vbs.get(usize::from(vb)).ok_or(Status::NotMyVbucket)?;
        vb.info().as_ref().map(at).ok_or(Status::NotMyVbucket)
    }

    /// The branch that a vb is written to: its keys are there in no other state.
    pub(crate) fn active(&self, vb: u16) -> Result<u64, Status> {
        self.look(vb, |info| match info.state {
            VbState::Active => Ok(info.uuid()),
            VbState::Pending => Err(Status::Etmpfail),
            VbState::Replica | VbState::Dead => Err(Status::NotMyVbucket),
        })?
    }
}

impl ItemSource for Data {
    fn open_scan(&self, vb: VbId, range: SeqnoRange) -> Result<Box<dyn Scan>, SourceError> {
        Ok(Box::new(self.store.scan(vb.0, range)?))
    }

    fn read_memory(&self, vb: VbId, range: SeqnoRange) -> Result<Memory, SourceError> {
        Ok(self.vbs[usize::from(vb.0)].tail(|tail| tail.read(range)))
    }
}

/// A bucket that is served.
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// What is stored.
    pub data: Arc<Data>,
    /// The core.
    pub map: Arc<ConnMap>,
    /// Cancelled when its connections are to end.
    pub closing: CancellationToken,
    path: PathBuf,
    open: Mutex<Option<Open>>,
}

/// What a bucket has until it is closed. The other senders of jobs are the
/// bindings.
struct Open {
    jobs: mpsc::UnboundedSender<Job>,
    writer: JoinHandle<()>,
    workers: WorkerPool,
}

/// A connection's hold on a bucket: while it lives, the bucket is not gone.
#[derive(Clone)]
pub struct Binding {
    /// The bucket.
    pub bucket: Arc<Bucket>,
    /// To its writer.
    pub(crate) jobs: mpsc::UnboundedSender<Job>,
}

/// What a close has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closed {
    /// DCP connections.
    pub connections: usize,
    /// Their streams.
    pub streams: usize,
}

impl Bucket {
    /// Makes a bucket of `vbs` active vbs at `path`. It is there as a whole or
    /// not at all: its file is written under another name first.
    pub fn create(path: &Path, vbs: u16) -> Result<(), Error> {
        let unfinished = path.with_extension("new");
        // Of one that was not finished there is nothing to keep.
        let _ = std::fs::remove_file(&unfinished);
        let store = Store::open(&unfinished)?;
        store.write(|tables| {
            (0..vbs).try_for_each(|vb| tables.set_vb(vb, &VbInfo::new(VbState::Active)))
        })?;
        drop(store);
        std::fs::rename(&unfinished, path).map_err(boxed)
    }

    /// Opens the bucket at `path`, which may have vbs below `vbs`, and starts
    /// its threads.
    pub fn open(name: &str, path: &Path, vbs: u16) -> Result<Arc<Self>, Error> {
        let store = Store::open(path)?;
        let loaded = store.load()?;
        let there = loaded.iter().map(|(vb, ..)| usize::from(*vb) + 1).max().unwrap_or(0);
        let vbs: Vec<_> = (0..there.max(vbs.into())).map(|_| VBucket::default()).collect();
        let mut heads = vec![Default::default(); vbs.len()];
        for (vb, info, head) in loaded {
            vbs[usize::from(vb)].load(info, head);
            heads[usize::from(vb)] = head;
        }
        let data = Arc::new(Data { store, vbs });
        let map = Arc::new(ConnMap::new(data.clone(), Config::default()));
        let closing = CancellationToken::new();
        let (jobs, todo) = mpsc::unbounded_channel();
        let writer = Writer::new(data.clone(), map.clone(), heads);
        let stop = closing.clone();
        let writer = std::thread::Builder::new()
            .name(format!("writer {name}"))
            .spawn(move || writer.run(todo, || stop.is_cancelled()))
            .map_err(boxed)?;
        let workers = WorkerPool::start(&map.worker(), WORKERS);
        Ok(Arc::new(Bucket {
            name: name.to_owned(),
            data,
            map,
            closing,
            path: path.to_owned(),
            open: Mutex::new(Some(Open { jobs, writer, workers })),
        }))
    }

    /// Binds a connection, unless the bucket is closed.
    pub fn bind(self: &Arc<Self>) -> Option<Binding> {
        let open = lock(&self.open);
        let open = open.as_ref()?;
        Some(Binding { bucket: self.clone(), jobs: open.jobs.clone() })
    }

    /// Closes the bucket: when this returns, no stream is open and none is
    /// accepted, no connection is bound, and no thread of the bucket runs. The
    /// file stays. `None` if another close came first.
    pub async fn close(&self) -> Option<Closed> {
        let open = lock(&self.open).take();
        let Open { jobs, writer, workers } = open?;
        let ended = self.map.shutdown().deliver();
        let closed = Closed {
            connections: ended.len(),
            streams: ended.iter().map(|connection| connection.ends.len()).sum(),
        };
        self.closing.cancel();
        // The writer ends when the last binding is dropped, and not before.
        drop(jobs);
        let joined = tokio::task::spawn_blocking(move || {
            workers.join();
            // It has no way to panic but a bug; then it is over, too.
            let _ = writer.join();
        });
        let _ = joined.await;
        Some(closed)
    }

    /// Removes the file of a bucket that is closed.
    pub fn remove(&self) -> std::io::Result<()> {
        std::fs::remove_file(&self.path)
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("name", &self.name).finish_non_exhaustive()
    }
}
