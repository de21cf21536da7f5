//! Optimal dynamic partial-order reduction, by this project's
//! `shuttle-dpor`; and shuttle's own schedulers, on the same primitives.

use super::{Options, Progress, Strategy, Unavailable};
use crate::harness::{execute, Observation, BEGIN, END, RACE};
use crate::report::{SeenOutcome, Step, Verdict, Violation, Witness};
use crate::{Model, Outcome, Report, Scenario};
use shuttle_dpor::{Explorer, Token, What};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often somebody is told.
const TELL: Duration = Duration::from_millis(100);

/// Explores, up to the limits of the options.
pub fn explore(system: &Arc<dyn Model>, scenario: &Arc<Scenario>, options: &Options) -> Report {
    let found = explorer(options).explore(body(system, scenario));
    let outcomes = found.outcomes.into_iter().map(|(outcome, seen)| SeenOutcome {
        outcome,
        orderings: seen.orderings,
        violating: seen.violating,
        preemptions: Some(preemptions(&seen.witness)),
        witness: Some(witness(seen.witness, seen.token.to_string(), options.prologue)),
    });
    // The engine tells deadlocks and panics apart by their places; an invariant is one.
    let mut violations: Vec<Violation> = Vec::new();
    for seen in found.violations {
        let invariant = seen.name;
        match violations.last_mut().filter(|last| last.invariant == invariant) {
            Some(last) => last.orderings += seen.orderings,
            None => violations.push(Violation {
                invariant,
                detail: seen.detail,
                orderings: seen.orderings,
                witness: Some(witness(seen.witness, seen.token.to_string(), options.prologue)),
            }),
        }
    }
    Report {
        executions: found.executions,
        orderings: (options.strategy == Strategy::Dpor).then_some(found.orderings),
        elapsed: found.elapsed,
        verdict: found.incomplete.map_or(Verdict::Complete, incomplete),
        outcomes: outcomes.collect(),
        violations,
        ..Report::new(&**system, scenario, options.strategy.name())
    }
    .judged(scenario)
}

/// Where one execution was all, the engine says `1 executions`; and what it says
/// of one that was cut off is not what that means.
fn incomplete(reason: String) -> Verdict {
    Verdict::Incomplete(match reason.strip_suffix(" 1 executions") {
        Some(what) => format!("{what} 1 execution"),
        None if reason.contains("cut off after") => format!(
            "the system never comes to rest, as far as can be told: {reason}, and some call \
             had not returned"
        ),
        None => reason,
    })
}

/// Runs the ordering of a token again.
pub fn replay(
    system: &Arc<dyn Model>,
    scenario: &Arc<Scenario>,
    token: &str,
    prologue: bool,
) -> Result<Report, Unavailable> {
    let parsed: Token = token.parse().map_err(|error| Unavailable(format!("--replay: {error}")))?;
    let begin = Instant::now();
    let run = Explorer::new().replay(&parsed, body(system, scenario));
    if let Some(why) = run.diverged {
        return Err(Unavailable(format!("the token is not of this scenario: {why}")));
    }
    let preempted = Some(preemptions(&run.witness));
    let seen = witness(run.witness, token.into(), prologue);
    let violating = !run.violations.is_empty() as u64;
    let found = run.violations.into_iter().map(|(name, detail)| Violation {
        invariant: name,
        detail,
        orderings: 1,
        witness: Some(seen.clone()),
    });
    let outcome = run.outcome.map(|outcome| SeenOutcome {
        outcome,
        orderings: 1,
        violating,
        preemptions: preempted,
        witness: Some(seen.clone()),
    });
    let mut report = Report::new(&**system, scenario, "replay");
    report.executions = 1;
    report.elapsed = begin.elapsed();
    report.verdict = Verdict::Incomplete("one ordering, replayed".into());
    report.violations = found.collect();
    report.outcomes = outcome.into_iter().collect();
    Ok(report.judged(scenario))
}

fn explorer(options: &Options) -> Explorer {
    use shuttle_dpor::Strategy as Dpor;
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let strategy = match options.strategy {
        Strategy::Dpor | Strategy::Loom => Dpor::Dpor,
        Strategy::Dfs => Dpor::Dfs,
        Strategy::Random { seed, iterations } => {
            Dpor::Random { seed, iterations: count(iterations) }
        }
        Strategy::Pct { seed, iterations, depth } => {
            Dpor::Pct { seed, iterations: count(iterations), depth: count(depth).max(1) }
        }
        Strategy::Urw { seed, iterations } => Dpor::Urw { seed, iterations: count(iterations) },
    };
    let mut explorer = Explorer::new()
        .strategy(strategy)
        .workers(options.workers)
        .stop_when(Arc::clone(&options.stop));
    if let Some(limit) = options.max_executions {
        explorer = explorer.max_executions(limit);
    }
    if let Some(limit) = options.max_time {
        explorer = explorer.max_time(limit);
    }
    if let Some(tell) = options.progress.clone() {
        let samples = options.strategy.samples();
        explorer = explorer.progress_every(TELL, move |progress| {
            let estimate = progress.estimate.map(|total| total as u64).or(samples);
            let (executions, elapsed) = (progress.executions, progress.elapsed);
            tell(Progress { executions, elapsed, estimate });
        });
    }
    explorer
}

fn body(
    system: &Arc<dyn Model>,
    scenario: &Arc<Scenario>,
) -> impl Fn() -> Outcome + Send + Sync + 'static {
    let (system, scenario) = (Arc::clone(system), Arc::clone(scenario));
    move || {
        let Observation { outcome, violations } = execute(&*system, &scenario);
        for (invariant, detail) in violations {
            shuttle_dpor::report_violation(invariant.name(), detail);
        }
        outcome
    }
}

/// How often the scenario's part of an ordering leaves a thread that could have
/// gone on.
fn preemptions(seen: &shuttle_dpor::Witness) -> u32 {
    let is = |note: &str, step: &&shuttle_dpor::Step| step.what != What::Note(note.to_owned());
    let scenario = seen.steps.iter().skip_while(|step| is(BEGIN, step));
    let switches = scenario.take_while(|step| is(END, step)).filter_map(|s| s.switch.as_deref());
    switches.filter(|why| why.is_empty()).count() as u32
}

/// The part of an ordering that the scenario itself is.
fn witness(seen: shuttle_dpor::Witness, replay: String, prologue: bool) -> Witness {
    let mut steps = Vec::new();
    let mut running = None;
    let is = |note: &str, step: &shuttle_dpor::Step| step.what == What::Note(note.to_owned());
    let begun = seen.steps.iter().position(|step| is(BEGIN, step)).map_or(0, |at| at + 1);
    let race = seen.steps.iter().position(|step| is(RACE, step)).unwrap_or(begun);
    let scenario = seen.steps.into_iter().enumerate().skip(begun);
    let scenario = scenario.take_while(|(_, step)| !is(END, step)).filter(|(_, s)| !is(RACE, s));
    for (at, step) in scenario {
        // Of what comes before the race only what it answered, unless more is asked for.
        let told = matches!(&step.what, What::Note(note) if !note.ends_with(" ..."));
        if at < race && !prologue && !told {
            continue;
        }
        if let (Some(why), Some(thread)) = (step.switch, running) {
            let operation = Step::SWITCH.to_owned();
            let (object, line) = (String::new(), String::new());
            steps.push(Step { thread, operation, object, line, note: why });
        }
        running = Some(step.thread);
        let thread = step.thread;
        steps.push(match step.what {
            What::Note(note) => Step {
                thread,
                operation: String::new(),
                object: String::new(),
                line: String::new(),
                note,
            },
            What::Operation { operation, object, value, file, line } => Step {
                thread,
                operation: operation.into(),
                object,
                line: format!("{file}:{line}"),
                note: value.unwrap_or_default(),
            },
        });
    }
    Witness { threads: seen.threads, steps, replay }
}
