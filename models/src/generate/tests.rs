//! The counts, by two other ways: by brute force, from the texts alone, and by
//! counting what each symmetry leaves as it is.

use super::{alphabet, core, letter, shapes, Family, Universe};
use std::collections::BTreeSet;

/// All ways to write the scenario of a text with other names and other orders
/// of the threads; the first of them stands for it.
fn stands_for(text: &str, swap_connections: bool, swap_vbs: bool) -> String {
    let swap = |text: &str, one: &str, other: &str| {
        text.replace(one, "\u{0}").replace(other, one).replace('\u{0}', other)
    };
    let mut written = BTreeSet::new();
    for conns in [false, true].into_iter().filter(|swap| !swap || swap_connections) {
        for vbs in [false, true].into_iter().filter(|swap| !swap || swap_vbs) {
            let mut text = text.to_owned();
            if conns {
                text = swap(&text, "a.", "b.");
                text = swap(&text, "(a", "(b");
                text = swap(&text, ", a", ", b");
            }
            if vbs {
                text = swap(&text, "0", "1");
            }
            let mut threads: Vec<&str> = text.split(" | ").collect();
            threads.sort();
            written.insert(threads.join(" | "));
        }
    }
    written.pop_first().expect("at least as it is")
}

/// Every scenario of exactly these letters, however often it is the same.
fn all_texts(letters: &[String], threads: usize, calls: usize) -> Vec<String> {
    let mut texts = vec![String::new()];
    for call in 0..calls {
        let separators: &[&str] = if call == 0 { &[""] } else { &["; ", " | "] };
        let longer = |text: &String| {
            let text = text.clone();
            separators.iter().flat_map(move |separator| {
                let text = text.clone();
                letters.iter().map(move |letter| format!("{text}{separator}{letter}"))
            })
        };
        texts = texts.iter().flat_map(longer).collect();
    }
    texts.retain(|text| (2..=threads).contains(&text.split(" | ").count()));
    texts
}

fn brute_force(family: &Family, threads: usize, calls: usize, swaps: (bool, bool)) -> usize {
    let letters: Vec<String> = family.alphabet.iter().map(ToString::to_string).collect();
    let texts = (2..=calls).flat_map(|calls| all_texts(&letters, threads, calls));
    texts.map(|text| stands_for(&text, swaps.0, swaps.1)).collect::<BTreeSet<_>>().len()
}

fn family(connections: usize, vbs: u64) -> Family {
    Family { settings: "", prologue: Vec::new(), alphabet: alphabet(connections, vbs) }
}

#[test]
fn brute_force_counts_the_same() {
    let small = |letters: &[super::Letter]| Family { alphabet: letters.to_vec(), ..family(1, 1) };
    let request = letter("stream_request");
    let four = [request.on(0).vb(0), request.on(0).vb(1), request.on(1).vb(0), request.on(1).vb(1)];
    let steps = [letter("step").on(0), letter("step").on(1), letter("shutdown")];
    let opens = [
        letter("open").on(0).named(1),
        letter("open").on(1).named(0),
        letter("notify").vb(0),
        letter("notify").vb(1),
    ];
    let cases = [
        (small(&four), 3, 4, (true, true)),
        (small(&steps), 3, 5, (true, false)),
        (small(&opens), 3, 4, (true, true)),
        (family(1, 1), 3, 3, (false, false)),
        (family(2, 1), 2, 3, (true, false)),
        (family(2, 2), 3, 3, (true, true)),
    ];
    for (family, threads, calls, swaps) in cases {
        let expected = brute_force(&family, threads, calls, swaps);
        let universe = Universe { families: vec![family], threads, calls };
        let all: Vec<String> = universe.scenarios().collect();
        let distinct: BTreeSet<&String> = all.iter().collect();
        assert_eq!(distinct.len(), all.len(), "each once");
        assert_eq!(all.len(), expected, "{:?}", universe.families[0].alphabet);
    }
}

/// Burnside's lemma: the scenarios are as many as a symmetry leaves unchanged
/// on average. A symmetry renames, and permutes threads of one length.
fn burnside(family: &Family, shape: &[usize]) -> usize {
    let renamings = family.renamings();
    let (mut symmetries, mut unchanged) = (0, 0);
    for permutation in permutations(shape.len()) {
        if (0..shape.len()).any(|at| shape[at] != shape[permutation[at]]) {
            continue;
        }
        for renaming in &renamings {
            symmetries += 1;
            unchanged += cycles(&permutation)
                .into_iter()
                .map(|(first, len)| unchanged_letters(renaming, len).pow(shape[first] as u32))
                .product::<usize>();
        }
    }
    assert_eq!(unchanged % symmetries, 0);
    unchanged / symmetries
}

/// The letters that are themselves again after so many renamings.
fn unchanged_letters(renaming: &[usize], times: usize) -> usize {
    let after = |letter: usize| (0..times).fold(letter, |letter, _| renaming[letter]);
    (0..renaming.len()).filter(|letter| after(*letter) == *letter).count()
}

fn permutations(len: usize) -> Vec<Vec<usize>> {
    if len == 0 {
        return vec![Vec::new()];
    }
    let insert = |shorter: Vec<usize>| {
        (0..len).map(move |at| {
            let mut longer = shorter.clone();
            longer.insert(at, len - 1);
            longer
        })
    };
    permutations(len - 1).into_iter().flat_map(insert).collect()
}

/// One member and the length of each.
fn cycles(permutation: &[usize]) -> Vec<(usize, usize)> {
    let mut seen = vec![false; permutation.len()];
    let mut cycles = Vec::new();
    for first in 0..permutation.len() {
        let (mut at, mut len) = (first, 0);
        while !seen[at] {
            seen[at] = true;
            at = permutation[at];
            len += 1;
        }
        cycles.extend((len > 0).then_some((first, len)));
    }
    cycles
}

#[test]
fn symmetries_count_the_same() {
    let small = Family { prologue: vec![letter("stream_request").on(0).vb(0)], ..family(1, 1) };
    let four = Universe { families: vec![small, family(2, 1)], threads: 3, calls: 4 };
    for universe in [core(2, 3), core(3, 3), four] {
        let (threads, calls) = (universe.threads, universe.calls);
        let shapes: Vec<_> = (2..=calls).flat_map(|calls| shapes(threads, calls)).collect();
        let families = universe.families.iter();
        let expected: usize =
            families.map(|f| shapes.iter().map(|shape| burnside(f, shape)).sum::<usize>()).sum();
        assert_eq!(universe.scenarios().count(), expected, "{threads} threads, {calls} calls");
    }
}

/// The whole: too many to list in a test, but not to count.
#[test]
fn so_many_there_are() {
    let universe = core(3, 4);
    let count = |calls: usize| -> usize {
        let shapes = shapes(3, calls);
        let each = universe.families.iter();
        each.map(|family| shapes.iter().map(|shape| burnside(family, shape)).sum::<usize>()).sum()
    };
    assert_eq!([count(2), count(3), count(4)], [1_418, 47_141, 1_276_430]);
}

#[test]
fn the_parts_are_the_whole() {
    let universe = core(2, 2);
    let mut parts: Vec<String> = (1..=3).flat_map(|part| universe.part(part, 3)).collect();
    let mut whole: Vec<String> = universe.scenarios().collect();
    assert!(!whole.is_empty());
    parts.sort();
    whole.sort();
    assert_eq!(parts, whole);
}

#[test]
fn each_of_them_can_be_read() {
    for text in core(3, 2).scenarios() {
        let parsed = crate::parse::scenario(&text, &crate::systems::core::Core);
        let parsed = parsed.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(parsed.threads.len() >= 2, "{text}");
    }
}
