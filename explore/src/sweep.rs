//! Explores many scenarios, each to its end, and reports those that do not hold.

use crate::render::layout::{number, plural};
use crate::{parse, Model, Report, Scenario, Verdict};
use std::fmt;
use std::ops::AddAssign;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The result of a sweep.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Scenarios that were explored.
    pub scenarios: u64,
    /// The sum of their executions.
    pub executions: u64,
    /// The sum of their orderings, where the engine tells these apart.
    pub orderings: u64,
    /// Scenarios with one ordering only: no call of theirs races with another.
    pub single: u64,
    /// The sum of their outcomes.
    pub outcomes: u64,
    /// The executions and the text of the scenario with the most executions.
    pub largest: Option<(u64, String)>,
    /// Scenarios that do not hold, or were not explored to their ends.
    pub failed: u64,
    /// Those of the failed scenarios without a violation: they were not explored to
    /// their ends.
    pub unfinished: u64,
    /// The first of the failed scenarios, in the order of the sweep.
    pub failures: Vec<Failure>,
    /// Wall-clock time.
    pub elapsed: Duration,
    /// Whether there were more scenarios than were explored.
    pub interrupted: bool,
}

/// A scenario that does not hold, or was not explored to its end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// The scenario's place in the sweep.
    pub place: u64,
    /// The scenario's text, as the command takes it.
    pub scenario: String,
    /// What is wrong.
    pub reason: String,
}

/// The most failures that are kept.
const KEPT: usize = 20;

/// Explores each scenario with `explore`, on `workers` threads, and reports the sum so
/// far to `tell` after each batch. A scenario fails unless it is COMPLETE.
pub fn sweep(
    system: &Arc<dyn Model>,
    scenarios: impl Iterator<Item = String> + Send,
    workers: usize,
    explore: impl Fn(&Arc<dyn Model>, &Arc<Scenario>) -> Report + Sync,
    tell: impl Fn(&Summary) + Sync,
) -> Summary {
    let begin = Instant::now();
    let queue = Mutex::new((0..).zip(scenarios));
    let total = Mutex::new(Summary::default());
    let work = || loop {
        let batch: Vec<(u64, String)> = lock(&queue).by_ref().take(BATCH).collect();
        if batch.is_empty() {
            return;
        }
        let mut found = Summary::default();
        for (place, text) in batch {
            found += one(system, place, text, &explore);
        }
        let mut total = lock(&total);
        *total += found;
        total.elapsed = begin.elapsed();
        tell(&total);
    };
    thread::scope(|scope| {
        (1..workers.max(1)).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    let mut total = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    total.elapsed = begin.elapsed();
    total
}

/// The scenarios that a worker takes at once.
const BATCH: usize = 16;

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Explores one scenario.
pub fn one(
    system: &Arc<dyn Model>,
    place: u64,
    text: String,
    explore: impl Fn(&Arc<dyn Model>, &Arc<Scenario>) -> Report,
) -> Summary {
    let mut found = Summary { scenarios: 1, ..Summary::default() };
    let reason = match parse::scenario(&text, &**system) {
        Err(error) => Some(error.to_string()),
        Ok(scenario) => {
            let report = explore(system, &Arc::new(scenario));
            found.executions = report.executions;
            found.orderings = report.orderings.unwrap_or(0);
            found.single = u64::from(report.executions == 1);
            found.outcomes = report.outcomes.len() as u64;
            found.largest = Some((report.executions, text.clone()));
            found.unfinished = u64::from(unfinished(&report));
            reason(&report)
        }
    };
    if let Some(reason) = reason {
        found.failed = 1;
        found.failures.push(Failure { place, scenario: text, reason });
    }
    found
}

/// Leaves calls and settings out of a failing scenario while it still fails. Of the
/// result none can be left out.
pub fn shrink(system: &dyn Model, text: &str, fails: impl Fn(&Arc<Scenario>) -> bool) -> String {
    let mut smallest = text.to_owned();
    while let Some(smaller) = smaller(system, &smallest).into_iter().find(|one| fails(one)) {
        smallest.clone_from(&smaller.text);
    }
    smallest
}

/// The scenarios with one call or one setting less.
fn smaller(system: &dyn Model, text: &str) -> Vec<Arc<Scenario>> {
    let Ok(whole) = parse::scenario(text, system) else { return Vec::new() };
    let mut texts = Vec::new();
    for id in whole.ids() {
        let mut less = whole.clone();
        let last = less.threads.len() + 1;
        match id.thread {
            0 => drop(less.prologue.remove(id.index)),
            thread if thread == last => drop(less.epilogue.remove(id.index)),
            thread => drop(less.threads[thread - 1].remove(id.index)),
        }
        less.threads.retain(|calls| !calls.is_empty());
        texts.extend((!less.threads.is_empty()).then(|| less.to_string()));
    }
    for setting in 0..whole.settings.len() {
        let mut less = whole.clone();
        less.settings.remove(setting);
        texts.push(less.to_string());
    }
    let read = |text: &String| parse::scenario(text, system).ok().map(Arc::new);
    texts.iter().filter_map(read).collect()
}

/// Whether the exploration was cut short and has found no violation.
fn unfinished(report: &Report) -> bool {
    report.violations.is_empty() && report.verdict == Verdict::Incomplete
}

/// Why a report is a failure, if it is one.
fn reason(report: &Report) -> Option<String> {
    let violations: Vec<String> = report
        .violations
        .iter()
        .map(|violation| format!("{}: {}", violation.invariant, violation.detail))
        .collect();
    match &report.verdict {
        _ if !violations.is_empty() => Some(violations.join("; ")),
        Verdict::Complete if report.executions == 0 => Some("nothing was executed".into()),
        Verdict::Complete => None,
        Verdict::Violated => Some("violated".into()),
        Verdict::Incomplete => {
            Some(format!("incomplete: {}", report.reason.as_deref().unwrap_or_default()))
        }
    }
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Summary) {
        self.scenarios += other.scenarios;
        self.executions += other.executions;
        self.orderings += other.orderings;
        self.single += other.single;
        self.outcomes += other.outcomes;
        self.failed += other.failed;
        self.unfinished += other.unfinished;
        if other.largest.as_ref().map(|(executions, _)| executions)
            > self.largest.as_ref().map(|(executions, _)| executions)
        {
            self.largest = other.largest;
        }
        self.failures.extend(other.failures);
        self.failures.sort();
        self.failures.truncate(KEPT);
        self.elapsed = self.elapsed.max(other.elapsed);
        self.interrupted |= other.interrupted;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { scenarios, executions, orderings, single, outcomes, failed, .. } = self;
        let seconds = self.elapsed.as_secs_f64();
        let verdict = match (*failed, *failed > self.unfinished) {
            (_, true) => "FAILED",
            (0, _) if *scenarios > 0 && !self.interrupted => "all hold",
            (_, false) => "INCOMPLETE",
        };
        writeln!(f, "scenarios    {scenarios} ({single} with one ordering only)")?;
        let (ran, seen) = (plural(*executions, "execution"), plural(*outcomes, "outcome"));
        writeln!(f, "orderings    {} in {ran}, {seen}", number(*orderings))?;
        if let Some((executions, text)) = &self.largest {
            writeln!(f, "largest      {}: {text}", plural(*executions, "execution"))?;
        }
        let rate = (*executions as f64 / seconds.max(0.001)).round() as u64;
        writeln!(f, "time         {seconds:.1} s, {} a second", plural(rate, "execution"))?;
        let cut = if self.interrupted { "interrupted, " } else { "" };
        let bad = match failed {
            1 => "1 does not hold or was not finished".to_owned(),
            failed => format!("{failed} do not hold or were not finished"),
        };
        writeln!(f, "verdict      {verdict}: {cut}{bad}")?;
        for Failure { scenario, reason, .. } in &self.failures {
            writeln!(f, "  {scenario}\n      {reason}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, Summary};
    use std::time::Duration;

    #[test]
    fn one_is_no_plural() {
        let failure = Failure { place: 0, scenario: "go | go".into(), reason: "violated".into() };
        let one = Summary {
            scenarios: 1,
            executions: 1,
            orderings: 1,
            single: 1,
            outcomes: 1,
            largest: Some((1, "go | go".into())),
            failed: 1,
            failures: vec![failure],
            elapsed: Duration::from_secs(1),
            ..Summary::default()
        };
        assert_eq!(
            one.to_string(),
            "scenarios    1 (1 with one ordering only)\n\
             orderings    1 in 1 execution, 1 outcome\n\
             largest      1 execution: go | go\n\
             time         1.0 s, 1 execution a second\n\
             verdict      FAILED: 1 does not hold or was not finished\n  \
             go | go\n      violated\n"
        );
    }
}
