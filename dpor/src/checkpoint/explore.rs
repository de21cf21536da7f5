//! Explorations that go on from a file, and parts that are put together.

use super::{program, text, Checkpoint, CheckpointError, Saved};
use crate::again;
use crate::exploration::{into_slot, Body, Exploration, Plan, Slot};
use crate::explore::Tree;
use crate::explorer::Explorer;
use crate::names::Names;
use crate::report::Report;
use crate::schedule::{Token, VERSION};
use crate::settings::Strategy;
use crate::split::split;
use crate::tally::Tally;
use crate::witness::What;
use std::fmt::{Debug, Display};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

impl Explorer {
    /// Like [`explore`](Self::explore), and keeps what is left to do, and what has been counted, in a file:
    /// now and then, and at the end, whatever that was (a limit, or the flag of
    /// [`stop_when`](Self::stop_when)). If the file exists, goes on from there, on as many workers as there
    /// are now: the counts are the same as without an interruption, but for
    /// [`probes`](Report::probes). After a crash that is what was counted when the file was written last.
    ///
    /// With [`Checkpoint::part`] explores a part only, and [`merge`](Self::merge) puts the parts together.
    /// [`max_executions`](Self::max_executions) and [`max_time`](Self::max_time) are those of this call.
    ///
    /// What the body returns is written with `Display` and read with `FromStr`. The file is replaced as a
    /// whole, by a rename. If it cannot be written later on, that is said on standard error, and tried again
    /// when it is time.
    ///
    /// ```
    /// use shuttle_dpor::{sync::{Arc, Mutex}, thread, Checkpoint, Explorer};
    ///
    /// let who_was_last = || {
    ///     let last = Arc::new(Mutex::new(0));
    ///     let threads = [1, 2, 3, 4].map(|n| {
    ///         let last = last.clone();
    ///         thread::spawn(move || *last.lock().unwrap() = n)
    ///     });
    ///     threads.map(|thread| thread.join().unwrap());
    ///     let last = *last.lock().unwrap();
    ///     last
    /// };
    /// # let path = std::env::temp_dir().join(format!("shuttle-dpor-{}", std::process::id()));
    /// let file = Checkpoint::new(&path).titled("four writers");
    /// let some = Explorer::new().max_executions(10).explore_in(&file, who_was_last)?;
    /// assert_eq!((some.orderings, some.exhausted()), (10, false));
    /// let all = Explorer::new().workers(2).explore_in(&file, who_was_last)?;
    /// assert_eq!((all.orderings, all.exhausted()), (24, true));
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<_, shuttle_dpor::CheckpointError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is damaged, or is one of another version, program, body or part, or
    /// cannot be written at the start: nothing has been explored then. And with a strategy other than
    /// [`Strategy::Dpor`], or a bound on preemptions.
    pub fn explore_in<T, F>(
        self,
        checkpoint: &Checkpoint,
        body: F,
    ) -> Result<Report<T>, CheckpointError>
    where
        T: Ord + Clone + Debug + Display + FromStr + Send + 'static,
        F: Fn() -> T + Send + Sync + 'static,
    {
        if again::asked_for().is_some() {
            return Ok(self.explore(body));
        }
        let body: Body<T> = Arc::new(body);
        let head = self.head(&checkpoint.title, &body)?;
        let saved = self.saved(checkpoint, &head, &body)?;
        let Saved { part, elapsed, tally, tree, names, .. } = saved;
        let path = checkpoint.path.clone();
        text::write(&path, &head, part, (&tree, &names), &tally, elapsed)?;
        let known = names.clone();
        let plan = Plan {
            names,
            tree,
            tally,
            elapsed,
            every: checkpoint.every,
            write: Box::new(move |tree, tally, elapsed| {
                if let Err(error) = text::write(&path, &head, part, (tree, &known), tally, elapsed)
                {
                    eprintln!("shuttle-dpor: the checkpoint cannot be written: {error}");
                }
            }),
        };
        let (mut tally, elapsed) = Exploration::new(self.settings.clone()).go_on(plan, &body);
        if let Some((k, n)) = part {
            tally.is_part(k, n);
        }
        Ok(tally.report(elapsed, self.again(body)))
    }

    /// Puts the parts of an exploration together that [`explore_in`](Self::explore_in) has left in these
    /// files: the counts are added, and the verdict is `Incomplete` unless all parts are there and are
    /// explored to their end. `title` is what the checkpoints were titled.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, is damaged, or is none of a part of this body by this program, or if a part
    /// is there twice.
    pub fn merge<T, F>(
        self,
        parts: &[PathBuf],
        title: &str,
        body: F,
    ) -> Result<Report<T>, CheckpointError>
    where
        T: Ord + Clone + Debug + Display + FromStr + Send + 'static,
        F: Fn() -> T + Send + Sync + 'static,
    {
        let body: Body<T> = Arc::new(body);
        let head = self.head(title, &body)?;
        let mut tally = Tally::default();
        let mut elapsed = Duration::ZERO;
        let mut found: Vec<(usize, &Path)> = Vec::new();
        let mut all = None;
        for path in parts {
            let Saved { part, elapsed: took, tally: counted, tree, .. } = text::read(path, &head)?;
            let here = all.map_or("one of several".to_owned(), |n| format!("one of {n}"));
            let (k, n) =
                part.filter(|(_, n)| all.is_none_or(|all| all == *n)).ok_or_else(|| {
                    let there = of(part);
                    CheckpointError::Other { path: path.clone(), what: "part", there, here }
                })?;
            if let Some((_, other)) = found.iter().find(|(known, _)| *known == k) {
                let paths = [other.to_path_buf(), path.clone()];
                return Err(CheckpointError::Twice { part: k, paths });
            }
            found.push((k, path));
            all = Some(n);
            if !tree.is_over() {
                tally.stop(format!("part {k} of {n} is not explored to its end"));
            }
            tally.merge(counted);
            elapsed += took;
        }
        let Some(n) = all else { return Err(CheckpointError::NoParts) };
        if let Some(k) = (1..=n).find(|k| found.iter().all(|(known, _)| known != k)) {
            tally.stop(format!("part {k} of {n} is missing"));
        }
        Ok(tally.report(elapsed, self.again(body)))
    }

    /// What the file says, or else how an exploration begins.
    fn saved<T>(
        &self,
        checkpoint: &Checkpoint,
        head: &[(&'static str, String)],
        body: &Body<T>,
    ) -> Result<Saved<T>, CheckpointError>
    where
        T: Ord + Debug + FromStr + Send + 'static,
    {
        let path = &checkpoint.path;
        if path.try_exists().map_err(CheckpointError::io(path))? {
            let saved = text::read(path, head)?;
            if saved.part != checkpoint.part {
                let (there, here) = (of(saved.part), of(checkpoint.part));
                let path = path.clone();
                return Err(CheckpointError::Other { path, what: "part", there, here });
            }
            return Ok(saved);
        }
        let names = Names::default();
        let tree = match checkpoint.part {
            None => Tree::of([Vec::new()]),
            Some((k, n)) => {
                let blocks =
                    split(&self.settings, &names, n, &into_slot(body.clone(), Slot::default()));
                Tree::of(blocks.into_iter().skip(k - 1).step_by(n))
            }
        };
        let (elapsed, tally) = (Duration::ZERO, Tally::default());
        Ok(Saved { part: checkpoint.part, elapsed, tally, tree, names })
    }

    /// What tells a checkpoint of this body from others.
    fn head<T>(
        &self,
        title: &str,
        body: &Body<T>,
    ) -> Result<Vec<(&'static str, String)>, CheckpointError>
    where
        T: Send + 'static,
    {
        let settings = &self.settings;
        if settings.strategy != Strategy::Dpor || settings.max_preemptions.is_some() {
            return Err(CheckpointError::Strategy);
        }
        let timeouts = match settings.timeouts {
            u32::MAX => "any".to_owned(),
            n => n.to_string(),
        };
        let explored = format!(
            "max_steps {}, spurious_wakeups {}, timeouts {timeouts}, thread_ends {}, reference_counts {}, \
             symmetry {}, spurious_failures {}",
            settings.max_steps,
            settings.spurious,
            settings.ends,
            settings.counts,
            settings.symmetry,
            settings.spurious_failures
        );
        // The ordering that nobody has chosen.
        let nobodys = Token { threads: Arc::default(), runs: Box::default() };
        let first = self.replay_inner(&nobodys, body.clone());
        let mut hasher = DefaultHasher::new();
        let mut operations = 0;
        for step in &first.witness.steps {
            if let What::Operation { operation, object, file, line, .. } = &step.what {
                (step.thread, operation, object, file, line).hash(&mut hasher);
                operations += 1;
            }
        }
        Ok(vec![
            ("version", VERSION.to_owned()),
            ("program", format!("{:016x}", program())),
            ("body", title.to_owned()),
            ("settings", explored),
            ("first-ordering", format!("{operations} operations, {:016x}", hasher.finish())),
        ])
    }
}

fn of(part: Option<(usize, usize)>) -> String {
    part.map_or("the whole".to_owned(), |(k, n)| format!("part {k} of {n}"))
}
