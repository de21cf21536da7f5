//! A bucket is deleted under load; the command `deletion` does the same, large.
//! Alone in its process, whose open files are counted.

mod support;

use std::time::Duration;
use support::client::within;
use support::load::{open_files, round, Load};
use support::{start, Folder};

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

#[test]
fn a_bucket_is_deleted_under_load() {
    let folder = Folder::new();
    let server = tokio::runtime::Runtime::new().unwrap();
    let clients = tokio::runtime::Runtime::new().unwrap();
    let running = server.block_on(start(&folder, 32));
    let load = Load {
        connections: 42,
        streams: 16,
        vbs: 32,
        items: 50,
        writers: 2,
        run: Duration::from_millis(20),
    };
    let (mut before, mut memory) = (None, None);
    for number in 0..4 {
        let seen = clients.block_on(round(&running, load, number));
        assert!(seen.accepted > 0 && seen.items > 0 && seen.written > 0, "{seen:?}");
        // The tasks of the round end; when, is the scheduler's business.
        let left = || (server.metrics().num_alive_tasks(), open_files());
        let deadline = std::time::Instant::now() + support::client::PATIENCE;
        while left().0 > 1 || before.is_some_and(|before| left() != before) {
            assert!(std::time::Instant::now() < deadline, "{:?} are left of {before:?}", left());
            std::thread::sleep(Duration::from_millis(10));
        }
        before.get_or_insert(left());
        assert!(!folder.0.join("data/load.bucket").exists());
        // Memory is back to within a tenth of what the first round left.
        let first = *memory.get_or_insert(MEMORY.current_usage());
        while MEMORY.current_usage() > first / 10 * 11 {
            let now = MEMORY.current_usage();
            assert!(std::time::Instant::now() < deadline, "{now} bytes, after {first}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    server.block_on(within(running.shutdown()));
}
