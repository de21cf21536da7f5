//! What a failure shows: what `cargo explore` shows of the same scenario.

use connmap_models::systems;
use orderings::command::Runner;
use orderings::render::text::{text, Detail};
use orderings::{Model, Report, Scenario};
use std::env;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

/// So many failures are shown with an ordering of the explorer, where the engine
/// itself has none. A mistake in the core breaks dozens of scenarios, and the
/// others name the command.
const SHOWN: usize = 3;

/// The table, an ordering, and the command that shows both again.
///
/// loom does not know the ordering, so the explorer is asked, in a process of its
/// own: this one has loom's primitives.
pub fn said(report: &Report, system: &Arc<dyn Model>, scenario: &Arc<Scenario>) -> String {
    static SHOWN_SO_FAR: AtomicUsize = AtomicUsize::new(0);
    let report = Runner::known(&Arc::new(systems::suite()), report.clone(), &**system);
    let shown = text(std::slice::from_ref(&report), Detail::default());
    let shown = anstream::adapter::strip_str(&shown).to_string();
    let again = format!("\n  the same, and an ordering: {}\n", report.again(""));
    let known = report.violations.iter().any(|violation| violation.witness.is_known());
    if known || SHOWN_SO_FAR.fetch_add(1, Ordering::Relaxed) >= SHOWN {
        return format!("\n{shown}{again}");
    }
    format!("\n{shown}\n{}{again}", explorer(&**system, scenario))
}

/// What `cargo explore` says of it.
fn explorer(system: &dyn Model, scenario: &Scenario) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let asked = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(["explore", "--system", &system.name(), &scenario.text])
        // It chooses the flags of its builds itself.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output();
    let why = match asked {
        Ok(output) if matches!(output.status.code(), Some(0 | 1 | 3)) => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            return format!("  and by shuttle-dpor:\n\n{said}");
        }
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => format!("cargo does not start: {error}"),
    };
    format!("  shuttle-dpor's explorer did not answer: {why}\n")
}
