//! Comparing the explorer with brute force on random small programs.
//!
//! Brute force is shuttle's depth-first search over every interleaving. Its executions are grouped by
//! their traces, with a dependency relation written down here once more and independently: two
//! interleavings are one trace if each thread does the same and the dependent operations of each
//! object come in the same order.

pub(crate) mod equal;
pub(crate) mod generate;
pub(crate) mod pieces;

use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::mpsc::{
    channel, sync_channel, Receiver, RecvTimeoutError, Sender, SyncSender,
};
use shuttle_dpor::sync::{self, counted, Barrier, Condvar, Mutex, Once, RwLock, RwLockWriteGuard};
use shuttle_dpor::{
    thread, Explorer, Kind, ObjectId, Operation, Ordering, Report, Strategy as Choose,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

/// What a thread of a program does.
#[derive(Clone, Debug)]
pub(crate) enum Stmt {
    Lock(usize, Vec<Stmt>),
    TryLock(usize, Vec<Stmt>),
    Read(Vec<Stmt>),
    TryRead(Vec<Stmt>),
    Write(Vec<Stmt>),
    TryWrite(Vec<Stmt>),
    /// Writes, and becomes a reader.
    Downgrade(Vec<Stmt>),
    Load(usize),
    Store(usize, usize),
    Add(usize),
    Cas(usize, usize, usize),
    /// Whether it may time out.
    Wait(bool),
    /// Whether all are notified.
    Notify(bool),
    Spawn(Vec<Stmt>),
    /// Joins all that the thread has spawned.
    Join,
    Park(bool),
    UnparkMain,
    Once(Vec<Stmt>),
    WaitOnce,
    Send,
    TrySend,
    Recv(bool),
    TryRecv,
    Hangup,
    DropSender,
    DropRef,
    Upgrade,
    /// Something is done with references all of whose operations are explored.
    Share(Share),
    Barrier,
    LookAtMutex(usize),
    LookAtRwLock,
    LookAtOnce,
    /// A mutex, or else the rwlock, is cleared of poison.
    Clear(Option<usize>),
    /// A thread asks whether the first that it spawned has ended.
    IsFinished,
    Yield,
    /// Loads an atomic until it has a value, yielding.
    Spin(usize, usize),
    /// Loads both atomics until one of them is set, yielding.
    SpinOnBoth,
    /// Like `Spin`, but gives up after so many rounds.
    SpinFor(usize, usize, usize),
    /// Swaps until the atomic was not set: a spin lock; then clears it.
    SpinLock(usize),
    /// Tries to lock a mutex until that succeeds, yielding.
    SpinTry(usize),
    /// Changes what is behind a mutex.
    Set(usize),
    /// Locks a mutex and looks until that has been changed, yielding.
    Poll(usize),
    /// The same of the rwlock, as a reader or as a writer.
    PollRead,
    PollWrite,
    /// Tries to read, or else to write, until that succeeds, yielding.
    SpinTryRead(bool),
    /// Changes what is behind the rwlock.
    SetRwLock,
    /// The same, with the condition variable and a timeout.
    WaitUntilSet,
    /// The same by `wait_timeout_while`: once, or again and again until that has not timed out.
    WaitWhile(bool),
    /// Changes what is behind the condition variable's mutex.
    SetCondition,
    /// Receives, and again if that has timed out.
    RecvUntil,
    /// Parks with a timeout until an atomic is set.
    ParkUntil(usize),
    /// Looks at references again and again, yielding.
    ShareUntil(Until),
}

/// What a thread does with the references that it has, of which it is given one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Share {
    Clone,
    Drop,
    TryUnwrap,
    IntoInner,
    GetMut,
    MakeMut,
    Count,
    Downgrade,
    CloneWeak,
    DropWeak,
    Upgrade,
}

/// What a thread waits for that looks at references.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// By the count.
    Alone,
    /// By `get_mut`.
    Unique,
    Unwrapped,
    /// A weak one cannot be upgraded any more.
    Gone,
}

/// The bodies of the threads; the first is the main thread's.
pub(crate) type Program = Vec<Vec<Stmt>>;

/// How many operations a program has at least.
pub(crate) fn size(stmts: &[Stmt]) -> usize {
    let one = |s: &Stmt| match s {
        Stmt::Lock(_, b) | Stmt::TryLock(_, b) | Stmt::Read(b) => 2 + size(b),
        Stmt::TryRead(b) | Stmt::TryWrite(b) => 2 + size(b),
        Stmt::Write(b) => 3 + size(b),
        Stmt::Downgrade(b) => 4 + size(b),
        Stmt::Spawn(b) => size(b),
        Stmt::Once(b) => 2 + size(b),
        Stmt::Wait(_) | Stmt::WaitUntilSet | Stmt::WaitWhile(_) => 5,
        Stmt::SpinOnBoth | Stmt::SpinLock(_) | Stmt::SpinTry(_) | Stmt::Set(_) => 2,
        Stmt::PollRead | Stmt::SpinTryRead(_) => 2,
        Stmt::PollWrite | Stmt::SetRwLock => 3,
        Stmt::Poll(_) | Stmt::SetCondition | Stmt::ParkUntil(_) | Stmt::ShareUntil(_) => 2,
        Stmt::Yield | Stmt::Join => 0,
        _ => 1,
    };
    stmts.iter().map(one).sum()
}

shuttle_dpor::thread_local! {
    /// Only the main thread has it.
    static RECEIVER: RefCell<Option<Receiver<usize>>> = RefCell::new(None);
    /// Each thread has its own, which goes with the thread if not before; so has it a sender.
    static REFERENCE: RefCell<Option<counted::Arc<usize>>> = RefCell::new(None);
    static SENDER: RefCell<Option<Sends>> = RefCell::new(None);
    /// As have these: what is left of them goes with the thread.
    static STRONG: RefCell<Vec<sync::Arc<usize>>> = RefCell::new(Vec::new());
    static WEAK: RefCell<Vec<sync::Weak<usize>>> = RefCell::new(Vec::new());
}

/// A sender of a channel, with a limit or without.
#[derive(Clone)]
enum Sends {
    Limited(SyncSender<usize>),
    Unlimited(Sender<usize>),
}

impl Sends {
    /// A channel of some sort.
    fn channel(limit: Option<usize>) -> (Self, Receiver<usize>) {
        match limit {
            Some(limit) => {
                let (sender, receiver) = sync_channel(limit);
                (Sends::Limited(sender), receiver)
            }
            None => {
                let (sender, receiver) = channel();
                (Sends::Unlimited(sender), receiver)
            }
        }
    }

    fn send(&self, message: usize) -> bool {
        match self {
            Sends::Limited(sender) => sender.send(message).is_ok(),
            Sends::Unlimited(sender) => sender.send(message).is_ok(),
        }
    }

    fn try_send(&self, message: usize) -> bool {
        match self {
            Sends::Limited(sender) => sender.try_send(message).is_ok(),
            Sends::Unlimited(sender) => sender.send(message).is_ok(),
        }
    }
}

struct World {
    mutexes: Vec<Mutex<usize>>,
    rwlock: RwLock<usize>,
    atomics: Vec<AtomicUsize>,
    condvar: (Mutex<usize>, Condvar),
    main: thread::Thread,
    once: Once,
    barrier: Barrier,
    counted: Option<counted::Arc<usize>>,
    weak: counted::Weak<usize>,
    seen: StdMutex<BTreeMap<String, Vec<usize>>>,
}

impl World {
    fn new(counts: bool, receiver: Receiver<usize>) -> Self {
        RECEIVER.with(|r| r.replace(Some(receiver)));
        let counted = counts.then(|| counted::Arc::new(7));
        World {
            once: Once::new(),
            barrier: Barrier::new(2),
            weak: counted.as_ref().map(counted::Arc::downgrade).unwrap_or_default(),
            counted,
            mutexes: (0..2).map(|_| Mutex::new(0)).collect(),
            rwlock: RwLock::new(0),
            atomics: (0..2).map(|_| AtomicUsize::new(0)).collect(),
            condvar: Default::default(),
            main: thread::current(),
            seen: StdMutex::default(),
        }
    }

    /// Lets the thread that has the receiver use it.
    fn receive(&self, me: &str, f: impl FnOnce(&Receiver<usize>) -> Result<usize, usize>) {
        RECEIVER.with(|r| {
            if let Some(receiver) = &*r.borrow() {
                self.see(me, f(receiver).unwrap_or_else(|e| e + 100));
            }
        });
    }

    /// Lets a thread that has a sender use it.
    fn send(&self, me: &str, f: impl FnOnce(&Sends) -> bool) {
        SENDER.with(|s| {
            if let Some(sender) = &*s.borrow() {
                self.see(me, f(sender) as usize);
            }
        });
    }

    /// Lets a thread that has references do something with the first.
    fn share(&self, me: &str, what: Share) {
        STRONG.with(|strong| {
            WEAK.with(|weak| {
                let (mut strong, mut weak) = (strong.borrow_mut(), weak.borrow_mut());
                if let Some(seen) = share_with(&mut strong, &mut weak, what) {
                    self.see(me, seen);
                }
            })
        });
    }

    /// Lets a thread that has references look at the first until something has come true.
    fn share_until(&self, until: Until) {
        STRONG.with_borrow_mut(|strong| {
            WEAK.with_borrow_mut(|weak| {
                while !share_is(strong, weak, until) {
                    thread::yield_now();
                }
            })
        });
    }

    fn see(&self, me: &str, value: usize) {
        self.seen.lock().unwrap().entry(me.to_owned()).or_default().push(value);
    }
}

/// Does something with the first of each: what a thread sees of it.
fn share_with(
    strong: &mut Vec<sync::Arc<usize>>,
    weak: &mut Vec<sync::Weak<usize>>,
    what: Share,
) -> Option<usize> {
    match what {
        Share::Clone => {
            let clone = strong.first()?.clone();
            strong.push(clone);
            None
        }
        Share::Downgrade => {
            weak.push(sync::Arc::downgrade(strong.first()?));
            None
        }
        Share::CloneWeak => {
            let clone = weak.first()?.clone();
            weak.push(clone);
            None
        }
        Share::Drop => {
            drop(strong.pop()?);
            None
        }
        Share::DropWeak => {
            drop(weak.pop()?);
            None
        }
        Share::TryUnwrap => match sync::Arc::try_unwrap(strong.pop()?) {
            Ok(value) => Some(value),
            Err(shared) => {
                strong.push(shared);
                Some(0)
            }
        },
        Share::IntoInner => Some(sync::Arc::into_inner(strong.pop()?).unwrap_or_default()),
        Share::GetMut => Some(sync::Arc::get_mut(strong.first_mut()?).is_some() as usize),
        Share::MakeMut => {
            *sync::Arc::make_mut(strong.first_mut()?) += 1;
            None
        }
        Share::Count => {
            let first = strong.first()?;
            Some(sync::Arc::strong_count(first) + 10 * sync::Arc::weak_count(first))
        }
        Share::Upgrade => {
            let upgraded = weak.first()?.upgrade();
            let seen = upgraded.is_some() as usize;
            strong.extend(upgraded);
            Some(seen)
        }
    }
}

/// Whether what is waited for has come true, or cannot.
fn share_is(strong: &mut Vec<sync::Arc<usize>>, weak: &[sync::Weak<usize>], until: Until) -> bool {
    match until {
        Until::Alone => strong.first().is_none_or(|first| sync::Arc::strong_count(first) == 1),
        Until::Unique => strong.first_mut().is_none_or(|first| sync::Arc::get_mut(first).is_some()),
        Until::Gone => weak.first().is_none_or(|first| first.upgrade().is_none()),
        Until::Unwrapped => match strong.pop().map(sync::Arc::try_unwrap) {
            None | Some(Ok(_)) => true,
            Some(Err(shared)) => {
                strong.push(shared);
                false
            }
        },
    }
}

type Children = Vec<thread::JoinHandle<()>>;

/// What threads have that use it: it is an operation that it goes.
struct Own {
    sender: Option<Sends>,
    strong: Option<sync::Arc<usize>>,
    weak: Option<sync::Weak<usize>>,
}

impl Own {
    /// What a thread is given that does `stmts`, by one that has this.
    fn share(&self, stmts: &[Stmt]) -> Own {
        Own {
            sender: self.sender.clone().filter(|_| sends(stmts)),
            strong: self.strong.as_ref().filter(|_| shares(stmts)).cloned(),
            weak: self.weak.as_ref().filter(|_| weakly(stmts)).cloned(),
        }
    }

    /// What a thread needs of it that does `stmts`; the rest goes.
    fn keep(self, stmts: &[Stmt]) -> Own {
        Own {
            sender: self.sender.filter(|_| sends(stmts)),
            strong: self.strong.filter(|_| shares(stmts)),
            weak: self.weak.filter(|_| weakly(stmts)),
        }
    }

    /// What the current thread gives one that does `stmts`.
    fn share_of_this_thread(stmts: &[Stmt]) -> Own {
        let first = |strong: &Vec<sync::Arc<usize>>| strong.first().cloned();
        let first_weak = |weak: &Vec<sync::Weak<usize>>| weak.first().cloned();
        Own {
            sender: SENDER.with(|s| s.borrow().clone()).filter(|_| sends(stmts)),
            strong: Some(()).filter(|_| shares(stmts)).and_then(|()| STRONG.with_borrow(first)),
            weak: Some(()).filter(|_| weakly(stmts)).and_then(|()| WEAK.with_borrow(first_weak)),
        }
    }
}

/// Runs a thread's statements, and joins its children.
fn start(world: &Arc<World>, me: &str, stmts: &[Stmt], children: Children, own: Own) {
    if let Some(sender) = own.sender {
        SENDER.with(|s| s.replace(Some(sender)));
    }
    if let Some(strong) = own.strong {
        STRONG.with(|s| s.borrow_mut().push(strong));
    }
    if let Some(weak) = own.weak {
        WEAK.with(|w| w.borrow_mut().push(weak));
    }
    if let Some(counted) = &world.counted {
        REFERENCE.with(|r| r.replace(Some(counted.clone())));
    }
    run(world, me, stmts, children);
}

fn run(world: &Arc<World>, me: &str, stmts: &[Stmt], mut children: Children) {
    for (n, s) in stmts.iter().enumerate() {
        let inner = format!("{me}.{n}");
        match s {
            Stmt::Lock(m, body) => {
                let _guard = world.mutexes[*m].lock().unwrap();
                run(world, &inner, body, Vec::new());
            }
            Stmt::TryLock(m, body) => {
                let guard = world.mutexes[*m].try_lock();
                world.see(me, guard.is_ok() as usize);
                if guard.is_ok() {
                    run(world, &inner, body, Vec::new());
                }
            }
            Stmt::Read(body) => {
                let _guard = world.rwlock.read().unwrap();
                run(world, &inner, body, Vec::new());
            }
            Stmt::TryRead(body) => {
                let guard = world.rwlock.try_read();
                world.see(me, guard.is_ok() as usize);
                if guard.is_ok() {
                    run(world, &inner, body, Vec::new());
                }
            }
            Stmt::Write(body) => {
                let _guard = world.rwlock.write().unwrap();
                run(world, &inner, body, Vec::new());
            }
            Stmt::Downgrade(body) => {
                let _guard = RwLockWriteGuard::downgrade(world.rwlock.write().unwrap());
                run(world, &inner, body, Vec::new());
            }
            Stmt::TryWrite(body) => {
                let guard = world.rwlock.try_write();
                world.see(me, guard.is_ok() as usize);
                if guard.is_ok() {
                    run(world, &inner, body, Vec::new());
                }
            }
            Stmt::Load(a) => world.see(me, world.atomics[*a].load(SeqCst)),
            Stmt::Store(a, v) => world.atomics[*a].store(*v, SeqCst),
            Stmt::Add(a) => world.see(me, world.atomics[*a].fetch_add(1, SeqCst)),
            Stmt::Cas(a, e, n) => {
                let result = world.atomics[*a].compare_exchange(*e, *n, SeqCst, SeqCst);
                world.see(me, result.unwrap_or_else(|v| v + 10));
            }
            Stmt::Wait(timed) => {
                let (mutex, condvar) = &world.condvar;
                let guard = mutex.lock().unwrap();
                if *timed {
                    let (guard, result) = condvar.wait_timeout(guard, Duration::ZERO).unwrap();
                    world.see(me, result.timed_out() as usize);
                    drop(guard);
                } else {
                    drop(condvar.wait(guard).unwrap());
                }
            }
            Stmt::Notify(true) => world.condvar.1.notify_all(),
            Stmt::Notify(false) => world.condvar.1.notify_one(),
            Stmt::Spawn(body) => {
                let (world, body) = (world.clone(), body.clone());
                let own = Own::share_of_this_thread(&body);
                let child = move || start(&world, &inner, &body, Vec::new(), own);
                children.push(thread::spawn(child));
            }
            Stmt::Join => join(std::mem::take(&mut children)),
            Stmt::Park(true) => thread::park_timeout(Duration::ZERO),
            Stmt::Park(false) => thread::park(),
            Stmt::UnparkMain => world.main.unpark(),
            Stmt::Once(body) => {
                let mut mine = 0;
                world.once.call_once(|| {
                    mine = 1;
                    run(world, &inner, body, Vec::new());
                });
                world.see(me, mine);
            }
            Stmt::Send => world.send(me, |s| s.send(n)),
            Stmt::TrySend => world.send(me, |s| s.try_send(n)),
            Stmt::DropSender => drop(SENDER.with(|s| s.take())),
            Stmt::Recv(timed) => world.receive(me, |r| match timed {
                true => r.recv_timeout(Duration::ZERO).map_err(|e| e as usize),
                false => r.recv().map_err(|_| 0),
            }),
            Stmt::TryRecv => world.receive(me, |r| r.try_recv().map_err(|e| e as usize)),
            Stmt::Hangup => drop(RECEIVER.with(|r| r.take())),
            Stmt::DropRef => drop(REFERENCE.with(|r| r.take())),
            Stmt::Upgrade => {
                let value = world.weak.upgrade();
                world.see(me, value.is_some() as usize);
            }
            Stmt::Share(what) => world.share(me, *what),
            Stmt::ShareUntil(until) => world.share_until(*until),
            Stmt::Barrier => world.see(me, world.barrier.wait().is_leader() as usize),
            Stmt::LookAtMutex(m) => world.see(me, world.mutexes[*m].is_poisoned() as usize),
            Stmt::LookAtRwLock => world.see(me, world.rwlock.is_poisoned() as usize),
            Stmt::Clear(Some(m)) => world.mutexes[*m].clear_poison(),
            Stmt::Clear(None) => world.rwlock.clear_poison(),
            Stmt::IsFinished => {
                if let Some(child) = children.first() {
                    world.see(me, child.is_finished() as usize);
                }
            }
            Stmt::WaitOnce => world.once.wait(),
            Stmt::LookAtOnce => world.see(me, world.once.is_completed() as usize),
            Stmt::Yield => thread::yield_now(),
            Stmt::Spin(a, v) => {
                while world.atomics[*a].load(SeqCst) != *v {
                    thread::yield_now();
                }
            }
            Stmt::SpinOnBoth => loop {
                let both = [0, 1].map(|a| world.atomics[a].load(SeqCst));
                if both != [0, 0] {
                    break both.iter().for_each(|&v| world.see(me, v));
                }
                shuttle_dpor::hint::spin_loop();
            },
            Stmt::SpinFor(a, v, times) => {
                let mut tries = 0..*times;
                let found = tries.any(|_| {
                    let found = world.atomics[*a].load(SeqCst) == *v;
                    if !found {
                        shuttle_dpor::hint::spin_loop();
                    }
                    found
                });
                world.see(me, found as usize);
            }
            Stmt::SpinLock(a) => {
                while world.atomics[*a].swap(1, SeqCst) == 1 {
                    shuttle_dpor::hint::spin_loop();
                }
                world.atomics[*a].store(0, SeqCst);
            }
            Stmt::SpinTry(m) => {
                while world.mutexes[*m].try_lock().is_err() {
                    thread::yield_now();
                }
            }
            Stmt::Set(m) => *world.mutexes[*m].lock().unwrap() += 1,
            Stmt::Poll(m) => {
                while *world.mutexes[*m].lock().unwrap() == 0 {
                    thread::sleep(Duration::ZERO);
                }
            }
            Stmt::PollRead => {
                while *world.rwlock.read().unwrap() == 0 {
                    thread::yield_now();
                }
            }
            Stmt::PollWrite => {
                while *world.rwlock.write().unwrap() == 0 {
                    thread::yield_now();
                }
            }
            Stmt::SpinTryRead(true) => {
                while world.rwlock.try_read().is_err() {
                    thread::yield_now();
                }
            }
            Stmt::SpinTryRead(false) => {
                while world.rwlock.try_write().is_err() {
                    thread::yield_now();
                }
            }
            Stmt::SetRwLock => *world.rwlock.write().unwrap() += 1,
            Stmt::WaitUntilSet => {
                let (mutex, condvar) = &world.condvar;
                let mut guard = mutex.lock().unwrap();
                while *guard == 0 {
                    guard = condvar.wait_timeout(guard, Duration::ZERO).unwrap().0;
                }
            }
            Stmt::WaitWhile(again) => {
                let (mutex, condvar) = &world.condvar;
                let mut guard = mutex.lock().unwrap();
                let timed_out = loop {
                    let zero = |set: &mut usize| *set == 0;
                    let waited = condvar.wait_timeout_while(guard, Duration::ZERO, zero);
                    let (locked, result) = waited.unwrap();
                    guard = locked;
                    if !(*again && result.timed_out()) {
                        break result.timed_out();
                    }
                };
                world.see(me, timed_out as usize);
            }
            Stmt::SetCondition => *world.condvar.0.lock().unwrap() += 1,
            Stmt::RecvUntil => world.receive(me, |r| loop {
                match r.recv_timeout(Duration::ZERO) {
                    Err(RecvTimeoutError::Timeout) => {}
                    done => break done.map_err(|e| e as usize),
                }
            }),
            Stmt::ParkUntil(a) => {
                while world.atomics[*a].load(SeqCst) == 0 {
                    thread::park_timeout(Duration::ZERO);
                }
            }
        }
    }
    join(children);
}

fn join(children: Children) {
    for child in children {
        child.join().unwrap();
    }
}

impl Stmt {
    /// The statements in it.
    fn body(&self) -> Option<&[Stmt]> {
        match self {
            Stmt::Lock(_, b) | Stmt::TryLock(_, b) | Stmt::Read(b) | Stmt::TryRead(b) => Some(b),
            Stmt::Write(b) | Stmt::TryWrite(b) | Stmt::Downgrade(b) => Some(b),
            Stmt::Once(b) | Stmt::Spawn(b) => Some(b),
            _ => None,
        }
    }

    fn body_mut(&mut self) -> Option<&mut Vec<Stmt>> {
        match self {
            Stmt::Lock(_, b) | Stmt::TryLock(_, b) | Stmt::Read(b) | Stmt::TryRead(b) => Some(b),
            Stmt::Write(b) | Stmt::TryWrite(b) | Stmt::Downgrade(b) => Some(b),
            Stmt::Once(b) | Stmt::Spawn(b) => Some(b),
            _ => None,
        }
    }
}

fn has(stmts: &[Stmt], like: &dyn Fn(&Stmt) -> bool) -> bool {
    stmts.iter().any(|s| like(s) || s.body().is_some_and(|body| has(body, like)))
}

/// Whether references are counted: otherwise it is no operation that a thread's goes with it.
fn counts(program: &Program) -> bool {
    program.iter().any(|t| has(t, &|s| matches!(s, Stmt::DropRef | Stmt::Upgrade)))
}

/// Whether a thread, or one that it spawns, uses its sender.
fn sends(stmts: &[Stmt]) -> bool {
    has(stmts, &|s| matches!(s, Stmt::Send | Stmt::TrySend | Stmt::DropSender))
}

/// Whether a thread, or one that it spawns, does something with shared references.
fn shares(stmts: &[Stmt]) -> bool {
    has(stmts, &|s| matches!(s, Stmt::Share(_) | Stmt::ShareUntil(_)))
}

/// Whether it parks, which its token is needed for: an object of who spawned it.
fn parks(stmts: &[Stmt]) -> bool {
    has(stmts, &|s| matches!(s, Stmt::Park(_) | Stmt::ParkUntil(_)))
}

/// Whether it does something with weak ones.
fn weakly(stmts: &[Stmt]) -> bool {
    let weak = |s: &Share| matches!(s, Share::CloneWeak | Share::DropWeak | Share::Upgrade);
    has(stmts, &|s| match s {
        Stmt::Share(share) => weak(share),
        Stmt::ShareUntil(until) => matches!(until, Until::Gone),
        _ => false,
    })
}

/// Whether a thread is asked whether it has ended: otherwise it is no operation to end.
fn ends(program: &Program) -> bool {
    program.iter().any(|t| has(t, &|s| matches!(s, Stmt::IsFinished)))
}

/// How many waits of a thread may end by themselves before nothing else can go on: none, one, or all.
fn timeouts(program: &Program) -> u32 {
    match program.iter().map(|t| t.len()).sum::<usize>() % 4 {
        0 => 0,
        1 => 1,
        _ => u32::MAX,
    }
}

type Seen = BTreeMap<String, Vec<usize>>;

fn body(program: &Program) -> Seen {
    // Without a limit, with room for one message, and without room.
    let limit = (program.len() + program[0].len()) % 3;
    let (sender, receiver) = Sends::channel(Some(limit).filter(|&limit| limit < 2));
    let any = |f: fn(&[Stmt]) -> bool| program.iter().any(|t| f(t));
    let strong = any(shares).then(|| sync::Arc::new(7));
    let weak = strong.as_ref().filter(|_| any(weakly)).map(sync::Arc::downgrade);
    let own = Own { sender: Some(sender).filter(|_| any(sends)), strong, weak };
    let world = Arc::new(World::new(counts(program), receiver));
    let threads: Vec<_> = program[1..]
        .iter()
        .enumerate()
        .map(|(n, stmts)| {
            let (world, stmts) = (world.clone(), stmts.clone());
            let own = own.share(&stmts);
            thread::spawn(move || start(&world, &format!("t{n}"), &stmts, Vec::new(), own))
        })
        .collect();
    start(&world, "main", &program[0], threads, own.keep(&program[0]));
    let seen = world.seen.lock().unwrap();
    seen.clone()
}

/// What an operation is to an object.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    Does(Kind),
    /// It comes after a yield, before which its thread has looked at the object.
    Peeks,
    /// The same, and it has counted references, or found one not to be the only one.
    Counts,
    Unique,
}

/// Whether two operations on one object may be exchanged.
fn commute(a: Use, b: Use) -> bool {
    use Kind::*;
    let reader =
        |k| matches!(k, Use::Does(Read | TryRead | UnlockRead | Look | WaitDone | FindDone));
    let load = |k| matches!(k, Use::Does(Load | CompareExchangeFailed));
    let admission = |k| matches!(k, Use::Does(Read | TryRead));
    let peek = |k| {
        matches!(k, Use::Peeks | Use::Does(Look | Upgrade | WaitDone))
            || matches!(k, Use::Does(FindDone | NotifyNobody | SendInVain))
            || load(k)
            || admission(k)
    };
    let same = |k| a == Use::Does(k) && b == Use::Does(k);
    let cloning = |k| k == Use::Does(CloneRef);
    let counting = |k| k == Use::Does(Count) || k == Use::Counts;
    let weak = |k| k == Use::Does(DropWeak);
    let sending = |k| matches!(k, Use::Does(Send | TrySend | SendInVain));
    let unique = |k| k == Use::Does(Unique) || k == Use::Unique;
    same(Upgrade)
        || (cloning(a) && !counting(b))
        || (cloning(b) && !counting(a))
        || (counting(a) && (counting(b) || b == Use::Peeks))
        || (counting(b) && a == Use::Peeks)
        || (weak(a) && !counting(b) && !unique(b))
        || (weak(b) && !counting(a) && !unique(a))
        || same(DropSender)
        || same(Unpark)
        || same(NotifyNobody)
        || same(SendInVain)
        || (a == Use::Does(DropSender) && sending(b))
        || (b == Use::Does(DropSender) && sending(a))
        || (reader(a) && reader(b))
        || (peek(a) && peek(b))
        || (a == Use::Does(QueueWrite) && !admission(b))
        || (b == Use::Does(QueueWrite) && !admission(a))
        || a == Use::Does(Woken)
        || b == Use::Does(Woken)
        || a == Use::Does(Received)
        || b == Use::Does(Received)
}

/// What a thread has looked at since it changed something or yielded.
#[derive(Default)]
struct Looks<'a> {
    /// With how often it has taken the object and not given it back, and what it is to look again.
    objects: Vec<(&'a ObjectId, u32, Use)>,
}

impl<'a> Looks<'a> {
    /// The thread has performed `op`; `before` is the value of an atomic before it.
    fn take_in(&mut self, op: &'a Operation, before: u64) {
        use Kind::*;
        let again = match (op.kind, op.value) {
            (Count, _) => Use::Counts,
            (Unique, _) => Use::Unique,
            _ => Use::Peeks,
        };
        let mine = self.objects.iter().position(|&(o, _, use_)| o == &op.object && use_ == again);
        let (takes, gives) = match (op.kind, op.value) {
            (QueueWrite | Offer, _) => return,
            (Load | CompareExchangeFailed | Look | WaitDone | Count, _) => (0, 0),
            (FindDone | SendInVain, _) => (0, 0),
            (Store | Rmw, v) if v == before => (0, 0),
            (TryLock | TryRead | TryWrite, 0) => (0, 0),
            (Upgrade | TryUnwrap | Unique | Park, 0) => (0, 0),
            (Recv | TryRecv | TrySend, 0 | 2) => (0, 0),
            (Lock | TryLock | Read | TryRead | Write | TryWrite | Upgrade | Wait, _) => (1, 0),
            (Wake | Unlock | UnlockWrite | UnlockRead | DropRef, 0) => (0, 1),
            _ => return self.objects.clear(),
        };
        let mine = mine.unwrap_or_else(|| {
            self.objects.push((&op.object, 0, again));
            self.objects.len() - 1
        });
        let (_, held, _) = &mut self.objects[mine];
        if *held + takes < gives {
            return self.objects.clear();
        }
        *held = *held + takes - gives;
    }
}

/// A trace, as a number: what each thread does, and for each operation which of those on its object
/// that it does not commute with came before it.
pub(crate) fn trace(ordering: &Ordering) -> u64 {
    use Kind::*;
    // Objects that threads leave, for which others may wait.
    let leaves = |op: &&Operation| matches!(op.kind, UnlockRead | DropSender | Unpark);
    let left: BTreeSet<_> =
        ordering.operations.iter().filter(leaves).map(|op| &op.object).collect();
    let joins = |k| {
        matches!(k, Read | TryRead | UnlockRead | Look)
            || matches!(k, DropSender | Send | TrySend | SendInVain | Unpark)
    };
    let mut threads: HashMap<&[u32], (u64, Sum, Looks)> = HashMap::new();
    let mut objects: HashMap<&ObjectId, Vec<(Use, u64)>> = HashMap::new();
    let mut values: HashMap<&ObjectId, u64> = HashMap::new();
    let mut all = number(&ordering.deadlock);
    for op in &ordering.operations {
        let (count, done, looks) = threads.entry(&op.thread).or_default();
        *count += 1;
        done.add(&(&op.object, op.kind, op.value));
        let me = number(&(&op.thread, *count));
        let mut uses = vec![(&op.object, Use::Does(op.kind))];
        if op.yielded {
            // What it holds it does not wait for; and its own object it uses anyway, but that one
            // reader may wait for another to leave.
            let looks = std::mem::take(&mut looks.objects);
            let held = |object| looks.iter().any(|&(o, held, _)| o == object && held > 0);
            let waits = looks.iter().copied().filter(|&(o, ..)| !held(o));
            let other = waits.filter(|&(o, _, again)| {
                let more = match (again, op.kind) {
                    (Use::Counts, kind) => kind != Count,
                    (Use::Unique, kind) => kind != Count && kind != Unique,
                    (_, CloneRef | DropWeak | QueueWrite | Received) => true,
                    (_, kind) => joins(kind) && left.contains(o),
                };
                o != &op.object || more
            });
            uses.extend(other.map(|(object, _, again)| (object, again)));
        }
        for &(object, what) in &uses {
            let others = objects.entry(object).or_default();
            let before = others.iter().filter(|(other, _)| !commute(*other, what));
            let before = before.fold(0u64, |sum, (_, other)| sum.wrapping_add(*other));
            all = all.wrapping_add(number(&(me, object, before)));
        }
        for (object, what) in uses {
            objects.entry(object).or_default().push((what, me));
        }
        if matches!(op.kind, Woken | Received) {
            looks.objects.clear();
        } else {
            let before = values.insert(&op.object, op.value).unwrap_or(0);
            looks.take_in(op, before);
        }
    }
    for (thread, (_, done, _)) in threads {
        all = all.wrapping_add(number(&(thread, done.0)));
    }
    all
}

/// A hash of a sequence.
#[derive(Default)]
struct Sum(u64);

impl Sum {
    fn add(&mut self, x: &impl Hash) {
        self.0 = number(&(self.0, x));
    }
}

fn number(x: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    x.hash(&mut hasher);
    hasher.finish()
}

/// What an exploration saw.
pub(crate) struct Explored {
    /// The traces, with how often each was seen.
    pub(crate) traces: HashMap<u64, u64>,
    pub(crate) outcomes: BTreeSet<Seen>,
    pub(crate) executions: u64,
    pub(crate) blocked: u64,
    /// Why it did not come to its end, if it did not.
    pub(crate) incomplete: Option<String>,
    /// The report, but for what it took.
    report: String,
}

/// What a program is explored with.
fn explorer(program: &Program) -> Explorer {
    Explorer::new()
        .thread_ends(ends(program))
        .timeouts(timeouts(program))
        .reference_counts(program.iter().any(|t| shares(t)))
}

/// A report, but for what it took.
pub(crate) fn written<T: Ord + Clone + Debug>(report: &Report<T>) -> String {
    format!("{:?}", Report { probes: 0, elapsed: Duration::ZERO, ..report.clone() })
}

/// The report if nobody looks at the orderings: what comes last, by a thread that is alone, is only counted
/// then.
fn unseen(program: &Program, limit: u64) -> String {
    let own = program.clone();
    let explorer = explorer(program).watchdog(None).max_executions(limit);
    written(&explorer.check(move || drop(body(&own))))
}

/// Compares the reports, with the outcomes, of who looks at the orderings and who does not; and how many orderings led
/// to what, by one worker and by three.
fn compare_outcomes(program: &Program) -> Result<(), String> {
    let explored = |explorer: Explorer| {
        let own = program.clone();
        explorer.explore(move || body(&own))
    };
    let counted = |report: &Report<Seen>| {
        let outcomes = report.outcomes.iter();
        let orderings = outcomes.map(|(outcome, seen)| (outcome.clone(), seen.orderings));
        (report.executions, orderings.collect::<Vec<_>>())
    };
    let unseen = explored(explorer(program));
    let (one, three) = (counted(&unseen), counted(&explored(explorer(program).workers(3))));
    if one != three {
        return Err(format!("unseen, by one worker {one:?}, by three {three:?}"));
    }
    let seen = explored(explorer(program).observe(|_| ()));
    let (seen, unseen) = (written(&seen), written(&unseen));
    if seen != unseen {
        return Err(format!("with outcomes: seen, {seen}\nunseen, {unseen}"));
    }
    Ok(())
}

/// Explores `program`.
pub(crate) fn explore(program: &Program, strategy: Choose, workers: usize, limit: u64) -> Explored {
    let traces = Arc::new(StdMutex::new(HashMap::new()));
    let outcomes = Arc::new(StdMutex::new(BTreeSet::new()));
    let (seen, led_to, program) = (traces.clone(), outcomes.clone(), program.clone());
    let report = explorer(&program)
        .strategy(strategy)
        // A thread of its own for each: what is explored here is over in no time.
        .watchdog(None)
        .workers(workers)
        .max_executions(limit)
        .observe(move |o| *seen.lock().unwrap().entry(trace(o)).or_default() += 1)
        // Not returned: an ordering of each would be run again for the report.
        .check(move || {
            let outcome = body(&program);
            led_to.lock().unwrap().insert(outcome);
        });
    let traces = std::mem::take(&mut *traces.lock().unwrap());
    let outcomes = std::mem::take(&mut *outcomes.lock().unwrap());
    Explored {
        traces,
        outcomes,
        executions: report.executions,
        blocked: report.blocked,
        report: written(&report),
        incomplete: report.incomplete,
    }
}

/// Compares the explorer with brute force. Returns how many interleavings and traces there are, or
/// `None` if there are more than `limit` interleavings, fewer than three traces or more than
/// `traces`. `share`: also with three workers.
pub(crate) fn compare(
    program: &Program,
    limit: u64,
    traces: u64,
    share: bool,
) -> Result<Option<(u64, u64)>, String> {
    let once = explore(program, Choose::Dpor, 1, limit.min(traces + 1));
    if once.incomplete.is_none() && once.executions < 3 {
        return Ok(None);
    }
    if once.executions > traces {
        return Ok(None);
    }
    let all = explore(program, Choose::Dfs, 1, limit);
    if let Some(why) = all.incomplete {
        // What is larger is not compared; any other reason is a fault.
        return if all.executions >= limit { Ok(None) } else { Err(format!("brute force: {why}")) };
    }
    if let Some(why) = once.incomplete {
        return Err(format!("brute force comes to its end, and the explorer does not: {why}"));
    }
    if once.blocked != 0 {
        return Err(format!("{} executions were redundant", once.blocked));
    }
    if let Some((trace, n)) = once.traces.iter().find(|(_, &n)| n != 1) {
        return Err(format!("trace {trace:x} was explored {n} times"));
    }
    let missing: Vec<_> = all.traces.keys().filter(|t| !once.traces.contains_key(*t)).collect();
    if !missing.is_empty() {
        return Err(format!("{} of {} traces are missing", missing.len(), all.traces.len()));
    }
    if once.traces.keys().any(|t| !all.traces.contains_key(t)) {
        return Err("a trace was not seen by brute force".into());
    }
    let unseen = unseen(program, limit.min(traces + 1));
    if unseen != once.report {
        return Err(format!("seen, {}\nunseen, {unseen}", once.report));
    }
    if share {
        compare_outcomes(program)?;
        if explore(program, Choose::Dpor, 3, limit).traces != once.traces {
            return Err("three workers do not see what one sees".into());
        }
    }
    if once.outcomes != all.outcomes {
        return Err(format!("outcomes differ: {:?} and {:?}", once.outcomes, all.outcomes));
    }
    Ok(Some((all.executions, once.executions)))
}
