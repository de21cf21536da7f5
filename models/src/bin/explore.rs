//! `cargo explore`: asks what happens when these calls race.

use std::process::ExitCode;

fn main() -> ExitCode {
    connmap_models::tool::main()
}
