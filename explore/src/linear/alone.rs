//! The implementation as its own specification: the answers of the calls when they
//! run one after another, in every order that keeps the order of each thread.
//!
//! Each order is run once, before the race is explored. An order in which a call
//! panics or does not return explains no history.

use super::history::{Answers, History, RealTime};
use super::Unexplained;
use crate::scenario::{CallId, Scenario};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

/// The most orders that are run. A scenario with more is refused.
pub const MOST: usize = 20_000;

/// There are more orders than [`MOST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyOrders;

impl fmt::Display for TooManyOrders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there are more than {MOST} orders of the calls, too many to run each alone")
    }
}

impl Error for TooManyOrders {}

/// The answers that the calls of a scenario give one after another, each with the
/// orders that give them.
#[derive(Debug, Default)]
pub struct Allowed(BTreeMap<Answers, Vec<RealTime>>);

/// Every order of the calls that keeps the order of each thread, with the prologue
/// first and the epilogue last. `None`: there are more than [`MOST`].
pub fn orders(scenario: &Scenario) -> Option<Vec<Vec<CallId>>> {
    let calls: Vec<usize> = scenario.parts().map(Vec::len).collect();
    let part = |thread: usize| (0..calls[thread]).map(move |index| CallId { thread, index });
    let last = calls.len() - 1;
    let mut orders: Vec<Vec<CallId>> = vec![part(0).collect()];
    for _ in 0..calls[1..last].iter().sum() {
        let longer = |order: &Vec<CallId>| {
            let next = (1..last).filter_map(|thread| {
                let index = order.iter().filter(|id| id.thread == thread).count();
                (index < calls[thread]).then_some(CallId { thread, index })
            });
            let order = order.clone();
            next.map(move |id| [&order[..], &[id]].concat()).collect::<Vec<_>>()
        };
        orders = orders.iter().flat_map(longer).collect();
        if orders.len() > MOST {
            return None;
        }
    }
    orders.iter_mut().for_each(|order| order.extend(part(last)));
    Some(orders)
}

impl Allowed {
    /// Adds the history of one order.
    pub fn add(&mut self, history: History) {
        self.0.entry(history.answers).or_default().push(history.after);
    }

    /// Whether an order explains the history.
    ///
    /// # Errors
    /// Why none does.
    pub fn check(&self, history: &History) -> Result<(), Unexplained> {
        match self.0.get(&history.answers) {
            Some(orders) if orders.iter().any(|order| history.allows(order)) => Ok(()),
            Some(_) => Err(Unexplained::RealTime),
            None => Err(Unexplained::Answers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Call;

    fn scenario(threads: &[usize]) -> Scenario {
        let call = Call {
            operation: "go",
            receiver: None,
            arguments: vec![],
            text: "go".into(),
            waits: false,
        };
        let threads = threads.iter().map(|calls| vec![call.clone(); *calls]).collect();
        Scenario {
            threads,
            prologue: vec![call.clone()],
            epilogue: vec![call],
            ..Scenario::default()
        }
    }

    #[test]
    fn the_orders_are_the_shuffles_of_the_threads() {
        let count = |threads: &[usize]| orders(&scenario(threads)).map(|orders| orders.len());
        assert_eq!(count(&[2, 1]), Some(3));
        assert_eq!(count(&[2, 2, 1]), Some(30));
        assert_eq!(count(&[1; 8]), None);
        let all = orders(&scenario(&[1, 1])).unwrap();
        assert!(all.iter().all(|order| order.len() == 4 && order[0].thread == 0));
        assert!(all.iter().all(|order| order[3] == CallId { thread: 3, index: 0 }));
    }
}
