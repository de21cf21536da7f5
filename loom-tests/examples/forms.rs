//! Every scenario that FE, BD, BT and SV can form, up to four threads and one
//! call of FE's, on the core or on the era that is named: the figures that
//! `models/HISTORY.md` has as recorded. It takes minutes, and for some eras
//! hours:
//!
//! ```text
//! RUSTFLAGS="--cfg shuttle" cargo run --release --target-dir target/shuttle \
//!     -p connmap-loom-tests --example forms -- kv-engine@mb-69075
//! ```

#[cfg(not(shuttle))]
fn main() {
    println!("build it with RUSTFLAGS=\"--cfg shuttle\"");
}

#[cfg(shuttle)]
fn main() {
    use connmap_models::engine::{explore, Options};
    use connmap_models::systems::kv_engine::forms::forms;
    use connmap_models::{parse, systems};
    use std::sync::Arc;

    let name = std::env::args().nth(1).unwrap_or_else(|| "core".into());
    let Some(system) = systems::find(&name) else {
        println!("{name}: no such system; cargo explore --list has them");
        std::process::exit(2);
    };
    let (mut scenarios, mut orderings, mut violated) = (0, 0, 0);
    for form in forms(1, 3) {
        let scenario = parse::scenario(&form, &*system).expect("a form is a scenario");
        let report = explore(&system, &Arc::new(scenario), &Options::default())
            .expect("this is the build for it");
        scenarios += 1;
        orderings += report.orderings.unwrap_or(0);
        violated += u64::from(!report.violations.is_empty());
    }
    println!("{name}: {orderings} orderings of {scenarios} scenarios, {violated} of them violated");
}
