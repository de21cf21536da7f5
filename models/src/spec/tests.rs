//! Histories written by hand: some that an order explains, and some that none does.

use super::calls::Rules;
use super::{Checker, Limits};
use crate::log::Log;
use crate::scenario::{Call, CallId, Scenario};
use crate::systems::core::Core;
use orderings::linear::{History, Rested};
use std::sync::Arc;

fn scenario(text: &str) -> Arc<Scenario> {
    Arc::new(orderings::parse::scenario(text, &Core).expect("a scenario"))
}

/// Events in the order of real time: `1.0` is the begin of the first call of
/// thread 1 (the prologue is 0), `1.0 = answer` its return, with `@ 0.0` when the
/// answer is about the stream of that request, and `1.0 ended status` a report on
/// the stream that `1.0` requested.
fn log(events: &[&str]) -> Log {
    let log = Log::default();
    for event in events {
        let (id, what) = event.split_once(' ').unwrap_or((event, ""));
        let (thread, index) = id.split_once('.').expect("thread.index");
        let id = CallId { thread: thread.parse().unwrap(), index: index.parse().unwrap() };
        match what.split_once(' ') {
            None => log.begin(id),
            Some(("=", answer)) => {
                let (answer, stream) = answer.split_once(" @ ").unwrap_or((answer, ""));
                log.end(id, answer.into());
                if let Some((thread, index)) = stream.split_once('.') {
                    let (thread, index) = (thread.parse().unwrap(), index.parse().unwrap());
                    log.concerns(id, CallId { thread, index });
                }
            }
            Some(("ended", status)) => crate::systems::vocabulary::stream_ended(&log, id, status),
            _ => panic!("{event}: no event"),
        }
    }
    log
}

fn history(scenario: &Scenario, events: &[&str]) -> History {
    History::of(scenario, &log(events)).expect("every call returns")
}

fn check_within(limits: Limits, text: &str, events: &[&str]) -> Result<(), String> {
    let scenario = scenario(text);
    let mut checker = Checker::new(Rules::new(&scenario, limits));
    checker.check(&history(&scenario, events)).map_err(|why| why.to_string())
}

fn check(text: &str, events: &[&str]) -> Result<(), String> {
    check_within(Limits::default(), text, events)
}

fn refused(text: &str, events: &[&str]) -> String {
    check(text, events).expect_err("nothing explains this")
}

const RACE: &str = "shutdown | stream_request(0)";

#[test]
fn either_order_of_a_race_is_explained() {
    let accepted = ["1.0", "2.0", "2.0 = accepted", "1.0 = done", "2.0 ended disconnected"];
    assert_eq!(check(RACE, &accepted), Ok(()));
    let refused = ["1.0", "2.0", "1.0 = done", "2.0 = map shut down"];
    assert_eq!(check(RACE, &refused), Ok(()));
}

#[test]
fn real_time_is_respected() {
    let late = ["1.0", "1.0 = done", "2.0", "2.0 = accepted", "2.0 ended disconnected"];
    assert_eq!(
        refused(RACE, &late),
        "no order explains the answers: after shutdown: done, \
         stream_request(0) would answer \"map shut down\" and not \"accepted\""
    );
    let early = ["2.0", "2.0 = map shut down", "1.0", "1.0 = done"];
    assert!(refused(RACE, &early).contains("would answer \"accepted\""));
}

#[test]
fn an_end_that_nobody_reported_is_missed() {
    let lost = ["1.0", "2.0", "2.0 = accepted", "1.0 = done"];
    assert_eq!(
        refused(RACE, &lost),
        "no order explains the answers: after shutdown: done, \
         stream_request(0) would answer \"map shut down\" and not \"accepted\"; \
         or after stream_request(0): accepted, \
         ended disconnected would be heard of stream_request(0), and nothing was"
    );
}

#[test]
fn an_end_too_many_or_another_is_noticed() {
    let mut events = vec!["1.0", "2.0", "2.0 = accepted", "1.0 = done"];
    events.extend(["2.0 ended disconnected", "2.0 ended disconnected"]);
    assert!(refused(RACE, &events).contains("something would not be heard"));
    events.truncate(4);
    events.push("2.0 ended closed");
    assert!(refused(RACE, &events).contains("heard of stream_request(0), and ended closed"));
}

#[test]
fn two_accepted_requests_on_one_vb_are_not_explained() {
    let text = "stream_request(0) | stream_request(0)";
    let both = ["1.0", "2.0", "1.0 = accepted", "2.0 = accepted"];
    assert!(refused(text, &both).contains("would answer \"stream exists\""));
    let one = ["1.0", "2.0", "1.0 = accepted", "2.0 = stream exists"];
    assert_eq!(check(text, &one), Ok(()));
}

#[test]
fn a_shutdown_closes_one_connection_after_the_other() {
    let text = "shutdown | a.stream_request(0); b.stream_request(0)";
    let events = |a, b, ended| {
        ["1.0", "2.0", a, "2.1", b, ended, "1.0 = done"].map(|event: &'static str| event)
    };
    let between = events("2.0 = map shut down", "2.1 = accepted", "2.1 ended disconnected");
    assert_eq!(check(text, &between), Ok(()));
    // Here the shutdown closes both connections between the two requests.
    let text = "shutdown | b.stream_request(0); a.stream_request(0)";
    let backwards = events("2.0 = accepted", "2.1 = map shut down", "2.0 ended disconnected");
    assert_eq!(check(text, &backwards), Ok(()));
    // But it never closes b, the second connection, before a.
    let text = "shutdown | a.lookup; b.stream_request(0); a.stream_request(0)";
    let against = [
        "1.0",
        "2.0",
        "2.0 = found",
        "2.1",
        "2.1 = map shut down",
        "2.2",
        "2.2 = accepted",
        "1.0 = done",
        "2.2 ended disconnected",
    ];
    assert!(refused(text, &against).contains("would answer \"map shut down\""));
}

#[test]
fn a_disconnect_finds_its_connection_during_a_shutdown() {
    // A connection stays in the map while the shutdown closes it and others.
    let text = "shutdown | a.stream_request(0); b.disconnect; b.step";
    let events = [
        "1.0",
        "2.0",
        "2.0 = map shut down",
        "2.1",
        "2.1 = no such connection",
        "2.2",
        "2.2 = disconnect, shut down",
        "1.0 = done",
    ];
    assert!(refused(text, &events).contains("b.disconnect would answer \"done\""));
}

#[test]
fn a_worker_is_several_steps() {
    let text = "{ stream_request(0) } run_backfill | step; step; close_stream(0)";
    let start = ["0.0", "0.0 = accepted", "1.0", "2.0"];
    let rest = ["2.1", "2.1 = item 1 @ 0.0", "2.2", "2.2 = closed", "1.0 = ran"];
    let between = [&start[..], &["2.0 = marker 1..1 from disk @ 0.0"], &rest].concat();
    assert_eq!(check(text, &between), Ok(()));
    let another = [&start[..], &["2.0 = marker 1..2 from disk @ 0.0"], &rest].concat();
    assert!(refused(text, &another).contains("step would answer \"marker 1..1 from disk\""));
    // Once the worker has returned, the item is there.
    let text = "{ stream_request(0) } run_backfill | step; step";
    let late =
        [&start[..], &["2.0 = marker 1..1 from disk @ 0.0", "1.0 = ran", "2.1", "2.1 = idle"]];
    assert!(refused(text, &late.concat()).contains("step would answer \"item 1\""));
}

#[test]
fn a_full_buffer_stops_the_worker_until_enough_was_sent() {
    let limits = Limits { items: 3, buffer: 2, ..Limits::default() };
    let text = "{ stream_request(0); run_backfill } step; step; run_backfill | lookup";
    let events = |answer| {
        let prologue = ["0.0", "0.0 = accepted", "0.1", "0.1 = ran", "2.0", "2.0 = found"];
        let steps = [
            "1.0",
            "1.0 = marker 1..3 from disk @ 0.0",
            "1.1",
            "1.1 = item 1 @ 0.0",
            "1.2",
            answer,
        ];
        [prologue, steps].concat()
    };
    assert_eq!(check_within(limits, text, &events("1.2 = ran")), Ok(()));
    assert!(check_within(limits, text, &events("1.2 = idle")).is_err());
    let text = "{ stream_request(0); run_backfill } step; pause; run_backfill | lookup";
    let unsent = |answer| {
        let mut events = events(answer);
        events[9..11].copy_from_slice(&["1.1 = ready", "1.2"]);
        events
    };
    assert_eq!(check_within(limits, text, &unsent("1.2 = idle")), Ok(()));
    assert!(check_within(limits, text, &unsent("1.2 = ran")).is_err());
}

#[test]
fn what_was_explained_is_not_searched_for_again() {
    let scenario = scenario(RACE);
    let mut checker = Checker::new(Rules::new(&scenario, Limits::default()));
    let overlapping = ["1.0", "2.0", "1.0 = done", "2.0 = map shut down"];
    let one_by_one = ["1.0", "1.0 = done", "2.0", "2.0 = map shut down"];
    for _ in 0..3 {
        assert_eq!(checker.check(&history(&scenario, &one_by_one)), Ok(()));
        // An order that was found explains each history with fewer constraints.
        assert_eq!(checker.check(&history(&scenario, &overlapping)), Ok(()));
    }
    assert_eq!(checker.searches(), 1);
    let wrong = history(&scenario, &["2.0", "2.0 = map shut down", "1.0", "1.0 = done"]);
    let first = checker.check(&wrong);
    assert!(first.is_err());
    assert_eq!(checker.check(&wrong), first);
    assert_eq!(checker.searches(), 2);
}

/// What differs in one thing from what was explained is not taken for that.
#[test]
fn a_log_is_known_by_all_that_it_says() {
    let turn = |answer: &str| Rested {
        call: Call {
            operation: "run_backfill",
            receiver: None,
            arguments: Vec::new(),
            text: "run_backfill at rest".into(),
            waits: false,
        },
        answer: answer.into(),
        subject: None,
    };
    let other = Rested { call: Call { operation: "tick", ..turn("").call }, ..turn("idle") };
    let good = ["1.0", "2.0", "2.0 = accepted", "1.0 = done", "2.0 ended disconnected"];
    let one_by_one = ["1.0", "1.0 = done", "2.0", "2.0 = accepted", "2.0 ended disconnected"];
    let with = |at: usize, event| {
        let mut events = good;
        events[at] = event;
        (events.to_vec(), vec![turn("idle")])
    };
    let all = || vec![turn("idle")];
    let wrong = [
        with(2, "2.0 = map shut down"),
        with(3, "1.0 = done @ 2.0"),
        with(4, "2.0 ended ok"),
        (good[..4].to_vec(), all()),
        ([&good[..], &["2.0 ended disconnected"]].concat(), all()),
        (one_by_one.to_vec(), all()),
        (good.to_vec(), vec![turn("ran")]),
        (good.to_vec(), vec![other]),
    ];
    let scenario = scenario(RACE);
    let mut checker = Checker::new(Rules::new(&scenario, Limits::default()));
    let mut explain = |events: &[&str], rest| checker.explain(&log(events), rest).is_ok();
    assert!(explain(&good, all()));
    for (events, rest) in wrong {
        assert!(!explain(&events, rest.clone()), "{events:?} {rest:?}");
        assert!(explain(&good, all()));
    }
    // In other words for each of its own, and for none twice.
    assert_eq!(checker.searches(), 9);
    let waits = ["1.0", "2.0", "1.0 = done"];
    assert_eq!(checker.explain(&log(&waits), all()), Ok(()));
}

/// An exploration may go on for days, and each order that is kept is some kilobytes.
#[test]
fn what_was_explained_is_forgotten_when_it_is_too_much() {
    let scenario = scenario(RACE);
    let mut checker = Checker::new(Rules::new(&scenario, Limits::default()));
    let with = |answer: &str| {
        let answered = format!("2.0 = {answer}");
        history(&scenario, &["1.0", "1.0 = done", "2.0", &answered])
    };
    let (explained, wrong) = (with("map shut down"), |n: usize| with(&n.to_string()));
    assert!(checker.check(&explained).is_ok());
    assert!((1..1000).all(|n| checker.check(&wrong(n)).is_err()));
    assert!(checker.check(&explained).is_ok() && checker.check(&wrong(1)).is_err());
    assert_eq!(checker.searches(), 1000);
    assert!(checker.check(&wrong(1000)).is_err());
    assert!(checker.check(&explained).is_ok() && checker.check(&wrong(1)).is_err());
    assert_eq!(checker.searches(), 1003);
}

#[test]
fn a_message_belongs_to_its_stream() {
    let text = "{ stream_request(0); run_backfill; stream_request(1); run_backfill } step | lookup";
    let mut events = vec!["0.0", "0.0 = accepted", "0.1", "0.1 = ran", "0.2", "0.2 = accepted"];
    events.extend(["0.3", "0.3 = ran", "2.0", "2.0 = found", "1.0"]);
    let answers = |answer| [&events[..], &[answer]].concat();
    assert_eq!(check(text, &answers("1.0 = marker 1..1 from disk @ 0.0")), Ok(()));
    let detail = refused(text, &answers("1.0 = marker 1..1 from disk @ 0.2"));
    assert!(detail.ends_with(
        "step would answer \"marker 1..1 from disk\" for stream_request(0) \
         and not \"marker 1..1 from disk\" for stream_request(1)"
    ));
}
