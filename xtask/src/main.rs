//! The project's own commands, on std alone so that they build in a second.

mod asked;
mod build;
mod ci;
mod explore;
mod instructions;
mod kept;
mod mutants;
mod own;
mod peers;
mod universe;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  ci        run all of the project's checks: formatting, lints, documentation,
            and the tests under std, loom and shuttle; with names, only these
  mutants   make each of the mistakes in xtask/src/mutants/core/ in a copy of the
            core, and say which check sees it: shuttle-dpor's scenarios, generated
            ones, loom's, the native tests; with names, only these: dpor,
            generated, loom, std, or mutants; --part K/N: each N-th mutant, from the
            K-th. --matrix writes models/MUTANTS.md; --check runs what it says of
            shuttle-dpor's scenarios. What was found counts until a source changes,
            so that a run that was cut off goes on; --minutes N: begin none after
            so long. --cargo-mutants makes those that cargo-mutants lists, where it
            is installed, or those whose names contain the texts behind it; explorer
            makes those of xtask/src/mutants/explorer/ in the explorer and runs its
            tests: --matrix writes dpor/MUTANTS.md, and --check runs for each the test
            that it names
  universe  explore every generated scenario, to the end, in a hundred parts: what
            is through counts until a source changes, so that it can be interrupted;
            with a number, for so many minutes
  peers     run other people's loom tests with loom and with dpor/loom, and print
            a table; with names, only these crates
  asked     ask `cargo explore` what it must answer, and see its exit status
  instructions  count, where valgrind is at hand, what one connection costs the
            core beside few others and many; and what an execution of the explorer
            costs, which dpor/instructions.txt has and --write writes there
  own-crate test, run, generate and replay in examples/own-crate, as its owner would
  explore   what `cargo explore` runs; see cargo explore --help
";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let command = arguments.next();
    let command = command.as_deref().and_then(|name| name.to_str());
    if command == Some("explore") {
        return explore::run(arguments.collect());
    }
    let names: Vec<String> =
        arguments.map(|argument| argument.to_string_lossy().into_owned()).collect();
    let done = match command {
        Some("asked") => asked::run(),
        Some("own-crate") => own::run(),
        Some("instructions") => instructions::run(&names),
        Some("ci") => ci::run(&names),
        Some("peers") => peers::run(&names),
        Some("universe") => universe::run(&names),
        Some("mutants") => mutants::run(&names),
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
