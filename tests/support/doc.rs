// What the documentation's examples need of a host: included, hidden, in each.
use connmap::*;

pub fn source() -> std::sync::Arc<dyn ItemSource> {
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
        fn next(&mut self) -> Result<Scanned, SourceError> {
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
