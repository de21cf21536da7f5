//! The bucket's file: every vb's items by seqno, the keys, and the vbs
//! themselves, in one redb database. Owns the file; its locks are redb's. Every
//! error is the disk's.
//!
//! A vb's items stand in the order of their seqnos, the newest version of each
//! key alone (kv_engine's by-seqno index is like that), so that a backfill is a
//! scan of one range in a snapshot that later writes do not touch. A commit
//! returns when the data is on disk (fsync): what was committed survives a
//! kill of the process, and of the machine as far as its disk keeps its word.

use crate::record::Record;
use crate::vbucket::VbInfo;
use connmap::{Batch, Item, Scan, Scanned, Seqno, SeqnoRange, SourceError};
use redb::{Database, Range, ReadableTable, Table, TableDefinition};
use std::path::Path;

const ITEMS: TableDefinition<(u16, u64), &[u8]> = TableDefinition::new("items");
const KEYS: TableDefinition<(u16, &[u8]), u64> = TableDefinition::new("keys");
const VBS: TableDefinition<u16, &[u8]> = TableDefinition::new("vbs");

/// Bytes that redb keeps of each bucket in memory.
const CACHE: usize = 64 << 20;

/// What the disk refuses. Boxed: redb's errors are large.
pub type Error = Box<redb::Error>;

pub(crate) fn boxed(error: impl Into<redb::Error>) -> Error {
    Box::new(error.into())
}

/// Where a vb's history ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The last seqno.
    pub seqno: Seqno,
    /// Its cas; later ones are greater.
    pub cas: u64,
}

/// One bucket on disk.
#[derive(Debug)]
pub struct Store {
    database: Database,
}

impl Store {
    /// Opens the database at `path`, or makes one.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let database = Database::builder().set_cache_size(CACHE).create(path).map_err(boxed)?;
        let store = Store { database };
        store.write(|_| Ok(()))?; // makes the tables, for readers expect them
        Ok(store)
    }

    /// Every vb that there is, with the end of its history.
    pub fn load(&self) -> Result<Vec<(u16, VbInfo, Head)>, Error> {
        let read = self.database.begin_read().map_err(boxed)?;
        let items = read.open_table(ITEMS).map_err(boxed)?;
        let vbs = read.open_table(VBS).map_err(boxed)?;
        let mut loaded = Vec::new();
        for entry in vbs.iter().map_err(boxed)? {
            let (vb, info) = entry.map_err(boxed)?;
            let (vb, info) = (vb.value(), VbInfo::decode(info.value()));
            let mut head = Head::default();
            if let Some(last) = items.range((vb, 0)..=(vb, u64::MAX)).map_err(boxed)?.next_back() {
                let (key, bytes) = last.map_err(boxed)?;
                head.seqno = key.value().1;
                head.cas = Record::decode(bytes.value()).map_or(0, |record| record.meta.cas);
            }
            loaded.push((vb, info, head));
        }
        Ok(loaded)
    }

    /// The record of a key: a deletion, too.
    pub fn get(&self, vb: u16, key: &[u8]) -> Result<Option<Box<[u8]>>, Error> {
        let read = self.database.begin_read().map_err(boxed)?;
        let keys = read.open_table(KEYS).map_err(boxed)?;
        let Some(seqno) = keys.get((vb, key)).map_err(boxed)? else { return Ok(None) };
        let items = read.open_table(ITEMS).map_err(boxed)?;
        let record = items.get((vb, seqno.value())).map_err(boxed)?;
        Ok(record.map(|record| record.value().into()))
    }

    /// Opens a scan of `range` in the snapshot of this moment.
    pub fn scan(&self, vb: u16, range: SeqnoRange) -> Result<DiskScan, Error> {
        let read = self.database.begin_read().map_err(boxed)?;
        let items = read.open_table(ITEMS).map_err(boxed)?;
        let last = items.range((vb, 0)..=(vb, u64::MAX)).map_err(boxed)?.next_back();
        let snapshot_end = last.transpose().map_err(boxed)?.map_or(0, |(key, _)| key.value().1);
        let first = range.after.saturating_add(1);
        let upto = range.upto.min(snapshot_end);
        // An empty range the wrong way round would panic.
        let rest = (first <= upto).then(|| items.range((vb, first)..=(vb, upto)));
        Ok(DiskScan { snapshot_end, rest: rest.transpose().map_err(boxed)? })
    }

    /// Runs `changes` in one transaction, and commits it to the disk unless it
    /// fails; then nothing was changed.
    pub fn write<T>(
        &self,
        changes: impl FnOnce(&mut Tables<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let transaction = self.database.begin_write().map_err(boxed)?;
        let value = {
            let mut tables = Tables {
                items: transaction.open_table(ITEMS).map_err(boxed)?,
                keys: transaction.open_table(KEYS).map_err(boxed)?,
                vbs: transaction.open_table(VBS).map_err(boxed)?,
            };
            changes(&mut tables)?
        };
        transaction.commit().map_err(boxed)?;
        Ok(value)
    }
}

/// The tables, in a transaction that writes.
pub struct Tables<'t> {
    items: Table<'t, (u16, u64), &'static [u8]>,
    keys: Table<'t, (u16, &'static [u8]), u64>,
    vbs: Table<'t, u16, &'static [u8]>,
}

impl Tables<'_> {
    /// The seqno and the record of a key.
    pub fn get(&self, vb: u16, key: &[u8]) -> Result<Option<(Seqno, Vec<u8>)>, Error> {
        let Some(seqno) = self.keys.get((vb, key)).map_err(boxed)?.map(|seqno| seqno.value())
        else {
            return Ok(None);
        };
        let record = self.items.get((vb, seqno)).map_err(boxed)?;
        Ok(record.map(|record| (seqno, record.value().to_vec())))
    }

    /// Puts a record at `seqno`, in place of the key's record at `old`.
    pub fn put(
        &mut self,
        vb: u16,
        key: &[u8],
        old: Option<Seqno>,
        seqno: Seqno,
        record: &[u8],
    ) -> Result<(), Error> {
        if let Some(old) = old {
            self.items.remove((vb, old)).map_err(boxed)?;
        }
        self.items.insert((vb, seqno), record).map_err(boxed)?;
        self.keys.insert((vb, key), seqno).map_err(boxed)?;
        Ok(())
    }

    /// Writes what a vb is.
    pub fn set_vb(&mut self, vb: u16, info: &VbInfo) -> Result<(), Error> {
        self.vbs.insert(vb, info.encode().as_slice()).map_err(boxed)?;
        Ok(())
    }

    /// Removes a vb's items, and the vb itself.
    pub fn remove_vb(&mut self, vb: u16) -> Result<(), Error> {
        self.items.retain_in((vb, 0)..=(vb, u64::MAX), |_, _| false).map_err(boxed)?;
        let first: (u16, &[u8]) = (vb, &[]);
        match vb.checked_add(1) {
            Some(next) => {
                let end: (u16, &[u8]) = (next, &[]);
                self.keys.retain_in(first..end, |_, _| false).map_err(boxed)?;
            }
            None => self.keys.retain_in(first.., |_, _| false).map_err(boxed)?,
        }
        self.vbs.remove(vb).map_err(boxed)?;
        Ok(())
    }
}

/// A backfill's scan: one range of one vb, in one snapshot, which it keeps
/// until it is dropped.
pub struct DiskScan {
    snapshot_end: Seqno,
    rest: Option<Range<'static, (u16, u64), &'static [u8]>>,
}

impl Scan for DiskScan {
    fn snapshot_end(&self) -> Seqno {
        self.snapshot_end
    }

    fn read(&mut self, batch: &mut Batch) -> Result<Scanned, SourceError> {
        while !batch.is_full() {
            let Some((key, record)) = self.rest.as_mut().and_then(Iterator::next).transpose()?
            else {
                return Ok(Scanned::End);
            };
            batch.push(Item { seqno: key.value().1, payload: record.value().into() });
        }
        Ok(Scanned::More)
    }
}
