//! Compares the explorer with brute force on many random programs:
//!
//! ```text
//! cargo run --release -p shuttle-dpor --example brute-force -- --programs 1000000 --seed 1
//! ```
//!
//! The programs are of each flavour (what sort of objects they use) in turn, or of `--flavour N`. Every
//! 10,000 it says how far it is.
//!
//! With `--equal N` it compares N programs, some of whose threads are equal, with and without symmetry.

#[path = "../tests/suite/brute/mod.rs"]
mod brute;

use brute::generate::{self, Dice, Generator};
use shuttle_dpor::Strategy as Explore;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

fn main() {
    let (mut programs, mut seed, mut size) = (10_000u64, 1u64, 12usize);
    // What is larger is skipped: it would take all the time.
    let (mut limit, mut most) = (50_000u64, 5_000u64);
    // What has more interleavings than so many, if no thread ever waited for another, is not tried.
    let mut free = u64::MAX;
    // One sort of programs, or all.
    let mut flavour = None;
    // Every how many programs are explored in pieces, too: with interruptions, and in parts.
    let mut pieces = u64::MAX;
    // How many programs with equal threads are compared.
    let mut equal = None;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let value = args.next().and_then(|v| v.parse().ok());
        let value: u64 = value.unwrap_or_else(|| panic!("{arg} needs a number"));
        match arg.as_str() {
            "--programs" => programs = value,
            "--seed" => seed = value,
            "--size" => size = value as usize,
            "--limit" => limit = value,
            "--traces" => most = value,
            "--free" => free = value,
            "--pieces" => pieces = value.max(1),
            "--equal" => equal = Some(value),
            "--flavour" => flavour = Some(value as usize),
            _ => panic!("unknown option {arg}"),
        }
    }
    let generators = match flavour {
        Some(one) => vec![Generator::new(one)],
        None => Generator::all(),
    };
    let mut dice = Dice::new(seed);
    if let Some(programs) = equal {
        match brute::equal::many(&generators, &mut dice, programs, size) {
            Ok(cost) => println!("{cost:?}"),
            Err(why) => {
                println!("{why}");
                std::process::exit(1);
            }
        }
        return;
    }
    let start = Instant::now();
    let (mut done, mut skipped, mut interleavings, mut traces) = (0u64, 0u64, 0u64, 0u64);
    let mut known = HashSet::new();
    while done < programs {
        let program = generators[done as usize % generators.len()].small(&mut dice, size);
        let sizes: Vec<usize> = program.iter().map(|t| brute::size(t)).collect();
        if interleaved(&sizes) > free {
            continue;
        }
        // Each once: small ones come often.
        let mut hasher = DefaultHasher::new();
        format!("{program:?}").hash(&mut hasher);
        if !known.insert(hasher.finish()) {
            continue;
        }
        // Workers cost more than a small program does.
        let share = done / generators.len() as u64 % 16 == 0;
        match brute::compare(&program, limit, most, share) {
            Ok(Some((all, once))) => {
                done += 1;
                interleavings += all;
                traces += once;
                if done % pieces == 0 {
                    let whole = brute::explore(&program, Explore::Dpor, 1, u64::MAX);
                    if let Err(why) = brute::pieces::compare(&program, &whole) {
                        println!("{program:?}\n{why}");
                        std::process::exit(1);
                    }
                }
                if done % 10_000 == 0 {
                    let elapsed = start.elapsed();
                    println!("{done} programs, {interleavings} interleavings, {traces} traces, {elapsed:?}");
                }
            }
            Ok(None) => skipped += 1,
            Err(why) => {
                println!("{program:?}\n{why}\nlooking for a smaller one");
                let compare = |program: &_| brute::compare(program, limit, limit, true);
                let worst = generate::shrink(program, |smaller| compare(smaller).is_err());
                println!("{worst:#?}\n{:?}", compare(&worst));
                std::process::exit(1);
            }
        }
    }
    println!(
        "{done} different programs of {} flavours agree with brute force: {interleavings} interleavings, {traces} \
         traces, each explored once; {skipped} more were too large or had fewer than three; {:?}",
        generators.len(),
        start.elapsed()
    );
}

/// How many interleavings threads of these sizes have that never wait for each other.
fn interleaved(sizes: &[usize]) -> u64 {
    let (mut all, mut ways) = (0, 1u64);
    for size in sizes {
        for n in 1..=*size as u64 {
            all += 1;
            // All steps so far over those of this thread: a binomial coefficient grows like that.
            ways = ways.saturating_mul(all) / n;
        }
    }
    ways
}
