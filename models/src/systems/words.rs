//! What an outcome means, in words of the domain, and which answers mean that
//! nothing was done: of the calls that the core and kv_engine both have.

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
            // The outcome stands above: one call of a kind needs no name.
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
    let of_the_call = ["accepted", "refused", "opened", "not ", "still ", "never "];
    let colon = if of_the_call.iter().any(|word| phrase.starts_with(word)) { "" } else { ":" };
    format!("{colon} {phrase}")
}

/// Whether the caller can tell that nothing happened.
pub(super) fn did_nothing(call: &Call, answer: &str) -> bool {
    match call.operation {
        "run_backfill" | "step" => answer == "idle" || answer == "not found",
        "end_streams" => answer == "0 ended",
        "close_stream" | "stream_request" | "disconnect" | "open" => {
            !["closed", "done", "opened"].contains(&answer) && !answer.starts_with("accepted")
        }
        "lookup" => answer == "not found",
        _ => false,
    }
}

/// What an answer of one call means, where it depends on the race.
pub(super) fn phrase(scenario: &Scenario, call: &Call, answer: &str) -> Option<String> {
    let phrase = match call.operation {
        "stream_request" => return Some(request(scenario, call, answer)),
        "open" => match answer {
            "opened" => "opened",
            "map shut down" => "refused: the map was shut down before",
            "id in use" => "refused: the id is in use",
            _ => return None,
        },
        "lookup" => match answer {
            "found" => "still in the map",
            _ => "not in the map",
        },
        "close_stream" => match answer {
            "closed" => "the client closed its stream",
            "no such stream" => "there was no stream to close",
            "map shut down" | "connection closed" => "the teardown came before the close",
            _ => return None,
        },
        "disconnect" if answer != "done" => "somebody else had disconnected it",
        "step" => return Some(step(answer)),
        "pause" => match answer {
            "paused" => "sleeps until it is woken",
            "ready" => "does not sleep: there is something to send",
            _ => return None,
        },
        "run_backfill" => match answer {
            // At the backfill, or at what a close had left of it.
            "ran" => "the worker took a turn",
            _ => "no backfill for the worker",
        },
        "wait" => match answer {
            "waits" => "the worker sleeps: there is nothing to run",
            "stop" => "the worker is told to stop",
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
        // It may have been, and nobody has taken the news: a step would.
        ("accepted", []) => "accepted, and nobody has heard of an end".into(),
        ("accepted", [end]) => format!("accepted, then {}", ended(scenario, call, end)),
        ("accepted", ends) => format!("accepted, and ended {} times", ends.len()),
        ("map shut down", _) => "refused: the shutdown came first".into(),
        ("connection closed", _) if displaces(scenario) => {
            "refused: its connection was displaced or closed first".into()
        }
        ("connection closed", _) => "refused: its connection was closed first".into(),
        ("stream exists", _) => "refused: the vb has a stream already".into(),
        ("not found", _) => "not made: there is no such connection".into(),
        (refused, _) => format!("refused: {refused}"),
    }
}

/// Whether a connection is opened under the name of another.
fn displaces(scenario: &Scenario) -> bool {
    let mut calls = scenario.parts().flatten();
    calls.any(|call| call.operation == "open" && !call.arguments.is_empty())
}

/// Who ended a stream.
fn ended(scenario: &Scenario, call: &Call, status: &str) -> String {
    let calls = || scenario.parts().flatten();
    let shutdown = calls().any(|other| other.operation == "shutdown");
    let disconnect =
        calls().any(|other| other.operation == "disconnect" && other.receiver == call.receiver);
    match status {
        "disconnected" => match (shutdown, disconnect) {
            (true, false) => "ended by the shutdown".into(),
            (false, true) => "ended by the disconnect".into(),
            _ => "ended by the teardown of its connection".into(),
        },
        "closed" => "closed by the client".into(),
        "state-changed" => "ended, for its vb changed its state".into(),
        "ok" => "sent to its end".into(),
        "backfill-fail" => "ended, for its backfill failed".into(),
        other => format!("ended: {other}"),
    }
}

fn step(answer: &str) -> String {
    match answer.split_once(' ') {
        None if answer == "idle" => "nothing to send".into(),
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
