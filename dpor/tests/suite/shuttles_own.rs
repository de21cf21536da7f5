//! The primitives mean what shuttle's own do: every interleaving of shuttle's, with shuttle's search,
//! has the outcomes that the explorer finds for the same body over the primitives here, and so have
//! the primitives here when shuttle's search runs them without the explorer.

use shuttle::scheduler::DfsScheduler;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

type Outcome = Vec<usize>;

/// The bodies, over the primitives of a crate. None of them can deadlock.
macro_rules! bodies {
    ($name:ident, $($from:ident)::+) => {
        mod $name {
            use super::Outcome;
            use $($from)::+::sync::atomic::{AtomicUsize, Ordering::SeqCst};
            use $($from)::+::sync::{mpsc, Condvar, Mutex, RwLock};
            use $($from)::+::thread;
            use std::sync::Arc;

            fn buffer() -> Outcome {
                let shared = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
                let producers: Vec<_> = (1..3)
                    .map(|n| {
                        let s = shared.clone();
                        thread::spawn(move || {
                            s.0.lock().unwrap().push(n);
                            s.1.notify_one();
                        })
                    })
                    .collect();
                let mut queue = shared.0.lock().unwrap();
                while queue.len() < 2 {
                    queue = shared.1.wait(queue).unwrap();
                }
                let seen = queue.clone();
                drop(queue);
                producers.into_iter().for_each(|p| p.join().unwrap());
                seen
            }

            fn readers() -> Outcome {
                let l = Arc::new(RwLock::new(0));
                let (one, two) = (l.clone(), l.clone());
                let w = thread::spawn(move || *one.write().unwrap() += 1);
                let r = thread::spawn(move || *two.read().unwrap());
                let mine = *l.read().unwrap();
                w.join().unwrap();
                vec![mine, r.join().unwrap()]
            }

            fn exchanges() -> Outcome {
                let x = Arc::new(AtomicUsize::new(0));
                let other = x.clone();
                let t = thread::spawn(move || {
                    other.compare_exchange(0, 1, SeqCst, SeqCst).unwrap_or_else(|e| e + 10)
                        + other.fetch_add(2, SeqCst) * 100
                });
                let mine = x.compare_exchange(0, 5, SeqCst, SeqCst).unwrap_or_else(|e| e + 10);
                x.store(7, SeqCst);
                let theirs = t.join().unwrap();
                vec![mine, theirs, x.load(SeqCst)]
            }

            fn channel() -> Outcome {
                let (sender, receiver) = mpsc::channel();
                let other = sender.clone();
                thread::spawn(move || other.send(1).unwrap());
                thread::spawn(move || sender.send(2).unwrap());
                receiver.into_iter().collect()
            }

            fn tries() -> Outcome {
                let m = Arc::new(Mutex::new(0));
                let other = m.clone();
                let t = thread::spawn(move || *other.lock().unwrap() += 1);
                let first = m.try_lock().map_or(9, |n| *n);
                let second = m.try_lock().map_or(9, |n| *n);
                t.join().unwrap();
                vec![first, second]
            }

            fn rendezvous() -> Outcome {
                let (sender, receiver) = mpsc::sync_channel(0);
                let senders: Vec<_> = (1..3)
                    .map(|n| {
                        let s = sender.clone();
                        thread::spawn(move || s.send(n).is_ok() as usize)
                    })
                    .collect();
                let first = receiver.recv().unwrap();
                let second = receiver.try_recv().unwrap_or(9);
                drop(receiver);
                let sent = senders.into_iter().map(|s| s.join().unwrap()).sum();
                vec![first, second, sent]
            }

            pub(super) const ALL: [fn() -> Outcome; 6] =
                [buffer, readers, exchanges, channel, tries, rendezvous];
        }
    };
}

bodies!(ours, shuttle_dpor);
bodies!(theirs, shuttle);

#[test]
fn outcomes_agree() {
    for (n, (ours, theirs)) in ours::ALL.into_iter().zip(theirs::ALL).enumerate() {
        let report = shuttle_dpor::Explorer::new().explore(ours);
        report.assert_complete();
        let found: BTreeSet<Outcome> = report.outcomes.into_keys().collect();
        assert!(found.len() > 1, "body {n} has one outcome only");
        assert_eq!(found, shuttles_search(theirs), "body {n}, shuttle's primitives");
        assert_eq!(found, shuttles_search(ours), "body {n}, as a guest of shuttle's");
    }
}

/// There is no execution of shuttle's that they could be in.
#[test]
fn shuttles_primitives_are_refused_in_an_exploration() {
    let bodies: [fn(); 3] = [
        || drop(shuttle::sync::Mutex::new(0).lock()),
        || drop(shuttle::thread::spawn(|| ())),
        || _ = shuttle::rand::Rng::gen::<u32>(&mut shuttle::rand::thread_rng()),
    ];
    for body in bodies {
        let report = shuttle_dpor::Explorer::new().check(body);
        let found = report.violation("panic").expect("it panics");
        assert!(found.detail.to_lowercase().contains("shuttle"), "{}", found.detail);
    }
}

/// The outcomes that shuttle's search finds.
fn shuttles_search(body: fn() -> Outcome) -> BTreeSet<Outcome> {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let all = seen.clone();
    let runner = shuttle::Runner::new(DfsScheduler::new(None, false), shuttle::Config::new());
    runner.run(move || {
        let outcome = body();
        all.lock().unwrap().insert(outcome);
    });
    let seen = seen.lock().unwrap();
    seen.clone()
}
