//! What the benchmarks share: a host that costs as little as it can, criterion
//! as each of them uses it, and the table of ratios at the end.

use connmap::*;
use criterion::{BenchmarkId, Criterion, SamplingMode};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Items that a scan finds.
pub const ITEMS: u64 = 1000;

/// A source with [`ITEMS`] items of 16 bytes on disk for every vb, and the last
/// one that is asked for in memory.
#[derive(Debug)]
pub struct Disk;

/// A scan of them.
#[derive(Debug)]
pub struct DiskScan {
    at: Seqno,
    end: Seqno,
}

impl DiskScan {
    /// Of everything after `after`.
    pub fn new(after: Seqno) -> Self {
        DiskScan { at: after, end: ITEMS }
    }
}

fn item(seqno: Seqno) -> Item {
    Item { seqno, payload: Arc::new([0; 16]) }
}

impl ItemSource for Disk {
    fn open_scan(&self, _: VbId, range: SeqnoRange) -> Result<Box<dyn Scan>, SourceError> {
        Ok(Box::new(DiskScan { at: range.after, end: ITEMS.min(range.upto) }))
    }

    fn read_memory(&self, _: VbId, range: SeqnoRange) -> Result<Memory, SourceError> {
        Ok(Memory::Items(vec![item(range.upto)]))
    }
}

impl Scan for DiskScan {
    fn snapshot_end(&self) -> Seqno {
        self.end
    }

    fn read(&mut self, batch: &mut Batch) -> Result<Scanned, SourceError> {
        while self.at < self.end && !batch.is_full() {
            self.at += 1;
            batch.push(item(self.at));
        }
        Ok(if self.at < self.end { Scanned::More } else { Scanned::End })
    }
}

struct Nobody;

impl FrontEnd for Nobody {
    fn wake(&self) {}
}

/// Opens a connection.
pub fn open(map: &ConnMap, id: u64, name: &str) -> Producer {
    map.open(ConnId(id), name, Arc::new(Nobody)).expect("it is new").deliver()
}

/// A request for a stream of `vb` without end.
pub fn request(vb: u16) -> StreamRequest {
    StreamRequest { vb: VbId(vb), start: 0, end: Seqno::MAX, opaque: 0 }
}

/// Criterion, and the median of each benchmark that it has run.
pub struct Bench {
    criterion: Criterion,
    medians: RefCell<BTreeMap<(String, String), f64>>,
}

impl std::fmt::Debug for Bench {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bench").field("medians", &self.medians).finish_non_exhaustive()
    }
}

impl Default for Bench {
    fn default() -> Self {
        let criterion = Criterion::default()
            .sample_size(10)
            .warm_up_time(Duration::from_millis(200))
            .measurement_time(Duration::from_millis(500))
            .without_plots();
        Bench { criterion: criterion.configure_from_args(), medians: RefCell::default() }
    }
}

impl Bench {
    /// Measures `call`, which is told how many of what it does, does them, and
    /// says how long they took: not what it has to do besides.
    pub fn run(&mut self, what: &str, beside: &str, mut call: impl FnMut(u64) -> Duration) {
        let mut samples = Vec::new();
        let mut group = self.criterion.benchmark_group(what);
        group.sampling_mode(SamplingMode::Flat);
        group.bench_function(BenchmarkId::from_parameter(beside), |bencher| {
            bencher.iter_custom(|iterations| {
                let took = call(iterations);
                samples.push(took.as_nanos() as f64 / iterations as f64);
                took
            });
        });
        group.finish();
        // Those of the warm-up are the first.
        let mut samples = samples.split_off(samples.len().saturating_sub(10));
        samples.sort_by(f64::total_cmp);
        if let Some(median) = samples.get(samples.len() / 2) {
            self.medians.borrow_mut().insert((what.into(), beside.into()), *median);
        }
    }

    /// The median, in nanoseconds, if it was run.
    pub fn median(&self, what: &str, beside: &str) -> Option<f64> {
        self.medians.borrow().get(&(what.to_owned(), beside.to_owned())).copied()
    }

    /// One line of a table: the first, the second, the second by the first, and
    /// what that is to be at most.
    pub fn line(&self, what: &str, [first, second]: [&str; 2], limit: Option<f64>) {
        let medians = (self.median(what, first), self.median(what, second));
        let (Some(first), Some(second)) = medians else { return };
        let ratio = second / first;
        let limit = limit.map_or(String::new(), |limit| {
            let above = if ratio > limit { ", and is above" } else { "" };
            format!("at most {}{above}", (limit * 100.0).round() / 100.0)
        });
        let line = format!("{what:<32} {first:>9.0} ns {second:>9.0} ns {ratio:>6.2}  {limit}");
        println!("{}", line.trim_end());
    }
}

/// The time that the calls take together.
pub fn time(calls: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    calls();
    begin.elapsed()
}
