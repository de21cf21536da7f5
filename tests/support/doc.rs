// What the documentation's examples need of a host: included, hidden, in each.
use connmap::*;

/// Ends the example in an engine's build: it uses the core outside of any
/// model, which the engine's types refuse. (Examples are compiled without the
/// flags of the crate, so no cfg can say so.)
fn not_under_an_engine() {
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
        let flags = std::env::var(variable).unwrap_or_default().replace('\x1f', " ");
        if flags.contains("--cfg loom") || flags.contains("--cfg shuttle") {
            std::process::exit(0);
        }
    }
}

pub fn source() -> std::sync::Arc<dyn ItemSource> {
    not_under_an_engine();
    struct Empty;
    struct End;
    impl ItemSource for Empty {
        fn open_scan(&self, _: VbId, _: SeqnoRange) -> Result<Box<dyn Scan>, SourceError> {
            Ok(Box::new(End))
        }
        fn read_memory(&self, _: VbId, _: SeqnoRange) -> Result<Memory, SourceError> {
            Ok(Memory::Items(Vec::new()))
        }
    }
    impl Scan for End {
        fn snapshot_end(&self) -> Seqno {
            0
        }
        fn read(&mut self, _: &mut Batch) -> Result<Scanned, SourceError> {
            Ok(Scanned::End)
        }
    }
    std::sync::Arc::new(Empty)
}

pub fn front_end() -> std::sync::Arc<dyn FrontEnd> {
    struct Nobody;
    impl FrontEnd for Nobody {
        fn wake(&self) {}
    }
    std::sync::Arc::new(Nobody)
}
