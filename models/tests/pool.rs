//! The example of a system of one's own: CONTRIBUTING.md shows it as it is, it
//! is short, and its bug is found.

/// Its `main` is for `cargo run --example pool`.
#[allow(dead_code)]
#[path = "../examples/pool.rs"]
mod pool;

#[test]
fn the_file_is_shown_as_it_is_and_is_short() {
    let shown = include_str!("../../CONTRIBUTING.md").split("```rust\n").nth(1);
    let example = include_str!("../examples/pool.rs");
    assert_eq!(shown.and_then(|rest| rest.split("```").next()), Some(example));
    let code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
    assert!(example.lines().filter(code).count() < 50);
}

#[cfg(shuttle)]
mod explored {
    use super::pool::Pools;
    use orderings::command::ask;
    use orderings::render::text::{text, Detail};
    use orderings::render::view::Ended;

    #[test]
    fn its_bug_is_found() {
        let answer = ask(Pools, "close | checkout").expect("it can be asked");
        assert_eq!(answer.verdict, Ended::Violated);
        assert_eq!(answer.violations[0].invariant, "closed-is-empty");
        assert!(answer.violations[0].ordering.is_known());
        // Two that do not close have none.
        let answer = ask(Pools, "checkout | checkout").expect("it can be asked");
        assert_eq!(answer.verdict, Ended::Complete);
        assert!(ask(Pools, "close | chekout").is_err());
    }

    /// But for the time that it took.
    #[test]
    fn the_answer_is_shown_as_it_is() {
        let answer = ask(Pools, "close | checkout").expect("it can be asked");
        let answer = anstream::adapter::strip_str(&text(&[answer], Detail::default())).to_string();
        let shown = include_str!("../../CONTRIBUTING.md").split("```text\n").nth(1);
        let shown = shown.and_then(|rest| rest.split("```").next()).expect("it is shown");
        let timeless = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| !line.contains("per second"));
            lines.map(str::to_owned).collect()
        };
        assert_eq!(timeless(shown), timeless(&answer));
    }
}
