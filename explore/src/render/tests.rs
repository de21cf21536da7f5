//! The formats, on a report with every kind of entry.

use super::text::Detail;
use super::{html, markdown, mermaid, text};
use crate::example::Shown;
use crate::log::{Answer, Outcome};
use crate::report::{Grade, Report, SeenOutcome, Step, Verdict, Violation, Witness, VERSION};
use std::time::Duration;

fn step(thread: usize, operation: &str, object: &str, line: &str, note: &str) -> Step {
    Step {
        thread,
        operation: operation.into(),
        object: object.into(),
        line: line.into(),
        note: note.into(),
    }
}

fn ordering() -> Witness {
    Witness {
        replay: "1.2x3".into(),
        threads: vec!["F".into(), "G <1>".into()],
        steps: vec![
            step(0, "", "", "", "freezing ..."),
            step(0, "lock", "elems", "library/set.rs:12", ""),
            step(0, "unlock", "elems", "library/set.rs:20", ""),
            step(0, "switch", "", "", "the other wants `flag`"),
            step(1, "", "", "", "insert_element(0) ..."),
            step(1, "load", "flag", "library/set.rs:31", "false"),
            step(0, "reset", "bfm", "library/set.rs:40", ""),
            step(0, "", "", "", "freezing: done"),
            step(1, "use", "bfm", "library/a_file_with_quite_a_long_name.rs:4711", "null; # <b>"),
            step(1, "", "", "", "insert_element(0): accepted"),
        ],
    }
}

fn row(answer: &str, orderings: u64, grade: Grade, meaning: Option<&str>) -> SeenOutcome {
    let answered = |thread, call: &str, answer: &str| Answer {
        thread,
        call: call.into(),
        answer: answer.into(),
    };
    SeenOutcome {
        outcome: Outcome {
            answers: vec![
                answered(1, "freezing", "done"),
                answered(2, "insert_element(0)", answer),
            ],
        },
        orderings,
        violating: 0,
        least_preemptions: 0,
        percent: orderings as f64,
        grade,
        meaning: meaning.map(str::to_owned),
        written: false,
        example: Shown::new(ordering(), 1).into(),
    }
}

fn violated() -> Report {
    Report {
        version: VERSION,
        name: "the-seed".into(),
        meaning: "A request | a freezing, with `bad` <i>characters</i>.".into(),
        scenario: "freezing | insert_element(0)".into(),
        system: "sets-old@version1".into(),
        engine: "dpor".into(),
        threads: 2,
        orderings: Some(100),
        executions: 1_234,
        verdict: Verdict::Violated,
        reason: None,
        explored_all: true,
        success: false,
        elapsed: Duration::from_millis(1500),
        outcomes: vec![
            row("accepted", 60, Grade::Forbidden, Some("an element that is lost; it leaks")),
            row("set is frozen", 40, Grade::Required, None),
        ],
        violations: vec![Violation {
            invariant: "no-dangling".into(),
            detail: "an element goes into a set that is gone".into(),
            orderings: 60,
            expected: false,
            witness: ordering(),
        }],
        missing: vec!["insert_element(0): no such element".into()],
        forbidden: vec!["insert_element(0): accepted".into()],
        expected_violations: vec!["no-leak".into()],
        idle_calls: vec!["freezing".into()],
        hints: vec!["forbid step: idel: not seen, as wanted; nearest answer seen: idle".into()],
        show: None,
        command: "cargo run -- --system sets-old@version1".into(),
        usual: false,
    }
}

fn incomplete() -> Report {
    Report {
        name: "a-scenario-with-a-name-that-is-too-long-for-its-column".into(),
        system: "core".into(),
        engine: "random".into(),
        orderings: None,
        executions: 12_345_678,
        verdict: Verdict::Incomplete,
        reason: Some("10000 samples".into()),
        explored_all: false,
        outcomes: vec![row("accepted", 1, Grade::Allowed, None)],
        violations: Vec::new(),
        missing: Vec::new(),
        forbidden: Vec::new(),
        expected_violations: Vec::new(),
        idle_calls: Vec::new(),
        hints: Vec::new(),
        command: "cargo run --".into(),
        usual: true,
        ..violated()
    }
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// No line is wider than a terminal, except the command that is to be copied.
fn fits(text: &str) {
    for line in text.lines().filter(|line| !line.contains("again: ")) {
        assert!(super::layout::width(line) <= super::layout::page(), "{line}");
        assert_eq!(line.trim_end(), line);
    }
}

#[test]
fn as_text() {
    let text = plain(&text::text(
        &[violated(), incomplete()],
        Detail { show: Some(1), ..Detail::default() },
    ));
    fits(&text);
    insta::assert_snapshot!(text);
}

#[test]
fn as_text_of_many_threads() {
    let mut report = violated();
    for threads in [3, 5, 8] {
        let order = &mut report.violations[0].witness;
        order.threads = (1..=threads).map(|thread| format!("thread {thread}")).collect();
        order.steps.iter_mut().for_each(|step| step.thread %= 2);
        order.steps[4].thread = threads - 1;
        let text = plain(&text::text(std::slice::from_ref(&report), Detail::default()));
        fits(&text);
    }
}

#[test]
fn an_expected_violation_is_a_success() {
    let mut report = violated();
    report.success = true;
    report.violations[0].expected = true;
    assert_eq!(report.exit_status(), 0);
    assert_eq!(report.verdict_line(), "VIOLATED, as expected");
    report.success = false;
    assert_eq!(report.exit_status(), 1);
    assert_eq!(incomplete().exit_status(), 3);
    assert_eq!(violated().unseen_violations().collect::<Vec<_>>(), ["no-leak"]);
}

#[test]
fn as_markdown() {
    insta::assert_snapshot!(markdown::markdown(
        &[violated(), incomplete()],
        Detail { show: Some(2), ..Detail::default() }
    ));
}

#[test]
fn as_mermaid() {
    insta::assert_snapshot!(mermaid::mermaid(&[violated()], Detail::default()));
    let shown = mermaid::mermaid(&[incomplete()], Detail::default());
    assert!(shown.contains("outcome 1"), "{shown}");
    let none = mermaid::mermaid(&[incomplete()], Detail { show: Some(2), ..Detail::default() });
    assert!(none.starts_with("%%"), "{none}");
}

/// With many objects only the threads have lifelines.
#[test]
fn as_mermaid_with_many_objects() {
    let mut many = violated();
    let mut steps = vec![step(0, "", "", "", "freezing ...")];
    steps.extend(["a", "b", "c", "d"].map(|object| step(0, "load", object, "", "1")));
    steps.push(step(1, "", "", "", "insert_element(0) ..."));
    steps.extend(["e", "b", "f"].map(|object| step(1, "lock", object, "", "")));
    steps.push(step(1, "switch", "", "", "the other wants e"));
    steps.push(step(0, "use", "f", "", "of a long name that does not fit the line it is in"));
    many.violations[0].witness.steps = steps;
    insta::assert_snapshot!(mermaid::mermaid(&[many], Detail::default()));
}

#[test]
fn as_html() {
    let page =
        html::html(&[violated(), incomplete()], Detail { show: Some(1), ..Detail::default() });
    assert!(!page.contains("<i>characters") && !page.contains("<b>"), "not escaped");
    assert!(!page.contains("<script") && !page.contains("src="), "not self-contained");
    assert_eq!(page.matches("<svg").count(), 4);
    assert_eq!(page.matches("<details open").count(), 2);
    insta::assert_snapshot!(page.replace("><", ">\n<"));
}

#[test]
fn json_says_all_and_is_read_again() {
    for report in [violated(), incomplete()] {
        let report = Report { command: String::new(), usual: false, ..report };
        let line = serde_json::to_string(&report).unwrap();
        assert!(!line.contains('\n'));
        assert_eq!(serde_json::from_str::<Report>(&line).unwrap(), report);
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&violated()).unwrap());
}

#[test]
fn what_is_the_same_everywhere_is_said_once() {
    let report = violated();
    let constant: Vec<_> = report.constant().iter().map(|answer| &*answer.call).collect();
    assert_eq!(constant, ["freezing"]);
    assert!(incomplete().constant().is_empty());
}

/// A report in which each count is 1.
fn one_of_each() -> Report {
    let mut seen = row("accepted", 1, Grade::Required, None);
    seen.least_preemptions = 1;
    let mut broken = violated().violations;
    broken[0].orderings = 1;
    Report {
        threads: 1,
        orderings: Some(1),
        executions: 1,
        outcomes: vec![seen],
        violations: broken,
        ..violated()
    }
}

#[test]
fn one_is_no_plural() {
    let one = one_of_each();
    let other = Report { success: true, name: "another".into(), ..one_of_each() };
    let sampled = Report { orderings: None, name: "a-sample".into(), ..one_of_each() };
    let three = [one.clone(), other, sampled];
    // Their sum is one ordering.
    let eras = [("old", 1), ("new", 0)].map(|(system, orderings)| Report {
        system: system.into(),
        orderings: Some(orderings),
        ..one.clone()
    });
    let detail = Detail { full: true, ..Detail::default() };
    let all = [
        plain(&text::text(&three[..1], detail)),
        plain(&text::text(&three, detail)),
        plain(&text::text(&three, Detail::default())),
        plain(&text::text(&eras, Detail { summary: true, ..detail })),
        markdown::markdown(&three, detail),
        html::html(&three, detail),
    ];
    for (at, said) in all.iter().enumerate() {
        let words: Vec<&str> = said.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        for noun in ["ordering", "execution", "outcome", "thread", "scenario", "preemption"] {
            let wrong =
                words.windows(2).find(|pair| pair[0] == "1" && pair[1] == format!("{noun}s"));
            assert!(wrong.is_none(), "1 {noun}s in:\n{said}");
        }
        assert!(words.windows(2).any(|pair| pair == ["1", "ordering"]), "{at}:\n{said}");
    }
    for wanted in ["1 thread", "1 execution", "needs 1 preemption", "in 1 of 1 ordering"] {
        assert!(all[0].contains(wanted), "{wanted} in:\n{}", all[0]);
    }
    assert!(all[1].contains("1 of 3 scenarios is as it should be"), "{}", all[1]);
    let mut most = one_of_each();
    most.outcomes[0].least_preemptions = 3;
    most.outcomes[0].example = Shown::new(ordering(), 3).into();
    assert_eq!(most.hidden().as_deref(), Some("a bound of 2 preemptions hides 1 of 1 outcome"));
}
