//! A bucket is deleted while its connections are in every state, again and
//! again; see `server/README.md`. Fails when a client sees what must not be.

#[path = "../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::time::{Duration, Instant};
use support::load::{open_files, resident_bytes, round, Load, Seen};
use support::Folder;

const HELP: &str = "\
Deletes a bucket under load, with all of its clients in this process.

    deletion [--connections N] [--streams N] [--vbuckets N] [--rounds N]
             [--writers N] [--items N]

    --connections N  DCP connections [1000]; each takes two files
    --streams N      streams of each [64]
    --vbuckets N     vbs of the bucket [1024]
    --rounds N       how often [100]
    --writers N      connections that write to every vb [4]
    --items N        items in each vb before the round [20]

Exit status: 0 when every round held; 1 when one did not, or waited too long.
";

/// Counts the bytes that are allocated: what the allocator keeps of those that
/// were freed is its own business.
#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// What nothing may wait longer than.
const LIMIT: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let mut numbers = [1000, 64, 1024, 100, 4, 20];
    let names = ["--connections", "--streams", "--vbuckets", "--rounds", "--writers", "--items"];
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let found = names.iter().position(|name| *name == argument);
        let value = arguments.next().and_then(|value| value.parse::<usize>().ok());
        match (found, value) {
            (Some(found), Some(value)) if value > 0 => numbers[found] = value,
            _ => {
                print!("{HELP}");
                return if argument == "--help" { ExitCode::SUCCESS } else { ExitCode::from(2) };
            }
        }
    }
    let [connections, streams, vbs, rounds, writers, items] = numbers;
    let load = Load {
        connections,
        streams: streams as u16,
        vbs: vbs as u16,
        items,
        writers,
        run: Duration::from_millis(100),
    };
    let folder = Folder::new();
    // The clients have one thread, so that the server is not all of the time
    // behind them on a machine of two processors.
    let server = tokio::runtime::Runtime::new().unwrap();
    let clients =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let running = server.block_on(support::start(&folder, load.vbs));
    println!("{connections} connections, {streams} streams each, {vbs} vbs, {rounds} rounds");
    println!("round  accepted   ended  with conn.    items  written  deletion  last end  KiB used  resident  tasks files");

    let mut first = None;
    let (mut all, mut faults, mut slow) = (Seen::default(), 0, 0);
    for number in 1..=rounds {
        let seen = clients.block_on(round(&running, load, number));
        let left = settle(&server, first);
        let memory = MEMORY.current_usage() as u64 >> 10;
        println!(
            "{number:5}  {:8}  {:6}  {:10}  {:7}  {:7}  {:5} ms  {:5} ms  {memory:8}  {:8}  {:5} {:5}",
            seen.accepted,
            seen.ends.values().sum::<u64>(),
            seen.ended_with_connection,
            seen.items,
            seen.written,
            seen.deletion.as_millis(),
            seen.last_end.as_millis(),
            resident_bytes() >> 10,
            left.0,
            left.1,
        );
        // The first round leaves what a runtime and an allocator keep.
        let (_, _, base) = *first.get_or_insert((left.0, left.1, memory));
        faults += usize::from(first.is_some_and(|(tasks, files, _)| (tasks, files) != left));
        faults += usize::from(memory * 10 > base * 11);
        slow += usize::from(seen.deletion > LIMIT || seen.last_end > LIMIT);
        add(&mut all, seen);
    }
    println!(
        "accepted {} = ended {} + with their connection {}; {} items, {} written",
        all.accepted,
        all.ends.values().sum::<u64>(),
        all.ended_with_connection,
        all.items,
        all.written
    );
    println!("ends by flag: {:?}; answers to requests by status: {:x?}", all.ends, all.statuses);
    println!(
        "the longest deletion {:?}, the last end {:?} after it began",
        all.deletion, all.last_end
    );
    println!("faults: {faults}; rounds in which something waited longer than {LIMIT:?}: {slow}");
    server.block_on(running.shutdown());
    if faults + slow == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Waits until the tasks and files of a round are gone, and counts what is there.
fn settle(server: &tokio::runtime::Runtime, first: Option<(usize, usize, u64)>) -> (usize, usize) {
    let begin = Instant::now();
    loop {
        let left = (server.metrics().num_alive_tasks(), open_files());
        let done = match first {
            Some((tasks, files, _)) => left == (tasks, files),
            None => left.0 == 1,
        };
        if done || begin.elapsed() > Duration::from_secs(10) {
            return left;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn add(all: &mut Seen, seen: Seen) {
    all.accepted += seen.accepted;
    all.ended_with_connection += seen.ended_with_connection;
    all.items += seen.items;
    all.written += seen.written;
    all.deletion = all.deletion.max(seen.deletion);
    all.last_end = all.last_end.max(seen.last_end);
    for (flag, count) in seen.ends {
        *all.ends.entry(flag).or_default() += count;
    }
    for (status, count) in seen.statuses {
        *all.statuses.entry(status).or_default() += count;
    }
}
