//! The progress of an exploration, on standard error: on a terminal one line that
//! changes, elsewhere a new line every 15 seconds.

use crate::engine::{self, Estimate, Tell};
use crate::render::layout::{number, plural};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::mpsc::{channel, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The time between two lines where standard error is no terminal.
const PLAIN: Duration = Duration::from_secs(15);

/// The progress of one exploration. Its line is cleared when it is dropped.
pub(super) struct Progress {
    label: String,
    bar: Option<ProgressBar>,
    last: Arc<Mutex<String>>,
    plain: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Starts the progress; writes nothing when `quiet`.
    pub(super) fn start(label: &str, quiet: bool) -> Self {
        let last = Arc::default();
        let mut progress = Progress { label: label.to_owned(), bar: None, last, plain: None };
        if quiet {
            return progress;
        }
        if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
                bar.set_style(style);
            }
            bar.set_message(label.to_owned());
            bar.enable_steady_tick(Duration::from_millis(100));
            progress.bar = Some(bar);
        } else {
            let last = Arc::clone(&progress.last);
            progress.plain = Some(plain(label.to_owned(), last, PLAIN, |line| eprintln!("{line}")));
        }
        progress
    }

    /// The callback for the engine.
    pub(super) fn tell(&self) -> Tell {
        let say = self.say();
        Arc::new(move |progress| say(words(&progress)))
    }

    /// The callback that shows the progress in words.
    pub(super) fn say(&self) -> impl Fn(String) + Send + Sync + 'static {
        let (bar, last) = (self.bar.clone(), Arc::clone(&self.last));
        let label = self.label.clone();
        move |words| {
            if let Some(bar) = &bar {
                // The label comes last: of a line that does not fit the end is cut.
                bar.set_message(format!("{words}: {label}"));
            }
            *last.lock().unwrap_or_else(PoisonError::into_inner) = words;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if let Some((end, thread)) = self.plain.take() {
            drop(end);
            let _ = thread.join();
        }
    }
}

fn plain(
    label: String,
    last: Arc<Mutex<String>>,
    every: Duration,
    write: impl Fn(String) + Send + 'static,
) -> (Sender<()>, JoinHandle<()>) {
    let (end, ended) = channel::<()>();
    let begin = Instant::now();
    let thread = std::thread::spawn(move || {
        while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            let said = last.lock().unwrap_or_else(PoisonError::into_inner);
            // The process that explores for loom reports no progress.
            let said = if said.is_empty() { String::new() } else { format!(", {said}") };
            write(format!("{label}: {} s{said}", begin.elapsed().as_secs()));
        }
    });
    (end, thread)
}

/// `1,234 executions, 5,678/s, at least 20,000 in all, 4 s left or more`.
fn words(progress: &engine::Progress) -> String {
    let seconds = progress.elapsed.as_secs_f64().max(0.001);
    let rate = progress.executions as f64 / seconds;
    let done = plural(progress.executions, "execution");
    let mut words = format!("{done}, {}/s", number(rate as u64));
    if let Some(all) = progress.estimate {
        let rest = all.total().saturating_sub(progress.executions) as f64 / rate.max(0.001);
        let all = match all {
            Estimate::Exactly(all) => format!("{} in all, {rest:.0} s left", number(all)),
            Estimate::AtLeast(all) | Estimate::Between(all, _) => {
                format!("at least {} in all, {rest:.0} s left or more", number(all))
            }
        };
        words += &format!(", {all}");
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_far_and_how_long() {
        let mut progress =
            engine::Progress { executions: 5_000, elapsed: Duration::from_secs(2), estimate: None };
        assert_eq!(words(&progress), "5,000 executions, 2,500/s");
        progress.estimate = Some(Estimate::Exactly(10_000));
        assert_eq!(words(&progress), "5,000 executions, 2,500/s, 10,000 in all, 2 s left");
        progress.estimate = Some(Estimate::AtLeast(10_000));
        let said = "5,000 executions, 2,500/s, at least 10,000 in all, 2 s left or more";
        assert_eq!(words(&progress), said);
        progress = engine::Progress { executions: 1, estimate: None, ..progress };
        assert_eq!(words(&progress), "1 execution, 0/s");
    }

    #[test]
    fn without_a_terminal_it_writes_plain_lines() {
        let last = Arc::new(Mutex::new("5,000 executions, 2,500/s".to_owned()));
        let (said, lines) = channel();
        let write = move |line| drop(said.send(line));
        let (end, thread) = plain("a (dpor)".into(), last, Duration::from_millis(1), write);
        for _ in 0..2 {
            let line = lines.recv_timeout(Duration::from_secs(60));
            assert_eq!(line.as_deref(), Ok("a (dpor): 0 s, 5,000 executions, 2,500/s"));
        }
        drop(end);
        thread.join().unwrap();
        assert_eq!(PLAIN, Duration::from_secs(15));
    }

    #[test]
    fn it_ends_when_it_is_dropped() {
        drop(Progress::start("nothing", false));
        drop(Progress::start("nothing", true));
    }
}
