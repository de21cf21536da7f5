//! Each ticket breaks the protocol from before its repair, and not the one
//! with it, in the same scenario; the findings are there; the core holds.
#![cfg(shuttle)]

use connmap_models::systems::kv_engine::tickets::{FINDINGS, SCENARIOS, TICKETS};
use connmap_models::systems::kv_engine::{era::ERAS, PREFIX};
use connmap_models::{systems, Invariant};
use orderings::engine::{explore, Options};
use orderings::{parse, Outcome, Report, Scenario, Verdict};
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
    assert_ne!(report.verdict, Verdict::Incomplete, "{} on {system}", scenario.name);
    report
}

/// In how many orderings.
fn broken(report: &Report, invariant: Invariant) -> u64 {
    let of = report.violations.iter().filter(|seen| seen.invariant == invariant.name());
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
            ticket.breaks.name(),
            ticket.before,
            before.executions,
            ticket.after,
            after.executions
        );
        assert!(breaks > 0, "{}: {} holds", ticket.name, ticket.before);
        assert_eq!(left, 0, "{}: {} breaks", ticket.name, ticket.after);
        assert!(seen(&before, ticket.outcome), "{}: never {}", ticket.name, ticket.outcome);
    }
}

/// Whether some ordering answered so.
fn seen(report: &Report, outcome: &str) -> bool {
    let clause = |clause: &str| {
        let (call, answer) = clause.split_once(": ").unwrap();
        (call.to_owned(), answer.to_owned())
    };
    let clauses: Vec<_> =
        outcome.split("; ").filter(|clause| !clause.is_empty()).map(clause).collect();
    let all = |outcome: &Outcome| {
        clauses.iter().all(|(call, answer)| {
            outcome.answers.iter().any(|seen| seen.text() == *call && *seen.answer == **answer)
        })
    };
    clauses.is_empty() || report.outcomes.iter().any(|outcome| all(&outcome.outcome))
}

/// The place of an era.
fn at(name: &str) -> usize {
    ERAS.iter().position(|(_, era, _)| *era == name).unwrap()
}

#[test]
fn findings() {
    for finding in FINDINGS {
        let until = finding.until.map_or(ERAS.len(), at);
        for (place, (_, name, _)) in ERAS.iter().enumerate() {
            let report = report(finding.scenario, name);
            let times = broken(&report, finding.breaks);
            let found = times > 0 && seen(&report, finding.outcome);
            println!(
                "{:28} {:18} {name:16} {times:4} of {:4} {found}",
                finding.scenario,
                finding.breaks.name(),
                report.executions
            );
            // An older protocol may break the same in other ways.
            if place >= at(finding.since) {
                assert_eq!(found, place < until, "{} on {name}", finding.scenario);
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
