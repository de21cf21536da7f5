//! Bugs that people reported, found by exploring: `cargo run --example gallery` lists them, and
//! `cargo run --example gallery -- bb8-122` explores one and shows how it comes about.

mod bugs;

use bugs::{Bug, ALL};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] | ["-h" | "--help"] => {
            println!("usage: gallery <bug>   explores its forms and shows the witnesses");
            println!("       gallery --table prints the table of the gallery's README\n\nbugs:");
            for bug in ALL {
                println!("  {:<16}{}", bug.name, bug.url);
            }
        }
        ["--table"] => ALL.iter().for_each(|bug| print!("{}", bug.rows())),
        [name] => match ALL.iter().find(|bug| bug.name == name) {
            Some(bug) => show(bug),
            None => {
                eprintln!(
                    "no bug is called `{name}`; without arguments the gallery lists them all"
                );
                return ExitCode::from(2);
            }
        },
        _ => {
            eprintln!("one bug at a time; without arguments the gallery lists them all");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn show(bug: &Bug) {
    println!("{}\nreported: {}", bug.url, bug.reported);
    for form in bug.forms {
        let report = (form.explore)();
        println!("\n{}: {}, {} orderings", form.name, report.verdict, report.orderings);
        for violation in &report.violations {
            println!("\n{violation}");
        }
    }
}
