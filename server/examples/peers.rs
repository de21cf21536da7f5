//! The server and programs that nobody here wrote: tshark reads a recorded
//! session of every message, and kv_engine's Python clients connect, write,
//! stream and delete. Installs tshark (Debian's package) where it is missing.

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use support::client::*;
use support::Folder;

const HELP: &str = "\
Checks the server against tshark and, with a checkout of kv_engine
(https://github.com/couchbase/kv_engine), against its Python clients.

    peers [CHECKOUT]

Needs the right to capture on the loopback interface (root), and python3. Where
tshark is missing it is installed with apt-get.
";

fn main() -> ExitCode {
    let checkout = std::env::args().nth(1);
    if checkout.as_deref().is_some_and(|argument| argument.starts_with('-')) {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match run(checkout.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(checkout: Option<&str>) -> Result<(), String> {
    if !succeeds(Command::new("tshark").arg("--version").stdout(Stdio::null())) {
        println!("installing tshark");
        let mut install = Command::new("apt-get");
        install.args(["install", "-y", "--no-install-recommends", "tshark"]);
        install.env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        if !succeeds(Command::new("apt-get").arg("update").stdout(Stdio::null()))
            || !succeeds(&mut install)
        {
            return Err("tshark is not there, and apt-get does not install it".into());
        }
    }
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let folder = Folder::new();
    let running = runtime.block_on(support::start(&folder, 16));
    let address = running.address;
    let file = folder.0.join("session.pcapng");
    let mut capture = Capture::start(&file, address.port())?;
    runtime.block_on(session(address));
    let mut python = Ok(());
    match checkout {
        Some(checkout) => {
            println!("kv_engine's Python clients, from {checkout}:");
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/peers.py");
            let mut command = Command::new("python3");
            command.args([script, checkout, &address.to_string()]);
            if !succeeds(&mut command) {
                python = Err("kv_engine's clients did not get on".to_owned());
            }
        }
        None => println!("kv_engine's Python clients: left out, for there is no checkout"),
    }
    runtime.block_on(async { running.shutdown().await });
    capture.stop()?;
    python.and(dissect(&file, address.port()))
}

fn succeeds(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

struct Capture(Child);

impl Capture {
    fn start(file: &Path, port: u16) -> Result<Self, String> {
        let mut child = Command::new("dumpcap")
            .args(["-i", "lo", "-B", "64", "-f", &format!("tcp port {port}"), "-w"])
            .arg(file)
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("dumpcap: {error}"))?;
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        // It has begun when it names its file.
        let begun = lines.by_ref().map_while(Result::ok).any(|line| line.contains("File:"));
        std::thread::spawn(move || lines.for_each(drop));
        match begun {
            true => Ok(Capture(child)),
            false => Err("dumpcap may not capture on lo".into()),
        }
    }

    fn stop(&mut self) -> Result<(), String> {
        // What was sent last is on its way to the file.
        std::thread::sleep(std::time::Duration::from_secs(2));
        succeeds(Command::new("kill").args(["-INT", &self.0.id().to_string()]));
        self.0.wait().map(drop).map_err(|error| error.to_string())
    }
}

/// Every message that the server knows, in both directions.
async fn session(address: SocketAddr) {
    let mut c = Client::connect(address).await;
    c.ok(Packet::request(0x1f, 0).key("peers").value([0, 4, 0, 7, 0, 0xb])).await;
    c.ok(Packet::request(0xfe, 0).value([0, 1])).await;
    c.ok(Packet::request(0x20, 0)).await;
    c.ok(Packet::request(0x21, 0).key("PLAIN").value("\0name\0password")).await;
    c.status(Packet::request(0x22, 0).key("PLAIN").value("x")).await;
    c.ok(Packet::request(0x85, 0).key("other").value("ep.so")).await;
    c.ok(Packet::request(0x87, 0)).await;
    c.ok(Packet::request(0x89, 0).key("other")).await;
    c.ok(Packet::request(0x89, 0).key("default")).await;
    c.ok(Packet::request(0x86, 0).key("other")).await;
    c.ok(Packet::request(0x0b, 0)).await;
    c.ok(Packet::request(0x1b, 0).extras([0; 4])).await;
    for opcode in [0x01, 0x02, 0x03, 0x11, 0x12, 0x13] {
        c.send(Packet { opcode, ..set(1, format!("k{opcode}"), "1") }).await.unwrap();
        c.send(Packet { opcode, ..set(1, "k1", "1") }).await.unwrap();
    }
    for opcode in [0x05, 0x06, 0x15, 0x16] {
        c.send(Packet::request(opcode, 1).key("k1").extras([0; 20])).await.unwrap();
    }
    for opcode in [0x0e, 0x0f, 0x19, 0x1a] {
        c.send(Packet::request(opcode, 1).key("k1").value("2")).await.unwrap();
    }
    for opcode in [0x00, 0x09, 0x0c, 0x0d, 0x04, 0x14] {
        for key in ["k1", "none"] {
            c.send(Packet::request(opcode, 1).key(key)).await.unwrap();
        }
    }
    for opcode in [0x1c, 0x1d, 0x1e] {
        for key in ["k2", "none"] {
            c.send(Packet::request(opcode, 1).key(key).extras([0; 4])).await.unwrap();
        }
    }
    let last = c.send(Packet::request(0x0a, 0)).await.unwrap();
    while c.receive().await.unwrap().opaque != last {}
    for group in ["", "vbucket", "failovers 1", "dcp"] {
        let last = c.send(Packet::request(0x10, 0).key(group)).await.unwrap();
        while c.receive().await.map(|p| (p.opaque, p.key.is_empty())) != Some((last, true)) {}
    }
    c.ok(Packet::request(0x48, 0)).await;
    c.ok(Packet::request(0x48, 0).extras(1u32.to_be_bytes())).await;
    c.ok(Packet::request(0x96, 1)).await;
    c.ok(Packet::request(0x3e, 1)).await;

    let mut dcp = Client::connect(address).await;
    dcp.ok(Packet::request(0x1f, 0).key("peers").value([0, 0xb])).await;
    dcp.ok(dcp_open("peers", 0x21)).await;
    for (key, value) in [
        ("connection_buffer_size", "100000"),
        ("send_stream_end_on_client_close_stream", "true"),
        ("enable_noop", "true"),
        ("set_noop_interval", "1"),
        ("no_such_setting", "1"),
    ] {
        dcp.call(control(key, value)).await;
    }
    dcp.ok(Packet::request(0x54, 1)).await;
    dcp.call(stream_req(1, 0, 5, 9, 7, (5, 5))).await;
    dcp.ok(stream_req(1, 0, 0, u64::MAX, 0, (0, 0))).await;
    dcp.ok(stream_req(2, 0, 0, u64::MAX, 0, (0, 0))).await;
    c.ok(set(2, "k", "v")).await;
    c.ok(Packet { datatype: 1, ..set(2, "json", "{}") }).await;
    c.ok(Packet::request(0x04, 2).key("k")).await;
    let mut seen = BTreeMap::new();
    while !seen.contains_key(&0x5c) || !seen.contains_key(&0x58) {
        let packet = dcp.push().await.expect("it goes on");
        dcp.send(buffer_ack(packet.size() as u32)).await.unwrap();
        if packet.opcode == 0x5c {
            dcp.send(Packet { magic: 0x81, status: 0, ..packet.clone() }).await.unwrap();
        }
        *seen.entry(packet.opcode).or_insert(0) += 1;
    }
    dcp.ok(Packet::request(0x52, 1)).await;
    c.ok(Packet::request(0x3d, 2).extras([2])).await;
    c.ok(Packet::request(0x3f, 2)).await;
    while dcp.push().await.map(|packet| packet.opcode) != Some(0x55) {}
    c.ok(Packet::request(0x08, 0)).await;
    c.ok(Packet::request(0x07, 0)).await;
}

/// What tshark 4.0 has no names for, or complains of, and the documents say:
/// the messages, and the first words of the complaint.
const KNOWN: &[(&[&str], &str)] = &[
    // Extras of a request that it does not look into.
    (&["Verbosity", "Touch", "Get and Touch", "Gat and Touch Quietly"], "Unknown: "),
    (&["Set VBucket", "Get All VBucket Seqnos", "DCP Stream End"], "Unknown: "),
    // Values that it takes for none: failover logs, seqnos, states.
    (&["DCP Get Failover Log", "DCP Stream Request", "Sync"], "Trailing stray characters"),
    (&["Get All VBucket Seqnos", "Get VBucket"], "Trailing stray characters"),
    // The password; and a module without a configuration, which may be left out.
    (&["SASL Authenticate"], "Trailing stray characters"),
    (&["Create Bucket"], "Null byte not found"),
    // Of a miss.
    (&["Get", "Get Key"], "Get"),
];

/// Has tshark read the session: it must have no malformed packet, and nothing
/// that tshark complains of or has no name for, but for [`KNOWN`]. That a
/// response is a refusal counts as a complaint with tshark, and not here.
fn dissect(file: &Path, port: u16) -> Result<(), String> {
    let output = Command::new("tshark")
        .arg("-r")
        .arg(file)
        .args(["-d", &format!("tcp.port=={port},couchbase"), "-V", "-O", "couchbase"])
        .output()
        .map_err(|error| format!("tshark: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut kinds = BTreeMap::new();
    let mut complaints = BTreeMap::new();
    let (mut magic, mut opcode) = ("", "");
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("Magic: ") {
            magic = rest;
        } else if let Some(rest) = line.strip_prefix("Opcode: ") {
            opcode = rest.split(" (0x").next().unwrap_or(rest);
            *kinds.entry(format!("{rest}, {magic}")).or_insert(0) += 1;
        }
        let expert = line.strip_prefix("[Expert Info (").and_then(|rest| rest.split_once("): "));
        let complaint = match expert {
            Some((_, rest)) => rest.trim_end_matches(']'),
            None if line.starts_with("Unknown: ") || line.contains("Malformed") => line,
            None => continue,
        };
        let refusal = complaint.strip_prefix(opcode).is_some_and(|rest| rest.starts_with(": "));
        let known = |(opcodes, words): &(&[&str], &str)| {
            opcodes.contains(&opcode) && complaint.starts_with(words)
        };
        if !refusal && !KNOWN.iter().any(known) {
            *complaints.entry(format!("{opcode}, {magic}: {complaint}")).or_insert(0) += 1;
        }
    }
    let messages: usize = kinds.values().sum();
    println!("tshark: {messages} messages, of {} opcodes and directions", kinds.len());
    if std::env::var_os("VERBOSE").is_some() {
        kinds.iter().for_each(|(kind, count)| println!("  {count:5} {kind}"));
    }
    if messages < 200 {
        return Err(format!("tshark has read {messages} messages: the session is not there"));
    }
    for (complaint, count) in &complaints {
        println!("  {count} of {complaint}");
    }
    match complaints.len() {
        0 => println!("tshark: nothing malformed, and nothing unknown that is not known to be"),
        count => return Err(format!("tshark has {count} complaints")),
    }
    Ok(())
}
