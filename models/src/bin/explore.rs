//! `cargo explore`: asks what happens when these calls race.

use connmap_models::{history, systems};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    history::asked(&arguments).unwrap_or_else(|| orderings::command::main(systems::suite()))
}
