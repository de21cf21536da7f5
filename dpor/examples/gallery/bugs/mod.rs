//! The gallery: bugs that people reported, each as a small program in its broken and its mended
//! forms. What owns what: a file a report, and [`ALL`] lists them.

use shuttle_dpor::{Explorer, Report};

mod bb8_122;
mod crossbeam_1023;
mod flume_120;
mod gax_java_1200;
mod linera_6046;
mod rust_lightning_2006;
mod sqlx_3217;
mod sqlx_4289;
mod tokio_2134;
mod tokio_4225;
mod tokio_7922;
mod tokio_8075;
mod webrtc_790;

/// A reported bug.
pub(crate) struct Bug {
    /// The project and the number, as the runner takes it.
    pub(crate) name: &'static str,
    /// Where the report is.
    pub(crate) url: &'static str,
    /// The report's own account of the ordering, shortened.
    pub(crate) reported: &'static str,
    /// The broken form, mends that were found wanting, and the mended form, which comes last.
    pub(crate) forms: &'static [Form],
}

/// One form of the program.
pub(crate) struct Form {
    /// Which.
    pub(crate) name: &'static str,
    /// Explores it.
    pub(crate) explore: fn() -> Report<()>,
    /// How many orderings it has.
    pub(crate) orderings: u64,
    /// What goes wrong and in how many of them; nothing in the mended form.
    pub(crate) violates: Option<(&'static str, u64)>,
}

/// All of them.
pub(crate) const ALL: &[Bug] = &[
    bb8_122::BUG,
    crossbeam_1023::BUG,
    flume_120::BUG,
    gax_java_1200::BUG,
    linera_6046::BUG,
    rust_lightning_2006::BUG,
    sqlx_3217::BUG,
    sqlx_4289::BUG,
    tokio_2134::BUG,
    tokio_4225::BUG,
    tokio_7922::BUG,
    tokio_8075::BUG,
    webrtc_790::BUG,
];

/// Explores a body without limits.
fn explore(body: impl Fn() + Send + Sync + 'static) -> Report<()> {
    Explorer::new().explore(body)
}

impl Bug {
    /// This bug's rows of the table in the gallery's README.
    pub(crate) fn rows(&self) -> String {
        let mut rows = String::new();
        for form in self.forms {
            let (what, violating) = form.violates.unwrap_or(("COMPLETE", 0));
            let bug = format!("[{}]({})", self.name, self.url);
            let row = [bug, form.name.into(), form.orderings.to_string()];
            rows += &format!("| {} | {violating} | {what} |\n", row.join(" | "));
        }
        rows
    }
}
