//! `cargo explore` as a user types it: the launcher, its builds, and the exit
//! status that comes back through all of them. What the explorer answers is
//! tested where it is built; here it is that the answer arrives.

use crate::build::{cargo, root, target, Engine};
use std::process::Output;

/// What is asked, the exit status, and what is said.
const ASKED: &[(&[&str], i32, &str)] = &[
    (&[RACE], 0, "2 threads, dpor, 2 orderings"),
    (&["--engine", "loom", RACE], 0, "2 threads, loom, 4 executions"),
    (&["--compare", RACE], 0, "dpor and loom agree: 2 outcomes"),
    (&["--engine=loom", "--compare=dfs,random", RACE], 2, "cannot be used with"),
    (&["shutdown | stream_requst(0)"], 2, "did you mean `stream_request`?"),
    (&["--system", "kv-engine@mb-37702", "mb-38521"], 1, "violated: no-dangling"),
    (&["--max-executions", "1", RACE], 3, "INCOMPLETE"),
    (&["--engine", "loom", "--max-executions", "1", "four-threads"], 3, "INCOMPLETE"),
    (&["--list"], 0, "shutdown-request"),
];

const RACE: &str = "shutdown | stream_request(0)";

/// Asks each of them; says at the end what was answered otherwise.
pub(crate) fn run() -> Result<(), String> {
    let mut wrong = Vec::new();
    for (arguments, status, said) in ASKED {
        let output = cargo(&root(), &target(), Engine::Std)
            .arg("explore")
            .args(*arguments)
            .output()
            .map_err(|error| format!("cargo does not start: {error}"))?;
        let text = text(&output);
        let good = output.status.code() == Some(*status) && text.contains(said);
        let answered = output.status.code().map_or("a signal".into(), |code| code.to_string());
        println!("cargo explore {arguments:?}: {answered}{}", if good { "" } else { ", WRONG" });
        if !good {
            wrong.push(format!("{arguments:?}: expected {status} and `{said}`\n{text}"));
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.join("\n")),
    }
}

/// Both of its streams.
fn text(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}
