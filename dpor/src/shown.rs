//! Reports as text.

use crate::report::Report;
use std::fmt;

/// The verdict and the counts, then every violation with its witness, then how often the body
/// returned what.
impl<T: Ord + fmt::Debug> fmt::Display for Report<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { verdict, orderings, executions, elapsed, .. } = self;
        write!(f, "{verdict}: {orderings} orderings, {executions} executions, {elapsed:.1?}")?;
        if let Some(why) = self.incomplete.as_ref().filter(|_| !self.violations.is_empty()) {
            write!(f, "; not all: {why}")?;
        }
        writeln!(f)?;
        for violation in &self.violations {
            writeln!(f, "\n{violation}")?;
        }
        for (value, outcome) in &self.outcomes {
            writeln!(f, "{:>10} orderings: {value:?}", outcome.orderings)?;
        }
        Ok(())
    }
}
