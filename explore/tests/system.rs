//! Systems of one's own: receivers and what is heard of calls later, what a test
//! says when it fails, and what is shown of an ordering.
#![cfg(not(loom))]

use orderings::engine::{explore, Options};
use orderings::sync::atomic::{AtomicU64, Ordering::SeqCst};
use orderings::sync::{Condvar, Mutex};
use orderings::{parse, CallId, Model, Report, System, Verdict};
use std::collections::BTreeMap;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

fn report(system: impl Model + 'static, scenario: &str) -> Report {
    let system: Arc<dyn Model> = Arc::new(system);
    let scenario = Arc::new(parse::scenario(scenario, &*system).expect("a scenario"));
    explore(&system, &scenario, &Options::default()).expect("it is explored")
}

/// What a test says that explores this.
fn said<T: Send + Sync + 'static>(system: System<T>, scenarios: &[&str]) -> String {
    let failed = catch_unwind(AssertUnwindSafe(|| system.holds_in(scenarios)));
    *failed.expect_err("something does not hold").downcast().expect("a text")
}

/// A counter that is read and written in two steps.
fn counter() -> System<AtomicU64> {
    System::new("counter", AtomicU64::default).call("add", |counter, _| {
        let seen = counter.load(SeqCst);
        counter.store(seen + 1, SeqCst);
        seen
    })
}

/// Each ends where it began unless a thread is left between its two steps.
#[test]
fn an_outcome_says_how_many_preemptions_are_enough() {
    let found = report(counter(), "add | add");
    let needed = |answers: [&str; 2]| {
        let of = |seen: &&orderings::report::SeenOutcome| {
            let answered = seen.outcome.answers.iter().map(|answer| &*answer.answer);
            answered.eq(answers)
        };
        found.outcomes.iter().find(of).and_then(|seen| seen.example.show().preemptions)
    };
    assert_eq!(needed(["0", "1"]), Some(0));
    assert_eq!(needed(["1", "0"]), Some(0));
    assert_eq!(needed(["0", "0"]), Some(1));
}

/// A step of a call on one number.
#[derive(Clone, Copy)]
enum Micro {
    Load,
    StoreNext,
    FetchAdd,
    Set,
}

/// The steps of each call of [`number`]. What it answers is what it has read last.
fn micro(call: &str) -> &'static [Micro] {
    match call {
        "add" => &[Micro::Load, Micro::StoreNext],
        "bump" => &[Micro::FetchAdd],
        "get" => &[Micro::Load],
        _ => &[Micro::Set],
    }
}

fn number() -> System<AtomicU64> {
    counter()
        .call("bump", |number, _| number.fetch_add(1, SeqCst))
        .call("get", |number, _| number.load(SeqCst))
        .call("set", |number, _| {
            number.store(7, SeqCst);
            0
        })
}

/// By brute force: of each outcome the fewest preemptions of any schedule.
#[derive(Default)]
struct Schedules(BTreeMap<Vec<u64>, u32>);

/// How far a schedule has come.
#[derive(Clone, Default)]
struct State {
    value: u64,
    /// By thread: the call, its next step, and the answers so far.
    at: Vec<(usize, usize)>,
    answers: Vec<Vec<u64>>,
    last: Option<usize>,
    preemptions: u32,
}

impl Schedules {
    fn run(&mut self, threads: &[Vec<&str>], state: &State) {
        let over = |thread: usize| state.at[thread].0 == threads[thread].len();
        if (0..threads.len()).all(over) {
            let fewest = self.0.entry(state.answers.concat()).or_insert(u32::MAX);
            *fewest = state.preemptions.min(*fewest);
        }
        for thread in (0..threads.len()).filter(|thread| !over(*thread)) {
            let mut next = state.clone();
            let taken = state.last.is_some_and(|last| last != thread && !over(last));
            next.preemptions += u32::from(taken);
            next.last = Some(thread);
            let (call, step) = state.at[thread];
            let steps = micro(threads[thread][call]);
            if step == 0 {
                next.answers[thread].push(0);
            }
            let answer = next.answers[thread].last_mut().unwrap();
            match steps[step] {
                Micro::Load => *answer = next.value,
                Micro::StoreNext => next.value = *answer + 1,
                Micro::FetchAdd => {
                    *answer = next.value;
                    next.value += 1;
                }
                Micro::Set => next.value = 7,
            }
            next.at[thread] =
                if step + 1 == steps.len() { (call + 1, 0) } else { (call, step + 1) };
            self.run(threads, &next);
        }
    }
}

#[test]
fn the_fewest_preemptions_are_those_of_brute_force() {
    let mut most = 0;
    for text in [
        "add | add",
        "add; add | add",
        "add; add | add; add",
        "add; get | set; bump; add",
        "add | add | add",
        "add; get | bump; get | set",
        "get; get; get | add; add",
    ] {
        let threads: Vec<Vec<&str>> =
            text.split(" | ").map(|thread| thread.split("; ").collect()).collect();
        let mut schedules = Schedules::default();
        let (at, answers) = (vec![(0, 0); threads.len()], vec![Vec::new(); threads.len()]);
        schedules.run(&threads, &State { at, answers, ..State::default() });
        let system: Arc<dyn Model> = Arc::new(number());
        let scenario = Arc::new(parse::scenario(text, &*system).expect("a scenario"));
        let options = Options { preemptions: true, ..Options::default() };
        let found = explore(&system, &scenario, &options).expect("it is explored");
        let seen: BTreeMap<Vec<u64>, u32> = found
            .outcomes
            .iter()
            .map(|seen| {
                assert_eq!(seen.example.show().preemptions, Some(seen.least_preemptions), "{text}");
                let answers = seen.outcome.answers.iter().map(|a| a.answer.parse().unwrap());
                (answers.collect(), seen.least_preemptions)
            })
            .collect();
        assert_eq!(seen, schedules.0, "{text}");
        most = most.max(seen.into_values().max().unwrap_or(0));
    }
    assert!(most > 2, "nothing here needs more than the customary bound");
}

/// A search that a limit has ended says what it knows.
#[test]
fn preemptions_that_were_not_searched_are_no_minimum() {
    let system: Arc<dyn Model> = Arc::new(number());
    let text = "add; add | add; add";
    let scenario = Arc::new(parse::scenario(text, &*system).expect("a scenario"));
    let least = |preemptions, max_executions| {
        let options = Options { preemptions, max_executions, ..Options::default() };
        let found = explore(&system, &scenario, &options).expect("it is explored");
        found.outcomes.iter().map(|seen| seen.least_preemptions).max()
    };
    assert_eq!(least(false, None), Some(0));
    assert_eq!(least(true, Some(1)), Some(0));
    assert!(least(true, None) > Some(1));
}

#[test]
fn linearizable_is_held_against_the_system_alone() {
    let found = report(counter().linearizable(), "add | add");
    assert_eq!(found.violations.len(), 1);
    assert_eq!(found.violations[0].invariant, "linearizable");
    let atomic = System::new("atomic", AtomicU64::default)
        .call("add", |counter, _| counter.fetch_add(1, SeqCst))
        .linearizable();
    assert_eq!(report(atomic, "add; add | add").verdict, Verdict::Complete);
}

/// Of two threads that are written alike each has a number, and one ordering that
/// breaks two invariants is shown once.
#[test]
fn an_ordering_that_breaks_several_is_shown_once() {
    let system =
        counter()
            .linearizable()
            .invariant("all-counted", "each add is counted", |counter| counter.load(SeqCst) == 2);
    let text = said(system, &["add | add"]);
    assert!(text.contains("violated: all-counted") && text.contains("violated: linearizable"));
    assert_eq!(text.matches("add #1 ").count(), 1, "{text}");
    assert_eq!(text.matches("--replay").count(), 1, "{text}");
}

#[test]
fn a_forbidden_outcome_has_an_ordering_and_a_show_that_matches_nothing_a_hint() {
    let forbidding = "race: add | add\n    forbid add#1: 0; add#2: 0\n    show add: 7\n";
    let failed = catch_unwind(AssertUnwindSafe(|| counter().scenarios(forbidding).holds()));
    let text: String = *failed.expect_err("it is forbidden").downcast().expect("a text");
    assert!(text.contains("forbidden and seen"), "{text}");
    assert!(text.contains("an ordering that leads to outcome 1"), "{text}");
    assert!(text.contains("show add: 7: no outcome looks so"), "{text}");
}

#[test]
fn a_test_without_a_scenario_fails() {
    assert!(catch_unwind(AssertUnwindSafe(|| counter().holds())).is_err());
}

/// Queues that a call makes, and of whose messages something is heard later.
struct Queues(Vec<Mutex<(bool, Vec<CallId>)>>);

fn queues() -> System<Queues> {
    System::with_setup("queues", |setup| {
        let there = (0..setup.receivers()).map(|queue| setup.is_there(queue));
        Queues(there.map(|there| Mutex::new((there, Vec::new()))).collect())
    })
    .receiver("queue", "make")
    .call("queue.make", |queues, args| {
        queues.0[args.receiver()].lock().unwrap().0 = true;
        "made"
    })
    .call("queue.send", |queues, args| {
        let mut queue = queues.0[args.receiver()].lock().unwrap();
        let there = queue.0;
        if there {
            queue.1.push(args.id());
        }
        if there {
            "sent"
        } else {
            "no such queue"
        }
    })
    .call("queue.drop_all", |queues, args| {
        let sent = std::mem::take(&mut queues.0[args.receiver()].lock().unwrap().1);
        sent.iter().for_each(|of| args.news(*of, "dropped"));
        sent.len()
    })
    .linearizable()
}

#[test]
fn receivers_and_news() {
    let texts = |scenario: &str| -> Vec<String> {
        let found = report(queues(), scenario);
        assert_eq!(found.verdict, Verdict::Complete, "{found:?}");
        found.outcomes.iter().map(|seen| seen.outcome.to_string()).collect()
    };
    let seen = texts("b.send | b.drop_all");
    assert_eq!(seen, ["b.send: sent | b.drop_all: 0", "b.send: sent, dropped | b.drop_all: 1"]);
    let seen = texts("make(c) | c.send");
    assert_eq!(seen, ["make(c): made | c.send: no such queue", "make(c): made | c.send: sent"]);
    let system = queues();
    let error = parse::scenario("a.sned", &system).unwrap_err().to_string();
    assert!(error.contains("did you mean `send`?"), "{error}");
}

/// What comes before a race is told in brief, unless more is asked for.
#[test]
fn a_prologue_is_told_in_brief() {
    let system: Arc<dyn Model> = Arc::new(queues());
    let text = "{ send } send | drop_all";
    let scenario = Arc::new(parse::scenario(text, &*system).expect("a scenario"));
    let steps = |prologue| {
        let options = Options { prologue, ..Options::default() };
        let found = explore(&system, &scenario, &options).expect("it is explored");
        let witness = found.outcomes[0].example.show().witness;
        let race = witness.steps.iter().position(|step| step.note.ends_with("send: sent"));
        race.expect("the prologue has answered")
    };
    assert_eq!(steps(false), 0);
    assert!(steps(true) > 1);
}

/// Workers that take jobs, and wait for them.
#[derive(Default)]
struct Jobs {
    queued: Mutex<u64>,
    more: Condvar,
}

fn jobs() -> System<Jobs> {
    System::new("jobs", Jobs::default)
        .call("take", |jobs, _| {
            let mut queued = jobs.queued.lock().unwrap();
            while *queued == 0 {
                queued = jobs.more.wait(queued).unwrap();
            }
            *queued -= 1;
            "taken"
        })
        .call("put", |jobs, _| {
            *jobs.queued.lock().unwrap() += 1;
            jobs.more.notify_one();
            "put"
        })
        .call("put_silently", |jobs, _| {
            *jobs.queued.lock().unwrap() += 1;
            "put"
        })
        .call("lock_twice", |jobs, _| {
            let _first = jobs.queued.lock().unwrap();
            let second = jobs.queued.lock().unwrap();
            *second
        })
        .waits("take", |jobs| *jobs.queued.lock().unwrap() == 0)
}

/// Whoever waits because there is nothing to do is at rest, and the outcome says so.
#[test]
fn who_may_wait_for_ever_is_no_deadlock() {
    for (question, outcomes) in [
        ("take", &["take: waits"][..]),
        ("take | put", &["take: taken | put: put"]),
        (
            "put | take | take",
            &["put: put | take: taken | take: waits", "put: put | take: waits | take: taken"],
        ),
        ("{ take } put", &[]),
        ("take { put }", &["take: taken | put: put"]),
    ] {
        let found = report(jobs(), question);
        let seen: Vec<String> =
            found.outcomes.iter().map(|seen| seen.outcome.to_string()).collect();
        assert_eq!(seen, outcomes, "{question}");
        let wanted = if outcomes.is_empty() { Verdict::Violated } else { Verdict::Complete };
        assert_eq!(found.verdict, wanted, "{question}: {found:?}");
    }
}

/// The system's word decides, and only about who waits where it may.
#[test]
fn who_has_no_reason_to_wait_is_a_deadlock() {
    let found = report(jobs(), "take | put_silently");
    let broken: Vec<_> = found.violations.iter().map(|v| (&*v.invariant, &*v.detail)).collect();
    assert_eq!(broken, [("no-deadlock", "take waits for ever, and has no reason to")]);
    // In the other ordering the job is there before the worker.
    assert_eq!((found.violations[0].orderings, found.orderings), (1, Some(2)));
    let found = report(jobs(), "take | lock_twice");
    let broken: Vec<_> = found.violations.iter().map(|v| (&*v.invariant, v.orderings)).collect();
    assert_eq!(broken, [("no-deadlock", found.orderings.unwrap())]);
}
