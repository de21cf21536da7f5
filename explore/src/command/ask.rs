//! One question about any system: what a reader's own explorer is made of.

use super::BadInput;
use crate::engine::{explore, Options};
use crate::parse;
use crate::render::text::{text, Detail};
use crate::render::View;
use crate::system::Model;
use std::sync::Arc;

/// Explores a scenario on a system, every ordering of it. What was asked may be
/// wrong, and so may the build: an engine is needed.
pub fn ask(system: impl Model + 'static, scenario: &str) -> Result<View, BadInput> {
    let system: Arc<dyn Model> = Arc::new(system);
    let scenario = parse::scenario(scenario, &*system);
    let scenario = Arc::new(scenario.map_err(|error| BadInput(error.to_string()))?);
    let report = explore(&system, &scenario, &Options::default());
    let report = report.map_err(|unavailable| BadInput(unavailable.0))?;
    let mut view = View::new(&report, &scenario, &*system);
    view.usual = true;
    Ok(view)
}

/// The same, printed as `cargo explore` prints it.
pub fn ask_and_print(system: impl Model + 'static, scenario: &str) {
    let printed =
        ask(system, scenario).and_then(|view| super::print(&text(&[view], Detail::default())));
    if let Err(mistake) = printed {
        eprintln!("{mistake}");
    }
}
