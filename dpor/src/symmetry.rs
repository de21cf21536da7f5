//! Equal threads, explored up to their exchange.
//!
//! Threads of a *class* ([`spawn_equal`](crate::thread::spawn_equal)) do the same, and nothing tells them
//! apart but their numbers. So of an ordering and those that it becomes when members of a class are
//! exchanged, its *orbit*, one would do. Which one is explored is decided by a *mark* of each member: the
//! first operation that does not commute with its like, on what others can see. In what is explored, marks
//! come in the order of the members: a mark is enabled only when the member before has performed its own.
//!
//! # Why nothing is lost, and each is counted
//!
//! To wait for another's mark is what a spawned thread does until it is spawned: an edge from one operation
//! to another that is no race, in a program that differs from the body in that alone. That program is
//! explored optimally. Its orderings are the body's in which the marks *can* come in the order of the
//! members, for two orderings that differ in these edges alone differ in nothing.
//!
//! Take an ordering in which *j* of the *k* members perform a mark, and let *m* be the number of orders in
//! which these marks can come: the linear extensions of what happens before what among them, without the
//! edges. An orbit of *N* orderings has *N m* pairs of an ordering and such an order. Exchanges permute these
//! pairs, and turn the marks' order into any other, each as often; there are *k!/(k-j)!* orders of *j* out of
//! *k*, and one of them is that of the members' numbers. So *N m (k-j)!/k!* orderings of the orbit are
//! explored, and each counts as *k!/((k-j)! m)*: they add up to *N*. With several classes the marks' orders
//! are one for each class that fit together, and what stands above and below is a product.
//!
//! How many are explored of an orbit is *m*, or fewer if the orbit is small. Where marks conflict, as two
//! acquisitions of one lock do, *m* is 1.
//!
//! Whether a thread comes to a mark may depend on what it has read. One that ends without, or is blocked,
//! lets those behind it stand before theirs for ever. That is an execution for nothing: with the members
//! exchanged it is another's, in which those without a mark come last. It is counted as
//! [blocked](crate::Report::blocked). There are none if the first operation of each member is its mark.
//!
//! # What it needs
//!
//! Exchanged members must do the same to everything that anybody sees. Nobody can prove that of a closure. It
//! is noticed if the members begin with different operations, if the sums are not whole numbers, and if an
//! ordering that is run again with members exchanged does something else.

use crate::count::Weight;
use crate::op::{Op, Tid, NO_OBJECT};
use crate::rt::{Ending, Runtime};
use crate::trace::{join, Clock, Trace};
use std::collections::HashMap;

/// Why an execution is given up whose weight is a number that is too large.
const TOO_MANY: &str =
    "equal threads can be exchanged in more ways than can be counted: explore without Explorer::symmetry";

/// In how many ways marks can come, by what comes before what. Most executions have one of a few.
pub(crate) type Extensions = HashMap<Vec<u64>, Option<u64>>;

/// A mark: its class, its member's place among the members, and the number of its event.
#[derive(Clone, Copy)]
struct Mark {
    class: usize,
    place: usize,
    event: usize,
}

impl Runtime {
    /// From here on these threads, which have not begun, are a class.
    pub(crate) fn are_equal(&mut self, members: Vec<Tid>) {
        if members.len() < 2 {
            // There is nothing to exchange, and nothing to pay for that.
            return;
        }
        for (place, &tid) in members.iter().enumerate() {
            self.thread(tid).equal = Some((self.classes.len() as u16, place as u16));
        }
        self.classes.push(members);
    }

    /// Whether `op` would be the mark of `tid`.
    pub(crate) fn would_mark(&self, tid: Tid, op: &Op) -> bool {
        let class = op.kind.class();
        let thread = &self.threads[tid as usize];
        if thread.mark.is_some() || op.obj == NO_OBJECT || !class.conflicts(class) {
            return false;
        }
        // What the member has made itself is not what tells members apart.
        self.objects[op.obj as usize].made.is_none_or(|(by, _)| by != tid)
    }

    /// Whether `tid` stands before its mark, and the member before it has not performed its own.
    pub(crate) fn is_held(&self, tid: Tid, op: &Op) -> bool {
        let Some((class, place)) = self.threads[tid as usize].equal.filter(|_| self.symmetry)
        else {
            return false;
        };
        let before = (place as usize).checked_sub(1).map(|at| self.classes[class as usize][at]);
        before.is_some_and(|before| self.threads[before as usize].mark.is_none())
            && self.would_mark(tid, op)
    }

    /// A member of a class is about to perform event number `now`.
    pub(crate) fn mark(&mut self, tid: Tid, op: &Op, now: usize) {
        if self.would_mark(tid, op) {
            self.thread(tid).mark = Some(now as u32);
        }
    }

    /// The path of the first member in the place of that of any other: the same for all, and for what they
    /// spawn.
    pub(crate) fn path_of_class(&self, tid: Tid) -> Vec<u32> {
        let mut path = self.path(tid);
        let (mut at, mut depth) = (tid, path.len());
        while at != 0 {
            depth -= 1;
            let thread = &self.threads[at as usize];
            if let Some((class, _)) = thread.equal {
                let first = self.classes[class as usize][0];
                path[depth] = self.threads[first as usize].nth;
            }
            at = thread.parent;
        }
        path
    }

    /// The paths of the members, class by class.
    pub(crate) fn paths_of_classes(&self) -> Vec<Vec<Vec<u32>>> {
        let paths = |members: &Vec<Tid>| members.iter().map(|&tid| self.path(tid)).collect();
        self.classes.iter().map(paths).collect()
    }

    /// The execution has ended: says for how many orderings it stands, and lets what happens before what
    /// take in the edges between marks.
    pub(crate) fn settle_symmetry(&mut self) {
        if !self.symmetry || self.classes.is_empty() || !self.ran_its_course() {
            return;
        }
        if let Some(why) = self.differ() {
            self.ending = Some(Ending::Refused(why));
            return;
        }
        let mark = |(class, members): (usize, &Vec<Tid>)| {
            let event = |tid: Tid| self.threads[tid as usize].mark.map(|event| event as usize);
            let marks = members
                .iter()
                .enumerate()
                .filter_map(move |(place, &tid)| Some(Mark { class, place, event: event(tid)? }));
            marks.collect::<Vec<_>>()
        };
        let mut marks: Vec<Mark> = self.classes.iter().enumerate().flat_map(mark).collect();
        marks.sort_unstable_by_key(|mark| mark.event);
        let mut above: Option<u64> = Some(1);
        for (class, members) in self.classes.iter().enumerate() {
            let marked = marks.iter().filter(|mark| mark.class == class).count();
            for n in members.len() - marked + 1..=members.len() {
                above = above.and_then(|above| above.checked_mul(n as u64));
            }
        }
        let below = orders(&self.trace, &marks, &mut self.extensions);
        match above.zip(below) {
            Some((above, below)) => self.weight = Weight::new(above, below),
            None => self.ending = Some(Ending::Refused(TOO_MANY.into())),
        }
        self.draw_edges(&marks);
    }

    /// Whether it came to an end at which races are looked for.
    fn ran_its_course(&self) -> bool {
        use Ending::*;
        matches!(self.ending, None | Some(AtRest | Deadlock | TooLong | Halted | Exchanged))
    }

    /// Members that begin with different operations are not equal: says so.
    fn differ(&self) -> Option<String> {
        self.classes.iter().find_map(|members| {
            let events = self.trace.events();
            let first = |tid: &Tid| events.iter().find(|event| event.tid == *tid);
            let mut begun = members.iter().filter_map(first);
            let one = begun.next()?;
            let like = |other: &&crate::trace::Event| {
                (other.announced, other.at) == (one.announced, one.at)
            };
            let other = begun.find(|other| !like(other))?;
            let said = |event: &crate::trace::Event| {
                let at = event.at;
                format!("{} at {}:{}", event.announced.name(), at.file(), at.line())
            };
            Some(format!(
                "threads that spawn_equal spawned are not equal: one begins with {}, and one with {}",
                said(one),
                said(other)
            ))
        })
    }

    /// Makes each event know what the edges between marks add.
    fn draw_edges(&mut self, marks: &[Mark]) {
        // Of each class, what its marks know by now: the last of them knows of all before.
        let mut drawn: Vec<(Mark, Tid, Clock)> = Vec::new();
        let mut next = marks.iter().peekable();
        let learn = |drawn: &[(Mark, Tid, Clock)], own: Option<Mark>, clock: &mut Clock| {
            for (mark, tid, known) in drawn {
                let before =
                    own.is_some_and(|own| own.class == mark.class && own.place == mark.place + 1);
                if before || clock.get(*tid as usize).is_some_and(|&n| n >= known[*tid as usize]) {
                    join(clock, known);
                }
            }
        };
        self.trace.extend(|i, tid, base, clock| {
            let own = next.next_if(|mark| mark.event == i).copied();
            learn(&drawn, own, base);
            learn(&drawn, own, clock);
            if let Some(own) = own {
                drawn.push((own, tid, clock.clone()));
            }
        });
        let mut stalled = std::mem::take(&mut self.stalled);
        for blocked in &mut stalled {
            // A mark that is blocked, and not held, has the one before it.
            let own = blocked.mark.map(|(class, place)| Mark {
                class: class.into(),
                place: place.into(),
                event: usize::MAX,
            });
            learn(&drawn, own, &mut blocked.base);
        }
        self.stalled = stalled;
    }
}

/// In how many ways marks can come, one order for each class, as far as these fit together. `None` if there
/// are too many to count.
fn orders(trace: &Trace, marks: &[Mark], known: &mut Extensions) -> Option<u64> {
    let before = |later: &Mark| {
        let earlier = marks.iter().enumerate();
        let earlier = earlier.filter(|(_, earlier)| trace.before(earlier.event, later.event));
        earlier.fold(0u64, |set, (at, _)| set | 1 << at)
    };
    let mut key: Vec<u64> = marks.iter().map(before).collect();
    // The classes are a part of what there is to count.
    key.extend(marks.iter().map(|mark| mark.class as u64));
    if let Some(&known) = known.get(&key) {
        return known;
    }
    let mut count = Count {
        before: &key[..marks.len()],
        class: marks.iter().map(|mark| mark.class).collect(),
        known: HashMap::new(),
    };
    let all = count.from(0, 0);
    known.insert(key, all);
    all
}

/// So many states may be looked at to count orders.
const STATES: usize = 1 << 20;

/// Counts orders of marks up to the exchange of neighbours of different classes: each once, with what need
/// not come next, because it was tried before and commutes with what has come since, asleep.
struct Count<'a> {
    /// For each mark those that come before it, as bits.
    before: &'a [u64],
    class: Vec<usize>,
    known: HashMap<(u64, u64), u64>,
}

impl Count<'_> {
    fn from(&mut self, done: u64, asleep: u64) -> Option<u64> {
        let all = self.before.len();
        if done.count_ones() as usize == all {
            return Some(1);
        }
        if let Some(&known) = self.known.get(&(done, asleep)) {
            return Some(known);
        }
        let (mut sum, mut sleeping) = (0u64, asleep);
        for next in 0..all {
            let bit = 1 << next;
            if (done | sleeping) & bit != 0 || self.before[next] & !done != 0 {
                continue;
            }
            let others = (0..all).filter(|&other| self.class[other] != self.class[next]);
            let others = others.fold(0u64, |set, other| set | 1 << other);
            sum = sum.checked_add(self.from(done | bit, sleeping & others)?)?;
            sleeping |= bit;
        }
        if self.known.len() >= STATES {
            return None;
        }
        self.known.insert((done, asleep), sum);
        Some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(before: &[u64], class: &[usize]) -> Option<u64> {
        Count { before, class: class.to_vec(), known: HashMap::new() }.from(0, 0)
    }

    #[test]
    fn orders_that_fit_together_are_counted() {
        // Nothing comes before anything; all in one row; two rows of two.
        assert_eq!(count(&[0; 5], &[0; 5]), Some(120));
        assert_eq!(count(&[0, 1, 3, 7], &[0; 4]), Some(1));
        assert_eq!(count(&[0, 1, 0, 4], &[0; 4]), Some(6));
        // The poset of four elements that is an N.
        assert_eq!(count(&[0, 0, 1, 3], &[0; 4]), Some(5));
        // Two classes that know nothing of each other.
        assert_eq!(count(&[0; 4], &[0, 0, 1, 1]), Some(4));
        // The second of each comes before the first of the other: not both classes can be in order.
        assert_eq!(count(&[8, 0, 2, 0], &[0, 0, 1, 1]), Some(3));
        assert_eq!(count(&[0; 21], &[0; 21]), None);
    }
}
