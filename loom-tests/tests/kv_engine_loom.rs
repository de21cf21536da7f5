//! The tickets under loom, as far as nothing in them deadlocks (loom aborts
//! the process there): it finds the same invariants broken, and the same held.
#![cfg(loom)]

use connmap_models::engine::{explore, Options, Strategy};
use connmap_models::systems::kv_engine::tickets::{SCENARIOS, TICKETS};
use connmap_models::systems::kv_engine::PREFIX;
use connmap_models::{parse, systems, Invariant, Report, Verdict};
use std::sync::Arc;

fn report(name: &str, protocol: &str) -> Report {
    let system = systems::find(&format!("{PREFIX}{protocol}")).unwrap();
    let all = parse::file(SCENARIOS, &*system).unwrap();
    let scenario = Arc::new(all.into_iter().find(|scenario| scenario.name == name).unwrap());
    let options = Options { strategy: Strategy::Loom, ..Options::default() };
    let report = explore(&system, &scenario, &options).unwrap();
    assert!(!matches!(report.verdict, Verdict::Incomplete(_)), "{name} on {protocol}");
    report
}

#[test]
fn tickets() {
    for ticket in TICKETS {
        // loom needs 281,139 and 95,004 executions for MB-19428, where the
        // optimal explorer needs 24 and 19.
        if ticket.breaks == Invariant::NoDeadlock || ticket.scenario == "mb-19428" {
            continue;
        }
        let before = report(ticket.scenario, ticket.before);
        let after = report(ticket.scenario, ticket.after);
        let broken =
            |report: &Report| report.violations.iter().any(|v| v.invariant == ticket.breaks);
        println!("{:20} {:7} {:7}", ticket.name, before.executions, after.executions);
        assert!(broken(&before), "{}: {} holds", ticket.name, ticket.before);
        assert!(!broken(&after), "{}: {} breaks", ticket.name, ticket.after);
    }
}
