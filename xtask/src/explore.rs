//! `cargo explore`: which builds it needs, and the explorer started in them.

use crate::build::{explorer, Engine, NOT_BUILT};
use std::ffi::OsString;
use std::process::{Command, ExitCode};

/// Where the explorer finds itself as built for loom, when it needs both.
const LOOM_EXPLORER: &str = "ORDERINGS_LOOM";

pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    let needs = Needs::of(&arguments);
    let binary = match explorer(if needs.loom_only { Engine::Loom } else { Engine::Shuttle }) {
        Ok(binary) => binary,
        Err(status) => return status,
    };
    let mut command = Command::new(binary);
    command.args(arguments);
    if needs.loom_too {
        match explorer(Engine::Loom) {
            Ok(loom) => command.env(LOOM_EXPLORER, loom),
            Err(status) => return status,
        };
    }
    become_it(command)
}

/// Which builds the arguments ask for. The explorer itself reads them properly
/// and complains where they are wrong; what matters here is only the engine.
#[derive(Debug, Default, PartialEq, Eq)]
struct Needs {
    loom_only: bool,
    loom_too: bool,
}

impl Needs {
    fn of(arguments: &[OsString]) -> Needs {
        let mut needs = Needs::default();
        let mut previous = "";
        for argument in arguments.iter().filter_map(|argument| argument.to_str()) {
            if argument == "--" {
                break;
            }
            if previous == "--engine" || argument.starts_with("--engine=") {
                needs.loom_only = argument.trim_start_matches("--engine=") == "loom";
            }
            needs.loom_too |= match argument.strip_prefix("--compare=") {
                Some(engines) => engines.split(',').any(|engine| engine.trim() == "loom"),
                None => argument == "--compare" || argument == "--ledger",
            };
            previous = argument;
        }
        needs.loom_only &= !needs.loom_too;
        needs
    }
}

/// Runs it in this process's place, so that its exit status and whatever signal
/// the terminal sends are its own.
#[cfg(unix)]
fn become_it(mut command: Command) -> ExitCode {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    eprintln!("the explorer does not start: {error}");
    ExitCode::from(NOT_BUILT)
}

#[cfg(not(unix))]
fn become_it(mut command: Command) -> ExitCode {
    match command.status() {
        Ok(status) => ExitCode::from(status.code().unwrap_or(1) as u8),
        Err(error) => {
            eprintln!("the explorer does not start: {error}");
            ExitCode::from(NOT_BUILT)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Needs;

    fn needs(arguments: &str) -> (bool, bool) {
        let arguments: Vec<_> = arguments.split(' ').map(Into::into).collect();
        let needs = Needs::of(&arguments);
        (needs.loom_only, needs.loom_too)
    }

    #[test]
    fn the_engine_chooses_the_build() {
        assert_eq!(needs("shutdown"), (false, false));
        assert_eq!(needs("--engine loom shutdown"), (true, false));
        assert_eq!(needs("--engine=loom"), (true, false));
        assert_eq!(needs("--engine dfs -- --engine loom"), (false, false));
        assert_eq!(needs("--compare"), (false, true));
        assert_eq!(needs("--compare=dpor,dfs"), (false, false));
        assert_eq!(needs("--compare=dpor,loom"), (false, true));
        assert_eq!(needs("--ledger --check"), (false, true));
    }
}
