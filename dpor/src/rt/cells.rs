//! The cells of an execution, whose accesses are checked for data races.

use super::state::{Note, Runtime};
use crate::memory::Cell;
use std::panic::Location;

impl Runtime {
    /// The current thread passes a fence.
    pub(crate) fn fence(&mut self, acquires: bool, releases: bool) {
        self.threads[self.current as usize].known.fence(acquires, releases);
    }

    /// A new cell, which its creation writes. From now on, what synchronises is kept track of.
    pub(crate) fn create_cell(&mut self, at: &'static Location<'static>) -> usize {
        self.tracking = true;
        let cell = self.cells.len();
        self.cells.push(Cell::default());
        // With nothing to race with yet. What a static is made of is nobody's write.
        if self.making.is_none() {
            self.access(cell, "", true, at);
        }
        cell
    }

    /// The current thread accesses a cell: reports a race with an earlier access.
    pub(crate) fn access(
        &mut self,
        cell: usize,
        name: &str,
        writes: bool,
        at: &'static Location<'static>,
    ) {
        if writes {
            self.changes();
        }
        let tid = self.current;
        let known = &mut self.threads[tid as usize].known;
        if let Some(other) = self.cells[cell].access(tid, known, writes, self.trace.len(), at) {
            let what = |writes| if writes { "write" } else { "read" };
            let detail = format!(
                "{} by {} at {}:{} and {} by {} at {}:{}, of {name}, are not ordered",
                what(writes),
                self.thread_name(tid),
                at.file(),
                at.line(),
                what(other.writes),
                self.thread_name(other.tid),
                other.at.file(),
                other.at.line(),
            );
            if self.recording {
                let row = |writes, at: &Location, tid, events| Note {
                    tid,
                    at: events,
                    text: format!("{} {name} at {}:{}", what(writes), at.file(), at.line()),
                };
                let now = self.trace.len();
                self.notes.push(row(other.writes, other.at, other.tid, other.events));
                self.notes.push(row(writes, at, tid, now));
            }
            let mut places = [at, other.at].map(|at| format!("{}:{}", at.file(), at.line()));
            places.sort_unstable();
            self.violation("no-data-race".into(), places.join(" and "), detail);
        }
    }
}
