//! Every option of `cargo explore`, each with what it changes; and questions
//! that make no sense, which end with 2 and say why.
#![cfg(shuttle)]

mod support;

use std::collections::BTreeSet;
use support::{explore, json, status, stderr, stdout, with_input, LONG, RACE};

/// The protocol of the ticket that is called the seed.
const SEEDS: &str = "kv-engine@before-mb-37702";

/// The option, a question that uses it, the exit status, and what is said.
const OPTIONS: &[(&str, &[&str], i32, &str)] = &[
    ("help", &["--help"], 0, "Exit status"),
    ("list", &["--list"], 0, "shutdown-request"),
    ("system", &["--system", "kv-engine@mb-38521", "shutdown"], 0, "kv-engine@mb-38521, 1 thread"),
    ("file", &["--file", "-"], 0, "from-a-file"),
    ("engine", &["--engine", "dfs", RACE], 0, "2 threads, dfs, "),
    ("compare", &["--compare=dpor,dfs", RACE], 0, "dpor and dfs agree: 2 outcomes"),
    ("seed", &["--engine", "random", "--seed", "5", RACE], 3, "sampled 10000 executions"),
    ("iterations", &["--engine", "urw", "--iterations", "20", RACE], 3, "20 executions"),
    ("depth", &["--engine", "pct", "--depth", "2", "--iterations", "20", RACE], 3, "INCOMPLETE"),
    ("workers", &["--workers", "1", "four-threads"], 0, "420 orderings, 420 executions"),
    ("max-executions", &["--max-executions", "1", RACE], 3, "INCOMPLETE: stopped after 1 exec"),
    ("max-time", &["--engine", "dfs", "--max-time", "200ms", LONG], 3, "stopped after "),
    ("estimate", &["--estimate", "four-threads"], 0, "420 orderings"),
    ("show", &["--show", "2", RACE], 0, "an ordering that leads to outcome 2"),
    ("outcomes", &["--outcomes", "--file", "-"], 0, "map shut down"),
    ("replay", &["--replay", "dpor-0.1.0/0,0.0/", RACE], 0, "INCOMPLETE: one ordering, run again"),
    ("preemptions", &["--preemptions", "--system", SEEDS, "seed"], 0, "needs 1 preemption"),
    ("no-symmetry", &["--no-symmetry", "step * 2 | shutdown"], 0, "18 orderings, 18 executions"),
    ("prologue", &["--prologue", "--show", "1", "close-backfill"], 0, "stream_request(0) ..."),
    ("format", &["--format", "markdown", RACE], 0, "|---|"),
    ("generate", &["--generate", "--threads", "2", "--calls", "2"], 0, "all hold"),
    ("threads", &["--generate", "--threads", "2", "--calls", "3", "--part", "1/50"], 0, "all hold"),
    ("calls", &["--generate", "--calls", "2", "--part", "1/5"], 0, "all hold"),
    ("part", &["--generate", "--calls", "2", "--part", "2/50"], 0, "all hold"),
];

/// What they write is read by `an_exploration_in_parts_is_the_whole`.
const KEPT: [&str; 2] = ["checkpoint", "merge"];

/// What they write is checked by `cargo xtask ci`, with both builds at hand.
const PAGES: [&str; 3] = ["ledger", "history", "check"];

#[test]
fn every_option_changes_something() {
    for (option, arguments, code, said) in OPTIONS {
        assert!(arguments.iter().any(|argument| argument.starts_with(&format!("--{option}"))));
        let output = with_input(arguments, &format!("from-a-file: {RACE}\n"));
        status(&output, *code);
        assert!(stdout(&output).contains(said), "{arguments:?}: {}", stdout(&output));
    }
}

#[test]
fn there_is_no_other_option() {
    let help = stdout(&explore(&["--help"]));
    let option = |line: &str| {
        let line = line.trim_start().trim_start_matches("-h, ");
        let name = line.strip_prefix("--")?;
        Some(name.split([' ', '[', '=']).next()?.to_owned())
    };
    let has: BTreeSet<String> = help.lines().filter_map(option).collect();
    let tested = OPTIONS.iter().map(|(option, ..)| *option).chain(KEPT).chain(PAGES);
    assert_eq!(has, tested.map(str::to_owned).collect());
}

#[test]
fn mistakes_are_shown_and_end_with_two() {
    for (arguments, said) in [
        (&["shutdown | stream_requst(0)"][..], "did you mean `stream_request`?"),
        (&["--system", "cor", RACE], "did you mean `core`?"),
        (&["--file", "/there/is/no/such/file"], "/there/is/no/such/file"),
        (&["--file", "-"], "standard input has no scenario"),
        (&["shutdwn-request"], "or did you mean the scenario `shutdown-request`?"),
        (&["--engine", "dpro", RACE], "dpor"),
        (&["--seed", "1", RACE], "--seed is for"),
        (&["--engine", "dfs", "--iterations", "5", RACE], "--iterations is for"),
        (&["--engine", "random", "--depth", "2", RACE], "--depth is for the engine pct only"),
        (&["--max-time", "soon", RACE], "500ms, 30s, 5m or 1h"),
        (&["--max-executions", "0", RACE], "--max-executions"),
        (&["--workers", "0", RACE], "--workers"),
        (&["--format", "xml", RACE], "mermaid"),
        (&["--compare=dfs", RACE], "two engines"),
        (&["--compare=dpor,dfs", "--format", "html", RACE], "text, json or markdown"),
        (&["--engine", "loom", RACE], "a build with RUSTFLAGS"),
        (&["--replay", "foo", RACE], "error: --replay: not a token of dpor-0.1.0: foo\n"),
        (&["--file", "-", "from-file"], "or did you mean the scenario `from-a-file`?"),
        (&["--replay", "1"], "one scenario"),
        (&["--outcomes", RACE], "told in full anyway"),
        (&["seed"], "a scenario of kv-engine@before-mb-37702"),
        (&["--system", "kv-engine@mb-69075", "close-backfill"], "a scenario of core"),
        (&["--show", "0", RACE], "no such outcome"),
        (&["--show", "99", RACE], "no such outcome"),
        (&["--no-such-option"], "--no-such-option"),
        (&["--check"], "--ledger"),
        (&["--part", "1/2"], "--generate"),
        (&["--part", "1/2", RACE], "--checkpoint"),
        (&["--checkpoint", "none", "--engine", "dfs", RACE], "engine dpor only"),
        (&["--no-symmetry", "--engine", "dfs", RACE], "engine dpor only"),
        (&["--checkpoint", "none"], "one scenario"),
        (&["--merge", "none"], "one scenario"),
        (&["--merge", "/there/is/no/such/file", RACE], "/there/is/no/such/file"),
        (&["--threads", "2"], "--generate"),
        (&["--calls", "2"], "--generate"),
        (&["--generate", "--threads", "1"], "--threads"),
        (&["--generate", "--calls", "99"], "--calls"),
        (&["--generate", "--part", "3/2"], "such as 1/100"),
        (&["--generate", "--format", "json"], "text only"),
        (&["--generate", "--engine", "loom"], "not for loom"),
        (&["--list", "--system", "none"], "no system `none`"),
    ] {
        let input = format!("from-a-file: {RACE}\n");
        let input = if arguments.contains(&"from-file") { input.as_str() } else { "" };
        let output = with_input(arguments, input);
        status(&output, 2);
        assert!(stderr(&output).contains(said), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let others: [&[&str]; 11] = [
        &[RACE],
        &["--file", "-"],
        &["--compare"],
        &["--replay", "1"],
        &["--show", "1"],
        &["--engine", "dfs"],
        &["--max-time", "1s"],
        &["--max-executions", "5"],
        &["--format", "json"],
        &["--generate"],
        &["--workers", "1"],
    ];
    // Of these others, how many from the first contradict it.
    for (option, contradicted) in [("--list", 11), ("--ledger", 10), ("--history", 10)] {
        for other in &others[..contradicted] {
            refused(&[&[option], *other].concat());
        }
    }
    for pair in ["--list --ledger", "--list --history", "--ledger --history"] {
        refused(&pair.split(' ').collect::<Vec<_>>());
    }
    for page in ["--ledger", "--history", "--generate"] {
        refused(&[page, "--system", "core"]);
    }
    others[..5].iter().for_each(|other| refused(&[&["--generate"], *other].concat()));
    for other in ["--compare", "--engine=dfs", "--workers=1", "--max-time=1s", "--seed=1"] {
        refused(&["--replay", "1", other, RACE]);
    }
    for other in ["--compare", "--replay=1", "--generate"] {
        refused(&["--checkpoint", "none", other]);
        refused(&["--merge", "none", other]);
    }
    for other in ["--checkpoint=none", "--part=1/2", "--max-executions=1", "--workers=1"] {
        refused(&["--merge", "none", other, RACE]);
    }
    refused(&["--compare", "--engine", "dfs", RACE]);
    refused(&["--compare", "--show", "1", RACE]);
}

#[track_caller]
fn refused(arguments: &[&str]) {
    let output = explore(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stdout(&output));
    assert!(stderr(&output).contains("cannot be used with"), "{arguments:?}: {}", stderr(&output));
    assert_eq!(stdout(&output), "", "{arguments:?}");
}

/// Kept in files, interrupted, gone on with and added up: what is counted is the same.
#[test]
fn an_exploration_in_parts_is_the_whole() {
    let folder = std::env::temp_dir().join(format!("explore-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("there is a place for files");
    let path = |name: &str| folder.join(name).to_str().expect("it is text").to_owned();
    let counted = |arguments: &[&str]| {
        let mut view = json(arguments).remove(0);
        for outcome in view["outcomes"].as_array_mut().expect("it has outcomes") {
            // Which ordering is the best is found among those that were seen first.
            let counted = ["outcome", "orderings", "violating", "grade"];
            outcome
                .as_object_mut()
                .expect("it is one")
                .retain(|name, _| counted.contains(&&**name));
        }
        [&view["verdict"], &view["orderings"], &view["executions"], &view["outcomes"]]
            .map(Clone::clone)
    };
    let scenario = "four-threads";
    let whole = counted(&[scenario]);
    let kept = path("kept");
    let limited = explore(&["--checkpoint", &kept, "--max-executions", "100", scenario]);
    status(&limited, 3);
    let another = explore(&["--checkpoint", &kept, RACE]);
    status(&another, 2);
    assert!(stderr(&another).contains("of another body"), "{}", stderr(&another));
    assert_eq!(counted(&["--checkpoint", &kept, scenario]), whole);
    std::fs::remove_file(&kept).expect("it is there");
    for part in ["1/3", "2/3", "3/3"] {
        let file = path(&part.replace('/', "-of-"));
        let output = explore(&["--checkpoint", &file, "--part", part, scenario]);
        status(&output, 0);
        let said = format!("INCOMPLETE: part {}", part.replace('/', " of "));
        assert!(stdout(&output).contains(&said), "{}", stdout(&output));
    }
    let all = folder.to_str().expect("it is text");
    assert_eq!(counted(&["--merge", all, scenario]), whole);
    let [one, two, three] = [path("1-of-3"), path("2-of-3"), path("3-of-3")];
    assert_eq!(counted(&["--merge", &one, &two, &three, scenario]), whole);
    let missing = explore(&["--merge", &[one, three].join(","), scenario]);
    status(&missing, 3);
    assert!(stdout(&missing).contains("part 2 of 3 is missing"), "{}", stdout(&missing));
    std::fs::remove_dir_all(&folder).expect("it is there");
}

#[test]
fn limits_end_with_what_was_found() {
    let views = json(&["--max-executions", "1", RACE]);
    assert_eq!(views[0]["verdict"], "incomplete");
    assert_eq!(views[0]["executions"], 1);
    assert_eq!(views[0]["outcomes"].as_array().map(Vec::len), Some(1));
    status(&explore(&["--max-executions", "5", "--workers", "1", "four-threads"]), 3);
    // One worker, one execution at a time: no more than that.
    let small = ["--generate", "--calls", "2", "--part", "2/50", "--max-executions", "1"];
    let output = explore(&small);
    status(&output, 3);
    assert!(stdout(&output).contains("verdict      INCOMPLETE"), "{}", stdout(&output));
    // What does not hold outweighs what was not explored.
    let crash = ["--system", "kv-engine@before-mb-37702", "mb-37702", "--max-executions", "200"];
    status(&explore(&crash), 1);
}

/// What was found is not all there is, and says so in every format; and even
/// what was expected is no success.
#[test]
fn a_violation_under_a_limit_is_a_part() {
    let late = ["--system", "kv-engine@mb-69075", "late-open", "--workers", "1"];
    let limit = ["--max-executions", "2"];
    for format in ["text", "markdown", "html", "mermaid", "json"] {
        let output = explore(&[&late[..], &limit, &["--format", format]].concat());
        status(&output, 1);
        let text = stdout(&output);
        assert!(text.contains("stopped after 2 executions"), "{format}: {text}");
    }
    let seed = ["--system", "kv-engine@before-mb-37702", "seed", "--workers", "1"];
    status(&explore(&seed), 0);
    for limit in [&["--max-executions", "10"][..], &["--engine=random", "--iterations=200"]] {
        let arguments = [&seed[..], limit].concat();
        let output = explore(&arguments);
        status(&output, 3);
        assert!(stdout(&output).contains("VIOLATED; s"), "{}", stdout(&output));
        let view = json(&arguments).remove(0);
        assert_eq!((&view["verdict"], &view["success"]), (&"violated".into(), &false.into()));
    }
    let one = stdout(&explore(&["--max-executions", "1", RACE]));
    assert!(one.contains("INCOMPLETE: stopped after 1 execution\n"), "{one}");
}

#[test]
fn every_sampler_says_that_it_samples() {
    for engine in ["random", "pct", "urw"] {
        let views = json(&["--engine", engine, "--iterations", "20", RACE]);
        assert_eq!(views[0]["engine"], engine);
        assert_eq!(views[0]["verdict"], "incomplete");
        assert_eq!(views[0]["executions"], 20);
    }
}
