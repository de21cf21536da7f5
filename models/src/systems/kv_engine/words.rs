//! What an outcome means: in the words of the core where both systems answer the
//! same, and in words of its own where kv_engine crashes or leaves a stream open.

use crate::scenario::{Call, Scenario};
use crate::systems::words;
use crate::{answers, Outcome};

/// A sentence for each call whose answer depends on the race.
pub(super) fn explain(scenario: &Scenario, outcome: &Outcome) -> Option<String> {
    words::explain(scenario, outcome, |call, answer| phrase(scenario, outcome, call, answer))
}

/// Whether the answer says that the call changed nothing.
pub(super) fn did_nothing(call: &Call, answer: &str) -> bool {
    match answer {
        answers::NEVER_CAME | answers::SNOOZED | answers::BUFFER_FULL => true,
        // The call may have done something before it crashed.
        answers::CRASH => false,
        _ if call.operation == "seqno_ack" => answer != answers::DONE,
        _ => words::did_nothing(call, answer),
    }
}

fn phrase(scenario: &Scenario, outcome: &Outcome, call: &Call, answer: &str) -> Option<String> {
    let phrase = match (call.operation, answer) {
        (_, answers::NEVER_CAME) => "never came: its thread had crashed before",
        (operation, answers::CRASH) => {
            return Some(format!("{} {}", who(operation), crashes(scenario, operation)));
        }
        ("stream_request", answers::ACCEPTED) if left_behind(scenario, outcome, call) => {
            "accepted, and left behind by the teardown"
        }
        ("stream_request", answers::ACCEPTED) => "accepted, and not ended",
        // A step that finds the disconnect flag ends streams, too.
        ("stream_request", "accepted, ended disconnected")
            if answers(scenario, outcome).any(|(_, answer)| answer == answers::DISCONNECT) =>
        {
            "accepted, then ended by the teardown of its connection"
        }
        ("stream_request", answers::NOT_MY_VBUCKET) => "refused: the vb was dead or gone",
        ("stream_request", answers::ROLLBACK) => "refused: the vb has a new history",
        ("step", answers::DISCONNECT) => "told to disconnect, and has done so",
        ("run_backfill", answers::SNOOZED) => "the worker snoozed: memory is high",
        ("run_backfill", answers::BUFFER_FULL) => "the worker waits: the client's buffer is full",
        ("seqno_ack", answers::DONE) => "the acknowledgement found its stream",
        ("seqno_ack", answers::NO_SUCH_STREAM) => "there was no stream to acknowledge",
        ("seqno_ack", answers::CONNECTION_CLOSED) => "the teardown came before the acknowledgement",
        _ => return words::phrase(scenario, call, answer),
    };
    Some(phrase.to_owned())
}

/// Each call and its answer.
fn answers<'a>(
    scenario: &'a Scenario,
    outcome: &'a Outcome,
) -> impl Iterator<Item = (&'a Call, &'a str)> {
    let answered = scenario.parts().flatten().zip(&outcome.answers);
    answered.map(|(call, answer)| (call, &*answer.answer))
}

/// Whether the connection of this call was torn down, and nothing has crashed:
/// a stream that is open at the end then stays open.
fn left_behind(scenario: &Scenario, outcome: &Outcome, request: &Call) -> bool {
    let teardown = |(call, answer): (&Call, &str)| match call.operation {
        "shutdown" => answer == answers::DONE,
        "disconnect" => answer == answers::DONE && call.receiver == request.receiver,
        "step" => answer == answers::DISCONNECT && call.receiver == request.receiver,
        _ => false,
    };
    answers(scenario, outcome).any(teardown)
        && answers(scenario, outcome).all(|(_, answer)| answer != answers::CRASH)
}

fn who(operation: &str) -> &'static str {
    match operation {
        "shutdown" => "the shutdown",
        "disconnect" => "the disconnect",
        "stream_request" => "the request",
        "close_stream" => "the close",
        "step" => "the front end",
        "seqno_ack" => "the acknowledgement",
        "lookup" => "the statistics",
        "run_backfill" => "the worker",
        "open" => "the second producer",
        _ => "the vb's state change",
    }
}

/// Says on which object the call crashes.
fn crashes(scenario: &Scenario, operation: &str) -> &'static str {
    let any = |operation: &str| scenario.parts().flatten().any(|call| call.operation == operation);
    let teardown = ["shutdown", "disconnect", "step", "open"].into_iter().any(any);
    match operation {
        "seqno_ack" => "uses a stream that was freed",
        "stream_request" if any("delete_vb") && teardown => {
            "crashes on a manager, or a vb, that is gone"
        }
        "stream_request" if any("delete_vb") => "crashes on a vb that is gone",
        _ => "crashes on a manager that is gone",
    }
}
