//! What mistakes are made in: the core, or the explorer.

use super::run::Check;
use super::Mutant;

/// One of the two.
pub(super) struct Subject {
    /// The copy's.
    pub(super) name: &'static str,
    /// The first page of its crate, which asks in addition which mutant was chosen.
    pub(super) front: &'static str,
    pub(super) kinds: &'static [(&'static str, &'static [Mutant])],
    /// Those that nothing in `required` sees, and why.
    pub(super) unseen: &'static [(&'static str, &'static str)],
    /// What the failure of some says, under `checked`: mutant, test, text.
    pub(super) says: &'static [(&'static str, &'static str, &'static str)],
    /// Its matrix, from the root, and what is written at its head.
    pub(super) file: &'static str,
    pub(super) head: &'static str,
    /// What one of `required` is called, and what none of them is.
    pub(super) one: &'static str,
    pub(super) none: &'static str,
    /// What its mutants are run against.
    pub(super) checks: &'static [Check],
    /// One of these sees each mutant.
    pub(super) required: &'static [Check],
    /// The one that is run again when the matrix is checked.
    pub(super) checked: Check,
    /// Where it is kept what was found so far, among the builds.
    pub(super) seen: &'static str,
    /// What the checks are built from.
    pub(super) sources: &'static [&'static str],
}

impl Subject {
    /// All mutants, by their numbers: 0 is what is sound.
    pub(super) fn all(&self) -> Vec<(usize, &'static Mutant)> {
        let mutants = self.kinds.iter().flat_map(|(_, mutants)| mutants.iter());
        (1..).zip(mutants).collect()
    }

    /// The kind of the mutant with this number.
    pub(super) fn kind(&self, number: usize) -> &'static str {
        let mut kinds =
            self.kinds.iter().flat_map(|(kind, mutants)| mutants.iter().map(move |_| *kind));
        kinds.nth(number - 1).unwrap_or_default()
    }

    /// Whether it has a mutant of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.kinds.iter().any(|(_, mutants)| mutants.iter().any(|mutant| mutant.name == name))
    }
}
