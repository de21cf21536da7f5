//! The counts, computed in two other ways: by brute force, from the texts alone, and
//! by Burnside's lemma.

use super::{letter, shapes, Family, Letter, Universe, ANY};
use std::collections::BTreeSet;

/// Calls of every kind, on this many receivers and values.
fn alphabet(receivers: usize, values: u64) -> Vec<Letter> {
    let mut letters = vec![letter("close"), letter("work")];
    letters.extend((0..values).map(|value| letter("tell").value(value)));
    for receiver in 0..receivers {
        letters.push(letter("make").making(receiver));
        let others = (0..receivers).filter(|other| *other != receiver);
        letters.extend(others.map(|other| letter("make").making(receiver).with_receiver(other)));
        letters.extend(["see", "go"].map(|operation| letter(operation).on(receiver)));
        letters.extend((0..values).map(|value| letter("put").on(receiver).value(value)));
    }
    letters
}

fn universe(threads: usize, calls: usize) -> Universe {
    Universe { families: vec![family(2, 2), family(1, 1)], threads, calls }
}

/// The canonical text of a scenario: the first of its texts with other names and other
/// orders of the threads.
fn stands_for(text: &str, swap_receivers: bool, swap_values: bool) -> String {
    let swap = |text: &str, one: &str, other: &str| {
        text.replace(one, "\u{0}").replace(other, one).replace('\u{0}', other)
    };
    let mut written = BTreeSet::new();
    for receivers in [false, true].into_iter().filter(|swap| !swap || swap_receivers) {
        for values in [false, true].into_iter().filter(|swap| !swap || swap_values) {
            let mut text = text.to_owned();
            if receivers {
                text = swap(&text, "a.", "b.");
                text = swap(&text, "(a", "(b");
                text = swap(&text, ", a", ", b");
            }
            if values {
                text = swap(&text, "0", "1");
            }
            let mut threads: Vec<&str> = text.split(" | ").collect();
            threads.sort();
            written.insert(threads.join(" | "));
        }
    }
    written.pop_first().expect("at least as it is")
}

/// Every scenario over these letters, equal ones included.
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

fn family(receivers: usize, values: u64) -> Family {
    let (prologue, beside) = (Vec::new(), Vec::new());
    Family {
        settings: "",
        prologue,
        alphabet: alphabet(receivers, values),
        beside,
        calls: ANY,
        alike: usize::MAX,
    }
}

#[test]
fn brute_force_counts_the_same() {
    let small = |letters: &[Letter]| Family { alphabet: letters.to_vec(), ..family(1, 1) };
    let request = letter("put");
    let four = [
        request.on(0).value(0),
        request.on(0).value(1),
        request.on(1).value(0),
        request.on(1).value(1),
    ];
    let steps = [letter("go").on(0), letter("go").on(1), letter("close")];
    let opens = [
        letter("make").making(0).with_receiver(1),
        letter("make").making(1).with_receiver(0),
        letter("tell").value(0),
        letter("tell").value(1),
    ];
    let cases = [
        (small(&four), 3, 4, (true, true)),
        (small(&steps), 3, 5, (true, false)),
        (small(&opens), 3, 4, (true, true)),
        (family(1, 1), 3, 3, (false, false)),
        (family(2, 1), 2, 3, (true, false)),
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

/// Burnside's lemma: the number of scenarios is the average number of codes that a
/// symmetry leaves unchanged. A symmetry renames, and permutes threads of one length.
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

/// The letters that this many renamings leave unchanged.
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

/// One member of each cycle of a permutation, and the cycle's length.
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
    let small = Family { prologue: vec![letter("put").on(0).value(0)], ..family(1, 1) };
    let four = Universe { families: vec![small], threads: 3, calls: 4 };
    for universe in [universe(2, 3), universe(3, 3), four] {
        let (threads, calls) = (universe.threads, universe.calls);
        let shapes: Vec<_> = (2..=calls).flat_map(|calls| shapes(threads, calls)).collect();
        let families = universe.families.iter();
        let expected: usize =
            families.map(|f| shapes.iter().map(|shape| burnside(f, shape)).sum::<usize>()).sum();
        assert_eq!(universe.scenarios().count(), expected, "{threads} threads, {calls} calls");
    }
}

#[test]
fn a_family_has_scenarios_of_its_sizes_only() {
    let count = |families: Vec<Family>| {
        Universe { families, threads: 3, calls: 3 }.scenarios().collect::<Vec<_>>()
    };
    let (two, three) =
        (Family { calls: 2..=2, ..family(1, 1) }, Family { calls: 3..=4, ..family(1, 1) });
    let whole = count(vec![family(1, 1)]);
    assert_eq!(count(vec![two.clone(), three.clone()]), whole);
    assert!(!count(vec![two]).is_empty() && count(vec![three]).len() < whole.len());
    let few = count(vec![Family { alike: 2, ..family(1, 1) }]);
    assert!(whole.contains(&"close; close | close".to_owned()));
    assert!(few.contains(&"close | close".to_owned()) && few.len() < whole.len());
    assert!(few.iter().all(|text| whole.contains(text) && text.matches("close").count() <= 2));
}

#[test]
fn the_parts_are_the_whole() {
    let universe = universe(2, 2);
    let mut parts: Vec<String> = (1..=3).flat_map(|part| universe.part(part, 3)).collect();
    let mut whole: Vec<String> = universe.scenarios().collect();
    assert!(!whole.is_empty());
    parts.sort();
    whole.sort();
    assert_eq!(parts, whole);
}
