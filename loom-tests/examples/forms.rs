//! Every scenario that FE, BD, BT and SV can form, up to four threads and so
//! many calls of FE's, on each system that is named: the figures that
//! `models/HISTORY.md` has as recorded.
//!
//! ```text
//! RUSTFLAGS="--cfg shuttle" cargo run --release --target-dir target/shuttle \
//!     -p connmap-loom-tests --example forms -- 1 600 kv-engine@mb-69075 core
//! ```
//!
//! The numbers are FE's calls, and how many seconds a scenario may take; one
//! that takes longer is incomplete, and counts as such. Each scenario, its
//! orderings, its seconds and what it violates go to standard error; the row of
//! the table goes to standard output.

#[cfg(not(shuttle))]
fn main() {
    println!("build it with RUSTFLAGS=\"--cfg shuttle\"");
}

#[cfg(shuttle)]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let numbers = arguments.iter().take(2).map_while(|number| number.parse::<u64>().ok());
    let &[calls, seconds] = &numbers.collect::<Vec<_>>()[..] else {
        eprintln!("forms CALLS SECONDS SYSTEM...");
        std::process::exit(2);
    };
    for name in &arguments[2..] {
        row::measure(name, calls as usize, std::time::Duration::from_secs(seconds));
    }
}

#[cfg(shuttle)]
mod row {
    use connmap_models::systems;
    use connmap_models::systems::kv_engine::forms::forms;
    use orderings::engine::{explore, Options};
    use orderings::report::Violation;
    use orderings::{parse, Report};
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    pub(super) fn measure(name: &str, calls: usize, limit: Duration) {
        let Some(system) = systems::find(name) else {
            eprintln!("{name}: no such system; cargo explore --list has them");
            std::process::exit(2);
        };
        let begin = Instant::now();
        let (mut complete, mut orderings, mut violated) = (0, 0, 0);
        // In how many scenarios.
        let mut violations: BTreeMap<String, u64> = BTreeMap::new();
        let all = forms(calls, 3);
        for form in &all {
            let scenario = parse::scenario(form, &*system).expect("a form is a scenario");
            let options = Options { max_time: Some(limit), ..Options::default() };
            let report =
                explore(&system, &Arc::new(scenario), &options).expect("this is the build for it");
            let whole = report.explored_all;
            let names = names(&report);
            eprintln!(
                "{name}\t{form}\t{}{}\t{:.1}\t{}",
                report.executions,
                if whole { "" } else { " INCOMPLETE" },
                report.elapsed.as_secs_f64(),
                details(&report)
            );
            complete += u64::from(whole);
            orderings += report.orderings.unwrap_or(0);
            violated += u64::from(!names.is_empty());
            for name in names {
                *violations.entry(name.to_owned()).or_default() += 1;
            }
        }
        let violations: Vec<String> =
            violations.iter().map(|(name, scenarios)| format!("{name} {scenarios}")).collect();
        println!(
            "| `{name}` | {orderings} | {complete} of {} | {violated} | {} | {} |",
            all.len(),
            violations.join(", "),
            begin.elapsed().as_secs()
        );
    }

    fn names(report: &Report) -> Vec<&str> {
        let mut names: Vec<_> = report.violations.iter().map(|v| v.invariant.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn details(report: &Report) -> String {
        let detail =
            |seen: &Violation| format!("{} in {}: {}", seen.invariant, seen.orderings, seen.detail);
        report.violations.iter().map(detail).collect::<Vec<_>>().join("; ")
    }
}
