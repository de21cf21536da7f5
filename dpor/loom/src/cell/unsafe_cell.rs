//! A cell that hands out pointers, and knows for how long they are used.

use shuttle_dpor::parts::{Moment, is_running};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// As [`std::cell::UnsafeCell`], with spans in which its value is accessed.
///
/// Two spans of which one writes must not overlap, and one must happen before the other. If not, the
/// model fails with a panic where the later one begins or ends, before anything goes wrong.
///
/// ```should_panic
/// # use loom::cell::UnsafeCell;
/// loom::model(|| {
///     let cell = std::sync::Arc::new(UnsafeCell::new(0));
///     let other = cell.clone();
///     loom::thread::spawn(move || other.with_mut(|n| unsafe { *n = 1 }));
///     cell.with(|n| unsafe { *n });
/// });
/// ```
pub struct UnsafeCell<T: ?Sized> {
    spans: Spans,
    value: std::cell::UnsafeCell<T>,
}

/// What is known of the spans, which pointers share with their cell.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    readers: usize,
    writing: bool,
    written: Option<Moment>,
    /// The last read of each thread, but for those that are ordered before another.
    reads: Vec<Moment>,
}

/// A span of access, from its creation to its end.
struct Span {
    spans: Spans,
    writes: bool,
}

impl Spans {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[track_caller]
    fn begin(&self, writes: bool) -> Span {
        if is_running() {
            let problem = {
                let mut known = self.known();
                let problem = known.overlaps(writes).or_else(|| known.races(writes));
                if problem.is_none() {
                    known.access(writes);
                }
                problem
            };
            fail(problem);
        }
        {
            let mut known = self.known();
            known.readers += !writes as usize;
            known.writing |= writes;
        }
        Span { spans: self.clone(), writes }
    }
}

#[track_caller]
fn fail(problem: Option<String>) {
    if let Some(problem) = problem {
        panic!("no-data-race: {problem}");
    }
}

impl Known {
    fn overlaps(&self, writes: bool) -> Option<String> {
        let what = if writes { "a write" } else { "a read" };
        if self.writing {
            let by = self.written.map(|m| format!(" by {m}")).unwrap_or_default();
            Some(format!("{what} of a cell during a write{by}"))
        } else if writes && self.readers > 0 {
            let by = self.reads.last().map(|m| format!(" by {m}")).unwrap_or_default();
            Some(format!("{what} of a cell during a read{by}"))
        } else {
            None
        }
    }

    fn races(&self, writes: bool) -> Option<String> {
        let what = if writes { "a write" } else { "a read" };
        if let Some(other) = self.written.filter(|m| !m.is_known()) {
            return Some(format!("{what} of a cell is not ordered with a write by {other}"));
        }
        let read = self.reads.iter().filter(|_| writes).find(|m| !m.is_known())?;
        Some(format!("{what} of a cell is not ordered with a read by {read}"))
    }

    #[track_caller]
    fn access(&mut self, writes: bool) {
        if writes {
            self.reads.clear();
            self.written = Moment::now();
        } else {
            self.reads.retain(|m| !m.is_known());
            self.reads.extend(Moment::now());
        }
    }
}

impl Span {
    /// Ends the span. Returns what raced with it.
    #[track_caller]
    fn end(&self) -> Option<String> {
        let mut known = self.spans.known();
        if self.writes {
            known.writing = false;
        } else {
            known.readers -= 1;
        }
        if !is_running() {
            return None;
        }
        let problem = known.races(self.writes);
        known.access(self.writes);
        problem
    }
}

impl Drop for Span {
    #[track_caller]
    fn drop(&mut self) {
        let problem = self.end();
        if !crate::thread::panicking_anywhere() {
            fail(problem);
        }
    }
}

impl<T> UnsafeCell<T> {
    /// A cell with a value. To make it is to write it.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let spans = Spans::default();
        spans.known().access(true);
        UnsafeCell { spans, value: std::cell::UnsafeCell::new(value) }
    }

    /// Returns the value.
    #[track_caller]
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> UnsafeCell<T> {
    /// Calls `f` with a pointer to the value, through which it may read.
    #[track_caller]
    pub fn with<F, R>(&self, f: F) -> R
    where
        F: FnOnce(*const T) -> R,
    {
        let _span = self.spans.begin(false);
        f(self.value.get())
    }

    /// Calls `f` with a pointer to the value, through which it may read and write.
    #[track_caller]
    pub fn with_mut<F, R>(&self, f: F) -> R
    where
        F: FnOnce(*mut T) -> R,
    {
        let _span = self.spans.begin(true);
        f(self.value.get())
    }

    /// A pointer through which to read, until it is dropped.
    #[track_caller]
    pub fn get(&self) -> ConstPtr<T> {
        ConstPtr { _span: self.spans.begin(false), pointer: self.value.get() }
    }

    /// A pointer through which to read and write, until it is dropped.
    #[track_caller]
    pub fn get_mut(&self) -> MutPtr<T> {
        MutPtr { _span: self.spans.begin(true), pointer: self.value.get() }
    }
}

impl<T: Default> Default for UnsafeCell<T> {
    #[track_caller]
    fn default() -> Self {
        UnsafeCell::new(T::default())
    }
}

impl<T> From<T> for UnsafeCell<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        UnsafeCell::new(value)
    }
}

impl<T: ?Sized> fmt::Debug for UnsafeCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsafeCell").finish_non_exhaustive()
    }
}

/// A pointer of [`UnsafeCell::get`]: the span of access lasts until it is dropped.
pub struct ConstPtr<T: ?Sized> {
    _span: Span,
    pointer: *const T,
}

impl<T: ?Sized> ConstPtr<T> {
    /// The value.
    ///
    /// # Safety
    ///
    /// The cell must be alive.
    pub unsafe fn deref(&self) -> &T {
        // SAFETY: the cell is alive, as the caller says, and while this pointer is, a write fails.
        unsafe { &*self.pointer }
    }

    /// Calls `f` with the pointer.
    pub fn with<F, R>(&self, f: F) -> R
    where
        F: FnOnce(*const T) -> R,
    {
        f(self.pointer)
    }
}

impl<T: ?Sized> fmt::Debug for ConstPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pointer.fmt(f)
    }
}

/// A pointer of [`UnsafeCell::get_mut`]: the span of access lasts until it is dropped.
pub struct MutPtr<T: ?Sized> {
    _span: Span,
    pointer: *mut T,
}

impl<T: ?Sized> MutPtr<T> {
    /// The value.
    ///
    /// # Safety
    ///
    /// The cell must be alive, and there must be one reference at a time.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn deref(&self) -> &mut T {
        // SAFETY: as the caller says; while this pointer is, other accesses fail.
        unsafe { &mut *self.pointer }
    }

    /// Calls `f` with the pointer.
    pub fn with<F, R>(&self, f: F) -> R
    where
        F: FnOnce(*mut T) -> R,
    {
        f(self.pointer)
    }
}

impl<T: ?Sized> fmt::Debug for MutPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pointer.fmt(f)
    }
}
