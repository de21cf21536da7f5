//! Refuses a mistyped engine: under `--cfg looom` everything would build with
//! std's types, and the engines' tests would pass because there were none.

fn main() {
    println!("cargo::rerun-if-env-changed=CARGO_ENCODED_RUSTFLAGS");
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let mut flags = flags.split('\x1f');
    while let Some(flag) = flags.next() {
        let cfg = match flag.strip_prefix("--cfg=") {
            Some(cfg) => Some(cfg),
            None if flag == "--cfg" => flags.next(),
            None => None,
        };
        if let Some(cfg) = cfg.filter(|cfg| !["loom", "shuttle"].contains(cfg)) {
            println!("cargo::error=--cfg {cfg}: no such engine; there are loom and shuttle");
        }
    }
}
