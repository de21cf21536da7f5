//! The search for an order of atomic steps that explains a history: depth first over
//! the states of the specification, each of which is visited once.
//!
//! The orders that were found are kept for the next executions of the scenario, by
//! the answers that they explain. An order explains every history with these answers
//! whose real time it respects, so most histories cost a lookup and a comparison. And
//! most executions have a history that an earlier one had, of which no more is made
//! than what the log says as bytes.

use super::history::{Answered, Answers, History, RealTime, Rested};
use super::said::Said;
use super::{Answer, Did, Specification, Stuck, Unexplained};
use crate::log::Log;
use crate::scenario::{Call, CallId};
use std::collections::{BTreeMap, BTreeSet};

/// Explains the histories of one scenario.
#[derive(Debug)]
pub struct Checker<S> {
    specification: S,
    /// What logs said that have been explained, as bytes.
    said: BTreeSet<Box<[u8]>>,
    say: Said,
    /// The orders that were found, by the calls after those of the scenario and the answers that they give.
    explained: BTreeMap<Vec<Call>, BTreeMap<Answers, Vec<RealTime>>>,
    refused: BTreeMap<History, Unexplained>,
    /// How many searches there have been, and how many of them are kept.
    searches: usize,
    kept: usize,
}

/// An order and the answers that it gives are some kilobytes. When so many are kept they are forgotten:
/// executions with the same answers mostly follow one another.
const KEPT: usize = 1000;

/// A state of the search.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Node<W, P> {
    world: W,
    /// For each part, how many calls have returned, and the progress of the next.
    threads: Vec<(usize, P)>,
}

type NodeOf<S> = Node<<S as Specification>::World, <S as Specification>::Progress>;

/// A node on the path, and the thread whose step is tried next.
struct Visit<N> {
    node: N,
    next: usize,
    /// Whether a call returned by the step that led here.
    returned: bool,
}

struct Search<'a, S: Specification> {
    rules: &'a S,
    history: &'a History,
    /// The nodes from which no order explains the history.
    dead: BTreeSet<NodeOf<S>>,
    /// The calls that have returned on the path, in words.
    path: Vec<String>,
    /// For each call that has begun on the path: the calls that had returned.
    order: RealTime,
    /// The longest paths, and why each goes no further.
    stuck: Vec<Stuck>,
}

impl<S: Specification> Checker<S> {
    /// For the histories of the specification's scenario.
    pub fn new(specification: S) -> Self {
        Checker {
            specification,
            said: BTreeSet::new(),
            say: Said::default(),
            explained: BTreeMap::new(),
            refused: BTreeMap::new(),
            searches: 0,
            kept: 0,
        }
    }

    /// The specification.
    pub fn specification(&self) -> &S {
        &self.specification
    }

    /// How many orders were searched for: one for each explained or refused
    /// history that no order that is kept explained.
    pub fn searches(&self) -> usize {
        self.searches
    }

    /// Whether an order of steps explains a log, and the calls that were made after those of the scenario, one
    /// after another: their history, see [`History::of`] and [`History::followed_by`]. A log in which a call
    /// did not return has none, and is explained.
    ///
    /// # Errors
    /// Why none does.
    pub fn explain(&mut self, log: &Log, rest: Vec<Rested>) -> Result<(), Unexplained> {
        let scenario = self.specification.scenario();
        let Some(said) = self.say.by(scenario, log, &rest) else { return Ok(()) };
        if self.said.contains(said) {
            return Ok(());
        }
        let said = Box::from(said);
        let Some(history) = History::of(scenario, log) else { return Ok(()) };
        self.check(&history.followed_by(rest))?;
        if self.said.len() == KEPT {
            self.said.clear();
        }
        self.said.insert(said);
        Ok(())
    }

    /// Whether an order of steps explains the history.
    ///
    /// # Errors
    /// Why none does.
    pub fn check(&mut self, history: &History) -> Result<(), Unexplained> {
        let explained = self.explained.get(&history.rest);
        if let Some(orders) = explained.and_then(|explained| explained.get(&history.answers)) {
            if orders.iter().any(|order| history.allows(order)) {
                return Ok(());
            }
        }
        if let Some(detail) = self.refused.get(history) {
            return Err(detail.clone());
        }
        if self.kept == KEPT {
            self.explained.clear();
            self.refused.clear();
            self.kept = 0;
        }
        self.searches += 1;
        self.kept += 1;
        match Search::run(&self.specification, history) {
            Ok(order) => {
                let explained = self.explained.entry(history.rest.clone()).or_default();
                explained.entry(history.answers.clone()).or_default().push(order);
                Ok(())
            }
            Err(detail) => {
                self.refused.insert(history.clone(), detail.clone());
                Err(detail)
            }
        }
    }
}

impl<'a, S: Specification> Search<'a, S> {
    fn run(rules: &'a S, history: &'a History) -> Result<RealTime, Unexplained> {
        let threads = vec![(0, rules.called()); history.answers.len()];
        let root = Node { world: rules.start(), threads };
        let mut search = Search {
            rules,
            history,
            dead: BTreeSet::new(),
            path: Vec::new(),
            order: history.after.clone(),
            stuck: Vec::new(),
        };
        if search.explains(root) {
            return Ok(search.order);
        }
        Err(search.detail())
    }

    /// Whether the history can be explained from here. Not by recursion: an
    /// engine may run this on a stack of a few pages.
    fn explains(&mut self, root: NodeOf<S>) -> bool {
        if self.all_returned(&root) {
            return self.ends_match(&root);
        }
        let mut way = vec![Visit { node: root, next: 0, returned: false }];
        while let Some(visit) = way.last_mut() {
            let thread = visit.next;
            visit.next += 1;
            if thread == visit.node.threads.len() {
                if visit.returned {
                    self.path.pop();
                }
                self.dead.extend(way.pop().map(|visit| visit.node));
                continue;
            }
            let Some((node, answer)) = self.take(&visit.node, thread) else { continue };
            if self.dead.contains(&node) {
                continue;
            }
            let returned = answer.is_some();
            self.path.extend(answer);
            if self.all_returned(&node) && self.ends_match(&node) {
                return true;
            }
            // A node in which all calls have returned has no step, and is left at once.
            way.push(Visit { node, next: 0, returned });
        }
        false
    }

    fn all_returned(&self, node: &NodeOf<S>) -> bool {
        node.threads.iter().zip(&self.history.answers).all(|((done, _), all)| *done == all.len())
    }

    /// Whether the thread has a step to take that real time allows now.
    fn may_go_on(&self, node: &NodeOf<S>, thread: usize) -> bool {
        let (done, progress) = &node.threads[thread];
        let Some(after) = self.history.after[thread].get(*done) else { return false };
        let returned = node.threads.iter().map(|(done, _)| done);
        *progress != self.rules.called() || returned.zip(after).all(|(done, must)| done >= must)
    }

    /// One step of a thread: the next node, and the call that returned by the step, if
    /// one did. `None`: the step cannot be taken, or contradicts the history.
    fn take(&mut self, node: &NodeOf<S>, thread: usize) -> Option<(NodeOf<S>, Option<String>)> {
        if !self.may_go_on(node, thread) {
            return None;
        }
        let (index, progress) = &node.threads[thread];
        let id = CallId { thread, index: *index };
        let call = self.history.call(self.rules.scenario(), id)?;
        if *progress == self.rules.called() {
            self.order[thread][*index] = node.threads.iter().map(|(done, _)| *done).collect();
        }
        let mut next = node.clone();
        let did = self.rules.advance(&mut next.world, id, call, progress.clone());
        if !self.reports_match(&next) {
            return None;
        }
        match did {
            Did::Waits => None,
            Did::Part(progress) => {
                next.threads[thread].1 = progress;
                Some((next, None))
            }
            Did::Answered(answer) if self.seen(id).is_some_and(|seen| seen.is(&answer)) => {
                next.threads[thread] = (index + 1, self.rules.called());
                Some((next, Some(format!("{call}: {}", answer.text))))
            }
            Did::Answered(answer) => {
                let seen = self.seen(id).cloned().unwrap_or_default();
                let would = self.words(&answer.text, answer.subject);
                let seen = self.words(&seen.answer, seen.subject);
                self.stuck(format!("{call} would answer {would} and not {seen}"));
                None
            }
        }
    }

    fn seen(&self, id: CallId) -> Option<&Answered> {
        self.history.answers.get(id.thread)?.get(id.index)
    }

    /// An answer in quotes, and the call that it is about.
    fn words(&self, text: &str, subject: Option<CallId>) -> String {
        match subject.and_then(|request| self.rules.scenario().call(request)) {
            Some(request) => format!("\"{text}\" for {request}"),
            None => format!("\"{text}\""),
        }
    }

    /// Whether the history has all news of this node.
    fn reports_match(&mut self, node: &NodeOf<S>) -> bool {
        let news = self.rules.news(&node.world);
        for reports in news.chunk_by(|one, other| one.0 == other.0) {
            let CallId { thread, index } = reports[0].0;
            let seen = &self.history.answers[thread][index].news;
            let said: Vec<&str> = reports.iter().map(|(_, news)| news.as_str()).collect();
            let mut rest = seen.iter();
            if !said.iter().all(|status| rest.any(|other| other == status)) {
                let call = self.rules.scenario().call(reports[0].0);
                let call = call.map(|call| call.text.as_str()).unwrap_or_default();
                let seen = match seen.is_empty() {
                    true => "nothing was".to_owned(),
                    false => seen.join(", "),
                };
                let said = said.join(", ");
                self.stuck(format!("{said} would be heard of {call}, and {seen}"));
                return false;
            }
        }
        true
    }

    fn ends_match(&mut self, node: &NodeOf<S>) -> bool {
        let seen: usize = self.history.answers.iter().flatten().map(|call| call.news.len()).sum();
        let heard = self.rules.news(&node.world).len();
        if heard < seen {
            self.stuck("something would not be heard that was".into());
        }
        heard == seen
    }

    fn stuck(&mut self, reason: String) {
        let deepest = self.stuck.first().map_or(0, |stuck| stuck.explained.len());
        if self.path.len() > deepest {
            self.stuck.clear();
        }
        let stuck = Stuck { explained: self.path.clone(), reason };
        if self.path.len() >= deepest && !self.stuck.contains(&stuck) {
            self.stuck.push(stuck);
        }
    }

    /// The longest prefixes that can be explained, and why each goes no further.
    fn detail(self) -> Unexplained {
        match self.stuck.is_empty() {
            true => Unexplained::Waits,
            false => Unexplained::Stuck(self.stuck),
        }
    }
}

impl Answered {
    fn is(&self, answer: &Answer) -> bool {
        self.answer == answer.text && self.subject == answer.subject
    }
}
