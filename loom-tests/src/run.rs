//! Runs trials as cargo's own test runner would, one after another: an engine that
//! is timed shares its processor with nothing. Beside its name each says what it
//! explored, and all that have failed are named at the end.
//!
//! A crate for this exists, and brings a command line with it that takes longer to
//! compile, in each engine's build, than all that is needed of it here.

use lexopt::{Arg, Parser};
use serde_json::{json, Value};
use std::any::Any;
use std::error::Error;
use std::io::{self, Write};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::process::ExitCode;
use std::time::Instant;

/// What a trial found wrong, with the figures of what it explored until then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failed {
    /// What was explored, on a line.
    pub figures: String,
    /// What is wrong, in full.
    pub said: String,
}

impl<T: Into<String>> From<T> for Failed {
    fn from(said: T) -> Self {
        Failed { figures: String::new(), said: said.into() }
    }
}

/// A test by name, which says what it explored.
pub struct Trial {
    name: String,
    run: Box<dyn FnOnce() -> Result<String, Failed>>,
}

impl Trial {
    /// One of this name.
    pub fn new(
        name: impl Into<String>,
        run: impl FnOnce() -> Result<String, Failed> + 'static,
    ) -> Self {
        Trial { name: name.into(), run: Box::new(run) }
    }
}

/// What is asked of the runner, in the words of cargo's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Asked {
    filters: Vec<String>,
    skip: Vec<String>,
    exact: bool,
    list: bool,
    /// Only those that are ignored, which none is.
    ignored: bool,
    json: bool,
}

impl Asked {
    fn read(mut parser: Parser) -> Result<Asked, lexopt::Error> {
        let mut asked = Asked::default();
        while let Some(word) = parser.next()? {
            match word {
                Arg::Value(filter) => asked.filters.push(filter.to_string_lossy().into_owned()),
                Arg::Long("skip") => {
                    asked.skip.push(parser.value()?.to_string_lossy().into_owned());
                }
                Arg::Long("exact") => asked.exact = true,
                Arg::Long("list") => asked.list = true,
                Arg::Long("ignored") => asked.ignored = true,
                Arg::Long("format") => asked.json = parser.value()? == "json",
                // There is one thread, and nothing is captured.
                Arg::Long("test-threads" | "color" | "logfile") | Arg::Short('Z') => {
                    parser.value()?;
                }
                Arg::Long(
                    "nocapture" | "no-capture" | "show-output" | "include-ignored" | "quiet"
                    | "test" | "report-time",
                )
                | Arg::Short('q') => {}
                other => return Err(other.unexpected()),
            }
        }
        Ok(asked)
    }

    fn wants(&self, name: &str) -> bool {
        let is = |filter: &String| match self.exact {
            true => name == filter,
            false => name.contains(filter.as_str()),
        };
        (self.filters.is_empty() || self.filters.iter().any(is)) && !self.skip.iter().any(is)
    }
}

/// Runs those that the command line asks for.
pub fn run(trials: Vec<Trial>) -> ExitCode {
    let done = Asked::read(Parser::from_env())
        .map_err(Box::<dyn Error>::from)
        .and_then(|asked| Ok(run_to(&mut io::stdout(), &asked, trials)?));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(101),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(101)
        }
    }
}

/// Whether all that ran have passed.
fn run_to(out: &mut impl Write, asked: &Asked, mut trials: Vec<Trial>) -> io::Result<bool> {
    let all = trials.len();
    trials.retain(|trial| asked.wants(&trial.name) && !asked.ignored);
    if asked.list {
        trials.iter().try_for_each(|trial| writeln!(out, "{}: test", trial.name))?;
        return Ok(true);
    }
    let filtered = all - trials.len();
    let widest = trials.iter().map(|trial| trial.name.chars().count()).max().unwrap_or(0);
    let mut reporter = Reporter { out, json: asked.json, widest };
    reporter.begin(trials.len())?;
    let (begin, mut passed) = (Instant::now(), 0);
    let mut failed: Vec<(String, Failed)> = Vec::new();
    for Trial { name, run } in trials {
        reporter.started(&name)?;
        let begin = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(said(panic)));
        reporter.ended(&name, &result, begin)?;
        match result {
            Ok(_) => passed += 1,
            Err(wrong) => failed.push((name, wrong)),
        }
    }
    reporter.end(passed, &failed, filtered, begin)?;
    Ok(failed.is_empty())
}

/// What a panic said.
fn said(panic: Box<dyn Any + Send>) -> Failed {
    match panic.downcast::<String>() {
        Ok(said) => (*said).into(),
        Err(panic) => panic.downcast_ref().copied().unwrap_or("a panic without a text").into(),
    }
}

/// Says it: to people, or as one object to a line, as cargo's runner does.
struct Reporter<'a, W> {
    out: &'a mut W,
    json: bool,
    widest: usize,
}

impl<W: Write> Reporter<'_, W> {
    fn event(&mut self, event: &Value) -> io::Result<()> {
        writeln!(self.out, "{event}")
    }

    fn begin(&mut self, count: usize) -> io::Result<()> {
        match self.json {
            true => self.event(&json!({"type": "suite", "event": "started", "test_count": count})),
            false => writeln!(self.out, "\nrunning {count} test{}", plural(count)),
        }
    }

    fn started(&mut self, name: &str) -> io::Result<()> {
        if self.json {
            return self.event(&json!({"type": "test", "event": "started", "name": name}));
        }
        write!(self.out, "test {name:widest$} ... ", widest = self.widest)?;
        self.out.flush()
    }

    fn ended(
        &mut self,
        name: &str,
        result: &Result<String, Failed>,
        begin: Instant,
    ) -> io::Result<()> {
        if self.json {
            let (event, stdout) = match result {
                Ok(figures) => ("ok", figures.clone()),
                Err(failed) => ("failed", format!("{}\n{}", failed.figures, failed.said)),
            };
            let time = begin.elapsed().as_secs_f64();
            return self.event(&json!({
                "type": "test", "event": event, "name": name, "exec_time": time, "stdout": stdout
            }));
        }
        let (figures, word) = match result {
            Ok(figures) => (figures, "ok"),
            Err(failed) => (&failed.figures, "FAILED"),
        };
        let separator = if figures.is_empty() { "" } else { " ... " };
        writeln!(self.out, "{figures}{separator}{word}")
    }

    fn end(
        &mut self,
        passed: usize,
        failed: &[(String, Failed)],
        filtered: usize,
        begin: Instant,
    ) -> io::Result<()> {
        let time = begin.elapsed().as_secs_f64();
        if self.json {
            return self.event(&json!({
                "type": "suite", "event": if failed.is_empty() { "ok" } else { "failed" },
                "passed": passed, "failed": failed.len(), "ignored": 0, "measured": 0,
                "filtered_out": filtered, "exec_time": time
            }));
        }
        if !failed.is_empty() {
            writeln!(self.out, "\nfailures:")?;
            for (name, wrong) in failed {
                writeln!(self.out, "\n---- {name} ----\n{}", wrong.said.trim_end())?;
            }
            writeln!(self.out, "\nfailures:")?;
            failed.iter().try_for_each(|(name, _)| writeln!(self.out, "    {name}"))?;
        }
        let word = if failed.is_empty() { "ok" } else { "FAILED" };
        writeln!(
            self.out,
            "\ntest result: {word}. {passed} passed; {} failed; 0 ignored; 0 measured; \
             {filtered} filtered out; finished in {time:.2}s\n",
            failed.len()
        )
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 {
        ""
    } else {
        "s"
    }
}

#[cfg(test)]
mod tests {
    use super::{run_to, Asked, Failed, Trial};
    use lexopt::Parser;
    use serde_json::Value;

    fn trials() -> Vec<Trial> {
        let wrong = Failed { figures: "3 executions".into(), said: "a table\nan ordering".into() };
        vec![
            Trial::new("one", || Ok("2 executions".into())),
            Trial::new("two", || Err(wrong)),
            Trial::new("three", || panic!("by accident")),
        ]
    }

    /// What is printed, and whether all have passed.
    fn ran(arguments: &[&str], trials: Vec<Trial>) -> (String, bool) {
        let asked = Asked::read(Parser::from_args(arguments)).expect("they are known");
        let mut out = Vec::new();
        let passed = run_to(&mut out, &asked, trials).expect("it is written");
        (String::from_utf8(out).expect("it is text"), passed)
    }

    #[test]
    fn what_has_failed_is_named_at_the_end() {
        let (text, passed) = ran(&[], trials());
        assert!(!passed);
        assert!(text.contains("test one   ... 2 executions ... ok\n"), "{text}");
        assert!(text.contains("test two   ... 3 executions ... FAILED\n"), "{text}");
        let (_, shown) = text.split_once("failures:\n\n---- two ----\na table\n").expect(&text);
        let (_, end) = shown.split_once("\nfailures:\n").expect(&text);
        let names = "    two\n    three\n\ntest result: FAILED. 1 passed; 2 failed;";
        assert!(end.starts_with(names), "{text}");
        assert!(ran(&["one"], trials()).1);
    }

    #[test]
    fn every_line_of_json_is_an_object() {
        let (text, _) = ran(&["--format", "json", "-Z", "unstable-options"], trials());
        let events: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        let of = |kind: &str| events.iter().filter(|event| event["event"] == kind).count();
        // The suite's and each trial's.
        assert_eq!((of("started"), of("ok"), of("failed")), (4, 1, 3));
    }

    #[test]
    fn what_is_asked_for_runs() {
        let list = |arguments: &[&str]| ran(&[&["--list"], arguments].concat(), trials()).0;
        assert_eq!(list(&[]), "one: test\ntwo: test\nthree: test\n");
        assert_eq!(list(&["t", "--skip", "two"]), "three: test\n");
        assert_eq!(list(&["one", "--exact"]), "one: test\n");
        assert_eq!(list(&["on", "--exact"]), "");
        assert_eq!(list(&["--format", "terse", "--ignored"]), "");
        assert!(Asked::read(Parser::from_args(["--no-such-option"])).is_err());
    }
}
