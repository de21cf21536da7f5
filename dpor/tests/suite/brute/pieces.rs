//! The same program explored in pieces: interrupted and gone on with, and in parts.

use super::{body, trace, Explored, Program};
use shuttle_dpor::{Checkpoint, Explorer, Ordering};
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

type Traces = Arc<StdMutex<HashMap<u64, u64>>>;

fn explorer(program: &Program, workers: usize, traces: &Traces) -> Explorer {
    let traces = traces.clone();
    let seen = move |o: &Ordering| *traces.lock().unwrap().entry(trace(o)).or_default() += 1;
    super::explorer(program).workers(workers).observe(seen)
}

pub(super) fn path() -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!("dpor-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
    std::env::temp_dir().join(name)
}

/// Explores with an interruption after every few executions, each time on another number of workers, and
/// writes the file after each execution.
fn interrupted(program: &Program, whole: &Explored, traces: &Traces) -> Result<(), String> {
    let path = path();
    let file = Checkpoint::new(&path).every(Duration::ZERO);
    for round in 0.. {
        let few = 1 + whole.executions / 3;
        let explorer = explorer(program, [1, 3, 2][round % 3], traces).max_executions(few);
        let program = program.clone();
        let report = explorer.explore_in(&file, move || format!("{:?}", body(&program)));
        let report = report.map_err(|e| e.to_string())?;
        if report.incomplete.is_some() && round < 10 {
            continue;
        }
        std::fs::remove_file(&path).map_err(|e| e.to_string())?;
        let outcomes: BTreeSet<String> = report.outcomes.keys().cloned().collect();
        let expected = whole.outcomes.iter().map(|seen| format!("{seen:?}")).collect();
        if (report.executions, report.blocked) != (whole.executions, 0) {
            return Err(format!("in pieces, {} of {}", report.executions, whole.executions));
        }
        if outcomes != expected {
            return Err(format!("in pieces, {outcomes:?} and not {expected:?}"));
        }
        break;
    }
    Ok(())
}

/// Explores in so many parts. Returns how many of them have something to do.
fn in_parts(program: &Program, n: usize, whole: &Explored, traces: &Traces) -> Result<u64, String> {
    let paths: Vec<PathBuf> = (0..n).map(|_| path()).collect();
    let mut busy = 0;
    for (k, path) in paths.iter().enumerate() {
        let file = Checkpoint::new(path).part(k + 1, n);
        let own = program.clone();
        let explorer = explorer(program, 1 + 2 * (k % 2), traces);
        let report = explorer.explore_in(&file, move || format!("{:?}", body(&own)));
        let report = report.map_err(|e| e.to_string())?;
        if report.part != Some((k + 1, n)) || report.blocked != 0 {
            return Err(format!("part {} of {n}: {:?}", k + 1, report.incomplete));
        }
        busy += u64::from(report.executions > 0);
    }
    let own = program.clone();
    let all = explorer(program, 1, &Traces::default());
    let all = all.merge(&paths, "", move || format!("{:?}", body(&own)));
    paths.iter().for_each(|path| drop(std::fs::remove_file(path)));
    let all = all.map_err(|e| e.to_string())?;
    if all.incomplete.is_some() || all.executions != whole.executions {
        return Err(format!("{n} parts: {} and {:?}", all.executions, all.incomplete));
    }
    Ok(busy)
}

/// Compares with what is seen without an interruption. Returns how many parts of three had something to
/// do.
pub(crate) fn compare(program: &Program, whole: &Explored) -> Result<u64, String> {
    let traces = Traces::default();
    interrupted(program, whole, &traces)?;
    if *traces.lock().unwrap() != whole.traces {
        return Err("an interruption loses a trace, or sees one twice".into());
    }
    let traces = Traces::default();
    let busy = in_parts(program, 3, whole, &traces)?;
    if *traces.lock().unwrap() != whole.traces {
        return Err("parts lose a trace, or see one twice".into());
    }
    Ok(busy)
}
