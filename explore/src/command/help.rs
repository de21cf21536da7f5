//! `--help`, from the tables of the options.

use super::args::{Engine, Format};
use super::options::{Opt, Takes, CHECK, GENERATED, OPTIONS, PAGES};
use crate::render::layout::{left, page, paint, width, wrap, BOLD};
use crate::suite::Suite;
use std::fmt::Write;

const BEGIN: &str = "\
Asks what happens when these calls race: explores every ordering of a scenario,
and says what the calls answered in how many of them.
";

const END: &str = "
Exit status: 0 complete, and all is as it should be; 1 something does not hold;
2 the question makes no sense, or its answer cannot be written; 3 not all was
explored, and what was found so far is nothing, or expected.

In a scenario file, `name: scenario` is followed by indented lines:
      # a sentence that says what it is about
      require call: answer; call: answer
      forbid call: answer
      means call: answer = what such an outcome means
      show call: answer
      expect violated NAME
In an answer `*` is any text; `call#2` is the second of several written alike.
";

/// The text of `--help`.
pub(super) fn help(suite: &Suite) -> String {
    let mut out = format!("{BEGIN}\nUsage: {} [OPTIONS] [SCENARIO]...\n", suite.command);
    heading(&mut out, "Arguments");
    let about = "Calls that race, or the name of a scenario. None: all scenarios";
    rows(&mut out, &[("[SCENARIO]...".to_owned(), about.to_owned())]);
    heading(&mut out, "Options");
    rows(&mut out, &OPTIONS.iter().map(row).collect::<Vec<_>>());
    heading(&mut out, "Engines");
    rows(&mut out, &named(Engine::NAMES));
    heading(&mut out, "Formats");
    rows(&mut out, &named(Format::NAMES));
    heading(&mut out, "Every small scenario");
    rows(&mut out, &GENERATED.iter().map(row).collect::<Vec<_>>());
    let own = suite.pages.iter().map(|page| Opt::page(page.option, page.meaning));
    let ledger = PAGES.iter().copied().filter(|_| suite.ledger.is_some());
    let pages: Vec<Opt> = ledger.chain(own).collect();
    if !pages.is_empty() {
        heading(&mut out, "Pages");
        let check = "Write nothing, and fail where the page has changed";
        let check = row(&Opt::page(CHECK, check));
        rows(&mut out, &pages.iter().map(row).chain([check]).collect::<Vec<_>>());
    }
    let separator = if suite.help.is_empty() { "" } else { "\n" };
    out + separator + &suite.help + END
}

fn heading(out: &mut String, text: &str) {
    let _ = writeln!(out, "\n{}", paint(BOLD, &format!("{text}:")));
}

/// An option as it is written, and its description.
fn row(opt: &Opt) -> (String, String) {
    let short = if opt.name == "help" { "-h, " } else { "" };
    let value = match opt.takes {
        Takes::Nothing => String::new(),
        Takes::Value(value) => format!(" {value}"),
        Takes::Perhaps(value) => format!("[={value}]"),
    };
    (format!("{short}--{}{value}", opt.name), opt.help.to_owned())
}

fn named<T>(names: &[(&'static str, T, &'static str)]) -> Vec<(String, String)> {
    names.iter().map(|(name, _, about)| ((*name).to_owned(), (*about).to_owned())).collect()
}

fn rows(out: &mut String, rows: &[(String, String)]) {
    let column = rows.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    for (name, about) in rows {
        let mut before = format!("  {}  ", left(name, column));
        for line in wrap(about, page().saturating_sub(column + 4).max(20), 0) {
            let _ = writeln!(out, "{before}{line}");
            before = " ".repeat(column + 4);
        }
    }
}
