//! The host's side: where items come from, and how to wake a front end.
//!
//! Owns no lock. By rule 3 no lock of the crate is held when a method of these
//! traits runs, or when one of the host's objects is dropped: a host may take its
//! own locks there, and may call back into the core.

use crate::{Batch, Item, SeqnoRange, VbId};
use std::error::Error;
use std::ops::{Deref, DerefMut};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

/// The error of a source. It ends the stream with
/// [`BackfillFail`](crate::EndStatus::BackfillFail), and is dropped.
pub type SourceError = Box<dyn Error + Send + Sync>;

/// Where items come from.
///
/// Each method may block. If [`open_scan`](Self::open_scan),
/// [`read_memory`](Self::read_memory) or a method of the [`Scan`] fails or
/// panics, the stream for which it was called ends with `BackfillFail`, and
/// nothing else is affected. A panic in
/// [`memory_used_percent`](Self::memory_used_percent) counts as the answer 0, and
/// a panic in a destructor of the host's is ignored.
pub trait ItemSource: Send + Sync + 'static {
    /// Opens a scan for a backfill of `range` on `vb`. Called by a worker.
    ///
    /// # Errors
    /// Any; the stream ends with `BackfillFail`.
    fn open_scan(&self, vb: VbId, range: SeqnoRange) -> Result<Box<dyn Scan>, SourceError>;

    /// Reads from memory some of the items in `range`, in order, for a stream
    /// that has caught up. Called by [`step`](crate::Producer::step), on the
    /// front end's thread, after [`notify`](crate::ConnMap::notify) promised
    /// an item up to `range.upto`.
    ///
    /// # Errors
    /// Any; the stream ends with `BackfillFail`.
    fn read_memory(&self, vb: VbId, range: SeqnoRange) -> Result<Memory, SourceError>;

    /// The share of its memory quota that the host uses, in per cent. Above
    /// [`Config::memory_threshold_percent`](crate::Config), requests are
    /// refused and backfills snooze. A panic here counts as 0.
    fn memory_used_percent(&self) -> u8 {
        0
    }
}

/// One open scan. It is read by one worker at a time. It is dropped by the worker
/// that ran it; by [`step`](crate::Producer::step), if that ends the stream; with
/// the [`Deferred`](crate::Deferred) of the call that ended the stream, or the
/// [`Wakeups`](crate::Wakeups) split off that, when these are delivered or
/// dropped; or with the last handle to a map that was not shut down. Never under a
/// lock of the core's.
pub trait Scan: Send {
    /// The last seqno of the snapshot that is scanned. Asked once, after the
    /// scan was opened; an item beyond it ends the stream with `BackfillFail`.
    fn snapshot_end(&self) -> crate::Seqno;

    /// Reads the next items of the range, in the order of seqnos, into `batch`,
    /// and returns when the batch is full, or earlier: the stream gets the items
    /// of the batch, under one lock, when this returns. So a scan that has to
    /// wait for its next item should return before it waits.
    ///
    /// # Errors
    /// Any; the stream ends with `BackfillFail`, and the items in the batch are
    /// dropped.
    fn read(&mut self, batch: &mut Batch) -> Result<Scanned, SourceError>;
}

/// The answer of [`Scan::read`]: what follows the items of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// There may be more items: read again. With an empty batch, the same as
    /// `Later`.
    More,
    /// No item can be read at this moment: read again after a snooze.
    Later,
    /// The end: every item up to [`Scan::snapshot_end`] was read.
    End,
}

/// The answer of [`ItemSource::read_memory`].
#[derive(Debug)]
pub enum Memory {
    /// The next items of the range, as many as the host likes. An empty vector
    /// says that there is no item until the next notification.
    Items(Vec<Item>),
    /// The items are no longer in memory: the stream goes back to a backfill.
    Gone,
}

/// The thread that steps a connection.
pub trait FrontEnd: Send + Sync + 'static {
    /// Something can be sent on a connection that was paused: step it.
    ///
    /// Called by [`Deferred::deliver`](crate::Deferred::deliver), or by a
    /// worker, with no lock of the core held. It must not block for long. A panic
    /// in it is contained: this one wake-up is lost, and nothing else.
    ///
    /// How early: a wake-up may come as soon as the connection is paused, and so
    /// before [`step`](crate::Producer::step) has returned `Idle` to its caller:
    /// remember it until the thread goes to sleep.
    ///
    /// How late: a wake-up comes when the [`Deferred`](crate::Deferred) of the
    /// call that owes it is delivered, so perhaps after a later call has woken
    /// the front end, and after [`disconnect`](crate::ConnMap::disconnect) or
    /// [`shutdown`](crate::ConnMap::shutdown) has returned. A late wake-up must be
    /// harmless to the host, as it is to the core: a front end that steps then is
    /// told to disconnect.
    ///
    /// How often: at most once for each time that the connection was paused,
    /// which is for each `Idle` of `step` and each
    /// [`Paused`](crate::Pause::Paused) of [`pause`](crate::Producer::pause).
    ///
    /// For a task of an async runtime, `wake` must store a permit, as tokio's
    /// `Notify::notify_one` does.
    fn wake(&self);
}

/// Runs code of the host; `None`: it panicked. The payload is the host's, too, and
/// may panic when it is dropped.
pub(crate) fn contain<T>(host: impl FnOnce() -> T) -> Option<T> {
    let payload = match catch_unwind(AssertUnwindSafe(host)) {
        Ok(value) => return Some(value),
        Err(payload) => payload,
    };
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
    None
}

/// Runs code of the host that may fail; `None`: it failed or panicked. The error is
/// dropped here, where a panic of its destructor is contained.
pub(crate) fn attempt<T>(host: impl FnOnce() -> Result<T, SourceError>) -> Option<T> {
    contain(|| host().ok()).flatten()
}

/// An object of the host's that the core owns. A panic of its destructor is
/// contained wherever the core drops it: also while another panic of the host's
/// unwinds, where a second one would abort the process.
pub(crate) struct Hosted<T>(Option<T>);

impl<T> Hosted<T> {
    pub(crate) fn new(object: T) -> Self {
        Hosted(Some(object))
    }
}

impl<T> Deref for Hosted<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.0.as_ref().expect("only its drop takes it")
    }
}

impl<T> DerefMut for Hosted<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("only its drop takes it")
    }
}

impl<T> Drop for Hosted<T> {
    fn drop(&mut self) {
        let object = self.0.take();
        contain(move || drop(object));
    }
}

impl Clone for Hosted<Arc<dyn FrontEnd>> {
    fn clone(&self) -> Self {
        Hosted(self.0.clone())
    }
}
