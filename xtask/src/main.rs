//! The project's own commands, on std alone so that they build in a second.

mod ci;
mod mutants;
mod run;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  ci        run all of the project's checks: formatting, lints, documentation,
            and the tests under std, loom and shuttle
  mutants   break the core, one line at a time, and see each engine's scenarios
            fail; with names, only these mutants or engines
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let done = match command.as_deref() {
        Some("ci") => ci::run(&rest),
        Some("mutants") => mutants::run(&rest),
        Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            Ok(())
        }
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{}", message.trim_end());
            ExitCode::FAILURE
        }
    }
}
