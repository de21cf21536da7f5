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
            (Some(Ending::Deadlock), _) => {
                let found = self.violations.last().expect("it has been said who waits where");
                Some(format!("{}: {}", found.name, found.detail))
            }
            (Some(Ending::TooLong), _) => Some(format!(
                "an execution has more than {} operations: {}",
                self.max_steps,
                self.busy()
            )),
            (Some(Ending::Diverged(why)), _) => Some(divergence(why)),
            (Some(Ending::Refused(why)), _) => Some(why.clone()),
            (Some(Ending::Redundant | Ending::Exchanged), _) => {
                Some("an execution was redundant: a bug".into())
            }
            (Some(Ending::AtRest | Ending::Torn | Ending::Probed | Ending::Halted), _) => None,
        }
    }

    /// Who performed most of the operations of an execution that was cut off.
    pub(crate) fn busy(&self) -> String {
        let events = self.trace.events();
        let count = |tid| events.iter().filter(|e| e.tid == tid).count();
        let Some(&tid) = self.live.iter().max_by_key(|&&tid| count(tid)) else {
            return String::new();
        };
        let last = events.iter().rev().find(|e| e.tid == tid);
        let last = last.map_or_else(String::new, |e| {
            let (what, object) = (e.label.kind.name(), self.object_name(e.obj));
            format!(", the last one {what} {object} at {}:{}", e.at.file(), e.at.line())
        });
        format!("{} of them by {}{last}", count(tid), self.thread_name(tid))
    }

    /// Lets the search reverse the races of the execution that has ended. Returns false if that was
    /// none that counts: it was run to find out who spins, or that has to be done before it can be
    /// taken in.
    pub(crate) fn counts(&mut self) -> bool {
        if self.ending == Some(Ending::TooLong) {
            // Who was busy is told from the events.
            self.needs_events();
        }
        if self.astray && !self.diverged() {
            self.ending = Some(Ending::Probed);
        }
        let Mode::Explore(search) = &mut self.mode else {
            return self.ending != Some(Ending::Probed);
        };
        match self.ending {
            Some(Ending::Probed) => {
                search.probed();
                false
            }
            None
            | Some(Ending::AtRest | Ending::Deadlock | Ending::TooLong)
            | Some(Ending::Halted | Ending::Exchanged) => {
                let done = search.reverse_races(&self.trace, &self.objects, &self.stalled);
                if !done {
                    self.ending = Some(Ending::Probed);
                }
                done
            }
            Some(Ending::Redundant | Ending::Diverged(_) | Ending::Refused(_) | Ending::Torn) => {
                true
            }
        }
    }

    /// Goes on behind the execution that has ended. Returns whether there is more to explore.
    pub(crate) fn search_on(&mut self) -> bool {
        match (&mut self.mode, &self.ending) {
            (_, Some(Ending::Probed)) => true,
            (Mode::Bounded(search), ending) => search.backtrack(ending.as_ref()),
            (Mode::Explore(_), Some(Ending::Diverged(_) | Ending::Refused(_) | Ending::Torn)) => {
                false
            }
            (Mode::Explore(search), _) => search.backtrack(),
            _ => true,
        }
    }
}
