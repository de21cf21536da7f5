//! `cargo explore` from outside: what it answers, on standard output and by its
//! exit status. The engines' answers are checked where they belong; here it is
//! that the tool passes them on.
#![cfg(shuttle)]

mod support;

use support::{explore, json, status, stderr, stdout, with_input, RACE};

#[test]
fn a_question_is_answered_in_full() {
    let output = explore(&[RACE]);
    status(&output, 0);
    let text = stdout(&output);
    assert!(text.contains("COMPLETE"), "{text}");
    assert!(text.contains("accepted, then ended by the shutdown"), "{text}");
    assert!(text.contains("in every outcome: shutdown: done"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colour where there is no terminal");
    assert_eq!(stderr(&output), "");
}

#[test]
fn without_a_question_the_core_and_the_seed_are_explored() {
    let views = json(&[]);
    let seed = views.last().unwrap();
    assert_eq!(seed["name"], "seed");
    assert_eq!(seed["verdict"], "violated");
    assert_eq!(seed["violations"][0]["invariant"], "no-dangling");
    assert_eq!(seed["violations"][0]["expected"], true);
    assert!(views.iter().all(|view| view["success"] == true));
    let core = views.iter().filter(|view| view["system"] == "core");
    assert!(core.clone().count() >= 12 && core.clone().all(|view| view["verdict"] == "complete"));
    let output = explore(&[]);
    status(&output, 0);
    let text = stdout(&output);
    assert!(text.contains("VIOLATED, as expected") && text.contains("CRASH: bytesSent"), "{text}");
    // The same without the expectation is a violation.
    let ask = ["--system", "kv-engine@before-mb-37702", "shutdown | stream_request(0); disconnect"];
    let output = explore(&ask);
    status(&output, 1);
    assert!(stdout(&output).contains("violated: no-dangling"), "{}", stdout(&output));
}

#[test]
fn json_has_the_documented_fields() {
    let views = json(&[RACE]);
    let [view] = &views[..] else { panic!("one object") };
    assert_eq!(view["version"], 1);
    assert_eq!(view["scenario"], RACE);
    assert_eq!(view["name"], RACE);
    assert_eq!(view["system"], "core");
    assert_eq!(view["threads"], 2);
    assert_eq!(view["verdict"], "complete");
    assert!(view["executions"].as_u64().unwrap() > 1);
    assert!(view["elapsed_ms"].as_f64().is_some());
    assert!(view.get("orderings").is_some() && view["engine"].is_string());
    let outcomes = view["outcomes"].as_array().unwrap();
    assert_eq!(outcomes.len(), 2);
    assert!(outcomes.iter().all(|row| row["grade"] == "allowed"));
    let counted: u64 = outcomes.iter().map(|row| row["orderings"].as_u64().unwrap()).sum();
    let all = view["orderings"].as_u64().or(view["executions"].as_u64());
    assert_eq!(Some(counted), all);
    let documented = include_str!("../../explore/JSON.md");
    let seed = json(&["--system", "kv-engine@before-mb-37702", "seed"]).remove(0);
    let agreement = json(&["--compare=dpor,dfs", RACE]).remove(2);
    let violation = &seed["violations"][0];
    for object in [view, &outcomes[0], violation, &violation["witness"][0], &agreement] {
        for field in object.as_object().unwrap().keys() {
            assert!(documented.contains(&format!("`{field}`")), "{field} is not documented");
        }
    }
}

#[test]
fn scenarios_go_by_name_too() {
    let views = json(&["open-shutdown", "shutdown-request"]);
    assert_eq!(views.len(), 2);
    assert_eq!(views[0]["name"], "open-shutdown");
    assert_eq!(views[1]["outcomes"][0]["grade"], "required");
}

#[test]
fn a_file_may_demand_and_expect() {
    let ask = |text: &str| with_input(&["--file", "-"], text);
    let race = |demands: &str| ask(&format!("race: {RACE}\n{demands}"));
    status(&race(""), 0);
    status(&race("    require stream_request(0): map shut down\n"), 0);
    let output = race("    require stream_request(0): connection closed\n");
    status(&output, 1);
    assert!(stdout(&output).contains("required and never seen"), "{}", stdout(&output));
    let output = race("    forbid stream_request(0): accepted*\n");
    status(&output, 1);
    assert!(stdout(&output).contains("forbidden and seen"), "{}", stdout(&output));
    let output = race("    expect violated no-dangling\n");
    status(&output, 1);
    assert!(stdout(&output).contains("expected and not found"), "{}", stdout(&output));
    let output = race("    means stream_request(0): map shut down = too late, by a hair\n");
    assert!(stdout(&output).contains("too late, by a hair"), "{}", stdout(&output));
    let output = ask("race: shutdown |\n");
    status(&output, 2);
    assert!(stderr(&output).contains("standard input:1:17"), "{}", stderr(&output));
    status(&ask(""), 2);
}

/// A misspelt answer is never seen, and so never forbidden.
#[test]
fn an_answer_that_may_be_misspelt_is_hinted_at() {
    let ask = |demands: &str| {
        let file = format!("race: shutdown | step\n    {demands}\n");
        let text = stdout(&with_input(&["--file", "-"], &file));
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for keyword in ["forbid", "show", "means"] {
        let sentence = if keyword == "means" { " = it ends" } else { "" };
        let text = ask(&format!("{keyword} step: disconnected, shut down{sentence}"));
        let hint = format!("hint: {keyword} step: disconnected, shut down: not seen");
        assert!(text.contains("COMPLETE") && text.contains(&hint), "{text}");
        assert!(text.contains("nearest answer seen: disconnect, shut down"), "{text}");
    }
    let text = ask("require step: disconnected");
    assert!(text.contains("step: disconnected: never seen; nearest answer seen: disc"), "{text}");
    for demand in ["forbid step: crash", "forbid step: item 1", "forbid step: disconnect, sh* up"] {
        assert!(!ask(demand).contains("hint"), "{demand}");
    }
}

/// What a caller cannot see is not claimed: the end of a stream that nobody has
/// stepped to; and what holds everywhere is said once.
#[test]
fn sentences_say_what_is_known() {
    let text = stdout(&explore(&["end_streams(0) | stream_request(0)"]));
    assert_eq!(text.matches("accepted, and nobody has heard of an end").count(), 1, "{text}");
    assert!(
        text.contains("in every outcome: stream_request(0): accepted\n       accepted"),
        "{text}"
    );
    let text = stdout(&explore(&["open(b, a) | a.stream_request(0)"]));
    assert!(text.contains("refused: its connection was displaced"), "{text}");
    let slot =
        "{ slots=1; a.stream_request(0); b.stream_request(0) } a.disconnect | run_backfill * 2";
    assert!(stdout(&explore(&[slot])).contains("both: the worker took a turn"));
}

/// Threads with the same calls are exchanged, on every system: fewer executions, and each outcome as often, by
/// an ordering that leads there.
#[test]
fn the_table_is_the_same_without_symmetry() {
    let seed = "kv-engine@before-mb-37702";
    let questions: [(&str, &str, [u64; 3]); 6] = [
        ("core", "stream_request(0) * 4", [3_672, 153, 4]),
        ("core", "{ items=3; stream_request(0) } step * 3 | shutdown", [408, 68, 8]),
        ("core", "shutdown | stream_request(0) * 3", [408, 68, 13]),
        ("core", "{ a.stream_request(0); a.close_stream(0) } run_backfill * 3", [18, 3, 3]),
        (seed, "shutdown | stream_request(0) * 2", [48, 24, 9]),
        (
            seed,
            "{ stream_request(0) } disconnect * 2 | stream_request(1) * 2 | shutdown",
            [5_484, 1_371, 66],
        ),
    ];
    for (system, question, known) in questions {
        let ask = |more: &[&str]| {
            let view = json(&[&["--system", system, question], more].concat()).remove(0);
            let rows: Vec<String> = view["outcomes"].as_array().unwrap().iter().map(row).collect();
            let sizes = ["orderings", "executions"].map(|size| view[size].as_u64().unwrap());
            assert_eq!(view["reason"], serde_json::Value::Null, "{view}");
            let violated = view["violations"].as_array().unwrap().iter();
            let violated = violated.map(|v| format!("{} {}", v["invariant"], v["orderings"]));
            (sizes, rows, violated.collect::<Vec<_>>())
        };
        let (some, all) = (ask(&[]), ask(&["--no-symmetry"]));
        assert_eq!((some.0[0], &some.1, &some.2), (all.0[0], &all.1, &all.2), "{question}");
        assert_eq!(all.0[0], all.0[1], "{question}");
        assert_eq!([some.0[0], some.0[1], some.1.len() as u64], known, "{question}");
    }
}

/// An outcome with its counts and the fewest switches of an ordering that leads there.
fn row(outcome: &serde_json::Value) -> String {
    let [said, orderings, violating] =
        ["outcome", "orderings", "violating"].map(|part| &outcome[part]);
    format!("{said} {orderings} {violating}")
}

#[test]
fn a_call_that_never_does_anything_is_named() {
    let output = explore(&["shutdown | run_backfill"]);
    status(&output, 0);
    assert!(stdout(&output).contains("never did anything: run_backfill"), "{}", stdout(&output));
}

/// A worker that sleeps because there is nothing to do is no deadlock. (One that sleeps
/// though there is something to do would be `no-lost-wakeup`'s.)
#[test]
fn a_worker_may_wait() {
    for (question, outcomes) in [("wait", 1), ("wait | stream_request(0); run_backfill", 2)] {
        let view = json(&[question]).remove(0);
        assert_eq!(view["verdict"], "complete", "{view}");
        let all = view["outcomes"].as_array().unwrap();
        assert_eq!(all.len(), outcomes, "{all:?}");
        let waits =
            |row: &serde_json::Value| row["outcome"].as_str().unwrap().contains("wait: waits");
        assert!(all.iter().any(waits), "{all:?}");
    }
}

/// In an ordering each connection has its name, a line is the core's own and not that
/// of its primitives, and who sleeps waits to be woken.
#[test]
fn orderings_tell_connections_and_callers() {
    let steps = |row: &serde_json::Value| -> Vec<[String; 3]> {
        let steps = row["witness"].as_array().unwrap().iter();
        let field = |step: &serde_json::Value, name: &str| step[name].as_str().unwrap().to_owned();
        steps.map(|step| ["object", "line", "note"].map(|name| field(step, name))).collect()
    };
    let view = json(&["a.stream_request(0) | b.stream_request(0) | shutdown"]).remove(0);
    let seen: Vec<_> = view["outcomes"].as_array().unwrap().iter().flat_map(steps).collect();
    for name in ["a's connection", "b's connection", "bucket"] {
        assert!(seen.iter().any(|[object, ..]| object == name), "{name}: {seen:?}");
    }
    let stuck = json(&["{ wait } shutdown"]).remove(0);
    assert_eq!(stuck["violations"][0]["invariant"], "no-deadlock");
    let waits = steps(&stuck["violations"][0]);
    assert!(waits.last().unwrap()[2].starts_with("waits to be woken by condvar"), "{waits:?}");
    for [_, line, _] in seen.iter().chain(&waits) {
        assert!(!line.contains("src/sync.rs"), "{line}");
    }
}

#[test]
fn the_same_seed_samples_the_same() {
    let sample = |seed| {
        let views = json(&["--engine", "random", "--iterations", "200", "--seed", seed, RACE]);
        views[0]["outcomes"].clone()
    };
    assert_eq!(sample("5"), sample("5"));
}

#[test]
fn an_ordering_is_shown_and_run_again() {
    let output = explore(&["--show", "2", RACE]);
    status(&output, 0);
    let text = stdout(&output);
    assert!(text.contains("an ordering that leads to outcome 2"), "{text}");
    let token = text.split("--replay ").nth(1).and_then(|rest| rest.lines().next());
    let output = explore(&["--replay", token.expect(&text).trim(), RACE]);
    status(&output, 0);
    let text = stdout(&output);
    assert!(text.contains("stream_request(0): map shut down"), "{text}");
}

#[test]
fn every_format_says_it() {
    for (format, said) in [
        ("text", "stream_request(0): map shut down"),
        ("markdown", "stream\\_request(0): map shut down"),
        ("mermaid", "sequenceDiagram"),
        ("html", "<svg"),
        ("json", "\"verdict\":\"complete\""),
    ] {
        let output = explore(&["--format", format, RACE]);
        status(&output, 0);
        assert!(stdout(&output).contains(said), "{format}: {}", stdout(&output));
    }
}

#[test]
fn small_scenarios_are_generated() {
    let output = explore(&["--generate", "--threads", "2", "--calls", "2", "--part", "1/5"]);
    status(&output, 0);
    assert!(stdout(&output).contains("scenarios    435 "), "{}", stdout(&output));
    assert!(stdout(&output).contains("all hold"), "{}", stdout(&output));
    let small = ["--generate", "--calls", "2", "--part", "2/50", "--workers", "1"];
    let output = explore(&[&small[..], &["--max-executions", "1"]].concat());
    status(&output, 3);
    assert!(stdout(&output).contains("verdict      INCOMPLETE"), "{}", stdout(&output));
}

#[test]
fn several_scenarios_are_told_in_brief() {
    let one = stdout(&explore(&["memory-gone"]));
    let two = stdout(&explore(&["memory-gone", "shutdown-request"]));
    for text in ["step#1: a snapshot begins", "in every outcome"] {
        assert!(one.contains(text) && !two.contains(text), "{two}");
    }
    assert!(two.contains("(accepted, then ended by the shutdown)"), "{two}");
    assert!(two.contains("never did anything: step#3"), "{two}");
}

#[test]
fn a_whole_file_is_summed_up() {
    let output = explore(&[]);
    let text = stdout(&output);
    assert!(text.contains("\nnotify-completion ") && !text.contains("step#4: idle"), "{text}");
    assert!(text.contains("scenarios are as they should be: dpor, "), "{text}");
    assert!(text.contains("Add a name to the command"), "{text}");
    assert!(text.lines().count() < 320, "{text}");
    let all = stdout(&explore(&["--outcomes"]));
    assert!(all.contains("step#4: idle") && all.matches(" per second").count() > 20, "{all}");
    // What is not simply complete is told.
    let file = format!("good: {RACE}\nbad: {RACE}\n    forbid stream_request(0): accepted*\n");
    let output = with_input(&["--file", "-"], &file);
    status(&output, 1);
    let text = stdout(&output);
    assert!(text.contains("\nbad: shutdown") && !text.contains("\ngood: shutdown"), "{text}");
    assert!(text.contains("forbidden and seen") && text.contains("1 of 2 scenarios"), "{text}");
    // Asked for an ordering, it shows it of each.
    let text = stdout(&with_input(&["--file", "-", "--show", "1"], &file));
    assert_eq!(text.matches("an ordering that leads to outcome 1").count(), 2, "{text}");
}

#[test]
fn kv_engines_tickets_go_by_name_on_any_system() {
    let ask = |system: &str, code| {
        let output = explore(&["--system", system, "mb-38521"]);
        status(&output, code);
        stdout(&output)
    };
    let broken = ask("kv-engine@mb-37702", 1);
    assert!(broken.contains("violated: no-dangling"), "{broken}");
    let words = broken.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("the disconnect crashes on a manager that is gone"), "{broken}");
    assert!(ask("kv-engine@mb-38521", 0).contains("COMPLETE"));
    assert!(ask("core", 0).contains("COMPLETE"));
    // A protocol without scenarios of its own has those.
    let views = json(&["--system", "kv-engine@mb-69075"]);
    assert!(views.len() > 25 && views.iter().any(|view| view["name"] == "mb-67263"));
    let outcomes = views.iter().flat_map(|view| view["outcomes"].as_array().unwrap());
    let (said, silent): (Vec<_>, Vec<_>) = outcomes.partition(|row| row["meaning"].is_string());
    assert!(said.len() > 10 * silent.len(), "{silent:?}");
    // One that names them all is mistaken.
    status(&explore(&["--system", "kv-engine@mb-69075", "mb-3852"]), 2);
}

#[test]
fn all_eras_are_asked_at_once() {
    let race = "shutdown | stream_request(0); disconnect";
    let output = explore(&["--system", "core, kv-engine,core", race]);
    status(&output, 1);
    let text = stdout(&output);
    let views = json(&["--system", "core,kv-engine", race]);
    assert_eq!((views.len(), views[0]["system"].as_str()), (12, Some("core")));
    let mut lines = text.lines();
    assert_eq!((lines.next(), lines.next()), (Some(race), Some("")));
    assert_eq!(lines.next(), Some("system                     orderings  outcomes  verdict"));
    let rows: Vec<&str> = lines.filter(|line| !line.starts_with(' ')).collect();
    for (view, row) in views.iter().zip(rows) {
        let words: Vec<&str> = row.split_whitespace().collect();
        let outcomes = view["outcomes"].as_array().unwrap().len().to_string();
        assert_eq!(words[..2], [view["system"].as_str().unwrap(), &view["orderings"].to_string()]);
        assert_eq!(words[2], outcomes, "{row}");
        // The first invariant, at the least.
        if let Some(broken) = view["violations"].as_array().unwrap().first() {
            let orderings = broken["orderings"].to_string();
            assert_eq!(words[3], "VIOLATED:", "{row}");
            let said = [words[4], words[5], words[6].trim_end_matches(',')];
            assert_eq!(said, [broken["invariant"].as_str().unwrap(), "in", &orderings]);
        } else {
            assert_eq!(words[3..], ["COMPLETE"], "{row}");
        }
    }
    // In full it is what each alone is.
    let full = stdout(&explore(&["--system", "core,kv-engine", "--outcomes", race]));
    assert_eq!(full.matches(&format!("\n{race}\n")).count(), 12, "{full}");
    assert!(full.contains("\nkv-engine@mb-69075 "), "{full}");
    // What one of them cannot do, all cannot be asked; nor is a token all of theirs.
    status(&explore(&["--system", "core,kv-engine", "shutdown | pause"]), 2);
    status(&explore(&["--system", "kv-engine", "--replay", "dpor-0.1.0/0,0.0/", race]), 2);
    // A file is read once.
    let file = format!("one: {race}\ntwo: shutdown\n");
    let text = stdout(&with_input(&["--system", "core,kv-engine", "--file", "-"], &file));
    assert_eq!(text.matches("core  ").count(), 2, "{text}");
}

#[test]
fn engines_are_compared() {
    let arguments = ["--compare=dfs,random", "--iterations", "50", RACE];
    let output = explore(&arguments);
    status(&output, 3);
    assert!(stdout(&output).contains("saw nothing else"), "{}", stdout(&output));
    let lines = json(&arguments);
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2]["agree"], true);
    let markdown = explore(&[&arguments[..], &["--format", "markdown"]].concat());
    assert!(stdout(&markdown).contains("| dfs |"), "{}", stdout(&markdown));
}

#[test]
fn the_list_names_everything() {
    let output = explore(&["--list"]);
    status(&output, 0);
    let text = stdout(&output);
    for name in [
        "core",
        "stream_request",
        "items=1",
        "shutdown-request",
        "no-dangling",
        "mb-38521",
        "kv-engine@before-mb-37702",
    ] {
        assert!(text.contains(name), "{name}");
    }
    status(&explore(&["--list", "--system", "core"]), 0);
    status(&explore(&["--list", "--system", "none"]), 2);
}

#[test]
fn help_teaches() {
    let output = explore(&["--help"]);
    status(&output, 0);
    assert!(stdout(&output).contains("cargo explore 'shutdown | stream_request(0)'"));
    assert!(stdout(&output).contains("Exit status"));
}

#[test]
fn rows_that_violate_and_orderings_without_a_row_are_told() {
    let ask = |system: &str| {
        let race = "shutdown | stream_request(0) | disconnect";
        let output = explore(&["--system", system, "--workers", "1", race]);
        status(&output, 1);
        stdout(&output)
    };
    let crashed = ask("kv-engine@mb-37702");
    assert!(crashed.contains("  violated   shutdown: crash"), "{crashed}");
    assert!(!crashed.contains("without an outcome"), "{crashed}");
    let stuck = ask("kv-engine@mb-69075");
    assert!(stuck.contains("without an outcome: 12 orderings, 32.43% (no-deadlock)"), "{stuck}");
}
