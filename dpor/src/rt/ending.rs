//! What follows from how an execution ended.

use super::state::{Ending, Mode, Runtime};

/// What to say of an execution that the exploration cannot take in.
pub(crate) fn divergence(why: &str) -> String {
    format!("the body is not deterministic: {why}")
}

impl Runtime {
    /// What to fail the test with when the execution has to be given up.
    pub(crate) fn failure(&self) -> Option<String> {
        match (&self.ending, self.fails) {
            (None, _) | (_, false) => None,
            (Some(Ending::Deadlock), _) => Some(format!("no-deadlock: {}", self.deadlock)),
            (Some(Ending::TooLong), _) => {
                Some(format!("an execution has more than {} operations", self.max_steps))
            }
            (Some(Ending::Diverged(why)), _) => Some(divergence(why)),
            (Some(Ending::Refused(why)), _) => Some(why.clone()),
            (Some(Ending::Redundant), _) => Some("an execution was redundant: a bug".into()),
            (Some(Ending::AtRest | Ending::Torn), _) => None,
        }
    }

    /// Lets the search take in the execution that has ended. Returns whether there is more to explore.
    pub(crate) fn search_on(&mut self) -> bool {
        if let Mode::Bounded(search) = &mut self.mode {
            return search.backtrack(self.ending.as_ref());
        }
        let Mode::Explore(search) = &mut self.mode else { return true };
        match self.ending {
            None | Some(Ending::AtRest | Ending::Deadlock | Ending::TooLong) => {
                search.reverse_races(&self.trace, &self.objects, &self.stalled);
                search.backtrack()
            }
            Some(Ending::Redundant) => search.backtrack(),
            Some(Ending::Diverged(_) | Ending::Refused(_) | Ending::Torn) => false,
        }
    }
}
