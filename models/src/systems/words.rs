//! What an outcome means, in words of the domain, and which answers mean that a
//! call changed nothing: for the calls that both the core and kv_engine have.

use crate::answers;
use crate::log::WAITS;
use crate::scenario::{Call, CallId, Scenario};
use crate::Outcome;

/// A sentence for each call that `phrase` has words for.
pub(super) fn explain(
    scenario: &Scenario,
    outcome: &Outcome,
    phrase: impl Fn(&Call, &str) -> Option<String>,
) -> Option<String> {
    let said = |id: CallId| {
        let call = scenario.call(id)?;
        let answer = outcome.get(id)?;
        Some((id, call.operation, phrase(call, &answer.answer)?))
    };
    let said: Vec<(CallId, &str, String)> = scenario.ids().filter_map(said).collect();
    let mut sentences: Vec<String> = Vec::new();
    for (id, operation, phrase) in &said {
        let alike = || said.iter().filter(|(_, other, _)| other == operation);
        let same = alike().all(|(_, _, other)| other == phrase);
        let sentence = match (alike().count(), same) {
            // The answers stand above: the only call of its kind needs no name.
            (1, _) => phrase.clone(),
            (2, true) => format!("both{}", of_several(phrase)),
            (count, true) => format!("all {count}{}", of_several(phrase)),
            (_, false) => format!("{}: {phrase}", scenario.label(*id)),
        };
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    let sentence = sentences.join("; ");
    (!sentence.is_empty()).then_some(sentence)
}

/// `both refused: ...`, but `both: the worker took ...`.
fn of_several(phrase: &str) -> String {
    let of_the_call = [answers::ACCEPTED, "refused", answers::OPENED, "not ", "still ", "never "];
    let colon = if of_the_call.iter().any(|word| phrase.starts_with(word)) { "" } else { ":" };
    format!("{colon} {phrase}")
}

/// Whether the answer says that the call changed nothing.
pub(super) fn did_nothing(call: &Call, answer: &str) -> bool {
    match call.operation {
        "run_backfill" | "step" => answer == answers::IDLE || answer == answers::NOT_FOUND,
        "end_streams" => answer == "0 ended",
        "close_stream" | "stream_request" | "disconnect" | "open" => {
            ![answers::CLOSED, answers::DONE, answers::OPENED].contains(&answer)
                && !answer.starts_with(answers::ACCEPTED)
        }
        "lookup" => answer == answers::NOT_FOUND,
        _ => false,
    }
}

/// What an answer of one call means, where it depends on the race.
pub(super) fn phrase(scenario: &Scenario, call: &Call, answer: &str) -> Option<String> {
    let phrase = match call.operation {
        "stream_request" => return Some(request(scenario, call, answer)),
        "open" => match answer {
            answers::OPENED => answers::OPENED,
            answers::MAP_SHUT_DOWN => "refused: the map was shut down before",
            answers::ID_IN_USE => "refused: the id is in use",
            _ => return None,
        },
        "lookup" => match answer {
            answers::FOUND => "still in the map",
            _ => "not in the map",
        },
        "close_stream" => match answer {
            answers::CLOSED => "the client closed its stream",
            answers::NO_SUCH_STREAM => "there was no stream to close",
            answers::MAP_SHUT_DOWN | answers::CONNECTION_CLOSED => {
                "the teardown came before the close"
            }
            _ => return None,
        },
        "disconnect" if answer != answers::DONE => "somebody else had disconnected it",
        "step" => return Some(step(answer)),
        "pause" => match answer {
            answers::PAUSED => "sleeps until it is woken",
            answers::READY => "does not sleep: there is something to send",
            _ => return None,
        },
        "run_backfill" => match answer {
            // A turn may run a backfill, or find that a close has ended it.
            answers::RAN => "the worker took a turn",
            _ => "no backfill for the worker",
        },
        "wait" => match answer {
            WAITS => "the worker sleeps: there is nothing to run",
            answers::STOP => "the worker is told to stop",
            _ => "the worker is told to run",
        },
        "end_streams" => match answer.split_once(' ') {
            Some(("0", _)) => "no stream was there to end",
            Some(_) => "the vb's streams were ended",
            None => return None,
        },
        _ => return None,
    };
    Some(phrase.to_owned())
}

fn request(scenario: &Scenario, call: &Call, answer: &str) -> String {
    let mut parts = answer.split(", ended ");
    let answered = parts.next().unwrap_or_default();
    let ends: Vec<&str> = parts.collect();
    match (answered, ends.as_slice()) {
        // The stream may have ended: the next step would report that.
        (answers::ACCEPTED, []) => "accepted, and nobody has heard of an end".into(),
        (answers::ACCEPTED, [end]) => format!("accepted, then {}", ended(scenario, call, end)),
        (answers::ACCEPTED, ends) => format!("accepted, and ended {} times", ends.len()),
        (answers::MAP_SHUT_DOWN, _) => "refused: the shutdown came first".into(),
        (answers::CONNECTION_CLOSED, _) if displaces(scenario) => {
            "refused: its connection was displaced or closed first".into()
        }
        (answers::CONNECTION_CLOSED, _) => "refused: its connection was closed first".into(),
        (answers::STREAM_EXISTS, _) => "refused: the vb has a stream already".into(),
        (answers::NOT_FOUND, _) => "not made: there is no such connection".into(),
        (refused, _) => format!("refused: {refused}"),
    }
}

/// Whether a connection is opened under the name of another.
fn displaces(scenario: &Scenario) -> bool {
    let mut calls = scenario.parts().flatten();
    calls.any(|call| call.operation == "open" && !call.arguments.is_empty())
}

/// Says what ended a stream.
fn ended(scenario: &Scenario, call: &Call, status: &str) -> String {
    let calls = || scenario.parts().flatten();
    let shutdown = calls().any(|other| other.operation == "shutdown");
    let disconnect =
        calls().any(|other| other.operation == "disconnect" && other.receiver == call.receiver);
    match status {
        answers::DISCONNECTED => match (shutdown, disconnect) {
            (true, false) => "ended by the shutdown".into(),
            (false, true) => "ended by the disconnect".into(),
            _ => "ended by the teardown of its connection".into(),
        },
        answers::CLOSED => "closed by the client".into(),
        answers::STATE_CHANGED => "ended, for its vb changed its state".into(),
        "ok" => "sent to its end".into(),
        answers::BACKFILL_FAIL => "ended, for its backfill failed".into(),
        other => format!("ended: {other}"),
    }
}

fn step(answer: &str) -> String {
    match answer.split_once(' ') {
        None if answer == answers::IDLE => "nothing to send".into(),
        Some(("item", _)) => "an item is sent".into(),
        Some(("marker", _)) => "a snapshot begins".into(),
        Some(("stream", _)) => "the client learns of the stream's end".into(),
        Some(("disconnect,", why)) => match why {
            "displaced" => "told to disconnect: a newer one has its name".into(),
            "shut down" => "told to disconnect: the map is shut down".into(),
            _ => "told that it is disconnected".into(),
        },
        _ => answer.to_owned(),
    }
}
