//! Which scenarios are meant, on which system.

use super::run::Job;
use super::{Arguments, BadInput};
use crate::parse::{self, nearest};
use crate::scenario::Scenario;
use crate::system::System;
use crate::systems;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// A file that is longer than this is not a file of scenarios.
const LONGEST: u64 = 16 << 20;

/// Everything that is to be explored.
pub(super) fn jobs(arguments: &Arguments) -> Result<Vec<Job>, BadInput> {
    let system = match &arguments.system {
        Some(name) => system(name)?,
        None => systems::all().into_iter().next().ok_or_else(|| BadInput("no system".into()))?,
    };
    let everything = arguments.scenarios.is_empty() && arguments.file.is_none();
    let jobs = if everything && arguments.system.is_none() {
        let systems = systems::by_default();
        systems.iter().map(built_in).collect::<Result<Vec<_>, _>>()?.concat()
    } else {
        let shipped = match &arguments.file {
            Some(path) => from_file(path, &system)?,
            None => built_in(&system)?,
        };
        let known = match arguments.file {
            Some(_) => shipped.clone(),
            None => [shipped.clone(), on_request(&system)?].concat(),
        };
        match arguments.scenarios.is_empty() {
            // A system without scenarios of its own has those of all.
            true if shipped.is_empty() => known,
            true => shipped,
            false => {
                let find = |text: &String| one(text, &known, &system);
                arguments.scenarios.iter().map(find).collect::<Result<_, _>>()?
            }
        }
    };
    if arguments.replay.is_some() && jobs.len() != 1 {
        return Err(BadInput("--replay needs the one scenario that its token is of".into()));
    }
    Ok(jobs)
}

/// The system of this name.
pub(super) fn system(name: &str) -> Result<Arc<dyn System>, BadInput> {
    systems::find(name).ok_or_else(|| {
        let names: Vec<String> = systems::all().iter().map(|system| system.name()).collect();
        let hint = match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", names.join(", ")),
        };
        BadInput(format!("no system `{name}`: {hint}"))
    })
}

/// The scenarios that ship with a system.
pub(super) fn built_in(system: &Arc<dyn System>) -> Result<Vec<Job>, BadInput> {
    parsed(system.scenarios(), &format!("the scenarios of {}", system.name()), system)
}

/// Those that are explored on a system when they are asked for by name.
pub(super) fn on_request(system: &Arc<dyn System>) -> Result<Vec<Job>, BadInput> {
    parsed(systems::on_request(), "the scenarios of kv_engine", system)
}

fn parsed(text: &str, name: &str, system: &Arc<dyn System>) -> Result<Vec<Job>, BadInput> {
    let scenarios =
        parse::file(text, &**system).map_err(|error| BadInput(error.in_file(name).to_string()))?;
    Ok(scenarios.into_iter().map(|scenario| job(system, scenario)).collect())
}

fn job(system: &Arc<dyn System>, scenario: Scenario) -> Job {
    Job { system: Arc::clone(system), scenario: Arc::new(scenario) }
}

fn from_file(path: &Path, system: &Arc<dyn System>) -> Result<Vec<Job>, BadInput> {
    let name =
        if path == Path::new("-") { "standard input".into() } else { path.to_string_lossy() };
    let failed = |error: std::io::Error| BadInput(format!("{name}: {error}"));
    let mut bytes = Vec::new();
    let read = match path == Path::new("-") {
        true => std::io::stdin().take(LONGEST).read_to_end(&mut bytes),
        false => {
            let file = std::fs::File::open(path).map_err(failed)?;
            file.take(LONGEST).read_to_end(&mut bytes)
        }
    };
    if read.map_err(failed)? as u64 == LONGEST {
        return Err(BadInput(format!("{name} is too long for a file of scenarios")));
    }
    let text = String::from_utf8(bytes).map_err(|_| BadInput(format!("{name} is not text")))?;
    let jobs = parsed(&text, &name, system)?;
    if jobs.is_empty() {
        return Err(BadInput(format!("{name} has no scenario")));
    }
    Ok(jobs)
}

/// The system that a scenario of this name ships with, if it is another one.
fn owner(name: &str, system: &Arc<dyn System>) -> Result<Option<Arc<dyn System>>, BadInput> {
    for other in systems::by_default() {
        let ships = built_in(&other)?.iter().any(|job| job.scenario.name == name);
        if ships && other.name() != system.name() {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

/// The name of a known scenario, or a scenario.
fn one(text: &str, known: &[Job], system: &Arc<dyn System>) -> Result<Job, BadInput> {
    if let Some(found) = known.iter().find(|job| job.scenario.name == text.trim()) {
        return Ok(found.clone());
    }
    if let Some(owner) = owner(text.trim(), system)? {
        let name = owner.name();
        let hint = format!("`{}` is a scenario of {name}: `--system {name}`", text.trim());
        return Err(BadInput(hint));
    }
    parse::scenario(text, &**system).map(|scenario| job(system, scenario)).map_err(|error| {
        let mut message = error.to_string();
        let names = known.iter().map(|job| job.scenario.name.as_str());
        // A name has a dash where a scenario cannot have one.
        if let (true, Some(near)) = (text.contains('-'), nearest(text, names)) {
            message.push_str(&format!("\nor did you mean the scenario `{near}`?"));
        }
        BadInput(message)
    })
}
