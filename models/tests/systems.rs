//! What ships with the project can be read, and numbers that no system can take are
//! refused before it is built.

use connmap_models::systems;
use orderings::parse::{file, scenario};

#[test]
fn the_scenarios_that_ship_are_well_formed() {
    for system in systems::all() {
        let scenarios = file(system.scenarios(), &*system).unwrap();
        for scenario in scenarios {
            assert!(!scenario.meaning.is_empty(), "{} says nothing", scenario.name);
            let again = file(&scenario.stanza(), &*system).unwrap();
            assert_eq!(again, [scenario]);
        }
    }
}

/// Whatever number is written, it is refused or can be built and run.
#[test]
fn numbers_that_are_too_large_are_errors_on_every_system() {
    let huge = u64::MAX - 1;
    for system in systems::all() {
        let refused = |text: String| {
            assert!(scenario(&text, &*system).is_err(), "{}: {text}", system.name());
        };
        refused(format!("stream_request({huge})"));
        refused(format!("notify({huge})"));
        refused(format!("set_vb_state(0, {huge}) | set_vb_state({huge}, 0)"));
        refused(format!("stream_request(0, {huge})"));
        for setting in ["items", "buffer", "scan", "slots"] {
            refused(format!("{{ {setting}={huge} }} shutdown"));
        }
    }
    let seed = systems::find(systems::kv_engine::SEED).unwrap();
    for setting in ["order", "memory_high"] {
        assert!(scenario(&format!("{{ {setting}=4 }} shutdown"), &*seed).is_err());
    }
}
