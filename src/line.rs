//! A line of small numbers: first come, first served, and whoever is in it may
//! leave from anywhere. Plain data, no lock.

/// A number is in a line at most once, and every method is O(1). The numbers
/// are places of a [`Slab`](crate::slab::Slab), which hands the lowest ones
/// out again; a line takes 8 bytes for each number up to its highest.
#[derive(Debug, Default)]
pub(crate) struct Line {
    links: Vec<Link>,
    ends: Option<Ends>,
    len: usize,
}

/// Who stands before and behind a number.
#[derive(Clone, Copy, Debug)]
struct Link {
    before: u32,
    behind: u32,
}

#[derive(Clone, Copy, Debug)]
struct Ends {
    first: u32,
    last: u32,
}

/// Nobody: the neighbour of the first, or of the last.
const NOBODY: u32 = u32::MAX;
const OUT: Link = Link { before: u32::MAX - 1, behind: u32::MAX - 1 };

impl Line {
    pub(crate) fn contains(&self, number: u32) -> bool {
        self.links.get(number as usize).is_some_and(|link| link.before != OUT.before)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// To the end of the line. False: it is in it already, and stays where it is.
    pub(crate) fn push_back(&mut self, number: u32) -> bool {
        let last = self.ends.map_or(NOBODY, |ends| ends.last);
        self.insert(number, Link { before: last, behind: NOBODY })
    }

    /// Before everybody else, or as [`Self::push_back`].
    pub(crate) fn push_front(&mut self, number: u32) -> bool {
        let first = self.ends.map_or(NOBODY, |ends| ends.first);
        self.insert(number, Link { before: NOBODY, behind: first })
    }

    pub(crate) fn pop_front(&mut self) -> Option<u32> {
        let first = self.ends?.first;
        self.remove(first);
        Some(first)
    }

    /// Out of the line, from wherever. False: it was not in it.
    pub(crate) fn remove(&mut self, number: u32) -> bool {
        if !self.contains(number) {
            return false;
        }
        let link = std::mem::replace(&mut self.links[number as usize], OUT);
        self.len -= 1;
        self.join(link.before, link.behind);
        true
    }

    fn insert(&mut self, number: u32, link: Link) -> bool {
        if self.contains(number) {
            return false;
        }
        if self.links.len() <= number as usize {
            self.links.resize(number as usize + 1, OUT);
        }
        self.links[number as usize] = link;
        self.len += 1;
        self.join(link.before, number);
        self.join(number, link.behind);
        true
    }

    /// Makes two that are next to each other know it; either may be nobody.
    fn join(&mut self, before: u32, behind: u32) {
        if before != NOBODY {
            self.links[before as usize].behind = behind;
        }
        if behind != NOBODY {
            self.links[behind as usize].before = before;
        }
        self.ends = match (self.ends, before, behind) {
            (_, NOBODY, NOBODY) => None,
            (ends, NOBODY, first) => {
                Some(Ends { first, last: ends.map_or(first, |ends| ends.last) })
            }
            (ends, last, NOBODY) => {
                Some(Ends { last, first: ends.map_or(last, |ends| ends.first) })
            }
            (ends, ..) => ends,
        };
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    proptest! {
        /// Against a queue that is searched from end to end.
        #[test]
        fn a_line_is_a_queue(calls in proptest::collection::vec((0..4u8, 0..6u32), 0..200)) {
            let (mut line, mut queue) = (Line::default(), VecDeque::new());
            for (call, number) in calls {
                let there = queue.contains(&number);
                prop_assert_eq!(line.contains(number), there);
                match call {
                    0 => {
                        prop_assert_eq!(line.push_back(number), !there);
                        if !there {
                            queue.push_back(number);
                        }
                    }
                    1 => {
                        prop_assert_eq!(line.push_front(number), !there);
                        if !there {
                            queue.push_front(number);
                        }
                    }
                    2 => prop_assert_eq!(line.pop_front(), queue.pop_front()),
                    _ => {
                        prop_assert_eq!(line.remove(number), there);
                        queue.retain(|other| *other != number);
                    }
                }
                prop_assert_eq!((line.len(), line.is_empty()), (queue.len(), queue.is_empty()));
            }
            prop_assert_eq!(std::iter::from_fn(|| line.pop_front()).collect::<VecDeque<_>>(), queue);
        }
    }
}
