//! Optimal dynamic partial-order reduction, by this project's
//! `shuttle-dpor`; and shuttle's own schedulers, on the same primitives.

use super::{symmetry, Error, Estimate, Options, Progress, Strategy};
use crate::example::{Example, Shown};
use crate::harness::{execute, own, Observation, BEGIN, END, RACE};
use crate::log::{Outcomes, Replies};
use crate::report::{SeenOutcome, Step, Violation, Witness};
use crate::{Model, Report, Scenario};
use shuttle_dpor::{Checkpoint, CheckpointError, Explorer, Token, What};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The time between two reports of progress.
const TELL: Duration = Duration::from_millis(100);

/// Explores, up to the limits of the options.
///
/// # Errors
/// Where it cannot be kept in the file of the options.
pub fn explore(
    system: &Arc<dyn Model>,
    scenario: &Arc<Scenario>,
    options: &Options,
) -> Result<Report, Error> {
    let found = match &options.kept {
        None => explorer(options).explore(counted(system, scenario, options)),
        Some(kept) => {
            let mut file = Checkpoint::new(&kept.path).titled(title(system, scenario));
            if let Some((k, n)) = kept.part {
                file = file.part(k, n);
            }
            read(explorer(options).explore_in(&file, counted(system, scenario, options)))?
        }
    };
    Ok(report(system, scenario, options, found))
}

/// How many orderings there are, found out in about so much time.
pub fn estimate(
    system: &Arc<dyn Model>,
    scenario: &Arc<Scenario>,
    options: &Options,
    time: Duration,
) -> Estimate {
    match explorer(options).estimate(time, body(system, scenario)) {
        shuttle_dpor::Estimate::Exactly(all) => Estimate::Exactly(all),
        shuttle_dpor::Estimate::Between(low, high) => Estimate::Between(low, high),
        shuttle_dpor::Estimate::AtLeast(low) => Estimate::AtLeast(low),
        _ => Estimate::AtLeast(1),
    }
}

/// Adds up the parts of an exploration, which are kept in these files.
///
/// # Errors
/// Where a file is none of a part of this exploration.
pub fn merge(
    system: &Arc<dyn Model>,
    scenario: &Arc<Scenario>,
    options: &Options,
    parts: &[PathBuf],
) -> Result<Report, Error> {
    let title = title(system, scenario);
    let found = read(explorer(options).merge(parts, &title, counted(system, scenario, options)))?;
    Ok(report(system, scenario, options, found))
}

/// What a file says that it is an exploration of.
fn title(system: &Arc<dyn Model>, scenario: &Arc<Scenario>) -> String {
    format!("{scenario} on {}", system.name())
}

fn read(
    found: Result<shuttle_dpor::Report<Replies>, CheckpointError>,
) -> Result<shuttle_dpor::Report<Replies>, Error> {
    found.map_err(|error| Error::Checkpoint(Box::new(error)))
}

fn report(
    system: &Arc<dyn Model>,
    scenario: &Arc<Scenario>,
    options: &Options,
    mut found: shuttle_dpor::Report<Replies>,
) -> Report {
    let rows = match reduces(scenario, options) {
        true => exchanged(system, scenario, &mut found),
        false => rows(&mut found),
    };
    let run: Run = {
        let (system, scenario) = (Arc::clone(system), Arc::clone(scenario));
        Arc::new(move |token| Explorer::new().replay(token, body(&system, &scenario)).witness)
    };
    let within = match options.preemptions {
        true => search(system, scenario, options, &rows, &run),
        false => BTreeMap::new(),
    };
    let (mut outcomes, prologue) = (Outcomes::new(scenario), options.prologue);
    let outcomes = rows.into_iter().map(|(replies, Row { orderings, violating, token })| {
        let within = within.get(&replies);
        let (enough, run) = (within.map(|within| within.enough), run.clone());
        let example = Example::made_by(move || {
            let made = run(&token);
            let preemptions = enough.unwrap_or_else(|| preemptions(&made));
            Shown::new(witness(made, token.to_string(), prologue), preemptions)
        });
        SeenOutcome {
            least_preemptions: within.map_or(0, |within| within.least),
            example,
            ..SeenOutcome::new(outcomes.outcome(&replies), orderings, violating)
        }
    });
    // The engine has a violation for each place of a deadlock or a panic; a report has
    // one for each invariant.
    let mut violations: Vec<Violation> = Vec::new();
    for seen in found.violations {
        if violations.last().is_none_or(|last| last.invariant != seen.name) {
            violations.push(Violation {
                witness: witness(seen.witness, seen.token.to_string(), options.prologue),
                ..Violation::new(&seen.name, seen.detail, seen.orderings_of_name)
            });
        }
    }
    Report {
        executions: found.executions,
        orderings: (options.strategy == Strategy::Dpor).then_some(found.orderings),
        elapsed: found.elapsed,
        reason: found.incomplete.map(incomplete),
        outcomes: outcomes.collect(),
        violations,
        ..Report::new(&**system, scenario, options.strategy.name())
    }
    .judged(scenario, &**system)
}

/// The orderings that lead to one outcome.
struct Row {
    orderings: u64,
    violating: u64,
    token: Token,
}

/// Runs an ordering again.
type Run = Arc<dyn Fn(&Token) -> shuttle_dpor::Witness + Send + Sync>;

fn rows(found: &mut shuttle_dpor::Report<Replies>) -> BTreeMap<Replies, Row> {
    let row = |(replies, seen): (Replies, shuttle_dpor::Outcome)| {
        let shuttle_dpor::Outcome { orderings, violating, token, .. } = seen;
        (replies, Row { orderings, violating, token })
    };
    std::mem::take(&mut found.outcomes).into_iter().map(row).collect()
}

/// Whether threads are exchanged, and outcomes counted without saying which of them is which.
fn reduces(scenario: &Scenario, options: &Options) -> bool {
    options.symmetry
        && options.strategy == Strategy::Dpor
        && !symmetry::classes(scenario).is_empty()
}

/// The outcomes of all exchanges. If they are not what exchanged threads lead to, the exploration is none that
/// can be believed.
fn exchanged(
    system: &Arc<dyn Model>,
    scenario: &Arc<Scenario>,
    found: &mut shuttle_dpor::Report<Replies>,
) -> BTreeMap<Replies, Row> {
    let again = |token: &Token| Explorer::new().replay(token, body(system, scenario));
    let mut outcomes = Outcomes::new(scenario);
    let mut all = BTreeMap::new();
    let mut differs = false;
    for seen in found.outcomes.values() {
        let Some(replies) = again(&seen.token).outcome else { continue };
        let exchanges = symmetry::exchanges(&outcomes.outcome(&replies), scenario);
        let many = exchanges.len() as u64;
        // Each has its share; when not all has been explored, one ordering is what is known.
        differs |= seen.orderings % many != 0;
        for (outcome, from) in exchanges {
            let token = symmetry::exchanged(&seen.token, &from, own(scenario));
            let replies = Replies::from(&outcome);
            differs |= again(&token).outcome.as_ref() != Some(&replies);
            let (orderings, violating) =
                (seen.orderings.div_ceil(many), seen.violating.div_ceil(many));
            all.insert(replies, Row { orderings, violating, token });
        }
    }
    if differs && found.incomplete.is_none() {
        found.incomplete = Some(
            "threads with the same calls cannot be exchanged on this system: explore with --no-symmetry"
                .into(),
        );
    }
    all
}

/// How many preemptions an outcome needs at least, and how many are enough.
struct Within {
    least: u32,
    enough: u32,
}

/// Explores with no preemption, with one, and so on, until the minimum of each outcome
/// is known. A limit ends the search earlier.
fn search(
    system: &Arc<dyn Model>,
    scenario: &Arc<Scenario>,
    options: &Options,
    rows: &BTreeMap<Replies, Row>,
    run: &Run,
) -> BTreeMap<Replies, Within> {
    let enough = rows.iter().map(|(replies, row)| {
        (replies.clone(), Within { least: 0, enough: preemptions(&run(&row.token)) })
    });
    let mut needs: BTreeMap<Replies, Within> = enough.collect();
    for bound in 0.. {
        let open = |needs: &&mut Within| needs.enough > bound;
        if needs.values().all(|needs| needs.enough <= bound) {
            break;
        }
        let seen = explorer(options).max_preemptions(bound).explore(body(system, scenario));
        // The bound is enough for outcomes that were seen, also if a limit was hit.
        for replies in seen.outcomes.keys() {
            if let Some(needs) = needs.get_mut(replies) {
                needs.enough = needs.enough.min(bound);
            }
        }
        if seen.within != Some(bound) {
            break;
        }
        needs.values_mut().filter(open).for_each(|needs| needs.least = bound + 1);
    }
    needs
}

/// The engine's reason in words for people: `1 execution` for its `1 executions`, and
/// the meaning of an execution that was cut off.
fn incomplete(reason: String) -> String {
    match reason.strip_suffix(" 1 executions") {
        Some(what) => format!("{what} 1 execution"),
        None if reason.contains("cut off after") => format!(
            "the system never comes to rest, as far as can be told: {reason}, and some call \
             had not returned"
        ),
        None => reason,
    }
}

/// Runs the ordering of a token again.
pub fn replay(
    system: &Arc<dyn Model>,
    scenario: &Arc<Scenario>,
    token: &str,
    prologue: bool,
) -> Result<Report, Error> {
    let parsed: Token = token.parse().map_err(|error| Error::Token(Box::new(error)))?;
    let begin = Instant::now();
    let run = Explorer::new().replay(&parsed, body(system, scenario));
    if let Some(why) = run.diverged {
        return Err(Error::Diverged(why));
    }
    let preempted = preemptions(&run.witness);
    let seen = witness(run.witness, token.into(), prologue);
    let violating = !run.violations.is_empty() as u64;
    let found = run.violations.into_iter().map(|found| Violation {
        witness: seen.clone(),
        ..Violation::new(&found.name, found.detail, 1)
    });
    let outcome = run.outcome.map(|replies| SeenOutcome {
        example: Shown::new(seen.clone(), preempted).into(),
        ..SeenOutcome::new(Outcomes::new(scenario).outcome(&replies), 1, violating)
    });
    let report = Report {
        executions: 1,
        elapsed: begin.elapsed(),
        reason: Some("one ordering, run again".into()),
        violations: found.collect(),
        outcomes: outcome.into_iter().collect(),
        ..Report::new(&**system, scenario, "replay")
    };
    // One ordering need not show all required outcomes.
    Ok(Report { missing: Vec::new(), ..report.judged(scenario, &**system) })
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
        .symmetry(options.symmetry)
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
            let known = progress.estimate.map(|total| Estimate::AtLeast(total as u64));
            let estimate = known.or(samples.map(Estimate::Exactly));
            let (executions, elapsed) = (progress.executions, progress.elapsed);
            tell(Progress { executions, elapsed, estimate });
        });
    }
    explorer
}

fn body(
    system: &Arc<dyn Model>,
    scenario: &Arc<Scenario>,
) -> impl Fn() -> Replies + Send + Sync + 'static {
    let (system, scenario) = (Arc::clone(system), Arc::clone(scenario));
    move || {
        let Observation { replies, violations } = execute(&*system, &scenario);
        for (invariant, detail) in violations {
            shuttle_dpor::report_violation(invariant.name(), detail);
        }
        replies
    }
}

/// The body whose outcomes are counted: with symmetry they do not say which of the threads is which.
fn counted(
    system: &Arc<dyn Model>,
    scenario: &Arc<Scenario>,
    options: &Options,
) -> impl Fn() -> Replies + Send + Sync + 'static {
    let body = body(system, scenario);
    let sorted = reduces(scenario, options).then(|| Arc::clone(scenario));
    move || {
        let replies = body();
        match &sorted {
            Some(scenario) => {
                let outcome = Outcomes::new(scenario).outcome(&replies);
                Replies::from(&symmetry::sorted(&outcome, scenario))
            }
            None => replies,
        }
    }
}

/// The preemptions in the scenario's part of an ordering.
fn preemptions(seen: &shuttle_dpor::Witness) -> u32 {
    let is = |note: &str, step: &&shuttle_dpor::Step| step.what != What::Note(note.to_owned());
    let scenario = seen.steps.iter().skip_while(|step| is(BEGIN, step));
    let switches = scenario.take_while(|step| is(END, step)).filter_map(|s| s.switch.as_deref());
    switches.filter(|why| why.is_empty()).count() as u32
}

/// The scenario's part of an ordering.
fn witness(seen: shuttle_dpor::Witness, replay: String, prologue: bool) -> Witness {
    let mut steps = Vec::new();
    let mut running = None;
    let is = |note: &str, step: &shuttle_dpor::Step| step.what == What::Note(note.to_owned());
    let begun = seen.steps.iter().position(|step| is(BEGIN, step)).map_or(0, |at| at + 1);
    let race = seen.steps.iter().position(|step| is(RACE, step)).unwrap_or(begun);
    let scenario = seen.steps.into_iter().enumerate().skip(begun);
    let scenario = scenario.take_while(|(_, step)| !is(END, step)).filter(|(_, s)| !is(RACE, s));
    for (at, step) in scenario {
        // Calls before the race show their answers only, unless their steps are asked for.
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
            What::Operation { operation, object, value, file, line, .. } => Step {
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
