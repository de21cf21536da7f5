//! The scenarios and the systems of a question.

use super::run::Job;
use super::{Arguments, Error};
use crate::parse::{self, nearest};
use crate::scenario::Scenario;
use crate::suite::Suite;
use crate::system::Model;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that is longer than this is not a file of scenarios.
const LONGEST: u64 = 16 << 20;

/// The scenarios to explore, each with its system.
pub(super) fn jobs(suite: &Suite, arguments: &Arguments) -> Result<Vec<Job>, Error> {
    let file = arguments.file.as_deref().map(read).transpose()?;
    let everything = arguments.scenarios.is_empty() && file.is_none();
    let systems = match &arguments.system {
        Some(names) => systems(suite, names)?,
        None if everything => suite.by_default().to_vec(),
        None => suite.usual().cloned().into_iter().collect(),
    };
    let mut jobs = Vec::new();
    for system in &systems {
        let shipped = match &file {
            Some((name, text)) => from_file(name, text, system)?,
            None => built_in(system)?,
        };
        let known = match file {
            Some(_) => shipped.clone(),
            None => [shipped.clone(), on_request(suite, system)?].concat(),
        };
        match arguments.scenarios.is_empty() {
            // A system without scenarios of its own has the shared ones.
            true if shipped.is_empty() => jobs.extend(known),
            true => jobs.extend(shipped),
            false => {
                for text in &arguments.scenarios {
                    jobs.push(one(suite, text, &known, file.is_some(), system)?);
                }
            }
        }
    }
    if arguments.replay.is_some() && jobs.len() != 1 {
        return Err(Error::ReplayOfSeveral);
    }
    let kept = arguments.checkpoint.is_some() || arguments.merge.is_some();
    if kept && jobs.len() != 1 {
        return Err(Error::CheckpointOfSeveral);
    }
    Ok(jobs)
}

/// The files of these paths, and those in folders of these paths.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let failed = || Error::io(path.to_string_lossy());
        for entry in std::fs::read_dir(path).map_err(failed())? {
            let file = entry.map_err(failed())?.path();
            // What is being written is not there yet.
            if file.is_file() && file.extension().is_none_or(|extension| extension != "new") {
                files.push(file);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The scenarios with these names or texts, on the suite's first system; without any,
/// all that ship with it.
pub(super) fn named(suite: &Suite, scenarios: &[&str]) -> Result<Vec<Job>, Error> {
    let Some(system) = suite.usual() else { return Ok(Vec::new()) };
    let known = built_in(system)?;
    match scenarios {
        [] => Ok(known),
        texts => texts.iter().map(|text| one(suite, text, &known, false, system)).collect(),
    }
}

/// The systems of these names, separated by commas; the name of a family stands for all
/// of its systems.
pub(super) fn systems(suite: &Suite, names: &str) -> Result<Vec<Arc<dyn Model>>, Error> {
    let mut found: Vec<Arc<dyn Model>> = Vec::new();
    for name in names.split(',').map(str::trim) {
        match suite.family(name) {
            [] => found.push(system(suite, name)?),
            family => found.extend_from_slice(family),
        }
    }
    let mut names = BTreeSet::new();
    found.retain(|system| names.insert(system.name()));
    Ok(found)
}

/// The system of this name.
pub fn system(suite: &Suite, name: &str) -> Result<Arc<dyn Model>, Error> {
    suite.find(name).ok_or_else(|| {
        let families = suite.families.iter().map(|(name, _)| name.clone());
        let names = families.chain(suite.systems.iter().map(|system| system.name()));
        let known: Vec<String> = names.collect();
        let near = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
        Error::NoSystem { name: name.to_owned(), known, near }
    })
}

/// The scenarios that ship with a system.
pub fn built_in(system: &Arc<dyn Model>) -> Result<Vec<Job>, Error> {
    parsed(system.scenarios(), &format!("the scenarios of {}", system.name()), system)
}

/// The shared scenarios, which can be asked of any system by name.
pub fn on_request(suite: &Suite, system: &Arc<dyn Model>) -> Result<Vec<Job>, Error> {
    match &suite.shared {
        Some((name, text)) => parsed(text, name, system),
        None => Ok(Vec::new()),
    }
}

fn parsed(text: &str, name: &str, system: &Arc<dyn Model>) -> Result<Vec<Job>, Error> {
    let scenarios = parse::file(text, &**system).map_err(|error| error.in_file(name))?;
    Ok(scenarios.into_iter().map(|scenario| job(system, scenario)).collect())
}

fn job(system: &Arc<dyn Model>, scenario: Scenario) -> Job {
    Job { system: Arc::clone(system), scenario: Arc::new(scenario) }
}

/// A file's name in errors, and its text.
fn read(path: &Path) -> Result<(String, String), Error> {
    let input = path == Path::new("-");
    let name = if input { "standard input".into() } else { path.to_string_lossy() };
    let failed = |error| Error::Io { what: name.to_string(), error };
    let mut bytes = Vec::new();
    let read = match input {
        true => std::io::stdin().take(LONGEST).read_to_end(&mut bytes),
        false => {
            let file = std::fs::File::open(path).map_err(failed)?;
            file.take(LONGEST).read_to_end(&mut bytes)
        }
    };
    if read.map_err(failed)? as u64 == LONGEST {
        return Err(Error::TooLong(name.into_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|_| Error::NotText(name.to_string()))?;
    Ok((name.into_owned(), text))
}

fn from_file(name: &str, text: &str, system: &Arc<dyn Model>) -> Result<Vec<Job>, Error> {
    let jobs = parsed(text, name, system)?;
    if jobs.is_empty() {
        return Err(Error::NoScenario(name.to_owned()));
    }
    Ok(jobs)
}

/// The system that a scenario of this name ships with, if it is another one.
fn owner(
    suite: &Suite,
    name: &str,
    system: &Arc<dyn Model>,
) -> Result<Option<Arc<dyn Model>>, Error> {
    for other in suite.by_default() {
        let ships = built_in(other)?.iter().any(|job| job.scenario.name == name);
        if ships && other.name() != system.name() {
            return Ok(Some(Arc::clone(other)));
        }
    }
    Ok(None)
}

/// The scenario of this name or text; `own`: the known scenarios are those of the
/// user's file.
fn one(
    suite: &Suite,
    text: &str,
    known: &[Job],
    own: bool,
    system: &Arc<dyn Model>,
) -> Result<Job, Error> {
    if let Some(found) = known.iter().find(|job| job.scenario.name == text.trim()) {
        return Ok(found.clone());
    }
    if let Some(owner) = owner(suite, text.trim(), system)? {
        let scenario = text.trim().to_owned();
        return Err(Error::OtherSystem { scenario, system: owner.name() });
    }
    parse::scenario(text, &**system).map(|scenario| job(system, scenario)).map_err(|error| {
        let names = known.iter().map(|job| job.scenario.name.as_str());
        // A text with a dash and without calls' signs is a name: no scenario has a dash.
        // In a user's file a name may also be a single word.
        let name = !text.contains(['(', '|', '{']) && (own || text.contains('-'));
        let near = nearest(text, names).filter(|_| name).map(str::to_owned);
        Error::Scenario { error: Box::new(error), near }
    })
}
