//! The universe of the core: which calls race, and from which states.
//!
//! `cargo explore --generate` explores all of it; `cargo xtask universe` does so in
//! parts, and keeps the results. Left out, for their number:
//!
//! - scenarios of more than three threads or four calls;
//! - from each state but the first, calls that do not concern the state;
//! - in scenarios of four calls, the calls that change little, two vbs from nothing,
//!   the host that calls back, and more than two calls that are the same;
//! - a third connection, except where three connections want one slot or one name;
//! - two faults of the host at once, except a host that locks or panics and reads in
//!   parts.
//!
//! Scenarios that differ in names only are one.

use orderings::generate::{letter, Family, Letter, Universe, ANY};
use std::ops::RangeInclusive;

/// Every operation of the core, on this many connections and vbs.
pub fn alphabet(connections: usize, vbs: u64) -> Vec<Letter> {
    let mut letters = vec![letter("shutdown"), letter("run_backfill")];
    for vb in 0..vbs {
        letters.extend([letter("notify").value(vb), letter("end_streams").value(vb)]);
    }
    for conn in 0..connections {
        letters.push(letter("open").making(conn));
        let others = (0..connections).filter(|other| *other != conn);
        letters.extend(others.map(|other| letter("open").making(conn).with_receiver(other)));
        let each = ["lookup", "disconnect", "step", "pause", "wake"];
        letters.extend(each.map(|operation| letter(operation).on(conn)));
        for vb in 0..vbs {
            letters.push(letter("stream_request").on(conn).value(vb));
            letters.push(letter("close_stream").on(conn).value(vb));
        }
    }
    letters
}

/// [`alphabet`] without the operations that change nothing but what the front end
/// is told, and without displacement: for states of two connections.
pub fn essential(connections: usize, vbs: u64) -> Vec<Letter> {
    let mut letters = alphabet(connections, vbs);
    let told = ["lookup", "pause", "wake"];
    letters.retain(|letter| !told.contains(&letter.operation) && letter.name.is_none());
    letters
}

/// The scenarios of the core, with at most this many threads and calls.
///
/// From the initial state all calls on two connections and two vbs race; from each
/// other state only those that concern the state, for the number of scenarios. Where
/// these are many, scenarios of four calls have those of them that change the most.
pub fn core(threads: usize, calls: usize) -> Universe {
    let on = |operation: &'static str| letter(operation).on(0);
    let request = on("stream_request").value(0);
    let short = request.with("0, 1");
    let other_vb = on("stream_request").value(1);
    let other = letter("stream_request").on(1).value(0);
    let (close, close_other_vb) = (on("close_stream").value(0), on("close_stream").value(1));
    let close_other = letter("close_stream").on(1).value(0);
    let (step, run, disconnect) = (on("step"), letter("run_backfill"), on("disconnect"));
    let (notify, end) = (letter("notify").value(0), letter("end_streams").value(0));
    let (open, shutdown) = (letter("open").making(0), letter("shutdown"));
    let (one, two_vbs, two) = (alphabet(1, 1), alphabet(1, 2), essential(2, 1));
    // Of one connection and one vb, of two vbs, of two connections.
    let life = [request, close, step, run, disconnect, end, shutdown];
    let opens = [open, request, close, step, run, disconnect];
    let few = [request, close, step, run, notify, end, disconnect, shutdown];
    let few_of_two_vbs = [other_vb, close, close_other_vb, step, run, notify, end, disconnect];
    let few_of_two = [request, close, other, close_other, run, step, disconnect, shutdown];
    let wide = |settings, prologue: &[Letter], wide: &[Letter], few: &[Letter]| {
        let family = |alphabet: &[Letter], calls: RangeInclusive<usize>| Family {
            settings,
            prologue: prologue.to_vec(),
            alphabet: alphabet.to_vec(),
            beside: Vec::new(),
            alike: if calls.contains(&MANY) { usize::MAX } else { ALIKE },
            calls,
        };
        [family(wide, 2..=MANY), family(few, MANY + 1..=usize::MAX)]
    };
    let mut families = [
        wide("", &[], &alphabet(2, 2), &two),
        // A backfill waits for a worker.
        wide("", &[request], &two, &life),
        // Backfills have run: items wait for the client, of one stream and of two.
        wide("", &[request, run], &one, &few),
        wide("", &[request, other_vb, run, run], &two_vbs, &few_of_two_vbs),
        // Everything was sent: the front end sleeps.
        wide("", &[request, run, step, step, step], &one, &few),
        // A stream with an end has its last item to send.
        wide("", &[short, run, step], &one, &few),
        // The end of a stream was not handed out.
        wide("", &[request, close], &one, &few),
        // Scans fail.
        wide("fail=1", &[request], &one, &life),
        // The read-ahead buffer is full, with items of one stream and of two.
        wide("items=3; buffer=2", &[request, run], &two_vbs, &few_of_two_vbs),
        wide("items=3; buffer=2", &[request, other_vb, run], &two_vbs, &few_of_two_vbs),
        // A turn of a worker reads a part of the items.
        wide("items=2; scan=1", &[request, run], &one, &life),
        // One connection has the only slot, and another waits for it.
        wide("slots=1", &[request, other], &two, &few_of_two),
        wide("slots=2; items=3; buffer=2", &[request, other_vb, other, run], &two, &few_of_two),
        // The scenario has opened the connection itself, and can open it again.
        wide("", &[open, request], &one, &opens),
    ]
    .concat();
    families.extend(unkind());
    Universe { families, threads, calls }
}

/// Scenarios of up to this many calls have all of the calls.
const MANY: usize = 3;

/// Of these scenarios and of those of an unkind host: three shutdowns, or three walks
/// over one vb, take as long as a hundred others.
const ALIKE: usize = 2;

/// Further states: more connections, time, faults of the host, and limits that are
/// reached; each with the few calls that concern it.
fn unkind() -> Vec<Family> {
    let on = |operation: &'static str| letter(operation).on(0);
    let request = on("stream_request").value(0);
    let other_vb = on("stream_request").value(1);
    let other = letter("stream_request").on(1).value(0);
    let third = letter("stream_request").on(2).value(0);
    let (close, step, run) = (on("close_stream").value(0), on("step"), letter("run_backfill"));
    let (tick, wait, shutdown) = (letter("tick"), letter("wait"), letter("shutdown"));
    let (disconnect, end) = (on("disconnect"), letter("end_streams").value(0));
    let notify = |seqno| letter("notify").value(0).with(seqno);
    let used = |percent| letter("memory_used").with(percent);
    let family = |settings, prologue: &[Letter], alphabet: &[Letter]| Family {
        settings,
        prologue: prologue.to_vec(),
        alphabet: alphabet.to_vec(),
        beside: Vec::new(),
        calls: ANY,
        alike: ALIKE,
    };
    let caught_up = [request, run, step, step, step];
    let reads = [notify("3"), notify("5"), step, run, close, request.with("0, 4")];
    let life = [request, close, step, run, disconnect, end, shutdown];
    let second = letter("step").on(1);
    let opens = |conn: usize| letter("open").making(conn).with_receiver(0);
    vec![
        // Three connections want one slot, and one name.
        family(
            "slots=1",
            &[request, other],
            &[third, run, disconnect, letter("close_stream").on(1).value(0), close, shutdown],
        ),
        family(
            "",
            &[step, opens(1)],
            &[opens(2), step, second, letter("disconnect").on(1), disconnect, shutdown],
        ),
        // Workers wait until the shutdown.
        Family { beside: vec![shutdown], ..family("", &[], &[wait, run, request, other, close]) },
        // Notifications, and what memory has of the items that were notified.
        family("", &caught_up, &reads),
        family("memory=0", &caught_up, &reads),
        family("memory=2", &caught_up, &reads),
        family("memory=3", &caught_up, &reads),
        family("memory=4", &caught_up, &reads),
        family("memory=5", &caught_up, &reads),
        family("memory=7", &caught_up, &reads),
        family("memory=8", &caught_up, &reads),
        // Ranges without an item, and with several.
        family(
            "items=3",
            &[step],
            &[request.with("5, 5"), request.with("1, 3"), step, run, close, notify("7")],
        ),
        family("items=3; scan=2", &[request.with("0, 3"), run], &life),
        // The smallest buffer; large items; items without bytes.
        family("items=3; buffer=1", &[request.with("0, 3"), run], &life),
        family("items=4; bytes=3; buffer=5; resume=50", &[request, run], &life),
        family("items=3; bytes=0; buffer=2; scan_bytes=1", &[request, run], &life),
        // A batch of more items than the buffer takes.
        family("items=4; batch=3; buffer=2", &[request, run], &life),
        // Two vbs read in parts: in turn, one after the other, and at the
        // connection's limit of slots.
        family("items=2; scan=1", &[request, other_vb, run], &[run, step, close, other_vb, end]),
        family(
            "items=3; scan=1; sequential=1",
            &[request, other_vb, run],
            &[run, step, close, other_vb, end],
        ),
        family("items=2; scan=1; cap=1", &[request, other_vb], &[run, step, close, end, other]),
        // Snoozing backfills, and a host that is short of memory.
        family("later=1", &[request, run], &[tick, run, close, request, step, disconnect]),
        family("items=2; later=2; slots=1", &[request, other, run], &[tick, run, close, step]),
        family("", &[request], &[used("97"), used("0"), tick, run, other_vb, step]),
        // The host fails at each place, and panics.
        family("open=1; slots=1", &[request, other], &life),
        family("open=2", &[request], &life),
        family("open=3", &[request], &life),
        family("items=3; fail=1; fail_at=2; buffer=2", &[request, run], &life),
        family("items=3; fail=2; fail_at=3", &[request], &life),
        family("items=3; fail=3; fail_at=2", &[request], &life),
        family("items=3; fail=4; fail_at=2", &[request], &life),
        family("items=2; gap=3", &[request.with("0, 7"), run], &[step, run, notify("8"), close]),
        family("panics=1; items=2; scan=1", &[request, run, step], &life),
        // The host takes a lock, or calls back, in each of its methods.
        family("host_locks=1; items=2; scan=1", &[request, run], &life),
        // So much that one scenario of four calls takes minutes.
        Family {
            calls: 2..=MANY,
            ..family("calls=1; items=2; scan=1", &[request, run], &[step, close, run, disconnect])
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::core;
    use crate::systems::core::Core;

    #[test]
    fn the_number_of_scenarios() {
        assert_eq!([2, 3].map(|calls| core(3, calls).scenarios().count()), [2_173, 59_304]);
    }

    #[test]
    fn each_scenario_parses() {
        for text in core(3, 2).scenarios() {
            let parsed = orderings::parse::scenario(&text, &Core);
            let parsed = parsed.unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(parsed.threads.len() >= 2, "{text}");
        }
    }
}
