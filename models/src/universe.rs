//! The universe of the core: from which states the calls race, and which.

use orderings::generate::{letter, Family, Letter, Universe};

/// Every operation of the core, on so many connections and vbs.
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

/// Those operations of [`alphabet`] that change more than what the front end is
/// told: for states that take two connections to be in.
pub fn essential(connections: usize, vbs: u64) -> Vec<Letter> {
    let mut letters = alphabet(connections, vbs);
    let told = ["lookup", "pause", "wake"];
    letters.retain(|letter| !told.contains(&letter.operation) && letter.name.is_none());
    letters
}

/// The scenarios of the core, of at most so many threads and calls.
///
/// From nothing, everything races that two connections and two vbs can do.
/// From each other state fewer do, those that the state is about: all of them
/// from all of these states would be too many to explore in half an hour.
pub fn core(threads: usize, calls: usize) -> Universe {
    let request = letter("stream_request").on(0).value(0);
    let short = request.with("0, 1");
    let other_vb = letter("stream_request").on(0).value(1);
    let other = letter("stream_request").on(1).value(0);
    let close = letter("close_stream").on(0).value(0);
    let step = letter("step").on(0);
    let run = letter("run_backfill");
    let open = letter("open").making(0);
    let (one, two_vbs, two) = (alphabet(1, 1), alphabet(1, 2), essential(2, 1));
    let family = |settings, prologue: &[Letter], alphabet: &[Letter]| Family {
        settings,
        prologue: prologue.to_vec(),
        alphabet: alphabet.to_vec(),
    };
    let families = vec![
        family("", &[], &alphabet(2, 2)),
        // A backfill waits for a worker.
        family("", &[request], &two),
        // It has run: the client is behind, on one stream and on two.
        family("", &[request, run], &one),
        family("", &[request, other_vb, run, run], &two_vbs),
        // All was sent: the client is asleep.
        family("", &[request, run, step, step, step], &one),
        // The last item of a stream with an end is unsent.
        family("", &[short, run, step], &one),
        // A stream's end is unsent.
        family("", &[request, close], &one),
        // The scans fail.
        family("fail=1", &[request], &one),
        // The read-ahead buffer is full, of one stream and of two.
        family("items=3; buffer=2", &[request, run], &two_vbs),
        family("items=3; buffer=2", &[request, other_vb, run], &two_vbs),
        // A turn of a worker reads less than all.
        family("items=2; scan=1", &[request, run], &one),
        // One has the only slot, another wants it.
        family("slots=1", &[request, other], &two),
        family("slots=2; items=3; buffer=2", &[request, other_vb, other, run], &two),
        // The scenario has opened the connection, and can open it again.
        family("", &[open, request], &one),
    ];
    Universe { families, threads, calls }
}

#[cfg(test)]
mod tests {
    use super::core;
    use crate::systems::core::Core;

    #[test]
    fn so_many_there_are() {
        assert_eq!([2, 3].map(|calls| core(3, calls).scenarios().count()), [1_418, 48_559]);
    }

    #[test]
    fn each_of_them_can_be_read() {
        for text in core(3, 2).scenarios() {
            let parsed = orderings::parse::scenario(&text, &Core);
            let parsed = parsed.unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(parsed.threads.len() >= 2, "{text}");
        }
    }
}
