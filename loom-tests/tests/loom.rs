//! Every scenario of the core under loom, to the end and without a bound.

#[cfg(not(loom))]
fn main() {}

#[cfg(loom)]
fn main() {
    use connmap_loom_tests::{core, judge, run};
    use connmap_models::sync;
    use libtest_mimic::Trial;
    use orderings::engine;
    use std::sync::Arc;

    let (system, scenarios) = core();
    let mut trials: Vec<Trial> = scenarios
        .into_iter()
        .map(|scenario| {
            let system = Arc::clone(&system);
            Trial::test(scenario.name.clone(), move || {
                judge(&engine::loom::explore(&system, &scenario), &system, &scenario)
            })
        })
        .collect();
    trials.push(Trial::test("engine-is-loom", || {
        assert_eq!(sync::ENGINE, "loom");
        Ok(())
    }));
    run(trials)
}
