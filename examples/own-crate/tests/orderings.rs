//! The pool violates what its scenarios expect; a repaired pool holds; and the message
//! of a failing test has the ordering.

use orderings::sync::Mutex;
use orderings::System;
use own_crate::pool;
use std::panic::catch_unwind;

#[test]
fn the_pool_is_as_its_scenarios_say() {
    pool().holds();
}

/// A pool whose flag and count are under one lock.
#[derive(Default)]
struct Repaired(Mutex<(bool, u64)>);

#[test]
fn under_one_lock_all_of_it_holds() {
    System::new("repaired", Repaired::default)
        .call("close", |pool, _| {
            *pool.0.lock().unwrap() = (true, 0);
            "closed"
        })
        .call("checkout", |pool, _| match &mut *pool.0.lock().unwrap() {
            (true, _) => "refused",
            (false, open) => {
                *open += 1;
                "checked out"
            }
        })
        .call("count", |pool, _| pool.0.lock().unwrap().1)
        .invariant("closed-is-empty", "a closed pool has no connection", |pool| {
            let (closed, open) = *pool.0.lock().unwrap();
            !closed || open == 0
        })
        .linearizable()
        .holds_in(&[
            "close | checkout",
            "close; count | checkout",
            "checkout; count | checkout | close",
        ]);
}

#[test]
fn a_failure_has_the_table_the_ordering_and_the_command() {
    let failed = catch_unwind(|| pool().holds_in(&["close | checkout"])).unwrap_err();
    let said = failed.downcast::<String>().unwrap();
    for wanted in [
        "violated: closed-is-empty, in 1 of 3 orderings",
        "checkout: checked out",
        "again: cargo run -- 'close | checkout' --replay dpor-",
        "the same: cargo run -- 'close | checkout'",
    ] {
        assert!(said.contains(wanted), "{said}");
    }
}
