//! The limits of a map's backfills. Plain data.

use std::time::{Duration, Instant};

/// Limits; the defaults are kv_engine's.
///
/// Any value is accepted. A limit of 0 with which no backfill could ever go on
/// counts as 1, and each field says what its extremes mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bytes that one run of a backfill reads at most: 4 MiB. The item that
    /// reaches the limit is still read. At least 1.
    pub scan_bytes: u64,
    /// Items that one run of a backfill reads at most: 4096. At least 1.
    pub scan_items: usize,
    /// Bytes that a connection's backfills read ahead of its client: 20 MiB.
    /// One item larger than the buffer still passes, when the buffer is empty.
    /// An item without a payload is charged as one byte, so that this bounds
    /// their number, too.
    pub buffer_bytes: u64,
    /// The share of a full buffer that must be sent before backfills go on, in
    /// per cent of `buffer_bytes`: 25. (At 0 backfills would stop and go on at
    /// each item, as kv_engine's did in MB-61257; at 100 and above they go on when
    /// the buffer is empty.)
    pub resume_drained_percent: u8,
    /// Backfills in progress for each connection: 64. At least 1.
    pub backfills_per_connection: usize,
    /// Backfills in progress for the whole map: 4096; see
    /// [`Config::bucket_backfills`]. At least 1.
    pub backfills_per_bucket: usize,
    /// How long a backfill snoozes that cannot go on: 1 s. At least 1 ms, so
    /// that a worker does not poll, and at most a year.
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
    /// One until it is finished, then the next. A new one has its first run,
    /// which opens its scan, before the others go on, and then waits its turn.
    Sequential,
}

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

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

    /// The limits within the bounds that the fields document.
    pub(crate) fn clamped(self) -> Self {
        Config {
            scan_bytes: self.scan_bytes.max(1),
            scan_items: self.scan_items.max(1),
            resume_drained_percent: self.resume_drained_percent.min(100),
            backfills_per_connection: self.backfills_per_connection.max(1),
            backfills_per_bucket: self.backfills_per_bucket.max(1),
            snooze: self.snooze.clamp(Duration::from_millis(1), YEAR),
            ..self
        }
    }

    /// When a snooze that begins now is over. Where that is beyond the range of
    /// the clock the snooze is over at once: a panic here would be under a lock.
    pub(crate) fn snooze_from(&self, now: Instant) -> Instant {
        now.checked_add(self.snooze).unwrap_or(now)
    }

    /// The bytes at which backfills go on behind a full buffer: always fewer than
    /// those at which it is full, or they would go on before an item was sent.
    pub(crate) fn resume_bytes(&self) -> u64 {
        let drained = u128::from(self.buffer_bytes) * u128::from(self.resume_drained_percent) / 100;
        self.buffer_bytes.saturating_sub((drained as u64).max(1))
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn the_cap_is_a_hundredth_of_the_quota_in_pieces_of_ten_kibibytes() {
        let caps = [0, 2 << 20, 3 << 20, 100 << 20, 1 << 40].map(Config::bucket_backfills);
        assert_eq!(caps, [2, 2, 3, 102, 4096]);
    }

    #[test]
    fn no_more_than_all_is_drained() {
        let config =
            Config { buffer_bytes: u64::MAX, resume_drained_percent: 255, ..Config::default() };
        assert_eq!(config.clamped().resume_bytes(), 0);
    }
}
