//! The project's own commands, on std alone so that they compile in a second.
//!
//! - `cargo explore ARGS`: builds the explorer for the engine it needs, and runs it

mod build;
mod explore;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next().as_deref().and_then(|name| name.to_str()) {
        Some("explore") => explore::run(arguments.collect()),
        _ => {
            eprintln!("usage: cargo explore [ARGS]   (cargo explore --help says more)");
            ExitCode::from(2)
        }
    }
}
