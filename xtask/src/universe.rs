//! `cargo explore --generate` to the end, in parts: each is kept when it is
//! through, so that who interrupts it goes on where it was.

use crate::build::{explorer, root, Engine};
use crate::kept::Sources;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

/// So many parts, of some 15,000 scenarios each.
const PARTS: usize = 100;

/// What one part had: scenarios, orderings, seconds.
type Figures = [f64; 3];

/// `minutes`: begin no part after so long.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let minutes = match arguments {
        [] => None,
        [minutes] => Some(minutes.parse::<u64>().map_err(|_| format!("{minutes}: no minutes"))?),
        _ => return Err("usage: cargo xtask universe [MINUTES]".into()),
    };
    let binary = explorer(Engine::Shuttle).map_err(|_| "the explorer was not built")?;
    let stamp = Sources::of(&root(), &["src", "explore/src", "models/src", "dpor/src"])?.stamp();
    let file = root().join("target/universe.txt");
    let failed = |error: std::io::Error| format!("{}: {error}", file.display());
    let mut through = read(&fs::read_to_string(&file).unwrap_or_default(), stamp);
    let mut kept = File::options().create(true).append(true).open(&file).map_err(failed)?;
    let begin = Instant::now();
    for part in 1..=PARTS {
        if through.contains_key(&part) {
            continue;
        }
        if minutes.is_some_and(|minutes| begin.elapsed() >= Duration::from_secs(60 * minutes)) {
            break;
        }
        let numbers = format!("{part}/{PARTS}");
        let output = Command::new(&binary).args(["--generate", "--part", &numbers]).output();
        let output = output.map_err(|error| format!("{}: {error}", binary.display()))?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let also = String::from_utf8_lossy(&output.stderr);
            return Err(format!("part {numbers}: {}\n{said}{also}", output.status));
        }
        let figures = figures(&said).ok_or_else(|| format!("no figures in:\n{said}"))?;
        let [scenarios, orderings, seconds] = figures;
        writeln!(kept, "{stamp:x} {part} {scenarios} {orderings} {seconds}").map_err(failed)?;
        through.insert(part, figures);
        let left = (PARTS - through.len()) as f64 * mean_seconds(&through) / 60.0;
        println!(
            "part {numbers}: {scenarios} scenarios, {orderings} orderings, {seconds:.0} s; all hold; \
             {left:.0} minutes left"
        );
    }
    let sum = |at: usize| through.values().map(|figures| figures[at]).sum::<f64>();
    let (count, minutes) = (through.len(), sum(2) / 60.0);
    println!(
        "{count} of {PARTS} parts: {} scenarios, {} orderings, {minutes:.0} minutes; all hold",
        sum(0),
        sum(1)
    );
    match count {
        PARTS => Ok(()),
        _ => Err("INCOMPLETE: call it again, and it goes on".into()),
    }
}

fn mean_seconds(through: &BTreeMap<usize, Figures>) -> f64 {
    through.values().map(|[.., seconds]| seconds).sum::<f64>() / through.len().max(1) as f64
}

/// The parts that are through, of these sources.
fn read(text: &str, stamp: u64) -> BTreeMap<usize, Figures> {
    let lines = text.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        let same = fields.next()? == format!("{stamp:x}");
        let part = fields.next()?.parse().ok()?;
        let figures = [fields.next()?, fields.next()?, fields.next()?].map(|field| field.parse());
        let [Ok(scenarios), Ok(orderings), Ok(seconds)] = figures else { return None };
        same.then_some((part, [scenarios, orderings, seconds]))
    });
    lines.collect()
}

/// Of what the explorer says of a part.
fn figures(said: &str) -> Option<Figures> {
    let number = |key: &str| -> Option<f64> {
        let line = said.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().next()?.replace(',', "").parse().ok()
    };
    Some([number("scenarios")?, number("orderings")?, number("time")?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_part_had_is_read_and_kept() {
        let said = "scenarios    2880 (12 with one ordering only)\n\
                    orderings    1,234,567 in 1,234,567 executions, 9 outcomes\n\
                    time         23.5 s, 9 executions a second\n";
        assert_eq!(figures(said), Some([2880.0, 1_234_567.0, 23.5]));
        assert_eq!(figures(""), None);
        let kept = "2a 1 2880 1234567 23.5\n2b 2 1 1 1\n2a x\n";
        assert_eq!(read(kept, 42), BTreeMap::from([(1, [2880.0, 1_234_567.0, 23.5])]));
    }
}
