//! Noticing that an execution does not go on: a thread of it waits for something that is not modelled,
//! and nothing in its OS thread can tell any more.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What an execution did last.
#[derive(Default)]
struct Beat {
    /// How often something has happened.
    times: u64,
    /// Whether a thread of an execution runs: between executions nothing is watched.
    running: bool,
    over: bool,
    /// Whose turn it is: a name, if the thread has one, and its place among the threads.
    who: String,
    place: usize,
    /// Which operation `who` performed last, and where.
    last: Option<(&'static str, &'static Location<'static>)>,
}

/// A worker's pulse, which its watchdog feels.
#[derive(Clone, Default)]
pub(crate) struct Pulse(Arc<Mutex<Beat>>);

impl Pulse {
    fn beat(&self) -> MutexGuard<'_, Beat> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An execution begins, or is over.
    pub(crate) fn runs(&self, running: bool) {
        let mut beat = self.beat();
        beat.times += 1;
        beat.running = running;
    }

    /// It is another thread's turn.
    pub(crate) fn turn(
        &self,
        who: Option<&str>,
        place: usize,
        last: Option<(&'static str, &'static Location<'static>)>,
    ) {
        let mut beat = self.beat();
        beat.times += 1;
        // This is done very often, and read hardly ever.
        beat.who.clear();
        beat.who.push_str(who.unwrap_or_default());
        beat.place = place;
        beat.last = last;
    }

    /// The thread performs an operation.
    pub(crate) fn performs(&self, operation: &'static str, at: &'static Location<'static>) {
        let mut beat = self.beat();
        beat.times += 1;
        beat.last = Some((operation, at));
    }
}

/// Ends the process if nothing happens for too long while a thread of an execution runs. Until dropped.
pub(crate) struct Watchdog {
    pulse: Pulse,
    thread: Option<thread::JoinHandle<()>>,
}

impl Watchdog {
    /// Watches `pulse`, for silences of `patience`.
    pub(crate) fn new(pulse: Pulse, patience: Duration) -> Self {
        let watched = pulse.clone();
        // In its own ticks: when the machine is asleep or busy, so is this.
        let tick = (patience / 10).max(Duration::from_millis(1));
        let watch = move || {
            let (mut times, mut silent) = (0, 0);
            loop {
                thread::park_timeout(tick);
                let beat = watched.beat();
                if beat.over {
                    return;
                }
                silent = if beat.running && beat.times == times { silent + 1 } else { 0 };
                times = beat.times;
                if silent > 10 {
                    eprintln!("{beat}");
                    std::process::exit(101);
                }
            }
        };
        let builder = thread::Builder::new().name("shuttle-dpor watchdog".into());
        Watchdog { pulse, thread: builder.spawn(watch).ok() }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.pulse.beat().over = true;
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

impl fmt::Display for Beat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("shuttle-dpor: ")?;
        match (&*self.who, self.place) {
            ("", 0) => f.write_str("main")?,
            ("", place) => write!(f, "thread {place}")?,
            (name, _) => f.write_str(name)?,
        }
        f.write_str(" has not come to an operation for a long time")?;
        match self.last {
            Some((operation, at)) => {
                write!(f, "; its last was {operation} at {}:{}", at.file(), at.line())?;
            }
            None => f.write_str("; it has performed none")?,
        }
        f.write_str(
            ". Usually it waits for something that is not modelled: a lock of std's that another \
             thread holds across an operation, a thread or a channel of std's, a loop until \
             something of std's changes. Use shuttle_dpor's instead. If it only takes long: \
             Explorer::watchdog.",
        )
    }
}
