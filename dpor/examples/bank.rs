//! A bank transfer that can deadlock, and what the report shows of it.

use shuttle_dpor::sync::{Arc, Mutex};
use shuttle_dpor::{name_thread, note, thread, Explorer};

fn main() {
    let report = Explorer::new().explore(|| {
        name_thread("audit");
        let alice = Arc::new(Mutex::named("alice", 100));
        let (bob, from) = (Arc::new(Mutex::named("bob", 0)), alice.clone());
        let to = bob.clone();
        let transfer = thread::spawn(move || {
            name_thread("transfer");
            let (mut from, mut to) = (from.lock().unwrap(), to.lock().unwrap());
            (*from, *to) = (*from - 10, *to + 10);
            note("transferred 10");
        });
        let total = *bob.lock().unwrap() + *alice.lock().unwrap();
        note("audited");
        transfer.join().unwrap();
        total
    });
    println!(
        "{}: {} orderings, {} deadlocks\n",
        report.verdict, report.orderings, report.deadlocks
    );
    for violation in &report.violations {
        println!("{violation}\n");
    }
    for (total, outcome) in &report.outcomes {
        println!("{} orderings find {total}, such as\n{}", outcome.orderings, outcome.witness());
    }
}
