//! The language: what it accepts, what it says of the rest, and that it says
//! something of everything.
#![cfg(not(any(loom, shuttle)))]

use orderings::log::Log;
use orderings::parse::{file, scenario, ParseError, MAX_RECEIVERS, MAX_THREADS};
use orderings::scenario::{Argument, Receiver, Scenario};
use orderings::{Instance, Invariant, Model, Operation, Parameter, Setting};
use proptest::prelude::*;
use std::sync::Arc;

/// Calls and settings of every kind. It is read against, and never built.
struct Depot;

const SLOT: Parameter = Parameter { name: "slot", default: Some(0), receiver: false };
const FROM: Parameter = Parameter { name: "from", default: Some(0), receiver: false };
const UPTO: Parameter = Parameter { name: "upto", default: Some(9), receiver: false };
const LIKE: Parameter = Parameter { name: "like", default: Some(0), receiver: true };

const fn on(name: &'static str, arguments: &'static [Parameter]) -> Operation {
    Operation { on_receiver: true, arguments, ..Operation::plain(name, "") }
}

const OPERATIONS: &[Operation] = &[
    Operation::plain("close", ""),
    Operation::plain("work", ""),
    Operation { on_receiver: false, ..on("tell", &[SLOT, UPTO]) },
    on("join", &[LIKE]).creating(),
    on("leave", &[]),
    on("fetch", &[SLOT, FROM, UPTO]),
    on("take", &[]),
    on("peek", &[]),
];

const NO_LOSS: Invariant = Invariant::new("no-loss", "nothing is lost");
const NO_SPILL: Invariant = Invariant::new("no-spill", "nothing is spilt");

impl Model for Depot {
    fn name(&self) -> String {
        "depot".into()
    }

    fn receiver(&self) -> &str {
        "porter"
    }

    fn operations(&self) -> &[Operation] {
        OPERATIONS
    }

    fn settings(&self) -> &[Setting] {
        const { &[Setting::new("size", 1, ""), Setting::new("rooms", 4, "")] }
    }

    fn limit(&self, name: &str) -> u64 {
        match name {
            "slot" => 65_535,
            "size" => 1 << 20,
            _ => u64::MAX,
        }
    }

    fn invariants(&self) -> Vec<Invariant> {
        vec![NO_LOSS, NO_SPILL]
    }

    fn build(&self, _: &Arc<Scenario>, _: &Arc<Log>) -> Arc<dyn Instance> {
        unreachable!("it is only read against")
    }
}

fn parse(text: &str) -> Result<Scenario, ParseError> {
    scenario(text, &Depot)
}

fn read(text: &str) -> Result<Vec<Scenario>, ParseError> {
    file(text, &Depot)
}

#[test]
fn threads_calls_connections_and_arguments() {
    let parsed = parse("close | a.fetch(0, 5,7); take | b.fetch(1)").unwrap();
    assert_eq!(parsed.threads.len(), 3);
    assert_eq!(parsed.receivers, ["a", "b"]);
    let call = &parsed.threads[1][0];
    assert_eq!((call.operation, call.receiver), ("fetch", Some(Receiver(0))));
    assert_eq!(call.arguments, [0, 5, 7].map(Argument::Int));
    assert_eq!(call.text, "a.fetch(0, 5, 7)");
    assert_eq!(parsed.threads[1][1].receiver, Some(Receiver(0)));
    assert_eq!(parsed.threads[0][0].receiver, None);
}

#[test]
fn prologue_epilogue_settings_repetition_and_comments() {
    let text = "{ size=3; fetch # the first\n; rooms = 2 } take * 3 | close { peek }";
    let parsed = parse(text).unwrap();
    assert_eq!(parsed.settings, [("size".to_owned(), 3), ("rooms".to_owned(), 2)]);
    assert_eq!(parsed.prologue.len(), 1);
    assert_eq!(parsed.threads.len(), 4);
    assert_eq!(parsed.epilogue.len(), 1);
    let canonical = "{ size=3; rooms=2; fetch } take * 3 | close { peek }";
    assert_eq!(parsed.text, canonical);
}

#[test]
fn what_is_joined_reads_as_an_argument() {
    for text in ["join(c, a)", "c.join(a)", "join( c,a )"] {
        let parsed = parse(text).unwrap();
        assert_eq!(parsed.text, "join(c, a)");
        assert_eq!(parsed.receivers, ["c", "a"]);
        assert_eq!(parsed.created, [Receiver(0)]);
        assert_eq!(parsed.threads[0][0].arguments, [Argument::Receiver(Receiver(1))]);
    }
    assert_eq!(parse("leave(b)").unwrap().text, "b.leave");
}

/// The place, what is wrong there, and the hint.
fn complaint(error: ParseError) -> String {
    error.to_string()
}

#[test]
fn mistakes_are_shown_at_their_place() {
    let bad = [
        "",
        "close |",
        "close | | take",
        "close | fethc(0)",
        "close | a.fetch(0); a.tke",
        "close | xyzzy",
        "a.close",
        "close take",
        "take(1)",
        "fetch(x y)",
        "fetch(0, b)",
        "close | fetch(x)",
        "close | fetch(-1)",
        "{ size=-1 } close",
        "take * 3 * 2",
        "fetch(1, 2, 3, 4)",
        "fetch(70000)",
        "fetch(99999999999999999999)",
        "fetch(1a)",
        "fetch(",
        "take * 0",
        "take * 17",
        "take * 18446744073709551615",
        "{ size=1",
        "{ sze=1 } take",
        "{ size=1; size=2 } take",
        "{ size=99999999 } take",
        "{ size=a } take",
        "take { size=1 }",
        "take { peek } take",
        "take \u{1b}[31m",
        "take\n| close\n| takee\t; é",
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
        "# comment\n\none: close | fetch(0) * 2\n    # A sentence,\n    # in two lines.\n    \
         require fetch(0)#2: accepted, ended *; close: done\n    \
         forbid fetch(0): accepted\n    \
         means fetch(0): map shut down = too late\n    \
         expect violated no-loss\ntwo: take\r\n",
    );
    let scenarios = scenarios.unwrap();
    let [one, two] = &scenarios[..] else { panic!("two scenarios") };
    assert_eq!(one.meaning, "A sentence, in two lines.");
    assert_eq!(one.requires[0].clauses.len(), 2);
    assert_eq!(one.requires[0].clauses[0].calls.len(), 1);
    assert_eq!(one.requires[0].clauses[0].calls[0].thread, 3);
    assert_eq!(one.forbids[0].clauses[0].calls.len(), 2);
    assert_eq!(one.means[0].1, "too late");
    assert_eq!(one.expects, [NO_LOSS]);
    assert_eq!((two.name.as_str(), two.text.as_str()), ("two", "take"));
    assert_eq!(read(&format!("{}{}", one.stanza(), two.stanza())).unwrap(), scenarios);
}

#[test]
fn mistakes_in_a_file_are_shown_at_their_place() {
    let bad = [
        "no colon here\n",
        ": take\n",
        "    require take: idle\n",
        "a: take\nb: taek\n",
        "a: take\na: close\n",
        "a: take\n    requre take: idle\n",
        "a: take\n    something\n",
        "a: take\n    require take\n",
        "a: take\n    require take:\n",
        "a: take\n    require close: done\n",
        "a: take\n    require b.take: idle\n",
        "a: take | take\n    require take#3: idle\n",
        "a: take | take\n    require take#x: idle\n",
        "a: take\n    require take: idle; stop: idle\n",
        "a: take\n    means take: idle\n",
        "a: take\n    means take: idle =\n",
        "a: take\n    expect no-spill\n",
        "a: take\n    expect violated no-spil\n",
        "a: take\n    expect violated\n",
    ];
    let complaints = bad.map(|text| {
        let error = read(text).expect_err(text).in_file("mine.txt");
        format!("{text:?}\n{}\n", complaint(error))
    });
    insta::assert_snapshot!(complaints.join("\n"));
}

/// Of a line that nobody can read, what is around the place.
#[test]
fn a_long_line_is_shown_in_part() {
    let long = format!("{} | tkae", vec!["take"; 16].join("; ")).replace("; ", &" ".repeat(1000));
    for text in [long, "x".repeat(1 << 20), "é".repeat(1 << 20)] {
        let said = complaint(parse(&text).expect_err("it makes no sense"));
        assert!(said.len() < 10_000 && said.contains("..."), "{}", said.len());
        assert!(said.lines().all(|line| line.chars().count() < 1000), "{said}");
    }
}

#[test]
fn limits_are_errors() {
    assert!(parse(&format!("take * {MAX_THREADS}")).is_ok());
    assert!(parse(&format!("take * {}", MAX_THREADS + 1)).is_err());
    assert!(parse(&vec!["take"; MAX_THREADS + 1].join("|")).is_err());
    assert!(parse(&vec!["take"; 10_000].join(";")).is_err());
    assert!(parse(&format!("{{ {} }} take", "take;".repeat(10_000))).is_err());
    assert!(parse(&format!("{} * 16", vec!["take"; 20].join(";"))).is_err());
    let many: Vec<String> = (0..=MAX_RECEIVERS).map(|n| format!("c{n}.take")).collect();
    assert!(parse(&many.join(";")).is_err());
    assert!(parse(&"(".repeat(100_000)).is_err());
    assert!(parse(&"x".repeat(100_000)).is_err());
}

fn call() -> impl Strategy<Value = String> {
    let conn = prop_oneof![Just(""), Just("a."), Just("b."), Just("long_name.")];
    let on = prop_oneof![
        Just("fetch(0)".to_owned()),
        (0u32..9, 0u32..9).prop_map(|(vb, start)| format!("fetch({vb} ,{start})")),
        Just("take".to_owned()),
        Just("leave()".to_owned()),
        Just("join".to_owned()),
        Just("join(b)".to_owned()),
    ];
    let off = prop_oneof![Just("close"), Just("work"), Just("tell(1, 2)")];
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
        (0u32..99, calls()).prop_map(|(n, calls)| format!("{{size={n};{calls}}}")),
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
        let _ = read(&format!("n: take\n require {text}\n means {text}\n {text}")).map_err(complaint);
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
    let whole = "{ size=1; take } a.fetch(0, 1) | take * 2 { join(b, a) }";
    for rest in ["", " ", "\u{a0}", "\u{3000}", "\u{1f7e0}", "# \u{1f7e0}"] {
        for at in 0..=whole.len() {
            let text = format!("{}{rest}", &whole[..at]);
            let _ = parse(&text).map_err(complaint);
            let _ = read(&format!("n: {text}\n require {text}")).map_err(complaint);
        }
    }
}
