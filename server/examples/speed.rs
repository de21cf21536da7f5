//! How fast mutations are streamed, and what that costs: one stream and
//! sixty-four, beside a plain tokio echo of as many bytes, in one run; and the
//! core's share of it. Servers are processes of their own, whose processor time
//! the system counts.

#[path = "../tests/support/mod.rs"]
mod support;

use connmap::{
    Batch, Config, ConnId, ConnMap, FrontEnd, ItemSource, Message, Scanned, SeqnoRange, Step,
    StreamRequest, VbId,
};
use connmap_server::bucket::Data;
use connmap_server::options::Options;
use connmap_server::server::Server;
use connmap_server::store::Store;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::client::*;
use support::Folder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const HELP: &str = "\
Measures the streaming of mutations.

    speed [--items N] [--size BYTES]

    --items N     mutations through each measurement [200000]
    --size BYTES  of each value [256]
";

/// Streams of the wide measurement.
const WIDE: u16 = 64;

fn main() {
    let (mut items, mut size) = (200_000usize, 256usize);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|number| number.parse().ok());
        match (argument.as_str(), number()) {
            ("--items", Some(number)) => items = number,
            ("--size", Some(number)) => size = number,
            ("echo", _) => return serve(echo()),
            ("serve", _) => return serve(dcp_server(std::env::args().nth(2).unwrap_or_default())),
            _ => return print!("{HELP}"),
        }
    }
    measure(items, size);
}

fn serve(server: impl std::future::Future<Output = ()>) {
    tokio::runtime::Runtime::new().expect("there is a runtime").block_on(server);
}

async fn dcp_server(data: String) {
    let (listen, users) = ("127.0.0.1:0".into(), Default::default());
    let options = Options { listen, data: data.into(), users, vbs: WIDE + 1 };
    let running = Server::start(options).await.expect("it starts");
    println!("{}", running.address);
    std::future::pending().await
}

async fn echo() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("it listens");
    println!("{}", listener.local_addr().expect("it has an address"));
    loop {
        let (mut stream, _) = listener.accept().await.expect("it accepts");
        tokio::spawn(async move {
            let (mut reader, mut writer) = stream.split();
            let mut bytes = vec![0; 64 << 10];
            while let Ok(read @ 1..) = reader.read(&mut bytes).await {
                if writer.write_all(&bytes[..read]).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// A server in a process of its own.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(arguments: &[&str]) -> Self {
        let program = std::env::current_exe().expect("it is running");
        let mut child =
            Command::new(program).args(arguments).stdout(Stdio::piped()).spawn().expect("it runs");
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        stdout.read_line(&mut line).expect("it says where it listens");
        let address = line.trim().parse().expect("it is an address");
        Process { child, address }
    }

    /// The processor time of all of its threads, to a hundredth of a second.
    fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.unwrap_or_default();
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: u64 =
            fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }

    fn stop(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn measure(items: usize, size: usize) {
    let folder = Folder::new();
    let data = folder.0.join("data");
    let shown = data.to_str().expect("it is text").to_owned();
    let server = Process::start(&["serve", &shown]);
    let echo = Process::start(&["echo"]);
    let client = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!("{items} mutations of {size} bytes in each measurement");

    let each = items / usize::from(WIDE);
    let began = Instant::now();
    client.block_on(fill(server.address, 0, items, size));
    for vb in 1..=WIDE {
        client.block_on(fill(server.address, vb, each, size));
    }
    let written = items + each * usize::from(WIDE);
    println!("written to disk: {:.0} a second", rate(written, began.elapsed()));

    let mut lines = Vec::new();
    for (name, vbs, each) in [("1 stream", 0..=0, items), ("64 streams", 1..=WIDE, each)] {
        let count = each * vbs.clone().count();
        let (cpu, began) = (server.cpu(), Instant::now());
        let bytes = client.block_on(stream(server.address, vbs, each as u64));
        let (elapsed, cpu) = (began.elapsed(), server.cpu() - cpu);
        let (before, began) = (echo.cpu(), Instant::now());
        client.block_on(bounce(echo.address, bytes));
        let (echoed, beside) = (began.elapsed(), echo.cpu() - before);
        println!(
            "{name:10}: {:.0} mutations a second, {} MB; {:.2} us of processor time each; the \
             echo of as many bytes took {:.2} s and {:.2} us, {:.1} times less",
            rate(count, elapsed),
            bytes >> 20,
            each_us(cpu, count),
            echoed.as_secs_f64(),
            each_us(beside, count),
            cpu.as_secs_f64() / beside.as_secs_f64().max(0.01),
        );
        lines.push((name, each_us(cpu, count)));
    }
    server.stop();
    echo.stop();

    // The same items through the core alone, on this thread, and without it.
    let store = Store::open(&data.join("default.bucket")).expect("it was closed");
    let source = Arc::new(Data { store, vbs: Vec::new() });
    for (name, vbs, each, whole) in
        [("1 stream", 0..=0u16, items, lines[0].1), ("64 streams", 1..=WIDE, each, lines[1].1)]
    {
        let count = each * vbs.clone().count();
        let without = on_this_thread(|| scan(&source, vbs.clone(), each as u64));
        let with = on_this_thread(|| core(&source, vbs.clone(), each as u64));
        let share = each_us(with.saturating_sub(without), count);
        println!(
            "{name:10}: the store's scan {:.2} us, with the core {:.2} us: {share:.2} us are the \
             core's, {:.0} % of the server's {whole:.2} us",
            each_us(without, count),
            each_us(with, count),
            100.0 * share / whole
        );
    }
}

fn rate(count: usize, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}

fn each_us(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}

async fn fill(address: SocketAddr, vb: u16, items: usize, size: usize) {
    let mut client = Client::connect(address).await;
    for begin in (0..items).step_by(500) {
        let mut bytes = Vec::new();
        for item in begin..items.min(begin + 500) {
            let set = set(vb, format!("key {item:8}"), vec![b'v'; size]);
            bytes.extend(Packet { opcode: 0x11, ..set }.encode());
        }
        client.send_bytes(&bytes).await.expect("it is there");
    }
    client.ok(Packet::request(0x0a, 0)).await;
}

/// Streams every vb to its end; answers the bytes that came.
async fn stream(address: SocketAddr, vbs: std::ops::RangeInclusive<u16>, end: u64) -> usize {
    let mut client = Client::dcp(address, "speed").await;
    let mut ends = vbs.clone().count();
    for vb in vbs {
        client.send(stream_req(vb, 0, 0, end, 0, (0, 0))).await.expect("it is there");
    }
    // As little as will do, so that the server is what is measured.
    let (mut bytes, mut at, mut total) = (Vec::with_capacity(1 << 20), 0, 0);
    while ends > 0 {
        if bytes.len() < at + 24 || bytes.len() < at + 24 + number(&bytes[at + 8..at + 12]) as usize
        {
            bytes.drain(..at);
            at = 0;
            let read = client.stream.read_buf(&mut bytes).await.expect("it goes on");
            assert!(read > 0, "it goes on");
            total += read;
            continue;
        }
        ends -= usize::from(bytes[at..at + 2] == [0x80, 0x55]);
        at += 24 + number(&bytes[at + 8..at + 12]) as usize;
    }
    total
}

/// Has as many bytes echoed.
async fn bounce(address: SocketAddr, total: usize) {
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
    let (mut reader, mut writer) = stream.split();
    let send = async {
        let bytes = vec![0; 64 << 10];
        let mut sent = 0;
        while sent < total {
            let next = bytes.len().min(total - sent);
            writer.write_all(&bytes[..next]).await.expect("it is there");
            sent += next;
        }
    };
    let receive = async {
        let mut bytes = vec![0; 1 << 20];
        let mut received = 0;
        while received < total {
            received += reader.read(&mut bytes).await.expect("it is there");
        }
    };
    tokio::join!(send, receive);
}

/// Processor time of this thread (nanoseconds, the first field of schedstat).
fn on_this_thread(work: impl FnOnce()) -> Duration {
    let now = || {
        let stat = std::fs::read_to_string(Path::new("/proc/thread-self/schedstat"));
        let stat = stat.unwrap_or_default();
        Duration::from_nanos(stat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0))
    };
    let before = now();
    work();
    now() - before
}

fn scan(source: &Arc<Data>, vbs: std::ops::RangeInclusive<u16>, end: u64) {
    for vb in vbs {
        let range = SeqnoRange { after: 0, upto: end };
        let mut scan = source.open_scan(VbId(vb), range).expect("it opens");
        let mut more = Scanned::More;
        while more == Scanned::More {
            let mut batch = Batch::default();
            more = scan.read(&mut batch).expect("it reads");
            batch.drain().for_each(|item| drop(std::hint::black_box(item)));
        }
    }
}

struct Awake;

impl FrontEnd for Awake {
    fn wake(&self) {}
}

/// The worker and the front end take turns on one thread.
fn core(source: &Arc<Data>, vbs: std::ops::RangeInclusive<u16>, end: u64) {
    let map = ConnMap::new(source.clone(), Config::default());
    let producer = map.open(ConnId(1), "speed", Arc::new(Awake)).expect("it opens").deliver();
    let mut ends = vbs.clone().count();
    for vb in vbs {
        let request = StreamRequest { vb: VbId(vb), start: 0, end, opaque: 1 };
        producer.stream_request(request).expect("it is accepted").deliver();
    }
    let worker = map.worker();
    while ends > 0 {
        worker.run(Instant::now());
        loop {
            match producer.step() {
                Step::Message(Message::StreamEnd(_)) => ends -= 1,
                Step::Message(message) => drop(std::hint::black_box(message)),
                Step::Idle => break,
                Step::Disconnect(reason) => panic!("{reason:?}"),
            }
        }
    }
    map.shutdown().deliver();
}
