//! The command line: `cargo run -- 'close | checkout'`.

use std::process::ExitCode;

fn main() -> ExitCode {
    own_crate::pool().command()
}
