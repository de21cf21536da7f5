//! A number of executions of a teardown with four requests (six threads), for a profiler that counts
//! instructions; `cargo xtask instructions` says how many one costs.
//!
//! ```text
//! valgrind --tool=callgrind target/release/examples/instructions 1100
//! ```

mod prims {
    pub(crate) use shuttle_dpor::{sync, thread};
}

#[path = "../tests/support/teardown.rs"]
mod teardown;

use shuttle_dpor::Explorer;
use teardown::Call::{Backfill, Disconnect, Request, Shutdown};

fn main() {
    let executions = std::env::args().nth(1).and_then(|n| n.parse().ok());
    let executions = executions.expect("how many executions?");
    // The watchdog's thread would be counted, too.
    let explorer = Explorer::new().max_executions(executions).watchdog(None);
    let report = explorer.check(|| {
        teardown::run(&[Shutdown, Disconnect, Request(0), Request(1), Request(2), Request(3)]);
    });
    assert_eq!(report.executions, executions);
    // What the teardown can do beside that.
    let _ = Backfill;
}
