//! A bucket is deleted while its connections are in every state, again and
//! again; see `server/README.md`. Fails when a client sees what must not be.

#[path = "../tests/support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use support::load::{open_files, resident_bytes, round, Here, Host, Load, Seen};
use support::Folder;

const HELP: &str = "\
Deletes a bucket under load. The server has a process of its own, and all of its
clients another: each connection is one open file in either.

    deletion [--connections N] [--streams N] [--vbuckets N] [--rounds N]
             [--writers N] [--items N]

    --connections N  DCP connections [1000]
    --streams N      streams of each [64]
    --vbuckets N     vbs of the bucket [1024]
    --rounds N       how often [100]
    --writers N      connections that write to every vb [4]
    --items N        items in each vb before the round [20]

The limit of open files is raised as far as the system lets a process raise it.

Exit status: 0 when every round held; 1 when one did not, or waited too long; 2
for a mistake above, or more connections than the system allows.
";

/// Files that a process has open besides its connections, at most.
const OTHER_FILES: u64 = 100;

/// Counts the bytes that are allocated: what the allocator keeps of those that
/// were freed is its own business.
#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// What nothing may wait longer than.
const LIMIT: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        serve(std::env::args().nth(2).and_then(|vbs| vbs.parse().ok()).expect("vbs"));
        return ExitCode::SUCCESS;
    }
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
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(0);
    let ports = local_ports();
    println!("{connections} connections, {streams} streams each, {vbs} vbs, {rounds} rounds");
    println!("limits: {files} open files in each process, {ports} ports to connect from");
    let need = (connections + writers) as u64 + OTHER_FILES;
    if need > files.min(ports) {
        let fit = files.min(ports).saturating_sub(writers as u64 + OTHER_FILES);
        let raise = match files < ports {
            true => "the hard limit of open files (ulimit -Hn)",
            false => "the range of local ports (net.ipv4.ip_local_port_range)",
        };
        eprintln!("{connections} connections need {need} of each: --connections {fit} fits, or");
        eprintln!("raise {raise}");
        return ExitCode::from(2);
    }
    let clients =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut server = Process::start(load.vbs);
    println!("round  accepted   ended  with conn.    items  written  deletion  last end  KiB used  resident  tasks files");

    let mut first = None;
    let (mut all, mut faults, mut slow) = (Seen::default(), 0, 0);
    for number in 1..=rounds {
        let seen = clients.block_on(round(server.address, &mut server, load, number));
        let expected = first.map_or([1, 0], |(tasks, files, _)| [tasks, files]);
        let [tasks, files, memory, resident] = server.settle(expected);
        println!(
            "{number:5}  {:8}  {:6}  {:10}  {:7}  {:7}  {:5} ms  {:5} ms  {memory:8}  {:8}  {:5} {:5}",
            seen.accepted,
            seen.ends.values().sum::<u64>(),
            seen.ended_with_connection,
            seen.items,
            seen.written,
            seen.deletion.as_millis(),
            seen.last_end.as_millis(),
            resident,
            tasks,
            files,
        );
        // The first round leaves what a runtime and an allocator keep.
        let (first_tasks, first_files, base) = *first.get_or_insert((tasks, files, memory));
        faults += usize::from((tasks, files) != (first_tasks, first_files));
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
    let answers: Vec<_> =
        all.statuses.iter().map(|(status, count)| format!("{status:#04x}: {count}")).collect();
    println!("ends by flag: {:?}; answers to requests by status: {}", all.ends, answers.join(", "));
    println!(
        "the longest deletion {:?}, the last end {:?} after it began",
        all.deletion, all.last_end
    );
    println!("faults: {faults}; rounds in which something waited longer than {LIMIT:?}: {slow}");
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load average: {}", load.trim());
    server.end();
    if faults + slow == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Ports that a connection to one address can come from.
fn local_ports() -> u64 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let range = range.unwrap_or_default();
    let mut ends = range.split_whitespace().filter_map(|end| end.parse::<u64>().ok());
    match (ends.next(), ends.next()) {
        (Some(first), Some(last)) if first <= last => last - first + 1,
        _ => u64::MAX,
    }
}

/// The server's process: it says where it listens, and then answers each line
/// with a line of numbers, until there is none.
fn serve(vbs: u16) {
    let runtime = tokio::runtime::Runtime::new().expect("there is a runtime");
    let folder = Folder::new();
    let running = runtime.block_on(support::start(&folder, vbs));
    println!("{}", running.address);
    let mut here = Here { server: running.server.clone(), watched: None };
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let mut words = line.split(' ');
        let answer = match words.next() {
            Some("watch") => {
                here.watch();
                Vec::new()
            }
            Some("alive") => here.alive().to_vec(),
            _ => settle(&runtime, &words.filter_map(|word| word.parse().ok()).collect::<Vec<_>>()),
        };
        let answer: Vec<_> = answer.iter().map(u64::to_string).collect();
        println!("{}", answer.join(" "));
    }
    drop(here);
    runtime.block_on(running.shutdown());
}

/// Waits until so many tasks are there, and so many files, if it is known how
/// many; and counts these, the bytes in use and those in memory, in KiB.
fn settle(runtime: &tokio::runtime::Runtime, expected: &[u64]) -> Vec<u64> {
    let begin = Instant::now();
    loop {
        let left = [runtime.metrics().num_alive_tasks() as u64, open_files() as u64];
        let done = left[0] == expected[0] && [0, left[1]].contains(&expected[1]);
        if done || begin.elapsed() > Duration::from_secs(10) {
            let memory = MEMORY.current_usage() as u64;
            return vec![left[0], left[1], memory >> 10, resident_bytes() >> 10];
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The server's process, as that of the clients has it.
struct Process {
    child: Child,
    address: SocketAddr,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Process {
    fn start(vbs: u16) -> Self {
        let program = std::env::current_exe().expect("it is running");
        let mut child = Command::new(program)
            .args(["serve", &vbs.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let asks = child.stdin.take().expect("it is piped");
        let mut answers = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        answers.read_line(&mut line).expect("it says where it listens");
        let address = line.trim().parse().expect("it is an address");
        Process { child, address, asks, answers }
    }

    fn ask<const N: usize>(&mut self, line: &str) -> [u64; N] {
        writeln!(self.asks, "{line}").expect("the server's process is there");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it answers");
        let numbers = answer.split_whitespace().map(|number| number.parse().expect("a number"));
        numbers.collect::<Vec<u64>>().try_into().expect("as many as were asked for")
    }

    fn settle(&mut self, [tasks, files]: [u64; 2]) -> [u64; 4] {
        self.ask(&format!("settle {tasks} {files}"))
    }

    /// It ends by itself when nobody can ask any more.
    fn end(self) {
        let Process { mut child, asks, .. } = self;
        drop(asks);
        let ended = child.wait().expect("it is a child of ours");
        assert!(ended.success(), "the server's process: {ended}");
    }
}

impl Host for Process {
    fn watch(&mut self) {
        let [] = self.ask("watch");
    }

    fn alive(&mut self) -> [u64; 5] {
        self.ask("alive")
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
