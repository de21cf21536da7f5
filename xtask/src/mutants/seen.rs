//! What was found of each mutant so far, in a file beside the builds: a run
//! that is cut off goes on where it was. It counts for as long as nothing has
//! changed that a check is built from; after that it says what to try first.

use super::matrix::Killers;
use super::run::Check;
use super::{folder, lock, Subject};
use crate::build::root;
use crate::kept::Sources;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::sync::Mutex;

/// By mutant.
type Found = BTreeMap<String, Killers>;

pub(super) struct Seen {
    /// By mutant: of what it changes, and of the sources that the checks are built
    /// from.
    stamps: BTreeMap<&'static str, u64>,
    state: Mutex<(File, Found)>,
    /// What saw it when the sources were others, or in the matrix.
    before: Found,
}

/// In the place of a mutant: how long the check takes without one, which holds.
const SOUND: &str = "-";

/// In a cell, and in the file: nothing has seen it.
const NOTHING: &str = "-";

/// How a killer ends that never came to an end.
pub(super) const DEADLINE: &str = " (deadline)";

impl Seen {
    /// Reads what there is: of the sources as they are, and of others; the latter from
    /// what is `recorded` only, where that is checked.
    pub(super) fn open(
        subject: &Subject,
        recorded: &BTreeMap<String, Vec<String>>,
        only_recorded: bool,
    ) -> Result<Self, String> {
        let file = folder().join(subject.seen);
        let failed = |error: std::io::Error| format!("{}: {error}", file.display());
        let sources = Sources::of(&root(), subject.sources)?;
        let all = subject.all().into_iter();
        let mut stamps: BTreeMap<_, _> = all
            .map(|(_, mutant)| (mutant.name, sources.stamp_with((mutant.file, mutant.edits))))
            .collect();
        // All of them are in what is built.
        let edits: Vec<_> = subject.all().iter().map(|(_, m)| (m.file, m.edits)).collect();
        stamps.insert(SOUND, sources.stamp_with(edits));
        let (mut found, mut before) = (Found::new(), Found::new());
        for (mutant, cells) in recorded {
            for (check, cell) in subject.checks.iter().copied().zip(cells) {
                before.entry(mutant.clone()).or_default().insert(check, killer(cell));
            }
        }
        for line in fs::read_to_string(&file).unwrap_or_default().lines() {
            let Some((of, mutant, check, cell)) = entry(subject, line) else { continue };
            let to = match stamps.get(mutant) == Some(&of) {
                true => &mut found,
                false if only_recorded => continue,
                false => &mut before,
            };
            to.entry(mutant.to_owned()).or_default().insert(check, killer(cell));
        }
        let open = File::options().create(true).append(true).open(&file).map_err(failed)?;
        Ok(Seen { stamps, state: Mutex::new((open, found)), before })
    }

    pub(super) fn add(
        &self,
        mutant: &str,
        check: Check,
        killer: Option<String>,
    ) -> Result<(), String> {
        let mut state = lock(&self.state);
        let cell = killer.as_deref().unwrap_or(NOTHING);
        let stamp = self.stamps.get(mutant).copied().unwrap_or_default();
        let line = format!("{stamp:x}\t{mutant}\t{}\t{cell}\n", check.name());
        state.0.write_all(line.as_bytes()).map_err(|error| format!("{mutant}: {error}"))?;
        state.1.entry(mutant.to_owned()).or_default().insert(check, killer);
        Ok(())
    }

    /// How long a check takes without a mutant, as the sources are; none if nobody has seen it hold.
    pub(super) fn held(&self, check: Check) -> Option<String> {
        self.killers(SOUND).remove(&check).flatten()
    }

    /// A check holds without a mutant, and takes so long.
    pub(super) fn holds(&self, check: Check, took: &str) -> Result<(), String> {
        self.add(SOUND, check, Some(took.to_owned()))
    }

    /// What the checks have found of it, as the sources are.
    pub(super) fn killers(&self, mutant: &str) -> Killers {
        lock(&self.state).1.get(mutant).cloned().unwrap_or_default()
    }

    /// Whether anything saw it before.
    pub(super) fn was_seen(&self, mutant: &str, check: Check) -> bool {
        self.before.get(mutant).and_then(|of| of.get(&check)).is_some_and(Option::is_some)
    }

    /// What is the most likely to see it: what did so before; under loom, what
    /// does so under shuttle-dpor.
    pub(super) fn first(&self, mutant: &str, check: Check) -> Option<String> {
        let state = lock(&self.state);
        let in_order =
            [(&self.before, check), (&state.1, Check::Dpor), (&self.before, Check::Dpor)];
        let tried = if check == Check::Loom { &in_order[..] } else { &in_order[..1] };
        let mut names = tried.iter().filter_map(|(of, check)| of.get(mutant)?.get(check)?.clone());
        names.find(|name| !name.ends_with(DEADLINE))
    }
}

fn killer(cell: &str) -> Option<String> {
    (cell != NOTHING && cell != super::matrix::NOT_RUN).then(|| cell.to_owned())
}

fn entry<'l>(subject: &Subject, line: &'l str) -> Option<(u64, &'l str, Check, &'l str)> {
    let mut fields = line.split('\t');
    let stamp = u64::from_str_radix(fields.next()?, 16).ok()?;
    let (mutant, check, cell) = (fields.next()?, fields.next()?, fields.next()?);
    let check = subject.checks.iter().copied().find(|one| one.name() == check)?;
    Some((stamp, mutant, check, cell))
}
