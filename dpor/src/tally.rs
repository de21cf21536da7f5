//! Counting what executions do, and keeping the best ordering for each thing seen.

use crate::count::Count;
use crate::op::Tid;
use crate::report::{Again, CutOff, Outcome, Replay, Report, Run, Verdict, Violation};
use crate::rt::{divergence, Ending, Runtime};
use crate::schedule::{Linearizer, Token};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Display};
use std::sync::Arc;
use std::time::Duration;

/// Of so many outcomes at most it is seen whether their orderings lead there again.
const COMPARED: usize = 256;

/// So many steps at the end of an execution that was cut off are shown.
const LAST_STEPS: usize = 60;

/// How often something was seen, and the ordering in which it was with the fewest switches: the
/// fewest that a bounded search finds, which for executions of some length need not be the fewest
/// that there are.
#[derive(Clone)]
pub(crate) struct Best {
    pub(crate) orderings: Count,
    /// In how many of them something was violated.
    pub(crate) violating: Count,
    pub(crate) token: Token,
}

/// The counts of an exploration.
#[derive(Clone)]
pub(crate) struct Tally<T> {
    pub(crate) executions: u64,
    pub(crate) orderings: Count,
    pub(crate) blocked: u64,
    pub(crate) cut: u64,
    pub(crate) probes: u64,
    pub(crate) longest: usize,
    pub(crate) deadlocks: Count,
    /// Orderings with at least one violation.
    pub(crate) violating: Count,
    pub(crate) outcomes: BTreeMap<T, Best>,
    pub(crate) livelocks: Count,
    /// Name and place.
    pub(crate) violations: BTreeMap<(String, String), Best>,
    /// Orderings that violated what has a name, at whichever places.
    pub(crate) named: BTreeMap<String, Count>,
    /// Who was busy in the first execution that was cut off.
    pub(crate) cut_off: Option<(String, Token)>,
    /// Why it will not be complete, however long it goes on.
    pub(crate) incomplete: Option<String>,
    /// The body did not do what it did before, or cannot be explored.
    diverged: bool,
    /// Why it has stopped, and could go on.
    limit: Option<String>,
    /// The bound on preemptions, if there is one.
    within: Option<u32>,
    /// The part that this is, from 1, and of how many.
    part: Option<(usize, usize)>,
}

impl<T> Default for Tally<T> {
    fn default() -> Self {
        Tally {
            executions: 0,
            orderings: Count::default(),
            blocked: 0,
            cut: 0,
            probes: 0,
            longest: 0,
            deadlocks: Count::default(),
            violating: Count::default(),
            outcomes: BTreeMap::new(),
            livelocks: Count::default(),
            violations: BTreeMap::new(),
            named: BTreeMap::new(),
            cut_off: None,
            incomplete: None,
            diverged: false,
            limit: None,
            within: None,
            part: None,
        }
    }
}

impl<T: Ord + Debug + 'static> Tally<T> {
    /// Something is not explored, and will not be. The first reason counts.
    pub(crate) fn stop(&mut self, why: String) {
        self.incomplete.get_or_insert(why);
    }

    /// The exploration stops here, and could go on. The first reason counts.
    pub(crate) fn limit(&mut self, why: String) {
        self.limit.get_or_insert(why);
    }

    /// The limit has cut off nothing.
    pub(crate) fn forget_limit(&mut self) {
        self.limit = None;
    }

    /// Whether it has stopped at a limit.
    pub(crate) fn is_limited(&self) -> bool {
        self.limit.is_some()
    }

    /// Whether the body did not do what it did before, or cannot be explored.
    pub(crate) fn has_diverged(&self) -> bool {
        self.diverged
    }

    /// An execution was one of an ordering that has been counted.
    pub(crate) fn repeat(&mut self) {
        self.executions += 1;
    }

    fn diverge(&mut self, why: String) {
        self.diverged = true;
        self.stop(why);
    }

    /// No more than `preemptions` were allowed.
    pub(crate) fn bound(&mut self, preemptions: u32) {
        self.within = Some(preemptions);
    }

    /// It is part `k` of `n`.
    pub(crate) fn is_part(&mut self, k: usize, n: usize) {
        self.part = Some((k, n));
    }

    /// The counts that have a name.
    pub(crate) fn counts(&self) -> [(&'static str, String); 9] {
        [
            ("executions", self.executions.to_string()),
            ("orderings", self.orderings.to_string()),
            ("blocked", self.blocked.to_string()),
            ("cut", self.cut.to_string()),
            ("probes", self.probes.to_string()),
            ("longest", self.longest.to_string()),
            ("deadlocks", self.deadlocks.to_string()),
            ("livelocks", self.livelocks.to_string()),
            ("violating", self.violating.to_string()),
        ]
    }

    /// Sets a count by its name. `None` if there is none of that name.
    pub(crate) fn set_count(&mut self, name: &str, count: &str) -> Option<()> {
        match name {
            "executions" => self.executions = count.parse().ok()?,
            "orderings" => self.orderings = count.parse().ok()?,
            "blocked" => self.blocked = count.parse().ok()?,
            "cut" => self.cut = count.parse().ok()?,
            "probes" => self.probes = count.parse().ok()?,
            "longest" => self.longest = count.parse().ok()?,
            "deadlocks" => self.deadlocks = count.parse().ok()?,
            "livelocks" => self.livelocks = count.parse().ok()?,
            "violating" => self.violating = count.parse().ok()?,
            _ => return None,
        }
        Some(())
    }

    /// Adds another worker's counts.
    pub(crate) fn merge(&mut self, other: Self) {
        self.executions += other.executions;
        self.orderings.merge(&other.orderings);
        self.blocked += other.blocked;
        self.cut += other.cut;
        self.probes += other.probes;
        self.longest = self.longest.max(other.longest);
        self.deadlocks.merge(&other.deadlocks);
        self.livelocks.merge(&other.livelocks);
        self.cut_off = self.cut_off.take().or(other.cut_off);
        self.violating.merge(&other.violating);
        merge(&mut self.outcomes, other.outcomes);
        merge(&mut self.violations, other.violations);
        for (name, orderings) in other.named {
            self.named.entry(name).or_default().merge(&orderings);
        }
        self.diverged |= other.diverged;
        if let Some(why) = other.incomplete {
            self.stop(why);
        }
        if let Some(why) = other.limit {
            self.limit(why);
        }
    }

    /// Takes in an execution that has ended. Returns whether it is one that violates something. `linearizer` is
    /// for the executions of this runtime.
    pub(crate) fn conclude(
        &mut self,
        rt: &Runtime,
        outcome: Option<T>,
        linearizer: &mut Linearizer,
    ) -> bool {
        self.executions += 1;
        let weight = rt.weight;
        match rt.ending {
            Some(Ending::Redundant | Ending::Exchanged) => {
                self.blocked += 1;
                return false;
            }
            Some(Ending::Diverged(ref why)) => {
                self.diverge(divergence(why));
                return false;
            }
            Some(Ending::Refused(ref why)) => {
                self.diverge(why.clone());
                return false;
            }
            Some(Ending::Torn | Ending::Probed | Ending::Halted) => return false,
            Some(Ending::TooLong) => {
                self.cut += 1;
                let (n, who) = (rt.trace.len(), rt.busy());
                self.stop(format!("an execution was cut off after {n} operations, {who}"));
                self.cut_off.get_or_insert_with(|| (who, Token::as_run(rt)));
            }
            Some(Ending::Deadlock) => {
                self.orderings.add(weight);
                self.deadlocks.add_if(!rt.livelock, weight);
                self.livelocks.add_if(rt.livelock, weight);
            }
            None | Some(Ending::AtRest) => self.orderings.add(weight),
        }
        self.longest = self.longest.max(rt.trace.performed());
        let violates = !rt.violations.is_empty();
        self.violating.add_if(violates, weight);
        let names: BTreeSet<&str> = rt.violations.iter().map(|found| &*found.name).collect();
        for name in names {
            self.named.entry(name.to_owned()).or_default().add(weight);
        }
        for found in &rt.violations {
            let key = (found.name.to_string(), found.place.clone());
            match self.violations.get_mut(&key) {
                Some(best) => best.see(rt, linearizer),
                None => {
                    let best = Best::first(rt, linearizer);
                    self.violations.insert(key, best);
                }
            }
        }
        if let (Some(outcome), None | Some(Ending::AtRest)) = (outcome, &rt.ending) {
            match self.outcomes.get_mut(&outcome) {
                Some(best) => best.see(rt, linearizer),
                None => {
                    let best = Best::first(rt, linearizer);
                    self.outcomes.insert(outcome, best);
                }
            }
        }
        violates
    }

    /// The report; `replay` runs an ordering again to see it step by step. Some outcomes are compared with
    /// what their orderings lead to then.
    pub(crate) fn report(self, elapsed: Duration, replay: Run<T>) -> Report<T> {
        let mut violations = Vec::new();
        let mut differs = None;
        let mut seen = self.outcomes.values().chain(self.violations.values());
        let whole = self.orderings.is_whole() && seen.all(|best| best.orderings.is_whole());
        // An ordering and its exchanges may be in different parts.
        if self.part.is_none() && !whole {
            differs =
                Some(not_equal(&format_args!("the orderings do not add up to whole numbers")));
        }
        for ((name, place), best) in self.violations {
            let run = replay(&best.token);
            let violates =
                |run: &Replay<T>| run.violations.iter().any(|v| v.name == name && v.place == place);
            if exchanged(&best.token, &run.equal).is_some_and(|other| !violates(&replay(&other))) {
                differs = Some(not_equal(&format_args!("they violate {name} no more")));
            }
            let again = run.violations.into_iter().find(|v| v.name == name && v.place == place);
            if again.is_none() {
                differs = Some(chance(&format_args!(
                    "{name} was violated in an ordering, and not when that ran again"
                )));
            }
            violations.push(Violation {
                detail: again.map(|again| again.detail).unwrap_or_default(),
                orderings_of_name: self.named.get(&name).map_or(0, Count::total),
                name,
                place,
                orderings: best.orderings.total(),
                witness: run.witness,
                token: best.token,
            });
        }
        let mut outcomes = BTreeMap::new();
        let again = replay.clone();
        let again = Again(Arc::new(move |token| again(token).witness));
        let every = self.outcomes.len() / COMPARED + 1;
        for (n, (outcome, best)) in self.outcomes.into_iter().enumerate() {
            let Best { orderings, violating, token } = best;
            if n % every == 0 {
                let run = replay(&token);
                if run.outcome.as_ref() != Some(&outcome) {
                    differs = Some(chance(&format_args!(
                        "an ordering led to {outcome:?}, and not when it ran again"
                    )));
                }
                let other = exchanged(&token, &run.equal).map(|other| replay(&other).outcome);
                if other.is_some_and(|other| other.as_ref() != Some(&outcome)) {
                    differs =
                        Some(not_equal(&format_args!("an ordering leads to {outcome:?} no more")));
                }
            }
            let again = again.clone();
            let (orderings, violating) = (orderings.total(), violating.total());
            outcomes.insert(outcome, Outcome { orderings, violating, token, again });
        }
        let cut_off = self.cut_off.map(|(who, token)| {
            let mut witness = replay(&token).witness;
            let skipped = witness.steps.len().saturating_sub(LAST_STEPS);
            witness.steps.drain(..skipped);
            CutOff { who, token, witness }
        });
        // A part may be empty.
        let nothing = self.orderings.is_zero() && self.part.is_none();
        let nothing = nothing.then(|| "nothing ran".to_owned());
        let incomplete = self.incomplete.or(self.limit).or(nothing).or(differs);
        let part = self.part.map(|(k, n)| format!("part {k} of {n}"));
        let verdict = if !violations.is_empty() {
            Verdict::Violated
        } else {
            match (&incomplete, self.within) {
                (Some(why), _) => Verdict::Incomplete { why: why.clone() },
                (None, _) if self.part.is_some() => {
                    Verdict::Incomplete { why: part.clone().unwrap_or_default() }
                }
                (None, Some(preemptions)) => Verdict::Within { preemptions },
                (None, None) => Verdict::Complete,
            }
        };
        let bounded = self.within.map(|n| format!("no more than {n} preemptions were allowed"));
        Report {
            verdict,
            executions: self.executions,
            orderings: self.orderings.total(),
            blocked: self.blocked,
            cut: self.cut,
            probes: self.probes,
            longest: self.longest,
            deadlocks: self.deadlocks.total(),
            livelocks: self.livelocks.total(),
            cut_off,
            outcomes,
            violations,
            within: self.within.filter(|_| incomplete.is_none()),
            part: self.part.filter(|_| incomplete.is_none()),
            incomplete: incomplete.or(bounded).or(part),
            elapsed,
        }
    }
}

/// What to say of a body that does not do the same again.
fn chance(differs: &dyn Display) -> String {
    format!(
        "the body is not deterministic: {differs}; it depends on something that outlives an execution (a \
         static, an atomic of std's) or on chance"
    )
}

/// What to say of threads that are not equal.
fn not_equal(differs: &dyn Display) -> String {
    format!(
        "threads that spawn_equal spawned are not equal: with some of them exchanged, {differs}"
    )
}

/// The ordering of a token with the members of each class in the opposite order, if there are any.
fn exchanged(token: &Token, classes: &[Vec<Vec<u32>>]) -> Option<Token> {
    let members = || classes.iter().flat_map(|members| members.iter().zip(members.iter().rev()));
    members().any(|(one, other)| one != other).then(|| {
        token.exchanged(|path| {
            let found = members().find(|(one, _)| path.starts_with(one));
            let exchange =
                |(one, other): (&Vec<u32>, &Vec<u32>)| [other, &path[one.len()..]].concat();
            found.map_or_else(|| path.to_vec(), exchange)
        })
    })
}

fn merge<K: Ord>(into: &mut BTreeMap<K, Best>, from: BTreeMap<K, Best>) {
    for (key, best) in from {
        match into.get_mut(&key) {
            Some(other) => {
                other.orderings.merge(&best.orderings);
                other.violating.merge(&best.violating);
                let size = |t: &Token| t.runs.len();
                if (size(&best.token), &best.token) < (size(&other.token), &other.token) {
                    other.token = best.token;
                }
            }
            None => {
                into.insert(key, best);
            }
        }
    }
}

impl Best {
    fn first(rt: &Runtime, linearizer: &mut Linearizer) -> Self {
        let runs = linearizer.best(&rt.trace, usize::MAX);
        let token = linearizer.token(rt, &runs.expect("a trace has an order"));
        let mut violating = Count::default();
        violating.add_if(!rt.violations.is_empty(), rt.weight);
        Best { orderings: Count::one(rt.weight), violating, token }
    }

    fn see(&mut self, rt: &Runtime, linearizer: &mut Linearizer) {
        self.orderings.add(rt.weight);
        self.violating.add_if(!rt.violations.is_empty(), rt.weight);
        let bound = self.token.runs.len();
        if bound > 0 {
            if let Some(runs) = linearizer.best(&rt.trace, bound - 1) {
                self.token = linearizer.token(rt, &runs);
            }
        }
    }
}

impl Token {
    /// The current execution as it ran.
    fn as_run(rt: &Runtime) -> Token {
        let mut runs: Vec<(u16, u32)> = Vec::new();
        for event in rt.trace.events() {
            match runs.last_mut() {
                Some((tid, times)) if *tid == event.tid => *times += 1,
                _ => runs.push((event.tid, 1)),
            }
        }
        Linearizer::default().token(rt, &runs)
    }

    /// An ordering equivalent to the current execution, as far as it has come.
    pub(crate) fn of(rt: &Runtime) -> Token {
        Best::first(rt, &mut Linearizer::default()).token
    }
}

impl Linearizer {
    /// The token of an order of the current execution.
    fn token(&mut self, rt: &Runtime, runs: &[(Tid, u32)]) -> Token {
        let threads: Vec<_> = rt.live.iter().map(|&p| rt.path(p)).collect();
        if *self.named != threads[..] {
            self.named = threads.into();
        }
        let place = |tid| rt.live.iter().position(|&p| p == tid).unwrap_or_default() as u16;
        let runs = runs.iter().map(|&(tid, times)| (place(tid), times)).collect();
        Token { threads: self.named.clone(), runs }
    }
}
