//! Each ticket breaks the protocol from before its repair, and not the one
//! with it, in the same scenario; the findings are there; the core holds.
#![cfg(shuttle)]

use connmap_models::engine::{explore, Options};
use connmap_models::systems::kv_engine::tickets::{FINDINGS, SCENARIOS, TICKETS};
use connmap_models::systems::kv_engine::{era::ERAS, PREFIX};
use connmap_models::{parse, systems, Invariant, Report, Scenario, Verdict};
use std::sync::Arc;

fn scenario(name: &str, system: &str) -> Arc<Scenario> {
    let system = systems::find(system).unwrap();
    let all = parse::file(SCENARIOS, &*system).unwrap();
    Arc::new(all.into_iter().find(|scenario| scenario.name == name).unwrap())
}

fn report(name: &str, protocol: &str) -> Report {
    let protocol = format!("{PREFIX}{protocol}");
    let scenario = scenario(name, &protocol);
    explored(&protocol, &scenario)
}

fn explored(system: &str, scenario: &Arc<Scenario>) -> Report {
    let report = explore(&systems::find(system).unwrap(), scenario, &Options::default()).unwrap();
    assert!(!matches!(report.verdict, Verdict::Incomplete(_)), "{} on {system}", scenario.name);
    report
}

/// In how many orderings.
fn broken(report: &Report, invariant: Invariant) -> u64 {
    let of = report.violations.iter().filter(|seen| seen.invariant == invariant);
    of.map(|seen| seen.orderings).sum()
}

#[test]
fn tickets() {
    for ticket in TICKETS {
        let before = report(ticket.scenario, ticket.before);
        let after = report(ticket.scenario, ticket.after);
        let (breaks, left) = (broken(&before, ticket.breaks), broken(&after, ticket.breaks));
        println!(
            "{:20} {:20} {:20} {breaks:4} of {:4}   {:10} {left:4} of {:4}",
            ticket.name,
            ticket.breaks,
            ticket.before,
            before.executions,
            ticket.after,
            after.executions
        );
        assert!(breaks > 0, "{}: {} holds", ticket.name, ticket.before);
        assert_eq!(left, 0, "{}: {} breaks", ticket.name, ticket.after);
        if !ticket.outcome.is_empty() {
            let clauses: Vec<(String, String)> = ticket
                .outcome
                .split("; ")
                .map(|clause| clause.split_once(": ").unwrap())
                .map(|(call, answer)| (call.to_owned(), answer.to_owned()))
                .collect();
            let seen = before.outcomes.iter().any(|outcome| {
                clauses.iter().all(|clause| outcome.outcome.0.iter().flatten().any(|s| s == clause))
            });
            assert!(seen, "{}: never {}", ticket.name, ticket.outcome);
        }
    }
}

#[test]
fn findings() {
    for finding in FINDINGS {
        for (era, name, _) in ERAS {
            let found = broken(&report(finding.scenario, name), finding.breaks);
            println!("{:28} {:16} {name:16} {found}", finding.scenario, finding.breaks);
            let first = ERAS.iter().find(|(_, name, _)| *name == finding.since).unwrap().0;
            if *era >= first {
                assert!(found > 0, "{} holds on {name}", finding.scenario);
            }
        }
    }
}

#[test]
fn the_core_holds() {
    let core = systems::find("core").unwrap();
    for scenario in parse::file(SCENARIOS, &*core).unwrap() {
        let scenario = Arc::new(scenario);
        let report = explored("core", &scenario);
        println!("{:28} {:5} {:?}", scenario.name, report.executions, report.verdict);
        assert!(report.violations.is_empty(), "{report:?}");
    }
}
