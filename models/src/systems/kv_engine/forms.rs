//! All scenarios of one front end up to a size: its calls, in sequence, race any
//! of a shutdown, a run of the manager's task and a vb's state change, on a
//! connection in each of several states before the race.

/// The calls of a front end.
const FRONT_END: &[&str] =
    &["stream_request(0)", "step", "close_stream(0)", "seqno_ack(0)", "disconnect"];

/// The calls that race the front end, each on a thread of its own.
const OTHERS: &[&str] = &["shutdown", "run_backfill", "set_vb_state(0, 2)"];

/// The states before the race: no stream; a stream; a stream with an item to
/// send; a stream that a state change has ended; two streams, of which one waits
/// behind a full buffer.
const BEFORE: &[&str] = &[
    "",
    "{ stream_request(0) } ",
    "{ stream_request(0); run_backfill } ",
    "{ stream_request(0); end_streams(0) } ",
    "{ items=2; buffer=1; stream_request(1); stream_request(0); run_backfill } ",
];

/// The scenarios in which the front end makes up to `calls` calls and up to
/// `others` of the other threads race it.
pub fn forms(calls: usize, others: usize) -> Vec<String> {
    let mut forms = Vec::new();
    for before in BEFORE {
        for front_end in sequences(calls) {
            for set in 0..1usize << OTHERS.len() {
                if set == 0 || set.count_ones() as usize > others {
                    continue;
                }
                let mut form = format!("{before}{front_end}");
                for (at, other) in OTHERS.iter().enumerate() {
                    if set & 1 << at != 0 {
                        form.push_str(" | ");
                        form.push_str(other);
                    }
                }
                forms.push(form);
            }
        }
    }
    forms
}

/// The sequences of up to `length` calls. None goes on after a disconnect, which
/// ends the connection.
fn sequences(length: usize) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut last: Vec<String> = vec![String::new()];
    for _ in 0..length {
        let mut next = Vec::new();
        for sequence in last.iter().filter(|sequence| !sequence.ends_with("disconnect")) {
            for call in FRONT_END {
                let separator = if sequence.is_empty() { "" } else { "; " };
                next.push(format!("{sequence}{separator}{call}"));
            }
        }
        all.extend(next.iter().cloned());
        last = next;
    }
    all
}
