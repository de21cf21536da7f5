//! The limits of a map's backfills. Plain data.

use std::time::Duration;

/// Limits; the defaults are kv_engine's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bytes that one run of a backfill reads at most: 4 MiB. The item that
    /// reaches the limit is still read.
    pub scan_bytes: u64,
    /// Items that one run of a backfill reads at most: 4096.
    pub scan_items: usize,
    /// Bytes that a connection's backfills read ahead of its client: 20 MiB.
    /// One item larger than the buffer still passes, when the buffer is empty.
    pub buffer_bytes: u64,
    /// How far a full buffer drains before backfills go on, in per cent of
    /// `buffer_bytes`: 25. (At 0 it would stop and go at every item, as
    /// kv_engine's did in MB-61257; at 100 it resumes when it is empty.)
    pub resume_drained_percent: u8,
    /// Backfills in progress for each connection: 64.
    pub backfills_per_connection: usize,
    /// Backfills in progress for the whole map: 4096; see [`Config::bucket_backfills`].
    pub backfills_per_bucket: usize,
    /// How long a backfill that cannot go on rests: 1 s.
    pub snooze: Duration,
    /// Above this share of the memory quota, in per cent, requests are refused
    /// and backfills snooze: 96.
    pub memory_threshold_percent: u8,
    /// Which of a connection's backfills runs next.
    pub order: BackfillOrder,
}

/// Which backfill of a connection runs next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackfillOrder {
    /// Each in turn.
    #[default]
    RoundRobin,
    /// One until it is finished, then the next.
    Sequential,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            scan_bytes: 4 << 20,
            scan_items: 4096,
            buffer_bytes: 20 << 20,
            resume_drained_percent: 25,
            backfills_per_connection: 64,
            backfills_per_bucket: 4096,
            snooze: Duration::from_secs(1),
            memory_threshold_percent: 96,
            order: BackfillOrder::RoundRobin,
        }
    }
}

impl Config {
    /// kv_engine's cap on a bucket's backfills in progress, from its memory
    /// quota in bytes: `max(2, min(4096, quota * 1 % / 10 KiB))`.
    ///
    /// ```
    /// use connmap::Config;
    /// assert_eq!(Config::bucket_backfills(0), 2);
    /// assert_eq!(Config::bucket_backfills(100 << 20), 102);
    /// assert_eq!(Config::bucket_backfills(u64::MAX), 4096);
    /// ```
    pub fn bucket_backfills(quota_bytes: u64) -> usize {
        (quota_bytes / 100 / (10 << 10)).clamp(2, 4096) as usize
    }

    /// The bytes at which a full buffer takes backfills again: always fewer
    /// than those at which it is full, or it would resume before anything was
    /// sent.
    pub(crate) fn resume_bytes(&self) -> u64 {
        let drained = u128::from(self.buffer_bytes) * u128::from(self.resume_drained_percent) / 100;
        self.buffer_bytes.saturating_sub((drained as u64).max(1))
    }
}
