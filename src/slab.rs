//! Values under small numbers, which are reused. Plain data, no lock.

use crate::line::{Link, Links};

/// Every method is O(1); `insert` amortised.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    entries: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { entries: Vec::new(), free: Vec::new() }
    }
}

/// Each value has its link.
impl<T: AsMut<Link>> Links for Slab<T> {
    fn link(&mut self, number: u32) -> &mut Link {
        self.get_mut(number).expect("who is in a line is there").as_mut()
    }
}

impl<T> Slab<T> {
    /// The number that the next [`Self::insert`] gives.
    pub(crate) fn vacant(&self) -> u32 {
        self.free.last().copied().unwrap_or(self.entries.len() as u32)
    }

    pub(crate) fn insert(&mut self, value: T) -> u32 {
        match self.free.pop() {
            Some(number) => {
                self.entries[number as usize] = Some(value);
                number
            }
            None => {
                self.entries.push(Some(value));
                self.entries.len() as u32 - 1
            }
        }
    }

    /// How many values there are.
    #[cfg(all(test, not(any(loom, shuttle))))]
    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.entries.get(number as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.entries.get_mut(number as usize)?.as_mut()
    }

    /// All values, by their numbers.
    pub(crate) fn into_entries(self) -> Vec<Option<T>> {
        self.entries
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        let value = self.entries.get_mut(number as usize)?.take();
        if value.is_some() {
            self.free.push(number);
        }
        value
    }
}
