//! `cargo explore`: asks what happens when these calls race.

use connmap_models::systems;
use std::process::ExitCode;

fn main() -> ExitCode {
    orderings::command::main(systems::suite())
}
