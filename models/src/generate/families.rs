//! The universe of the core: from which states the calls race, and which.

use super::{letter, Family, Letter, Universe};

/// Every operation of the core, on so many connections and vbs.
pub fn alphabet(connections: usize, vbs: u64) -> Vec<Letter> {
    let mut letters = vec![letter("shutdown"), letter("run_backfill")];
    for vb in 0..vbs {
        letters.extend([letter("notify").vb(vb), letter("end_streams").vb(vb)]);
    }
    for conn in 0..connections {
        letters.push(letter("open").on(conn));
        let others = (0..connections).filter(|other| *other != conn);
        letters.extend(others.map(|other| letter("open").on(conn).named(other)));
        let each = ["lookup", "disconnect", "step", "pause", "wake"];
        letters.extend(each.map(|operation| letter(operation).on(conn)));
        for vb in 0..vbs {
            letters.push(letter("stream_request").on(conn).vb(vb));
            letters.push(letter("close_stream").on(conn).vb(vb));
        }
    }
    letters
}

/// The scenarios of the core, of at most so many threads and calls.
///
/// From nothing, everything races that two connections and two vbs can do.
/// From each other state fewer do, those that the state is about.
pub fn core(threads: usize, calls: usize) -> Universe {
    let request = letter("stream_request").on(0).vb(0);
    let short = request.with("0, 1");
    let other_vb = letter("stream_request").on(0).vb(1);
    let other = letter("stream_request").on(1).vb(0);
    let close = letter("close_stream").on(0).vb(0);
    let step = letter("step").on(0);
    let run = letter("run_backfill");
    let open = letter("open").on(0);
    let family = |settings, prologue: &[Letter], connections, vbs| Family {
        settings,
        prologue: prologue.to_vec(),
        alphabet: alphabet(connections, vbs),
    };
    let families = vec![
        family("", &[], 2, 2),
        // A backfill waits for a worker.
        family("", &[request], 2, 1),
        // It has run: the client is behind, on one stream and on two.
        family("", &[request, run], 1, 1),
        family("", &[request, other_vb, run, run], 1, 2),
        // All was sent: the client is asleep.
        family("", &[request, run, step, step, step], 2, 1),
        // The last item of a stream with an end is unsent.
        family("", &[short, run, step], 1, 1),
        // A stream's end is unsent.
        family("", &[request, close], 1, 1),
        // The scans fail.
        family("fail=1", &[request], 1, 2),
        // The read-ahead buffer is full, of one stream and of two.
        family("items=3; buffer=2", &[request, run], 1, 2),
        family("items=3; buffer=2", &[request, other_vb, run], 1, 2),
        // A turn of a worker reads less than all.
        family("items=2; scan=1", &[request, run], 1, 2),
        // One has the only slot, another wants it.
        family("slots=1", &[request, other], 2, 1),
        family("slots=2; items=3; buffer=2", &[request, other_vb, other, run], 2, 1),
        // The scenario has opened the connection, and can open it again.
        family("", &[open, request], 2, 1),
    ];
    Universe { families, threads, calls }
}
