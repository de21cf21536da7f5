//! The language: what it accepts, what it says of the rest, and that it says
//! something of everything.

use connmap_models::systems;
use connmap_models::Invariant;
use orderings::parse::{file, scenario, ParseError, MAX_RECEIVERS, MAX_THREADS};
use orderings::scenario::{Argument, Receiver as Conn, Scenario};
use proptest::prelude::*;

fn parse(text: &str) -> Result<Scenario, ParseError> {
    scenario(text, &*systems::find("core").unwrap())
}

fn read(text: &str) -> Result<Vec<Scenario>, ParseError> {
    file(text, &*systems::find("core").unwrap())
}

#[test]
fn threads_calls_connections_and_arguments() {
    let parsed = parse("shutdown | a.stream_request(0, 5,7); step | b.stream_request(1)").unwrap();
    assert_eq!(parsed.threads.len(), 3);
    assert_eq!(parsed.receivers, ["a", "b"]);
    let call = &parsed.threads[1][0];
    assert_eq!((call.operation, call.receiver), ("stream_request", Some(Conn(0))));
    assert_eq!(call.arguments, [0, 5, 7].map(Argument::Int));
    assert_eq!(call.text, "a.stream_request(0, 5, 7)");
    assert_eq!(parsed.threads[1][1].receiver, Some(Conn(0)));
    assert_eq!(parsed.threads[0][0].receiver, None);
}

#[test]
fn prologue_epilogue_settings_repetition_and_comments() {
    let text =
        "{ items=3; stream_request # the first\n; slots = 2 } step * 3 | shutdown { lookup }";
    let parsed = parse(text).unwrap();
    assert_eq!(parsed.settings, [("items".to_owned(), 3), ("slots".to_owned(), 2)]);
    assert_eq!(parsed.prologue.len(), 1);
    assert_eq!(parsed.threads.len(), 4);
    assert_eq!(parsed.epilogue.len(), 1);
    let canonical = "{ items=3; slots=2; stream_request } step * 3 | shutdown { lookup }";
    assert_eq!(parsed.text, canonical);
}

#[test]
fn what_is_opened_reads_as_an_argument() {
    for text in ["open(c, a)", "c.open(a)", "open( c,a )"] {
        let parsed = parse(text).unwrap();
        assert_eq!(parsed.text, "open(c, a)");
        assert_eq!(parsed.receivers, ["c", "a"]);
        assert_eq!(parsed.created, [Conn(0)]);
        assert_eq!(parsed.threads[0][0].arguments, [Argument::Receiver(Conn(1))]);
    }
    assert_eq!(parse("disconnect(b)").unwrap().text, "b.disconnect");
}

/// The place, what is wrong there, and the hint.
fn complaint(error: ParseError) -> String {
    error.to_string()
}

#[test]
fn mistakes_are_shown_at_their_place() {
    let bad = [
        "",
        "shutdown |",
        "shutdown | | step",
        "shutdown | stream_requst(0)",
        "shutdown | a.stream_request(0); a.stp",
        "shutdown | xyzzy",
        "a.shutdown",
        "shutdown step",
        "step(1)",
        "stream_request(x y)",
        "stream_request(0, b)",
        "shutdown | stream_request(x)",
        "shutdown | stream_request(-1)",
        "{ items=-1 } shutdown",
        "step * 3 * 2",
        "stream_request(1, 2, 3, 4)",
        "stream_request(70000)",
        "stream_request(99999999999999999999)",
        "stream_request(1a)",
        "stream_request(",
        "step * 0",
        "step * 17",
        "step * 18446744073709551615",
        "{ items=1",
        "{ itms=1 } step",
        "{ items=1; items=2 } step",
        "{ items=99999999 } step",
        "{ items=a } step",
        "step { items=1 }",
        "step { lookup } step",
        "step \u{1b}[31m",
        "step\n| shutdown\n| stepp\t; é",
        "é",
    ];
    let complaints = bad.map(|text| {
        let error = parse(text).expect_err(text);
        format!("{text:?}\n{}\n", complaint(error))
    });
    insta::assert_snapshot!(complaints.join("\n"));
}

#[test]
fn a_file_says_what_is_expected() {
    let scenarios = read(
        "# comment\n\none: shutdown | stream_request(0) * 2\n    # A sentence,\n    # in two lines.\n    \
         require stream_request(0)#2: accepted, ended *; shutdown: done\n    \
         forbid stream_request(0): accepted\n    \
         means stream_request(0): map shut down = too late\n    \
         expect violated no-dangling\ntwo: step\r\n",
    );
    let scenarios = scenarios.unwrap();
    let [one, two] = &scenarios[..] else { panic!("two scenarios") };
    assert_eq!(one.meaning, "A sentence, in two lines.");
    assert_eq!(one.requires[0].clauses.len(), 2);
    assert_eq!(one.requires[0].clauses[0].calls.len(), 1);
    assert_eq!(one.requires[0].clauses[0].calls[0].thread, 3);
    assert_eq!(one.forbids[0].clauses[0].calls.len(), 2);
    assert_eq!(one.means[0].1, "too late");
    assert_eq!(one.expects, [Invariant::NoDangling.into()]);
    assert_eq!((two.name.as_str(), two.text.as_str()), ("two", "step"));
    assert_eq!(read(&format!("{}{}", one.stanza(), two.stanza())).unwrap(), scenarios);
}

#[test]
fn mistakes_in_a_file_are_shown_at_their_place() {
    let bad = [
        "no colon here\n",
        ": step\n",
        "    require step: idle\n",
        "a: step\nb: stpe\n",
        "a: step\na: shutdown\n",
        "a: step\n    requre step: idle\n",
        "a: step\n    something\n",
        "a: step\n    require step\n",
        "a: step\n    require step:\n",
        "a: step\n    require shutdown: done\n",
        "a: step\n    require b.step: idle\n",
        "a: step | step\n    require step#3: idle\n",
        "a: step | step\n    require step#x: idle\n",
        "a: step\n    require step: idle; stop: idle\n",
        "a: step\n    means step: idle\n",
        "a: step\n    means step: idle =\n",
        "a: step\n    expect no-leak\n",
        "a: step\n    expect violated no-lek\n",
        "a: step\n    expect violated\n",
    ];
    let complaints = bad.map(|text| {
        let error = read(text).expect_err(text).in_file("mine.txt");
        format!("{text:?}\n{}\n", complaint(error))
    });
    insta::assert_snapshot!(complaints.join("\n"));
}

#[test]
fn limits_are_errors() {
    assert!(parse(&format!("step * {MAX_THREADS}")).is_ok());
    assert!(parse(&format!("step * {}", MAX_THREADS + 1)).is_err());
    assert!(parse(&vec!["step"; MAX_THREADS + 1].join("|")).is_err());
    assert!(parse(&vec!["step"; 10_000].join(";")).is_err());
    assert!(parse(&format!("{{ {} }} step", "step;".repeat(10_000))).is_err());
    assert!(parse(&format!("{} * 16", vec!["step"; 20].join(";"))).is_err());
    let many: Vec<String> = (0..=MAX_RECEIVERS).map(|n| format!("c{n}.step")).collect();
    assert!(parse(&many.join(";")).is_err());
    assert!(parse(&"(".repeat(100_000)).is_err());
    assert!(parse(&"x".repeat(100_000)).is_err());
}

#[test]
fn the_scenarios_that_ship_are_well_formed() {
    for system in systems::all() {
        let scenarios = file(system.scenarios(), &*system).unwrap();
        for scenario in scenarios {
            assert!(!scenario.meaning.is_empty(), "{} says nothing", scenario.name);
            let again = file(&scenario.stanza(), &*system).unwrap();
            assert_eq!(again, [scenario]);
        }
    }
}

fn call() -> impl Strategy<Value = String> {
    let conn = prop_oneof![Just(""), Just("a."), Just("b."), Just("long_name.")];
    let on = prop_oneof![
        Just("stream_request(0)".to_owned()),
        (0u32..9, 0u32..9).prop_map(|(vb, start)| format!("stream_request({vb} ,{start})")),
        Just("step".to_owned()),
        Just("disconnect()".to_owned()),
        Just("open".to_owned()),
        Just("open(b)".to_owned()),
    ];
    let off = prop_oneof![Just("shutdown"), Just("run_backfill"), Just("notify(1, 2)")];
    prop_oneof![(conn, on).prop_map(|(c, o)| format!("{c}{o}")), off.prop_map(str::to_owned)]
}

/// Signs, numbers at the edge of what is one, and spaces and letters that are
/// more than a byte: behind what is missing at the end, too.
fn put() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[-a-z{}|;*=.,()#:\n0-9é]{0,3}",
        1 => "[0-9]{19,21}",
        1 => "[|;.(]?[\u{a0}\u{3000}é\u{1f7e0}]{1,2}",
    ]
}

fn valid() -> impl Strategy<Value = String> {
    let calls = || proptest::collection::vec(call(), 1..4).prop_map(|calls| calls.join(" ; "));
    let thread = (calls(), 1u32..4).prop_map(|(calls, times)| format!("{calls} * {times}"));
    let threads = proptest::collection::vec(thread, 1..5).prop_map(|threads| threads.join("|"));
    let prologue = prop_oneof![
        Just(String::new()),
        (0u32..99, calls()).prop_map(|(n, calls)| format!("{{items={n};{calls}}}")),
        Just("{ }".to_owned()),
    ];
    let epilogue =
        prop_oneof![Just(String::new()), calls().prop_map(|calls| format!("{{ {calls} }} # end"))];
    (prologue, threads, epilogue).prop_map(|(p, t, e)| format!("{p}{t}{e}"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(text in any::<String>()) {
        let _ = parse(&text).map_err(complaint);
        let _ = read(&text).map_err(complaint);
    }

    #[test]
    fn nothing_panics_on_signs(text in "[-a-c{}|;*=.,()#:\n\r \t0-9é]{0,60}") {
        let _ = parse(&text).map_err(complaint);
        let _ = read(&text).map_err(complaint);
        let _ = read(&format!("n: {text}")).map_err(complaint);
        let _ = read(&format!("n: step\n require {text}\n means {text}\n {text}")).map_err(complaint);
    }

    #[test]
    fn nothing_panics_near_valid_scenarios(
        text in valid(),
        at in any::<prop::sample::Index>(),
        removed in 0usize..4,
        put in put(),
    ) {
        let mut chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len() + 1);
        chars.splice(at..(at + removed).min(chars.len()), put.chars());
        let text: String = chars.into_iter().collect();
        let _ = parse(&text).map_err(complaint);
        let _ = read(&format!("name: {text}")).map_err(complaint);
    }

    #[test]
    fn what_is_printed_is_read_again(text in valid()) {
        let first = parse(&text).unwrap();
        let again = parse(&first.to_string()).unwrap();
        prop_assert_eq!(&again, &first);
        prop_assert_eq!(&read(&first.stanza().replacen(&first.name, "n", 1)).unwrap()[0].threads, &first.threads);
    }
}

/// Where the text breaks off, whatever follows that means nothing.
#[test]
fn nothing_panics_where_a_scenario_breaks_off() {
    let whole = "{ items=1; step } a.stream_request(0, 1) | step * 2 { open(b, a) }";
    for rest in ["", " ", "\u{a0}", "\u{3000}", "\u{1f7e0}", "# \u{1f7e0}"] {
        for at in 0..=whole.len() {
            let text = format!("{}{rest}", &whole[..at]);
            let _ = parse(&text).map_err(complaint);
            let _ = read(&format!("n: {text}\n require {text}")).map_err(complaint);
        }
    }
}

/// Whatever number is written, it is refused or can be built and run.
#[test]
fn numbers_that_are_too_large_are_errors_on_every_system() {
    let huge = u64::MAX - 1;
    for system in systems::all() {
        let refused = |text: String| {
            assert!(scenario(&text, &*system).is_err(), "{}: {text}", system.name());
        };
        refused(format!("stream_request({huge})"));
        refused(format!("notify({huge})"));
        refused(format!("set_vb_state(0, {huge}) | set_vb_state({huge}, 0)"));
        refused(format!("stream_request(0, {huge})"));
        for setting in ["items", "buffer", "scan", "slots"] {
            refused(format!("{{ {setting}={huge} }} shutdown"));
        }
    }
    let seed = systems::find(systems::kv_engine::SEED).unwrap();
    for setting in ["order", "memory_high"] {
        assert!(scenario(&format!("{{ {setting}=4 }} shutdown"), &*seed).is_err());
    }
}
