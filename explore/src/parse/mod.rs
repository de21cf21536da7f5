//! From text to [`Scenario`], against the operations of a system.
//!
//! - `lex`: words, numbers and signs, each with its place
//! - `line`: one scenario
//! - `resolve`: one call, resolved against the system's operations
//! - `pattern`: patterns of outcomes
//! - `file`: many scenarios, with their expectations
//! - `error`: mistakes, shown at their places
//!
//! Nothing here panics, whatever the text.

mod error;
mod file;
mod lex;
mod line;
mod pattern;
mod resolve;

pub use error::ParseError;
pub use file::file;

use crate::scenario::Scenario;
use crate::system::Model;
use error::Failure;

/// The threads of a scenario: more than an engine can explore, and few enough to refuse
/// a mistake at once.
pub const MAX_THREADS: usize = 16;
/// The calls of a scenario, all threads together.
pub const MAX_CALLS: usize = 256;
/// The receivers of a scenario.
pub const MAX_RECEIVERS: usize = 26;

/// Reads one scenario, as it is given on a command line.
pub fn scenario(text: &str, system: &dyn Model) -> Result<Scenario, ParseError> {
    line::scenario(text, 0, system).map_err(|failure| failure.at("the scenario", text))
}

/// The nearest of the known names, if it may be the one that was meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The comparison is quadratic, and no name is so long.
    if name.len() > 64 {
        return None;
    }
    let similar = |known: &'a str| (strsim::jaro_winkler(name, known), known);
    let best = known.into_iter().map(similar).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.75).then_some(best.1)
}
