//! The tickets under loom: it finds the same invariants broken, the same held,
//! and the same deadlocks.
#![cfg(loom)]

use connmap_loom_tests::judge;
use connmap_models::systems::kv_engine::tickets::{Ticket, SCENARIOS, TICKETS};
use connmap_models::systems::kv_engine::PREFIX;
use connmap_models::{systems, Invariant};
use orderings::engine::{explore, Options, Strategy};
use orderings::{parse, Report, Verdict};
use std::env;
use std::process::Command;
use std::sync::Arc;

fn report(name: &str, protocol: &str) -> Report {
    let system = systems::find(&format!("{PREFIX}{protocol}")).unwrap();
    let all = parse::file(SCENARIOS, &*system).unwrap();
    let scenario = Arc::new(all.into_iter().find(|scenario| scenario.name == name).unwrap());
    let options = Options { strategy: Strategy::Loom, ..Options::default() };
    let report = explore(&system, &scenario, &options).unwrap();
    assert_ne!(report.verdict, Verdict::Incomplete, "{name} on {protocol}");
    report
}

#[test]
fn tickets() {
    let others = TICKETS.iter().filter(|ticket| ticket.breaks != Invariant::NoDeadlock);
    for ticket in others {
        let before = report(ticket.scenario, ticket.before);
        let after = report(ticket.scenario, ticket.after);
        let broken =
            |report: &Report| report.violations.iter().any(|v| v.invariant == ticket.breaks.name());
        println!("{:20} {:7} {:7}", ticket.name, before.executions, after.executions);
        assert!(broken(&before), "{}: {} holds", ticket.name, ticket.before);
        assert!(!broken(&after), "{}: {} breaks", ticket.name, ticket.after);
    }
}

/// Names the ticket that `one_deadlock` explores.
const CHILD: &str = "CONNMAP_LOOM_DEADLOCK";

fn deadlocks() -> impl Iterator<Item = &'static Ticket> {
    TICKETS.iter().filter(|ticket| ticket.breaks == Invariant::NoDeadlock)
}

/// loom panics at a deadlock, and a destructor's panic then ends the process:
/// so each has its own.
#[test]
fn deadlock_tickets() {
    for ticket in deadlocks() {
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "one_deadlock", "--nocapture"])
            .env(CHILD, ticket.name)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stderr);
        assert!(!child.status.success(), "{}: {} holds", ticket.name, ticket.before);
        assert!(said.contains("deadlock; threads"), "{}: {said}", ticket.name);
        let after = report(ticket.scenario, ticket.after);
        println!("{:20} deadlock {:7}", ticket.name, after.executions);
    }
}

/// What a child of `deadlock_tickets` runs; in any other process, nothing.
#[test]
fn one_deadlock() {
    let Ok(name) = env::var(CHILD) else { return };
    let ticket = deadlocks().find(|ticket| ticket.name == name).unwrap();
    report(ticket.scenario, ticket.before);
}

/// What a test of the loom build says of a system that is broken: loom's table, and
/// the ordering and the command, which loom does not know.
#[test]
fn a_failure_has_an_ordering_and_the_command() {
    let name = "kv-engine@before-mb-37702";
    let race = "shutdown | stream_request(0); disconnect";
    let system = systems::find(name).unwrap();
    let scenario = Arc::new(parse::scenario(race, &*system).unwrap());
    let options = Options { strategy: Strategy::Loom, ..Options::default() };
    let report = explore(&system, &scenario, &options).unwrap();
    let failed = judge(&report, &system, &scenario).expect_err("it is broken");
    let said = failed.said;
    assert!(said.contains("2 threads, loom,") && said.contains("violated: no-dangling"), "{said}");
    assert!(said.contains("2 threads, dpor,") && said.contains("CRASH: "), "{said}");
    assert!(said.contains("manager.rs:"), "{said}");
    let command = format!("cargo explore --system {name} '{race}'");
    assert!(said.contains(&format!("the same, and an ordering: {command}\n")), "{said}");
    assert!(said.contains(&format!("again: {command} --replay dpor-")), "{said}");
}
