//! A teardown that races requests: the figures are an independent optimal checker's, for the same
//! program in C.

use super::teardown::{
    self, Call,
    Call::{Backfill, Disconnect, Request, Shutdown},
};
use shuttle_dpor::{Explorer, Verdict};

fn orderings(calls: &'static [Call]) -> u64 {
    let report = Explorer::new().explore(move || teardown::run(calls));
    assert_eq!(report.verdict, Verdict::Complete);
    assert_eq!((report.blocked, report.executions), (0, report.orderings));
    report.orderings
}

#[test]
fn shutdown_and_a_request() {
    assert_eq!(orderings(&[Shutdown, Request(0)]), 3);
}

#[test]
fn shutdown_a_request_and_its_backfill() {
    assert_eq!(orderings(&[Shutdown, Request(0), Backfill]), 8);
}

#[test]
fn shutdown_disconnect_and_a_request() {
    assert_eq!(orderings(&[Shutdown, Disconnect, Request(0)]), 23);
}

#[test]
fn shutdown_disconnect_a_request_and_its_backfill() {
    assert_eq!(orderings(&[Shutdown, Disconnect, Request(0), Backfill]), 56);
}

#[test]
fn shutdown_disconnect_and_three_requests() {
    assert_eq!(orderings(&[Shutdown, Disconnect, Request(0), Request(1), Request(2)]), 753);
}
