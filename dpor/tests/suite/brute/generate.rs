//! Random programs: what they are made of, and how one that fails is made smaller.

use super::{size, Program, Share, Stmt, Until};

/// Random numbers, the same from the same seed (SplitMix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Dice(seed)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) % n as u64) as usize
    }

    fn flip(&mut self) -> bool {
        self.below(2) == 0
    }

    /// One of two objects, one of them more often, so that threads meet.
    fn which(&mut self) -> usize {
        usize::from(self.below(4) == 0)
    }

    /// What an atomic is set to: 1 or 2.
    fn value(&mut self) -> usize {
        1 + self.below(2)
    }

    pub(crate) fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// One of several, by weight.
    fn weighted<T: Copy>(&mut self, of: &[(u32, T)]) -> T {
        let mut at = self.below(of.iter().map(|(weight, _)| *weight as usize).sum());
        let passed = of.iter().find(|(weight, _)| match at.checked_sub(*weight as usize) {
            Some(rest) => {
                at = rest;
                false
            }
            None => true,
        });
        passed.expect("a number below the sum").1
    }
}

/// How often a program uses each sort of object. Programs that use few sorts have more conflicts.
#[derive(Clone, Copy, Debug)]
struct Flavour {
    atomics: u32,
    locks: u32,
    tries: u32,
    rwlocks: u32,
    condvars: u32,
    parks: u32,
    onces: u32,
    channels: u32,
    counts: u32,
    shares: u32,
    ends: u32,
    spins: u32,
    waits: u32,
}

const NONE: Flavour = Flavour {
    atomics: 0,
    locks: 0,
    tries: 0,
    rwlocks: 0,
    condvars: 0,
    parks: 0,
    onces: 0,
    channels: 0,
    counts: 0,
    shares: 0,
    ends: 0,
    spins: 0,
    waits: 0,
};

const FLAVOURS: [Flavour; 20] = [
    Flavour {
        atomics: 4,
        locks: 4,
        tries: 2,
        rwlocks: 4,
        condvars: 4,
        parks: 1,
        onces: 1,
        channels: 1,
        counts: 1,
        shares: 0,
        ends: 0,
        spins: 0,
        waits: 0,
    },
    Flavour { atomics: 9, locks: 1, ..NONE },
    Flavour { atomics: 1, locks: 9, ..NONE },
    Flavour { atomics: 1, locks: 4, tries: 4, ..NONE },
    Flavour { atomics: 3, locks: 1, rwlocks: 9, ..NONE },
    Flavour { atomics: 1, tries: 1, rwlocks: 5, ..NONE },
    Flavour { atomics: 1, condvars: 9, parks: 2, ..NONE },
    Flavour { atomics: 1, channels: 9, ..NONE },
    Flavour { atomics: 2, locks: 1, onces: 6, counts: 6, ..NONE },
    Flavour { atomics: 3, locks: 1, ends: 4, ..NONE },
    Flavour { atomics: 4, spins: 5, ..NONE },
    Flavour { atomics: 1, locks: 3, tries: 1, spins: 4, ..NONE },
    Flavour { atomics: 1, tries: 1, rwlocks: 3, spins: 4, ..NONE },
    Flavour { condvars: 3, spins: 4, ..NONE },
    Flavour { channels: 5, spins: 4, ..NONE },
    Flavour { atomics: 1, parks: 4, counts: 2, spins: 4, ..NONE },
    Flavour { shares: 9, ..NONE },
    Flavour { atomics: 2, locks: 1, shares: 6, ..NONE },
    Flavour { atomics: 2, shares: 5, spins: 3, ..NONE },
    Flavour { condvars: 3, spins: 2, waits: 4, ..NONE },
];

/// A statement with nothing in it, and one with others in it.
type Leaf = fn(&mut Dice) -> Stmt;
type Nested = fn(&mut Dice, Vec<Stmt>) -> Stmt;

/// The programs of one flavour.
pub(crate) struct Generator {
    leaves: Vec<(u32, Leaf)>,
    nested: Vec<(u32, Option<Nested>)>,
}

impl Generator {
    pub(crate) fn new(flavour: usize) -> Self {
        let f = FLAVOURS[flavour];
        Generator { leaves: leaves(f), nested: nested(f) }
    }

    /// One for each flavour.
    pub(crate) fn all() -> Vec<Self> {
        (0..FLAVOURS.len()).map(Generator::new).collect()
    }

    /// A program of two to four threads, each of one to three statements.
    pub(crate) fn program(&self, dice: &mut Dice) -> Program {
        let thread = |dice: &mut Dice| {
            let stmts = 1 + dice.below(3);
            (0..stmts).map(|_| self.stmt(dice, 2)).collect()
        };
        let threads = 2 + dice.below(3);
        let mut program: Program = (0..threads).map(|_| thread(dice)).collect();
        if dice.below(4) == 0 {
            self.add_phase(dice, &mut program[0]);
        }
        program
    }

    /// The main thread is alone then, and then spawns others.
    fn add_phase(&self, dice: &mut Dice, main: &mut Vec<Stmt>) {
        main.truncate(1);
        main.push(Stmt::Join);
        let some = |dice: &mut Dice, least: usize| {
            let stmts = least + dice.below(2);
            (0..stmts).map(|_| self.stmt(dice, 1)).collect::<Vec<_>>()
        };
        main.extend(some(dice, 0));
        for _ in 0..1 + dice.below(2) {
            let body = some(dice, 1);
            main.push(Stmt::Spawn(body));
        }
        main.extend(some(dice, 0));
        if dice.below(2) == 0 {
            main.push(Stmt::Join);
            main.extend(some(dice, 1));
        }
    }

    /// A program of at most so many operations.
    pub(crate) fn small(&self, dice: &mut Dice, most: usize) -> Program {
        loop {
            let program = self.program(dice);
            if program.iter().map(|thread| size(thread)).sum::<usize>() <= most {
                return program;
            }
        }
    }

    /// Of nine in ten there may be statements within, and of one in three of these.
    fn stmt(&self, dice: &mut Dice, depth: u32) -> Stmt {
        let nests = match depth {
            2 => dice.below(10) > 0,
            1 => dice.below(16) < 5,
            _ => return dice.weighted(&self.leaves)(dice),
        };
        if !nests {
            return self.stmt(dice, depth - 1);
        }
        match dice.weighted(&self.nested) {
            Some(nested) => {
                let stmts = dice.below(3);
                let body = (0..stmts).map(|_| self.stmt(dice, depth - 1)).collect();
                nested(dice, body)
            }
            None => self.stmt(dice, 0),
        }
    }
}

fn leaves(f: Flavour) -> Vec<(u32, Leaf)> {
    let mut leaves: Vec<(u32, Leaf)> = vec![
        (4 * f.atomics, |d| Stmt::Load(d.which())),
        (4 * f.atomics, |d| Stmt::Store(d.which(), d.value())),
        (2 * f.atomics, |d| Stmt::Add(d.which())),
        (3 * f.atomics, |d| Stmt::Cas(d.which(), d.below(3), d.value())),
        (3 * f.condvars, |d| Stmt::Wait(d.flip())),
        (4 * f.condvars, |d| Stmt::Notify(d.flip())),
        (2 * f.parks, |d| Stmt::Park(d.flip())),
        (2 * f.parks, |_| Stmt::UnparkMain),
        (3 * f.channels, |_| Stmt::Send),
        (2 * f.channels, |d| Stmt::Recv(d.flip())),
        (f.channels, |_| Stmt::TryRecv),
        (f.channels, |_| Stmt::TrySend),
        (f.parks, |_| Stmt::Barrier),
        (f.locks, |d| Stmt::LookAtMutex(d.which())),
        (f.rwlocks, |_| Stmt::LookAtRwLock),
        (f.onces, |_| Stmt::LookAtOnce),
        (f.onces, |_| Stmt::WaitOnce),
        (f.tries, |d| Stmt::Clear(Some(d.which()))),
        (f.rwlocks.min(f.tries), |_| Stmt::Clear(None)),
        (3 * f.ends, |_| Stmt::IsFinished),
        (f.channels, |_| Stmt::Hangup),
        (2 * f.channels, |_| Stmt::DropSender),
        (2 * f.counts, |_| Stmt::DropRef),
        (2 * f.counts, |_| Stmt::Upgrade),
        (4 * f.shares, |d| Stmt::Share(d.one_of(SHARES))),
        (1 + f.spins, |_| Stmt::Yield),
        (f.spins * f.atomics, |d| Stmt::Spin(d.which(), d.value())),
        (f.spins * f.atomics, |_| Stmt::SpinOnBoth),
        (f.spins * f.atomics, |d| Stmt::SpinFor(d.which(), d.value(), 1 + d.below(2))),
        (f.spins * f.atomics, |d| Stmt::SpinLock(d.which())),
        (f.spins * f.locks, |d| Stmt::SpinTry(d.which())),
        (f.spins * f.locks, |d| Stmt::Set(d.which())),
        (f.spins * f.locks, |d| Stmt::Poll(d.which())),
        (f.spins * f.rwlocks, |_| Stmt::PollRead),
        (f.spins * f.rwlocks, |_| Stmt::PollWrite),
        (f.spins * f.rwlocks, |d| Stmt::SpinTryRead(d.flip())),
        (f.spins * f.rwlocks, |_| Stmt::SetRwLock),
        (f.spins * f.condvars, |_| Stmt::WaitUntilSet),
        (f.waits, |d| Stmt::WaitWhile(d.flip())),
        (f.spins * f.condvars, |_| Stmt::SetCondition),
        (f.spins * f.channels, |_| Stmt::RecvUntil),
        (f.spins * f.parks, |d| Stmt::ParkUntil(d.which())),
        (f.spins * f.shares, |d| Stmt::ShareUntil(d.one_of(UNTILS))),
    ];
    leaves.retain(|(weight, _)| *weight > 0);
    leaves
}

const SHARES: &[Share] = {
    use Share::*;
    &[
        Clone, Drop, Drop, TryUnwrap, IntoInner, GetMut, MakeMut, Count, Downgrade, CloneWeak,
        DropWeak, Upgrade, Upgrade,
    ]
};

const UNTILS: &[Until] = &[Until::Alone, Until::Unique, Until::Unwrapped, Until::Gone];

/// Or a leaf after all.
fn nested(f: Flavour) -> Vec<(u32, Option<Nested>)> {
    let mut nested: Vec<(u32, Option<Nested>)> = vec![
        (3 * f.locks, Some(|d, body| Stmt::Lock(d.which(), body))),
        (3 * f.tries, Some(|d, body| Stmt::TryLock(d.which(), body))),
        (3 * f.rwlocks, Some(|_, body| Stmt::Read(body))),
        (f.rwlocks.min(f.tries), Some(|_, body| Stmt::TryRead(body))),
        (2 * f.rwlocks, Some(|_, body| Stmt::Write(body))),
        (f.rwlocks, Some(|_, body| Stmt::Downgrade(body))),
        (f.rwlocks.min(f.tries), Some(|_, body| Stmt::TryWrite(body))),
        (2 * f.onces, Some(|_, body| Stmt::Once(body))),
        (1, Some(|_, body| Stmt::Spawn(body))),
        (2, None),
    ];
    nested.retain(|(weight, _)| *weight > 0);
    nested
}

/// The smallest program that still fails and that is found by leaving out one thing after the other.
pub(crate) fn shrink(mut program: Program, fails: impl Fn(&Program) -> bool) -> Program {
    while let Some(smaller) = smaller(&program).into_iter().find(|smaller| fails(smaller)) {
        program = smaller;
    }
    program
}

/// The program without a thread, or without a statement, or without what a statement is around others.
fn smaller(program: &Program) -> Vec<Program> {
    let mut all = Vec::new();
    for at in 0..program.len() {
        let with = |thread: Vec<Stmt>| {
            let mut program = program.clone();
            program[at] = thread;
            program
        };
        // The main thread is always there.
        if at > 0 {
            let mut program = program.clone();
            program.remove(at);
            all.push(program);
        }
        all.extend(fewer(&program[at]).into_iter().map(with));
    }
    all
}

fn fewer(stmts: &[Stmt]) -> Vec<Vec<Stmt>> {
    let mut all = Vec::new();
    for (at, stmt) in stmts.iter().enumerate() {
        let instead = |of: &[Stmt]| [&stmts[..at], of, &stmts[at + 1..]].concat();
        all.push(instead(&[]));
        let Some(body) = stmt.body() else { continue };
        if !body.is_empty() {
            all.push(instead(body));
        }
        for smaller in fewer(body) {
            let mut stmt = stmt.clone();
            stmt.body_mut().expect("it has one").clone_from(&smaller);
            all.push(instead(&[stmt]));
        }
    }
    all
}
