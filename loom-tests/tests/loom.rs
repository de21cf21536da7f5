//! Every scenario of the core under loom, without a bound.
#![cfg(loom)]

use connmap_models::{engine, parse, systems};
use std::sync::Arc;

#[test]
fn all() {
    let system = systems::find("core").unwrap();
    let only = std::env::var("ONLY").unwrap_or_default();
    for scenario in parse::file(include_str!("../../models/scenarios.txt"), &*system).unwrap() {
        if !scenario.name.contains(&only) {
            continue;
        }
        let report = engine::loom::explore(&system, &Arc::new(scenario));
        println!(
            "{:30} {:8} {:?} {:?}",
            report.name, report.executions, report.elapsed, report.verdict
        );
        for outcome in &report.outcomes {
            println!("    {:6} {}", outcome.orderings, outcome.outcome);
        }
        for violation in &report.violations {
            println!("    !! {:?}", violation);
        }
        for missing in &report.missing {
            println!("    missing {missing}");
        }
    }
}
