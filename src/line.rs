//! A line of small numbers: first come, first served, and a number can be removed
//! from anywhere. Plain data, no lock.

/// The neighbours of a number in its line. The link is stored with the object that
/// the number stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    before: u32,
    behind: u32,
}

/// The links, by number.
pub(crate) trait Links {
    /// The link of a number that is, or is to be, in a line.
    fn link(&mut self, number: u32) -> &mut Link;
}

/// A number is in a line at most once, and every method is O(1). Lines that
/// share their links have no number in common.
#[derive(Debug, Default)]
pub(crate) struct Line {
    ends: Option<Ends>,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Ends {
    first: u32,
    last: u32,
}

/// No number: the neighbour before the first, and behind the last.
const NOBODY: u32 = u32::MAX;

impl Link {
    /// In no line.
    pub(crate) const OUT: Link = Link { before: u32::MAX - 1, behind: u32::MAX - 1 };

    pub(crate) fn is_in_line(self) -> bool {
        self.before != Link::OUT.before
    }
}

impl Line {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts a number at the end of the line. False: it is in the line already, and
    /// keeps its place.
    pub(crate) fn push_back(&mut self, links: &mut impl Links, number: u32) -> bool {
        let last = self.ends.map_or(NOBODY, |ends| ends.last);
        self.insert(links, number, Link { before: last, behind: NOBODY })
    }

    /// Puts a number before all others. False: as of [`Self::push_back`].
    pub(crate) fn push_front(&mut self, links: &mut impl Links, number: u32) -> bool {
        let first = self.ends.map_or(NOBODY, |ends| ends.first);
        self.insert(links, number, Link { before: NOBODY, behind: first })
    }

    pub(crate) fn pop_front(&mut self, links: &mut impl Links) -> Option<u32> {
        let first = self.ends?.first;
        self.remove(links, first);
        Some(first)
    }

    /// Takes a number out of the line. False: it was not in it.
    pub(crate) fn remove(&mut self, links: &mut impl Links, number: u32) -> bool {
        let link = std::mem::replace(links.link(number), Link::OUT);
        if !link.is_in_line() {
            return false;
        }
        self.len -= 1;
        self.join(links, link.before, link.behind);
        true
    }

    fn insert(&mut self, links: &mut impl Links, number: u32, link: Link) -> bool {
        let place = links.link(number);
        if place.is_in_line() {
            return false;
        }
        *place = link;
        self.len += 1;
        self.join(links, link.before, number);
        self.join(links, number, link.behind);
        true
    }

    /// Makes two numbers neighbours; either may be [`NOBODY`].
    fn join(&mut self, links: &mut impl Links, before: u32, behind: u32) {
        if before != NOBODY {
            links.link(before).behind = behind;
        }
        if behind != NOBODY {
            links.link(behind).before = before;
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

    impl Links for [Link; 6] {
        fn link(&mut self, number: u32) -> &mut Link {
            &mut self[number as usize]
        }
    }

    proptest! {
        /// Compared with a queue that is searched from end to end.
        #[test]
        fn a_line_is_a_queue(calls in proptest::collection::vec((0..4u8, 0..6u32), 0..200)) {
            let (mut line, mut queue) = (Line::default(), VecDeque::new());
            let links = &mut [Link::OUT; 6];
            for (call, number) in calls {
                let there = queue.contains(&number);
                prop_assert_eq!(links[number as usize].is_in_line(), there);
                match call {
                    0 => {
                        prop_assert_eq!(line.push_back(links, number), !there);
                        if !there {
                            queue.push_back(number);
                        }
                    }
                    1 => {
                        prop_assert_eq!(line.push_front(links, number), !there);
                        if !there {
                            queue.push_front(number);
                        }
                    }
                    2 => prop_assert_eq!(line.pop_front(links), queue.pop_front()),
                    _ => {
                        prop_assert_eq!(line.remove(links, number), there);
                        queue.retain(|other| *other != number);
                    }
                }
                prop_assert_eq!((line.len(), line.is_empty()), (queue.len(), queue.is_empty()));
            }
            prop_assert_eq!(
                std::iter::from_fn(|| line.pop_front(links)).collect::<VecDeque<_>>(),
                queue
            );
        }
    }
}
