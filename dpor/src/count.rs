//! How many orderings there are of something, where one that was run may stand for several, or for a part
//! of one: see [`crate::symmetry`].

use std::fmt;
use std::str::FromStr;

/// For how many orderings an execution stands: a fraction in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Weight {
    above: u64,
    below: u64,
}

impl Weight {
    /// An execution that stands for itself.
    pub(crate) const ONE: Weight = Weight { above: 1, below: 1 };

    pub(crate) fn new(above: u64, below: u64) -> Self {
        let (mut one, mut other) = (above, below);
        while other != 0 {
            (one, other) = (other, one % other);
        }
        Weight { above: above / one, below: below / one }
    }

    pub(crate) fn as_f64(self) -> f64 {
        self.above as f64 / self.below as f64
    }
}

/// A sum of weights.
///
/// What has one denominator is summed by itself. If all has been explored, each of these sums is a whole
/// number: executions that are exchanges of each other have the same weight, and all that are of one
/// execution add up to how many orderings there are of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    whole: u64,
    /// Denominators, and what there is of each.
    parts: Vec<(u64, u64)>,
}

impl Count {
    pub(crate) fn one(weight: Weight) -> Self {
        let mut count = Count::default();
        count.add(weight);
        count
    }

    pub(crate) fn is_zero(&self) -> bool {
        *self == Count::default()
    }

    pub(crate) fn add(&mut self, weight: Weight) {
        self.add_parts(weight.below, weight.above);
    }

    /// Adds a weight if `seen`.
    pub(crate) fn add_if(&mut self, seen: bool, weight: Weight) {
        if seen {
            self.add(weight);
        }
    }

    pub(crate) fn merge(&mut self, other: &Count) {
        self.whole = self.whole.saturating_add(other.whole);
        other.parts.iter().for_each(|&(below, above)| self.add_parts(below, above));
    }

    fn add_parts(&mut self, below: u64, above: u64) {
        if below == 1 {
            self.whole = self.whole.saturating_add(above);
            return;
        }
        match self.parts.binary_search_by_key(&below, |&(below, _)| below) {
            Ok(at) => self.parts[at].1 = self.parts[at].1.saturating_add(above),
            Err(at) => self.parts.insert(at, (below, above)),
        }
    }

    /// Whether it is a whole number of orderings, of each denominator.
    pub(crate) fn is_whole(&self) -> bool {
        self.parts.iter().all(|(below, above)| above % below == 0)
    }

    /// How many orderings: as many as there are at least, as long as not all have been explored.
    pub(crate) fn total(&self) -> u64 {
        let parts = self.parts.iter().map(|(below, above)| above / below);
        parts.fold(self.whole, u64::saturating_add)
    }
}

/// `5`, or `5+3/2` with what is left of each denominator.
impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.whole)?;
        self.parts.iter().try_for_each(|(below, above)| write!(f, "+{above}/{below}"))
    }
}

impl FromStr for Count {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |text: &str| text.parse::<u64>().map_err(drop);
        let mut terms = text.split('+');
        let mut count = Count { whole: number(terms.next().ok_or(())?)?, parts: Vec::new() };
        for term in terms {
            let (above, below) = term.split_once('/').ok_or(())?;
            let (above, below) = (number(above)?, number(below)?);
            if below < 2 {
                return Err(());
            }
            count.add_parts(below, above);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirds_add_up_and_can_be_read_back() {
        let mut count = Count::one(Weight::ONE);
        count.add(Weight::new(6, 4));
        count.add(Weight::new(1, 3));
        assert_eq!((count.total(), count.is_whole()), (2, false));
        assert_eq!(count.to_string(), "1+3/2+1/3");
        assert_eq!(count.to_string().parse(), Ok(count.clone()));
        count.merge(&"0+3/2+2/3".parse().unwrap());
        assert_eq!((count.total(), count.is_whole()), (5, true));
        for bad in ["", "1+", "1+2", "1+2/0", "1/2", "1+1/1"] {
            assert!(bad.parse::<Count>().is_err(), "{bad}");
        }
    }
}
