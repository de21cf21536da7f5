//! Random programs: the explorer runs each trace exactly once, and brute force agrees.

use super::brute;
use super::brute::generate::{self, Dice, Generator};
use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::{mpsc, Arc};
use shuttle_dpor::{thread, Explorer, Strategy};
use std::collections::HashSet;
use std::sync::{Arc as StdArc, Mutex};

/// The flavour with waits of a condition variable that last while something holds.
const WAITS: usize = 19;

/// What is compared, of the programs that are generated.
struct Sample {
    flavour: Option<usize>,
    programs: u32,
    /// At most so many operations, interleavings and traces.
    size: usize,
    limit: u64,
    traces: u64,
    /// Every how many programs three workers explore, too.
    shared: u64,
    /// At least so many have to be compared.
    compared: u64,
}

#[test]
fn every_trace_exactly_once() {
    compare(Sample {
        flavour: None,
        programs: 500,
        size: 10,
        limit: 2000,
        traces: 2000,
        shared: 1,
        compared: 150,
    });
}

#[test]
fn many_small_programs() {
    let (flavour, programs) = (None, 6000);
    let (size, limit, traces) = (8, 300, 40);
    compare(Sample { flavour, programs, size, limit, traces, shared: 16, compared: 1500 });
}

/// How often a wait may end by itself is another in each of several programs.
#[test]
fn waits_while_something_holds() {
    let (flavour, programs) = (Some(WAITS), 300);
    let (size, limit, traces) = (9, 300, 40);
    compare(Sample { flavour, programs, size, limit, traces, shared: 16, compared: 60 });
}

/// Each was explored twice, or not at all, while the explorer was built.
#[test]
fn programs_that_were_wrong_once() {
    use super::brute::{Share, Stmt::*, Until};
    let programs = [
        // Attempts that fail because a writer waits come before that writer, or after.
        vec![vec![Write(vec![])], vec![TryRead(vec![])], vec![Write(vec![])]],
        vec![vec![PollWrite], vec![Spawn(vec![TryRead(vec![])])], vec![Spawn(vec![PollWrite])]],
        vec![vec![Write(vec![])], vec![SpinTryRead(true)], vec![SpinTryRead(true)]],
        vec![vec![Write(vec![])], vec![PollWrite], vec![Clear(None)]],
        vec![vec![Read(vec![PollRead])], vec![Read(vec![Clear(None)])]],
        // Who tries to send knows whether others have sent: then it does not wait for them.
        vec![vec![TrySend, Yield, RecvUntil], vec![Spawn(vec![Spawn(vec![Send])])], vec![Send]],
        // That a sender goes afterwards does not keep a send from coming before a look.
        vec![
            vec![Send, Recv(false), Yield, Yield],
            vec![Yield, Send],
            vec![TrySend, Yield, Load(0), DropSender],
        ],
        // Who tries a loop, and comes to a join, does not spin: with the other thread over it goes on there.
        vec![vec![Store(0, 1), SpinFor(0, 2, 2), Join, SpinLock(0)], vec![Cas(0, 1, 2)]],
        // Whether a thread spins depends on what others did that it knows of, and not on its own steps alone.
        vec![vec![Spin(0, 1), SpinFor(0, 2, 2)], vec![SpinLock(0)]],
        vec![vec![Cas(0, 2, 1), Spin(0, 1), SpinFor(0, 2, 2)], vec![SpinLock(0), SpinOnBoth]],
        // Who has looked at a lock does not know whether it is free, and so not what a loop that takes it does.
        vec![vec![Write(vec![])], vec![LookAtRwLock, SpinFor(0, 2, 2), PollWrite]],
        // What goes on after a yield needs room, or a permit, without what it is to go before.
        vec![
            vec![Store(0, 1), DropSender, Recv(false), Yield],
            vec![Send],
            vec![Load(0), Yield, Send],
        ],
        vec![vec![Load(0), Yield, Park(false)], vec![Store(0, 1), Store(0, 2), UnparkMain]],
        // To begin to wait, after a yield, is a look as well, which another writer may come before.
        vec![vec![PollWrite], vec![Clear(None), SpinFor(0, 1, 1), Write(vec![])]],
        // Who is blocked when time passes might have come before what blocks it.
        vec![
            vec![TryLock(0, vec![]), TryLock(0, vec![Park(true)])],
            vec![Store(1, 2), Lock(0, vec![])],
        ],
        vec![vec![LookAtMutex(0), Lock(0, vec![Park(true)])], vec![Lock(0, vec![]), TryRecv]],
        // The loop's own rounds wait for something else than what came before the first yield.
        vec![vec![TryWrite(vec![]), Yield, SpinTryRead(true)], vec![Write(vec![])]],
        // What ends a wait conflicts with the look before.
        vec![
            vec![Share(Share::Downgrade), Share(Share::Count), SpinOnBoth],
            vec![ShareUntil(Until::Unique), Spin(0, 2)],
        ],
        vec![
            vec![Share(Share::MakeMut), Share(Share::DropWeak)],
            vec![Share(Share::TryUnwrap), ShareUntil(Until::Unique)],
        ],
        vec![
            vec![Share(Share::TryUnwrap), Yield, Share(Share::Clone)],
            vec![Share(Share::Drop)],
            vec![],
        ],
        // A livelock is the same in equivalent executions.
        vec![
            vec![Spawn(vec![ShareUntil(Until::Alone)]), Load(0)],
            vec![Add(0), ShareUntil(Until::Unique)],
        ],
    ];
    for program in programs {
        let compared = brute::compare(&program, 5000, 1000, true);
        assert!(matches!(compared, Ok(Some(_))), "{program:?}: {compared:?}");
    }
}

/// What comes after the second event of a race belongs to its reversal, too.
///
/// Without, a step that sleeps is taken for one that the reversal could begin with, though something
/// that comes later does not commute with it. That takes six threads, and not any order of them.
#[test]
fn orderings_that_take_six_threads_to_be_lost() {
    const WRITE: bool = true;
    const READ: bool = false;
    let threads: [&[(bool, usize)]; 6] = [
        &[(WRITE, 1)],
        &[(WRITE, 2)],
        &[(READ, 0), (WRITE, 1)],
        &[(WRITE, 0), (WRITE, 2)],
        &[(WRITE, 1), (WRITE, 0)],
        &[(WRITE, 1)],
    ];
    let body = move || {
        let objects = Arc::new([(); 3].map(|_| AtomicUsize::new(0)));
        let threads = threads.map(|operations| {
            let objects = objects.clone();
            thread::spawn(move || {
                for &(writes, at) in operations {
                    match writes {
                        WRITE => objects[at].store(1, SeqCst),
                        READ => _ = objects[at].load(SeqCst),
                    }
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    };
    // Nine operations, in three threads two.
    assert_eq!(depth_first(body), (45_360, 216));
    let optimal = Explorer::new().explore(body);
    assert_eq!((optimal.orderings, optimal.blocked), (216, 0));
}

/// That a sender goes after its look does not keep a send that waits for room from coming before the look.
#[test]
fn a_goodbye_does_not_keep_a_send_from_coming_before_a_look() {
    let body = || {
        let (tx, rx) = mpsc::sync_channel(1);
        tx.send(0).unwrap();
        let (goes, sends) = (tx.clone(), tx);
        let goes = thread::spawn(move || {
            let _ = goes.try_send(1);
            thread::yield_now();
            // This looks at the channel again, and the goodbye comes after it.
            thread::current().unpark();
        });
        let sends = thread::spawn(move || _ = sends.send(2));
        rx.recv().unwrap();
        goes.join().unwrap();
        drop(rx);
        sends.join().unwrap();
    };
    let (_, traces) = depth_first(body);
    let optimal = Explorer::new().explore(body);
    assert_eq!((optimal.orderings as usize, optimal.blocked), (traces, 0));
    assert!(traces > 10, "{traces}");
}

/// How many interleavings a body has, and how many traces.
fn depth_first(body: impl Fn() + Send + Sync + 'static) -> (u64, usize) {
    let traces = StdArc::new(Mutex::new(HashSet::new()));
    let seen = traces.clone();
    let all = Explorer::new().strategy(Strategy::Dfs).observe(move |ordering| {
        seen.lock().unwrap().insert(brute::trace(ordering));
    });
    let all = all.explore(body);
    assert!(all.exhausted(), "{all}");
    let traces = traces.lock().unwrap().len();
    (all.executions, traces)
}

fn compare(sample: Sample) {
    let generators = sample.flavour.map_or_else(Generator::all, |one| vec![Generator::new(one)]);
    let mut dice = Dice::new(1);
    let (mut compared, mut interleavings, mut traces) = (0u64, 0, 0);
    for _ in 0..sample.programs {
        let program = generators[dice.below(generators.len())].small(&mut dice, sample.size);
        let share = compared % sample.shared == 0;
        let compare = |program: &_| brute::compare(program, sample.limit, sample.traces, share);
        match compare(&program) {
            Ok(Some((all, once))) => {
                compared += 1;
                interleavings += all;
                traces += once;
            }
            Ok(None) => {}
            Err(_) => {
                let smallest = generate::shrink(program, |smaller| compare(smaller).is_err());
                panic!("{smallest:#?}: {:?}", compare(&smallest));
            }
        }
    }
    println!("{compared} programs, {interleavings} interleavings, {traces} traces");
    assert!(compared >= sample.compared, "only {compared} programs were compared");
    assert!(traces > 4 * compared, "the programs hardly conflict");
}
